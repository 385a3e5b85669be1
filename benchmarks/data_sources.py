"""How fast each kind of source gives its rows, and in how much memory.

    python benchmarks/data_sources.py [--json] [--rows 1000000] [--postgres URL] [--folder DIR]

20 columns: 8 numbers, 5 integers, 5 categories, a date, a target; the same table behind each source. Reading only: every
batch is taken and let go, nothing is cast or kept. Each source is read once, in a process of its own, so that memory
is its own, too; the store is moto's server on a loopback address, whose own work is in the wall clock, not in the
processor time. PostgreSQL is left out unless a URL is given; its table is temporary for the length of the run.
"""

import argparse
import json
import logging
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.feather as feather
import pyarrow.parquet as pq

from sealwright.data import FileSource, S3Source, SqlSource, open_source

WORDS = ["alpha", "beta", "gamma", "delta"]
PARTS = 8
SQL = "SELECT * FROM benchmark_sources"


def make_table(rows: int) -> pa.Table:
    random = np.random.default_rng(20260101)
    columns: dict[str, Any] = {f"n{place}": np.round(random.normal(size=rows), 6) for place in range(8)}
    columns |= {f"i{place}": random.integers(0, 100_000, rows) for place in range(5)}
    columns |= {f"k{place}": np.array(WORDS)[random.integers(0, 4, rows)] for place in range(5)}
    columns |= {
        "d": np.datetime64("2015-01-01") + random.integers(0, 3000, rows),
        "y": np.array(["bad", "good"])[random.integers(0, 2, rows)],
    }
    return pa.table(columns)


def write_files(table: pa.Table, folder: Path) -> None:
    import msgspec

    pcsv.write_csv(table, folder / "t.csv")
    pq.write_table(table, folder / "t.parquet")
    feather.write_feather(table, str(folder / "t.arrow"))
    (folder / "parts").mkdir()
    step = -(-table.num_rows // PARTS)
    for place in range(PARTS):
        pq.write_table(table.slice(place * step, step), folder / "parts" / f"{place}.parquet")
    encoder = msgspec.json.Encoder()
    with (folder / "t.jsonl").open("wb") as stream:
        for batch in table.to_batches(max_chunksize=20_000):
            stream.write(encoder.encode_lines(batch.to_pylist()))
    db = sqlite3.connect(folder / "t.db")
    db.execute(f"CREATE TABLE benchmark_sources ({', '.join(table.column_names)})")
    for batch in table.set_column(18, "d", table["d"].cast(pa.string())).to_batches(max_chunksize=20_000):
        marks = ", ".join("?" * table.num_columns)
        db.executemany(f"INSERT INTO benchmark_sources VALUES ({marks})", zip(*batch.to_pydict().values(), strict=True))
    db.commit()
    db.close()


@contextmanager
def postgres(url: str, table: pa.Table) -> Iterator[None]:
    import psycopg

    kinds = {"n": "double precision", "i": "bigint", "k": "text", "d": "date", "y": "text"}
    columns = ", ".join(f"{name} {kinds[name[0]]}" for name in table.column_names)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as db:
        db.execute(f"DROP TABLE IF EXISTS benchmark_sources; CREATE UNLOGGED TABLE benchmark_sources ({columns})")
        with db.cursor().copy("COPY benchmark_sources FROM STDIN (FORMAT csv, HEADER)") as copy:
            sink = pa.BufferOutputStream()
            pcsv.write_csv(table, sink)
            copy.write(sink.getvalue().to_pybytes())
        try:
            yield
        finally:
            db.execute("DROP TABLE benchmark_sources")


@contextmanager
def store(folder: Path) -> Iterator[str]:
    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    os.environ |= {"AWS_ACCESS_KEY_ID": "benchmark", "AWS_SECRET_ACCESS_KEY": "benchmark"}
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    client.create_bucket(Bucket="benchmark")
    for name in ("t.csv", "t.parquet", "t.jsonl"):
        client.put_object(Bucket="benchmark", Key=name, Body=(folder / name).read_bytes())
    try:
        yield endpoint
    finally:
        server.stop()


def one_run(kind: str, place: str, folder: Path) -> dict[str, float]:
    """Read a source to its end; seconds and mebibytes."""
    spec = {
        "file": lambda: FileSource(file=place),
        "sql": lambda: SqlSource(sql=SQL, url_env="BENCHMARK_URL"),
        "s3": lambda: S3Source(s3=place, endpoint=os.environ["BENCHMARK_ENDPOINT"]),
    }[kind]()
    before = _memory("VmRSS")
    start, processor = time.perf_counter(), time.process_time()
    rows = sum(batch.rows.num_rows for batch in open_source(spec, folder).batches())
    seconds, busy = time.perf_counter() - start, time.process_time() - processor
    return {"rows": rows, "seconds": seconds, "processor": busy, "memory": _memory("VmHWM") - before}


def _memory(what: str) -> float:
    """VmRSS or VmHWM of this process in MiB."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(what)) / 1024


def measure(folder: Path, rows: int, url: str | None) -> dict[str, dict[str, float]]:
    table = make_table(rows)
    write_files(table, folder)
    found: dict[str, dict[str, float]] = {}

    def run(name: str, kind: str, place: str, **environment: str) -> None:
        command = [sys.executable, __file__, "--one-run", kind, place, "--folder", str(folder)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **environment})
        found[name] = json.loads(done.stdout)
        assert found[name]["rows"] == rows, name

    for name in ("t.csv", "t.jsonl", "t.parquet", "t.arrow"):
        run(name.removeprefix("t."), "file", name)
    run(f"parquet, {PARTS} parts", "file", "parts")
    run("SQLite", "sql", "", BENCHMARK_URL=f"sqlite:///{folder}/t.db")
    if url:
        with postgres(url, table):
            run("PostgreSQL", "sql", "", BENCHMARK_URL=url)
    del table
    with store(folder) as endpoint:
        for name in ("t.csv", "t.jsonl", "t.parquet"):
            run(f"S3 {name.removeprefix('t.')}", "s3", f"s3://benchmark/{name}", BENCHMARK_ENDPOINT=endpoint)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the table")
    parser.add_argument("--postgres", help="SQLAlchemy URL of a PostgreSQL that may be written to")
    parser.add_argument("--folder", type=Path, help="measure on this disk (default: the temporary folder)")
    parser.add_argument("--one-run", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one_run:
        print(json.dumps(one_run(*options.one_run, options.folder)))
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        found = measure(Path(folder), options.rows, options.postgres)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    if options.json:
        json.dump({"benchmark": "data_sources", "machine": machine, "rows": options.rows, "figures": found}, sys.stdout)
        print()
        return
    print(f"reading {options.rows:,} rows of 20 columns on {machine}")
    print(f"  {'':<20} {'wall s':>8} {'processor s':>12} {'memory MiB':>12}")
    for name, one in found.items():
        print(f"  {name:<20} {one['seconds']:>8.2f} {one['processor']:>12.2f} {one['memory']:>12.0f}")


if __name__ == "__main__":
    main()
