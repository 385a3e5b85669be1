"""One column of a batch against its contract: which cells break which rule?

Answers: type, range, list, length and pattern of every cell, by vectorised kernels only.
Does not answer: whether values repeat, or how columns compare. Those are `repeats` and `pairs`.
The types are `cast`'s word; the rules here look at what it has read.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sealwright.data.cast import cast_column
from sealwright.data.cells import Cast, Mask, as_mask
from sealwright.data.contracts.column import ContractColumn
from sealwright.data.contracts.shapes import not_matching

__all__ = ["is_ascii", "judge_column", "unread"]

_UTF8_WIDTH = 4  # bytes of one character, at most
_UNREAD = frozenset(
    {
        "not_an_integer",
        "not_a_number",
        "not_finite",
        "beyond_2_53",
        "beyond_double",
        "not_a_boolean",
        "not_a_date",
        "has_time_of_day",
    }
)


def judge_column(values: Any, column: ContractColumn, *, decimal: str = ".") -> Cast:
    """Read a column and test every rule about its single cells.

    Parameters
    ----------
    values : pa.Array
        Text, or any flat Arrow type; of a dictionary, each different value is judged once.
    decimal : "." or ","
        Decimal mark in text.

    Returns
    -------
    Cast
        Values in the contract's type, null where a cell is empty or could not be read, and the broken rules
        (codes of `REASONS` or `RULES`), each with the cells that break it.
    """
    if pa.types.is_dictionary(values.type) and len(values.dictionary) <= len(values):
        return _judge_dictionary(values, column, decimal)
    cast = cast_column(values, column, decimal=decimal)
    problems = {**cast.problems, **_beyond_the_type(cast.values, unread(cast.problems), column)}
    return Cast(cast.values, {rule: found for rule, found in problems.items() if found.any()})


def _judge_dictionary(values: Any, column: ContractColumn, decimal: str) -> Cast:
    judged = judge_column(values.dictionary, column, decimal=decimal)
    places = values.indices
    problems = {rule: as_mask(pc.take(pa.array(found), places)) for rule, found in judged.problems.items()}
    if not column.nullable and places.null_count:
        problems["null_not_allowed"] = problems.get("null_not_allowed", np.False_) | as_mask(places.is_null())
    read = pa.DictionaryArray.from_arrays(places, judged.values)
    return Cast(read, {rule: found for rule, found in problems.items() if found.any()})


def unread(problems: Mapping[str, Mask]) -> Mask | None:
    """Cells without a value of the contract's type, or None where there is none. An unlisted text is a text still."""
    found = [cells for rule, cells in problems.items() if rule in _UNREAD]
    return np.logical_or.reduce(found) if found else None


def _beyond_the_type(values: Any, without: Mask | None, column: ContractColumn) -> dict[str, Mask]:
    """The rules a `ColumnSpec` does not know."""
    rules: dict[str, Any] = {}
    plain = pc.cast(values, pa.int32()) if column.type == "date" else values
    above, below = column.open_bounds
    if above is not None:
        rules["not_above"] = pc.less_equal(plain, above)
    if below is not None:
        rules["not_below"] = pc.greater_equal(plain, below)
    if column.one_of is not None:
        rules["not_one_of"] = pc.and_not(values.is_valid(), _listed(plain, column.listed(column.one_of)))
    if column.none_of:
        rules["one_of_refused"] = _listed(plain, column.listed(column.none_of))
    masks = {rule: as_mask(found) for rule, found in rules.items()}
    if column.pattern is not None:
        masks["pattern_not_found"] = not_matching(values, column.pattern)
    masks |= _lengths(values, column)
    return masks if without is None else {rule: found & ~without for rule, found in masks.items()}


def _listed(values: Any, listed: tuple[Any, ...]) -> Any:
    """Which values are in a list, compared as the column's type; a number no such column can hold is left out."""
    if pa.types.is_string(values.type):
        return pc.is_in(values, value_set=pa.array(listed, pa.string()))
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.equal(values, 0.0), 0.0, values)  # 0 and -0 are one number
        return pc.is_in(values, value_set=pa.array([float(value) + 0.0 for value in listed], values.type))
    whole = [int(value) for value in listed if value == int(value)]
    return pc.is_in(pc.cast(values, pa.int64()), value_set=pa.array(whole, pa.int64()))


def is_ascii(values: Any) -> bool:
    """Whether a text column holds ASCII only: told from its bytes as they lie, all cells at once."""
    _, offsets, data = values.buffers()
    if data is None or not len(values):
        return True
    ends = np.frombuffer(offsets, dtype="<i4")[[values.offset, values.offset + len(values)]]
    flat = np.frombuffer(data, dtype=np.uint8)[ends[0] : ends[1]]
    return not len(flat) or bool(flat.max() < 128)


def _lengths(values: Any, column: ContractColumn) -> dict[str, Mask]:
    """Texts that are too short or too long. Characters are counted only where bytes cannot tell."""
    least, most = column.min_length, column.max_length
    if not least and most is None:
        return {}
    size = pc.binary_length(values)
    ends = pc.min_max(size).as_py()
    if ends["min"] is None:
        return {}
    long_enough = not least or ends["min"] >= least * _UTF8_WIDTH
    short_enough = most is None or ends["max"] <= most
    if long_enough and short_enough:
        return {}
    length = size if is_ascii(values) else pc.utf8_length(values)
    rules: dict[str, Mask] = {}
    if not long_enough:
        rules["too_short"] = as_mask(pc.less(length, least))
    if not short_enough:
        rules["too_long"] = as_mask(pc.greater(length, most))
    return rules
