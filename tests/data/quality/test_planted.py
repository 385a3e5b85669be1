"""Every check finds what was planted, where it was planted, and leaves clean tables alone. The bounds are in the docs."""

import numpy as np
import pytest
from planting import PLANTS, RUN_BY, clean

from sealwright.data.quality import CHECKS, QualitySpec, examine

ROWS = 2000
RECALL = {"wrong labels, two classes": 0.35, "wrong labels, three classes": 0.15, "wrong numbers to predict": 0.5}
BESIDES = {"wrong labels, two classes": 0.02, "wrong labels, three classes": 0.03}


def only(check: str) -> QualitySpec:
    skip = tuple(name for name in CHECKS if name != RUN_BY.get(check, check.removeprefix("quality.")))
    return QualitySpec.model_construct(**{**QualitySpec(skip=skip).model_dump(), "rows_named": 10**9})


@pytest.mark.parametrize("what", list(PLANTS))
def test_what_was_planted_is_found_where_it_is(what: str) -> None:
    made = PLANTS[what](ROWS, 11)
    report = examine(made.table, made.spec, settings=only(made.check), test_rows=made.test_rows)
    faults = report.of(made.check)
    assert faults, report.checks
    if made.columns:
        assert {name for fault in faults for name in fault.columns} == made.columns
    if made.rows:
        named = {row - 1 for fault in faults for row in fault.rows}
        assert len(named & made.rows) >= RECALL.get(what, 0.95) * len(made.rows)
        assert len(named - made.rows) <= BESIDES.get(what, 0.001) * ROWS


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_clean_table_has_no_finding(task: str) -> None:
    made = clean(ROWS, 12, task)
    test_rows = np.random.default_rng(3).random(ROWS) < 0.25
    settings = QualitySpec(skip=("label_errors",))  # overlapping classes look like wrong labels: see below
    assert examine(made.table, made.spec, settings=settings, test_rows=test_rows).faults == ()


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_few_labels_of_a_clean_table_are_suspected(task: str) -> None:
    made = clean(ROWS, 12, task)
    report = examine(made.table, made.spec, settings=only("quality.label_errors"))
    assert sum(fault.count for fault in report.faults) <= 0.02 * ROWS
