"""Named rows are read strictly: what two readers could understand differently, or the contract does not allow, is refused."""

import json
import random
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealwright.serving import Contract, contract_of, example_row, field_rules
from sealwright.serving.field_rules import row_problems
from sealwright.serving.problems import BodyMalformed, DuplicateKey, HttpRefusal, RowsRefused, problem_body
from sealwright.serving.protocol_named import NamedProtocol

SECRET = "Zanzibar-4711"


@pytest.fixture
def protocol(contract: Contract) -> NamedProtocol:
    return NamedProtocol(contract, most_rows=10)


def _body(row: dict[str, Any], **changes: Any) -> bytes:
    return json.dumps({"row": row | changes}).encode()


def _raw(row: dict[str, Any], field: str, text: str) -> bytes:
    """A body in which one field's value is exactly `text`, which may not be JSON."""
    return json.dumps({"row": row | {field: "@@"}}).replace('"@@"', text).encode()


def test_a_good_row_and_good_rows_are_read(protocol: NamedProtocol, row: dict[str, Any]) -> None:
    assert protocol.read(_body(row)).form == "row"
    several = protocol.read(json.dumps({"rows": [row] * 3}, indent=2).encode())
    assert (several.form, several.count, len(several.rows or ())) == ("rows", 3, 3)


def test_the_order_of_fields_does_not_matter(protocol: NamedProtocol, row: dict[str, Any]) -> None:
    usual, turned = protocol.read(_body(row)), protocol.read(_body(dict(reversed(row.items()))))
    assert usual.rows == turned.rows


def test_a_category_that_holds_a_colon_is_read(protocol: NamedProtocol, row: dict[str, Any]) -> None:
    """The cheap count of keys sees one colon too many and must look again, not refuse."""
    assert len(protocol.read(_body(row, c1="rent: city")).rows) == 1


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("age", 17, "out_of_range"),
        ("age", -500, "out_of_range"),
        ("age", 41.0, "wrong_type"),
        ("age", 41.5, "wrong_type"),
        ("age", "41", "wrong_type"),
        ("age", True, "wrong_type"),
        ("age", None, "not_nullable"),
        ("age", [41], "wrong_type"),
        ("age", {"v": 41}, "wrong_type"),
        ("age", 10**25, "out_of_range"),
        ("amount", 1e30, "out_of_range"),
        ("amount", "1e3", "wrong_type"),
        ("amount", True, "wrong_type"),
        ("rate", 1.0000001, "out_of_range"),
        ("rate", False, "wrong_type"),
        ("foreign_worker", 1, "wrong_type"),
        ("foreign_worker", "true", "wrong_type"),
        ("foreign_worker", None, "not_nullable"),
        ("opened", "2026-01-01", "out_of_range"),
        ("opened", "1999-12-31", "out_of_range"),
        ("opened", "2020-02-30", "wrong_type"),
        ("opened", "20200229", "wrong_type"),
        ("opened", "2020-W09-6", "wrong_type"),
        ("opened", "2020-02-29T00:00:00Z", "wrong_type"),
        ("opened", 18321, "wrong_type"),
        ("c1", SECRET, "unknown_category"),
        ("c1", "", "unknown_category"),
        ("c1", "A11", "unknown_category"),
        ("c1", "a11 ", "unknown_category"),
        ("c1", "a11\u0000", "unknown_category"),
        ("c1", "x" * 100_000, "unknown_category"),
        ("c1", 11, "wrong_type"),
        ("c1", {"a": 1}, "wrong_type"),
        ("c1", None, "not_nullable"),
    ],
)
def test_a_value_outside_the_contract_is_refused_by_name_and_not_repeated(
    protocol: NamedProtocol, row: dict[str, Any], field: str, value: Any, code: str
) -> None:
    with pytest.raises(RowsRefused) as refusal:
        protocol.read(_body(row, **{field: value}))
    (problem,) = refusal.value.problems
    assert (problem.pointer, problem.field, problem.code) == (f"/row/{field}", field, code)
    assert SECRET not in problem_body(refusal.value).decode()
    assert len(problem_body(refusal.value)) < 1000


@pytest.mark.parametrize("text", ["1e999", "-1e999", "9" * 5000, "-" + "9" * 5000, "0." + "9" * 5000 + "e400"])
def test_a_number_that_no_float_holds_is_refused_by_name(
    protocol: NamedProtocol, row: dict[str, Any], text: str
) -> None:
    with pytest.raises(RowsRefused) as refusal:
        protocol.read(_raw(row, "amount", text))
    assert refusal.value.problems[0].field == "amount"


