"""What the serving process says on its error stream: one JSON object a line, never a value of a request.

Faults are told with the names and lines of the code they passed, without their messages,
because a library's message may repeat what a caller sent.
"""

import json
import traceback
from pathlib import Path
from typing import TextIO

from sealwright.kernel import Clock, SealwrightError, rfc3339

__all__ = ["EventLog"]

_MOST_FAULTS = 20  # told in full per minute; a flood of them must not fill a disk
_MINUTE = 60.0


class EventLog:
    """Writes events to one stream."""

    def __init__(self, stream: TextIO, clock: Clock) -> None:
        self._stream, self._clock = stream, clock
        self._minute, self._faults = 0.0, 0

    def tell(self, event: str, **facts: str | float | None) -> None:
        """One line: when, what, and plain facts."""
        line = {"at": rfc3339(self._clock()), "event": event} | facts
        try:
            self._stream.write(json.dumps(line) + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            return  # a closed or full log must not end answers; the ledger is the record that counts

    def fault(self, fault: str, error: BaseException) -> None:
        """An unforeseen error, under the id the caller was given."""
        now = self._clock().timestamp()
        if now - self._minute > _MINUTE:
            self._minute, self._faults = now, 0
        self._faults += 1
        if self._faults > _MOST_FAULTS:
            return
        frames = traceback.extract_tb(error.__traceback__)[-6:]
        passed = " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames))
        self.tell("fault", id=fault, kind=type(error).__name__, code=_code_of(error), passed=passed)


def _code_of(error: BaseException) -> str:
    return error.code if isinstance(error, SealwrightError) else ""
