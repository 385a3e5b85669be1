"""Cells and what is wrong with them: the vocabulary the casts share.

A problem is a reason code and a mask of cells; a column without problems carries none, so that
good data pays nothing for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

__all__ = ["REASONS", "Cast", "Mask", "as_mask", "blank", "matches", "within"]

Mask = NDArray[np.bool_]

REASONS: Mapping[str, str] = {
    "null_not_allowed": "the cell is empty, and the contract allows no missing value",
    "not_an_integer": "not a whole number",
    "not_a_number": "not a number",
    "not_finite": "NaN or infinite",
    "beyond_2_53": "a whole number beyond ±2^53, which a double cannot hold exactly",
    "beyond_double": "a number too large or too close to zero for a double",
    "below_min": "smaller than the contract's min",
    "above_max": "larger than the contract's max",
    "not_in_categories": "not one of the contract's categories",
    "not_a_boolean": "not true, false, 1 or 0",
    "not_a_date": "not a date of the calendar written like 2026-11-22",
    "has_time_of_day": "a date with a time of day, which a date would lose",
    "breaks_rule": "the row breaks a rule between its columns; in place of a column stands the rule's name",
    "ragged_row": "the row has more or fewer fields than the header",
    "not_json": "the line is not JSON: cut, damaged, or with words such as NaN",
    "not_an_object": "the line is JSON, but no object with keys and values",
    "repeated_key": "the object has a key twice",
    "unknown_key": "the object has a key that none of the first rows has",
    "nested_value": "an object or a list stands where a value belongs",
    "nested_too_deep": "lists or objects within each other, too deep to read",
}
"""Every reason a cell or row is set aside for, in words. The codes are stable."""


@dataclass(frozen=True, slots=True)
class Cast:
    """A column in the type of the contract. Cells under a problem's mask are null or meaningless."""

    values: Any  # pa.Array
    problems: Mapping[str, Mask]  # reason code -> cells, each with at least one True


def as_mask(found: Any) -> Mask:
    """An Arrow boolean array as numpy, null as False."""
    if not pc.any(found).as_py():  # the usual case, told from bits before any byte is spread out
        return np.zeros(len(found), dtype=np.bool_)
    mask: Mask = pc.fill_null(found, fill_value=False).to_numpy(zero_copy_only=False)
    return mask


def within(values: Any, least: float | None, most: float | None) -> bool:
    """Whether no whole number lies outside: told from the two ends, without looking at cells."""
    ends = pc.min_max(values).as_py()
    low, high = ends["min"], ends["max"]
    return low is None or ((least is None or low >= least) and (most is None or high <= most))


def matches(text: Any, pattern: str) -> Mask:
    """Which cells of a text column match an RE2 pattern."""
    return as_mask(pc.match_substring_regex(text, pattern))


def blank(values: Any, cells: Mask) -> Any:
    """The column with `cells` made null."""
    return pc.if_else(pa.array(~cells), values, pa.scalar(None, values.type)) if cells.any() else values
