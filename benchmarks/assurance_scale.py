"""How long the standard suites take on a large table, and how much memory.

    python benchmarks/assurance_scale.py [--json] [--rows 1000000] [--engine processes]

50 columns: 30 numbers, 19 categories, a target that some of them explain; three quarters of the rows to learn from, a quarter to
judge on, as ONNX. Checks that predict look at 100,000 rows of each, drawn by lot; what only counts looks at all. The assessment is a
process of its own; peak memory is that of it and all its workers together, taken every twentieth of a second, with pages that
several of them share counted once.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather

_NUMBERS, _WORDS = 30, 19
_LEARNED = 20_000  # rows the model learns from: how good it is does not matter here


def make_table(rows: int) -> pa.Table:
    r = np.random.default_rng(20260101)
    base = r.normal(size=rows)
    columns: dict[str, object] = {}
    for place in range(_NUMBERS):
        values = np.round(r.normal(size=rows) + (0.6 * base if place < 5 else 0), 4)
        columns[f"n{place}"] = pa.array(values, mask=r.random(rows) < (0.05 if place % 6 == 5 else 0.0))
    for place in range(_WORDS):
        words = pa.array([f"value {number}" for number in range(3 + 2 * place)])
        columns[f"k{place}"] = words.take(pa.array(r.integers(0, len(words), rows)))
    columns["y"] = np.where(base + 0.5 * r.normal(size=rows) > 0, "good", "bad")
    return pa.table(columns)


def make_model(table: pa.Table) -> bytes:
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OrdinalEncoder

    few = table.slice(0, _LEARNED)
    packed = np.empty((few.num_rows, _NUMBERS + _WORDS), dtype=object)
    for place, name in enumerate(few.column_names[:-1]):
        packed[:, place] = few.column(name).to_numpy(zero_copy_only=False)
    encode = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    parts = [("n", "passthrough", list(range(_NUMBERS))), ("s", encode, list(range(_NUMBERS, _NUMBERS + _WORDS)))]
    model = make_pipeline(ColumnTransformer(parts), HistGradientBoostingClassifier(max_iter=60, random_state=0))
    model.fit(packed, few.column("y").to_numpy(zero_copy_only=False))
    inputs = [("numbers", FloatTensorType([None, _NUMBERS])), ("strings", StringTensorType([None, _WORDS]))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = to_onnx(model, initial_types=inputs, options={id(model): {"zipmap": False}}, target_opset=18)
    old = graph.graph.output[-1].name
    for node in graph.graph.node:
        node.output[:] = ["probabilities" if name == old else name for name in node.output]
    graph.graph.output[-1].name = "probabilities"
    return bytes(graph.SerializeToString())


def interface() -> dict[str, object]:
    return {
        "format": 1,
        "task": "binary",
        "target": "y",
        "classes": ["bad", "good"],
        "positive": "good",
        "numbers": [{"name": f"n{place}", "type": "number"} for place in range(_NUMBERS)],
        "strings": [
            {"name": f"k{place}", "categories": [f"value {number}" for number in range(3 + 2 * place)]}
            for place in range(_WORDS)
        ],
    }


def one_run(folder: Path, engine: str) -> dict[str, object]:
    from sealwright.assurance import SUITES, AssuranceSpec, run_suites
    from sealwright.doors.assessment import Assessment
    from sealwright.doors.wiring import spread_of

    peak = Peak()
    start = time.perf_counter()
    slow: dict[str, float] = {}
    last = ["", start]

    def told(line: str, _share: float) -> None:
        now = time.perf_counter()
        slow[str(last[0])] = now - float(last[1])
        last[:] = [line, now]

    test, train = (feather.read_table(folder / f"{name}.arrow", memory_map=True) for name in ("test", "train"))
    found = run_suites(
        list(SUITES),
        (folder / "model.onnx").read_bytes(),
        test,
        train,
        interface(),
        AssuranceSpec(),
        ["k0"],
        spread=spread_of(engine),
        progress=told,
    )
    end, most = time.perf_counter(), peak.end()
    Assessment("A large table", tuple(found)).save(folder / "page.html")
    return {
        "seconds": end - start,
        "peak": most,
        "page": (folder / "page.html").stat().st_size,
        "rows": dict(found[0].rows),
        "findings": sum(len(one.findings) for one in found),
        "slowest": sorted(((round(value, 1), name) for name, value in slow.items() if name), reverse=True)[:6],
    }


class Peak:
    """The most memory this process and its children held at once, in MiB, pages they share counted once (PSS)."""

    def __init__(self) -> None:
        self._most, self._over = 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def end(self) -> float:
        self._over.set()
        self._thread.join()
        return self._most

    def _watch(self) -> None:
        from sealwright.engines.process_tree import descendants

        own = os.getpid()
        while not self._over.wait(0.05):
            self._most = max(self._most, sum(map(_pss, [own, *descendants(own)])))


def _pss(process: int) -> float:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the table")
    parser.add_argument("--engine", default="processes", help="where the checks are carried out")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.folder:
        print(json.dumps(one_run(options.folder, options.engine)))
        return
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        table = make_table(options.rows)
        cut = options.rows // 4
        feather.write_feather(table.slice(0, cut), folder / "test.arrow", compression="uncompressed")
        feather.write_feather(table.slice(cut), folder / "train.arrow", compression="uncompressed")
        (folder / "model.onnx").write_bytes(make_model(table))
        del table
        command = [sys.executable, __file__, "--folder", str(folder), "--engine", options.engine]
        run = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    machine = f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}"
    if options.json:
        json.dump({"benchmark": "assurance_scale", "machine": machine, **run}, sys.stdout, indent=2)
        print()
        return
    rows = run["rows"]
    print(f"standard suites on {options.rows:,} rows x 50 columns on {machine}, engine {options.engine}")
    print(f"  wall clock      {run['seconds']:>8.1f} s")
    print(f"  peak memory     {run['peak']:>8,.0f} MiB  promised: <= 3,072")
    print(f"  report page     {run['page'] / 1e6:>8.2f} MB   promised: <= 3.00")
    print(
        f"  rows judged     {rows['test_judged']:>8,} of {rows['test']:,}; learned from {rows['train_judged']:,} of {rows['train']:,}"
    )
    print(f"  measurements    {run['findings']:>8,}")
    for seconds, name in run["slowest"]:
        print(f"  {seconds:>8.1f} s  {name}")


if __name__ == "__main__":
    main()
