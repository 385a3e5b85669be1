"""What an examination of a table found: a profile of every column, and findings a person can act on.

Answers: what does the table look like, what is wrong with it where, and how much does it matter?
Does not answer: may it be used. Nothing here holds a cell of a column that is personal, special or an identifier.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = ["CheckRun", "ColumnFacts", "Fault", "Histogram", "Profile", "QualityReport", "Severity", "Unit"]

Severity = Literal["high", "medium", "low"]
Unit = Literal["cells", "rows", "values", "columns"]
_ORDER = {"high": 0, "medium": 1, "low": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong. `found`, `why` and `todo` are one sentence each."""

    check: str  # stable name, e.g. "quality.near_duplicates"
    severity: Severity
    columns: tuple[str, ...]  # empty: whole rows
    rows: tuple[int, ...]  # 1-based numbers of the first rows concerned, a few of them
    count: int  # how many `unit` are concerned
    of: int  # of how many that were looked at
    unit: Unit
    found: str
    why: str
    todo: str

    @property
    def share(self) -> float:
        """`count` / `of`, 0 to 1."""
        return self.count / self.of if self.of else 0.0

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "columns": list(self.columns), "rows": list(self.rows), "share": round(self.share, 6)}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRun:
    """That a check ran, on how many rows; or why it did not."""

    check: str
    rows: int  # looked at; fewer than the table has where a sample was drawn
    sampled: bool = False
    not_performed: str = ""  # the reason, or "" where it ran
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Counts between edges; a count below the smallest shown one is None where the column is about persons."""

    edges: tuple[float | str, ...]  # one more than counts; dates as 2026-11-22
    counts: tuple[int | None, ...]
    outside: int | None  # values beyond the first and last edge


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnFacts:
    """One column in numbers. Parts that do not apply, or must not be shown, are None or empty."""

    name: str
    type: str
    data_class: str
    role: str
    rows: int
    missing: int
    distinct: int
    hidden: bool  # only aggregates are given: the column is personal, special or an identifier
    least: float | str | None = None
    most: float | str | None = None
    mean: float | str | None = None
    std: float | None = None  # of dates: in days
    quantiles: Mapping[str, float | str] | None = None  # "0.01" to "0.99"
    histogram: Histogram | None = None
    top: tuple[tuple[str, int], ...] = ()  # categories with their counts, most frequent first
    text_length: Mapping[str, float] | None = None  # characters: least, mean, most

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Every column, and how columns go together."""

    columns: tuple[ColumnFacts, ...]
    correlations: Mapping[str, Mapping[str, float]]  # Pearson, of numbers two by two; each pair once
    with_target: Mapping[str, float]  # 0 to 1: Cramér's V, or the correlation ratio (root of explained variance)

    def to_json(self) -> dict[str, Any]:
        return {
            "columns": [column.to_json() for column in self.columns],
            "correlations": {name: dict(row) for name, row in self.correlations.items()},
            "with_target": dict(self.with_target),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityReport:
    """A table, examined."""

    rows: int
    profile: Profile
    faults: tuple[Fault, ...]  # the most severe first
    checks: tuple[CheckRun, ...]

    def by_severity(self) -> dict[Severity, int]:
        """Number of findings of each severity."""
        counts: dict[Severity, int] = {"high": 0, "medium": 0, "low": 0}
        for fault in self.faults:
            counts[fault.severity] += 1
        return counts

    def of(self, check: str) -> tuple[Fault, ...]:
        """The findings of one check, e.g. "quality.outliers"."""
        return tuple(fault for fault in self.faults if fault.check == check)

    def to_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "columns": len(self.profile.columns),
            "findings": self.by_severity(),
            "faults": [fault.to_json() for fault in self.faults],
            "checks": [check.to_json() for check in self.checks],
            "profile": self.profile.to_json(),
        }


def in_order(faults: list[Fault]) -> tuple[Fault, ...]:
    """The most severe first, then those that concern most."""
    return tuple(sorted(faults, key=lambda one: (_ORDER[one.severity], -one.share, one.check, one.columns)))
