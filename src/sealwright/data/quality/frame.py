"""The table under examination: its columns as numpy sees them, read once and kept small.

Answers: which values, codes and row numbers does a check look at, and what of them may it show?
Does not answer: what is wrong. That is each check.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sealwright.data.column_spec import ColumnSpec
from sealwright.data.spec import DataSpec
from sealwright.kernel import InvalidInput

__all__ = ["Codes", "Floats", "Frame", "NUMERIC", "NumberFacts", "as_table", "frame_of"]

Floats = NDArray[np.float64]
NUMERIC = ("integer", "number", "date")
QUANTILES = (0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999)
_HIDDEN_CLASSES = {"personal", "special"}
_MOST_RUNS = 50
_ENDS = 5


@dataclass(frozen=True, slots=True)
class Codes:
    """A column of few values: places in `labels`, -1 where missing."""

    places: NDArray[np.int32]
    labels: tuple[str, ...]
    counts: NDArray[np.int64]  # rows per label


@dataclass(frozen=True, slots=True)
class NumberFacts:
    """A column of numbers, sorted once: what several checks ask for."""

    count: int  # finite values
    distinct: int
    least: float
    most: float
    quantiles: Mapping[float, float]
    frequent: tuple[tuple[float, int], ...]  # values that occur most, with counts; at most 50
    lowest: tuple[tuple[float, int], ...]  # the five smallest values with counts, from the end inward
    highest: tuple[tuple[float, int], ...]  # the five largest


class Frame:
    """A table with its contract. Row numbers are 1-based, as the source counts its rows."""

    def __init__(
        self,
        table: Any,
        columns: Mapping[str, ColumnSpec],
        *,
        spec: DataSpec | None = None,
        numbers: NDArray[np.int64] | None = None,
    ) -> None:
        missing = [name for name in columns if name not in table.column_names]
        if missing:
            raise InvalidInput(f"The table has no column {missing[0]!r}, which its contract names.")
        if numbers is not None and len(numbers) != table.num_rows:
            raise InvalidInput(f"There are {len(numbers):,} row numbers for {table.num_rows:,} rows.")
        self.table, self.columns, self.spec = table, columns, spec
        self.rows: int = table.num_rows
        self.numbers = np.arange(1, self.rows + 1, dtype=np.int64) if numbers is None else numbers
        self._codes: dict[str, Codes] = {}
        self._facts: dict[str, NumberFacts | None] = {}
        self._kept: dict[str, Any] = {}

    @property
    def target(self) -> str | None:
        """The column to predict, where the contract is one of a project."""
        return None if self.spec is None else self.spec.target

    @property
    def task(self) -> str | None:
        return None if self.spec is None else self.spec.task

    @property
    def compared(self) -> tuple[str, ...]:
        """Columns that make a row what it is: all but identifiers."""
        return tuple(name for name, column in self.columns.items() if column.role != "identifier")

    @property
    def features(self) -> tuple[str, ...]:
        """Columns a model would be given."""
        return tuple(name for name, column in self.columns.items() if column.role == "feature")

    def of_type(self, *types: str) -> tuple[str, ...]:
        """Columns of some types, identifiers left out."""
        return tuple(name for name in self.compared if self.columns[name].type in types)

    def hidden(self, name: str) -> bool:
        """Whether no cell of the column may be shown."""
        column = self.columns[name]
        return column.data_class in _HIDDEN_CLASSES or column.role == "identifier" or column.type == "text"

    def shown(self, name: str, value: object) -> str:
        """A value as a finding may say it."""
        if self.hidden(name):
            return "a value (not shown: the column may be about persons)"
        return f"{value:g}" if isinstance(value, float) else repr(str(value)[:60])

    def missing(self, name: str) -> int:
        return int(self.table.column(name).null_count)

    def is_missing(self, name: str) -> NDArray[np.bool_]:
        return np.asarray(pc.is_null(self.table.column(name)).to_numpy(), dtype=np.bool_)

    def floats(self, name: str) -> Floats:
        """A column of numbers, dates (days since 1970-01-01) or booleans as doubles, NaN where missing: shape (rows,)."""
        column = self.table.column(name)
        if pa.types.is_date32(column.type):
            column = column.cast(pa.int32())
        elif pa.types.is_boolean(column.type):
            column = column.cast(pa.int8())
        found = column.to_numpy()
        return np.asarray(found, dtype=np.float64)

    def codes(self, name: str) -> Codes:
        """A column of categories or booleans as codes. Labels are sorted; those of no row are left out."""
        if name not in self._codes:
            self._codes[name] = _codes(self.table.column(name))
        return self._codes[name]

    def facts(self, name: str) -> NumberFacts | None:
        """What sorting a column of numbers shows; None where it is empty."""
        if name not in self._facts:
            self._facts[name] = number_facts(self.floats(name))
        return self._facts[name]

    def distinct(self, name: str) -> int:
        """Number of different values; missing is none."""
        found: int = self.once(
            f"distinct {name}", lambda one: int(pc.count_distinct(one.table.column(name), mode="only_valid").as_py())
        )
        return found

    def once(self, what: str, make: Callable[["Frame"], Any]) -> Any:
        """Something that several checks need, made the first time it is asked for."""
        if what not in self._kept:
            self._kept[what] = make(self)
        return self._kept[what]

    def as_numbers(self, name: str) -> Floats:
        """Any column as a model may see it: numbers as they are, categories as the place of their label."""
        if self.columns[name].type in {*NUMERIC, "boolean"}:
            return self.floats(name)
        places = self.codes(name).places.astype(np.float64)
        places[places < 0] = np.nan
        return places

    def named(self, rows: NDArray[Any], most: int) -> tuple[int, ...]:
        """The numbers of the first rows of a mask or of places."""
        places = np.flatnonzero(rows) if rows.dtype == np.bool_ else np.asarray(rows)
        return tuple(int(number) for number in self.numbers[places[:most]])


def frame_of(
    tables: Any,
    spec: DataSpec | Mapping[str, ColumnSpec],
    *,
    numbers: NDArray[np.int64] | None = None,
) -> Frame:
    """A frame from a table, or from tables or batches that follow each other."""
    if isinstance(spec, DataSpec):
        return Frame(as_table(tables), {name: spec.columns[name] for name in spec.kept}, spec=spec, numbers=numbers)
    kept = {name: column for name, column in spec.items() if column.role != "ignore"}
    return Frame(as_table(tables), kept, numbers=numbers)


def as_table(tables: Any) -> Any:
    """One pa.Table of a Table, a RecordBatch, or an iterable of them."""
    if isinstance(tables, pa.Table):
        return tables
    parts: Iterable[Any] = [tables] if isinstance(tables, pa.RecordBatch) else tables
    found = [pa.Table.from_batches([part]) if isinstance(part, pa.RecordBatch) else part for part in parts]
    if not found:
        raise InvalidInput("There is no row to examine.")
    return pa.concat_tables(found)


def number_facts(values: Floats) -> NumberFacts | None:
    """Sort once, read off everything."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return None
    ordered = np.sort(finite)
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    runs = np.diff(np.append(starts, ordered.size))
    order = np.argsort(-runs, kind="stable")[:_MOST_RUNS] if starts.size < ordered.size else np.arange(0)
    top = [(float(ordered[starts[place]]), int(runs[place])) for place in order if runs[place] > 1]
    places = np.array(QUANTILES) * (ordered.size - 1)
    found = np.interp(places, np.arange(ordered.size), ordered) if ordered.size < 1000 else ordered[places.astype(int)]
    return NumberFacts(
        count=int(ordered.size),
        distinct=int(starts.size),
        least=float(ordered[0]),
        most=float(ordered[-1]),
        quantiles=dict(zip(QUANTILES, map(float, found), strict=True)),
        frequent=tuple(top),
        lowest=tuple((float(ordered[starts[k]]), int(runs[k])) for k in range(min(_ENDS, starts.size))),
        highest=tuple((float(ordered[starts[-1 - k]]), int(runs[-1 - k])) for k in range(min(_ENDS, starts.size))),
    )


def _codes(column: Any) -> Codes:
    if not pa.types.is_dictionary(column.type):
        texts = column.cast(pa.string()) if not pa.types.is_string(column.type) else column
        column = texts.dictionary_encode()
    whole = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    labels: Sequence[str] = whole.dictionary.to_pylist()
    order = sorted(range(len(labels)), key=lambda place: labels[place])
    rank = np.empty(len(labels) + 1, dtype=np.int32)
    rank[order] = np.arange(len(labels), dtype=np.int32)
    rank[-1] = -1
    indices = pc.fill_null(whole.indices, len(labels)).to_numpy(zero_copy_only=False)
    places = rank[indices]
    counts = np.bincount(places[places >= 0], minlength=len(labels))
    return Codes(places, tuple(labels[place] for place in order), counts.astype(np.int64))
