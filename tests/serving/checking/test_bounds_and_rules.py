"""Values outside the contract and rules between fields, on whole batches: mended and marked, or named; never repeated."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.data import DataSpec
from sealwright.data.rules_held import broken_rules
from sealwright.kernel import VerificationFailed
from sealwright.serving import Contract, contract_of
from sealwright.serving.checking.bounds import Bounds, Mark, widened
from sealwright.serving.checking.rules import rules_of
from sealwright.serving.contract import Batch
from sealwright.serving.field_rules import fault_in
from sealwright.serving.protocol_named import NamedProtocol

_SMALL: dict[str, Any] = {
    "format": 1, "project": "p", "task": "binary", "classes": ["no", "yes"], "order": ["a", "b", "day", "c", "d"],
    "numbers": [
        {"name": "a", "type": "integer", "nullable": False, "min": 0, "max": 10},
        {"name": "b", "type": "number", "nullable": True, "min": -1.5, "max": 1.5},
        {"name": "day", "type": "date", "nullable": True, "min": "2020-01-01", "max": "2020-12-31"},
    ],
    "strings": [
        {"name": "c", "type": "category", "nullable": True, "categories": ["x", "y"]},
        {"name": "d", "type": "category", "nullable": False, "categories": ["x", "y"]},
    ],
}  # fmt: skip
SMALL = contract_of(_SMALL)
ROWS = st.lists(
    st.tuples(
        st.integers(-50, 50),
        st.none() | st.floats(-5, 5, width=32),
        st.none() | st.dates(),
        st.none() | st.sampled_from(["x", "y", "z", ""]),
        st.sampled_from(["x", "y", "z"]),
    ),
    min_size=1,
    max_size=5,
)


@given(rows=ROWS)
def test_what_is_mended_keeps_the_contract_and_what_kept_it_is_not_touched(rows: list[tuple[Any, ...]]) -> None:
    batch = SMALL.pack(rows)
    mended, marks, hopeless = Bounds(SMALL, clips=True).mended(batch)
    assert mended.numbers is not None
    assert mended.strings is not None
    for at, row in enumerate(rows):
        faulty = {
            feature.name
            for feature, value in zip(SMALL.features, row, strict=True)
            if fault_in(feature, None if value == "" and feature.nullable else value)
        }
        said = {mark.feature for mark in marks.get(at, [])} | {f.name for place, f in hopeless if place == at}
        assert said == faulty
    low, high = [0, -1.5, 18262], [10, 1.5, 18627]
    inside = np.isnan(mended.numbers) | ((mended.numbers >= low) & (mended.numbers <= high))
    assert inside.all()
    assert set(mended.strings[:, 0]) <= {"x", "y", ""}
    assert set(mended.strings[:, 1]) <= {"x", "y"}
    again, none, _ = Bounds(SMALL, clips=True).mended(mended)
    assert again is mended
    assert not none


def test_marks_say_which_bound_was_used_and_never_what_was_sent() -> None:
    row = (-7, 3.25, None, "secret", "y")
    _, marks, hopeless = Bounds(SMALL, clips=True).mended(SMALL.pack([row]))
    assert marks[0] == [Mark("a", "below", 0), Mark("b", "above", 1.5), Mark("c", "unknown")]
    assert not hopeless
    _, marks, _ = Bounds(SMALL, clips=False).mended(SMALL.pack([row]))
    assert [mark.used for mark in marks[0]] == [None, None, None]
    _, _, hopeless = Bounds(SMALL, clips=True).mended(SMALL.pack([(1, 1.0, None, "x", "q")]))
    assert [(at, feature.name) for at, feature in hopeless] == [(0, "d")]


@pytest.mark.parametrize(
    ("change", "code"),
    [({"a": "7"}, "wrong_type"), ({"a": None}, "not_nullable"), ({"d": 1}, "wrong_type"), ({"day": "tomorrow"}, "wrong_type"),
     ({"b": 1e39}, "out_of_range"), ({"e": 1}, "unknown_field")],
)  # fmt: skip
def test_types_nulls_and_unknown_fields_are_refused_in_every_mode(change: dict[str, Any], code: str) -> None:
    import msgspec

    from sealwright.serving.problems import RowsRefused

    protocol = NamedProtocol(widened(SMALL), most_rows=10)
    row = {"a": 1, "b": 0.5, "day": "2020-02-02", "c": "x", "d": "y"}
    assert protocol.read(msgspec.json.encode({"row": row | {"a": 99, "c": "new", "day": "1999-01-01"}})).rows
    with pytest.raises(RowsRefused) as refused:
        protocol.read(msgspec.json.encode({"row": row | change}))
    assert [problem.code for problem in refused.value.problems] == [code]


RULES = [
    {"name": "a_below_b", "then": [{"column": "a", "is": "<", "other": "b"}]},
    {
        "name": "x_means_late",
        "when": [{"column": "c", "is": "==", "value": "x"}, {"column": "a", "is": ">=", "value": 0}],
        "then": [{"column": "day", "is": ">", "value": "2020-06-01"}],
    },
    {"name": "c_is_not_d", "then": [{"column": "c", "is": "!=", "other": "d"}], "text": "c and d differ."},
]
_SPEC = DataSpec.model_validate(
    {
        "source": "x.csv", "target": "t", "positive": "yes", "rules": RULES,
        "columns": {
            "a": {"type": "integer"}, "b": {"type": "number", "nullable": True}, "day": {"type": "date", "nullable": True},
            "c": {"type": "category", "nullable": True, "categories": ["x", "y"]},
            "d": {"type": "category", "categories": ["x", "y"]},
            "t": {"type": "category", "categories": ["no", "yes"]},
        },
    }
)  # fmt: skip


@given(rows=ROWS)
def test_serving_and_ingest_hold_the_same_rules(rows: list[tuple[Any, ...]]) -> None:
    compiled = rules_of(_SMALL | {"rules": [rule.plain() for rule in _SPEC.rules]}, SMALL)
    served = {rule.name: rule.broken(SMALL.pack(rows)).tolist() for rule in compiled}
    columns = [[value if value != "" else None for value in column] for column in zip(*rows, strict=True)]
    kinds = [pa.int64(), pa.float64(), pa.date32(), pa.string(), pa.string()]
    table = pa.RecordBatch.from_arrays(
        [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)], names=["a", "b", "day", "c", "d"]
    )
    kept = {rule.name: mask.tolist() for rule, mask in broken_rules(table, _SPEC.rules)}
    assert served == {name: kept.get(name, [False] * len(rows)) for name in served}


def test_a_rule_says_itself_in_words() -> None:
    first, second, third = rules_of(_SMALL | {"rules": [rule.plain() for rule in _SPEC.rules]}, SMALL)
    assert (first.text, second.text, third.text) == ("a < b", "day > 2020-06-01", "c and d differ")


@pytest.mark.parametrize(
    "rule",
    [
        {"name": "r", "then": [{"column": "zz", "sign": "<", "value": 1}]},
        {"name": "r", "then": [{"column": "c", "sign": "<", "value": "x"}]},
        {"name": "r", "then": [{"column": "a", "sign": "<", "other": "c"}]},
        {"name": "r", "then": [{"column": "a", "sign": "<"}]},
        {"name": "r", "then": [{"column": "a", "sign": "~", "value": 1}]},
        {"name": "r", "then": [{"column": "day", "sign": "<", "value": "soon"}]},
        {"name": "r", "then": [], "more": 1},
    ],
)
def test_rules_that_cannot_be_held_do_not_load(rule: dict[str, Any]) -> None:
    with pytest.raises(VerificationFailed, match="rules between fields"):
        rules_of(_SMALL | {"rules": [rule]}, SMALL)


def test_rules_and_bounds_take_batches_without_numbers_or_texts(rows_of: Callable[[int, int], Batch]) -> None:
    only: dict[str, Any] = {**_SMALL, "order": ["c"], "numbers": [], "strings": [_SMALL["strings"][0]]}
    contract: Contract = contract_of(only)
    batch, marks, _ = Bounds(contract, clips=True).mended(contract.pack([("z",)]))
    assert batch.numbers is None
    assert marks[0] == [Mark("c", "unknown")]
