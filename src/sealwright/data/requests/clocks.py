"""By when a request must be confirmed, answered, and answered after an extension. Pure calendar arithmetic.

Answers: received on this day, under this law: until which day is there time?
Does not answer: which law applies. Whoever takes the request says.

Days are calendar days where the controller sits; a deadline runs to the end of its day.

GDPR (Regulation 2016/679, Article 12(3)): one month from receipt; extendable by two further months, counted from
receipt. How a month is counted: Regulation 1182/71, Article 3. The day of receipt does not count (3(1)); the period
ends on the day of the same number, or on the last day of a month that has no such day (3(2)(c)); if that is a Saturday,
Sunday or public holiday, on the next working day (3(4)).

CCPA (California Civil Code § 1798.130; Code of Regulations, title 11): receipt confirmed within 10 business days
(§ 7021(a)); answered within 45 calendar days from receipt whether or not the person was verified, 90 with notice
(§ 7021(b)); opt-out of sale or sharing, and limits on sensitive information, within 15 business days (§§ 7026(f),
7027(g)). The 45 days are not moved to a working day, which is the stricter reading. The day of receipt does not count
(Civil Code § 10).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from sealwright.data.terms import add_months
from sealwright.kernel import InvalidInput

__all__ = [
    "Clocks",
    "Law",
    "add_business_days",
    "ccpa_clocks",
    "clocks_for",
    "gdpr_clocks",
    "is_working_day",
    "may_be_asked_again",
    "next_working_day",
]

Law = Literal["gdpr", "ccpa"]

_CCPA_CONFIRM, _CCPA_OPT_OUT = 10, 15  # business days
_CCPA_ANSWER = 45  # calendar days, and 45 more
_CCPA_RIGHTS = {"access", "correct", "erase", "export"}
_CCPA_QUICK = {"opt_out", "restrict"}  # restrict: the right to limit the use of sensitive information


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """The days of one request. None: the law sets none."""

    confirm_by: date | None
    due: date
    longest: date | None  # the latest day an extension can reach; None: it cannot be extended


def clocks_for(law: Law, kind: str, received: date, holidays: Collection[date] = ()) -> Clocks:
    """The clocks of a request.

    Parameters
    ----------
    kind : str
        One of `model.KINDS`.
    received : date
        The day it arrived, where the controller sits.
    holidays : collection of date
        Public holidays there. Weekends are known.

    Raises
    ------
    InvalidInput
        The law is unknown, or has no such right.
    """
    if law == "gdpr":
        return gdpr_clocks(received, holidays)
    if law == "ccpa":
        return ccpa_clocks(kind, received, holidays)
    raise InvalidInput(f"A request is made under gdpr or ccpa; got {str(law)[:40]!r}.")


def gdpr_clocks(received: date, holidays: Collection[date] = ()) -> Clocks:
    """One month, and three in all with an extension. Ends on working days."""
    return Clocks(
        confirm_by=None,
        due=next_working_day(add_months(received, 1), holidays),
        longest=next_working_day(add_months(received, 3), holidays),
    )


def ccpa_clocks(kind: str, received: date, holidays: Collection[date] = ()) -> Clocks:
    """45 calendar days and 45 more, receipt confirmed in 10 business days; opting out takes 15 business days at most."""
    if kind in _CCPA_QUICK:
        return Clocks(confirm_by=None, due=add_business_days(received, _CCPA_OPT_OUT, holidays), longest=None)
    if kind not in _CCPA_RIGHTS:
        raise InvalidInput(
            f"The CCPA knows no right {kind[:40]!r}. Of these it does:"
            f" {', '.join(sorted(_CCPA_RIGHTS | _CCPA_QUICK))}; an objection is an opt_out there."
        )
    return Clocks(
        confirm_by=add_business_days(received, _CCPA_CONFIRM, holidays),
        due=received + timedelta(days=_CCPA_ANSWER),
        longest=received + timedelta(days=2 * _CCPA_ANSWER),
    )


def add_business_days(start: date, days: int, holidays: Collection[date] = ()) -> date:
    """The day on which `days` working days after `start` have passed; `start` itself does not count."""
    day = start
    while days > 0:
        day += timedelta(days=1)
        days -= is_working_day(day, holidays)
    return day


def next_working_day(day: date, holidays: Collection[date] = ()) -> date:
    """`day`, or the first working day after it."""
    while not is_working_day(day, holidays):
        day += timedelta(days=1)
    return day


def is_working_day(day: date, holidays: Collection[date] = ()) -> bool:
    """Neither Saturday nor Sunday nor a holiday."""
    return day.weekday() < 5 and day not in holidays


def may_be_asked_again(opted_out: date) -> date:
    """From which day on a person who opted out may be asked to opt in again: twelve months (Civil Code § 1798.135(c)(4))."""
    return add_months(opted_out, 12)
