"""The examination as a whole: any table goes through, the same twice, and no cell of a person comes out."""

import datetime as dt
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planting import arrays_of, clean, contract_of

from sealwright.data import DataSpec
from sealwright.data.check import snapshot_schema
from sealwright.data.quality import CHECKS, QualitySpec, examine, profile_of
from sealwright.data.quality.frame import frame_of
from sealwright.kernel import InvalidInput

SPEC = DataSpec.model_validate(
    {
        "source": "x.csv",
        "target": "y",
        "positive": "true",
        "columns": {
            "n": {"type": "number", "nullable": True},
            "i": {"type": "integer", "nullable": True},
            "k": {"type": "category", "nullable": True, "categories": ["a", "A", "n/a"]},
            "d": {"type": "date", "nullable": True},
            "t": {"type": "text", "nullable": True, "role": "identifier"},
            "y": {"type": "boolean"},
        },
    }
)
SCHEMA = snapshot_schema(SPEC)
ROW = st.tuples(
    st.none() | st.floats(allow_nan=True, allow_infinity=True),
    st.none() | st.integers(-(2**53), 2**53),
    st.none() | st.sampled_from(["a", "A", "n/a"]),
    st.none() | st.dates(),
    st.none() | st.text(max_size=5),
    st.booleans(),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(ROW, min_size=1, max_size=40), st.integers(1, 300))
def test_any_table_can_be_examined_and_reported(rows: list[Any], times: int) -> None:
    columns = [pa.array([row[place] for row in rows], field.type) for place, field in enumerate(SCHEMA)]
    table = pa.concat_tables([pa.table(columns, schema=SCHEMA)] * max(1, times // len(rows)))
    report = examine(table, SPEC, settings=QualitySpec(skip=("label_errors", "odd_rows")))
    said = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert said["rows"] == table.num_rows


def test_the_same_table_gives_the_same_report_in_any_parts() -> None:
    made = clean(1500, 4)
    whole = examine(made.table, made.spec, seed=5)
    parts = (made.table.slice(start, 400) for start in range(0, 1500, 400))
    assert examine(parts, made.spec, seed=5) == whole


def test_no_cell_of_a_person_is_in_the_report() -> None:
    """Every value of the hidden columns is a mark that cannot come from anywhere else."""
    rows = 600
    found = arrays_of(rows, 9)
    r = np.random.default_rng(9)
    names = np.array([f"CANARY{place}" for place in range(40)], dtype=object)[r.integers(0, 40, rows)]
    names[:5] = "canary1"
    found["name"] = names
    found["salary"] = 70_000_000 + np.arange(rows) * 1_013.0
    found["salary"][3] = 987_654_321_987.0
    found["salary"][10:16] = -999
    found["born"] = np.datetime64("1951-03-07") + r.integers(0, 900, rows)
    found["born"][:7] = np.datetime64("1900-01-01")
    contract = {
        "name": {"type": "category", "class": "special", "role": "sensitive", "categories": sorted(set(names))},
        "salary": {"type": "number", "class": "personal"},
        "born": {"type": "date", "class": "personal"},
        "note": {"type": "text", "role": "identifier"},
    }
    found["note"] = np.array([f"CANARY note {place}" for place in range(rows)], dtype=object)
    spec = contract_of(found, "binary", **contract)
    report = examine(pa.table(found), spec)
    assert {"quality.placeholder_values", "quality.inconsistent_categories", "quality.outliers"} <= {
        fault.check for fault in report.faults if set(fault.columns) & set(contract)
    }
    said = json.dumps(report.to_json(), ensure_ascii=False)
    assert "canary" not in said.casefold()
    assert "987654321987" not in said
    assert "9.87654e+11" not in said
    assert "1900-01-01" not in said
    assert "-999" not in said
    for column in report.profile.columns:
        if column.name in contract:
            assert (column.least, column.most, column.quantiles, column.top) == (None, None, None, ())
            assert column.histogram is None or all(n is None or n == 0 or n >= 10 for n in column.histogram.counts)


def test_checks_that_are_left_out_or_impossible_say_so() -> None:
    made = clean(300, 2)
    report = examine(made.table, made.spec.columns, settings=QualitySpec(skip=("outliers",)))
    runs = {run.check.removeprefix("quality."): run.not_performed for run in report.checks}
    assert set(runs) == set(CHECKS)
    assert runs["outliers"] == "left out by data.quality.skip"
    assert runs["label_errors"] == "no target is named"
    assert "not divided" in runs["train_test_overlap"]
    assert runs["missing_values"] == ""


def test_a_sample_is_said_to_be_one() -> None:
    made = clean(60_000, 3)
    report = examine(made.table, made.spec, settings=QualitySpec(skip=("label_errors", "odd_rows", "near_duplicates")))
    (leaking,) = (run for run in report.checks if run.check == "quality.leaking_columns")
    assert (leaking.rows, leaking.sampled) == (50_000, True)


def test_row_numbers_are_those_of_the_source() -> None:
    made = clean(200, 6)
    table = made.table.set_column(1, "normal0", pa.array([None] * 30 + [1.0] * 170))
    numbers = np.arange(200) * 2 + 11
    (fault,) = examine(table, made.spec, numbers=numbers).of("quality.missing_values")
    assert fault.rows[:3] == (11, 13, 15)
    assert (fault.count, fault.of, fault.share) == (30, 200, 0.15)


def test_what_cannot_be_examined_is_refused() -> None:
    made = clean(100, 1)
    with pytest.raises(InvalidInput, match="no column 'y'"):
        examine(made.table.drop_columns(["y"]), made.spec)
    with pytest.raises(InvalidInput, match="no row"):
        examine(made.table.slice(0, 0), made.spec)
    with pytest.raises(InvalidInput, match="mask of test rows"):
        examine(made.table, made.spec, test_rows=np.zeros(3, dtype=np.bool_))


def test_the_profile_counts_right() -> None:
    table = pa.table(
        {
            "n": pa.array([1.0, 2.0, 3.0, 4.0, None]),
            "k": pa.array(["a", "a", "n/a", None, "a"]),
            "d": pa.array([dt.date(2020, 1, 1), dt.date(2020, 1, 3), None, None, None]),
            "y": [True, False, True, False, True],
            "i": pa.array([1, 2, 3, 4, 5]),
            "t": pa.array(["ab", "c", None, "defg", ""]),
        }
    )
    facts = {column.name: column for column in profile_of(frame_of(table, SPEC)).columns}
    assert (facts["n"].missing, facts["n"].distinct, facts["n"].least, facts["n"].most, facts["n"].mean) == (
        1,
        4,
        1,
        4,
        2.5,
    )
    assert facts["n"].std == pytest.approx(np.std([1, 2, 3, 4]))
    assert facts["k"].top == (("a", 3), ("n/a", 1))
    assert (facts["d"].least, facts["d"].most, facts["d"].mean) == ("2020-01-01", "2020-01-03", "2020-01-02")
    assert facts["n"].histogram is not None
    assert sum(count or 0 for count in facts["n"].histogram.counts) == 4
    assert facts["t"].text_length == {"least": 0.0, "mean": 1.75, "most": 4.0}
