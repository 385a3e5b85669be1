"""How old the rows are, and the refusal of stale data.

Answers: how old is the newest row today, how many rows are older than the purpose allows?
Does not answer: when the file was written. What counts is the day each row was collected.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sealwright.data.relevance_spec import RelevanceSpec
from sealwright.data.terms import add_span
from sealwright.kernel import InvalidInput, StoppedByPolicy

__all__ = ["Age", "DataStale", "age_of", "refuse_stale"]


class DataStale(StoppedByPolicy):
    """The data is older than `data.relevance` allows. Carries every reason at once."""

    code = "data.stale"

    def __init__(self, age: "Age", reasons: list[str]) -> None:
        self.age, self.reasons = age, tuple(reasons)
        super().__init__(
            "The data is too old for its purpose:\n"
            + "\n".join(f"  {reason}" for reason in reasons)
            + "\nTake in newer data; or change data.relevance, if the purpose allows older."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Age:
    """The age of rows on a day. Days count back from `today`; a negative one lies in the future."""

    today: str  # 2026-11-22
    rows: int
    undated: int  # rows whose date is empty
    newest_days: int | None  # None: no row has a date
    median_days: int | None
    oldest_days: int | None
    older: int  # rows older than `oldest` allows
    future: int  # rows dated after today

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def age_of(parts: Iterable[Any], spec: RelevanceSpec, now: dt.datetime) -> Age:
    """Measure the age of rows.

    Parameters
    ----------
    parts : iterable of pa.Table or pa.RecordBatch
        With the column `spec.date`, date32. Read once; only that column is looked at.
    now : datetime
        Aware; its UTC day counts as today.

    Raises
    ------
    InvalidInput
        `now` has no time zone, or there is no such column of dates.
    """
    if now.tzinfo is None:
        raise InvalidInput("A time without a zone is ambiguous; pass an aware datetime.")
    today = now.astimezone(dt.UTC).date()
    chunks = [_dates(part, spec.date) for part in parts]
    days = pa.chunked_array(chunks, pa.date32()) if chunks else pa.chunked_array([], pa.date32())
    known = days.drop_null()
    numbers = known.cast(pa.int32())
    at = (today - dt.date(1970, 1, 1)).days
    limit = None if spec.oldest is None else _first_day_within(today, spec.oldest)
    older = 0 if limit is None else int(pc.sum(pc.less(known, pa.scalar(limit))).as_py() or 0)
    ends = pc.min_max(numbers).as_py()
    middle = pc.quantile(numbers, 0.5, interpolation="lower")[0].as_py() if len(numbers) else None
    return Age(
        today=today.isoformat(),
        rows=len(days),
        undated=days.null_count,
        newest_days=None if ends["max"] is None else at - ends["max"],
        median_days=None if middle is None else at - middle,
        oldest_days=None if ends["min"] is None else at - ends["min"],
        older=older,
        future=int(pc.sum(pc.greater(known, pa.scalar(today))).as_py() or 0),
    )


def refuse_stale(parts: Iterable[Any], spec: RelevanceSpec, now: dt.datetime) -> Age:
    """Measure the age, and stop if it breaks a limit of the contract.

    Called where rows are about to be used: after ingest, and again before training, since time passes in between.
    Rows dated after today count as of today. Data without any date is stale: nothing shows that it is not.

    Raises
    ------
    DataStale
        The newest row is older than `stale_after`, or more rows than `at_most_older` are older than `oldest`.
    """
    age = age_of(parts, spec, now)
    reasons = []
    if spec.stale_after is not None:
        today = dt.date.fromisoformat(age.today)
        allowed = (today - _first_day_within(today, spec.stale_after)).days
        if age.newest_days is None:
            reasons.append(
                f"no row has a date in {spec.date}, so nothing shows that the newest is within {spec.stale_after}"
            )
        elif age.newest_days > allowed:
            reasons.append(
                f"the newest row is {age.newest_days:,} days old; stale_after is {spec.stale_after} ({allowed:,} days)"
            )
    if spec.at_most_older is not None and age.rows and age.older / age.rows > spec.at_most_older:
        reasons.append(
            f"{age.older:,} of {age.rows:,} rows ({age.older / age.rows:.1%}) are older than {spec.oldest};"
            f" at most {spec.at_most_older:.1%} may be"
        )
    if reasons:
        raise DataStale(age, reasons)
    return age


def _dates(part: Any, name: str) -> Any:
    if name not in part.schema.names or not pa.types.is_date32(part.schema.field(name).type):
        raise InvalidInput(f"The rows have no column of dates {name!r}, which data.relevance.date names.")
    column = part.column(name)
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _first_day_within(today: dt.date, span: str) -> dt.date:
    """The earliest day from which `span` has not yet passed today."""
    number, unit = span.split(" ", 1)
    per = {"day": 1, "week": 7, "month": 31, "year": 366}[unit.removesuffix("s")]
    first = today - dt.timedelta(days=min(int(number) * per + 3, (today - dt.date.min).days))
    while add_span(first, span) < today:
        first += dt.timedelta(days=1)
    return first
