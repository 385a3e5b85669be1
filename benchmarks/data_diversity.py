"""How fast groups are counted, and how often a planted shortfall is found.

    python benchmarks/data_diversity.py [--json] [--rows 1000000] [--rounds 3] [--planted] [--samples 200]

Speed: a table of four attributes (9, 2, 2 and 4 groups, one of them cut from a number, two of class special), every margin
up to three attributes, with a reference for all of them, and the search for counts that must not be shown. The best of the
rounds. Plain counting by polars, which answers less, stands beside it.

--planted: samples of a population of two attributes (5 and 4 groups, the reference), in which one group has only a part of
its share. Found: its state is "under" or "absent". False alarms: other groups, and groups of samples without a shortfall.
"""

import argparse
import json
import os
import platform
import sys
import time
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from sealwright.data import DataSpec
from sealwright.data.diversity import DiversitySpec, measure_diversity

Figures = dict[str, tuple[float, str, str]]

RACE = [0.6, 0.12, 0.01, 0.005, 0.015, 0.1, 0.05, 0.06, 0.04]


def speed_case(rows: int) -> tuple[pa.Table, DiversitySpec, DataSpec]:
    rng = np.random.default_rng(20260101)
    groups = {"race": [f"r{place}" for place in range(9)], "disabled": ["yes", "no"], "sex": ["f", "m"]}
    columns: dict[str, Any] = {
        name: {"type": "category", "categories": levels, "class": "special", "role": "sensitive"}
        for name, levels in groups.items()
    }
    columns["sex"]["class"] = "personal"
    columns |= {"age": {"type": "integer"}, "y": {"type": "boolean"}}
    table = pa.table(
        {
            "race": np.array(groups["race"])[rng.choice(9, rows, p=RACE)],
            "disabled": np.array(groups["disabled"])[(rng.random(rows) < 0.85).astype(int)],
            "sex": np.array(groups["sex"])[rng.integers(0, 2, rows)],
            "age": rng.integers(16, 90, rows),
            "y": rng.random(rows) < 0.4,
        }
    )
    shares = {
        "race": dict(zip(groups["race"], RACE, strict=True)),
        "disabled": {"yes": 0.15, "no": 0.85},
        "sex": {"f": 0.5, "m": 0.5},
    }
    spec = DiversitySpec.model_validate(
        {
            "attributes": ["race", "disabled", "sex", {"age": [26, 40, 60]}],
            "depth": 3,
            "reference": {"source": "A benchmark", "date": "2026", "shares": shares},
        }
    )
    contract = DataSpec.model_validate({"source": "x.csv", "target": "y", "positive": "true", "columns": columns})
    return table, spec, contract


def by_polars(table: pa.Table) -> None:
    """The same margins, counted one after the other."""
    frame: Any = pl.from_arrow(table)
    frame = frame.with_columns(pl.sum_horizontal(*(pl.col("age") >= cut for cut in (26, 40, 60))).alias("age"))
    for size in (1, 2, 3):
        for names in combinations(["race", "disabled", "sex", "age"], size):
            frame.group_by(names).agg(pl.len(), pl.col("y").sum())


def speed(rows: int, rounds: int) -> Figures:
    table, spec, contract = speed_case(rows)
    ours, theirs = [], []
    for _ in range(rounds):
        start = time.perf_counter()
        measure_diversity(table, spec, contract)
        ours.append(time.perf_counter() - start)
        start = time.perf_counter()
        by_polars(table)
        theirs.append(time.perf_counter() - start)
    return {
        "diversity report": (min(ours), "s", f"{rows:,} rows, 4 attributes, every margin up to 3; promised: <= 3"),
        "the counts alone, by polars": (min(theirs), "s", "14 group_by"),
    }


FIRST = [0.5, 0.25, 0.15, 0.07, 0.03]
SECOND = [0.4, 0.3, 0.2, 0.1]


def planted(samples: int) -> Figures:
    """Recall by how many rows there are, how large the group should be, and how much of it is there."""
    found: Figures = {}
    for rows in (300, 1000, 5000):
        flagged, tested, reports = _alarms(rows, samples)
        found[f"{rows:,} rows, no shortfall: groups flagged"] = (flagged / tested, "share", "false alarms")
        found[f"{rows:,} rows, no shortfall: reports with any"] = (reports / samples, "share", "false alarms")
        for place, share in ((1, 0.25), (3, 0.07), (4, 0.03)):
            for part in (0.3, 0.5, 0.7):
                hits, others, tested = _hits(rows, place, part, samples)
                name = f"{rows:,} rows, a group of {share:.0%} at {part:g} of it"
                found[f"{name}: found"] = (hits / samples, "share", f"other groups flagged: {others / tested:.4f}")
    return found


def _alarms(rows: int, samples: int) -> tuple[int, int, int]:
    flagged = tested = reports = 0
    for seed in range(samples):
        under = _under(FIRST, rows, seed)
        flagged, tested, reports = flagged + len(under), tested + 29, reports + bool(under)
    return flagged, tested, reports


def _hits(rows: int, place: int, part: float, samples: int) -> tuple[int, int, int]:
    less = FIRST[place] * (1 - part)
    shares = [
        share - less if which == place else share + less * share / (1 - FIRST[place])
        for which, share in enumerate(FIRST)
    ]
    hits = others = tested = 0
    for seed in range(samples):
        under = _under(shares, rows, 100_000 + seed)
        hits += (f"a{place}",) in under
        others += sum(f"a{place}" not in group for group in under)
        tested += 29 - 5  # the planted group, and it crossed with four
    return hits, others, tested


def _under(shares: list[float], rows: int, seed: int) -> set[tuple[str, ...]]:
    """The groups called under-represented or absent in one sample; the two attributes are independent."""
    rng = np.random.default_rng(seed)
    first, second = [f"a{place}" for place in range(5)], [f"b{place}" for place in range(4)]
    table = pa.table(
        {
            "one": np.array(first)[rng.choice(5, rows, p=shares)],
            "two": np.array(second)[rng.choice(4, rows, p=SECOND)],
            "y": rng.random(rows) < 0.5,
        }
    )
    columns = {
        "one": {"type": "category", "categories": first},
        "two": {"type": "category", "categories": second},
        "y": {"type": "boolean"},
    }
    crossed = {
        f"{a} x {b}": p * q for a, p in zip(first, FIRST, strict=True) for b, q in zip(second, SECOND, strict=True)
    }
    spec = DiversitySpec.model_validate(
        {"attributes": ["one", "two"], "reference": {"source": "x", "date": "2026", "shares": {"one x two": crossed}}}
    )
    contract = DataSpec.model_validate({"source": "x.csv", "target": "y", "positive": "true", "columns": columns})
    report = measure_diversity(table, spec, contract)
    return {group.of for _, group in report.of_state("under", "absent")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the table")
    parser.add_argument("--rounds", type=int, default=3, help="the best counts")
    parser.add_argument("--planted", action="store_true", help="measure how often a planted shortfall is found")
    parser.add_argument("--samples", type=int, default=100, help="samples of each kind")
    options = parser.parse_args()
    figures = planted(options.samples) if options.planted else speed(options.rows, options.rounds)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    if options.json:
        rows = {name: {"value": value, "unit": unit, "note": note} for name, (value, unit, note) in figures.items()}
        json.dump({"benchmark": "data_diversity", "machine": machine, "figures": rows}, sys.stdout, indent=2)
        print()
        return
    print(f"data_diversity on {machine}")
    for name, (value, unit, note) in figures.items():
        print(f"  {name:<52} {value:>8,.3f} {unit:<6} {note}".rstrip())


if __name__ == "__main__":
    main()
