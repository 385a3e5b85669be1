"""How long the quality examination of a large table takes, and how much memory.

    python benchmarks/data_quality.py [--json] [--rows 1000000] [--folder DIR]

50 columns of a realistic mixture: 20 numbers (normal, skewed, with gaps), 8 whole numbers, 14 categories, 2 booleans,
3 dates, 2 texts, a target that some of them explain; with planted copies, near copies and wrong labels. The examination
is a process of its own that reads the table from Parquet in parts; its peak resident memory is the process's own.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sealwright.data import DataSpec
from sealwright.data.quality import examine

WORDS = [f"{kind} {number}" for kind in ("north", "south", "east", "west", "centre") for number in range(8)]
SIZES = (3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 35, 40, 40)


def columns_of(name: str) -> dict[str, object]:
    if name == "y":
        return {"type": "category", "categories": ["bad", "good"]}
    if name.startswith("k"):
        return {"type": "category", "categories": WORDS[: SIZES[int(name[1:])]], "nullable": True}
    if name.startswith("t"):
        return {"type": "text", "role": "identifier", "class": "personal"}
    kinds = {"n": "number", "i": "integer", "b": "boolean", "d": "date"}
    return {"type": kinds[name[0]], "nullable": True}


def write_table(path: Path, rows: int) -> None:
    r = np.random.default_rng(20260101)
    base = r.normal(size=rows)
    columns: dict[str, object] = {}
    for place in range(20):
        values = np.round(r.normal(size=rows) + (0.5 * base if place < 6 else 0), 6)
        values = np.round(np.exp(values + 6), 2) if place % 3 == 2 else values
        columns[f"n{place}"] = pa.array(values, mask=r.random(rows) < (0.08 if place % 5 == 4 else 0.0))
    columns |= {f"i{place}": r.poisson(4 + 20 * place, rows) for place in range(8)}
    for place, size in enumerate(SIZES):
        weights = r.dirichlet(np.full(size, 2.0))
        columns[f"k{place}"] = pa.array(WORDS[:size]).take(pa.array(r.choice(size, rows, p=weights)))
    columns |= {f"b{place}": r.random(rows) < 0.3 for place in range(2)}
    columns |= {f"d{place}": np.datetime64("2018-01-01") + r.integers(0, 2500, rows) for place in range(3)}
    columns |= {f"t{place}": pa.array([f"{value:012x}" for value in r.integers(0, 2**40, rows)]) for place in range(2)}
    score = 2 * base + columns["i0"] / 4 - 1 + r.normal(size=rows)  # type: ignore[operator]
    wrong = r.random(rows) < 0.01
    columns["y"] = np.where((score > 0) ^ wrong, "good", "bad")
    table = pa.table(columns)
    copies = table.slice(0, max(1, rows // 500))
    near = copies.set_column(0, "n0", pa.array(r.normal(size=copies.num_rows)))
    table = pa.concat_tables([table.slice(0, rows - 2 * copies.num_rows), copies, near])
    pq.write_table(table, path, row_group_size=131_072)


def one_run(path: Path) -> dict[str, object]:
    file = pq.ParquetFile(path)
    names = file.schema_arrow.names
    spec = DataSpec.model_validate(
        {"source": path.name, "target": "y", "positive": "good", "columns": {name: columns_of(name) for name in names}}
    )
    start, processor = time.perf_counter(), time.process_time()
    report = examine(file.iter_batches(131_072), spec)
    end = time.perf_counter()
    return {
        "seconds": end - start,
        "processor": time.process_time() - processor,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "findings": report.by_severity(),
        "faults": [[fault.check, fault.columns, fault.count] for fault in report.faults],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the table")
    parser.add_argument("--folder", type=Path, help="measure on this disk (default: the temporary folder)")
    parser.add_argument("--source", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.source:
        print(json.dumps(one_run(options.source)))
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path = Path(folder) / "table.parquet"
        write_table(path, options.rows)
        command = [sys.executable, __file__, "--source", str(path)]
        run = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    if options.json:
        json.dump({"benchmark": "data_quality", "machine": machine, "rows": options.rows, **run}, sys.stdout, indent=2)
        print()
        return
    print(f"quality examination of {options.rows:,} rows x 50 columns on {machine}")
    print(f"  wall clock      {run['seconds']:>8.1f} s    promised: <= 20")
    print(f"  processor time  {run['processor']:>8.1f} s")
    print(f"  peak memory     {run['peak']:>8,.0f} MiB  promised: <= 2,048")
    print(f"  findings        {run['findings']}")


if __name__ == "__main__":
    main()
