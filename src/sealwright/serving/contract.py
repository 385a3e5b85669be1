"""The data contract a request must keep, compiled from the interface inside the verified package.

Answers: which features are asked for, which values each may take, and how a row becomes the
model's packed inputs ("numbers": float32, missing is NaN; "strings": text, missing is "").
Does not answer: how the values arrived. The protocols decode, then pack here.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from heapq import nsmallest
from itertools import chain
from operator import itemgetter
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from sealwright.kernel import VerificationFailed

__all__ = [
    "FEW_ROWS",
    "WIDEST_DATES",
    "WIDEST_INTEGER",
    "WIDEST_NUMBER",
    "Batch",
    "Contract",
    "Feature",
    "Kind",
    "contract_of",
    "days_of",
]

Kind = Literal["integer", "number", "boolean", "date", "category"]
Value = None | bool | int | float | str | date

_LARGEST_FLOAT32 = float(np.finfo(np.float32).max)
_LARGEST_EXACT = 2**53 - 1  # beyond it two JSON readers may see two integers (RFC 8259 section 6)
_EPOCH = date(1970, 1, 1).toordinal()

WIDEST_NUMBER = _LARGEST_FLOAT32
WIDEST_INTEGER = float(_LARGEST_EXACT)
WIDEST_DATES = (float(date.min.toordinal() - _EPOCH), float(date.max.toordinal() - _EPOCH))

FEW_ROWS = 16
"""From here on it costs less to check by column than by row."""
_FEW_TO_PACK = 32  # and to pack
_CATEGORIES_SHOWN = 20  # in words about a feature; there may be many thousands, and words are made while others wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One column the model reads. Bounds are inclusive; of a date, in days since 1970-01-01."""

    name: str
    kind: Kind
    nullable: bool
    low: float = -_LARGEST_FLOAT32
    high: float = _LARGEST_FLOAT32
    categories: frozenset[str] = frozenset()
    open: bool = False  # what is outside is let through here, and dealt with before the model sees it (`checking`)
    first_categories: tuple[str, ...] = field(
        init=False, repr=False, compare=False
    )  # in order, to say what is expected

    def __post_init__(self) -> None:
        object.__setattr__(self, "first_categories", tuple(nsmallest(_CATEGORIES_SHOWN, self.categories)))


class Batch:
    """What the model is given. An input with no columns is None. Not to be changed, also where it shows an array.

    Texts come column by column and mostly stay so; whoever needs them as an array has it made once.
    """

    __slots__ = ("_strings", "_texts", "numbers", "rows")

    def __init__(
        self,
        rows: int,
        numbers: NDArray[np.float32] | None,
        strings: NDArray[np.object_] | None,
        *,
        texts: Sequence[Sequence[str]] = (),
    ) -> None:
        """
        Parameters
        ----------
        numbers : float array, shape (rows, len(contract.numbers))
        strings : object array, shape (rows, len(contract.strings)), or None where `texts` has them
        texts : sequence of sequence of str
            The columns of `strings`.
        """
        self.rows, self.numbers = rows, numbers
        self._strings, self._texts = strings, texts

    @property
    def strings(self) -> NDArray[np.object_] | None:
        """Shape (rows, len(contract.strings))."""
        if self._strings is None and self._texts:
            made = np.empty((self.rows, len(self._texts)), dtype=object)
            for at, column in enumerate(self._texts):
                made[:, at] = column
            self._strings = made
        return self._strings

    @property
    def texts(self) -> Sequence[Sequence[str]]:
        """The columns of `strings`, as lists."""
        if not self._texts and self._strings is not None:
            self._texts = self._strings.T.tolist()
        return self._texts

    @staticmethod
    def joined(parts: Sequence["Batch"]) -> "Batch":
        """Several of one contract, one after the other."""
        if len(parts) == 1:
            return parts[0]
        numbers = [part.numbers for part in parts if part.numbers is not None]
        columns = zip(*[part.texts for part in parts], strict=True)
        return Batch(
            sum(part.rows for part in parts),
            np.concatenate(numbers) if numbers else None,
            None,
            texts=[list(chain.from_iterable(column)) for column in columns],
        )


