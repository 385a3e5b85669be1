"""Counting within a span of time, for very many keys, in bounded memory.

Answers: how many events, and how many different ones, did a key have within the span?
"""

from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import datetime, timedelta

__all__ = ["Counted", "Window"]

_MOST_KEYS = (
    20_000  # the least recently seen key goes; an attacker who needs more keys than that is seen by what they share
)
_MOST_EVENTS = 2_000  # of one key


@dataclass(frozen=True, slots=True)
class Counted:
    """What a key had within the span."""

    events: int
    different: int
    amount: float
    first: int  # index of the oldest of them


class Window:
    """A sliding window for each key."""

    def __init__(self, span: timedelta) -> None:
        self._span = span
        self._of: OrderedDict[str, deque[tuple[datetime, int, str, float]]] = OrderedDict()

    def add(self, key: str, at: datetime, index: int, what: str = "", amount: float = 1.0) -> Counted:
        """Count one event of `key`; `what` tells different ones apart, `amount` is summed."""
        kept = self._of.setdefault(key, deque(maxlen=_MOST_EVENTS))
        self._of.move_to_end(key)
        if len(self._of) > _MOST_KEYS:
            self._of.popitem(last=False)
        kept.append((at, index, what, amount))
        return self._counted(kept, at)

    def of(self, key: str, at: datetime) -> Counted:
        """What `key` had up to `at`, without counting anything."""
        return self._counted(self._of.get(key, deque()), at)

    def forget(self, key: str) -> None:
        """Begin anew for `key`."""
        self._of.pop(key, None)

    def _counted(self, kept: deque[tuple[datetime, int, str, float]], at: datetime) -> Counted:
        while kept and kept[0][0] < at - self._span:
            kept.popleft()
        return Counted(
            len(kept),
            len({what for _, _, what, _ in kept}),
            sum(amount for *_, amount in kept),
            kept[0][1] if kept else -1,
        )
