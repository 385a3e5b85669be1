"""Rows of a table held to the contract: each row for itself, so that one that is wrong does not stop the others.

Answers: which rows may be asked, what are they as the model's inputs, and what is wrong with the rest?
Does not answer: how a table was read. Columns come as the Arrow protocol has them; text is read as the CSV protocol reads its
cells, because a text file has nothing else.

Every row is told as a request of the named-feature protocol tells it; a cell that cannot be read stands there as it came.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from sealwright.serving.arrow.arrays import Column
from sealwright.serving.columns import judged_dates, judged_numbers, judged_texts, number_fault
from sealwright.serving.contract import Batch, Contract, Feature
from sealwright.serving.field_rules import described, fault_in
from sealwright.serving.problems import FieldProblem

__all__ = ["RowsRead", "read_columns"]

_DAY = 86_400_000  # milliseconds
_MOST_DAYS = 1e8  # of dates that NumPy can write
_MOST_CELL = 1000  # characters of a cell that cannot be read
_NUMBERS = msgspec.json.Decoder(list[float | None])
_NUMBER = msgspec.json.Decoder(float)
_BOOLEANS = {"true": 1.0, "True": 1.0, "1": 1.0, "false": 0.0, "False": 0.0, "0": 0.0}
_ENCODER = msgspec.json.Encoder()
Values = Sequence[Any] | NDArray[Any]


@dataclass(frozen=True, slots=True)
class RowsRead:
    """Rows of a table. `problems` names the rows that get no answer, and why."""

    contract: Contract
    count: int
    packable: list[Values]  # a column per feature
    told: list[Sequence[Any]]  # the same as JSON tells them
    problems: dict[int, list[FieldProblem]]

    def good(self) -> tuple[NDArray[np.int64], Batch | None]:
        """The places of rows that may be asked, and these as the model's inputs; None where there is none."""
        if not self.problems:
            return np.arange(self.count), self.contract.pack_columns(self.packable) if self.count else None
        keep = np.ones(self.count, dtype=np.bool_)
        keep[list(self.problems)] = False
        places = np.flatnonzero(keep)
        if not len(places):
            return places, None
        return places, self.contract.pack_columns([_taken(column, places) for column in self.packable])

    def requests(self) -> list[bytes]:
        """Each row as `{"age":41,…}`, in the order of the contract."""
        if not self.count:
            return []
        names = [feature.name for feature in self.contract.features]
        lines = _ENCODER.encode_lines([dict(zip(names, row, strict=True)) for row in zip(*self.told, strict=True)])
        return lines.split(b"\n")[:-1]


@dataclass(frozen=True, slots=True)
class _Judged:
    """One column: what is packed, what is told, and which rows are wrong."""

    packable: Values
    told: Sequence[Any]
    faults: Mapping[int, str]


def read_columns(contract: Contract, columns: Mapping[str, Column], count: int) -> RowsRead:
    """Hold `count` rows to the contract, which each feature must have a column for."""
    problems: dict[int, list[FieldProblem]] = {}
    packable, told = [], []
    for feature in contract.features:
        judged = _judged(feature, columns[feature.name])
        packable.append(judged.packable)
        told.append(judged.told)
        if judged.faults:
            expected = f"Expected {described(feature)}."
            for row, fault in judged.faults.items():
                problems.setdefault(row, []).append(FieldProblem("", fault, expected, feature.name))
    return RowsRead(contract, count, packable, told, problems)


def _judged(feature: Feature, column: Column) -> _Judged:
    kind = column.kind
    if kind == "null":
        return _judged_text(feature, [None] * len(column.values))
    if kind == "text":
        return _judged_text(feature, _with_missing(list(column.values), column))
    values = np.asarray(column.values)
    if feature.kind == "category":
        if kind != "number" or values.dtype.kind not in "iu":
            return _all_wrong(feature, column)
        return _judged_text(feature, _with_missing([str(value) for value in values.tolist()], column))
    fits = {"date": ("days", "milliseconds"), "boolean": ("bool", "number")}.get(feature.kind, ("number",))
    if kind not in fits:
        return _all_wrong(feature, column)
    found = values.astype(np.float64)
    if kind == "milliseconds":
        found /= _DAY  # a time of day is no whole number of days, and is refused as such
    if column.missing is not None:
        found[column.missing] = np.nan
    return _judged_numbers(feature, found)


