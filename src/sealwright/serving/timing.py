"""How long each step of one request took, for who may know: the header Server-Timing (W3C Server Timing, 2023).

Answers: where did this request's milliseconds go?
Does not answer: what a step costs on average. `benchmarks/serving_steps.py` attributes processor time.

Only measured where it is asked for, by a caller whose token says so: times tell an outsider about other callers' load.
"""

from time import perf_counter

__all__ = ["TIMING_HEADER", "Times"]

TIMING_HEADER = b"sealwright-timing"
"""A request with this header asks for its times."""


class Times:
    """The steps of one request, in their order."""

    __slots__ = ("_last", "_steps")

    def __init__(self) -> None:
        self._last = perf_counter()
        self._steps: list[tuple[str, float]] = []

    def mark(self, step: str) -> None:
        """The step that ends now took from the last mark until now."""
        now = perf_counter()
        self._steps.append((step, now - self._last))
        self._last = now

    def header(self) -> tuple[bytes, bytes]:
        """The response header, in milliseconds."""
        told = ", ".join(f"{step};dur={seconds * 1e3:.3f}" for step, seconds in self._steps)
        return b"server-timing", told.encode()
