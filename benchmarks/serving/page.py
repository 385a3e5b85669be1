"""The results as a page of the reference, and as JSON.

Answers: what was measured, on which machine, with which versions, and which bounds hold? What was not measured says so.
"""

import os
import platform
import statistics
import sysconfig
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bounds import Judged, scaling, tls_cost
from environments import LOCKS, pins
from measuring import MOST_FOREIGN, Plan
from medians import Found, Table, divided
from servers import SERVERS, Server

__all__ = ["Results", "as_json", "machine", "page", "summary"]

_ADDITIONS = 1_000_000
_BY_NAME = {server.name: server for server in SERVERS}
_SHOWN = {"fastapi": ("fastapi", "uvicorn"), "granian": ("granian",), "mlserver": ("mlserver", "uvloop")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Everything one run found."""

    at: datetime
    command: str
    plan: Plan
    load: str  # the generator and its version
    machine: str
    tables: dict[str, Table]  # by model
    bounds: list[Judged]
    abuse: dict[str, dict[str, str]]  # server -> request -> answer


def machine() -> str:
    """The machine in words: what a reader needs to compare with theirs."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores ({model}), {memory:.0f} GiB, Linux {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()} {_built()}, load before the run {os.getloadavg()[0]:.2f}; "
        f"an addition in a Python loop takes {_pace():.0f} ns"
    )


def _built() -> str:
    """How the interpreter was built, which moves whatever is Python by a fifth."""
    guided = "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "")
    return "(built with profile-guided optimisation)" if guided else "(built without profile-guided optimisation)"


def _pace() -> float:
    """Nanoseconds of processor time: virtual machines share caches and cores with others, and differ from hour to hour."""

    def once() -> float:
        begun, total = time.process_time(), 0
        for number in range(_ADDITIONS):
            total += number
        return (time.process_time() - begun) / _ADDITIONS * 1e9

    return statistics.median(once() for _ in range(5))


def page(results: Results) -> str:
    """The Markdown page."""
    parts = [_HEAD, _facts(results), _bounds(results.bounds)]
    parts += [words(results.tables["boosting"]) + "\n" for words in (tls_cost, scaling)]
    for kind, table in results.tables.items():
        parts += [f"## {_MODELS[kind]}\n\n{_TABLE_NOTE}\n", _rates(table), _costs(table), _absent(table)]
    if results.abuse:
        parts.append(f"## What the servers answer to bad input\n\n{_ABUSE_NOTE}\n\n{_abuse(results.abuse)}")
    return "\n".join(part for part in parts if part).rstrip() + "\n"


def summary(results: Results) -> str:
    """What a person at a terminal wants to see first."""
    lines = []
    for kind, table in results.tables.items():
        lines.append(f"{kind}: requests/s at 16 connections, processor time, 1000-row requests/s")
        for name, found in table.servers.items():
            figures = (found.median("c16", "rate"), found.median("c16", "cpu_us"), found.median("bulk", "rate"))
            rate, cpu, bulk = map(_number, figures)
            lines.append(f"  {name:<22}{rate:>9}/s {cpu:>8} µs {bulk:>8}/s  {found.why_not}".rstrip())
    lines += [f"  {one.result:<13}{one.value:>10} ({one.limit})  {one.claim}" for one in results.bounds]
    return "\n".join(lines)


def as_json(results: Results) -> dict[str, Any]:
    """Every run, not medians alone."""
    return {
        "benchmark": "serving",
        "at": results.at.isoformat(timespec="seconds"),
        "machine": results.machine,
        "load": results.load,
        "plan": asdict(results.plan),
        "versions": {path.stem: pins(path.stem) for path in sorted(LOCKS.glob("*.txt"))} | {"own": _own()},
        "models": {
            kind: {
                name: {"why_not": found.why_not, "visits": [asdict(one) for one in found.visits]}
                for name, found in table.servers.items()
            }
            for kind, table in results.tables.items()
        },
        "bounds": [asdict(one) for one in results.bounds],
        "abuse": results.abuse,
    }


def _facts(results: Results) -> str:
    peers = {path.stem: pins(path.stem) for path in sorted(LOCKS.glob("*.txt"))}
    shown = [f"{name} {all_of[name]}" for peer, all_of in peers.items() for name in _SHOWN.get(peer, (peer,))]
    own = ", ".join(f"{name} {number}" for name, number in _own().items())
    busy = _BUSY if results.plan.most_foreign > MOST_FOREIGN else ""
    return (
        f"{busy}**{results.at:%Y-%m-%d}**, `{results.command}`: rounds: {results.plan.rounds}, {results.plan.seconds:g} seconds a run at 16 and 64 connections, fewer elsewhere; a run counts "
        f"beside which others used at most {results.plan.most_foreign:.0%} of the machine.\n\n"
        f"**Machine.** {results.machine}. Load: {results.load}.\n\n"
        f"**Peers.** {', '.join(shown)}; all packages with their hashes: `benchmarks/serving/locks`.\n\n"
        f"**Here.** {own}.\n"
    )


