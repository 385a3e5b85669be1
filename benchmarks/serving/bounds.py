"""What must hold, and what was found: every bound is judged, none is left out.

Answers: met, not met, or not measured? A bound with anything missing is not measured.
All of them are about one run, one worker on one core, and requests of one row at 16 connections unless they say otherwise.
"""

from collections.abc import Callable
from dataclasses import dataclass

from medians import Table, divided

__all__ = ["BOUNDS", "DOCUMENTED", "TUNED", "Bound", "Judged", "judge", "scaling", "tls_cost"]

OURS = "sealwright"
DOCUMENTED = ("mlflow", "bentoml", "kserve", "litserve", "mlserver")
TUNED = (
    "mlflow-ort", "bentoml-ort", "bentoml-batching", "mlserver-p0", "mlserver-ort", "mlserver-batching",
    "litserve-ort", "litserve-batching",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """One thing that must hold."""

    claim: str
    limit: float
    unit: str
    measure: Callable[[Table], float | None]
    least: bool = True  # else at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A bound and its measured value."""

    claim: str
    limit: str
    value: str
    result: str  # "met", "not met", "not measured"


def judge(table: Table, model_bytes: int) -> list[Judged]:
    """Every bound, in order.

    Parameters
    ----------
    model_bytes : int
        Size of the served model, which the memory bound leaves out.
    """
    return [_judged(bound, table) for bound in [*BOUNDS, _memory(model_bytes)]]


def tls_cost(table: Table) -> str:
    """What TLS alone costs, in words."""
    cpu, share = table.more("sealwright-tls", OURS, "c16", "cpu_us"), table.ratio("sealwright-tls", OURS)
    if cpu is None or share is None:
        return "What TLS costs was not measured."
    return (
        f"TLS 1.3 on kept connections adds {cpu:.0f} µs of processor time to a request at 16 connections and leaves "
        f"{share:.0%} of the requests a second; handshakes come on top, once a connection."
    )


def scaling(table: Table) -> str:
    """What a second worker gives where the load is somewhere else for one of them only, in words."""
    plain = table.ratio("sealwright-2-workers", OURS, "c64")
    if plain is None:
        return "Two workers beside the load generator were not measured."
    return (
        f"Two workers that share their second core with the load generator answer {plain:.2f}× as many requests a second as one that has a "
        "core, and the generator another. The bound compares like with like: everything on two cores with everything on one."
    )


def _judged(bound: Bound, table: Table) -> Judged:
    value, sign = bound.measure(table), "≥" if bound.least else "≤"
    met = value is not None and (value >= bound.limit if bound.least else value <= bound.limit)
    return Judged(
        claim=bound.claim,
        limit=f"{sign} {bound.limit:g}{bound.unit}",
        value="–" if value is None else f"{value:.3g}{bound.unit}" if value < 1000 else f"{value:,.0f}{bound.unit}",
        result="not measured" if value is None else "met" if met else "not met",
    )


def _times(claim: str, limit: float, *others: str, cell: str = "c16") -> Bound:
    """At least so many times the requests of the fastest of some others."""
    return Bound(claim=claim, limit=limit, unit="×", measure=lambda table: table.lead(OURS, others, cell))


def _at_most(claim: str, limit: float, unit: str, measure: Callable[[Table], float | None]) -> Bound:
    return Bound(claim=claim, limit=limit, unit=unit, measure=measure, least=False)


def _memory(model_bytes: int) -> Bound:
    def measure(table: Table) -> float | None:
        mib = table.of_visit(OURS, "rest_mib")
        return None if mib is None else (mib * 2**20 - model_bytes) / 1e6

    claim = "Memory of one worker a moment after the last request, the model file's size taken off"
    return _at_most(claim, 100, " MB", measure)


def _added(table: Table, bare: str) -> float | None:
    ours, theirs = table.spent(OURS), table.spent(bare)
    return None if ours is None or theirs is None else ours - theirs


BOUNDS = (
    _times("Times MLflow `models serve`", 45, "mlflow"),
    _times("Times BentoML", 35, "bentoml"),
    _times("Times KServe", 25, "kserve"),
    _times("Times LitServe", 25, "litserve"),
    _times("Times MLServer", 25, "mlserver"),
    _times("Times the best of MLflow, BentoML, MLServer and LitServe with ONNX Runtime or their own batching", 8, *TUNED),
    _times("Times KServe with ONNX Runtime", 4, "kserve-ort"),
    _times("Times FastAPI with ONNX Runtime, no security", 2, "fastapi-ort", "fastapi-ort-async"),
    _times("Times bare ASGI with ONNX Runtime, no security", 0.85, "onnx-uvicorn"),
    Bound(claim="The same by processor time, which moves less: theirs over ours, signer included", limit=0.85, unit="×",
          measure=lambda table: divided(table.spent("onnx-uvicorn"), table.spent(OURS))),
    _at_most(
        "Processor time that all controls add to that, signer included", 25, " µs",
        lambda table: _added(table, "onnx-uvicorn"),
    ),
    _at_most(
        "The same against the faster bare app, whose words are found by dictionary", 25, " µs",
        lambda table: _added(table, "onnx-uvicorn-clf"),
    ),
    _at_most("p99 at 16 connections", 4, " ms", lambda table: table.figure(OURS, "c16", "p99_ms")),
    _at_most("p99 at 64 connections", 12, " ms", lambda table: table.figure(OURS, "c64", "p99_ms")),
    Bound(claim="Requests a second, strict over fast recording at 16 connections", limit=0.95, unit="×",
          measure=lambda table: table.ratio(OURS, "sealwright-fast")),
    Bound(claim="Requests a second, strict over fast recording at 64 connections", limit=0.95, unit="×",
          measure=lambda table: table.ratio(OURS, "sealwright-fast", "c64")),
    _at_most("Start to the first answer", 1, " s", lambda table: table.of_visit(OURS, "first_answer")),
    _times("1000 rows a request, ours by column, times the best of all peers, tuned or not", 4, *DOCUMENTED, *TUNED, "kserve-ort", cell="bulk"),
    Bound(claim="Two workers over one at 64 connections: everything, the load too, on two cores over everything on one",
          limit=1.8, unit="×", measure=lambda table: table.ratio("sealwright-on-2-cores", "sealwright-on-1-core", "c64")),
)  # fmt: skip
