"""Why a value does not fit its feature, in words a caller can act on and without the value.

The slow, complete twin of the compiled decoders: they say yes or no, this says why.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any

from sealwright.serving.contract import Feature, days_of
from sealwright.serving.problems import FieldProblem

__all__ = ["MOST_PROBLEMS", "columns_problems", "described", "fault_in", "misnamed", "pointer", "row_problems"]

MOST_PROBLEMS = 20  # reasons listed in one refusal
_MOST_COMPARED = 3  # unknown names, with at most so many absent ones, each of at most so many letters: about 1 ms
_MOST_ABSENT = 50
_LONGEST_COMPARED = 64
_ALIKE = 0.7  # share of marks in common: one or two slips of the finger in a name of usual length
_EPOCH = date(1970, 1, 1).toordinal()


def pointer(*steps: str | int) -> str:
    """A JSON Pointer, RFC 6901."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def described(feature: Feature) -> str:
    """What the feature accepts: "an integer from 18 to 100", "one of: female, male; or null"."""
    if feature.kind == "boolean":
        text = "true or false"
    elif feature.open:
        text = {"category": "text", "date": "a date as YYYY-MM-DD", "integer": "an integer"}.get(
            feature.kind, "a number"
        )
    elif feature.kind == "category":
        names = feature.first_categories
        text = "one of: " + ", ".join(names) if names else "nothing but null"
        if len(feature.categories) > len(names):
            text += f" and {len(feature.categories) - len(names)} more"
    elif feature.kind == "date":
        text = f"a date as YYYY-MM-DD from {_day(feature.low)} to {_day(feature.high)}"
    else:
        text = f"{'an integer' if feature.kind == 'integer' else 'a number'} from {_number(feature.low)} to {_number(feature.high)}"
    return text + ("; or null" if feature.nullable and "null" not in text else "")


def fault_in(feature: Feature, value: Any) -> str:
    """The stable code of what is wrong with one JSON value, or "" if it fits."""
    if value is None:
        return "" if feature.nullable else "not_nullable"
    match feature.kind:
        case "boolean":
            return "" if isinstance(value, bool) else "wrong_type"
        case "category":
            if not isinstance(value, str):
                return "wrong_type"
            return "" if feature.open or value in feature.categories else "unknown_category"
        case "date":
            day = _date_of(value)
            return "wrong_type" if day is None else _range_fault(feature, days_of(day))
        case "integer":
            whole = isinstance(value, int) and not isinstance(value, bool)
            return _range_fault(feature, value) if whole else "wrong_type"
        case _:
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            return _range_fault(feature, value) if number else "wrong_type"


def row_problems(features: tuple[Feature, ...], row: Any, where: str) -> Iterator[FieldProblem]:
    """Everything wrong with one row of named features, in the contract's order. `where` is its pointer."""
    if not isinstance(row, dict):
        yield FieldProblem(where, "wrong_type", "Expected an object with one entry per feature.")
        return
    names = {feature.name for feature in features}
    strangers = sum(1 for name in row if name not in names)
    if strangers:
        yield FieldProblem(where, "unknown_field", _strangers(row, names, strangers))
    for feature in features:
        at = where + pointer(feature.name)
        if feature.name not in row:
            yield FieldProblem(at, "missing", f"Expected {described(feature)}.", feature.name)
        elif code := fault_in(feature, row[feature.name]):
            yield FieldProblem(at, code, f"Expected {described(feature)}.", feature.name)


def columns_problems(features: tuple[Feature, ...], columns: Any, most_rows: int) -> list[FieldProblem]:
    """What is wrong with an object of one list per feature: the first value of each that is wrong, up to a limit."""
    if not isinstance(columns, dict):
        return [FieldProblem("/columns", "wrong_type", "Expected an object with one list per feature.")]
    problems = misnamed(features, columns, "/columns")
    if problems:
        return problems[:MOST_PROBLEMS]
    lengths = {len(column) if isinstance(column, list) else -1 for column in columns.values()}
    for feature in features:
        column, at = columns[feature.name], pointer("columns", feature.name)
        if not isinstance(column, list) or not 1 <= len(column) <= most_rows:
            text = f"Expected a list of 1 to {most_rows} values."
            problems.append(FieldProblem(at, "wrong_length", text, feature.name))
            continue
        for row, value in enumerate(column):
            if code := fault_in(feature, value):
                text = f"Expected {described(feature)}."
                problems.append(FieldProblem(f"{at}/{row}", code, text, feature.name))
                break
    if not problems and len(lengths) > 1:
        problems.append(FieldProblem("/columns", "wrong_length", "Expected lists of one length."))
    return problems[:MOST_PROBLEMS]


def misnamed(features: tuple[Feature, ...], found: Mapping[str, Any], where: str) -> list[FieldProblem]:
    """Names that are not the contract's, and names of the contract that are not there."""
    names = {feature.name for feature in features}
    strangers = sum(1 for name in found if name not in names)
    problems = [FieldProblem(where, "unknown_field", _strangers(found, names, strangers))] if strangers else []
    return problems + [
        FieldProblem(where + pointer(feature.name), "missing", f"Expected {described(feature)}.", feature.name)
        for feature in features
        if feature.name not in found
    ]


def _strangers(row: Mapping[str, Any], names: set[str], count: int) -> str:
    """Say how many fields are unknown and which known name may be meant; never repeat what was sent."""
    text = f"{count} field{'s are' if count > 1 else ' is'} not in the contract."
    meant = _meant([name for name in row if name not in names], [name for name in names if name not in row])
    return f"{text} Did you mean {meant!r}?" if meant else text


def _meant(unknown: Sequence[str], absent: Sequence[str]) -> str:
    """The absent name that one of the first unknown ones looks like, or ""; a look at few and short ones, whatever was sent."""
    if not 0 < len(absent) <= _MOST_ABSENT:
        return ""
    known = {name: _marks(name) for name in sorted(absent) if len(name) <= _LONGEST_COMPARED}
    for marks in (_marks(name) for name in unknown[:_MOST_COMPARED] if len(name) <= _LONGEST_COMPARED):
        alike = {name: 2 * len(marks & others) / (len(marks) + len(others)) for name, others in known.items()}
        nearest = max(alike, key=alike.__getitem__, default="")
        if nearest and alike[nearest] >= _ALIKE:
            return nearest
    return ""


def _marks(name: str) -> set[str | tuple[str, str]]:
    """What is compared of a name: its letters, and which follows which. Takes no longer where letters repeat."""
    letters = f"\n{name.casefold()}\n"
    return {*letters, *pairwise(letters)}


def _range_fault(feature: Feature, value: float) -> str:
    if not -math.inf < value < math.inf:  # `math.isfinite` fails on an integer that no float holds
        return "not_finite"
    return "" if feature.low <= value <= feature.high else "out_of_range"


def _date_of(value: Any) -> date | None:
    """The day written as YYYY-MM-DD; fromisoformat alone would also take 20240131 and 2024-W05-3."""
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or len(value) != 10 or value[4] != "-" or value[7] != "-" or not value.isascii():
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def _day(days: float) -> str:
    at = min(max(int(days) + _EPOCH, 1), date.max.toordinal())
    return date.fromordinal(at).isoformat()


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else f"{value:g}"