@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", "-Infinity", "nan", "0x10", "01", "+1", "1.", ".5", "1_0", "'a'", "undefined", ""]
)
def test_what_is_no_json_value_is_refused(protocol: NamedProtocol, row: dict[str, Any], text: str) -> None:
    with pytest.raises(BodyMalformed):
        protocol.read(_raw(row, "amount", text))


@pytest.mark.parametrize("text", ["-0.0", "5e-324", "1e-400", "250", "2.5e2", "20000", "20000.0"])
def test_unusual_numbers_within_the_range_are_read(interface: dict[str, Any], row: dict[str, Any], text: str) -> None:
    """Stated handling: -0.0 is zero, denormals and what underflows become zero in the model's float32."""
    interface["numbers"][1]["min"] = 0
    contract = contract_of(interface)
    batch = contract.pack(NamedProtocol(contract, most_rows=1).read(_raw(row, "amount", text)).rows)
    assert batch.numbers is not None
    assert batch.numbers[0, 1] in (0.0, 250.0, 20000.0)


@pytest.mark.parametrize("name", ["age", "\\u0061ge"], ids=["plain", "escaped"])
@pytest.mark.parametrize("same", [True, False])
def test_a_repeated_key_is_refused(protocol: NamedProtocol, row: dict[str, Any], name: str, same: bool) -> None:
    body = _body(row).replace(b'"age": 41', b'"age": 41, "%b": %d' % (name.encode(), 41 if same else 99))
    with pytest.raises(DuplicateKey) as refusal:
        protocol.read(body)
    assert refusal.value.problems[0].field == "age"


def test_a_repeated_key_hidden_behind_colons_is_refused(protocol: NamedProtocol, row: dict[str, Any]) -> None:
    """An escaped colon must not pay for an extra key in the count."""
    body = _body(row, c1="rent: city").replace(b"rent: city", b"rent\\u003a city")
    assert len(protocol.read(body).rows) == 1
    with pytest.raises(DuplicateKey):
        protocol.read(body.replace(b'"age": 41', b'"age": 41, "age": 42'))


@pytest.mark.parametrize("part", ["row", "rows"])
def test_a_repeated_outer_key_is_refused(protocol: NamedProtocol, row: dict[str, Any], part: str) -> None:
    value = json.dumps(row if part == "row" else [row])
    with pytest.raises(DuplicateKey):
        protocol.read(f'{{"{part}": {value}, "{part}": {value}}}'.encode())


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"{", b"[", b"null x", b'{"row":}', b"\x00", b"PK\x03\x04", b"\x80\x04cos\nsystem\n(S'id'\ntR.", b"[" * 100_000,
     b"[" * 100_000 + b"]" * 100_000, b'{"row":' * 50_000, b'{"row":{"c1":"\xff"}}', b'{"row":{"c1":"\xed\xa0\x80"}}'],
    ids=["empty", "space", "open", "bracket", "trailing", "hole", "nul", "zip", "pickle", "deep", "deep-closed", "deep-objects",
         "not-utf8", "utf8-surrogate"],
)  # fmt: skip
def test_a_body_that_is_not_strict_json_is_refused(protocol: NamedProtocol, body: bytes) -> None:
    with pytest.raises(BodyMalformed):
        protocol.read(body)


@pytest.mark.parametrize("wrap", ["bom", "utf-16", "utf-32", "trailing", "twice", "comment"])
def test_a_good_row_in_another_dress_is_refused(protocol: NamedProtocol, row: dict[str, Any], wrap: str) -> None:
    good = _body(row)
    dressed = {
        "bom": b"\xef\xbb\xbf" + good,
        "utf-16": good.decode().encode("utf-16"),
        "utf-32": good.decode().encode("utf-32"),
        "trailing": good + b"\x00",
        "twice": good + good,
        "comment": good.replace(b"{", b"{/* */", 1),
    }
    with pytest.raises(BodyMalformed):
        protocol.read(dressed[wrap])


def test_a_lone_surrogate_is_refused(protocol: NamedProtocol, row: dict[str, Any]) -> None:
    with pytest.raises(HttpRefusal) as refusal:
        protocol.read(_raw(row, "c1", '"\\ud800"'))
    assert refusal.value.status in (400, 422)


@pytest.mark.parametrize("body", [b"null", b"[]", b'"row"', b"{}", b'{"row": null}', b'{"row": []}', b'{"rows": []}', b'{"rows": {}}',
                                  b'{"row": {}, "rows": []}', b'{"Row": {}}', b'{"row": {}, "x": 1}'])  # fmt: skip
