"""A contract check of a wide table, side by side with pandera and Great Expectations.

    python benchmarks/data_check.py [--json] [--rows 1000000] [--rounds 3] [--peers PYTHON] [--only ours,pandera-polars]

50 columns: 10 whole numbers (bounds, one of them unique), 10 numbers (bounds), 10 categories (a list of values),
5 booleans, 5 dates (bounds), 10 texts (a pattern and a length); no column may hold an empty cell. The same rules are
written for each tool in its own idiom, with native types and nothing coerced. Each run is a process of its own: it
reads the Parquet file with the tool's usual reader and checks what is in memory; ours also checks the file as it
streams by. The tools take turns, so that they meet the same load; the best round counts, since other work on the
machine only ever adds. Processor time is given beside, which feels it less.

The peers are no dependencies of ours. --peers names a Python that has `pandera[polars]`, `pyarrow` and
`great_expectations`; without it pandera runs in this Python, and what is not installed is left out and said so.
Great Expectations is asked for the verdict only (BOOLEAN_ONLY), its fastest answer.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

WORDS = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"]
PATTERN = "^[A-H][K-N][0-9]{6}$"
FIRST, LAST = "2015-01-01", "2030-01-01"
KINDS = {"i": 10, "n": 10, "k": 10, "b": 5, "d": 5, "t": 10}
NAMES = [f"{kind}{place}" for kind, count in KINDS.items() for place in range(count)]
TOOLS = ("ours", "ours, a polars frame", "pandera-polars", "pandera-pandas", "great-expectations")


def write_table(path: Path, rows: int) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    random = np.random.default_rng(20260101)
    letters = np.array([f"{one}{two}" for one in "ABCDEFGH" for two in "KLMN"])
    make: dict[str, Callable[[int], Any]] = {
        "i": lambda place: random.integers(0, 100_000, rows) if place else random.permutation(rows),
        "n": lambda _: np.round(random.normal(size=rows).clip(-5, 5), 6),
        "k": lambda _: np.array(WORDS)[random.integers(0, len(WORDS), rows)],
        "b": lambda _: random.integers(0, 2, rows).astype(bool),
        "d": lambda _: (np.datetime64(FIRST) + random.integers(0, 3000, rows)).astype("datetime64[D]"),
        "t": lambda _: np.char.add(
            letters[random.integers(0, len(letters), rows)],
            np.char.zfill(random.integers(0, 10**6, rows).astype(str), 6),
        ),
    }
    pq.write_table(pa.table({name: make[name[0]](int(name[1:])) for name in NAMES}), path)


Run = tuple[Callable[[Path], Any], Callable[[Any], bool]]  # read; check, True if the contract is kept


def ours(path: Path) -> tuple[Callable[[], bool], Run]:
    """Our checker on the file itself, and on an Arrow table of it."""
    import pyarrow.parquet as pq

    import sealwright.data.contracts.repeats  # noqa: F401 - imported before the clock starts, as the peers are
    from sealwright.data.contracts import Contract, check_contract

    rules: dict[str, dict[str, Any]] = {
        "i": {"type": "integer", "min": 0, "max": 10**7},
        "n": {"type": "number", "min": -5, "max": 5},
        "k": {"type": "category", "categories": WORDS},
        "b": {"type": "boolean"},
        "d": {"type": "date", "min": FIRST, "max": LAST},
        "t": {"type": "text", "pattern": PATTERN, "min_length": 8, "max_length": 8},
    }
    columns = {name: {**rules[name[0]], "unique": name == "i0"} for name in NAMES}
    contract = Contract.model_validate({"columns": columns})
    return lambda: check_contract(path, contract).passed, (
        pq.read_table,
        lambda table: check_contract(table, contract).passed,
    )


def ours_polars(path: Path) -> tuple[None, Run]:
    import polars as pl

    _, (_, check) = ours(path)
    return None, (pl.read_parquet, check)


def pandera_columns(api: Any, types: dict[str, Any], days: tuple[Any, Any]) -> dict[str, Any]:
    check = api.Check
    rules = {
        "i": [check.ge(0), check.le(10**7)],
        "n": [check.ge(-5), check.le(5)],
        "k": [check.isin(WORDS)],
        "b": [],
        "d": [check.ge(days[0]), check.le(days[1])],
        "t": [check.str_matches(PATTERN), check.str_length(8, 8)],
    }
    return {name: api.Column(types[name[0]], rules[name[0]], unique=name == "i0") for name in NAMES}


def pandera_polars(_path: Path) -> tuple[None, Run]:
    import datetime as dt

    import pandera.polars as api
    import polars as pl

    types = {"i": pl.Int64, "n": pl.Float64, "k": pl.String, "b": pl.Boolean, "d": pl.Date, "t": pl.String}
    days = (dt.date.fromisoformat(FIRST), dt.date.fromisoformat(LAST))
    schema = api.DataFrameSchema(pandera_columns(api, types, days), strict=True)
    return None, (pl.read_parquet, lambda frame: schema.validate(frame, lazy=True) is not None)


def read_pandas(path: Path) -> Any:
    """Days as pandas keeps them best: datetime64, not an object a cell."""
    import pandas as pd

    frame = pd.read_parquet(path)
    return frame.assign(
        **{name: pd.to_datetime(frame[name]).astype("datetime64[ns]") for name in NAMES if name[0] == "d"}
    )


def pandera_pandas(_path: Path) -> tuple[None, Run]:
    import pandas as pd
    import pandera.pandas as api

    types = {"i": "int64", "n": "float64", "k": "str", "b": "bool", "d": "datetime64[ns]", "t": "str"}
    days = (pd.Timestamp(FIRST), pd.Timestamp(LAST))
    schema = api.DataFrameSchema(pandera_columns(api, types, days), strict=True)
    return None, (read_pandas, lambda frame: schema.validate(frame, lazy=True) is not None)


def great_expectations(_path: Path) -> tuple[None, Run]:
    import logging

    import great_expectations as gx
    import great_expectations.expectations as ex
    import pandas as pd

    logging.disable(logging.CRITICAL)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    rules: dict[str, Callable[[str], list[Any]]] = {
        "i": lambda c: [ex.ExpectColumnValuesToBeBetween(column=c, min_value=0, max_value=10**7)],
        "n": lambda c: [ex.ExpectColumnValuesToBeBetween(column=c, min_value=-5, max_value=5)],
        "k": lambda c: [ex.ExpectColumnValuesToBeInSet(column=c, value_set=WORDS)],
        "b": lambda _: [],
        "d": lambda c: [
            ex.ExpectColumnValuesToBeBetween(column=c, min_value=pd.Timestamp(FIRST), max_value=pd.Timestamp(LAST))
        ],
        "t": lambda c: [
            ex.ExpectColumnValuesToMatchRegex(column=c, regex=PATTERN),
            ex.ExpectColumnValueLengthsToBeBetween(column=c, min_value=8, max_value=8),
        ],
    }
    types = {"i": "int64", "n": "float64", "b": "bool", "d": "datetime64[ns]"}
    found = [
        ex.ExpectTableColumnsToMatchSet(column_set=NAMES, exact_match=True),
        ex.ExpectColumnValuesToBeUnique(column="i0"),
    ]
    for name in NAMES:
        found += [ex.ExpectColumnValuesToNotBeNull(column=name), *rules[name[0]](name)]
        if name[0] in types:
            found.append(ex.ExpectColumnValuesToBeOfType(column=name, type_=types[name[0]]))
    suite = context.suites.add(gx.ExpectationSuite(name="contract", expectations=found))
    batches = (
        context.data_sources.add_pandas("frames")
        .add_dataframe_asset("frame")
        .add_batch_definition_whole_dataframe("all")
    )

    def check(frame: Any) -> bool:
        batch = batches.get_batch({"dataframe": frame})
        return bool(batch.validate(suite, result_format="BOOLEAN_ONLY").success)

    return None, (read_pandas, check)


_MAKERS: dict[str, Callable[[Path], Any]] = dict(
    zip(TOOLS, (ours, ours_polars, pandera_polars, pandera_pandas, great_expectations), strict=True)
)


def one_run(tool: str, path: Path) -> dict[str, float]:
    """Seconds of the wall clock and of the processor, from the file and in memory, and this process's memory at its height."""
    warnings.simplefilter("ignore")
    streamed, (read, check) = _MAKERS[tool](path)
    taken: dict[str, float] = {}
    if streamed is not None:
        taken |= _timed("from the file", streamed)
        taken["memory, from the file"] = _memory()
        frame = read(path)
        return taken | _timed("in memory", lambda: check(frame))
    frames: list[Any] = []
    reading = _timed("", lambda: frames.append(read(path)) or True)
    taken |= _timed("in memory", lambda: check(frames[0]))
    for clock in ("", ", processor"):
        taken[f"from the file{clock}"] = reading[clock] + taken[f"in memory{clock}"]
    return {**taken, "memory, from the file": _memory()}


