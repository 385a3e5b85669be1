"""One visit to one server: every kind of load, and what it cost.

Answers: requests a second, latencies, processor time per request, memory, errors.
A run beside which others used more of the machine than was agreed does not count.
"""

import os
import resource
import time
from dataclasses import dataclass
from pathlib import Path

from load import ask, wrk
from made import MANY
from processes import busy, cpu_seconds, pss_mib
from starting import Site, Up

__all__ = ["CELLS", "MOST_FOREIGN", "QUICK", "Load", "Plan", "Seen", "Visit", "visit"]

MOST_FOREIGN = 0.25  # share of the machine; beside more than that a run says little
_WARM_SECONDS = 0.5
_REST_SECONDS = 0.6  # after the last request, until memory is looked at again


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One kind of load."""

    name: str
    rows: int
    connections: int
    share: float  # of the longest run's seconds; what is compared by bounds runs longest


CELLS = (
    Load(name="c1", rows=1, connections=1, share=0.4),
    Load(name="c16", rows=1, connections=16, share=1),
    Load(name="c64", rows=1, connections=64, share=1),
    Load(name="bulk", rows=MANY, connections=4, share=0.7),
)
QUICK = tuple(cell for cell in CELLS if cell.name in ("c16", "bulk"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One run under load."""

    rate: float  # good answers a second
    p50_ms: float
    p99_ms: float
    cpu_us: float  # per request, all processes of the server
    helper_us: float  # per request, processes beside it: our signer
    errors: int
    foreign: float  # share of the machine that others used
    counts: bool  # whether that was little enough


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How every server is loaded."""

    loads: tuple[Load, ...]
    seconds: float
    rounds: int
    most_foreign: float = MOST_FOREIGN


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One start of one server."""

    first_answer: float  # seconds
    pss_mib: float  # right after the last request
    rest_mib: float  # a moment later
    helper_mib: float
    cells: dict[str, Seen]


def visit(found: Up, site: Site, plan: Plan, scratch: Path) -> Visit:
    """Warm it, then load it in every way it can be loaded."""
    _warm(found, site)
    cells = {}
    for load in plan.loads:
        if load.rows > 1 and found.server.dialect.read is None:
            continue
        if found.server.loads and load.name not in found.server.loads:
            continue
        cells[load.name] = _seen(found, site, load, plan, scratch)
    after = pss_mib(found.members())
    time.sleep(_REST_SECONDS)
    return Visit(
        first_answer=found.first_answer,
        pss_mib=after,
        rest_mib=pss_mib(found.members()),
        helper_mib=pss_mib(found.helpers),
        cells=cells,
    )


def _warm(found: Up, site: Site) -> None:
    """Ask until the token is known, threads have started and caches are filled."""
    request, until = found.request(found.server.dialect.body(site.made.rows[:1])), time.perf_counter() + _WARM_SECONDS
    while time.perf_counter() < until:
        ask(request)


def _seen(found: Up, site: Site, load: Load, plan: Plan, scratch: Path) -> Seen:
    request = found.request(found.server.dialect.body(site.made.rows[: load.rows]))
    before = _Used(found)
    answered = wrk(
        request,
        scratch,
        connections=load.connections,
        seconds=plan.seconds * load.share,
        cores=site.load_cores(found.server),
    )
    after = _Used(found)
    served = max(1, answered.requests - answered.errors)
    ours = after.server - before.server + after.helpers - before.helpers + after.load - before.load
    foreign = max(0.0, (after.busy - before.busy - ours) / (after.at - before.at) / (os.cpu_count() or 1))
    return Seen(
        rate=max(0, answered.requests - answered.errors) / answered.seconds,
        p50_ms=answered.p50_ms,
        p99_ms=answered.p99_ms,
        cpu_us=(after.server - before.server) / served * 1e6,
        helper_us=(after.helpers - before.helpers) / served * 1e6,
        errors=answered.errors,
        foreign=foreign,
        counts=foreign <= plan.most_foreign,
    )


class _Used:
    """Processor time so far: of the server, of its helpers, of the load, of all."""

    def __init__(self, found: Up) -> None:
        self.at, self.busy = time.perf_counter(), busy()
        self.server, self.helpers = cpu_seconds(found.members()), cpu_seconds(found.helpers)
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        self.load = sum(one.ru_utime + one.ru_stime for one in used)
