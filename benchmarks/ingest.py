"""What encryption costs an ingest, how fast a table becomes a snapshot, and how fast it is read back.

    python benchmarks/ingest.py [--json] [--rows 1000000] [--rounds 3] [--folder DIR]

20 columns: 8 numbers, 5 integers, 5 categories, a date, a target. The same pipeline runs twice, side by side and in
turns: once as it is, once with its Parquet writer replaced by one that encrypts nothing. Each run is a process of its
own, so that memory is its own, too. Times are the best of the rounds, since other work on the machine only ever adds;
the ratio of processor times is given beside, which feels it less. fsync is included.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from sealwright.data import DataSpec, encryption, infer_contract, ingest, open_snapshot, open_source
from sealwright.trust import InsecurePassphraseForTests, Secret, create_keyring

UNLOCK = InsecurePassphraseForTests(Secret("keys of a benchmark, thrown away"))
WORDS = ["alpha", "beta", "gamma", "delta"]
CATEGORY = {"type": "category", "categories": WORDS, "class": "special"}
COLUMNS = {
    **{f"n{place}": {"type": "number"} for place in range(8)},
    **{f"i{place}": {"type": "integer", "min": 0, "max": 99_999, "class": "personal"} for place in range(5)},
    **{f"k{place}": CATEGORY for place in range(5)},
    "d": {"type": "date"},
    "y": {"type": "category", "categories": ["bad", "good"]},
}

Figures = dict[str, tuple[float, str, str]]  # name -> (value, unit, what it is)


def contract(name: str) -> DataSpec:
    return DataSpec.model_validate({"source": name, "target": "y", "positive": "good", "columns": COLUMNS})


def write_table(folder: Path, rows: int) -> tuple[Path, Path]:
    """The same rows as CSV and as Parquet."""
    random = np.random.default_rng(20260101)
    columns: dict[str, object] = {f"n{place}": np.round(random.normal(size=rows), 6) for place in range(8)}
    columns |= {f"i{place}": random.integers(0, 100_000, rows) for place in range(5)}
    columns |= {f"k{place}": np.array(WORDS)[random.integers(0, 4, rows)] for place in range(5)}
    columns |= {
        "d": np.datetime64("2015-01-01") + random.integers(0, 3000, rows),
        "y": np.array(["bad", "good"])[random.integers(0, 2, rows)],
    }
    table = pa.table(columns)
    pcsv.write_csv(table, folder / "table.csv")
    pq.write_table(table, folder / "table.parquet")
    return folder / "table.csv", folder / "table.parquet"


def plain_writer(sink: object, schema: pa.Schema, _keys: object, _keyring: object) -> pq.ParquetWriter:
    """What the pipeline would write with if it encrypted nothing. Lives in this benchmark only."""
    return pq.ParquetWriter(
        sink, schema, compression="zstd", compression_level=1, write_statistics=False, store_schema=False
    )


def one_run(path: Path, how: str) -> dict[str, float]:
    """Ingest once; seconds and mebibytes. Without encryption the snapshot is checked, but of course not read."""
    home = Path(tempfile.mkdtemp(dir=path.parent))
    keyring = create_keyring(home / "keys", "ws_bench", UNLOCK)
    spec = contract(path.name)
    before = _memory("VmRSS")
    start, processor = time.perf_counter(), time.process_time()
    if how == "plain":
        with mock.patch.object(encryption, "encrypted_writer", plain_writer):
            snapshot = ingest(open_source(path.name, path.parent), spec, snapshots=home / "snapshots", keyring=keyring)
    else:
        snapshot = ingest(open_source(path.name, path.parent), spec, snapshots=home / "snapshots", keyring=keyring)
    result = {
        "seconds": time.perf_counter() - start,
        "processor": time.process_time() - processor,
        "memory": _memory("VmHWM") - before,
    }
    if how != "plain":
        start = time.perf_counter()
        open_snapshot(snapshot.digest, snapshots=home / "snapshots", trust_root=keyring.trust_root, keyring=keyring)
        result["open"] = time.perf_counter() - start
        start = time.perf_counter()
        snapshot.read()
        result["read"] = time.perf_counter() - start
    shutil.rmtree(home)
    return result


def _memory(what: str) -> float:
    """VmRSS or VmHWM of this process in MiB."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(what)) / 1024


def measure(folder: Path, rows: int, rounds: int) -> Figures:
    """Run everything; about a minute for a million rows and three rounds."""
    text, columnar = write_table(folder, rows)
    runs: dict[str, list[dict[str, float]]] = {"plain": [], "encrypted": [], "parquet": []}
    for _ in range(rounds):
        for how, taken in runs.items():
            path = columnar if how == "parquet" else text
            command = [sys.executable, __file__, "--one-run", how, "--source", str(path)]
            taken.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))

    def best(how: str, what: str) -> float:
        return min(run[what] for run in runs[how])

    size = text.stat().st_size / 1e6
    start = time.perf_counter()
    infer_contract(text, "y")
    inferred = time.perf_counter() - start
    shape = f"{rows:,} rows x {len(COLUMNS)} columns, {size:,.0f} MB of CSV"
    return {
        "CSV to encrypted snapshot": (best("encrypted", "seconds"), "s", shape),
        "the same pipeline, writing plain Parquet": (best("plain", "seconds"), "s", ""),
        "encrypted / plain": (best("encrypted", "seconds") / best("plain", "seconds"), "times", "promised: <= 1.3"),
        "encrypted / plain, processor time": (best("encrypted", "processor") / best("plain", "processor"), "times", ""),
        "CSV to encrypted snapshot, throughput": (size / best("encrypted", "seconds"), "MB/s", "of CSV"),
        "CSV to plain Parquet, throughput": (size / best("plain", "seconds"), "MB/s", "of CSV"),
        "Parquet to encrypted snapshot": (best("parquet", "seconds"), "s", ""),
        "memory growth of an ingest from CSV": (
            max(run["memory"] for run in runs["encrypted"]),
            "MiB",
            "promised: <= 600",
        ),
        "open_snapshot": (best("encrypted", "open"), "s", "signature and every byte of every file"),
        "read all columns": (best("encrypted", "read"), "s", "verified again and decrypted"),
        "infer_contract": (inferred, "s", "the whole file"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the table")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each kind; the best counts")
    parser.add_argument("--folder", type=Path, help="measure on this disk (default: the temporary folder)")
    parser.add_argument("--one-run", choices=["plain", "encrypted", "parquet"], help=argparse.SUPPRESS)
    parser.add_argument("--source", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one_run:
        print(json.dumps(one_run(options.source, options.one_run)))
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        figures = measure(Path(folder), options.rows, options.rounds)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    if options.json:
        rows = {name: {"value": value, "unit": unit, "note": note} for name, (value, unit, note) in figures.items()}
        json.dump({"benchmark": "ingest", "machine": machine, "figures": rows}, sys.stdout, indent=2)
        print()
        return
    print(f"ingest on {machine}")
    for name, (value, unit, note) in figures.items():
        print(f"  {name:<44} {value:>12,.2f} {unit:<10} {note}".rstrip())


if __name__ == "__main__":
    main()
