"""Drift is found where it was planted, chance is not taken for it, and the statistics are those of scipy."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon

from sealwright.data import DataSpec
from sealwright.data.quality import frame_of
from sealwright.data.relevance import RelevanceSpec, assess_relevance, drift_between_periods
from sealwright.data.relevance.drift import _chi_squared, _jensen_shannon, _ks, benjamini_hochberg, stability_index

NOW = dt.datetime(2026, 3, 31, tzinfo=dt.UTC)
SETTINGS = RelevanceSpec(date="day", periods="quarter", oldest="2 years")
SPEC = DataSpec.model_validate(
    {
        "source": "x.csv",
        "target": "y",
        "positive": "true",
        "columns": {
            "day": {"type": "date"},
            **{f"n{place}": {"type": "number", "nullable": True} for place in range(8)},
            "k": {"type": "category", "categories": ["a", "b", "c"]},
            "y": {"type": "boolean"},
        },
    }
)


def made(seed: int, rows: int = 6000) -> dict[str, object]:
    r = np.random.default_rng(seed)
    return {
        "day": np.datetime64("2024-01-01") + r.integers(0, 730, rows),
        **{f"n{place}": r.normal(size=rows) for place in range(8)},
        "k": np.array(["a", "b", "c"])[r.choice(3, rows, p=[0.6, 0.3, 0.1])],
        "y": r.random(rows) < 0.4,
    }


def test_planted_drift_is_found_in_its_period_and_nowhere_else() -> None:
    columns = made(1)
    late = columns["day"] >= np.datetime64("2025-10-01")  # type: ignore[operator]
    columns["n3"] = np.where(late, columns["n3"] + 0.8, columns["n3"])  # type: ignore[operator]
    columns["k"] = np.where(late & (columns["k"] == "a"), "c", columns["k"])
    report = assess_relevance(pa.table(columns), SPEC, NOW, settings=SETTINGS)
    drifted = {(one.column, one.period) for one in report.drifts if one.drifted}
    assert {("n3", "2025-Q4"), ("k", "2025-Q4")} <= drifted
    assert {column for column, _ in drifted} == {"n3", "k"}
    assert {(fault.check, fault.columns) for fault in report.faults} == {
        ("relevance.drift", ("n3",)),
        ("relevance.drift", ("k",)),
        ("relevance.old_rows", ("day",)),
    }


def test_a_column_that_is_empty_in_one_period_drifted() -> None:
    columns = made(2)
    early = columns["day"] < np.datetime64("2024-04-01")  # type: ignore[operator]
    columns["n0"] = pa.array(columns["n0"], mask=early)
    drifts = drift_between_periods(frame_of(pa.table(columns), SPEC), SETTINGS)
    assert drifts[0].column == "n0"
    assert drifts[0].index > 1


def test_chance_is_not_taken_for_drift() -> None:
    tables = [pa.table(made(seed)) for seed in range(10, 30)]
    alarms = [one for table in tables for one in drift_between_periods(frame_of(table, SPEC), SETTINGS) if one.drifted]
    assert alarms == []


def test_periods_with_few_rows_are_not_compared() -> None:
    report = assess_relevance(pa.table(made(3, rows=300)), SPEC, NOW, settings=SETTINGS)
    assert (report.compared, report.drifts) == (0, ())


@pytest.mark.parametrize("seed", range(5))
def test_the_statistics_are_those_of_scipy(seed: int) -> None:
    r = np.random.default_rng(seed)
    one, other = r.integers(5, 200, 7), r.integers(5, 200, 7)
    assert _chi_squared(one, other) == pytest.approx(stats.chi2_contingency([one, other], correction=False).pvalue)
    assert _jensen_shannon(one, other) == pytest.approx(jensenshannon(one, other, base=2))
    assert stability_index(one, one) == 0.0
    p = r.random(40) ** 3
    assert benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p))
    a, b = r.integers(0, 30, 400), r.integers(0, 33, 900)
    fine = np.stack([np.bincount(a, minlength=34), np.bincount(b, minlength=34)])
    fine = np.column_stack([np.zeros(2, dtype=np.int64), fine])
    assert _ks(fine, 0) == pytest.approx(stats.ks_2samp(a, b, method="asymp").pvalue, rel=0.15, abs=0.01)
