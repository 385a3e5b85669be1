"""Counters of one process: gone when it ends. For tests, trials and a server whose quotas may begin anew at a restart."""

import threading
import time
from collections.abc import Callable, Sequence

from sealwright.engines.counters import NOTHING, Ask, Grant
from sealwright.engines.counters_rules import Moment, Tally, as_new, draw
from sealwright.kernel import Clock, system_clock

__all__ = ["MemoryCounters", "full", "moment_of"]

_DAY = 86_400
_SWEEP_EVERY = 1.0  # seconds


class MemoryCounters:
    """At most `most` counters; one is forgotten only where that gives nobody anything."""

    threads = 0

    def __init__(
        self, *, most: int = 50_000, monotonic: Callable[[], float] = time.monotonic, clock: Clock = system_clock
    ) -> None:
        self._most, self._monotonic, self._clock = most, monotonic, clock
        self._lock, self._tallies, self._swept = threading.Lock(), dict[str, Tally](), float("-inf")

    def draw(self, asks: Sequence[Ask]) -> list[Grant]:
        """As `Counters.draw`; never silent."""
        with self._lock:
            now, wall = self._monotonic(), self._clock().timestamp()
            moment = moment_of(now, wall)
            return [self._draw(ask, moment, wall) for ask in asks]

    def close(self) -> None:
        """Nothing to give back."""

    def _draw(self, ask: Ask, moment: Moment, wall: float) -> Grant:
        tally = self._tallies.get(ask.key)
        if tally is None:
            if len(self._tallies) >= self._most and not self._room(moment, wall):
                return full(moment)
            tally = self._tallies[ask.key] = Tally(float(ask.quota.burst), moment.now, moment.day)
        return draw(tally, ask, "", moment, lease=float("inf"))  # who dies takes all of it along

    def _room(self, moment: Moment, wall: float) -> bool:
        if moment.now - self._swept >= _SWEEP_EVERY:
            self._swept = moment.now
            for key in [key for key, tally in self._tallies.items() if as_new(tally, moment, wall)]:
                del self._tallies[key]
        return len(self._tallies) < self._most


def moment_of(now: float, wall: float) -> Moment:
    """The moment of a steady clock and a wall clock."""
    day = int(wall // _DAY)
    return Moment(now, day, (day + 1) * _DAY - wall)


def full(moment: Moment) -> Grant:
    """Nothing, for there is no room for another counter."""
    return Grant(
        more=NOTHING,
        kept=False,
        seconds=0.0,
        units=0,
        units_today=0,
        extras_today=0,
        day_ends=moment.day_ends,
        short="full",
        wait=_SWEEP_EVERY,
    )
