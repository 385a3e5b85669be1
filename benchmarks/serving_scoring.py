"""What a row costs when a file is scored, beside a loop over the HTTP server and beside the bare model.

    python benchmarks/serving_scoring.py [--json] [--rows 200000] [--rounds 3] [--person]

The same CSV (20 features of German credit's shape) and the small ONNX model of the tests, four ways, one after the other in each round:

- scored: `score` into CSV: checked, recorded (encrypted, on disk, one Merkle root a batch), output written;
- scored, lines: the same into JSON lines;
- bare model: pyarrow reads the CSV, ONNX Runtime runs it, pyarrow writes label and probability. Nothing is checked or recorded;
- server, single rows and server, 1,000 rows: one client asks the serving process over TLS and a kept connection. It records every
  request, so a thousand rows of a request have one record and one receipt there, and a row of its own where they come singly.

Processor time is of all processes involved. `--person` adds a column of identifiers, each turned into a pseudonym. The largest memory
of the process that scores is told beside, for the file and for one of a tenth of it.
"""

import argparse
import contextlib
import csv
import http.client
import importlib.util
import json
import multiprocessing
import resource
import ssl
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))
_SINGLE_ROWS = 4000  # of a loop that asks row by row
_SERVED_ROWS = 50_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--person", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measured(Path(folder), asked.rows, asked.rounds, person=asked.person)
    if asked.json:
        print(json.dumps(found, indent=2))
        return
    bare = found["ways"]["bare model"]["rows a second"]
    print(f"{found['rows']:,} rows, {found['megabytes']:.0f} MB of CSV; medians of {found['rounds']} rounds\n")
    print(f"{'way':<22} {'rows/s':>10} {'CPU µs/row':>11} {'x bare':>7}")
    for name, one in found["ways"].items():
        rate = one["rows a second"]
        print(f"{name:<22} {rate:>10,.0f} {one['microseconds of processor']:>11.1f} {rate / bare:>7.2f}")
    print(
        f"\nlargest memory: {found['memory']['tenth']:.0f} MB for a tenth of the file, {found['memory']['whole']:.0f} MB for all of it"
    )


