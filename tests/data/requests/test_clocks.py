"""A deadline is the day the law says, in every month, over every weekend."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.data.requests import (
    KINDS,
    add_business_days,
    ccpa_clocks,
    clocks_for,
    gdpr_clocks,
    may_be_asked_again,
)
from sealwright.data.requests.clocks import is_working_day, next_working_day
from sealwright.data.terms import add_months, add_span
from sealwright.kernel import InvalidInput

days = st.dates(date(2000, 1, 1), date(2090, 1, 1))
CHRISTMAS = {date(2026, 12, 25), date(2026, 12, 26)}


@pytest.mark.parametrize(
    ("received", "due"),
    [
        (date(2026, 3, 3), date(2026, 4, 3)),  # a Friday
        (date(2025, 1, 31), date(2025, 2, 28)),  # no 31 February; a Friday
        (date(2028, 1, 31), date(2028, 2, 29)),  # leap year; a Tuesday
        (date(2026, 1, 31), date(2026, 3, 2)),  # 28 February 2026 is a Saturday
        (date(2026, 4, 1), date(2026, 5, 1)),  # a holiday only where one is declared
        (date(2026, 11, 25), date(2026, 12, 25)),
        (date(2025, 12, 31), date(2026, 2, 2)),  # 31 January 2026 is a Saturday
    ],
)
def test_a_month_ends_as_regulation_1182_71_counts_it(received: date, due: date) -> None:
    assert gdpr_clocks(received).due == due


def test_a_month_that_ends_on_a_holiday_ends_on_the_next_working_day() -> None:
    assert gdpr_clocks(date(2026, 11, 25), CHRISTMAS).due == date(2026, 12, 28)  # Friday, Saturday; then Sunday
    assert gdpr_clocks(date(2026, 4, 1), {date(2026, 5, 1)}).due == date(2026, 5, 4)


def test_an_extension_counts_three_months_from_receipt_not_two_from_the_first_deadline() -> None:
    clocks = gdpr_clocks(date(2026, 1, 31))
    assert clocks.due == date(2026, 3, 2)
    assert clocks.longest == date(2026, 4, 30)


@given(days)
def test_a_month_is_never_shorter_than_28_days_and_ends_on_a_working_day(received: date) -> None:
    clocks = gdpr_clocks(received)
    assert clocks.longest is not None
    assert clocks.longest.weekday() < 5
    assert clocks.due.weekday() < 5
    assert 28 <= (clocks.due - received).days <= 33
    assert clocks.due < clocks.longest
    assert clocks.due - add_months(received, 1) in {timedelta(0), timedelta(days=1), timedelta(days=2)}


@given(days, days)
def test_who_asks_later_never_has_to_be_answered_earlier(one: date, other: date) -> None:
    earlier, later = sorted((one, other))
    assert gdpr_clocks(earlier).due <= gdpr_clocks(later).due
    for kind in ("access", "opt_out"):
        assert ccpa_clocks(kind, earlier).due <= ccpa_clocks(kind, later).due


@given(days, st.integers(0, 600))
def test_months_keep_the_number_of_the_day_where_there_is_one(start: date, months: int) -> None:
    end = add_months(start, months)
    assert (end.year * 12 + end.month) - (start.year * 12 + start.month) == months
    assert end.day == start.day or (end.day < start.day and (end + timedelta(days=1)).day == 1)


@given(days, st.integers(0, 60), st.sets(days, max_size=5))
def test_business_days_are_counted_one_by_one(start: date, number: int, holidays: set[date]) -> None:
    end = add_business_days(start, number, holidays)
    between = [start + timedelta(days=n) for n in range(1, (end - start).days + 1)]
    assert sum(is_working_day(day, holidays) for day in between) == number
    assert number == 0 or is_working_day(end, holidays)


@given(days, st.sets(days, max_size=5))
def test_the_next_working_day_is_the_first_one(day: date, holidays: set[date]) -> None:
    found = next_working_day(day, holidays)
    assert is_working_day(found, holidays)
    assert not any(is_working_day(day + timedelta(days=n), holidays) for n in range((found - day).days))


def test_california_confirms_in_ten_business_days_and_answers_in_forty_five_days() -> None:
    clocks = ccpa_clocks("access", date(2026, 3, 2), {date(2026, 3, 31)})  # a Monday
    assert clocks.confirm_by == date(2026, 3, 16)
    assert clocks.due == date(2026, 4, 16)
    assert clocks.longest == date(2026, 5, 31)  # a Sunday: it is not moved


def test_california_honours_an_opt_out_in_fifteen_business_days_and_not_a_day_later() -> None:
    clocks = ccpa_clocks("opt_out", date(2026, 12, 14), {date(2026, 12, 25), date(2027, 1, 1)})
    assert clocks.due == date(2027, 1, 6)
    assert clocks.longest is None
    assert clocks.confirm_by is None
    assert may_be_asked_again(date(2027, 1, 6)) == date(2028, 1, 6)


def test_every_right_has_a_clock_or_is_refused_in_words() -> None:
    for kind in KINDS:
        assert clocks_for("gdpr", kind, date(2026, 3, 2)).due == date(2026, 4, 2)
    with pytest.raises(InvalidInput, match="an objection is an opt_out there"):
        clocks_for("ccpa", "object", date(2026, 3, 2))
    with pytest.raises(InvalidInput, match="gdpr or ccpa"):
        clocks_for("lgpd", "access", date(2026, 3, 2))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("span", "end"),
    [
        ("30 days", date(2024, 3, 30)),
        ("2 weeks", date(2024, 3, 14)),
        ("1 month", date(2024, 3, 29)),
        ("1 year", date(2025, 2, 28)),
        ("4 years", date(2028, 2, 29)),
        ("9999 years", date.max),
    ],
)
def test_a_span_ends_where_a_calendar_says(span: str, end: date) -> None:
    assert add_span(date(2024, 2, 29), span) == end
    for wrong in ("0 days", "3", "three years", "-1 days", "1.5 years", "a year"):
        with pytest.raises(InvalidInput, match="Expected a span"):
            add_span(date(2024, 2, 29), wrong)
