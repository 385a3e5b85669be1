"""Refusals of nobody, by the thousand: on record without filling the disk, and none of them lost silently.

Answers: what is written when somebody unknown knocks a million times?
Does not answer: should they be let in again? Rate limits at the doors decide that.

In each window (a minute) the first refusals of a kind (source, action, reason) are entries of their own, the last of these
says that further ones are counted, and when the window ends one entry tells how many those were. What is done, and what
somebody known tried, is always an entry. Only a kill loses something: the counts of the window it falls into.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import NamedTuple, Self

from sealwright.kernel import SealwrightError
from sealwright.trust.audit import Audit, Event

__all__ = ["FloodGuard"]

_OTHER_KINDS = 200  # (action, reason) that are told apart once there are too many sources
_GRACE = 0.05  # seconds the timer comes after the end of a window


class _Kind(NamedTuple):
    source: str  # "" where there were too many to tell them apart
    action: str
    reason: str


_ALL_OTHERS = _Kind("", "refusals", "flood.many_kinds")


class FloodGuard:
    """An `Audit` in front of another one. Safe to use from many threads; call `close` at the end.

    Memory is bounded by `kinds`, the entries of a window by `entries` + 2 * `kinds`.
    """

    def __init__(
        self,
        audit: Audit,
        *,
        first: int = 5,
        seconds: float = 60.0,
        entries: int = 600,
        kinds: int = 2000,
        monotonic: Callable[[], float] = time.monotonic,
        timer: bool = True,
    ) -> None:
        """Stand in front of `audit`.

        Parameters
        ----------
        first : int
            Refusals of one kind and window that are entries of their own.
        seconds : float
            Length of a window.
        entries : int
            All such entries of one window together.
        kinds : int
            Kinds that are told apart in one window; further ones are counted by action and reason alone.
        timer : bool
            Whether a window also ends when nothing more comes. False: only at the next event, `settle` or `close`.
        """
        self._audit, self._first, self._seconds = audit, first, seconds
        self._entries, self._kinds, self._monotonic, self._timed = entries, kinds, monotonic, timer
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._ends = 0.0
        self._seen: Counter[_Kind] = Counter()
        self._counted: Counter[_Kind] = Counter()
        self._written = 0

    def record(self, event: Event) -> None:
        """As `Audit.record`; a refusal of nobody beyond the first is only counted."""
        if event.outcome != "refused" or event.actor:
            self._audit.record(event)
            return
        with suppress(SealwrightError):  # the counts are kept then, and this event has its own way to fail
            self._settle(only_if_over=True)
        place = self._place(event)
        if place == 0:
            return
        last = place >= self._first
        self._audit.record(replace(event, detail={**event.detail, "further": "counted"}) if last else event)

    def settle(self) -> None:
        """End the window now: write what was counted.

        Raises
        ------
        LedgerUnavailable
            It could not be written; it stays counted.
        """
        self._settle(only_if_over=False)

    def close(self) -> None:
        """Write what was counted; no timer fires after that.

        Raises
        ------
        LedgerUnavailable
            As `settle`.
        """
        self._timed = False
        with self._lock:
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        self.settle()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ---- one window

    def _place(self, event: Event) -> int:
        """Which one of its kind this is, from 1, if it becomes an entry; 0 if it was counted."""
        kind = _Kind(event.source, event.action, event.reason)
        with self._lock:
            kind = self._told_apart(kind)
            self._seen[kind] += 1
            if self._seen[kind] <= self._first and self._written < self._entries:
                self._written += 1
                return self._seen[kind] if self._written < self._entries else self._first
            self._counted[kind] += 1
            self._arm()
            return 0

    def _told_apart(self, kind: _Kind) -> _Kind:
        if kind in self._seen or len(self._seen) < self._kinds:
            return kind
        kind = kind._replace(source="")
        return kind if kind in self._seen or len(self._seen) < self._kinds + _OTHER_KINDS else _ALL_OTHERS

    def _settle(self, *, only_if_over: bool) -> None:
        with self._lock:
            now = self._monotonic()
            if only_if_over and now < self._ends:
                return
            counted, self._counted, self._seen, self._written = self._counted, Counter(), Counter(), 0
            self._ends = now + self._seconds
        for kind, count in list(counted.items()):
            try:
                self._audit.record(self._summary(kind, count))
            except BaseException:
                with self._lock:
                    self._counted += counted  # with what has not been written yet
                    self._arm()
                raise
            del counted[kind]

    def _summary(self, kind: _Kind, count: int) -> Event:
        return Event(
            action=kind.action,
            outcome="refused",
            reason=kind.reason,
            source=kind.source,
            detail={"counted": count, "within_seconds": round(self._seconds)},
        )

    # ---- a window that ends in silence

    def _arm(self) -> None:
        """Set the timer; the lock is held."""
        if self._timed and self._timer is None:
            self._timer = threading.Timer(self._seconds + _GRACE, self._ring)
            self._timer.daemon = True
            self._timer.start()

    def _ring(self) -> None:
        with self._lock:
            self._timer = None
        with suppress(SealwrightError):  # it stays counted, and the timer is set again
            self._settle(only_if_over=False)
