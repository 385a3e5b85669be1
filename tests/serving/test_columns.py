"""Many rows go by column, few by row: both say the same of the same values, and give the model the same inputs."""

import json
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealwright.serving import Contract, contract_of, example_row
from sealwright.serving.columns import ColumnRefused, date_column, number_column, text_column
from sealwright.serving.contract import FEW_ROWS, Batch, Feature
from sealwright.serving.field_rules import fault_in
from sealwright.serving.oip_columns import OipColumns, Tensor
from sealwright.serving.problems import DuplicateKey, HttpRefusal, RowsRefused
from sealwright.serving.protocol_named import NamedProtocol

_DOCUMENT = {
    "format": 1, "project": "p", "task": "binary", "classes": ["a", "b"], "order": ["i", "n", "b", "d", "c", "k"],
    "numbers": [{"name": "i", "type": "integer", "nullable": False, "min": 0, "max": 100},
                {"name": "n", "type": "number", "nullable": True, "min": -1.5, "max": 1e6},
                {"name": "b", "type": "boolean", "nullable": True, "min": None, "max": None},
                {"name": "d", "type": "date", "nullable": True, "min": "2019-01-01", "max": "2021-01-01"}],
    "strings": [{"name": "c", "type": "category", "nullable": False, "categories": ["a11", "a14"]},
                {"name": "k", "type": "category", "nullable": True, "categories": ["x", "y:z"]}],
}  # fmt: skip
_CONTRACT = contract_of(_DOCUMENT)
_PROTOCOL = NamedProtocol(_CONTRACT, most_rows=40)
_GOOD = example_row(_CONTRACT)

_INTEGER = Feature(name="i", kind="integer", nullable=False, low=-5, high=100)
_NUMBER = Feature(name="n", kind="number", nullable=True, low=-1.5, high=1e6)
_DATE = Feature(name="d", kind="date", nullable=True, low=0, high=20_000)
_WORD = Feature(name="c", kind="category", nullable=True, categories=frozenset({"a", "b"}))


def _verdict(check: Any, feature: Feature, values: list[Any]) -> tuple[str, int | None]:
    try:
        check(feature, values)
    except ColumnRefused as refusal:
        return refusal.reason, refusal.at
    return "", None


def _one_by_one(feature: Feature, values: list[Any]) -> tuple[str, int | None]:
    return next(((code, at) for at, value in enumerate(values) if (code := fault_in(feature, value))), ("", None))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.none(),
            st.integers(-10, 110),
            st.integers(),
            st.sampled_from([10**400, -(10**400)]),  # no float holds these
            st.floats(allow_nan=False),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_numbers_are_judged_as_a_column_as_they_are_one_by_one(values: list[Any]) -> None:
    assert _verdict(number_column, _NUMBER, values) == _one_by_one(_NUMBER, values)
    floats = [value for value in values if isinstance(value, float)] or [1.5]
    assert _verdict(number_column, _INTEGER, floats) == _one_by_one(
        _INTEGER, [int(value) if value.is_integer() else value for value in floats]
    )  # a float that is whole may carry an integer
    whole = [value for value in values if not isinstance(value, float)] or [1]
    assert _verdict(number_column, _INTEGER, whole) == _one_by_one(_INTEGER, whole)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.none(),
            st.dates().map(str),
            st.text(max_size=12),
            st.sampled_from(["2020-02-29", "20200229", "2020-W09-6"]),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_dates_are_judged_as_a_column_as_they_are_one_by_one(values: list[Any]) -> None:
    reason, _ = _verdict(date_column, _DATE, values)
    plain = [None if value == "" else value for value in values]  # "" is how text says null
    assert bool(reason) == bool(_one_by_one(_DATE, plain)[0])


@given(st.lists(st.sampled_from([None, "a", "b", "", "A", "a\0", "Zanzibar"]), min_size=1, max_size=6))
def test_categories_are_judged_as_a_column_as_they_are_one_by_one(values: list[Any]) -> None:
    plain = [None if value == "" else value for value in values]
    assert _verdict(text_column, _WORD, values) == _one_by_one(_WORD, plain)


_ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "i": st.integers(0, 100),
            "n": st.one_of(st.none(), st.floats(-1.5, 1e6)),
            "b": st.one_of(st.none(), st.booleans()),
            "d": st.one_of(st.none(), st.dates(date(2019, 1, 1), date(2021, 1, 1)).map(str)),
            "c": st.sampled_from(["a11", "a14"]),
            "k": st.sampled_from([None, "x", "y:z"]),
        }
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(_ROWS)
def test_rows_and_columns_become_the_same_inputs(rows: list[dict[str, Any]]) -> None:
    listed = _PROTOCOL.read(json.dumps({"rows": rows}).encode())
    by_column = _PROTOCOL.read(
        json.dumps({"columns": {name: [row[name] for row in rows] for name in rows[0]}}).encode()
    )
    assert (listed.count, by_column.count, by_column.form) == (len(rows), len(rows), "columns")
    assert by_column.batch is not None
    one_by_one = Batch.joined([_CONTRACT.pack([row]) for row in listed.rows or ()])
    for made in (by_column.batch, _CONTRACT.pack(listed.rows or ())):
        assert _same(made, one_by_one)


