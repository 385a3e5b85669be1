"""The methods on columns of cells: what `contract` promises of a column is what comes out here.

Answers: which value stands in place of this one?
Does not answer: which rows may go. That is `enforce`.
Every method looks at each different value once. Nothing here writes, and no message holds a cell.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sealwright.data.column_spec import ColumnSpec
from sealwright.data.dates import FIRST_DAY, LAST_DAY
from sealwright.data.deidentify.contract import bands_of, first_of, zip3_of
from sealwright.data.deidentify.pseudonyms import pseudonyms_of, shift_of
from sealwright.data.deidentify.steps import Generalise, MaskText, Pseudonym, Redact, Round, ShiftDates, Step
from sealwright.data.names import shown
from sealwright.kernel import InvalidInput

__all__ = ["Tools", "apply_step", "texts_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What methods need besides the column. Keys are 32 bytes and never printed."""

    pseudonyms: bytes = field(repr=False)
    shifts: bytes = field(repr=False)
    subjects: pa.Array | None = field(default=None, repr=False)  # texts, one a row: whom the row is about
    mask_text: Callable[[str], str] | None = None
    keep_ways_back: bool = False
    ways_back: dict[str, Mapping[str, str]] = field(default_factory=dict, repr=False)  # column -> pseudonym -> value


def apply_step(name: str, values: pa.Array, column: ColumnSpec, step: Step | Generalise, tools: Tools) -> pa.Array:
    """One method on one column; the result is of the type that `after_step` says.

    Raises
    ------
    InvalidInput
        No subject column for shift_dates, no scanner for mask_text, or pseudonyms too short.
    """
    match step:
        case Redact():
            return pa.nulls(len(values), values.type)
        case Pseudonym():
            return _pseudonyms(name, values, step, tools)
        case MaskText():
            return _masked(name, values, tools)
        case ShiftDates():
            return _shifted(name, values, step.days, tools)
        case Round():
            rounded = np.round(_floats(values) / step.to) * step.to
            return _numbers(rounded, values)
        case Generalise():
            return _generalised(name, values, column, step)
        case _:
            raise AssertionError(step)


def texts_of(values: pa.Array) -> pa.Array:
    """A column as texts; a whole number as its digits."""
    return values if pa.types.is_string(values.type) else pc.cast(values, pa.string())


def _pseudonyms(name: str, values: pa.Array, step: Pseudonym, tools: Tools) -> pa.Array:
    def named(texts: list[str]) -> list[str | None]:
        names = pseudonyms_of(tools.pseudonyms, step.domain or name, texts, prefix=step.prefix, length=step.length)
        if tools.keep_ways_back:
            tools.ways_back[name] = dict(zip(names, texts, strict=True))
        return list(names)

    return _each_text(values, named)


def _masked(name: str, values: pa.Array, tools: Tools) -> pa.Array:
    mask = tools.mask_text
    if mask is None:
        raise InvalidInput(
            f"{shown(name)}: the scanner that masks texts is not part of this installation. Use suppress or redact."
        )
    return _each_text(values, lambda texts: [mask(text) for text in texts])


def _each_text(values: pa.Array, change: Callable[[list[str]], list[str | None]]) -> pa.Array:
    """Every different text changed once, missing ones left missing."""
    encoded = pc.dictionary_encode(texts_of(values))
    changed = pa.array(change(encoded.dictionary.to_pylist()), pa.string())
    return pc.take(changed, encoded.indices)


def _shifted(name: str, values: pa.Array, days: int, tools: Tools) -> pa.Array:
    """Dates moved by the shift of their person; a date nobody is known for, or that leaves the calendar, is emptied."""
    if tools.subjects is None:
        raise InvalidInput(
            f"{shown(name)}: shift_dates moves all dates of one person alike, so it needs to know the person.\n"
            "Name the column as deidentify.subject."
        )
    encoded = pc.dictionary_encode(tools.subjects)
    shifts = [shift_of(tools.shifts, person, days) for person in encoded.dictionary.to_pylist()]
    by = pc.take(pa.array(shifts, pa.int32()), encoded.indices)
    moved = pc.add(pc.cast(values, pa.int32()), by)
    inside = pc.and_(pc.greater_equal(moved, FIRST_DAY), pc.less_equal(moved, LAST_DAY))
    return pc.cast(pc.if_else(inside, moved, pa.scalar(None, pa.int32())), pa.date32())


def _generalised(name: str, values: pa.Array, column: ColumnSpec, step: Generalise) -> pa.Array:
    if step.bands is not None or step.edges is not None:
        bands = bands_of(name, column, step)
        places = np.searchsorted(np.asarray(bands.edges), _floats(values), side="right")
        labels = pa.array(bands.labels, pa.string())
        return pc.take(labels, pa.array(places.astype(np.int32), mask=np.asarray(values.is_null())))
    if step.part is not None:
        return _part(values, step.part)
    if step.prefix is not None:
        return pc.utf8_slice_codeunits(values, 0, step.prefix)
    if step.zip3:
        return _each_text(_as_postcodes(values), lambda texts: [zip3_of(text) for text in texts])
    if step.groups is not None:
        groups, place = step.groups, step.depth - 1
        return _each_text(values, lambda texts: [groups[text][place] for text in texts])
    low, high = (-np.inf if step.bottom is None else step.bottom), (np.inf if step.top is None else step.top)
    return _numbers(np.clip(_floats(values), low, high), values)


def _part(values: pa.Array, part: str) -> pa.Array:
    encoded = pc.dictionary_encode(pc.cast(values, pa.int32()))
    found = [first_of(day, part) for day in encoded.dictionary.to_pylist()]
    kind = pa.int64() if part == "year" else pa.int32()
    taken = pc.take(pa.array(found, kind), encoded.indices)
    return taken if part == "year" else pc.cast(taken, pa.date32())


def _as_postcodes(values: pa.Array) -> pa.Array:
    """Numbers as five digits: a table that keeps postcodes as numbers has lost their zeros."""
    if pa.types.is_string(values.type):
        return values
    return pc.utf8_lpad(pc.cast(values, pa.string()), 5, "0")


def _floats(values: pa.Array) -> NDArray[np.float64]:
    """Numbers as doubles; a missing one is 0 and stays missing by its mask."""
    filled = pc.fill_null(values, pa.scalar(0, values.type))
    return np.asarray(filled.to_numpy(zero_copy_only=False), dtype=np.float64)


def _numbers(numbers: NDArray[np.float64], like: pa.Array) -> pa.Array:
    whole = pa.types.is_integer(like.type)
    return pa.array(numbers.astype(np.int64) if whole else numbers, like.type, mask=np.asarray(like.is_null()))
