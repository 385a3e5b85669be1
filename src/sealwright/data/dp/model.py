"""What may be asked for, what was planned, and what came out of a private release.

Answers: which number, about which rows, between which bounds, at what cost?
Does not answer: the number itself (`mechanisms`), or whether the budget allows it (`book`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sealwright.data.dates import day_text
from sealwright.data.privacy_budget import MILLIONTHS, Unit, epsilon_text
from sealwright.kernel import InvalidInput

__all__ = ["CONFIDENCE", "Cell", "Interval", "Kind", "Plan", "Protection", "Query", "Released", "split_epsilon"]

Kind = Literal["count", "mean", "histogram", "quantile"]

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What somebody asks for. Bounds and cells that are left out come from the contract, never from the data."""

    kind: Kind
    epsilon: int  # millionths
    column: str | None = None
    where: tuple[tuple[str, str], ...] = ()  # only rows whose column has this value
    lower: str | None = None
    upper: str | None = None
    edges: tuple[str, ...] = ()  # of a histogram's cells
    bins: int | None = None  # so many cells of equal width between the bounds
    at: float | None = None  # which quantile, above 0 and below 1

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns it looks at."""
        named = [self.column] if self.column is not None else []
        return tuple(dict.fromkeys([*named, *(name for name, _ in self.where)]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """Whom a release protects. Adding or taking away one unit changes at most `rows` of the rows that are looked at."""

    unit: Unit
    rows: int  # most rows of one unit

    def __post_init__(self) -> None:
        if self.rows < 1 or (self.unit == "row" and self.rows != 1):
            raise InvalidInput("A person has at least one row; a row is exactly one.")

    @property
    def words(self) -> str:
        if self.unit == "row":
            return "one row (no column names the persons)"
        return f"one person, counted with at most {self.rows} row{'s' if self.rows > 1 else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A query held against a contract: everything that must be known before a row is read."""

    query: Query
    type: str  # of the column; "" for a count
    lower: float = 0.0
    upper: float = 0.0
    steps: int = 1  # the grid between the bounds on which values are put: exact whole numbers
    labels: tuple[str, ...] = ()  # of the cells of a histogram, in order
    edges: tuple[float, ...] = ()
    candidates: tuple[float, ...] = ()  # the values a quantile may have
    nullable: bool = False
    where: tuple[tuple[str, str | bool], ...] = ()

    @property
    def bounds(self) -> Mapping[str, Any]:
        """The bounds as they are published."""
        if self.query.kind == "count":
            return {}
        if self.query.kind == "histogram":
            return {
                "cells": list(self.labels),
                **({"edges": [self.shown(one) for one in self.edges]} if self.edges else {}),
            }
        shown = {"lower": self.shown(self.lower), "upper": self.shown(self.upper)}
        return {**shown, "candidates": len(self.candidates)} if self.candidates else shown

    def shown(self, value: float) -> float | str:
        """A value of the column as it is published: a date as 2015-01-31."""
        return day_text(round(value)) if self.type == "date" else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Where the exact number over the same rows lies, with 95 % confidence in the noise."""

    lower: float
    upper: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of a histogram. `count` is as the noise left it, also below zero."""

    label: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """What a mechanism gave out, and what is known of its noise. Holds nothing that is not protected."""

    kind: Kind
    mechanism: str  # in words, for the record
    noise: Mapping[str, Any]  # scale and sensitivity of each part
    value: float | int | str | None = None
    interval: Interval | None = None
    rows: int | None = None  # the noisy number of rows behind a mean
    cells: tuple[Cell, ...] = ()
    within: int | None = None  # a count is within ±within, with 95 % confidence
    all_within: int | None = None  # all cells of a histogram together
    rank_within: int | None = None  # rows by which a quantile's rank may be off

    def to_json(self) -> dict[str, Any]:
        """The released numbers and their accuracy, for the statement."""
        numbers: dict[str, Any] = {}
        if self.cells:
            numbers["cells"] = [{"label": cell.label, "count": cell.count} for cell in self.cells]
        else:
            numbers["value"] = self.value
        if self.rows is not None:
            numbers["rows"] = self.rows
        accuracy: dict[str, Any] = {"confidence": CONFIDENCE}
        if self.interval is not None:
            accuracy |= {"lower": self.interval.lower, "upper": self.interval.upper}
        for name in ("within", "all_within", "rank_within"):
            if getattr(self, name) is not None:
                accuracy[name] = getattr(self, name)
        return {"numbers": numbers, "accuracy": accuracy, "mechanism": self.mechanism, "noise": dict(self.noise)}


def split_epsilon(epsilon: int, parts: int) -> tuple[int, ...]:
    """An epsilon in millionths, divided as evenly as whole millionths allow; the first parts get the rest."""
    share, rest = divmod(epsilon, parts)
    if share < 1:
        raise InvalidInput(
            f"An epsilon of {epsilon_text(epsilon)} cannot be split in {parts}; the smallest part is {1 / MILLIONTHS:g}."
        )
    return tuple(share + (place < rest) for place in range(parts))
