"""Relevance of a table: its age, its periods, and what drifted between them, as findings a person can act on."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sealwright.data.quality import Fault, frame_of
from sealwright.data.relevance.age import Age, age_of
from sealwright.data.relevance.drift import STRONG, Drift, drift_between_periods, periods_of, strongest
from sealwright.data.relevance_spec import RelevanceSpec
from sealwright.data.spec import DataSpec
from sealwright.kernel import InvalidInput

__all__ = ["RelevanceReport", "assess_relevance"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RelevanceReport:
    """Age, periods and drift. Holds no cell of the data."""

    age: Age
    periods: Mapping[str, int]  # name to rows
    compared: int  # periods with enough rows
    drifts: tuple[Drift, ...]  # every column in every compared period, the strongest first
    faults: tuple[Fault, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "age": self.age.to_json(),
            "periods": dict(self.periods),
            "compared": self.compared,
            "drifts": [one.to_json() for one in self.drifts],
            "faults": [one.to_json() for one in self.faults],
        }


def assess_relevance(
    tables: Any, spec: DataSpec, now: dt.datetime, *, settings: RelevanceSpec | None = None
) -> RelevanceReport:
    """Measure age and drift of the rows of a snapshot.

    Parameters
    ----------
    tables : pa.Table, or an iterable of tables
        Typed as the contract says. Held in memory.
    spec : DataSpec
        The contract; its `relevance` counts unless `settings` are given.
    now : datetime
        Aware.

    Raises
    ------
    InvalidInput
        The contract says nothing of relevance, or names a column that is no date.
    """
    wanted = settings or spec.relevance
    if wanted is None:
        raise InvalidInput("The contract says nothing of relevance; set data.relevance.date to the column of dates.")
    frame = frame_of(tables, spec)
    age = age_of([frame.table], wanted, now)
    periods = periods_of(frame, wanted)
    drifts = drift_between_periods(frame, wanted)
    return RelevanceReport(
        age=age,
        periods=dict(zip(periods.names, periods.counts.tolist(), strict=True)),
        compared=int((periods.counts >= wanted.smallest_period).sum()),
        drifts=drifts,
        faults=(*_of_age(age, wanted), *(_of_drift(one) for one in strongest(drifts).values())),
    )


def _of_age(age: Age, spec: RelevanceSpec) -> list[Fault]:
    found = []
    if age.older:
        share = age.older / age.rows
        found.append(
            _fault(
                "relevance.old_rows",
                "high" if share >= 0.5 else "medium" if share >= 0.1 else "low",
                spec.date,
                age.older,
                age.rows,
                f"{age.older:,} of {age.rows:,} rows are older than {spec.oldest}.",
                "They tell how things were, and the model cannot know that this has passed.",
                "Take newer rows, or leave the old ones out at the source.",
            )
        )
    if age.future:
        found.append(
            _fault(
                "relevance.future_rows",
                "medium",
                spec.date,
                age.future,
                age.rows,
                f"{age.future:,} of {age.rows:,} rows are dated after {age.today}.",
                "A date that has not come yet is a slip, a plan, or a clock that is wrong.",
                "Compare these dates with their source.",
            )
        )
    if age.undated:
        found.append(
            _fault(
                "relevance.undated_rows",
                "low",
                spec.date,
                age.undated,
                age.rows,
                f"{age.undated:,} of {age.rows:,} rows have no date.",
                "Nobody knows whether they are recent, and they are in no period.",
                "Fill the date in at the source.",
            )
        )
    return found


def _of_drift(drift: Drift) -> Fault:
    return _fault(
        "relevance.drift",
        "high" if drift.index >= STRONG else "medium",
        drift.column,
        drift.rows,
        drift.rows,
        f"In {drift.period} the column looks different than in all other periods: stability index {drift.index:.2f}"
        f" (adjusted p {drift.adjusted_p:.2g}).",
        "A model learns the mixture of times; what it learned may hold for none of them.",
        "Ask what changed then: a rule, a form, a system. Train on the time that is like today, or add what tells them apart.",
    )


def _fault(check: str, severity: Any, column: str, count: int, of: int, found: str, why: str, todo: str) -> Fault:
    return Fault(
        check=check,
        severity=severity,
        columns=(column,),
        rows=(),
        count=count,
        of=of,
        unit="rows",
        found=found,
        why=why,
        todo=todo,
    )
