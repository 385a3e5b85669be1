"""How fast a million rows are measured, and how fast they are made indistinguishable.

    python benchmarks/data_deidentify.py [--json] [--rows 1000000] [--rounds 3]

A made-up table: 4 quasi-identifiers (age, 800 postcodes, sex, day of a visit; nearly every row alone in its class),
a sensitive category and a sensitive amount, an identifier to pseudonymise. Times are the best of the rounds. Nothing is
read or written: opening a snapshot is measured by benchmarks/ingest.py.
"""

import argparse
import datetime as dt
import json
import os
import platform
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from sealwright.data import ColumnSpec
from sealwright.data.deidentify import DeidentifySpec, Keys, measure, release, risk_of

QUASI = ["age", "zip", "sex", "visit"]
ILLS = [f"d{place:02d}" for place in range(30)]
RECIPE: dict[str, Any] = {
    "columns": {"id": {"method": "pseudonym"}},
    "quasi_identifiers": {
        "age": {},
        "zip": {"levels": [{"prefix": 3}, {"prefix": 2}, {"prefix": 1}]},
        "sex": {},
        "visit": {},
    },
    "sensitive": ["ill", "cost"],
    "population": 50_000_000,
}

Figures = dict[str, tuple[float, str, str]]  # name -> (value, unit, what it is)


def table_of(rows: int) -> tuple[pa.Table, dict[str, ColumnSpec]]:
    random = np.random.default_rng(20260101)
    codes = np.array([f"{code:05d}" for code in random.choice(np.arange(10_000, 99_999), 800, replace=False)])
    table = pa.table(
        {
            "id": pa.array(np.arange(rows)).cast(pa.string()),
            "age": random.integers(0, 100, rows),
            "zip": codes[random.integers(0, 800, rows)],
            "sex": np.array(["f", "m"])[random.integers(0, 2, rows)],
            "visit": (np.datetime64("2020-01-01") + random.integers(0, 1000, rows)).astype("datetime64[D]"),
            "ill": np.array(ILLS)[np.minimum(random.geometric(0.15, rows) - 1, len(ILLS) - 1)],
            "cost": np.round(random.lognormal(10, 1, rows), 2),
        }
    )
    said: dict[str, dict[str, Any]] = {
        "id": {"type": "text", "role": "identifier", "class": "personal"},
        "age": {"type": "integer", "min": 0, "max": 100},
        "zip": {"type": "category", "categories": sorted(codes.tolist())},
        "sex": {"type": "category", "categories": ["f", "m"]},
        "visit": {"type": "date", "min": "2020-01-01", "max": "2022-12-31"},
        "ill": {"type": "category", "categories": ILLS},
        "cost": {"type": "number", "min": 0},
    }
    return table, {name: ColumnSpec.model_validate(one) for name, one in said.items()}


def best(rounds: int, work: Callable[[], Any]) -> tuple[float, Any]:
    taken, found = [], None
    for _ in range(rounds):
        start = time.perf_counter()
        found = work()
        taken.append(time.perf_counter() - start)
    return min(taken), found


def bench(rows: int, rounds: int) -> Figures:
    table, columns = table_of(rows)
    keys = Keys(pseudonyms=b"p" * 32, shifts=b"s" * 32)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    def made(**enforce: Any) -> Callable[[], Any]:
        spec = DeidentifySpec.model_validate({**RECIPE, "enforce": enforce})
        return lambda: release(table, columns, spec, keys, today=dt.date(2026, 1, 1))

    k_alone, _ = best(rounds, lambda: measure(table, QUASI))
    measured, _ = best(rounds, lambda: measure(table, QUASI, ["ill", "cost"]))
    risk, _ = best(rounds, lambda: risk_of(table, QUASI, population=50_000_000))
    k_made, by_k = best(rounds, made(k=5))
    all_made, by_all = best(rounds, made(k=5, l=2, t=0.4))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before
    shape = f"{rows:,} rows, 4 quasi-identifiers"
    return {
        "measure k": (k_alone, "s", shape),
        "measure k, l and t": (measured, "s", "2 sensitive columns"),
        "estimate risk": (risk, "s", "with the part of each quasi-identifier"),
        "pseudonymise and reach k 5": (k_made, "s", _said(by_k)),
        "pseudonymise and reach k 5, l 2, t 0.4": (all_made, "s", _said(by_all)),
        "memory growth": (grown, "MiB", "largest of all of the above"),
    }


def _said(released: Any) -> str:
    chosen, report = released.report.chosen, released.report
    return f"{chosen.looked_at} of {chosen.points} ways tried, k {report.after.k}, {report.suppressed:,} rows left out"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the table")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each kind; the best counts")
    options = parser.parse_args()
    figures = bench(options.rows, options.rounds)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    if options.json:
        rows = {name: {"value": value, "unit": unit, "note": note} for name, (value, unit, note) in figures.items()}
        json.dump({"benchmark": "data_deidentify", "machine": machine, "figures": rows}, sys.stdout, indent=2)
        print()
        return
    print(f"data_deidentify on {machine}")
    for name, (value, unit, note) in figures.items():
        print(f"  {name:<44} {value:>12,.2f} {unit:<10} {note}".rstrip())


if __name__ == "__main__":
    main()