class Contract:
    """The features in the order of the training file, and the two packed inputs made from them."""

    def __init__(
        self,
        *,
        project: str,
        task: str,
        classes: Sequence[str],
        order: Sequence[Feature],
        numbers: Sequence[str],
        strings: Sequence[str],
    ) -> None:
        self.project, self.task, self.classes = project, task, tuple(classes)
        self.features = tuple(order)
        self.names = frozenset(f.name for f in order)
        place = {feature.name: at for at, feature in enumerate(order)}
        self.numbers = tuple(self.features[place[name]] for name in numbers)
        self.strings = tuple(self.features[place[name]] for name in strings)
        self._place = place
        self._pick_numbers = _picker([place[name] for name in numbers])
        self._pick_strings = _picker([place[name] for name in strings])
        self._dates = [at for at, feature in enumerate(order) if feature.kind == "date"]
        self._fill_strings = any(feature.nullable for feature in self.strings)

    @property
    def output(self) -> str:
        """Name of the model's output: "probabilities" or "value"."""
        return "value" if self.task == "regression" else "probabilities"

    def feature(self, name: str) -> Feature:
        """The feature of this name, which must be one of `names`."""
        return self.features[self._place[name]]

    def pack(self, rows: Sequence[Sequence[Any]]) -> Batch:
        """Rows of checked values, each in the order of `features`, as the model's inputs."""
        if len(rows) >= _FEW_TO_PACK:
            return self.pack_columns(list(zip(*rows, strict=True)))
        if self._dates:
            rows = [self._with_days(row) for row in rows]
        numbers = None
        if self.numbers:
            numbers = np.array([self._pick_numbers(row) for row in rows], dtype=np.float32)  # None becomes NaN
        texts = list(zip(*map(self._pick_strings, rows), strict=True))
        return Batch(len(rows), numbers, None, texts=_without_gaps(texts) if self._fill_strings else texts)

    def pack_columns(self, columns: Sequence[Sequence[Any] | NDArray[Any]]) -> Batch:
        """Columns of checked values in the order of `features`, as the model's inputs, with no Python step per row.

        A column is a list of what a row may hold, or an array: of numbers with NaN for missing, or of text with "".
        """
        rows = len(columns[0])
        numbers = None
        if self.numbers:
            numbers = np.empty((rows, len(self.numbers)), dtype=np.float32)
            for at, feature in enumerate(self.numbers):
                column = columns[self._place[feature.name]]
                numbers[:, at] = _days(column) if feature.kind == "date" else np.asarray(column, dtype=np.float32)
        asked = [columns[self._place[feature.name]] for feature in self.strings]
        texts = [column.tolist() if isinstance(column, np.ndarray) else column for column in asked]
        return Batch(rows, numbers, None, texts=_without_gaps(texts) if self._fill_strings else texts)

    def _with_days(self, row: Sequence[Any]) -> list[Any]:
        values = list(row)
        for at in self._dates:
            day = values[at]
            if isinstance(day, date):
                values[at] = day.toordinal() - _EPOCH
        return values


def _without_gaps(texts: Sequence[Sequence[str | None]]) -> Sequence[Sequence[str]]:
    """Columns of texts where what is missing is ""."""
    return [[text or "" for text in column] if None in column else column for column in texts]  # type: ignore[misc]


def _days(column: "Sequence[date | int | None] | NDArray[Any]") -> "NDArray[Any]":
    """Dates, or what is days already, as days; missing as NaN."""
    if isinstance(column, np.ndarray):
        return column
    try:
        return np.array(list(map(date.toordinal, column)), dtype=np.float64) - _EPOCH  # type: ignore[arg-type]
    except TypeError:
        days = [day.toordinal() - _EPOCH if isinstance(day, date) else day for day in column]
        return np.array(days, dtype=np.float64)


def days_of(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - _EPOCH


class _Column(msgspec.Struct):
    name: str
    type: Kind
    nullable: bool
    min: float | str | None = None
    max: float | str | None = None
    categories: list[str] = []


class _Interface(msgspec.Struct):
    format: Literal[1]
    project: str
    task: Literal["binary", "multiclass", "regression"]
    order: list[str]
    classes: list[str] | None = None
    numbers: list[_Column] = []
    strings: list[_Column] = []


def contract_of(interface: Mapping[str, Any]) -> Contract:
    """Compile the interface of a package.

    Raises
    ------
    VerificationFailed
        It does not describe a model that can be served: unknown format, features that do not add up, no class.
    """
    try:
        found = msgspec.convert(dict(interface), _Interface)
        features = {column.name: _feature(column) for column in [*found.numbers, *found.strings]}
    except (msgspec.ValidationError, ValueError) as error:
        raise VerificationFailed(
            f"The package's interface cannot be read: {error}", link="package/interface.json"
        ) from None
    classes = found.classes or []
    numbers, strings = [c.name for c in found.numbers], [c.name for c in found.strings]
    wrong = (
        "its features and their order do not agree" if sorted(found.order) != sorted([*numbers, *strings])
        else "a feature stands in it twice" if len(features) != len(found.order)
        else "it has no feature" if not features
        else "a classifier needs at least two different classes" if found.task != "regression" and len(set(classes)) < 2
        else "a number is called a category" if any(features[n].kind == "category" for n in numbers)
        else "a category is called a number" if any(features[n].kind != "category" for n in strings)
        else ""
    )  # fmt: skip
    if wrong:
        raise VerificationFailed(f"The package's interface cannot be served: {wrong}.", link="package/interface.json")
    return Contract(
        project=found.project,
        task=found.task,
        classes=classes,
        order=[features[name] for name in found.order],
        numbers=numbers,
        strings=strings,
    )


def _feature(column: _Column) -> Feature:
    if column.type == "category":
        return Feature(
            name=column.name, kind="category", nullable=column.nullable, categories=frozenset(column.categories) - {""}
        )
    most = _LARGEST_EXACT if column.type == "integer" else _LARGEST_FLOAT32
    low, high = (
        (-most if column.min is None else _bound(column.min)),
        (most if column.max is None else _bound(column.max)),
    )
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise ValueError(f"the range of {column.name!r} is empty or not finite")
    if column.type == "boolean":
        low, high = 0, 1
    return Feature(
        name=column.name, kind=column.type, nullable=column.nullable, low=max(low, -most), high=min(high, most)
    )


def _bound(bound: float | str) -> float:
    return float(days_of(date.fromisoformat(bound))) if isinstance(bound, str) else bound


def _picker(places: Sequence[int]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """Take some values of a row, always as a tuple."""
    if len(places) == 1:
        (only,) = places
        return lambda row: (row[only],)
    if not places:
        return lambda _row: ()
    getter: Callable[[Sequence[Any]], tuple[Any, ...]] = itemgetter(*places)
    return getter
