"""Rules on their way from another tool's words into a column of ours.

Answers: what does the contract say after all that was said elsewhere of this column, and what could it not take over?
Does not answer: how the other tool writes its rules. Each reader knows its own.
Nothing is dropped in silence: what a contract cannot say is named, with its column.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from sealwright.data.column_spec import LARGEST_INTEGER, MOST_CATEGORIES, ColumnType
from sealwright.data.contracts.column import ContractColumn, pattern_fault
from sealwright.data.contracts.model import Contract, CsvReading
from sealwright.data.dates import day_number
from sealwright.data.names import printable

__all__ = ["ColumnDraft", "Exported", "Imported", "unsaid_of"]

_RANGED = {"integer", "number", "date"}
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]00:00(?::00(?:\.0+)?)?(?:Z|\+00:00)?)?")
_LARGEST = 1.7976931348623157e308


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A contract made from another tool's file."""

    contract: Contract
    left_out: tuple[str, ...]  # what a contract cannot say
    notes: tuple[str, ...]  # taken over with a difference, or guessed


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A contract in another tool's words."""

    text: str
    left_out: tuple[str, ...]  # what the other tool cannot say
    notes: tuple[str, ...]  # said there with a difference


def unsaid_of(contract: Contract) -> Iterator[str]:
    """What no other tool has a word for: how sensitive a column is, its part in a project, how a CSV file is read."""
    for name, column in contract.columns.items():
        if column.data_class != "internal":
            yield f"{name}: class {column.data_class}"
        if column.role not in {"feature", "identifier"}:
            yield f"{name}: role {column.role}"
    if contract.csv != CsvReading():
        yield "the table: csv, how its files are read"


@dataclass(slots=True)
class ColumnDraft:
    """What was said of one column so far. The strictest word counts where several speak of one thing."""

    name: str
    type: ColumnType | None = None
    nullable: bool = False
    required: bool = True
    unique: bool = False
    ends: dict[str, Any] = field(default_factory=dict)  # min, max, above, below
    allowed: list[Any] | None = None
    refused: list[Any] = field(default_factory=list)
    pattern: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    at_most_share: float | None = None
    left_out: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def leave_out(self, what: str) -> None:
        self.left_out.append(f"{self.name}: {what}")

    def end(self, which: str, value: Any) -> None:
        """A bound: min, max, above or below."""
        if value is None:
            return
        known = self.ends.get(which)
        if known is None:
            self.ends[which] = value
        elif type(known) is type(value) or {type(known), type(value)} <= {int, float}:
            self.ends[which] = max(known, value) if which in {"min", "above"} else min(known, value)
        else:
            self.leave_out(f"a second `{which}`, {value!r}")

    def allow(self, values: Sequence[Any]) -> None:
        """A list of values; of two lists, what both hold."""
        self.allowed = list(values) if self.allowed is None else [one for one in self.allowed if one in values]

    def match(self, pattern: str) -> None:
        if self.pattern is not None and self.pattern != pattern:
            self.leave_out(f"a second pattern, {pattern}")
        elif fault := pattern_fault(pattern):
            self.leave_out(f"the pattern {pattern}: {fault}")
        else:
            self.pattern = pattern

    def lengths(self, least: Any, most: Any) -> None:
        if isinstance(least, int):
            self.min_length = max(least, self.min_length or 0)
        if isinstance(most, int):
            self.max_length = most if self.max_length is None else min(most, self.max_length)

    def finish(self) -> ContractColumn:
        """The column, with whatever its type cannot take named in `left_out`."""
        said: dict[str, Any] = {"type": self._type(), "nullable": self.nullable, "required": self.required}
        said |= {"unique": self.unique, "at_most_share": self.at_most_share or None}
        said |= self._ends(said["type"])
        said |= self._lists(said["type"])
        texts = {"pattern": self.pattern, "min_length": self.min_length, "max_length": self.max_length}
        said |= {name: value for name, value in texts.items() if self._takes(said["type"] == "text", name, value)}
        try:
            return ContractColumn.model_validate(said)
        except ValidationError as error:
            for found in error.errors():
                self.leave_out(f"all of its rules, which do not agree: {found['msg'].removeprefix('Value error, ')}")
            return ContractColumn.model_validate({"type": "text", "nullable": True, "required": self.required})

    def _takes(self, fits: bool, name: str, value: Any) -> bool:
        if value is not None and not fits:
            self.leave_out(f"`{name}` {value}, which is for text")
        return value is not None and fits

    def _type(self) -> ColumnType:
        """The type said; or the one that its rules ask for, text where nothing does, since a text may be anything."""
        kind = self.type or self._guess()
        other_rules = self.pattern or self.min_length or self.max_length or self.refused
        if kind == "text" and self._lists_texts() and not other_rules:
            kind = "category"
        if self.type is None and kind != "category" and (self.ends or self.allowed or self.refused):
            self.notes.append(f"{self.name}: no type is named; read as {kind} because of its other rules")
        return kind

    def _guess(self) -> ColumnType:
        known = [*self.ends.values(), *(self.allowed or ()), *self.refused]
        if known and all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in known):
            return "number"
        if self.ends and all(_day(value) is not None for value in self.ends.values()):
            return "date"
        return "text"

    def _lists_texts(self) -> bool:
        listed = self.allowed
        if not listed or len(listed) > MOST_CATEGORIES or len(set(map(str, listed))) < len(listed):
            return False
        return all(isinstance(one, str) and one and printable(one) and len(one) <= 500 for one in listed)

    def _ends(self, kind: ColumnType) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for which, value in self.ends.items():
            found = _bound(which, value, kind) if kind in _RANGED else None
            if found is not None:
                kept |= found
            else:
                self.leave_out(f"`{which}` {value}, which is no bound of a {kind}")
        return kept

    def _lists(self, kind: ColumnType) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        if kind == "category":
            return {"categories": self.allowed}
        for name, listed in (("one_of", self.allowed), ("none_of", self.refused)):
            if not listed:
                continue
            values = [_value(one, kind) for one in listed]
            if any(value is None for value in values):
                self.leave_out(f"`{name}` {listed[:6]}, which are no values of a {kind}")
            else:
                kept[name] = values
        return kept


def _bound(which: str, value: Any, kind: ColumnType) -> dict[str, Any] | None:
    """A bound as the type can hold it: {} where it says nothing, None where it cannot be said."""
    if kind == "date":
        day = _day(value)
        return None if day is None else {which: day}
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    limit = float(LARGEST_INTEGER) if kind == "integer" else _LARGEST
    if (which == "min" and value <= -limit) or (which == "max" and value >= limit):
        return {}
    if kind == "number":
        return {which: value if isinstance(value, float) or abs(value) <= LARGEST_INTEGER else float(value)}
    if value == int(value):
        return {which: int(value)} if abs(value) <= LARGEST_INTEGER else None
    return {"min": math.ceil(value)} if which in {"min", "above"} else {"max": math.floor(value)}


def _value(value: Any, kind: ColumnType) -> Any:
    """A listed value as the type can hold it, or None."""
    if kind == "text":
        return value if isinstance(value, str) else None
    if kind == "date":
        return _day(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > LARGEST_INTEGER:
        return None
    if kind == "integer":
        return int(value) if value == int(value) else None
    return value if kind == "number" else None


def _day(value: Any) -> str | None:
    """A day as we write it, from 2020-01-31 with or without midnight after it."""
    found = _DAY.fullmatch(value) if isinstance(value, str) else None
    return found[1] if found and day_number(found[1]) is not None else None