def measured(folder: Path, rows: int, rounds: int, *, person: bool) -> dict[str, Any]:
    house = _house()
    made = house.House(folder / "home")
    made.release()
    source = _table(folder / "in.csv", house, rows)
    tenth = _table(folder / "tenth.csv", house, rows // 10)
    made.ledger.close()
    about = {"format": 1, "id": "ws_1", "name": "Bank", "database": ""}
    (made.home / "workspace.json").write_text(json.dumps(about, sort_keys=True, separators=(",", ":")))
    model = folder / "model.onnx"
    model.write_bytes(house.credit_model(house.credit_interface()))
    ways: dict[str, list[tuple[float, float]]] = {}
    memory = {
        "tenth": _apart(_scored, made.home, tenth, folder / "tenth.out.csv", person)[2],
        "whole": 0.0,
    }
    with made.launch(stderr=None) as running:
        for at in range(rounds):
            steps: dict[str, Callable[[], tuple[int, float, float]]] = {
                "bare model": lambda: (rows, *_apart(_bare, model, source, folder / "bare.csv")[:2]),
                "scored": lambda at=at: _kept(
                    memory, rows, _apart(_scored, made.home, source, folder / f"{at}.csv", person)
                ),  # type: ignore[misc]
                "scored, lines": lambda at=at: (
                    rows,
                    *_apart(_scored, made.home, source, folder / f"{at}.jsonl", person)[:2],
                ),  # type: ignore[misc]
                "server, 1,000 rows": lambda: _asked(made, running, source, 1000, min(rows, _SERVED_ROWS)),
                "server, single rows": lambda: _asked(made, running, source, 1, min(rows, _SINGLE_ROWS)),
            }
            for name, step in steps.items():
                count, wall, processor = step()
                ways.setdefault(name, []).append((count / wall, processor / count * 1e6))
    made.close()
    return {
        "rows": rows,
        "rounds": rounds,
        "megabytes": source.stat().st_size / 1e6,
        "memory": memory,
        "ways": {
            name: {
                "rows a second": statistics.median(rate for rate, _ in found),
                "microseconds of processor": statistics.median(cost for _, cost in found),
            }
            for name, found in ways.items()
        },
    }


def _kept(memory: dict[str, float], rows: int, found: tuple[float, float, float]) -> tuple[int, float, float]:
    memory["whole"] = max(memory["whole"], found[2])
    return rows, found[0], found[1]


def _apart(do: Callable[..., None], *arguments: Any) -> tuple[float, float, float]:
    """In a process of its own: seconds, seconds of processor (its children's too), and its largest memory in MB."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_timed, args=(theirs, do, *arguments))
    process.start()
    found: tuple[float, float, float] = ours.recv()
    process.join()
    return found


def _timed(out: Any, do: Callable[..., None], *arguments: Any) -> None:
    do(*arguments, only_import=True)
    begun, used = time.perf_counter(), _processor()
    do(*arguments)
    out.send((time.perf_counter() - begun, _processor() - used, _largest()))


def _largest() -> float:
    """The largest memory of this process since it was started; `ru_maxrss` would begin with that of its parent."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1e3


def _processor() -> float:
    return sum(
        found.ru_utime + found.ru_stime
        for found in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


def _scored(home: Path, source: Path, out: Path, person: bool, *, only_import: bool = False) -> None:

    import sealwright.pipeline.scoring  # noqa: F401
    from acting import operator
    from sealwright.pipeline import open_workspace, score
    from sealwright.trust import KeyFile

    if only_import:
        return
    with open_workspace(home, KeyFile(home / "key")) as workspace:
        score(
            workspace, str(source), project="german-credit", out=out, by=operator(), keys=["id"],
            person="id" if person else "",
        )  # fmt: skip


def _bare(model: Path, source: Path, out: Path, *, only_import: bool = False) -> None:
    """What somebody writes who wants no more than answers: read, run, write, batch by batch."""
    import onnxruntime
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.csv as pcsv

    interface = _house().credit_interface()
    numbers = [one["name"] for one in interface["numbers"]]
    strings = [one["name"] for one in interface["strings"]]
    if only_import:
        return
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.read_bytes(), options)
    kinds = dict.fromkeys(numbers, pa.float32()) | dict.fromkeys(strings, pa.string())
    kinds |= {"opened": pa.date32(), "foreign_worker": pa.bool_()}
    reader = pcsv.open_csv(source, convert_options=pcsv.ConvertOptions(column_types=kinds))
    schema = pa.schema([("id", pa.string()), ("label", pa.string()), ("good", pa.float32())])
    with pcsv.CSVWriter(out, schema) as writer:
        for batch in reader:
            packed = [pc.cast(pc.cast(batch.column(name), pa.int32()), pa.float32()) if name in ("opened", "foreign_worker")
                      else batch.column(name) for name in numbers]  # fmt: skip
            feeds = {
                "numbers": np.column_stack([column.to_numpy(zero_copy_only=False) for column in packed]).astype(
                    np.float32
                ),
                "strings": np.column_stack([batch.column(name).to_numpy(zero_copy_only=False) for name in strings]),
            }
            shares = session.run(["probabilities"], feeds)[0]
            labels = np.array(["good", "bad"])[shares.argmax(axis=1)]
            writer.write_batch(pa.record_batch([batch.column("id"), pa.array(labels), pa.array(shares[:, 0])], schema))


def _asked(made: Any, running: Any, source: Path, at_once: int, rows: int) -> tuple[int, float, float]:
    """One client over one kept connection; the processor time of server and client together."""
    bodies = list(_bodies(source, at_once, rows))
    tls = ssl.create_default_context(cafile=str(made.tls.ca))
    headers = {"Authorization": f"Bearer {made.token()}", "Content-Type": "application/json"}
    with contextlib.closing(http.client.HTTPSConnection("localhost", running.port, context=tls)) as link:
        used, own, begun = _used_by(running.pid), time.process_time(), time.perf_counter()
        for body in bodies:
            while True:
                link.request("POST", "/v1/models/german-credit/predict", body, headers)
                answer = link.getresponse()
                told = answer.read()
                if answer.status != 429:  # its budget, which a file has none of
                    break
                time.sleep(float(answer.headers.get("Retry-After", "1")))
            assert answer.status == 200, told[:200]
        wall = time.perf_counter() - begun
    return rows, wall, _used_by(running.pid) - used + time.process_time() - own


def _used_by(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def _bodies(source: Path, at_once: int, rows: int) -> Iterator[bytes]:
    waiting: list[dict[str, Any]] = []
    with source.open(newline="") as stream:
        for _, line in zip(range(rows), csv.DictReader(stream), strict=False):
            waiting.append({name: _value(name, cell) for name, cell in line.items() if name != "id"})
            if len(waiting) == at_once:
                yield json.dumps({"row": waiting[0]} if at_once == 1 else {"columns": _by_column(waiting)}).encode()
                waiting = []


def _by_column(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def _value(name: str, cell: str) -> Any:
    if name == "foreign_worker":
        return cell == "true"
    if name in ("amount", "rate"):
        return float(cell) if cell else None
    return int(cell) if name == "age" or name[0] == "n" else cell


def _table(path: Path, house: Any, rows: int) -> Path:
    usual, draw = house.credit_row(), np.random.default_rng(7)
    ages, amounts = draw.integers(18, 101, rows), np.round(draw.uniform(250, 20_000, rows), 2)
    codes = {name: draw.choice(house.CATEGORIES, rows) for name in usual if name[0] == "c"}
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", *usual])
        for at in range(rows):
            row = usual | {"age": ages[at], "amount": amounts[at], "rate": 0.5, "foreign_worker": "true"}
            writer.writerow([f"p{at}", *(codes[name][at] if name in codes else cell for name, cell in row.items())])
    return path


def _house() -> Any:
    if "serving_house" not in sys.modules:
        spec = importlib.util.spec_from_file_location("serving_house", HERE.parent / "tests" / "serving" / "house.py")
        assert spec is not None
        assert spec.loader is not None
        house = importlib.util.module_from_spec(spec)
        sys.modules["serving_house"] = house
        spec.loader.exec_module(house)
    return sys.modules["serving_house"]


if __name__ == "__main__":
    main()
