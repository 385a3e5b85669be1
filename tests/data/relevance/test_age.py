"""Age counts from the day passed in, and stale data stops with the reason and the limit."""

import datetime as dt

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sealwright.data.relevance import DataStale, RelevanceSpec, age_of, refuse_stale
from sealwright.data.relevance.age import _first_day_within
from sealwright.data.terms import add_span
from sealwright.kernel import InvalidInput

NOW = dt.datetime(2026, 3, 31, 12, tzinfo=dt.UTC)


def table(*days: str | None) -> pa.Table:
    return pa.table({"day": pa.array([day and dt.date.fromisoformat(day) for day in days], pa.date32())})


def test_age_is_counted_from_the_clock_that_is_passed_in() -> None:
    spec = RelevanceSpec(date="day", oldest="1 year")
    parts = [table("2026-03-30", "2025-03-30"), table("2026-04-02", None)]
    age = age_of(parts, spec, NOW)
    assert (age.newest_days, age.oldest_days, age.older, age.future, age.undated, age.rows) == (-2, 366, 1, 1, 1, 4)
    assert age_of(parts, spec, NOW - dt.timedelta(days=365)).older == 0


def test_the_day_is_that_of_utc() -> None:
    east = dt.timezone(dt.timedelta(hours=14))
    assert (
        age_of([table("2026-01-01")], RelevanceSpec(date="day"), dt.datetime(2026, 1, 3, 1, tzinfo=east)).newest_days
        == 1
    )


def test_stale_data_stops_on_the_day_after_the_limit() -> None:
    spec = RelevanceSpec(date="day", stale_after="90 days")
    assert refuse_stale([table("2025-12-31")], spec, NOW).newest_days == 90
    with pytest.raises(DataStale, match="91 days old; stale_after is 90 days") as stopped:
        refuse_stale([table("2025-12-30")], spec, NOW)
    assert (stopped.value.code, stopped.value.exit_code) == ("data.stale", 3)


def test_every_reason_is_given_at_once() -> None:
    spec = RelevanceSpec(date="day", stale_after="1 month", oldest="2 years", at_most_older=0.4)
    with pytest.raises(DataStale) as stopped:
        refuse_stale([table("2020-01-01", "2020-01-02", "2026-01-01")], spec, NOW)
    assert len(stopped.value.reasons) == 2


def test_data_without_a_date_is_stale() -> None:
    spec = RelevanceSpec(date="day", stale_after="90 days")
    for parts in ([table(None, None)], []):
        with pytest.raises(DataStale, match="no row has a date"):
            refuse_stale(parts, spec, NOW)


def test_a_column_that_is_no_date_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no column of dates"):
        age_of([pa.table({"day": [1]})], RelevanceSpec(date="day"), NOW)
    with pytest.raises(ValidationError, match="write a span"):
        RelevanceSpec(date="day", stale_after="soon")


@given(
    st.dates(dt.date(1950, 1, 1), dt.date(2100, 1, 1)),
    st.integers(1, 400),
    st.sampled_from(["days", "weeks", "months", "years"]),
)
def test_the_first_day_within_a_span_is_the_first(today: dt.date, number: int, unit: str) -> None:
    span = f"{number} {unit}"
    first = _first_day_within(today, span)
    assert add_span(first, span) >= today
    assert first == dt.date.min or add_span(first - dt.timedelta(days=1), span) < today
