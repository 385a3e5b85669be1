"""Laws of a check: neither batches nor the order of rows change what is counted, and it blames nobody without a reason."""

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealwright.data.cast import cast_column
from sealwright.data.contracts import Contract, ContractReport, check_contract, tables

COLUMNS = {
    "i": {"type": "integer", "nullable": True, "min": -2, "below": 4, "none_of": [3], "unique": True},
    "f": {"type": "number", "nullable": True, "above": -1, "max": 2.5},
    "k": {"type": "category", "categories": ["a", "ä"], "nullable": True},
    "d": {"type": "date", "min": "2020-01-02"},
    "e": {"type": "date", "nullable": True},
    "t": {"type": "text", "nullable": True, "pattern": "^[a-zä]*$", "min_length": 1, "max_length": 2, "unique": True},
}
CONTRACT = Contract.model_validate(
    {
        "columns": COLUMNS,
        "unique": [["k", "t"], ["i", "f"]],
        "rules": [
            {"column": "i", "at_most": "f"},
            {"column": "e", "at_least": "d"},
            {"column": "t", "different_from": "k"},
        ],
    }
)
DAYS = st.sampled_from([dt.date(2020, 1, day) for day in (1, 2, 3)])
ROW = st.tuples(
    st.none() | st.integers(-4, 5),
    st.none() | st.sampled_from([-1.0, -0.5, 0.0, -0.0, 2.5, 3.0, float("nan"), float("inf")]),
    st.none() | st.sampled_from(["a", "ä", "b", ""]),
    DAYS,
    st.none() | DAYS,
    st.none() | st.sampled_from(["", "a", "ä", "ab", "abc", "A", "äöü"]),
)
TYPES = [pa.int64(), pa.float64(), pa.string(), pa.date32(), pa.date32(), pa.string()]


def frame(rows: list[Any], *, encoded: bool = False) -> Any:
    columns = [pa.array([row[place] for row in rows], kind) for place, kind in enumerate(TYPES)]
    return pa.table([one.dictionary_encode() if encoded else one for one in columns], names=list(COLUMNS))


def counts(report: ContractReport) -> Any:
    return sorted((f.column, f.rule, f.expected, f.count) for f in report.breaches), report.rows


@settings(deadline=None, max_examples=60)
@given(st.lists(ROW, max_size=30), st.integers(1, 7), st.booleans())
def test_batches_and_encodings_do_not_change_the_report(rows: list[Any], size: int, encoded: bool) -> None:
    whole = check_contract(frame(rows), CONTRACT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "BATCH_ROWS", size)
        assert check_contract(frame(rows, encoded=encoded), CONTRACT) == whole


@settings(deadline=None, max_examples=60)
@given(st.lists(ROW, max_size=30), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_change_a_count(rows: list[Any], random: Any) -> None:
    mixed = list(rows)
    random.shuffle(mixed)
    assert counts(check_contract(frame(mixed), CONTRACT)) == counts(check_contract(frame(rows), CONTRACT))


@settings(deadline=None, max_examples=40)
@given(st.lists(ROW, max_size=20))
def test_a_table_twice_repeats_every_key_and_breaks_nothing_new(rows: list[Any]) -> None:
    once, twice = check_contract(frame(rows), CONTRACT), check_contract(frame(rows + rows), CONTRACT)
    of = {(f.column, f.rule, f.expected): f.count for f in once.breaches}
    for found in twice.breaches:
        before = of.get((found.column, found.rule, found.expected), 0)
        assert found.rule == "repeated" or found.count == 2 * before
    assert twice.bad_rows >= 2 * once.bad_rows


@settings(deadline=None, max_examples=60)
@given(st.lists(ROW, max_size=30))
def test_the_rows_that_break_a_rule_are_those_a_plain_loop_finds(rows: list[Any]) -> None:
    report = check_contract(frame(rows), CONTRACT)
    found = {(f.column, f.rule): f.count for f in report.breaches}
    integers = [row[0] for row in rows if row[0] is not None]
    texts = [row[5] for row in rows if row[5]]
    assert found.get(("i", "below_min"), 0) == sum(value < -2 for value in integers)
    assert found.get(("i", "not_below"), 0) == sum(value >= 4 for value in integers)
    assert found.get(("i", "one_of_refused"), 0) == sum(value == 3 for value in integers)
    assert found.get(("i", "repeated"), 0) == len(integers) - len(set(integers))
    assert found.get(("t", "repeated"), 0) == len(texts) - len(set(texts))
    assert found.get(("t", "too_long"), 0) == sum(len(value) > 2 for value in texts)
    assert found.get(("t", "pattern_not_found"), 0) == sum(value == "A" or "ö" in value for value in texts)
    assert found.get(("d", "below_min"), 0) == sum(row[3] < dt.date(2020, 1, 2) for row in rows)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.none() | st.sampled_from(["1", "x", "", "NA", "-5", "7.0"]), max_size=12), st.booleans())
def test_a_dictionary_is_cast_like_its_texts(cells: list[str | None], nullable: bool) -> None:
    said = {"type": "integer", "nullable": nullable, "min": 0, "nulls": ["NA"] if nullable else []}
    column = Contract.model_validate({"columns": {"c": said}}).columns["c"]
    plain = pa.array(cells, pa.string())
    unused = pa.concat_arrays([plain, pa.array(["never", "-9"])]).dictionary_encode().slice(0, len(plain))
    for encoded in (plain.dictionary_encode(), unused):
        one, other = cast_column(plain, column), cast_column(encoded, column)
        assert {k: v.tolist() for k, v in one.problems.items()} == {k: v.tolist() for k, v in other.problems.items()}
        good = ~np.logical_or.reduce([np.zeros(len(cells), np.bool_), *one.problems.values()])
        kept = [place for place in range(len(cells)) if good[place]]
        assert [one.values[place].as_py() for place in kept] == [other.values[place].as_py() for place in kept]
