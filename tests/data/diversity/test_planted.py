"""Planted shortfalls are found, and samples of the reference itself raise few alarms. The whole table is in
docs/reference/data-diversity.md, from benchmarks/data_diversity.py --planted."""

from typing import Any

import numpy as np
import pyarrow as pa

from sealwright.data import DataSpec
from sealwright.data.diversity import DiversitySpec, measure_diversity

SHARES = {"a": 0.5, "b": 0.25, "c": 0.15, "d": 0.07, "e": 0.03}
CONTRACT = DataSpec.model_validate(
    {
        "source": "x.csv",
        "target": "y",
        "positive": "true",
        "columns": {"one": {"type": "category", "categories": list(SHARES)}, "y": {"type": "boolean"}},
    }
)
SPEC = DiversitySpec.model_validate(
    {"attributes": ["one"], "reference": {"source": "x", "date": "2026", "shares": {"one": SHARES}}}
)


def flagged(shares: dict[str, float], rows: int, seed: int) -> set[str]:
    rng = np.random.default_rng(seed)
    drawn: Any = np.array(list(shares))[rng.choice(len(shares), rows, p=list(shares.values()))]
    report = measure_diversity(pa.table({"one": drawn}), SPEC, CONTRACT)
    return {group.of[0] for _, group in report.of_state("under", "absent")}


def without(group: str, part: float) -> dict[str, float]:
    less = SHARES[group] * (1 - part)
    rest = {name: share + less * share / (1 - SHARES[group]) for name, share in SHARES.items()}
    return {**rest, group: SHARES[group] - less}


def test_half_of_a_group_is_missed_by_few() -> None:
    hits = [flagged(without("b", 0.5), 300, seed) for seed in range(60)]
    assert sum("b" in found for found in hits) >= 57
    small = [flagged(without("e", 0.3), 1000, seed) for seed in range(60)]
    assert sum("e" in found for found in small) >= 54


def test_a_sample_of_the_reference_raises_few_alarms() -> None:
    alarms = [flagged(SHARES, rows, seed) for rows in (300, 1000) for seed in range(100)]
    assert sum(bool(found) for found in alarms) <= 20  # 5 of 100 expected at most


def test_a_loss_smaller_than_the_limit_is_no_finding_however_many_rows_there_are() -> None:
    assert all("b" not in flagged(without("b", 0.9), 100_000, seed) for seed in range(5))
