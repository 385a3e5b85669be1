"""One column as the contract wants it, with a reason for every cell that is not.

Answers: which value is this cell, or why is it none?
Does not answer: what happens to the row. That is `check`.
Nothing is rounded, cut, guessed or made null: a value arrives exactly, or its row is set aside.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sealwright.data import cast_text
from sealwright.data.cells import Cast, Mask, as_mask, blank, within
from sealwright.data.column_spec import LARGEST_INTEGER, ColumnSpec, ColumnType
from sealwright.data.dates import FIRST_DAY, LAST_DAY

__all__ = ["ARROW_TYPES", "as_category_text", "cast_column", "plain_column"]

ARROW_TYPES: dict[ColumnType, Any] = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "category": pa.string(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "text": pa.string(),
}
"""How a snapshot holds each type."""

_WRONG_KIND = {
    "integer": "not_an_integer",
    "number": "not_a_number",
    "boolean": "not_a_boolean",
    "date": "not_a_date",
    "category": "not_in_categories",
}


def cast_column(values: Any, column: ColumnSpec, *, decimal: str = ".") -> Cast:
    """Cast one column of a source.

    Parameters
    ----------
    values : pa.Array
        Text, or any flat Arrow type of a typed source.
    column : ColumnSpec
        What the contract says of it.
    decimal : "." or ","
        Decimal mark in text.

    Returns
    -------
    Cast
        Values in `ARROW_TYPES[column.type]`, same length, and the problems.
    """
    if pa.types.is_dictionary(values.type) and len(values.dictionary) <= len(values):
        return _from_dictionary(values, column, decimal)
    values = plain_column(values)
    if pa.types.is_string(values.type):
        values = _without_null_words(values, column)
        cast = _from_text(values, column, decimal)
    else:
        values = _without_null_numbers(values, column)
        cast = _from_typed(values, column)
    problems = dict(cast.problems)
    if not column.nullable and values.null_count:
        problems["null_not_allowed"] = as_mask(values.is_null())
    return Cast(cast.values, {**problems, **_out_of_range(cast, column)})


def plain_column(values: Any) -> Any:
    """The same values without encodings: dictionaries decoded, every kind of text as string, decimals as text."""
    if pa.types.is_dictionary(values.type):
        values = pa.DictionaryArray.from_arrays(values.indices, plain_column(values.dictionary)).dictionary_decode()
    kind = values.type
    if pa.types.is_decimal(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pc.cast(values, pa.string())
    return values


def as_category_text(values: Any) -> tuple[Any, Mask]:
    """A plain column as the texts its categories are written in, and which cells have no such text.

    Whole numbers are written without a point, so that 1 and 1.0 of typed sources are one category.
    """
    kind = values.type
    nothing = np.zeros(len(values), dtype=np.bool_)
    if pa.types.is_floating(kind):
        whole = integers_of_floats(pc.cast(values, pa.float64()))
        wrong = np.logical_or.reduce([nothing, *whole.problems.values()])
        return pc.cast(blank(whole.values, wrong), pa.string()), wrong
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_date32(kind) or pa.types.is_null(kind):
        return pc.cast(values, pa.string()), nothing
    if pa.types.is_string(kind):
        return values, nothing
    return pa.nulls(len(values), pa.string()), as_mask(values.is_valid())


def integers_of_floats(values: Any) -> Cast:
    """Doubles that are whole numbers within ±2^53, as integers."""
    finite = as_mask(pc.is_finite(values))
    present = as_mask(values.is_valid())
    whole = as_mask(pc.equal(values, pc.trunc(values))) & finite
    beyond = whole & as_mask(pc.greater(pc.abs(values), float(LARGEST_INTEGER)))
    problems = {
        "not_finite": present & ~finite,
        "not_an_integer": finite & ~whole,
        "beyond_2_53": beyond,
    }
    return Cast(pc.cast(blank(values, ~whole | beyond), pa.int64()), cast_text.only_real(problems))


def _without_null_words(text: Any, column: ColumnSpec) -> Any:
    """Empty texts and the contract's words for missing, as null."""
    missing = pc.equal(pc.binary_length(text), 0)
    if column.nulls:
        missing = pc.or_(missing, pc.is_in(text, value_set=pa.array(column.nulls, pa.string())))
    return blank(text, as_mask(missing))


def _without_null_numbers(values: Any, column: ColumnSpec) -> Any:
    """The contract's words for missing, where they stand as numbers: -9 and -9.0 are the word "-9"."""
    if not column.nulls:
        return values
    return blank(values, as_mask(pc.is_in(pc.cast(values, pa.string()), value_set=pa.array(column.nulls, pa.string()))))


def _from_dictionary(values: Any, column: ColumnSpec, decimal: str) -> Cast:
    """Each different value is judged once; one that no cell has does not count."""
    cast = cast_column(values.dictionary, column, decimal=decimal)
    places = values.indices
    problems = {name: as_mask(pc.take(pa.array(found), places)) for name, found in cast.problems.items()}
    if not column.nullable and places.null_count:
        problems["null_not_allowed"] = problems.get("null_not_allowed", np.False_) | as_mask(places.is_null())
    return Cast(pc.take(cast.values, places), cast_text.only_real(problems))