def _own() -> dict[str, str]:
    found = {}
    for name in ("sealwright", "uvicorn", "uvloop", "httptools", "msgspec", "onnxruntime", "scikit-learn", "numpy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "of this checkout"
    return found


def _bounds(bounds: list[Judged]) -> str:
    lines = [f"| {one.claim} | {one.limit} | {one.value} | {one.result} |" for one in bounds]
    return f"## What must hold\n\n{_BOUNDS_NOTE}\n\n| what | bound | measured | |\n|---|---|---|---|\n" + (
        "\n".join(lines) + "\n"
    )


def _rates(table: Table) -> str:
    head = (
        "| server | what it is | req/s c=1 | req/s c=16 | req/s c=64 | 1000 rows, req/s c=4 | MLflow = 1 | ours = 1 |\n"
    )
    rows = []
    for name, found in _fastest_first(table):
        rates = [_number(found.median(cell, "rate")) for cell in ("c1", "c16", "c64", "bulk")]
        against = [_times(table.ratio(name, other)) for other in ("mlflow", "sealwright")]
        rows.append(f"| {' | '.join([name, _about(_BY_NAME[name]), *rates, *against])} |")
    return head + "|---|---|" + "---:|" * 6 + "\n" + "\n".join(rows) + "\n"


def _costs(table: Table) -> str:
    head = (
        "| server | p50 / p99 ms c=1 | p50 / p99 ms c=16 | p50 / p99 ms c=64 | CPU µs/req c=16 | beside it µs/req | all of it, ours = 1 | PSS MiB | at rest "
        "| beside it MiB | first answer s | others' share | errors | runs | dropped |\n"
    )
    rows, ours = [], table.servers.get("sealwright", Found())
    for name, found in _fastest_first(table):
        tails = [
            f"{_number(found.median(cell, 'p50_ms'))} / {_number(found.median(cell, 'p99_ms'))}"
            for cell in ("c1", "c16", "c64")
        ]
        figures = [_number(found.median("c16", figure)) for figure in ("cpu_us", "helper_us")]
        figures += [_times(divided(found.spent("c16"), ours.spent("c16")))]
        figures += [_number(found.of_visit(figure)) for figure in ("pss_mib", "rest_mib", "helper_mib", "first_answer")]
        figures += [_share(found.median("c16", "foreign"))]
        counted = [str(found.errors), str(len(found.seen("c16"))), str(found.dropped)]
        rows.append(f"| {' | '.join([name, *tails, *figures, *counted])} |")
    return head + "|---|" + "---:|" * 14 + "\n" + "\n".join(rows) + "\n"


def _absent(table: Table) -> str:
    lines = [f"- {name}: {found.why_not}" for name, found in table.servers.items() if found.why_not]
    return "Not measured:\n\n" + "\n".join(lines) + "\n" if lines else ""


def _abuse(abuse: dict[str, dict[str, str]]) -> str:
    servers = list(abuse)
    requests = list(next(iter(abuse.values())))
    rows = [f"| {name} | {' | '.join(abuse[server].get(name, '–') for server in servers)} |" for name in requests]
    return f"| request | {' | '.join(servers)} |\n{'|---' * (len(servers) + 1)}|\n" + "\n".join(rows) + "\n"


def _fastest_first(table: Table) -> list[tuple[str, Found]]:
    there = [(name, found) for name, found in table.servers.items() if found.visits]
    return sorted(there, key=lambda pair: -(pair[1].median("c16", "rate") or 0.0))


def _about(server: Server) -> str:
    return f"{server.group}: {server.about}"


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def _times(value: float | None) -> str:
    return "–" if value is None else f"{_number(value)}×"


_MODELS = {
    "boosting": "One-hot encoding and 100 boosted trees",
    "logistic": "Standard scaler, one-hot encoding and logistic regression",
}
_HEAD = """<!-- Made by benchmarks/serving/run.py. Run: make bench-serving -->

# Serving benchmark

The same model, machine and client for every server: one worker on one core, the load generator on the other, keep-alive,
one row of 20 features a request unless said otherwise. Servers are visited in random order in every round, so that what else
the machine does meets all of them; figures are medians, and ratios are what to look at. Before a server is timed its
probabilities are compared with scikit-learn's, for one row and for a thousand, to 1e-5; each environment trained the
model itself from the same rows and seed. A thousand rows go to ours by column, to MLServer as one tensor a column, and to the
others as objects, like the single row; `sealwright-rows` takes objects, too. Peers start as their documentation says, without security;
`-ort` is the same server with ONNX Runtime inside, `-batching` with its own adaptive batching.

`sealwright` is everything on: a token checked for each request, the data contract, a sealed model, and a record sealed and
on disk before the answer leaves. It speaks plain HTTP here as all others do; `sealwright-tls` is the same behind TLS 1.3, and the
difference is what TLS costs. wrk checks no certificate; our check of the answers does. Processor time counts every process
a server started; the signer, which works beside ours, is counted apart. "others' share" is how much of the machine
programs beside the benchmark used; a run with too much of it is dropped. `OMP_NUM_THREADS=1` for all, which helps scikit-learn.
"""
_BUSY = """**Measured on a busy machine.** Runs counted whatever else it did: requests a second, latencies and ratios of them
say little here; processor time is the steadier figure.

"""
_BOUNDS_NOTE = """One run, one worker, requests of one row at 16 connections unless it says otherwise. "×" is our requests a
second over theirs. A bound is only judged where everything it compares was measured."""
_TABLE_NOTE = "Fastest at 16 connections first. A dash was not measured."
_ABUSE_NOTE = """T: a Python traceback in the answer, P: a path of the server, S: the whole list of features. 0: the
connection was closed. Each request is in the server's own dialect (`benchmarks/serving/abuse.py`)."""
