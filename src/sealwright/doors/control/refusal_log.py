"""Refusals at the door, in the ledger: each one, until somebody makes a flood of them.

Answers: who was turned away, and why? Strangers must not be able to fill a disk, so past a number in a minute they are
counted, and the count is recorded when the minute ends.
"""

import threading

from sealwright.kernel import Clock, SealwrightError
from sealwright.trust import Audit, Event

__all__ = ["RefusalLog"]

_MOST_A_MINUTE = 300
_MINUTE = 60.0


class RefusalLog:
    """Records refusals. Called on threads; waits for the disk. A refusal stands whether or not it could be recorded."""

    def __init__(self, audit: Audit, clock: Clock) -> None:
        self._audit, self._clock = audit, clock
        self._lock = threading.Lock()
        self._since, self._seen, self._uncounted = 0.0, 0, 0
        self.failed = 0  # refusals that could not be recorded, for the process's log

    def refused(self, event: Event) -> None:
        """Record one refusal, or count it."""
        for one in self._now_due(event):
            try:
                self._audit.record(one)
            except SealwrightError:
                self.failed += 1

    def _now_due(self, event: Event) -> list[Event]:
        now = self._clock().timestamp()
        with self._lock:
            due = []
            if now - self._since >= _MINUTE or now < self._since:
                if self._uncounted:
                    due.append(_summary(self._uncounted))
                self._since, self._seen, self._uncounted = now, 0, 0
            self._seen += 1
            if self._seen <= _MOST_A_MINUTE:
                due.append(event)
            else:
                self._uncounted += 1
        return due

    def close(self) -> None:
        """Record what was only counted so far."""
        with self._lock:
            count, self._uncounted = self._uncounted, 0
        if count:
            try:
                self._audit.record(_summary(count))
            except SealwrightError:
                self.failed += count


def _summary(count: int) -> Event:
    return Event(action="request", outcome="refused", reason="control.flood", detail={"count": count})