def _from_text(text: Any, column: ColumnSpec, decimal: str) -> Cast:
    match column.type:
        case "integer":
            return cast_text.integers(text)
        case "number":
            return cast_text.numbers(text, decimal=decimal)
        case "boolean":
            return cast_text.booleans(text)
        case "date":
            return cast_text.dates(text)
        case "category":
            return cast_text.categories(text, column.categories or ())
        case "text":
            return Cast(text, {})


def _from_typed(values: Any, column: ColumnSpec) -> Cast:
    """A typed column: accepted where every value means exactly the same in the contract's type."""
    kind = values.type
    if pa.types.is_null(kind):
        return Cast(pc.cast(values, ARROW_TYPES[column.type]), {})
    if column.type == "text":
        return Cast(pc.cast(values, pa.string()), {})
    if column.type == "category":
        text, wrong = as_category_text(values)
        cast = cast_text.categories(text, column.categories or ())
        unknown = wrong | cast.problems.get("not_in_categories", np.False_)
        return Cast(text, cast_text.only_real({"not_in_categories": unknown}))
    if pa.types.is_integer(kind) and column.type != "date":
        return _from_integers(values, column.type)
    if pa.types.is_floating(kind) and column.type != "date":
        return _from_floats(pc.cast(values, pa.float64()), column.type)
    if pa.types.is_boolean(kind) and column.type == "boolean":
        return Cast(values, {})
    if column.type == "date" and (pa.types.is_date(kind) or (pa.types.is_timestamp(kind) and kind.tz is None)):
        return _from_moments(values)
    wrong = as_mask(values.is_valid())
    return Cast(pa.nulls(len(values), ARROW_TYPES[column.type]), cast_text.only_real({_WRONG_KIND[column.type]: wrong}))


def _from_integers(values: Any, wanted: ColumnType) -> Cast:
    problems: dict[str, Mask] = {}
    if values.type.bit_width == 64 and not within(values, -LARGEST_INTEGER, LARGEST_INTEGER):
        beyond = as_mask(pc.greater(values, pa.scalar(LARGEST_INTEGER, values.type)))
        if pa.types.is_int64(values.type):
            beyond = beyond | as_mask(pc.less(values, -LARGEST_INTEGER))
        problems = {"beyond_2_53": beyond}
    whole = pc.cast(blank(values, problems["beyond_2_53"]) if problems else values, pa.int64())
    if wanted != "boolean":
        return Cast(pc.cast(whole, ARROW_TYPES[wanted]), problems)
    wrong = as_mask(values.is_valid()) & ~as_mask(pc.is_in(whole, value_set=pa.array([0, 1], pa.int64())))
    return Cast(pc.cast(blank(whole, wrong), pa.bool_()), cast_text.only_real({"not_a_boolean": wrong}))


def _from_floats(values: Any, wanted: ColumnType) -> Cast:
    if wanted == "number":
        infinite = as_mask(pc.invert(pc.is_finite(values)))
        return Cast(values, cast_text.only_real({"not_finite": infinite}))
    whole = integers_of_floats(values)
    if wanted == "integer":
        return whole
    fits = as_mask(pc.is_in(whole.values, value_set=pa.array([0, 1], pa.int64())))
    wrong = as_mask(values.is_valid()) & ~fits
    return Cast(pc.cast(blank(whole.values, ~fits), pa.bool_()), cast_text.only_real({"not_a_boolean": wrong}))


def _from_moments(values: Any) -> Cast:
    """Dates and zoneless timestamps at midnight; a time of day is a problem, never cut off."""
    days = pc.cast(values, pa.date32(), safe=False)
    if pa.types.is_date32(values.type) and within(pc.cast(days, pa.int32()), FIRST_DAY, LAST_DAY):
        return Cast(days, {})
    timed = as_mask(pc.not_equal(pc.cast(days, values.type, safe=False), values))
    problems = {"has_time_of_day": timed, "not_a_date": cast_text.outside_calendar(days) & ~timed}
    return Cast(days, cast_text.only_real(problems))


def _out_of_range(cast: Cast, column: ColumnSpec) -> dict[str, Mask]:
    least, most = column.bounds
    if least is None and most is None:
        return {}
    values = pc.cast(cast.values, pa.int32()) if column.type == "date" else cast.values
    if not pa.types.is_floating(values.type) and within(values, least, most):
        return {}
    known = ~np.logical_or.reduce([np.zeros(len(values), np.bool_), *cast.problems.values()])
    problems: dict[str, Mask] = {}
    if least is not None:
        problems["below_min"] = known & as_mask(pc.less(values, least))
    if most is not None:
        problems["above_max"] = known & as_mask(pc.greater(values, most))
    return cast_text.only_real(problems)
