"""A served version that mends odd rows, abstains, promises sets and holds digits back: over the wire, and in the record."""

import concurrent.futures
import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sealwright import trust
from sealwright.kernel import canonical_json, digest_of
from sealwright.serving import (
    DECISION_KEY_PURPOSE,
    Limits,
    Running,
    decision_ledger_folder,
    decision_origin,
    full_scope,
    label_scope,
    predict_scope,
    read_decision,
)
from sealwright.serving.checking.document import AnsweringDocument, Conformal, Output

PROJECT = "german-credit"
_DOCUMENT = AnsweringDocument(
    format=1, model="", mode="clip", output=Output(digits=2), below={"good": 0.55, "bad": 0.55}, threshold=None,
    ambiguous=False, above_ood=None, tell_ood=False, coverage=0.9, calibrate=None, usual=None, calibration=None,
    conformal=Conformal(rows=500, limits={"0.9": 0.7}),
)  # fmt: skip


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, stocked: Path) -> Iterator[Any]:
    """One workspace whose released version holds back, clips, and has a rule between two fields."""
    module = sys.modules["serving_house"]
    made = module.House(tmp_path_factory.mktemp("held") / "home", like=stocked)
    interface = module.credit_interface()
    then = [{"column": "amount", "sign": "<=", "value": 15_000}]
    interface["rules"] = [
        {"name": "students_borrow_less", "when": [{"column": "c3", "sign": "==", "value": "a11"}], "then": then}
    ]
    model = module.credit_model(interface)
    made.answering = canonical_json(
        msgspec.to_builtins(msgspec.structs.replace(_DOCUMENT, model=digest_of(model)))
    )  # fmt: skip
    made.release(model, interface)
    yield made
    made.close()


@pytest.fixture(scope="module")
def server(house: Any) -> Iterator[Running]:
    with house.launch(limits=Limits(watch_seconds=0.1)) as running:
        yield running


def _ask(client: Any, *scopes: str, path: str = "v1/models/german-credit/predict", **body: Any) -> Any:
    token = client.house.token(scopes=list(scopes))
    return client.ask(
        "POST", f"/{path}", json.dumps(body).encode(), client.usual(Authorization=f"Bearer {token}")
    )  # fmt: skip


def _record(house: Any, reply: Any) -> Any:
    """The sealed record behind an answer."""
    decision = reply.json["answer"]["decision"]
    house.settle()
    ledger = trust.Ledger.open(
        decision_ledger_folder(house.home, PROJECT, "live"),
        origin=decision_origin("ws_1", PROJECT, "live"),
        signer=None,
        keys=house.keyring.trust_root.keys_of("decision-checkpoints"),
    )
    with contextlib.closing(ledger):
        found = next(one for one in ledger.entries() if one.detail.get("decision") == decision)
    return read_decision(found, house.keyring.key("decisions", DECISION_KEY_PURPOSE))


def test_a_value_outside_its_range_is_clipped_and_marked(client: Any, row: dict[str, Any]) -> None:
    reply = _ask(client, predict_scope(PROJECT), row=row | {"age": 130, "c0": "never seen"})
    answer = reply.json["answer"]
    assert reply.status == 200
    assert answer["marks"] == [{"feature": "age", "was": "above", "used": 100}, {"feature": "c0", "was": "unknown"}]
    assert answer["label"] == "bad"
    assert b"130" not in reply.body.split(b'"receipt"')[0]
    assert b"never seen" not in reply.body


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({"age": "130"}, ["wrong_type"]),
        ({"age": None}, ["not_nullable"]),
        ({"more": 1}, ["unknown_field"]),
        ({"c2": "never seen"}, ["unknown_category"]),  # it may not be missing, so nothing can take its place
        ({"c3": "a11", "amount": 15_001}, ["rule_broken"]),
    ],
)
def test_what_cannot_be_mended_is_refused_by_name_and_never_repeated(
    client: Any, row: dict[str, Any], change: dict[str, Any], codes: list[str]
) -> None:
    reply = _ask(client, predict_scope(PROJECT), row=row | change)
    assert reply.status == 422
    assert [problem["code"] for problem in reply.json["errors"]] == codes
    assert b"never seen" not in reply.body
    assert b"15001" not in reply.body


