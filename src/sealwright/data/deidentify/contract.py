"""What a column may hold after a method: the contract of an extract follows from the recipe, never from the rows.

Answers: which columns come out, of what type, range and categories?
Does not answer: which rows. The class of a column never falls here: pseudonymised data is still personal data.
"""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sealwright.data.column_spec import MOST_CATEGORIES, ColumnSpec
from sealwright.data.dates import FIRST_DAY, LAST_DAY, day_text
from sealwright.data.deidentify.identifiers import RESTRICTED_ZIP3
from sealwright.data.deidentify.spec import DeidentifySpec
from sealwright.data.deidentify.steps import Generalise, MaskText, Pseudonym, Redact, Round, ShiftDates, Step, Suppress
from sealwright.data.names import nearest, shown
from sealwright.kernel import InvalidInput

__all__ = ["Bands", "after_step", "bands_of", "check_columns", "first_of", "resulting_contract", "zip3_of"]

_NUMBERS = {"integer", "number"}


def resulting_contract(columns: Mapping[str, ColumnSpec], spec: DeidentifySpec) -> dict[str, ColumnSpec]:
    """The columns of an extract after the methods, before anything is coarsened to reach `enforce`.

    Parameters
    ----------
    columns : mapping of name to ColumnSpec
        Those of the snapshot, in order.

    Raises
    ------
    InvalidInput
        A column that is not there, or a method that does not fit its type.
    """
    check_columns(columns, spec)
    result: dict[str, ColumnSpec] = {}
    for name, column in columns.items():
        after: ColumnSpec | None = column
        for step in spec.columns.get(name, ()):
            assert after is not None
            after = after_step(name, after, step)
        if after is not None:
            result[name] = after
    return result


def check_columns(columns: Mapping[str, ColumnSpec], spec: DeidentifySpec) -> None:
    """Refuse names that are no columns."""
    parts = (spec.columns, spec.keep, spec.quasi_identifiers, spec.sensitive, spec.identifiers)
    named = [name for part in parts for name in part] + ([spec.subject] if spec.subject else [])
    unknown = [name for name in dict.fromkeys(named) if name not in columns]
    if unknown:
        listed = "\n".join(f"  {shown(name)}.{nearest(name, columns)}" for name in unknown[:20])
        raise InvalidInput(f"The recipe speaks of columns the data does not have:\n{listed}")


def after_step(name: str, column: ColumnSpec, step: Step | Generalise) -> ColumnSpec | None:
    """The column after one method; None if it is left out.

    Raises
    ------
    InvalidInput
        The method does not fit the type of the column.
    """
    match step:
        case Suppress():
            return None
        case Redact():
            return _changed(column, nullable=True)
        case Pseudonym():
            _need(name, column, {"integer", "category", "text"}, "pseudonym")
            return _as_text(column)
        case MaskText():
            _need(name, column, {"text"}, "mask_text")
            return column
        case ShiftDates():
            _need(name, column, {"date"}, "shift_dates")
            return _shifted(column, step.days)
        case Round():
            _need(name, column, _NUMBERS, "round")
            return _rounded(name, column, step.to)
        case Generalise():
            return _generalised(name, column, step)
        case _:
            raise AssertionError(step)


@dataclass(frozen=True, slots=True)
class Bands:
    """Where bands of numbers begin, and what they are called. Band 0 is below the first edge."""

    edges: tuple[float, ...]
    labels: tuple[str, ...]  # one more than edges
    used: tuple[str, ...]  # labels a value within the contract can have


def bands_of(name: str, column: ColumnSpec, step: Generalise) -> Bands:
    """The bands of a number column.

    Raises
    ------
    InvalidInput
        Bands of one width and no ends to them, or too many.
    """
    least, most = column.bounds
    if step.edges is not None:
        edges = [float(one) for one in step.edges]
        low = least is None or least < edges[0]
        high = most is None or most >= edges[-1]
    else:
        assert step.bands is not None
        edges, low, high = _even_edges(name, float(step.bands), least, most, step.bottom, step.top)
    if len(edges) >= MOST_CATEGORIES:
        raise InvalidInput(f"{shown(name)}: {len(edges):,} bands are more than the {MOST_CATEGORIES:,} a category has.")
    whole = column.type == "integer" and all(edge == int(edge) for edge in edges)
    inner = [_label(a, b, whole) for a, b in pairwise(edges)]
    labels = (f"under {_number(edges[0])}", *inner, f"{_number(edges[-1])} or more")
    return Bands(tuple(edges), labels, tuple(labels[0 if low else 1 : len(labels) if high else -1]))


def _even_edges(
    name: str, width: float, least: float | None, most: float | None, bottom: float | None, top: float | None
) -> tuple[list[float], bool, bool]:
    start, end = (least if bottom is None else bottom), (most if top is None else top)
    if start is None or end is None:
        raise InvalidInput(
            f"{shown(name)}: bands of one width need ends. Set min and max in the contract, or top and bottom here."
        )
    if (end - start) / width > MOST_CATEGORIES:
        raise InvalidInput(f"{shown(name)}: bands of {width:g} are more than {MOST_CATEGORIES:,}. Make them wider.")
    first, last = math.floor(start / width), math.floor(end / width) + 1
    begin = round(first * width, 9) if bottom is None else float(bottom)
    finish = max(round(last * width, 9), begin + width) if top is None else float(top)
    between = (round(place * width, 9) for place in range(first, last + 1))
    edges = [begin, *(edge for edge in between if begin < edge < finish), finish]
    low = bottom is not None and (least is None or least < bottom)
    return edges, low, top is not None and (most is None or most >= top)


