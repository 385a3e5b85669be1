"""Rows as arrays of numbers and back: what is modelled, and in which form it may leave again.

Answers: which columns are modelled, as numbers or as levels, and within which limits of the contract?
Does not answer: how new rows come about.
Identifiers are not modelled: a made-up row is nobody's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sealwright.data.diversity.contract import ColumnLike, ContractLike

__all__ = ["Column", "Floats", "Frame", "Ints", "column_to_arrow", "frame_of", "frames_like", "row_keys", "within"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MOST_DECIMALS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One modelled column. A missing cell is NaN in a number, and the code -1 in a category."""

    name: str
    levels: tuple[str, ...] | None  # None: a number (or a date, as days)
    values: Floats | Ints  # shape (n,)
    low: float | None = None  # the contract's limits
    high: float | None = None
    decimals: int | None = None  # as written in the data; 0 for whole numbers and dates; None: as many as there are
    nullable: bool = False

    @property
    def missing(self) -> NDArray[np.bool_]:
        return np.isnan(self.values) if self.levels is None else self.values < 0

    def with_values(self, values: Floats | Ints) -> "Column":
        return replace(self, values=values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Modelled columns of the same rows."""

    columns: tuple[Column, ...]
    rows: int

    def take(self, rows: Ints | NDArray[np.bool_]) -> "Frame":
        """Some of the rows, by number or by mask."""
        taken = tuple(one.with_values(one.values[rows]) for one in self.columns)
        return Frame(columns=taken, rows=len(taken[0].values) if taken else 0)

    def place(self, name: str) -> int:
        return [one.name for one in self.columns].index(name)


def frame_of(table: pa.Table, contract: ContractLike) -> Frame:
    """The modelled columns of a table: all but identifiers.

    Parameters
    ----------
    table : pa.Table
        Columns of a snapshot: int64, double, string, bool, date32.
    """
    columns = []
    for name in table.column_names:
        spec = contract.columns[name]
        if spec.role != "identifier":
            columns.append(_column(name, table.column(name), spec))
    return Frame(columns=tuple(columns), rows=table.num_rows)


def frames_like(frame: Frame, columns: Sequence[Floats | Ints]) -> Frame:
    """Other rows of the same columns."""
    made = tuple(one.with_values(values) for one, values in zip(frame.columns, columns, strict=True))
    return Frame(columns=made, rows=len(columns[0]) if columns else 0)


def _column(name: str, values: pa.ChunkedArray, spec: ColumnLike) -> Column:
    nullable = spec.nullable
    if spec.type in {"category", "boolean"}:
        levels = spec.categories if spec.categories is not None else ("false", "true")
        codes = pc.index_in(pc.cast(values, pa.string()), value_set=pa.array(levels, pa.string()))
        numbers = pc.fill_null(codes, -1).to_numpy().astype(np.int64)
        return Column(name=name, levels=levels, values=numbers, nullable=nullable)
    low, high = spec.bounds
    if spec.type == "date":
        values = pc.cast(pc.cast(values, pa.int32()), pa.int64())
    floats = pc.cast(values, pa.float64()).to_numpy().astype(np.float64)
    decimals = _decimals(floats) if spec.type == "number" else 0
    return Column(name=name, levels=None, values=floats, low=low, high=high, decimals=decimals, nullable=nullable)


def _decimals(values: Floats) -> int | None:
    """How many decimals the numbers are written with; None where it is more than money or a measure has."""
    there = values[np.isfinite(values)]
    for places in range(_MOST_DECIMALS + 1):
        if np.array_equal(np.round(there, places), there):
            return places
    return None


def column_to_arrow(column: Column, kind: pa.DataType) -> pa.Array:
    """A column in the type of the snapshot, within the contract: rounded, and inside its limits."""
    missing = column.missing
    if column.levels is not None:
        words = pa.array(column.levels, pa.string()).take(pa.array(column.values, pa.int64(), mask=missing))
        return pc.equal(words, "true") if pa.types.is_boolean(kind) else pc.cast(words, kind)
    numbers = within(column, np.where(missing, 0.0, column.values))
    if pa.types.is_floating(kind):
        return pa.array(numbers, kind, mask=missing)
    whole = pa.array(np.rint(numbers).astype(np.int64), pa.int64(), mask=missing)
    return pc.cast(pc.cast(whole, pa.int32()), kind) if pa.types.is_date(kind) else pc.cast(whole, kind)


def within(column: Column, values: Floats) -> Floats:
    """Numbers as the column writes them: its decimals, and the contract's limits."""
    rounded = values if column.decimals is None else np.round(values, column.decimals)
    low = -np.inf if column.low is None else column.low
    high = np.inf if column.high is None else column.high
    return np.asarray(np.clip(rounded, low, high) + 0.0, dtype=np.float64)


def row_keys(frame: Frame) -> NDArray[np.void]:
    """One comparable value a row: equal for rows that are equal in every modelled column."""
    wide = np.empty((frame.rows, len(frame.columns)), dtype=np.float64)
    for place, column in enumerate(frame.columns):
        wide[:, place] = column.values
    wide += 0.0  # one zero
    wide[np.isnan(wide)] = np.nan  # one NaN
    return np.ascontiguousarray(wide).view(np.dtype((np.void, wide.dtype.itemsize * wide.shape[1]))).ravel()
