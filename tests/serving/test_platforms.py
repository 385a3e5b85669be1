"""In a platform's container: its addresses and no others, asked for twice, on record, and every decision says who let the caller in."""

import http.client
import json
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright import trust
from sealwright.kernel import InvalidInput, Refused
from sealwright.serving import (
    DECISION_KEY_PURPOSE,
    Contract,
    Running,
    contract_of,
    decision_ledger_folder,
    decision_origin,
    example_row,
    read_decision,
    read_transport,
)
from sealwright.serving.problems import HttpRefusal, RowsRefused, TableMalformed
from sealwright.serving.protocol_csv import read_table
from sealwright.serving.protocol_named import NamedProtocol


class Inside:
    """Who asks inside the container: plain HTTP, no token, whatever Host."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, bytes, dict[str, str]]:
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        link.request(
            method, path, body, {"Host": "169.254.180.2:8080"} | {k.replace("_", "-"): v for k, v in headers.items()}
        )
        answer = link.getresponse()
        found = answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()}
        link.close()
        return found


@pytest.fixture(scope="module", params=["sagemaker", "azureml"])
def platform(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def server(house: Any, platform: str) -> Iterator[Running]:
    with house.launch(tls=False, platform=platform, behind_platform=True, host="0.0.0.0") as running:
        yield running


@pytest.fixture
def inside(server: Running) -> Inside:
    return Inside(server.port)


def _ask_path(platform: str) -> str:
    return {"sagemaker": "/invocations", "azureml": "/score"}[platform]


def test_the_platform_is_answered_at_its_addresses_and_nowhere_else(
    inside: Inside, platform: str, row: dict[str, Any]
) -> None:
    assert inside.ask("GET", {"sagemaker": "/ping", "azureml": "/"}[platform])[0] == 200
    body = json.dumps({"row": row}).encode()
    status, answer, _ = inside.ask(
        "POST", _ask_path(platform), body, Content_Type="application/json", azureml_model_deployment="blue"
    )
    assert (status, json.loads(answer)["answer"]["label"]) == (200, "good")
    for method, path in [
        ("POST", "/v1/models/german-credit/predict"), ("POST", "/v2/models/german-credit/infer"), ("GET", "/v2/health/live"),
        ("GET", "/v2/models/german-credit"), ("GET", "/execution-parameters"), ("POST", {"sagemaker": "/score", "azureml": "/invocations"}[platform]),
    ]:  # fmt: skip
        assert inside.ask(method, path, b"{}" if method == "POST" else None, Content_Type="application/json")[0] == 404
    assert inside.ask("GET", _ask_path(platform))[0] == 405


def test_callers_are_recorded_as_the_platform_and_the_ledger_says_who_was_trusted(
    inside: Inside, house: Any, platform: str, row: dict[str, Any], wait_until: Any
) -> None:
    status, answer, _ = inside.ask(
        "POST", _ask_path(platform), json.dumps({"row": row}).encode(), Content_Type="application/json"
    )
    assert status == 200
    index = json.loads(json.loads(answer)["receipt"]["entry"])["i"]
    wait_until(lambda: len(_entries(house)) > index)
    entries = _entries(house)
    record = read_decision(entries[index], house.keyring.key("decisions", DECISION_KEY_PURPOSE))
    assert (record.subject, record.token) == (platform, "")
    trusted = [entry.detail for entry in entries if entry.action == "serving.platform_trusted"]
    assert trusted[-1]["platform"] == platform
    assert trusted[-1]["host"] == "0.0.0.0"


def _entries(house: Any) -> list[trust.LedgerEntry]:
    """What the decision ledger holds, read beside the process that writes it."""
    ledger = trust.Ledger.open(
        decision_ledger_folder(house.home, house.project, "live"),
        origin=decision_origin("ws_1", house.project, "live"),
        signer=None,
        keys=house.keyring.trust_root.keys_of("decision-checkpoints"),
    )
    try:
        return list(ledger.entries())
    finally:
        ledger.close()


def test_a_token_opens_nothing_more_here(inside: Inside, house: Any, platform: str, row: dict[str, Any]) -> None:
    told = {"Authorization": f"Bearer {house.token()}", "Content_Type": "application/json"}
    assert inside.ask("POST", "/v1/models/german-credit/predict", json.dumps({"row": row}).encode(), **told)[0] == 404
    assert inside.ask("POST", _ask_path(platform), b'{"row": 5}', Content_Type="application/json")[0] == 422


def test_the_description_stands_where_azure_looks(inside: Inside, platform: str) -> None:
    status, body, _ = inside.ask("GET", "/swagger.json")
    assert status == (200 if platform == "azureml" else 404)
    if platform == "azureml":
        document = json.loads(body)
        assert list(document["paths"]) == ["/score"]
        assert "securitySchemes" not in document["components"]


def test_a_container_without_the_second_word_does_not_start(house: Any) -> None:
    """What weakens a server is asked for twice: fail closed."""
    for settings in (
        {"platform": "sagemaker"}, {"behind_platform": True}, {"platform": "sagemaker", "behind_platform": True, "grpc_port": 0},
    ):  # fmt: skip
        with pytest.raises(Refused):
            house.config(tls=False, host="0.0.0.0", **settings)
    with pytest.raises(Refused):
        house.config(tls=True, host="0.0.0.0", platform="sagemaker", behind_platform=True)
    with pytest.raises(Refused, match="only listens on this machine"):
        house.config(tls=False, host="0.0.0.0")
    for name in ("plain_allowed", "plain_http", "platform"):
        with pytest.raises(InvalidInput):
            read_transport({"hosts": ["localhost"], "host": "0.0.0.0", name: True})


# ---- CSV


def _csv(row: dict[str, Any], rows: int = 1, *, header: bool = False) -> bytes:
    line = ",".join("" if value is None else str(value) for value in row.values())
    return ("\r\n".join(([",".join(row)] if header else []) + [line] * rows) + "\r\n").encode()


def test_lines_are_answered_by_lines(inside: Inside, platform: str, row: dict[str, Any]) -> None:
    if platform != "sagemaker":
        assert inside.ask("POST", "/score", _csv(row), Content_Type="text/csv")[0] == 415
        return
    for header in (False, True):
        body = _csv(row, 20, header=header)
        status, answer, headers = inside.ask("POST", "/invocations", body, Content_Type="text/csv")
        assert (status, headers["content-type"]) == (200, "text/csv")
        assert answer.decode().splitlines() == ["good,0.721115,0.278885"] * 20
        assert headers["sealwright-decision"].startswith("dec_")
    status, answer, _ = inside.ask(
        "POST", "/invocations", _csv(row), Content_Type="text/csv", Accept="application/json;q=1, */*"
    )
    assert json.loads(answer)["answer"]["columns"]["label"] == ["good"]
    status, answer, _ = inside.ask(
        "POST", "/invocations", json.dumps({"row": row}).encode(), Content_Type="application/json", Accept="text/csv"
    )
    assert answer == b"good,0.721115,0.278885\r\n"


_DOCUMENT = {
    "format": 1, "project": "p", "task": "regression", "order": ["i", "n", "b", "d", "c"],
    "numbers": [{"name": "i", "type": "integer", "nullable": False, "min": 0, "max": 100},
                {"name": "n", "type": "number", "nullable": True, "min": -1.5, "max": 1e6},
                {"name": "b", "type": "boolean", "nullable": True, "min": None, "max": None},
                {"name": "d", "type": "date", "nullable": True, "min": "2019-01-01", "max": "2021-01-01"}],
    "strings": [{"name": "c", "type": "category", "nullable": False, "categories": ["a,b", "a14", '"q"']}],
}  # fmt: skip
_PROTOCOL = NamedProtocol(contract_of(_DOCUMENT), most_rows=5)


def test_cells_become_what_json_would_have_become(contract: Contract, row: dict[str, Any]) -> None:
    named = NamedProtocol(contract, most_rows=5)
    turned = dict(reversed(row.items()))
    for body in (_csv(row, 2), _csv(row, 2, header=True), _csv(turned, 2, header=True)):
        batch = read_table(named, body).batch
        expected = contract.pack(named.read(json.dumps({"rows": [row, row]}).encode()).rows or ())
        assert batch is not None
        assert str(batch.numbers) == str(expected.numbers)
        assert batch.strings.tolist() == expected.strings.tolist()  # type: ignore[union-attr]
    assert read_table(_PROTOCOL, b'1,,,,"a,b"\n2,1e3,true,2020-02-29,"""q"""').count == 2


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        ("x,,,,a14", "i"), ("1.5,,,,a14", "i"), ("101,,,,a14", "i"), (",,,,a14", "i"), ("0x1,,,,a14", "i"), ("1_0,,,,a14", "i"),
        ("NaN,,,,a14", "i"), ("null,,,,a14", "i"), ('"1,2",,,,a14', "i"), ('"]",,,,a14', "i"), ("true,,,,a14", "i"), ("007,,,,a14", "i"),
        ("1,inf,,,a14", "n"), ("1,1e999,,,a14", "n"), ("1,,yes,,a14", "b"), ("1,,,20200229,a14", "d"), ("1,,,2030-01-01,a14", "d"),
        ("1,,,,Zanzibar", "c"), ("1,,,,", "c"), ("1,,,,=1+1", "c"),
    ],
)  # fmt: skip
def test_a_cell_outside_the_contract_is_refused_by_name(cells: str, field: str) -> None:
    with pytest.raises(RowsRefused) as refusal:
        read_table(_PROTOCOL, cells.encode())
    assert {problem.field for problem in refusal.value.problems} == {field}
    assert "Zanzibar" not in str(refusal.value.problems)


@pytest.mark.parametrize("body", [b"", b"\n\n", b"\xff", b'1,"', b"1,,,,a14,", b"1", b'1,,,,"a14"x', b"1,\0,,,a14\n1"])
def test_what_is_no_table_of_these_columns_is_refused(body: bytes) -> None:
    with pytest.raises((TableMalformed, RowsRefused)):
        read_table(_PROTOCOL, body)


@given(st.text(alphabet='01.,"\n\r-eatrufls4', max_size=60))
def test_no_lines_fail_otherwise_than_by_being_refused(text: str) -> None:
    try:
        asked = read_table(_PROTOCOL, text.encode())
    except HttpRefusal:
        return
    assert 1 <= asked.count <= 5


def test_more_lines_than_allowed_are_refused() -> None:
    row = example_row(contract_of(_DOCUMENT)) | {"c": "a14"}
    assert read_table(_PROTOCOL, _csv(row, 5)).count == 5
    for header in (True, False):
        with pytest.raises(RowsRefused):
            read_table(_PROTOCOL, _csv(row, 6, header=header))


# ---- blank lines


_LINE = b"1,,,,a14"


@pytest.mark.parametrize(
    "body",
    [
        b"\n" * 11 + b"\n".join([_LINE] * 4),
        b"\n".join([_LINE] * 4) + b"\n" * 11,
        b"\r\r\n".join([_LINE] * 4) + b"\r\r\n",
        (_LINE + b"\n\n\n") * 4,
        b"\n\ni,n,b,d,c\n\n" + (_LINE + b"\n\n") * 4,
    ],
)
def test_blank_lines_make_no_row_vanish(body: bytes) -> None:
    assert read_table(_PROTOCOL, body).count == 4


@pytest.mark.parametrize("between", [b"\n", b"\n\n", b"\r\r\n"])
@pytest.mark.parametrize("before", [b"", b"\n\n", b"i,n,b,d,c\n\n"])
def test_more_rows_than_allowed_are_refused_whatever_blank_lines_stand_between_them(
    between: bytes, before: bytes
) -> None:
    with pytest.raises(RowsRefused):
        read_table(_PROTOCOL, before + between.join([_LINE] * 6))


def test_a_body_of_blank_lines_is_given_up_early_t21() -> None:
    begun = time.process_time()
    with pytest.raises(TableMalformed, match="too many blank lines"):
        read_table(_PROTOCOL, b"\n" * 500_000 + _LINE)
    assert time.process_time() - begun < 0.1


def _alone(*, nullable: bool) -> NamedProtocol:
    number = {"name": "n", "type": "number", "nullable": nullable, "min": 0, "max": 10}
    return NamedProtocol(contract_of(_DOCUMENT | {"order": ["n"], "numbers": [number], "strings": []}), most_rows=5)


@pytest.mark.parametrize(
    ("body", "values"),
    [
        (b"1\n\n2\n", [1, None, 2]),
        (b"1\n\n2\n\n", [1, None, 2]),
        (b"1\r\n\r\n\r\n2", [1, None, None, 2]),
        (b"\n1\n", [None, 1]),
        (b"n\n1\n\n2\n\n\n", [1, None, 2, None]),
        (b'1\n""\n', [1, None]),
        (b"1\n\n\n\n\n\n", [1, None, None, None, None]),
        (b"n\n1\n2\n3\n\n5\n\n", [1, 2, 3, None, 5]),
    ],
)
def test_a_blank_line_of_one_column_is_a_missing_value_unless_it_is_the_last(
    body: bytes, values: list[float | None]
) -> None:
    batch = read_table(_alone(nullable=True), body).batch
    assert batch is not None
    assert np.array_equal(batch.numbers.ravel(), np.array(values, dtype=np.float64), equal_nan=True)  # type: ignore[union-attr]


@pytest.mark.parametrize("body", [b"1\n2\n3\n4\n5\n\n7\n", b"1\n\n\n\n\n\n\n", b"n\n1\n\n\n\n\n\n7", b"\n" * 500_000])
def test_blank_lines_of_one_column_count_as_rows(body: bytes) -> None:
    begun = time.process_time()
    with pytest.raises(RowsRefused):
        read_table(_alone(nullable=True), body)
    assert time.process_time() - begun < 0.1


def test_a_blank_line_of_one_column_is_refused_where_nothing_may_be_missing() -> None:
    assert read_table(_alone(nullable=False), b"1\n2\n\n").count == 2
    with pytest.raises(RowsRefused) as refusal:
        read_table(_alone(nullable=False), b"1\n\n2\n")
    assert [problem.code for problem in refusal.value.problems] == ["not_nullable"]
