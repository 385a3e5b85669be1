"""Terms of the calendar: a span in words, and the day it ends.

Answers: three years from this day, which day is that?
Does not answer: which term applies. Laws and project files say.
"""

import calendar
import re
from datetime import date, timedelta

from sealwright.kernel import InvalidInput

__all__ = ["SPAN", "add_months", "add_span"]

SPAN = re.compile(r"([1-9][0-9]{0,3}) (day|week|month|year)s?")
_LAST = date.max


def add_months(start: date, months: int) -> date:
    """The day of the same number some months later, or the last day of a month that has none such.

    31 January and one month is 28 or 29 February (Regulation 1182/71, Article 3(2)(c)).
    """
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(start.day, last))


def add_span(start: date, span: str) -> date:
    """The day on which a span such as "3 years", "6 months" or "30 days" from `start` ends.

    Raises
    ------
    InvalidInput
        Not such a span.
    """
    found = SPAN.fullmatch(span)
    if not found:
        raise InvalidInput(f"Expected a span like 30 days, 6 months or 3 years; got {span[:40]!r}.")
    number, unit = int(found[1]), found[2]
    try:
        if unit in {"day", "week"}:
            return start + timedelta(days=number * (7 if unit == "week" else 1))
        return add_months(start, number * (12 if unit == "year" else 1))
    except (OverflowError, ValueError):
        return _LAST
