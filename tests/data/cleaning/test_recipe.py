"""What each step does, what a recipe refuses, and what it writes down."""

import datetime as dt
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pydantic import TypeAdapter

from sealwright.data import DataSpec
from sealwright.data.clean_spec import CleanStep
from sealwright.data.cleaning import ChangesDoNotFit, RecipeDoesNotFit, fit, tally, undo
from sealwright.kernel import InvalidInput

COLUMNS: dict[str, Any] = {
    "id": {"type": "text", "role": "identifier"},
    "age": {"type": "integer", "nullable": True, "min": 0, "max": 120},
    "city": {"type": "category", "categories": ["Berlin", "berlin", "BERLIN ", "Mainz"]},
    "since": {"type": "date", "nullable": True},
    "y": {"type": "boolean"},
}


def spec_of(**more: Any) -> DataSpec:
    return DataSpec.model_validate({"source": "x.csv", "target": "y", "positive": "true", "columns": COLUMNS, **more})


def steps_of(*steps: dict[str, Any]) -> Any:
    return TypeAdapter(tuple[CleanStep, ...]).validate_python(steps)


TABLE = pa.table(
    {
        "id": ["a", "b", "c", "d", "e"],
        "age": [30, None, 99, 41, 30],
        "city": ["Berlin", "berlin", "Berlin", "Mainz", "BERLIN "],
        "since": [dt.date(2020, 1, 1), dt.date(1900, 1, 1), None, dt.date(2021, 5, 5), dt.date(2020, 1, 1)],
        "y": [True, False, True, False, True],
    },
    schema=pa.schema(
        [("id", pa.string()), ("age", pa.int64()), ("city", pa.string()), ("since", pa.date32()), ("y", pa.bool_())]
    ),
)


def test_a_recipe_does_its_steps_in_order_and_counts_every_change() -> None:
    recipe = fit(
        TABLE,
        spec_of(),
        steps_of(
            {"do": "one_spelling", "columns": ["city"]},
            {"do": "null_values", "columns": ["age", "since"], "values": [99, "1900-01-01"]},
            {"do": "fill_missing", "columns": ["age"], "by": "median"},
            {"do": "drop_duplicates"},
        ),
    )
    cleaned, changes = recipe.apply(TABLE)
    assert cleaned.column("city").to_pylist() == ["Berlin", "Berlin", "Berlin", "Mainz"]
    assert cleaned.column("age").to_pylist() == [30, 30, 30, 41]
    assert cleaned.column("since").to_pylist() == [dt.date(2020, 1, 1), None, None, dt.date(2021, 5, 5)]
    assert tally(changes) == {
        "1 one_spelling, city": 2,
        "2 null_values, age": 1,
        "2 null_values, since": 1,
        "3 fill_missing, age": 2,
        "4 drop_duplicates, rows": 1,
    }
    dropped = changes.to_pylist()[-1]
    assert dropped["row"] == 5
    assert json.loads(dropped["old"])["city"] == "Berlin"


def test_values_to_fill_with_come_from_the_rows_named() -> None:
    steps = steps_of({"do": "fill_missing", "columns": ["age"], "by": "median"})
    rows = np.array([False, True, True, False, False])
    recipe = fit(TABLE, spec_of(), steps, learn_from=rows, described="the training rows")
    assert recipe.apply(TABLE)[0].column("age").to_pylist() == [30, 99, 99, 41, 30]
    assert (recipe.learned_rows, recipe.learned_from) == (2, "the training rows")
    assert recipe.digest != fit(TABLE, spec_of(), steps).digest


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ({"do": "one_spelling", "columns": ["age"]}, "'age' is no category"),
        ({"do": "one_spelling", "columns": ["town"]}, "not a column that is kept"),
        ({"do": "map_values", "column": "city", "values": {"Mainz": "Mentz"}}, "not among the categories"),
        ({"do": "null_values", "columns": ["city"], "values": ["Mainz"]}, "may not be empty"),
        ({"do": "limit", "column": "age", "at_most": 150, "otherwise": "clip"}, "outside min and max"),
        ({"do": "limit", "column": "age", "otherwise": "drop"}, "say at_least"),
        ({"do": "limit", "column": "city", "at_most": 1, "otherwise": "drop"}, "only numbers and dates"),
        ({"do": "fill_missing", "columns": ["y"], "by": "mode"}, "an outcome is never made up"),
        ({"do": "fill_missing", "columns": ["age"], "by": "mean"}, "only type: number"),
        ({"do": "fill_missing", "columns": ["age"], "by": "value"}, "value belongs to by: value"),
        ({"do": "fill_missing", "columns": ["age"], "by": "value", "value": -5}, "outside min and max"),
    ],
)
def test_a_step_that_cannot_keep_the_contract_is_refused(step: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        fit(TABLE, spec_of(), steps_of(step))


def test_the_column_that_names_the_person_is_never_changed() -> None:
    spec = spec_of(
        subject="id", columns={**COLUMNS, "id": {"type": "category", "role": "identifier", "categories": ["a"]}}
    )
    with pytest.raises(InvalidInput, match="never changed"):
        fit(TABLE, spec, steps_of({"do": "one_spelling", "columns": ["id"]}))


def test_a_recipe_is_for_the_rows_it_was_fitted_to() -> None:
    recipe = fit(TABLE, spec_of(), steps_of({"do": "drop_duplicates"}))
    with pytest.raises(RecipeDoesNotFit, match="fitted to 5 rows"):
        recipe.apply(TABLE, 2)
    with pytest.raises(RecipeDoesNotFit, match="other columns"):
        recipe.apply(TABLE.drop_columns(["id"]))


def test_a_log_of_other_rows_is_refused() -> None:
    recipe = fit(TABLE, spec_of(), steps_of({"do": "one_spelling", "columns": ["city"]}))
    cleaned, changes = recipe.apply(TABLE)
    other = cleaned.set_column(2, cleaned.schema.field(2), pa.array(["Mainz"] * 5))
    with pytest.raises(ChangesDoNotFit, match="not what the log says"):
        undo(other, changes)
    with pytest.raises(ChangesDoNotFit, match="not among these"):
        undo(cleaned, changes, first_row=100)
