"""Each request of a rollout, watched until its end: counted for its arm, then copied to the shadows.

Answers: how did it end, and after how long? Whichever way it came in and whoever waits for it, it ends here.
Does not answer: anything to the caller. What is told goes on to whoever waits, first and unchanged.
"""

import time
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

from sealwright.serving.arm_counts import ArmCounts
from sealwright.serving.problems import HttpRefusal, ModelFailed
from sealwright.serving.shadowing import Shadowing

if TYPE_CHECKING:
    from sealwright.serving.inquiry import Inquiry
    from sealwright.serving.served import Served

__all__ = ["Watched", "Watching"]


class Watching:
    """Watches the requests of one server."""

    def __init__(self, counts: ArmCounts, shadowing: Shadowing) -> None:
        self.counts, self.shadowing = counts, shadowing

    def watch(self, inquiry: "Inquiry", shadows: "Sequence[Served]") -> None:
        """From here on, this request is counted for its arm, and copied to these shadows once it was answered."""
        inquiry.watched = inquiry.done = Watched(inquiry, shadows, self)  # type: ignore[assignment]


class Watched:
    """Stands where `Inquiry.done` stood, and passes everything on to it."""

    __slots__ = ("_began", "_by", "_done", "_inquiry", "_shadows")

    def __init__(self, inquiry: "Inquiry", shadows: "Sequence[Served]", by: Watching) -> None:
        self._done: Any = inquiry.done
        self._inquiry, self._shadows, self._by = inquiry, shadows, by
        self._began = time.perf_counter()

    def done(self) -> bool:
        return bool(self._done.done())

    def set_result(self, receipt: bytes) -> None:
        self._done.set_result(receipt)
        self._by.counts.answered(self._inquiry.served, time.perf_counter() - self._began)
        if self._shadows:
            self._by.shadowing.offer(self._inquiry, self._shadows)

    def set_exception(self, error: BaseException) -> None:
        """A model that fails counts as a failure; a ledger that takes nothing does not."""
        self._done.set_exception(error)
        if not isinstance(error, HttpRefusal) or isinstance(error, ModelFailed):
            self._by.counts.failed(self._inquiry.served)

    def refused(self) -> None:
        """The body was outside the contract of this arm."""
        self._by.counts.refused(self._inquiry.served)

    def too_slow(self) -> None:
        """So many wait for this challenger that it was not begun: that is a failure of its own."""
        self._by.counts.failed(self._inquiry.served)

    def __await__(self) -> Generator[Any, None, bytes]:
        receipt: bytes = yield from self._done.__await__()
        return receipt
