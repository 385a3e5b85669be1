"""What a column turns out to hold when all of it is read once: the facts `infer` guesses from.

Answers: which types would accept every cell, what range, which values, is it unique?
Does not answer: what the column means. Names and roles are `hints` and `infer`.
Types are tried with the very casts that ingest uses, so a contract inferred from a file accepts that file.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sealwright.data.cast import as_category_text, cast_column, plain_column
from sealwright.data.cells import as_mask, blank, matches
from sealwright.data.column_spec import ColumnSpec, ColumnType
from sealwright.data.names import printable

__all__ = ["ColumnProfile", "UniqueBudget"]

MOST_DISTINCT = 1000
MOST_CATEGORIES = 100  # of a guessed category; a person may declare more
_SOME, _SOME_OF_A_BATCH, _LONGEST = 200, 100, 1000  # cells kept to see what they hold; characters of each
_STRAY_SHARE = 0.1  # below this share, cells that are no numbers look like slips among numbers
_LEADING_ZERO = r"^\s*[+-]?0[0-9]"
_POINT = r"^[^.,]*[.,]"
_NUMBER = r"^\s*[+-]?[0-9]+(?:[.,][0-9]+)?(?:[eE][+-]?[0-9]+)?\s*$"
_NULL_WORDS = ("na", "n/a", "#n/a", "nan", "null", "none", "nil", "missing", "unknown", "?", "-", ".", "--")
_TRIED: tuple[ColumnType, ...] = ("boolean", "integer", "number", "date")


class UniqueBudget:
    """Bytes that all columns together may hold to find out whether they are unique."""

    def __init__(self, remaining: int = 256 << 20) -> None:
        self.remaining = remaining


class ColumnProfile:
    """Facts about one column, gathered batch by batch in bounded memory."""

    def __init__(self, name: str, budget: UniqueBudget, *, decimal: str = ".", typed: bool = False) -> None:
        self.name = name
        self._typed = typed  # the source knows types, so text in it is text even if it looks like a number
        self.rows = self.empty = 0  # empty: null or the empty text
        self.null_words: set[str] = set()  # seen where only numbers or dates would fit otherwise
        self.null_word_cells = 0
        self.least: Any = None
        self.most: Any = None
        self.written_with_point = self.leading_zeros = False
        self.distinct: Counter[str] | None = Counter()  # None: more than MOST_DISTINCT
        self.steady = True  # whole numbers that rise by one from row to row
        self._decimal = decimal
        self._possible = set(_TRIED)
        self._budget = budget
        self._seen: list[Any] | None = []  # values for the test of uniqueness; None: not unique, or given up
        self._last: int | None = None
        self.plain_cells = 0  # neither empty nor a word for missing
        self.some: list[str] = []  # a few cells from all over, of texts that are not few different ones
        self.number_cells = 0  # of those, cells that look like numbers; counted once not all of them are

    def update(self, values: Any) -> None:
        """Take in the next cells."""
        values = plain_column(values)
        self.rows += len(values)
        if pa.types.is_string(values.type):
            values = blank(values, as_mask(pc.equal(values, "")))
        self.empty += values.null_count
        if values.null_count == len(values):
            self.steady = False
            return
        self._count(values)
        if pa.types.is_string(values.type):
            self._keep_some(values)
            values = self._without_null_words(values)
            if self._typed:
                self._possible -= {"integer", "number"}
            self._look_at_digits(values)
        before, self.plain_cells = self.plain_cells, self.plain_cells + len(values) - values.null_count
        were_numbers = "number" in self._possible
        self._try_types(values)
        if "number" not in self._possible and pa.types.is_string(values.type) and not self._typed:
            self.number_cells += (before if were_numbers else 0) + int(matches(values, _NUMBER).sum())

    @property
    def present(self) -> int:
        """Cells that are not empty."""
        return self.rows - self.empty

    @property
    def missing_words(self) -> tuple[str, ...]:
        """Words that mean missing here: only where every other cell is a number, date or boolean."""
        return tuple(sorted(self.null_words)) if self.type in _TRIED else ()

    @property
    def missing(self) -> int:
        """Cells that are empty or hold such a word."""
        return self.empty + (self.null_word_cells if self.missing_words else 0)

    @property
    def labels(self) -> Mapping[str, int] | None:
        """How often each value occurs, words for missing left out; None if there are too many."""
        if self.distinct is None:
            return None
        return {value: count for value, count in self.distinct.items() if value not in self.missing_words}

    @property
    def type(self) -> ColumnType:
        """The narrowest type that accepts every cell."""
        if self.plain_cells:
            for kind in _TRIED:
                if kind in self._possible:
                    return kind
        return "category" if self._few_values() else "text"

    @property
    def not_numbers(self) -> int:
        """How many cells keep a column of numbers from being one; 0 where it is one, or where numbers are not the rule."""
        stray = self.plain_cells - self.number_cells
        if self.type not in {"text", "category"} or self.leading_zeros or stray > self.plain_cells * _STRAY_SHARE:
            return 0
        return stray

    @property
    def unique(self) -> bool:
        """Whether no two cells are equal, as far as memory allowed to look."""
        if self._seen is None or self.present < 2:
            return False
        return bool(pc.count_distinct(pa.chunked_array(self._seen)).as_py() == self.present)

    @property
    def constant(self) -> bool:
        """Whether every row has the same value."""
        return not self.missing and self.labels is not None and len(self.labels) == 1

    @property
    def categories(self) -> tuple[str, ...]:
        """The values, whole numbers in their order, other texts by code point."""
        values = list(self.labels or ())
        if all(value.lstrip("-").isdecimal() and value.isascii() for value in values):
            return tuple(sorted(values, key=lambda value: (int(value), value)))
        return tuple(sorted(values))

    def _few_values(self) -> bool:
        values = self.distinct
        if not values or len(values) > MOST_CATEGORIES:
            return False
        repeated = self.present < 20 or len(values) <= self.present / 2
        return repeated and all(printable(value) and len(value) <= 500 for value in values)

    def _count(self, values: Any) -> None:
        """Count values until there are too many, and keep what is needed to see whether they are unique."""
        text, wrong = as_category_text(values)
        present = text.drop_null() if not wrong.any() else None
        if self.distinct is not None:
            if present is None:
                self.distinct = None
            else:
                for found in pc.value_counts(present).to_pylist() if len(present) else ():
                    self.distinct[found["values"]] += found["counts"]
                if len(self.distinct) > MOST_DISTINCT:
                    self.distinct = None
        if self._seen is not None:
            present = values.drop_null()
            self._budget.remaining -= present.nbytes
            repeated = pc.count_distinct(present).as_py() < len(present)
            mixed = bool(self._seen) and self._seen[0].type != present.type
            if repeated or mixed or self._budget.remaining < 0:
                self._seen = None
            else:
                self._seen.append(present)

    def _keep_some(self, text: Any) -> None:
        """A few cells of each batch, drawn at random, where values are too many to be counted one by one."""
        room = min(_SOME - len(self.some), _SOME_OF_A_BATCH)
        if room <= 0 or (self.distinct is not None and len(self.distinct) <= MOST_CATEGORIES):
            return
        present = text.drop_null()
        drawn = np.random.default_rng(self.rows).choice(len(present), min(room, len(present)), replace=False)
        self.some += [cell[:_LONGEST] for cell in present.take(pa.array(np.sort(drawn))).to_pylist()]

    def _without_null_words(self, text: Any) -> Any:
        words = as_mask(pc.is_in(pc.utf8_lower(text), value_set=pa.array(_NULL_WORDS)))
        if not words.any():
            return text
        if len(self.null_words) <= 20:
            self.null_words.update(pc.unique(text.filter(pa.array(words))).to_pylist())
        if len(self.null_words) > 20:
            self._possible.clear()
        self.null_word_cells += int(words.sum())
        return blank(text, words)

    def _look_at_digits(self, text: Any) -> None:
        if self._possible & {"integer", "number"}:
            self.leading_zeros = self.leading_zeros or bool(matches(text, _LEADING_ZERO).any())
            if self.leading_zeros:
                self._possible -= {"integer", "number"}
            self.written_with_point = self.written_with_point or bool(matches(text, _POINT).any())

    def _try_types(self, values: Any) -> None:
        """Drop every type that refuses a cell; keep range and steps of the one in force."""
        if "boolean" in self._possible and not self._only_true_and_false(values):
            self._possible.discard("boolean")
        cast = None
        for kind in ("integer", "number", "date"):
            if kind not in self._possible or cast is not None:
                continue
            tried = cast_column(values, ColumnSpec(type=kind, nullable=True), decimal=self._decimal)
            if tried.problems:
                self._possible.discard(kind)
            else:
                cast = tried.values
        self._step(cast)
        if cast is not None and cast.null_count < len(cast):
            ends = pc.min_max(cast).as_py()
            self.least = ends["min"] if self.least is None else min(self.least, ends["min"])
            self.most = ends["max"] if self.most is None else max(self.most, ends["max"])

    def _only_true_and_false(self, values: Any) -> bool:
        """Booleans, or the words; 0 and 1 are taken as numbers, as they are written."""
        if not pa.types.is_string(values.type):
            return bool(pa.types.is_boolean(values.type))
        words = pc.ascii_lower(pc.ascii_trim_whitespace(values.drop_null()))
        return bool(as_mask(pc.is_in(words, value_set=pa.array(["true", "false"]))).all())

    def _step(self, values: Any) -> None:
        if not self.steady:
            return
        if values is None or values.null_count or not pa.types.is_int64(values.type):
            self.steady = False
            return
        rises = pc.all(pc.equal(pc.subtract(values.slice(1), values.slice(0, len(values) - 1)), 1)).as_py() is not False
        follows = self._last is None or values[0].as_py() == self._last + 1
        self.steady = rises and follows
        self._last = values[-1].as_py()
