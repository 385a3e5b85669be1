"""What an assessment says: findings with their uncertainty, figures of aggregates, and what was not done.

Answers: which facts about a model and its data are filed, and in which shape?
Does not answer: are they good enough? A policy decides that; nothing here knows a limit.
No I/O, no arrays: these objects are what is signed.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sealwright.kernel import InvalidInput, canonical_json, digest_of, hex_of, rfc3339

__all__ = ["Figure", "Finding", "Group", "NotPerformed", "Series", "SuiteResult"]

_CHECK = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
_MOST_POINTS = 200  # a curve of more points says nothing more on a page, and starts to describe single rows
_DIGITS = 10  # last digits differ between processors; what is signed must be recomputable
_MEANING = (
    "PASSED: every check of this suite was carried out; WARNED: some were not, listed with the reason. "
    "Whether the values suffice is decided by the gate, not here."
)


def tidy(value: float) -> float:
    """`value` with ten significant digits and no negative zero, as it is filed."""
    return float(f"{float(value):.{_DIGITS}g}") + 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What a finding is about when it is not the whole: a column, or one level of it."""

    attribute: str
    level: str | None = None  # None: the attribute as a whole

    def to_json(self) -> dict[str, str | None]:
        return {"attribute": self.attribute, "level": self.level}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One measurement, as filed. A correction is a new finding, never an edit."""

    check: str  # stable name, e.g. "fairness.selection_gap"
    value: float  # in `unit`
    low: float | None = None  # the interval at the confidence named in the settings,
    high: float | None = None  # both ends or neither
    n: int  # rows the value rests on
    unit: str  # "share" (0 to 1), "auc", "count", "nats", …
    definition: str  # one plain sentence
    group: Group | None = None
    note: str = ""

    def __post_init__(self) -> None:
        _check_name_shape(self.check)
        for name in ("value", "low", "high"):
            number = getattr(self, name)
            if number is None:
                continue
            if not math.isfinite(number):
                raise InvalidInput(f"{self.check}: {name} must be a finite number; got {number}.")
            object.__setattr__(self, name, tidy(number))
        if (self.low is None) != (self.high is None):
            raise InvalidInput(f"{self.check}: an interval has two ends; got low={self.low}, high={self.high}.")
        if self.low is not None and self.high is not None and not self.low <= self.value <= self.high:
            raise InvalidInput(f"{self.check}: {self.value} lies outside its interval {self.low} to {self.high}.")
        if self.n < 0 or not self.definition or not self.unit:
            raise InvalidInput(f"{self.check}: a finding needs n >= 0, a unit and a definition.")

    def to_json(self) -> dict[str, Any]:
        return {
            "check": self.check,
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "n": self.n,
            "unit": self.unit,
            "definition": self.definition,
            "group": self.group.to_json() if self.group else None,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class NotPerformed:
    """A check that gave no finding, and why. `applicable` is False where the task or the model has no such thing."""

    check: str
    why: str
    group: Group | None = None
    applicable: bool = True

    def __post_init__(self) -> None:
        _check_name_shape(self.check)
        if not self.why:
            raise InvalidInput(f"{self.check}: say why it was not performed.")

    def to_json(self) -> dict[str, Any]:
        return {
            "check": self.check,
            "why": self.why,
            "group": self.group.to_json() if self.group else None,
            "applicable": self.applicable,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One line, row of bars or matrix row: aggregates only, at most 200 points."""

    name: str
    x: tuple[float, ...] | tuple[str, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] | None = None
    high: tuple[float, ...] | None = None
    n: tuple[int, ...] | None = None  # rows behind each point

    def __post_init__(self) -> None:
        for name in ("y", "low", "high", "n"):
            column = getattr(self, name)
            if column is None:
                continue
            if len(column) != len(self.x):
                raise InvalidInput(f"series {self.name}: {name} has {len(column)} points, x has {len(self.x)}.")
            if name != "n":
                object.__setattr__(self, name, tuple(tidy(item) for item in column))
        if len(self.x) > _MOST_POINTS:
            raise InvalidInput(f"series {self.name}: {len(self.x)} points; a figure holds at most {_MOST_POINTS}.")
        object.__setattr__(self, "x", tuple(item if isinstance(item, str) else tidy(item) for item in self.x))

    def to_json(self) -> dict[str, Any]:
        full = {"name": self.name, "x": self.x, "y": self.y, "low": self.low, "high": self.high, "n": self.n}
        return {key: list(value) if isinstance(value, tuple) else value for key, value in full.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """Data for one plot. kind: "lines" (x numbers), "bars" (x names), "matrix" (a series per row, x names columns)."""

    name: str  # "performance.roc"
    kind: str
    title: str
    x: str  # axis labels
    y: str
    series: tuple[Series, ...]
    note: str = ""

    def __post_init__(self) -> None:
        if self.kind not in ("lines", "bars", "matrix"):
            raise InvalidInput(f"figure {self.name}: kind is lines, bars or matrix; got {self.kind!r}.")

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "kind": self.kind,
            "title": self.title,
            "x": self.x,
            "y": self.y,
            "series": [one.to_json() for one in self.series],
            "note": self.note,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteResult:
    """Everything one suite said about one model on one dataset, with what is needed to compute it again."""

    suite: str
    task: str
    model: str | None  # digest; None for a function, which can be judged but not signed for
    data: str  # digest of the judged data: the snapshot, or the rows themselves
    seed: int
    settings: Mapping[str, Any]
    packages: Mapping[str, str]  # name -> version, with "python" and "machine"
    rows: Mapping[str, int]  # "test", "test_judged", "train", "train_judged"
    performed_at: datetime  # timezone-aware
    findings: tuple[Finding, ...]
    figures: tuple[Figure, ...] = ()
    not_performed: tuple[NotPerformed, ...] = ()

    def __post_init__(self) -> None:
        hex_of(self.data)
        if self.model is not None:
            hex_of(self.model)
        if not 0 <= self.seed < 2**53:
            raise InvalidInput(f"A seed is a whole number from 0 to 2**53 - 1; got {self.seed}.")

    @property
    def settings_digest(self) -> str:
        return digest_of(canonical_json(self.settings))

    @property
    def environment(self) -> str:
        """Digest of the interpreter and library versions."""
        return digest_of(canonical_json(self.packages))

    def find(self, check: str) -> tuple[Finding, ...]:
        """Every finding of one check."""
        return tuple(finding for finding in self.findings if finding.check == check)

    def to_json(self) -> dict[str, Any]:
        return {
            "format": 1,
            "suite": self.suite,
            "task": self.task,
            "model": self.model,
            "data": self.data,
            "seed": self.seed,
            "settings": dict(self.settings),
            "settings_digest": self.settings_digest,
            "packages": dict(self.packages),
            "environment": self.environment,
            "rows": dict(self.rows),
            "performed_at": rfc3339(self.performed_at),
            "meaning": _MEANING,
            "findings": [finding.to_json() for finding in self.findings],
            "figures": [figure.to_json() for figure in self.figures],
            "not_performed": [item.to_json() for item in self.not_performed],
        }


def _check_name_shape(check: str) -> None:
    if not _CHECK.fullmatch(check):
        raise InvalidInput(f"A check is named suite.name in a-z, 0-9 and underscore; got {str(check)[:60]!r}.")


def names_of(items: Sequence[Finding] | Sequence[NotPerformed]) -> list[str]:
    """The distinct check names in order of first appearance."""
    return list(dict.fromkeys(item.check for item in items))
