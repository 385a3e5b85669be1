"""Is this the same data again? Marks of a table that survive another order, other names, another file, a few changed rows.

Answers: which datasets draw on one budget, although their digests differ?
Does not answer: is somebody hiding it on purpose? Who changes nearly every row and every column gets past these marks.

Two kinds of marks, both keyed, so that without the key of the workspace they say nothing about any row:
- one for each column with at least 16 different values: of all its values, whatever their order and the column's name;
- a sample of the rows: the 256 whose scrambled content is smallest. Two tables that share many rows share some of these.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sealwright.data.dates import day_number
from sealwright.data.dp.mixing import Words, mix

__all__ = ["SAMPLE", "Fingerprint", "fingerprint_of", "shared_rows_link"]

SAMPLE = 256
_LINKING = 4  # shared rows of the sample: about one row in sixty of the larger table
_DISTINCT = 16
_NO_VALUE = np.uint64(0x5EA1)
_MASK = (1 << 64) - 1

Named = Callable[[str], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """The marks of one table, as hex."""

    columns: tuple[str, ...]
    rows: tuple[str, ...]


def fingerprint_of(parts: Iterable[Any], *, identifiers: Sequence[str], named: Named) -> Fingerprint:
    """The marks of a table, in bounded memory.

    Parameters
    ----------
    parts : iterable of pa.Table
        Its rows, some at a time.
    identifiers : sequence of str
        Columns that get no mark of their own: numbers from 1 to n are the same in any two tables of n rows.
    named : callable
        Makes keyed names, 16 bytes.
    """
    seeds = [np.uint64(int.from_bytes(named(f"seed {place}")[:8], "big")) for place in range(3)]
    columns: dict[str, _Column] = {}
    salts: dict[str, Any] = {}
    smallest: Words = np.empty(0, dtype=np.uint64)
    rows = 0
    for part in parts:
        together = np.zeros(part.num_rows, dtype=np.uint64)
        for name in part.column_names:
            words = mix(_words(part.column(name), named) ^ seeds[0])
            salt = salts.setdefault(name, np.uint64(int.from_bytes(named(f"column {name}")[:8], "big")))
            together += mix(words ^ salt)  # a sum: the order of the columns does not matter
            if name not in identifiers:
                columns.setdefault(name, _Column()).take(words, seeds[1:])
        smallest = np.unique(np.concatenate([smallest, mix(together)]))[:SAMPLE]
        rows += part.num_rows
    marks = {
        named(f"column of {rows} rows {one.sums[0]:x} {one.sums[1]:x}").hex() for one in columns.values() if one.telling
    }
    return Fingerprint(
        columns=tuple(sorted(marks)), rows=tuple(sorted(named(f"row {int(one):x}")[:6].hex() for one in smallest))
    )


def shared_rows_link(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two samples of rows share so many that the tables count as one."""
    return len(set(one) & set(other)) >= min(_LINKING, len(one), len(other)) > 0


@dataclass(slots=True)
class _Column:
    """Sums over the scrambled values of a column: the same in any order."""

    sums: list[int] = field(default_factory=lambda: [0, 0])
    seen: Words = field(default_factory=lambda: np.empty(0, dtype=np.uint64))

    def take(self, words: Words, seeds: Sequence[Any]) -> None:
        for place, seed in enumerate(seeds):
            self.sums[place] = (self.sums[place] + int(mix(words ^ seed).sum(dtype=np.uint64))) & _MASK
        if len(self.seen) < _DISTINCT:
            self.seen = np.unique(np.concatenate([self.seen, np.unique(words)]))[:_DISTINCT]

    @property
    def telling(self) -> bool:
        return len(self.seen) >= _DISTINCT


def _words(column: Any, named: Named) -> Words:
    """A number for each cell: the same for the same value, whether it is kept as a number, a text or a category."""
    if pa.types.is_string(column.type):
        return _text_words(column.combine_chunks().dictionary_encode(), named)
    if pa.types.is_date32(column.type):
        column = pc.cast(column, pa.int32())
    if pa.types.is_boolean(column.type):
        column = pc.cast(column, pa.int8())
    missing = np.asarray(column.is_null().to_numpy(), dtype=np.bool_)
    numbers = np.asarray(pc.fill_null(column, 0).to_numpy(), dtype=np.float64) + 0.0  # minus zero is zero
    return np.where(missing, _NO_VALUE, mix(numbers.view(np.uint64)))


def _text_words(whole: Any, named: Named) -> Words:
    texts: Mapping[int, str] = dict(enumerate(whole.dictionary.to_pylist()))
    words = np.empty(len(texts) + 1, dtype=np.uint64)
    words[-1] = _NO_VALUE
    for place, text in texts.items():
        number = _number(text)
        if number is None:
            words[place] = int.from_bytes(named(f"value {text}")[:8], "big")
        else:
            words[place] = mix(np.array([number + 0.0]).view(np.uint64))[0]
    places = pc.fill_null(whole.indices, len(texts)).to_numpy(zero_copy_only=False)
    return np.asarray(words[places], dtype=np.uint64)


def _number(text: str) -> float | None:
    """The number a text writes, if it writes one; a date as its day, true and false as one and zero."""
    if text in {"true", "false"}:
        return float(text == "true")
    day = day_number(text)
    if day is not None:
        return float(day)
    try:
        return float(text)
    except ValueError:
        return None
