"""Text cells as typed values, exactly or not at all.

Each function first tries Arrow's cast of the whole column, which good data passes. Only if that
fails, or accepts more than we do (hexadecimal, overflow to infinity, underflow to zero), are the cells looked at
by pattern. Outer ASCII spaces are not part of a number, boolean or date; of a category they are.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sealwright.data.cells import Cast, Mask, as_mask, blank, matches
from sealwright.data.column_spec import LARGEST_INTEGER
from sealwright.data.dates import FIRST_DAY, LAST_DAY

__all__ = ["booleans", "categories", "dates", "integers", "numbers", "only_real", "outside_calendar"]

_INTEGER = r"^[+-]?[0-9]+(?:\.0*)?$"
_NUMBER = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"
_NOT_FINITE = r"(?i)^[+-]?(?:nan|inf|infinity)$"
_NOT_ZERO = r"^[^eE]*[1-9]"
_DIGITS_ONLY = r"^\s*[+-]?[0-9]+\s*$"
_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
_MIDNIGHT = _DAY + r"(?:[T ]00:00(?::00(?:\.0+)?)?)?$"
_TIMED = _DAY + r"[T ][0-9]{2}:[0-9]{2}"


def integers(text: Any) -> Cast:
    """Whole numbers within ±2^53: 7, -7, +7, 007, 7.0."""
    problems: dict[str, Mask] = {}
    try:
        values = pc.cast(text, pa.int64())
        if _holds(text, "x") or _holds(text, "X"):
            raise pa.ArrowInvalid("hexadecimal")
    except pa.ArrowInvalid:
        trimmed = pc.ascii_trim_whitespace(text)
        shaped = matches(trimmed, _INTEGER)
        problems["not_an_integer"] = as_mask(text.is_valid()) & ~shaped
        digits = blank(pc.replace_substring_regex(trimmed, r"^\+|\.0*$", ""), ~shaped)
        huge = as_mask(pc.greater(pc.abs(pc.cast(digits, pa.float64())), float(LARGEST_INTEGER)))
        problems["beyond_2_53"] = huge
        values = pc.cast(blank(digits, huge), pa.int64())
    beyond = as_mask(pc.greater(pc.abs_checked(blank_lowest(values)), LARGEST_INTEGER)) | _lowest(values)
    problems["beyond_2_53"] = problems.get("beyond_2_53", False) | beyond
    return Cast(values, only_real(problems))


def numbers(text: Any, *, decimal: str = ".") -> Cast:
    """Finite doubles: 7, -0.5, .5, 1e-3. Whole numbers written out must fit ±2^53."""
    problems: dict[str, Mask] = {}
    if decimal == ",":
        problems["not_a_number"] = as_mask(pc.match_substring(text, "."))
        text = pc.replace_substring(blank(text, problems["not_a_number"]), ",", ".")
    try:
        values = pc.cast(text, pa.float64())
    except pa.ArrowInvalid:
        text = pc.ascii_trim_whitespace(text)
        readable = matches(text, _NUMBER) | matches(text, _NOT_FINITE)
        wrong = as_mask(text.is_valid()) & ~readable
        problems["not_a_number"] = problems.get("not_a_number", False) | wrong
        text = blank(text, wrong)
        values = pc.cast(text, pa.float64())
    infinite = as_mask(pc.invert(pc.is_finite(values)))
    if infinite.any():
        problems["not_finite"] = infinite & matches(pc.ascii_trim_whitespace(text), _NOT_FINITE)
        problems["beyond_double"] = infinite & ~problems["not_finite"]
    zero = as_mask(pc.equal(values, 0.0))
    if zero.any():
        vanished = zero & matches(text, _NOT_ZERO)
        problems["beyond_double"] = problems.get("beyond_double", False) | vanished
    large = as_mask(pc.greater(pc.abs(values), float(LARGEST_INTEGER) - 1)) & ~infinite
    if large.any():
        problems["beyond_2_53"] = large & _beyond(text, large)
    return Cast(values, only_real(problems))


def booleans(text: Any) -> Cast:
    """True and false in any case, 1 and 0."""
    try:
        return Cast(pc.cast(text, pa.bool_()), {})
    except pa.ArrowInvalid:
        word = pc.ascii_lower(pc.ascii_trim_whitespace(text))
        known = as_mask(pc.is_in(word, value_set=pa.array(["true", "false", "1", "0"])))
        problems = only_real({"not_a_boolean": as_mask(text.is_valid()) & ~known})
        return Cast(pc.cast(blank(word, ~known), pa.bool_()), problems)


def categories(text: Any, allowed: tuple[str, ...]) -> Cast:
    """One of the texts allowed, exactly as written there."""
    known = pc.is_in(text, value_set=pa.array(allowed, pa.string()))
    return Cast(text, only_real({"not_in_categories": as_mask(pc.and_not(text.is_valid(), known))}))


def dates(text: Any) -> Cast:
    """Days of the years 1 to 9999: 2026-11-22, also with the time 00:00."""
    try:
        values = pc.cast(text, pa.date32())
        return Cast(values, only_real({"not_a_date": outside_calendar(values)}))
    except pa.ArrowInvalid:
        trimmed = pc.ascii_trim_whitespace(text)
    shaped = matches(trimmed, _MIDNIGHT)
    timed = matches(trimmed, _TIMED) & ~shaped
    day = pc.utf8_slice_codeunits(blank(trimmed, ~shaped), 0, 10)
    real = _on_the_calendar(day)
    problems = {
        "has_time_of_day": timed,
        "not_a_date": as_mask(text.is_valid()) & ~timed & ~real,
    }
    values = pc.cast(blank(day, ~real), pa.date32())
    return Cast(values, only_real(problems))


def only_real(problems: dict[str, Any]) -> dict[str, Mask]:
    """The problems that some cell has."""
    return {reason: cells for reason, cells in problems.items() if cells.any()}


def blank_lowest(values: Any) -> Any:
    """int64 without -2^63, whose absolute value does not exist."""
    return blank(values, _lowest(values))


def _lowest(values: Any) -> Mask:
    return as_mask(pc.equal(values, -(2**63)))


def _holds(text: Any, part: str) -> bool:
    return bool(pc.any(pc.match_substring(text, part)).as_py())


def _beyond(text: Any, cells: Mask) -> Mask:
    """Which of `cells` write out a whole number beyond ±2^53. Compared as integers, since doubles cannot tell."""
    result = np.zeros(len(text), dtype=np.bool_)
    written = np.flatnonzero(cells & matches(text, _DIGITS_ONLY))
    if len(written):
        some = pc.replace_substring_regex(pc.take(text, pa.array(written)), r"^\s*[+-]?0*|\s+$", "")
        longer = as_mask(pc.greater(pc.binary_length(some), 16))
        greater = as_mask(pc.greater(some, str(LARGEST_INTEGER)))  # 16 digits: order of texts is order of numbers
        result[written] = longer | greater
    return result


def outside_calendar(days: Any) -> Mask:
    """Which date32 values lie outside the years 1 to 9999."""
    number = pc.cast(days, pa.int32())
    return as_mask(pc.or_(pc.less(number, FIRST_DAY), pc.greater(number, LAST_DAY)))


def _on_the_calendar(day: Any) -> Mask:
    """Which texts of shape dddd-dd-dd are days that exist (proleptic Gregorian, years 1 to 9999)."""

    def part(start: int, stop: int) -> Any:
        text = pc.fill_null(pc.utf8_slice_codeunits(day, start, stop), "0")
        return pc.cast(text, pa.int64()).to_numpy(zero_copy_only=False)

    year, month, of_month = part(0, 4), part(5, 7), part(8, 10)
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    lengths = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    length = lengths[np.where(month <= 12, month, 0)] + (leap & (month == 2))
    real: Mask = (year >= 1) & (month >= 1) & (of_month >= 1) & (of_month <= length)
    return real
