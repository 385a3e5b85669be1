"""Counting within a span of time, for very many keys, in bounded memory.

Answers: how many events, and how many different ones, did a key have within the span?
"""

from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sealwright.watch.seen import Seen

__all__ = ["Counted", "Window"]

_MOST_KEYS = (
    20_000  # the least recently seen key goes; an attacker who needs more keys than that is seen by what they share
)
_MOST_EVENTS = 2_000  # of one key


class _Kept(NamedTuple):
    at: datetime
    uid: str
    what: str
    amount: float


@dataclass(frozen=True, slots=True)
class Counted:
    """What a key had within the span."""

    events: int
    different: int
    amount: float
    since: datetime  # when the oldest of them happened
    first: str  # uid of it


class Window:
    """A sliding window for each key."""

    def __init__(self, span: timedelta) -> None:
        self._span = span
        self._of: OrderedDict[str, deque[_Kept]] = OrderedDict()

    def add(self, key: str, seen: Seen, what: str = "", amount: float = 1.0) -> Counted:
        """Count one event of `key`; `what` tells different ones apart, `amount` is summed."""
        kept = self._of.setdefault(key, deque(maxlen=_MOST_EVENTS))
        self._of.move_to_end(key)
        if len(self._of) > _MOST_KEYS:
            self._of.popitem(last=False)
        kept.append(_Kept(seen.at, seen.uid, what, amount))
        return self._counted(kept, seen.at)

    def of(self, key: str, at: datetime) -> Counted:
        """What `key` had up to `at`, without counting anything."""
        return self._counted(self._of.get(key, deque()), at)

    def forget(self, key: str) -> None:
        """Begin anew for `key`."""
        self._of.pop(key, None)

    def _counted(self, kept: deque[_Kept], at: datetime) -> Counted:
        while kept and kept[0].at < at - self._span:
            kept.popleft()
        return Counted(
            len(kept),
            len({one.what for one in kept}),
            sum(one.amount for one in kept),
            kept[0].at if kept else at,
            kept[0].uid if kept else "",
        )
