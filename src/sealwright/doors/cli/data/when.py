"""Days and times as people write them in a command."""

from datetime import date, datetime

__all__ = ["day_of", "moment_of"]


def day_of(text: str | None) -> date | None:
    """A day like 2026-03-01.

    Raises
    ------
    InvalidInput
        It is not written so, or there is no such day.
    """
    from sealwright.kernel import InvalidInput

    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        raise InvalidInput(f"Expected a day like 2026-03-01; got {text[:40]!r}.") from None


def moment_of(text: str | None) -> datetime | None:
    """A time like 2026-03-01T09:30:00Z, or a day, which means its first moment in UTC.

    Raises
    ------
    InvalidInput
        Neither.
    """
    from sealwright.kernel import from_rfc3339

    if text is None:
        return None
    return from_rfc3339(f"{day_of(text)}T00:00:00Z" if len(text) == len("2026-03-01") else text)