def _timed(what: str, work: Callable[[], bool]) -> dict[str, float]:
    start, processor = time.perf_counter(), time.process_time()
    assert work(), "a breach was found in data that has none"
    return {what: time.perf_counter() - start, f"{what}, processor": time.process_time() - processor}


def _memory() -> float:
    """The most memory this process ever held, in MiB."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def measure(path: Path, rounds: int, tools: list[str], peers: str) -> dict[str, dict[str, float]]:
    """The best of each figure, tool by tool; the tools take turns. A tool that is not installed has no figures."""
    runs: dict[str, list[dict[str, float]]] = {tool: [] for tool in tools}
    for _ in range(rounds):
        for tool, taken in list(runs.items()):
            python = sys.executable if tool.startswith("ours") or not peers else peers
            command = [python, __file__, "--one-run", tool, "--source", str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode and "ModuleNotFoundError" in done.stderr:
                print(f"{tool} is not installed in {python}; left out", file=sys.stderr)
                del runs[tool]
            elif done.returncode:
                raise SystemExit(f"{tool} failed:\n{done.stderr[-2000:]}")
            else:
                taken.append(json.loads(done.stdout.splitlines()[-1]))
    return {tool: {name: min(run[name] for run in taken) for name in taken[0]} for tool, taken in runs.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the table")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each tool; the best counts")
    parser.add_argument("--peers", default="", help="a Python that has the other tools")
    parser.add_argument("--only", default=",".join(TOOLS).replace(", ", "; "), help="tools to run, by commas")
    parser.add_argument("--one-run", choices=TOOLS, help=argparse.SUPPRESS)
    parser.add_argument("--source", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one_run:
        print(json.dumps(one_run(options.one_run, options.source)))
        return
    tools = [tool.replace("; ", ", ") for tool in options.only.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        write_table(Path(folder) / "table.parquet", options.rows)
        found = measure(Path(folder) / "table.parquet", options.rounds, tools, options.peers)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    if options.json:
        body = {"benchmark": "data_check", "machine": machine, "rows": options.rows, "figures": found}
        print(json.dumps(body, indent=2))
        return
    print(f"data_check on {machine}: {options.rows:,} rows x {len(NAMES)} columns")
    for name in found.get("ours", {}):
        print(f"  {name}")
        for tool, figures in found.items():
            ratio = figures[name] / found["ours"][name]
            unit = "MiB" if name.startswith("memory") else "s"
            print(f"    {tool:<24} {figures[name]:>10,.2f} {unit:<4} {ratio:>6.1f} x ours")


if __name__ == "__main__":
    main()
