"""Measure what the quality checks find: faults planted at known places, and clean tables.

    python tools/measure_quality.py [--rows 5000] [--seeds 5]

Prints the table of docs/reference/data-quality.md. Recall: planted rows (or columns) that the check names, of all
planted. False alarms: rows it names besides, of all others; and, on clean tables, tables with a finding of the check.
"""

import argparse
import importlib.util
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from sealwright.data.quality import QualitySpec, examine

PLANTING = Path(__file__).parents[1] / "tests" / "data" / "quality" / "planting.py"
EVERY = QualitySpec.model_construct(**{**QualitySpec().model_dump(), "rows_named": 10**9})


def planting() -> Any:
    spec = importlib.util.spec_from_file_location("planting", PLANTING)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["planting"] = module
    spec.loader.exec_module(module)
    return module


def measure(made: Any) -> tuple[int, int, int, int]:
    """Found and planted; named besides, and how many could be."""
    report = examine(made.table, made.spec, settings=EVERY, test_rows=made.test_rows)
    faults = report.of(made.check)
    if made.rows:
        named = {row - 1 for fault in faults for row in fault.rows}
        return len(named & made.rows), len(made.rows), len(named - made.rows), made.table.num_rows - len(made.rows)
    columns = {name for fault in faults for name in fault.columns}
    return (
        len(columns & made.columns),
        len(made.columns),
        len(columns - made.columns),
        made.table.num_columns - len(made.columns),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    made = planting()
    alarms: dict[str, int] = defaultdict(int)
    tables = 0
    for task in ("binary", "multiclass", "regression"):
        for seed in range(options.seeds):
            one = made.clean(options.rows, 1000 + seed, task)
            test = np.random.default_rng(seed).random(options.rows) < 0.25
            for check in {fault.check for fault in examine(one.table, one.spec, test_rows=test).faults}:
                alarms[check] += 1
            tables += 1
    print("| planted | check | found of planted | recall | named besides | clean tables with a finding |")
    print("|---|---|---|---|---|---|")
    for name, plant in made.PLANTS.items():
        found = np.sum([measure(plant(options.rows, seed)) for seed in range(options.seeds)], axis=0)
        check = plant(200 if "rare" not in name else 1000, 0).check
        besides = f"{found[2]:,} of {found[3]:,}"
        print(
            f"| {name} | `{check}` | {found[0]:,} of {found[1]:,} | {found[0] / found[1]:.3f} | {besides} |"
            f" {alarms[check]} of {tables} |"
        )
    rest = {check: count for check, count in alarms.items() if count}
    print(f"\nFindings on {tables} clean tables: {rest or 'none'}")


if __name__ == "__main__":
    main()
