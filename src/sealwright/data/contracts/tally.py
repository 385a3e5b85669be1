"""Counting what is broken: per column and rule, with the first rows; and the rows that break anything at all.

Answers: how often, in which rows first, and how many rows altogether?
Does not answer: whether that is too much. The report and its limits say so.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.data.cells import Mask
from sealwright.data.contracts.expected import expected_of, expected_of_pair
from sealwright.data.contracts.model import Contract, RowRule
from sealwright.data.contracts.report import Breach
from sealwright.data.names import safe
from sealwright.data.sources import SourceBatch

__all__ = ["Broken", "Tally"]

_FIRST_ROWS = 5
_MOST_VALUES = 3
_LONGEST_VALUE = 60
_OPEN = {"public", "internal"}


@dataclass(frozen=True, slots=True)
class Broken:
    """Cells or rows of one batch that break one rule. A rule of two columns stands under its first one."""

    column: str
    rule: str
    cells: Mask
    pair: RowRule | None = None


@dataclass(slots=True)
class _Found:
    """What was counted for one rule."""

    count: int = 0
    first_rows: list[int] = field(default_factory=list)
    values: list[str] = field(default_factory=list)

    def add(self, rows: NDArray[np.int64]) -> None:
        self.count += len(rows)
        self.first_rows += rows[: _FIRST_ROWS - len(self.first_rows)].tolist()


class Tally:
    """The counts of one check."""

    def __init__(self, contract: Contract, names: Sequence[str], *, show_values: bool) -> None:
        self.rows = 0
        self._contract = contract
        self._found: dict[tuple[str, str, RowRule | None], _Found] = {}
        self._repeated: dict[tuple[str, ...], _Found] = {}
        self._no_rows: dict[str, _Found] = {}  # by reason
        self._bad: list[Any] = []  # one packed bit a row and batch
        self._numbers: list[NDArray[np.int64]] = []
        columns = contract.columns
        self._judged_alone = {name for name in names if columns[name].at_most_share is not None}
        self._shown = {name for name in names if show_values and columns[name].data_class in _OPEN}
        wanted = [*((name,) for name in names if columns[name].unique), *contract.unique]
        keys = [key for key in dict.fromkeys(wanted) if set(key) <= set(names)]
        self._keys = {key: _repeats() for key in keys}

    def add(
        self,
        batch: SourceBatch,
        broken: Sequence[Broken],
        values: Mapping[str, Any],
        without: Mapping[str, Mask | None],
    ) -> None:
        """Take in what one batch breaks.

        Parameters
        ----------
        values : mapping of pa.Array
            Every column as it was read, for the keys.
        without : mapping of bool array or None
            The cells of each that could not be read.
        """
        self.rows += batch.rows.num_rows + len(batch.rejected)
        for reason in sorted({row.reason for row in batch.rejected}):
            places = np.array([row.row for row in batch.rejected if row.reason == reason], np.int64)
            self._no_rows.setdefault(reason, _Found()).add(places)
        bad: Mask = np.zeros(batch.rows.num_rows, dtype=np.bool_)
        for one in broken:
            places = np.flatnonzero(one.cells)
            found = self._found.setdefault((one.column, one.rule, one.pair), _Found())
            found.add(batch.numbers[places])
            if one.column in self._shown and one.pair is None:
                _remember(found, batch.rows.column(one.column), places)
            if one.pair is not None or one.column not in self._judged_alone:
                bad |= one.cells
        for key, repeats in self._keys.items():
            lost = [cells for name in key if (cells := without[name]) is not None]
            repeats.add([values[name] for name in key], np.logical_or.reduce(lost) if lost else None)
        if self._keys:
            self._numbers.append(batch.numbers)
        self._bad.append((len(bad), np.packbits(bad) if bad.any() else None))

    def close(self) -> tuple[int, tuple[Breach, ...]]:
        """How many rows break anything, and every breach, the most frequent first."""
        bad = self._bad_rows()
        for key, repeats in self._keys.items():
            places = repeats.places()
            if len(places):
                alone = len(key) == 1
                found = _Found()
                found.add(np.concatenate(self._numbers)[places])
                if alone:
                    self._found[key[0], "repeated", None] = found
                else:
                    self._repeated[key] = found
                if not (alone and key[0] in self._judged_alone):
                    bad[places] = True
        return int(bad.sum()) + sum(found.count for found in self._no_rows.values()), tuple(
            sorted(self._breaches(), key=self._order)
        )

    def _bad_rows(self) -> Mask:
        parts = [
            np.zeros(rows, np.bool_) if packed is None else np.unpackbits(packed, count=rows).astype(np.bool_)
            for rows, packed in self._bad
        ]
        return np.concatenate(parts) if parts else np.zeros(0, np.bool_)

    def _breaches(self) -> Iterator[Breach]:
        for reason, found in self._no_rows.items():
            expected = "as many fields as the header" if reason == "ragged_row" else "one flat JSON object a line"
            yield self._breach("", reason, expected, found, None)
        for (name, rule, pair), found in self._found.items():
            if pair is not None:
                yield self._breach(name, rule, expected_of_pair(pair), found, None)
            else:
                column = self._contract.columns[name]
                yield self._breach(name, rule, expected_of(rule, column), found, column.at_most_share)
        for key, found in self._repeated.items():
            yield self._breach(" + ".join(key), "repeated", "every combination once", found, None)

    def _breach(self, column: str, rule: str, expected: str, found: _Found, limit: float | None) -> Breach:
        return Breach(
            column=column,
            rule=rule,
            expected=expected,
            scope="cells",
            count=found.count,
            share=found.count / self.rows,
            first_rows=tuple(found.first_rows),
            limit=limit,
            values=tuple(found.values),
        )

    @staticmethod
    def _order(found: Breach) -> tuple[int, str, str, str]:
        return -found.count, found.column, found.rule, found.expected


def _remember(found: _Found, column: Any, places: NDArray[np.int64]) -> None:
    """A few of the cells as they stand in the data, each once."""
    for place in places[: 10 * _MOST_VALUES]:
        cell = column[int(place)].as_py()
        shown = "" if cell is None else safe(str(cell)[:_LONGEST_VALUE])
        if len(found.values) < _MOST_VALUES and shown not in found.values:
            found.values.append(shown)


def _repeats() -> Any:
    from sealwright.data.contracts.repeats import Repeats

    return Repeats()
