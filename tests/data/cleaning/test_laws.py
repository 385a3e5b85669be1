"""Laws of cleaning: undo gives the raw rows back, the log holds exactly the cells that differ, parts do as the whole."""

import datetime as dt
from collections import Counter
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from sealwright.data import DataSpec
from sealwright.data.changes import CHANGES_SCHEMA
from sealwright.data.check import snapshot_schema
from sealwright.data.clean_spec import CleanStep
from sealwright.data.cleaning import FittedRecipe, fit, recipe_from_json, tally, undo
from sealwright.data.quality import row_digests

SPEC = DataSpec.model_validate(
    {
        "source": "x.csv",
        "target": "y",
        "positive": "true",
        "columns": {
            "who": {"type": "text", "role": "identifier", "nullable": True, "class": "personal"},
            "n": {"type": "number", "nullable": True},
            "i": {"type": "integer", "nullable": True, "min": -10, "max": 1000},
            "k": {"type": "category", "nullable": True, "categories": ["a", "A", "a ", "b", "c", "?"]},
            "d": {"type": "date", "nullable": True},
            "b": {"type": "boolean", "nullable": True},
            "y": {"type": "boolean"},
        },
    }
)
SCHEMA = snapshot_schema(SPEC)
ROW = st.fixed_dictionaries(
    {
        "who": st.none() | st.sampled_from(["Ann", "Bo\n", "", "李"]),
        "n": st.none()
        | st.sampled_from([0.0, -0.0, 0.1 + 0.2, -1.0, 999.0, 1e300, 5e-324, float("nan"), float("inf")]),
        "i": st.none() | st.sampled_from([-1, 0, 1, 2, 999]),
        "k": st.none() | st.sampled_from(["a", "A", "a ", "b", "c", "?"]),
        "d": st.none() | st.sampled_from([dt.date(1900, 1, 1), dt.date(2020, 2, 29), dt.date(9999, 12, 31)]),
        "b": st.none() | st.booleans(),
        "y": st.booleans(),
    }
)
STEP = st.sampled_from(
    [
        {"do": "one_spelling", "columns": ["k"]},
        {"do": "map_values", "column": "k", "values": {"?": "b", "b": "c"}},
        {"do": "map_values", "column": "i", "values": {"1": "2", "2": "1"}},
        {"do": "map_values", "column": "y", "values": {"true": "false"}},
        {"do": "null_values", "columns": ["n", "i", "k"], "values": [-1, 999, "?"]},
        {"do": "null_values", "columns": ["d"], "values": ["1900-01-01"]},
        {"do": "limit", "column": "n", "at_least": 0, "at_most": 100, "otherwise": "clip"},
        {"do": "limit", "column": "i", "at_most": 1, "otherwise": "missing"},
        {"do": "limit", "column": "d", "at_least": "2000-01-01", "otherwise": "clip"},
        {"do": "limit", "column": "i", "at_least": 0, "otherwise": "drop"},
        {"do": "fill_missing", "columns": ["i", "d"], "by": "median"},
        {"do": "fill_missing", "columns": ["k", "b", "who"], "by": "mode"},
        {"do": "fill_missing", "columns": ["n"], "by": "value", "value": 7.5},
        {"do": "drop_missing", "columns": ["k", "i"]},
        {"do": "drop_duplicates"},
        {"do": "drop_near_duplicates"},
    ]
)
STEPS: TypeAdapter[Any] = TypeAdapter(tuple[CleanStep, ...])


def table_of(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.table(
        {field.name: pa.array([row[field.name] for row in rows], field.type) for field in SCHEMA}, schema=SCHEMA
    )


def bits(table: pa.Table) -> list[str]:
    """Rows told apart to the last bit: -0.0 is not 0.0, NaN is NaN."""
    return [repr(row) for row in table.to_pylist()]


def recipe_for(table: pa.Table, steps: list[dict[str, Any]]) -> FittedRecipe:
    return fit(table, SPEC, STEPS.validate_python(tuple(steps)))


@settings(deadline=None, max_examples=150)
@given(st.lists(ROW, min_size=1, max_size=25), st.lists(STEP, max_size=5))
def test_undo_gives_back_the_raw_rows(rows: list[dict[str, Any]], steps: list[dict[str, Any]]) -> None:
    raw = table_of(rows)
    cleaned, changes = recipe_for(raw, steps).apply(raw)
    assert cleaned.schema == raw.schema
    assert changes.schema == CHANGES_SCHEMA
    assert bits(undo(cleaned, changes)) == bits(raw)


@settings(deadline=None, max_examples=100)
@given(st.lists(ROW, min_size=1, max_size=25), STEP)
def test_the_log_holds_exactly_the_cells_that_differ(rows: list[dict[str, Any]], step: dict[str, Any]) -> None:
    raw = table_of(rows)
    cleaned, changes = recipe_for(raw, [step]).apply(raw)
    log = changes.to_pylist()
    gone = {change["row"] for change in log if not change["column"]}
    left = [(number, row) for number, row in enumerate(raw.to_pylist(), start=1) if number not in gone]
    assert len(left) == cleaned.num_rows
    differing = {
        (number, name)
        for (number, before), after in zip(left, cleaned.to_pylist(), strict=True)
        for name in before
        if repr(before[name]) != repr(after[name])
    }
    assert {(change["row"], change["column"]) for change in log if change["column"]} == differing
    assert sum(tally(changes).values()) == len(log)


@settings(deadline=None, max_examples=100)
@given(st.lists(ROW, min_size=1, max_size=25), st.lists(STEP, max_size=4), st.integers(1, 9))
def test_parts_do_what_the_whole_does(rows: list[dict[str, Any]], steps: list[dict[str, Any]], size: int) -> None:
    raw = table_of(rows)
    recipe = recipe_for(raw, steps)
    assert recipe_from_json(recipe.to_json()).digest == recipe.digest
    whole, changes = recipe.apply(raw)
    again = recipe_from_json(recipe.to_json())
    parts = [(start + 1, *again.apply(raw.slice(start, size), start + 1)) for start in range(0, raw.num_rows, size)]
    assert bits(pa.concat_tables([part for _, part, _ in parts])) == bits(whole)
    cut = [tuple(change.values()) for _, _, log in parts for change in log.to_pylist()]
    assert Counter(cut) == Counter(tuple(change.values()) for change in changes.to_pylist())
    back = [undo(part, log, first) for first, part, log in parts]
    assert bits(pa.concat_tables(back)) == bits(raw)


@settings(deadline=None, max_examples=30)
@given(st.lists(ROW, min_size=1, max_size=15), st.data())
def test_rows_named_by_key_go_and_come_back(rows: list[dict[str, Any]], data: Any) -> None:
    raw = table_of(rows)
    keys = row_digests(raw)
    wanted = data.draw(st.lists(st.sampled_from(keys), min_size=1, unique=True))
    recipe = recipe_for(raw, [{"do": "drop_rows", "keys": wanted, "why": "looked at"}])
    cleaned, changes = recipe.apply(raw, subjects=[b"s%d" % place for place in range(raw.num_rows)])
    assert cleaned.num_rows == sum(key not in wanted for key in keys)
    assert changes.column("subject").to_pylist() == [b"s%d" % p for p, key in enumerate(keys) if key in wanted]
    assert bits(undo(cleaned, changes)) == bits(raw)