def test_strangers_are_told_nothing_about_the_contract(client: Any, row: dict[str, Any]) -> None:
    body = json.dumps({"row": row | {"age": 130, "more": 1}}).encode()
    reply = client.ask("POST", "/v1/models/german-credit/predict", body, {"Content-Type": "application/json"})
    assert reply.status == 401
    assert not any(name.encode() in reply.body for name in row)


def test_attack_extraction_a_label_scope_gets_labels_by_every_protocol(client: Any, row: dict[str, Any]) -> None:
    scope = label_scope(PROJECT)
    assert _ask(client, scope, row=row | {"age": 100}).json["answer"].keys() == {"decision", "model", "label"}
    inputs = [
        {
            "name": name, "shape": [1],
            "datatype": "BYTES" if isinstance(value, str) else "BOOL" if isinstance(value, bool) else "FP64",
            "data": [value],
        }
        for name, value in (row | {"age": 100}).items()
    ]  # fmt: skip
    wire = _ask(client, scope, path="v2/models/german-credit/infer", inputs=inputs).json
    assert {one["name"]: one["data"] for one in wire["outputs"]} == {"label": ["bad"], "probabilities": [None, None]}
    for option in ("explain", "counterfactual", "interval"):
        assert _ask(client, scope, row=row, **{option: True}).status == 403
    assert _ask(client, label_scope("another"), row=row).status == 403
    assert _ask(client, full_scope(PROJECT), row=row).status == 403  # it lifts; it lets nobody in


def test_scopes_decide_about_digits_and_the_record_keeps_them_all(client: Any, house: Any, row: dict[str, Any]) -> None:
    row = row | {"age": 74}
    usual = _ask(client, predict_scope(PROJECT), row=row)
    full = _ask(client, predict_scope(PROJECT), full_scope(PROJECT), row=row)
    exact = full.json["answer"]["probabilities"]
    assert exact["bad"] != round(exact["bad"], 2)
    assert usual.json["answer"]["probabilities"] == {name: round(p, 2) for name, p in exact.items()}
    assert json.loads(_record(house, usual).kept)["probabilities"] == [list(exact.values())]
    assert _record(house, full).kept == b""


def test_an_unsure_answer_has_no_label_and_says_why_and_the_record_has_it(
    client: Any, house: Any, row: dict[str, Any]
) -> None:
    reply = _ask(client, predict_scope(PROJECT), row=row | {"age": 61})
    answer = reply.json["answer"]
    assert reply.status == 200
    assert answer.keys() == {"decision", "model", "abstained"}
    assert answer["abstained"] == {"codes": ["confidence_low"], "why": "The model is not sure enough."}
    assert json.loads(_record(house, reply).kept)["labels"] == ["bad"]


def test_a_set_comes_on_request_with_the_rows_it_rests_on(client: Any, row: dict[str, Any]) -> None:
    rows = [row | {"age": 100}, row | {"age": 70}]
    told = _ask(client, predict_scope(PROJECT), rows=rows, interval=True).json["answer"]["rows"]
    assert [one["set"] for one in told] == [["bad"], ["good", "bad"]]
    assert told[0]["promise"] == {"coverage": 0.9, "rows": 500}


def test_one_request_of_a_batch_is_refused_and_its_neighbours_are_answered(client: Any, row: dict[str, Any]) -> None:
    """Requests that are ready at the same moment share a run; a broken rule is the sender's own matter."""
    good, broken = row, row | {"c3": "a11", "amount": 19_000}
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        found = list(
            pool.map(lambda one: _ask(client, predict_scope(PROJECT), row=one).status, [good, broken] * 8)
        )  # fmt: skip
    assert found == [200, 422] * 8