def test_another_shape_than_row_or_rows_is_refused(protocol: NamedProtocol, body: bytes) -> None:
    with pytest.raises(RowsRefused):
        protocol.read(body)


def test_more_rows_than_allowed_are_refused(protocol: NamedProtocol, row: dict[str, Any]) -> None:
    with pytest.raises(RowsRefused) as refusal:
        protocol.read(json.dumps({"rows": [row] * 11}).encode())
    assert refusal.value.problems[0].code == "wrong_length"


def test_every_wrong_field_is_named_at_once_up_to_a_limit(protocol: NamedProtocol, row: dict[str, Any]) -> None:
    with pytest.raises(RowsRefused) as refusal:
        protocol.read(_body(row, age=5, c1="?", opened="x"))
    assert {problem.field for problem in refusal.value.problems} == {"age", "c1", "opened"}
    with pytest.raises(RowsRefused) as refusal:
        protocol.read(json.dumps({"rows": [{}] * 10}).encode())
    assert len(refusal.value.problems) == 20


def test_a_missing_field_is_named(protocol: NamedProtocol, row: dict[str, Any]) -> None:
    del row["age"]
    with pytest.raises(RowsRefused) as refusal:
        protocol.read(_body(row))
    (problem,) = refusal.value.problems
    assert (problem.code, problem.field, problem.detail) == ("missing", "age", "Expected an integer from 18 to 100.")


def test_an_unknown_field_is_refused_without_repeating_its_name(protocol: NamedProtocol, row: dict[str, Any]) -> None:
    with pytest.raises(RowsRefused) as refusal:
        protocol.read(_body(row, **{SECRET: 1}))
    assert refusal.value.problems[0].code == "unknown_field"
    assert SECRET not in problem_body(refusal.value).decode()


def test_a_misspelt_field_is_answered_with_the_known_name(protocol: NamedProtocol, row: dict[str, Any]) -> None:
    row["foreign_wroker"] = row.pop("foreign_worker")
    with pytest.raises(RowsRefused) as refusal:
        protocol.read(_body(row))
    assert "Did you mean 'foreign_worker'?" in refusal.value.problems[0].detail


@pytest.mark.parametrize(
    "typed",
    [
        "foreign_wrker",
        "foreignWorker",
        "foreign-worker",
        "FOREIGN_WORKER",
        "foreign_workers",
        "forein_worke",
        "Foreign worker",
    ],
)
def test_an_ordinary_slip_is_answered_with_the_known_name(
    protocol: NamedProtocol, row: dict[str, Any], typed: str
) -> None:
    row[typed] = row.pop("foreign_worker")
    with pytest.raises(RowsRefused) as refusal:
        protocol.read(_body(row))
    assert "Did you mean 'foreign_worker'?" in refusal.value.problems[0].detail


def _wide(features: int) -> Contract:
    names = [f"average_balance_of_the_last_months_{at:03d}" for at in range(features)]
    numbers = [{"name": name, "type": "number", "nullable": False, "min": 0, "max": 1} for name in names]
    return contract_of({"format": 1, "project": "p", "task": "regression", "order": names, "numbers": numbers})


def test_a_slip_is_found_in_the_last_of_many_fields_and_after_a_stranger() -> None:
    names = sorted(_wide(300).names)
    row = {"id": 7} | dict.fromkeys([*names[:-1], names[-1].replace("months", "month")], 0.5)
    with pytest.raises(RowsRefused) as refusal:
        NamedProtocol(_wide(300), most_rows=10).read(_body(row))
    assert refusal.value.problems[0].detail == f"2 fields are not in the contract. Did you mean {names[-1]!r}?"


def test_an_unlike_name_is_answered_with_no_guess(protocol: NamedProtocol, row: dict[str, Any]) -> None:
    row["shoe_size"] = row.pop("foreign_worker")
    with pytest.raises(RowsRefused) as refusal:
        protocol.read(_body(row))
    assert refusal.value.problems[0].detail == "1 field is not in the contract."


