"""Time as UTC, aware, and passed in. Rooms take a `Clock`; only doors choose the real one."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sealwright.kernel.errors import InvalidInput

__all__ = ["Clock", "FixedClock", "from_rfc3339", "rfc3339", "system_clock"]

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until told: for tests and for recomputing the past."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def __call__(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        self._now += by


def rfc3339(moment: datetime) -> str:
    """Write a moment as 2026-11-22T15:04:05.678Z: UTC, milliseconds, one spelling.

    Raises
    ------
    InvalidInput
        The moment carries no time zone.
    """
    if moment.tzinfo is None:
        raise InvalidInput("A time without a zone is ambiguous; pass an aware datetime.")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_rfc3339(text: str) -> datetime:
    """The moment written by `rfc3339`.

    Raises
    ------
    InvalidInput
        Not an RFC 3339 time with a zone.
    """
    try:
        moment = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        raise InvalidInput(f"Expected a time like 2026-11-22T15:04:05Z; got {str(text)[:60]!r}") from None
    if moment.tzinfo is None:
        raise InvalidInput(f"The time {text!r} carries no zone; write it with a trailing Z.")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise InvalidInput(f"The time {text!r} is outside the calendar, years 1 to 9999 in UTC.") from None