def _judged_text(feature: Feature, texts: Sequence[str | None]) -> _Judged:
    if feature.kind == "category":
        fits = judged_texts(feature, texts)
        if fits is None:
            return _Judged(texts, [text or None for text in texts] if feature.nullable else texts, {})
        faults = {at: fault_in(feature, texts[at]) for at in np.flatnonzero(~fits).tolist()}
        return _Judged(texts, [_cut(text) for text in texts], faults)
    if feature.kind == "date":
        days, fits = judged_dates(feature, texts)
        faults = {at: fault_in(feature, texts[at] or None) for at in np.flatnonzero(~fits).tolist()}
        return _Judged(days, [_cut(text) or None for text in texts], faults)
    found = _booleans(texts) if feature.kind == "boolean" else _numbers(texts)
    unreadable = [at for at, value in enumerate(found) if value is not None and value != value] if _odd(found) else []
    judged = _judged_numbers(feature, np.array(found, dtype=np.float64))
    if not unreadable:
        return judged
    told, faults = list(judged.told), dict(judged.faults)
    for at in unreadable:
        told[at], faults[at] = _cut(texts[at]), "wrong_type"
    return _Judged(judged.packable, told, faults)


def _judged_numbers(feature: Feature, found: NDArray[np.float64]) -> _Judged:
    """Numbers, booleans or days, with NaN for missing."""
    found, fits = judged_numbers(feature, found)
    wrong = np.flatnonzero(~fits)
    told = _as_json(feature, found, fits)
    faults = {}
    for at in wrong.tolist():
        value = float(found[at])
        faults[at], told[at] = number_fault(feature, value), _as_it_came(feature, value)
    return _Judged(found, told, faults)


def _as_it_came(feature: Feature, value: float) -> Any:
    """A number that the contract does not allow."""
    if np.isnan(value):
        return None
    if feature.kind == "date" and abs(value) < _MOST_DAYS:
        return str(np.datetime64(int(value), "D"))
    return int(value) if feature.kind != "number" and value.is_integer() else _finite(value)


def _as_json(feature: Feature, found: NDArray[np.float64], fits: NDArray[np.bool_]) -> list[Any]:
    """Values as JSON has them: whole numbers without a point, true and false, dates as YYYY-MM-DD, null for missing."""
    missing = np.isnan(found)
    sure = np.where(fits & ~missing, found, 0.0)
    told: list[Any]
    match feature.kind:
        case "integer":
            told = sure.astype(np.int64).tolist()
        case "boolean":
            told = (sure != 0).tolist()
        case "date":
            told = np.datetime_as_string(sure.astype(np.int64).astype("datetime64[D]")).tolist()
        case _:
            told = sure.tolist()
    for at in np.flatnonzero(missing).tolist():
        told[at] = None
    return told


def _numbers(texts: Sequence[str | None]) -> Sequence[float | None]:
    """Cells spelled like JSON numbers, all of them read at once; NaN where one is not."""
    try:
        found: list[float | None] = _NUMBERS.decode("[" + ",".join([text or "null" for text in texts]) + "]")
        if len(found) == len(texts) and "null" not in texts:
            return found
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        pass
    return [None if not text else _number(text) for text in texts]


def _number(text: str) -> float:
    try:
        return _NUMBER.decode(text)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return float("nan")


def _booleans(texts: Sequence[str | None]) -> Sequence[float | None]:
    return [_BOOLEANS.get(text, float("nan")) if text else None for text in texts]


def _odd(found: Sequence[float | None]) -> bool:
    """Whether there is a NaN: a cell that could not be read."""
    return any(value != value for value in set(found))


def _all_wrong(feature: Feature, column: Column) -> _Judged:
    """A column of another type than the feature's."""
    values = _with_missing(np.asarray(column.values).tolist(), column)
    faults = {at: "wrong_type" for at, value in enumerate(values) if value is not None or not feature.nullable}
    return _Judged([None] * len(values), [_finite(value) for value in values], faults)


def _with_missing(values: list[Any], column: Column) -> list[Any]:
    if column.missing is None:
        return values
    return [None if gone else value for value, gone in zip(values, column.missing.tolist(), strict=True)]


def _finite(value: Any) -> Any:
    return str(value) if isinstance(value, float) and not np.isfinite(value) else value


def _cut(text: str | None) -> str | None:
    return text if text is None else text[:_MOST_CELL]


def _taken(column: Values, places: NDArray[np.int64]) -> Values:
    if isinstance(column, np.ndarray):
        return column[places]
    return [column[place] for place in places.tolist()]