@pytest.mark.parametrize("form", ["row", "rows", "columns"])
@pytest.mark.parametrize("features", [20, 50, 200])
def test_attack_names_that_are_almost_right_are_compared_with_few_whatever_is_sent(
    features: int, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guess at what was meant was as dear as the sender liked: half a second of the event loop for a body of 2 KiB."""
    contract = _wide(features)
    protocol, letters, mixed = NamedProtocol(contract, most_rows=100), list(min(contract.names)), random.Random(7)
    strangers = {"".join(mixed.sample(letters, len(letters))): 0 for _ in range(50)}
    looked: list[str] = []
    marks = field_rules._marks
    monkeypatch.setattr(field_rules, "_marks", lambda name: looked.append(name) or marks(name))
    with pytest.raises(RowsRefused):
        protocol.read(json.dumps({form: [strangers] * 20 if form == "rows" else strangers}).encode())
    assert len(looked) <= 2 * 53


@pytest.mark.parametrize("name", ['say "hi"', "back\\slash", "tab\there", "~tilde/slash", "ключ", "row", "rows", ""])
def test_features_with_difficult_names_are_served_and_held_to_the_contract(name: str) -> None:
    document = {
        "format": 1, "project": "p", "task": "regression", "order": [name, "other"],
        "numbers": [{"name": name, "type": "integer", "nullable": False, "min": 0, "max": 9},
                    {"name": "other", "type": "date", "nullable": True, "min": "2020-01-01", "max": "2021-01-01"}],
    }  # fmt: skip
    contract = contract_of(document)
    protocol = NamedProtocol(contract, most_rows=2)
    batch = contract.pack(protocol.read(json.dumps({"row": {name: 3, "other": "2020-05-05"}}).encode()).rows)
    assert batch.numbers is not None
    assert batch.numbers[0, 0] == 3
    with pytest.raises(RowsRefused) as refusal:
        protocol.read(json.dumps({"rows": [{name: 3, "other": None}, {name: 10, "other": None}]}).encode())
    assert refusal.value.problems[0].pointer == "/rows/1/" + name.replace("~", "~0").replace("/", "~1")


def test_a_large_wrong_body_is_refused_quickly(protocol: NamedProtocol, row: dict[str, Any]) -> None:
    bodies = [
        json.dumps({"row": {f"k{at}": at for at in range(80_000)}}).encode(),
        b'{"row":{' + b'"age":1,' * 100_000 + b'"age":1}}',
    ]
    for body in bodies:
        begun = time.perf_counter()
        with pytest.raises(HttpRefusal):
            protocol.read(body)
        assert time.perf_counter() - begun < 2.0


_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["a11", "a14", "2020-01-01", 1, 0, 50, 0.5]),
)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_the_fast_reader_accepts_exactly_what_the_careful_one_finds_nothing_wrong_with(data: st.DataObject) -> None:
    """Two implementations, one law: a compiled decoder, and rules written out one by one."""
    row = dict(_GOOD)
    for name in data.draw(st.lists(st.sampled_from(sorted(_GOOD)), max_size=3)):
        if data.draw(st.booleans()):
            row[name] = data.draw(_SCALARS)
        else:
            row.pop(name, None)
    try:
        body = json.dumps({"row": row}, allow_nan=False).encode()
    except ValueError:
        return  # NaN and Infinity are no JSON; their own test is above
    wrong = list(row_problems(_CONTRACT.features, row, "/row"))
    try:
        _PROTOCOL.read(body)
        accepted = True
    except HttpRefusal:
        accepted = False
    assert accepted == (not wrong)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_fail_otherwise_than_by_refusing(body: bytes) -> None:
    with pytest.raises(HttpRefusal):
        _PROTOCOL.read(body)


@settings(max_examples=200, deadline=None)
@given(st.integers(min_value=0), st.binary(min_size=1, max_size=3))
def test_a_good_body_with_bytes_put_in_is_read_as_json_or_refused(place: int, extra: bytes) -> None:
    body = json.dumps({"row": _GOOD}).encode()
    at = place % len(body)
    changed = body[:at] + extra + body[at:]
    try:
        _PROTOCOL.read(changed)
    except HttpRefusal:
        return
    json.loads(changed.decode())  # what is accepted is JSON for others too


_DOCUMENT = {
    "format": 1, "project": "p", "task": "binary", "classes": ["a", "b"], "order": ["i", "n", "b", "d", "c"],
    "numbers": [{"name": "i", "type": "integer", "nullable": False, "min": 0, "max": 100},
                {"name": "n", "type": "number", "nullable": True, "min": -1.5, "max": 1e6},
                {"name": "b", "type": "boolean", "nullable": True, "min": None, "max": None},
                {"name": "d", "type": "date", "nullable": True, "min": "2019-01-01", "max": "2021-01-01"}],
    "strings": [{"name": "c", "type": "category", "nullable": False, "categories": ["a11", "a14"]}],
}  # fmt: skip
_CONTRACT = contract_of(_DOCUMENT)
_PROTOCOL = NamedProtocol(_CONTRACT, most_rows=5)
_GOOD = example_row(_CONTRACT)


def test_the_example_of_the_description_is_accepted() -> None:
    assert len(_PROTOCOL.read(msgspec.json.encode({"row": _GOOD})).rows) == 1
