"""Who waits for disk and signer: the event loop itself, or the ledger's thread?

Answers: are both so quick that handing over to a thread and back would cost more than the wait?
Does not answer: what is written. `decisions` does.

What counts is how long a thread stands still: the work of a commit is the same wherever it is done. A hiccup of the machine changes
nothing, because no single wait counts for more than `_MOST`; a stall does at once, because the next one would hold everybody up.
"""

__all__ = ["RecordingPace"]

_QUICK_SECONDS = 0.002  # the loop waits itself for what usually takes no longer
_SLOW_SECONDS = 0.02  # of a commit on the thread, with what it waits for there
_STALL_SECONDS = 0.1
_MOST = 5  # times either limit
_WEIGHT = 0.1  # of the newest
_APART_SECONDS = 1.0


class RecordingPace:
    """How quick one ledger's disk and signer are. Times are of `perf_counter`."""

    def __init__(self) -> None:
        self._waited = self._took = 0.0  # what is usual, here and on the thread
        self._apart_until = 0.0

    def here(self, now: float) -> bool:
        """Whether the loop waits itself."""
        return now >= self._apart_until

    def waited_here(self, seconds: float, now: float) -> None:
        """So long the loop stood still."""
        self._waited += (min(seconds, _MOST * _QUICK_SECONDS) - self._waited) * _WEIGHT
        if seconds > _STALL_SECONDS or self._waited > _QUICK_SECONDS:
            self._apart_until, self._waited, self._took = now + _APART_SECONDS, 0.0, 0.0

    def took_there(self, seconds: float, now: float) -> None:
        """So long a commit took on the thread. While it is slow, the loop does not try again."""
        self._took += (min(seconds, _MOST * _SLOW_SECONDS) - self._took) * _WEIGHT
        if seconds > _STALL_SECONDS or self._took > _SLOW_SECONDS:
            self._apart_until = now + _APART_SECONDS
