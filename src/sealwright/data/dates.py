"""Days as numbers: how a date is written, and how it is counted."""

import datetime as dt
import re

__all__ = ["FIRST_DAY", "LAST_DAY", "day_number", "day_text"]

_EPOCH = dt.date(1970, 1, 1)
_SHAPE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

FIRST_DAY = (dt.date.min - _EPOCH).days
LAST_DAY = (dt.date.max - _EPOCH).days


def day_number(text: str) -> int | None:
    """Days since 1970-01-01 of a date written 2015-01-31, or None if it is not one."""
    if not _SHAPE.fullmatch(text):
        return None
    try:
        return (dt.date.fromisoformat(text) - _EPOCH).days
    except ValueError:
        return None


def day_text(days: int) -> str:
    """The date `days` after 1970-01-01, written 2015-01-31."""
    return (_EPOCH + dt.timedelta(days=days)).isoformat()
