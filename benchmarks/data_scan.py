"""How fast a table is scanned for personal data.

    python benchmarks/data_scan.py [--json] [--rows 1000000] [--columns 50]

A made-up table in memory, in batches of 65,536 rows: one column in ten of each of e-mail addresses, free text of about
100 characters, 16-digit order numbers as text, telephone numbers and product codes; the others whole numbers, numbers
and categories. Nothing is read from disk.
"""

import argparse
import json
import os
import platform
import resource
import sys
import time
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sealwright.data.personal import scan

WORDS = np.array(
    [
        "the",
        "parcel",
        "came",
        "late",
        "and",
        "nobody",
        "was",
        "at",
        "home",
        "when",
        "our",
        "driver",
        "rang",
        "twice",
        "so",
        "it",
        "went",
        "back",
        "to",
        "depot",
    ]
)


def table_of(rows: int, columns: int) -> pa.Table:
    random = np.random.default_rng(20260101)
    numbers = pa.array(np.arange(rows))
    made: dict[str, Any] = {}
    for place in range(columns):
        kind = place % 10
        if kind == 0:
            text = pc.binary_join_element_wise("user", numbers.cast(pa.string()), "@example.com", "")
        elif kind == 1:
            text = pa.array([" ".join(random.choice(WORDS, 20)) for _ in range(2000)]).take(
                pa.array(random.integers(0, 2000, rows))
            )
            text = pc.binary_join_element_wise(numbers.cast(pa.string()), text, " ")
        elif kind == 2:
            text = pa.array(random.integers(10**15, 10**16, rows)).cast(pa.string())
        elif kind == 3:
            text = pc.binary_join_element_wise(
                "+49 30 ", pa.array(random.integers(10**6, 10**7, rows)).cast(pa.string()), ""
            )
        elif kind == 4:
            text = pc.binary_join_element_wise(
                "AB-", pa.array(random.integers(0, 10**6, rows)).cast(pa.string()), "-X", ""
            )
        elif kind in {5, 6}:
            text = pa.array(random.integers(0, 1000, rows))
        elif kind in {7, 8}:
            text = pa.array(random.normal(size=rows))
        else:
            text = pa.array(np.array(["red", "green", "blue"])[random.integers(0, 3, rows)])
        made[f"c{place}"] = text
    return pa.table(made)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=50)
    options = parser.parse_args()
    table = table_of(options.rows, options.columns)
    scan(table.slice(0, 1000))  # numbering plans are read once per process
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, busy = time.perf_counter(), time.process_time()
    report = scan(iter(table.to_batches(max_chunksize=65_536)))
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    figures = {
        "rows": report.rows,
        "columns": len(report.columns),
        "table_megabytes": table.nbytes >> 20,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(busy, 2),
        "more_memory_megabytes": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10,
        "columns_found": sum(1 for one in report.columns if one.suggested),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
    }
    if options.json:
        json.dump(figures, sys.stdout, indent=2)
        return
    for name, value in figures.items():
        print(f"{name:24} {value}")


if __name__ == "__main__":
    main()
