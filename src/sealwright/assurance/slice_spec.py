"""Parts of the test rows that get figures of their own: `assurance.slices` and `assurance.slice_search`.

Answers: which rows belong to a declared slice, and how hard is it searched for others?
Does not answer: which slices matter. Whoever knows the use declares them; the search finds some more.
"""

import math
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["Condition", "DeclaredSlice", "Missing", "Range", "SliceMeasure", "SliceSearch"]

SliceMeasure = Literal[
    "error_share",
    "auc",
    "true_positive_rate",
    "false_positive_rate",
    "precision",
    "log_loss",
    "calibration_bias",
    "mean_absolute_error",
    "mean_error",
]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Range(_Section):
    """Values from `at_least` up to, not including, `under`; a date is written YYYY-MM-DD."""

    at_least: float | date | None = Field(None, description="Smallest value that belongs.")
    under: float | date | None = Field(None, description="Values from here on no longer belong.")

    @model_validator(mode="after")
    def _some_values_lie_between(self) -> Self:
        low, high = bound(self.at_least, -math.inf), bound(self.under, math.inf)
        if (low, high) == (-math.inf, math.inf):
            raise ValueError("a range has an end: give at_least, under or both")
        if not low < high:
            raise ValueError("at_least must lie below under")
        return self


class Missing(_Section):
    """Rows without a value, or, if `missing` is false, rows with one."""

    missing: bool = Field(description="true: the cell is empty; false: it is not.")


_Value = bool | float | str
Condition = _Value | Annotated[tuple[_Value, ...], Field(min_length=1, max_length=1_000)] | Range | Missing


class DeclaredSlice(_Section):
    """Rows that meet every condition, and by how much they may be worse than all the others."""

    name: str | None = Field(None, min_length=1, max_length=100, description="Left out: the conditions in words.")
    where: Mapping[str, Condition] = Field(
        min_length=1,
        max_length=10,
        description="Columns with a value, a list of values, or a range such as {at_least: 18, under: 25},"
        " or {missing: true} for empty cells."
        " A row belongs if it meets all of them.",
    )
    worst_change: Mapping[SliceMeasure, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = Field(
        {}, description="Measures with the most by which the slice may be worse than all other rows."
    )

    @property
    def title(self) -> str:
        return self.name or " and ".join(in_words(column, wanted) for column, wanted in self.where.items())


class SliceSearch(_Section):
    """How slices that nobody declared are searched for, on one half of the test rows, and tested on the other."""

    smallest: int = Field(30, ge=10, description="Fewest rows of a slice in each half of the test rows.")
    candidates: int = Field(20, ge=1, le=200, description="Most slices that are tested after the search.")
    false_discoveries: float = Field(
        0.05, gt=0, le=0.5, description="Share of the reported slices that may be there by chance, in expectation."
    )
    rows: int = Field(20_000, ge=100, le=1_000_000, description="Most rows to search.")


def bound(end: float | date | None, otherwise: float) -> float:
    """An end of a range as a number; a date as days since 1970-01-01."""
    if end is None:
        return otherwise
    return float((end - date(1970, 1, 1)).days) if isinstance(end, date) else end


def in_words(column: str, wanted: Condition) -> str:
    """Write age 18 to under 25, or purpose is car or tools."""
    if isinstance(wanted, Missing):
        return f"{column} is missing" if wanted.missing else f"{column} is known"
    if isinstance(wanted, Range):
        if wanted.at_least is None:
            return f"{column} under {_plain(wanted.under)}"
        if wanted.under is None:
            return f"{column} {_plain(wanted.at_least)} and over"
        return f"{column} {_plain(wanted.at_least)} to under {_plain(wanted.under)}"
    values = wanted if isinstance(wanted, tuple) else (wanted,)
    return f"{column} is {' or '.join(_plain(value) for value in values)}"


def _plain(value: _Value | date | None) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.10g}" if isinstance(value, float) else str(value)
