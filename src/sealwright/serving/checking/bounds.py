"""Values outside the contract brought inside it, and marked.

Answers: which value is used in place of one outside its range or categories, and what is said about it?
Does not answer: should there be an answer then. The mode of the version says.

Protocols read with the widened contract: types, names and nulls are held there as ever. What they let through that the
real contract does not have is mended here, on the packed batch, so that every protocol does the same.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from sealwright.serving.contract import WIDEST_DATES, WIDEST_INTEGER, WIDEST_NUMBER, Batch, Contract, Feature

__all__ = ["Bounds", "Mark", "widened"]

_EPOCH = date(1970, 1, 1)


class Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """A value that was outside, and what was used in its place; never the value itself."""

    feature: str
    was: Literal["below", "above", "unknown"]
    used: int | float | str | None = None


def widened(contract: Contract) -> Contract:
    """The same features, with every value that their types and the model's inputs can hold."""
    return Contract(
        project=contract.project,
        task=contract.task,
        classes=contract.classes,
        order=[_wide(feature) for feature in contract.features],
        numbers=[feature.name for feature in contract.numbers],
        strings=[feature.name for feature in contract.strings],
    )


class Bounds:
    """Ranges and categories of one contract. Compiled once for a version."""

    def __init__(self, contract: Contract, *, clips: bool) -> None:
        """`clips`: what was brought inside is used; else it is only kept from harm, as the row gets no answer."""
        self._numbers, self._strings, self._clips = contract.numbers, contract.strings, clips
        self._low = np.array([_end(f, f.low, math.ceil) for f in contract.numbers], dtype=np.float32)
        self._high = np.array([_end(f, f.high, math.floor) for f in contract.numbers], dtype=np.float32)
        self._known = [f.categories | ({""} if f.nullable else set()) for f in contract.strings]
        self._filler = ["" if f.nullable else min(f.categories, default="") for f in contract.strings]

    def mended(self, batch: Batch) -> tuple[Batch, Mapping[int, list[Mark]], list[tuple[int, Feature]]]:
        """A batch inside the contract; the marks of each row that was not; and what cannot be mended: row, feature."""
        marks: dict[int, list[Mark]] = {}
        hopeless: list[tuple[int, Feature]] = []
        numbers, strings = batch.numbers, batch.strings
        if numbers is not None:
            numbers = self._mend_numbers(numbers, marks)
        if strings is not None:
            strings = self._mend_strings(strings, marks, hopeless)
        if numbers is batch.numbers and strings is batch.strings:
            return batch, marks, hopeless
        return Batch(batch.rows, numbers, strings), marks, hopeless

    def _mend_numbers(self, numbers: NDArray[np.float32], marks: dict[int, list[Mark]]) -> NDArray[np.float32]:
        below, above = numbers < self._low, numbers > self._high
        outside = below | above
        if not outside.any():
            return numbers
        for row, at in np.argwhere(outside).tolist():
            feature = self._numbers[at]
            end = self._low[at] if below[row, at] else self._high[at]
            used = _told(feature, feature.low if below[row, at] else feature.high, float(end)) if self._clips else None
            marks.setdefault(row, []).append(Mark(feature.name, "below" if below[row, at] else "above", used))
        return np.clip(numbers, self._low, self._high)

    def _mend_strings(
        self, strings: NDArray[np.object_], marks: dict[int, list[Mark]], hopeless: list[tuple[int, Feature]]
    ) -> NDArray[np.object_]:
        mended = strings
        for at, column in enumerate(strings.T.tolist()):
            if set(column) <= self._known[at]:
                continue
            if mended is strings:
                mended = strings.copy()
            feature = self._strings[at]
            for row, text in enumerate(column):
                if text not in self._known[at]:
                    mended[row, at] = self._filler[at]
                    if self._clips and not feature.nullable:
                        hopeless.append((row, feature))
                    else:
                        marks.setdefault(row, []).append(Mark(feature.name, "unknown"))
        return mended


def _wide(feature: Feature) -> Feature:
    match feature.kind:
        case "category":
            return replace(feature, open=True)
        case "boolean":
            return feature
        case "date":
            return replace(feature, low=WIDEST_DATES[0], high=WIDEST_DATES[1], open=True)
        case kind:
            most = WIDEST_INTEGER if kind == "integer" else WIDEST_NUMBER
            return replace(feature, low=-most, high=most, open=True)


def _end(feature: Feature, end: float, whole: Any) -> float:
    return end if feature.kind == "number" else whole(end)


def _told(feature: Feature, exact: float, used: float) -> int | float | str:
    """The bound in the words of the caller."""
    if feature.kind == "number":
        return exact
    return (_EPOCH + timedelta(days=int(used))).isoformat() if feature.kind == "date" else int(used)