def zip3_of(code: str) -> str | None:
    """Three digits of a US postcode, "000" for a restricted area, None where it is none."""
    digits = code.strip()[:5]
    if len(digits) != 5 or not (digits.isascii() and digits.isdigit()):
        return None
    return "000" if digits[:3] in RESTRICTED_ZIP3 else digits[:3]


def first_of(day: int, part: str) -> int:
    """A day (days since 1970-01-01) as the first day of its month or quarter, or as its year."""
    date = dt.date(1970, 1, 1) + dt.timedelta(days=day)
    if part == "year":
        return date.year
    month = date.month if part == "month" else (date.month - 1) // 3 * 3 + 1
    return (dt.date(date.year, month, 1) - dt.date(1970, 1, 1)).days


def _generalised(name: str, column: ColumnSpec, step: Generalise) -> ColumnSpec:
    if step.bands is not None or step.edges is not None:
        _need(name, column, _NUMBERS, "bands")
        return _as_category(column, bands_of(name, column, step).used)
    if step.part is not None:
        _need(name, column, {"date"}, step.part)
        return _dated(column, step.part)
    if step.prefix is not None:
        _need(name, column, {"category", "text"}, "prefix")
        places = step.prefix
        return _of_texts(column, [text[:places] for text in column.categories or ()])
    if step.zip3:
        _need(name, column, {"category", "text", "integer"}, "zip3")
        codes = [zip3_of(text) for text in column.categories or ()]
        after = _of_texts(column, [code for code in codes if code is not None])
        return _changed(after, nullable=True) if column.type != "category" or None in codes else after
    if step.groups is not None:
        _need(name, column, {"category"}, "groups")
        return _as_category(column, _grouped(name, column.categories or (), step))
    _need(name, column, _NUMBERS, "top and bottom")
    return _capped(name, column, step.bottom, step.top)


def _grouped(name: str, categories: Sequence[str], step: Generalise) -> list[str]:
    groups = step.groups or {}
    missing = [one for one in categories if one not in groups]
    if missing:
        raise InvalidInput(
            f"{shown(name)}: `groups` does not say where {len(missing)} of its categories belong, first"
            f" {shown(missing[0])}. Name every category."
        )
    return [groups[one][step.depth - 1] for one in categories]


def _need(name: str, column: ColumnSpec, types: set[str], what: str) -> None:
    if column.type not in types:
        raise InvalidInput(
            f"{shown(name)} is a {column.type}; {what} is for: {', '.join(sorted(types))}. Choose another method."
        )


def _changed(column: ColumnSpec, **values: Any) -> ColumnSpec:
    plain = {**column.plain(), **values}
    return ColumnSpec.model_validate({key: value for key, value in plain.items() if value is not None})


def _as_text(column: ColumnSpec) -> ColumnSpec:
    return _changed(column, type="text", role="identifier", categories=None, min=None, max=None, nulls=None)


def _as_category(column: ColumnSpec, labels: Sequence[str]) -> ColumnSpec:
    unique = list(dict.fromkeys(labels))
    return _changed(column, type="category", categories=unique, min=None, max=None, nulls=None)


def _of_texts(column: ColumnSpec, texts: Sequence[str]) -> ColumnSpec:
    """A text stays a text; a category gets the shorter texts as its categories."""
    if column.type == "category" and texts:
        return _as_category(column, texts)
    return _as_text(column)


def _shifted(column: ColumnSpec, days: int) -> ColumnSpec:
    least, most = column.bounds
    return _changed(column, nullable=True, min=_day(least, -days), max=_day(most, days))


def _day(value: float | None, by: int) -> str | None:
    moved = None if value is None else int(value) + by
    return None if moved is None or not FIRST_DAY <= moved <= LAST_DAY else day_text(moved)


def _dated(column: ColumnSpec, part: str) -> ColumnSpec:
    least, most = (None if one is None else first_of(int(one), part) for one in column.bounds)
    if part == "year":
        return _changed(column, type="integer", min=least, max=most, nulls=None)
    return _changed(column, min=_day(least, 0), max=_day(most, 0))


def _rounded(name: str, column: ColumnSpec, to: float) -> ColumnSpec:
    if column.type == "integer" and to != int(to):
        raise InvalidInput(f"{shown(name)} holds whole numbers; round them to a whole number, not to {to:g}.")
    kind = int if column.type == "integer" else float
    least, most = (None if one is None else kind(round(one / to) * to) for one in column.bounds)
    return _changed(column, min=least, max=most)


def _capped(name: str, column: ColumnSpec, bottom: float | None, top: float | None) -> ColumnSpec:
    ends = [end for end in (bottom, top) if end is not None]
    if column.type == "integer" and any(end != int(end) for end in ends):
        raise InvalidInput(f"{shown(name)} holds whole numbers; give whole numbers as top and bottom.")
    kind = int if column.type == "integer" else float
    low, high = (-math.inf if bottom is None else bottom), (math.inf if top is None else top)
    least, most = column.bounds
    least = bottom if least is None else min(max(least, low), high)
    most = top if most is None else min(max(most, low), high)
    return _changed(column, min=None if least is None else kind(least), max=None if most is None else kind(most))


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _label(a: float, b: float, whole: bool) -> str:
    if not whole:
        return f"{_number(a)} to under {_number(b)}"
    return _number(a) if b - a == 1 else f"{_number(a)} to {_number(b - 1)}"