@settings(max_examples=40, deadline=None)
@given(_ROWS)
def test_tensors_of_few_and_of_many_rows_become_the_same_inputs(rows: list[dict[str, Any]]) -> None:
    columns = OipColumns(_CONTRACT, most_rows=1000)
    again = -(-FEW_ROWS // len(rows))
    kinds = {"i": "INT64", "n": "FP64", "b": "BOOL", "d": "BYTES", "c": "BYTES", "k": "BYTES"}

    def read(times: int) -> Batch:
        def tensor(name: str) -> Tensor:
            values = [row[name] for row in rows] * times
            return Tensor(name, [len(values)], kinds[name], lambda _rows, _width: values)

        _, few, batch = columns.read([tensor(name) for name in kinds])
        return batch or _CONTRACT.pack(few or ())

    assert _same(read(again), Batch.joined([read(1)] * again))


def _same(one: Batch, other: Batch) -> bool:
    assert one.numbers is not None
    assert other.numbers is not None
    assert one.strings is not None
    assert other.strings is not None
    return np.array_equal(one.numbers, other.numbers, equal_nan=True) and one.strings.tolist() == other.strings.tolist()


def _columns(**changes: Any) -> bytes:
    return json.dumps({"columns": {name: [value, value] for name, value in _GOOD.items()} | changes}).encode()


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"i": [1, 101]}, "/columns/i/1", "out_of_range"),
        ({"i": [1.5, 1]}, "/columns/i/0", "wrong_type"),
        ({"i": [True, 1]}, "/columns/i/0", "wrong_type"),
        ({"i": [1]}, "/columns", "wrong_length"),
        ({"i": []}, "/columns/i", "wrong_length"),
        ({"i": 1}, "/columns/i", "wrong_length"),
        ({"i": [1] * 41}, "/columns/i", "wrong_length"),
        ({"i": [None, 1]}, "/columns/i/0", "not_nullable"),
        ({"d": ["2018-12-31", None]}, "/columns/d/0", "out_of_range"),
        ({"d": ["20200101", None]}, "/columns/d/0", "wrong_type"),
        ({"c": ["a11", "Zanzibar"]}, "/columns/c/1", "unknown_category"),
        ({"Zanzibar": [1, 1]}, "/columns", "unknown_field"),
    ],
)
def test_a_column_outside_the_contract_is_refused_by_its_first_wrong_value(
    changes: dict[str, Any], pointer: str, code: str
) -> None:
    with pytest.raises(RowsRefused) as refusal:
        _PROTOCOL.read(_columns(**changes))
    (problem,) = refusal.value.problems
    assert (problem.pointer, problem.code) == (pointer, code)
    assert "Zanzibar" not in str(refusal.value.problems)


def test_a_missing_column_is_named_and_a_repeated_one_refused() -> None:
    body = json.loads(_columns())
    del body["columns"]["i"]
    with pytest.raises(RowsRefused) as refusal:
        _PROTOCOL.read(json.dumps(body).encode())
    assert [problem.code for problem in refusal.value.problems] == ["missing"]
    with pytest.raises(DuplicateKey):
        _PROTOCOL.read(_columns().replace(b'"i":', b'"i": [5, 5], "i":', 1))
    _PROTOCOL.read(_columns(k=["y:z", "x"]))  # a colon in a value is no repeated key


@pytest.mark.parametrize("form", ["row", "rows", "columns"])
def test_an_escaped_colon_in_a_name_or_value_does_not_pay_for_a_repeated_key(form: str) -> None:
    """The quick count of colons must not be talked round."""
    document = {
        "format": 1, "project": "p", "task": "regression", "order": ["a:b", "c"],
        "numbers": [{"name": "a:b", "type": "integer", "nullable": False, "min": 0, "max": 9}],
        "strings": [{"name": "c", "type": "category", "nullable": False, "categories": ["x:y", "z"]}],
    }  # fmt: skip
    protocol = NamedProtocol(contract_of(document), most_rows=5)
    one = '["1"]'.replace('"1"', "1") if form == "columns" else "1"
    word = '["x:y"]' if form == "columns" else '"x:y"'
    inner = f'{{"a:b": {one}, "c": {word}}}'
    good = f'{{"{form}": {f"[{inner}]" if form == "rows" else inner}}}'
    assert protocol.read(good.encode()).count == 1
    assert protocol.read(good.replace("x:y", "x\\u003ay").replace("a:b", "a\\u003ab").encode()).count == 1
    for twice in (f'"c": {word}, "c": {word}', f'"c": {word}, "a\\u003ab": {one}'):
        changed = good.replace(f'"c": {word}', twice)
        for dressed in (changed, changed.replace("x:y", "x\\u003ay"), changed.replace('"a:b"', '"a\\u003ab"', 1)):
            with pytest.raises(DuplicateKey):
                protocol.read(dressed.encode())


@settings(max_examples=150, deadline=None)
@given(st.integers(min_value=0), st.binary(min_size=1, max_size=3))
def test_columns_with_bytes_put_in_are_read_as_json_or_refused(place: int, extra: bytes) -> None:
    body = _columns()
    at = place % len(body)
    changed = body[:at] + extra + body[at:]
    try:
        _PROTOCOL.read(changed)
    except HttpRefusal:
        return
    json.loads(changed.decode())


def test_a_columns_request_is_answered_by_column(
    client: Any, house: Any, row: dict[str, Any], contract: Contract
) -> None:
    path = f"/v1/models/{house.project}/predict"
    body = json.dumps({"columns": {name: [value] * 3 for name, value in row.items()}}).encode()
    answer = client.ask("POST", path, body).json["answer"]
    one = client.predict(row).json["answer"]
    assert answer["columns"]["label"] == [one["label"]] * 3
    assert answer["columns"]["probabilities"] == {name: [share] * 3 for name, share in one["probabilities"].items()}
