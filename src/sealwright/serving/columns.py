"""One feature's values for many rows, held to the contract at once.

Answers: may every one of these values stand in this column, and if not, which is the first that may not, and why? A file is not
refused for one row: `judged_…` say of every value whether it may, and `…_column` rest on them.
Does not answer: how they arrived. Whole arrays are compared, so a thousand rows cost about what a dozen cost one by one;
`field_rules` says the same of a single value, and a test holds the two together.
"""

import sys
from collections.abc import Sequence
from datetime import date
from typing import Any, NoReturn

import msgspec
import numpy as np
from numpy.typing import NDArray

from sealwright.kernel import SealwrightError
from sealwright.serving.contract import Feature
from sealwright.serving.field_rules import described, fault_in

__all__ = [
    "ColumnRefused",
    "date_column",
    "judged_dates",
    "judged_numbers",
    "judged_texts",
    "number_column",
    "number_fault",
    "text_column",
]


class ColumnRefused(SealwrightError):
    """Values outside their announced type or the contract; `at` is the row, where one is to blame."""

    code = "column.refused"

    def __init__(self, reason: str, message: str, *, at: int | None = None) -> None:
        self.reason, self.at = reason, at
        super().__init__(message)


def number_column(feature: Feature, values: Sequence[float | None] | NDArray[Any]) -> NDArray[np.float64]:
    """Numbers, booleans as 0 and 1, or days; missing is None or NaN, and becomes NaN.

    Raises
    ------
    ColumnRefused
        The first value that the contract does not allow: missing, infinite, out of its range, or not whole.
    """
    try:
        found, fits = judged_numbers(feature, values)
    except OverflowError:  # an integer that no float holds
        at = next(at for at, value in enumerate(values) if value is not None and abs(value) > sys.float_info.max)
        number_column(feature, values[:at])  # one before it may be wrong, too
        _refuse(feature, "out_of_range", at)
    if not fits.all():
        at = int(np.argmin(fits))
        _refuse(feature, number_fault(feature, float(found[at])), at)
    return found


def text_column(feature: Feature, values: Sequence[str | None]) -> Sequence[str | None]:
    """Categories; missing is None or "", where the contract allows it.

    Raises
    ------
    ColumnRefused
        The first that is none.
    """
    fits = judged_texts(feature, values)
    if fits is not None:
        at = int(np.argmin(fits))
        _refuse(feature, fault_in(feature, values[at]), at)
    return values


def date_column(feature: Feature, values: Sequence[str | None]) -> NDArray[np.float64]:
    """Days of dates written YYYY-MM-DD; missing is None or "", where the contract allows it, and becomes NaN.

    Raises
    ------
    ColumnRefused
        The first that is none, or is out of its range.
    """
    found, fits = judged_dates(feature, values)
    if not fits.all():
        at = int(np.argmin(fits))
        _refuse(feature, fault_in(feature, values[at] or None if feature.nullable else values[at]), at)
    return found


def judged_numbers(
    feature: Feature, values: Sequence[float | None] | NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """As `number_column`, and which of them the contract allows; nothing is refused.

    Raises
    ------
    OverflowError
        An integer that no float holds.
    """
    found = np.asarray(values, dtype=np.float64)
    fits = (found >= feature.low) & (found <= feature.high)
    if feature.kind != "number":
        fits &= found == np.floor(found)
    if feature.nullable:
        fits |= np.isnan(found)
    return found, fits


def judged_texts(feature: Feature, values: Sequence[str | None]) -> NDArray[np.bool_] | None:
    """Which categories the contract allows; None where it allows all of them."""
    different = set(values)
    if feature.nullable:
        different -= {None, ""}
    if feature.open:  # whatever stands there is dealt with later
        different &= {None}
    wrong = different - feature.categories
    return np.array([value not in wrong for value in values], dtype=np.bool_) if wrong else None


def judged_dates(feature: Feature, values: Sequence[str | None]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """As `date_column`, and which of them the contract allows; what is no date becomes NaN."""
    texts = [text or None for text in values] if feature.nullable else list(values)
    unreadable = None
    try:
        days: list[date | None] = msgspec.convert(texts, list[date | None])
    except msgspec.ValidationError:
        wrong = [text is not None and fault_in(feature, text) == "wrong_type" for text in texts]
        unreadable = np.array(wrong, dtype=np.bool_)
        days = msgspec.convert(
            [None if out else text for text, out in zip(texts, wrong, strict=True)], list[date | None]
        )
    found, fits = judged_numbers(feature, [None if day is None else day.toordinal() - _EPOCH for day in days])
    return found, fits if unreadable is None else fits & ~unreadable


_EPOCH = date(1970, 1, 1).toordinal()


def number_fault(feature: Feature, value: float) -> str:
    """As `fault_in` calls it."""
    if np.isnan(value):
        return "not_nullable"
    if feature.kind != "number" and not value.is_integer():
        return "wrong_type"
    return "not_finite" if np.isinf(value) else "out_of_range"


def _refuse(feature: Feature, reason: str, at: int) -> NoReturn:
    raise ColumnRefused(reason, f"Expected {described(feature)}.", at=at)
