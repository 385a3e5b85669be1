"""E-mail addresses, cards and IBANs in every cell of a column, not in a sample: with Arrow's linear patterns.

Answers: in how many of all cells does one stand?
Does not answer: kinds without a mark of their own. A cell is a candidate by a cheap pattern; candidates that are digits
alone are checked together, others one by one, up to a limit per column.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sealwright.data.cells import as_mask, matches
from sealwright.data.personal.checksums import luhn_many
from sealwright.data.personal.detectors import card, email, iban
from sealwright.data.personal.detectors.card import RANGES
from sealwright.data.personal.folding import fold
from sealwright.data.personal.model import Kind, Span
from sealwright.data.personal.reading import Reading

__all__ = ["ExactCounts"]

_EMAIL = r"[\pL\pN_]@[\pL\pN-]+\.[\pL\pN.-]*\pL\pL"  # ignoring case or nesting groups makes RE2 thirty times slower
_NUMBERS = r"[0-9](?:[ .\-]?[0-9]){11}|[A-Za-z]{2}[0-9]{2}[ -]?[A-Za-z0-9]{4}[ -]?[A-Za-z0-9]{3}"
_DISGUISED = r"[＠﹫]|[^\x00-\x7F]*\p{Nd}.*[^\x00-\x7F]"
_MOST_ONE_BY_ONE = 20_000
_FEW = 0.05  # share of different values below which each is looked at once
_MOST_READ_CLOSELY = 2000  # cells with an @
_FINDERS: dict[Kind, Callable[[Reading], Iterator[Span]]] = {"email": email.find, "card": card.find, "iban": iban.find}
_KINDS: tuple[Kind, ...] = ("email", "card", "iban")


class ExactCounts:
    """One column, batch after batch."""

    def __init__(self) -> None:
        self.cells = 0
        self.found: Counter[Kind] = Counter()
        self.card_like = 0  # digits alone, of a card's length and range
        self.card_alone = 0  # of those, with the check digit
        self._one_by_one = self._emails_read = 0
        self._seen: dict[str, tuple[Kind, ...]] | None = None
        self._first = True

    @property
    def whole(self) -> bool:
        """Whether every candidate was looked at."""
        return self._one_by_one <= _MOST_ONE_BY_ONE

    def add(self, column: Any) -> None:
        """Take in the next cells."""
        kind = column.type
        if pa.types.is_dictionary(kind):
            column, kind = column.cast(kind.value_type), kind.value_type
        if pa.types.is_integer(kind):
            self._whole_numbers(column.drop_null())
        elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
            self._texts(column)

    def _whole_numbers(self, column: Any) -> None:
        self.cells += len(column)
        most = pc.max(column).as_py()
        if most is None or most < 10**11:
            return
        numbers = column.filter(pc.and_(pc.greater_equal(column, 10**11), pc.less(column, 2**63 - 1))).cast(pa.int64())
        self._digits(numbers.to_numpy(zero_copy_only=False))

    def _digits(self, numbers: Any) -> None:
        """Cards among whole numbers, all at once."""
        likely = np.zeros(len(numbers), dtype=np.bool_)
        lengths = np.floor(np.log10(np.maximum(numbers, 1).astype(np.float64) * (1 + 1e-15))).astype(np.int64) + 1
        for _, first, last, fits in RANGES:
            prefix = numbers // 10 ** np.clip(lengths - len(first), 0, 18)
            likely |= (prefix >= int(first)) & (prefix <= int(last)) & np.isin(lengths, fits)
        self.card_like += int(likely.sum())
        passed = int(luhn_many(numbers[likely]).sum())
        self.card_alone += passed
        self.found["card"] += passed

    def _texts(self, column: Any) -> None:
        present = column.drop_null()
        self.cells += len(present)
        if self._first and len(present):
            self._first = False
            if pc.count_distinct(present).as_py() <= len(present) * _FEW:
                self._seen = {}
        if self._seen is not None:
            self._few(present)
            return
        marked = as_mask(pc.match_substring(present, "@"))
        if marked.any():
            self._emails(present.filter(pa.array(marked)))
        long = present.filter(pc.greater_equal(pc.binary_length(present), 12))
        if len(long):
            self._candidates(long)

    def _emails(self, marked: Any) -> None:
        """The first ones by the very detector, then by a pattern that is nearly as strict."""
        closely = marked.slice(0, max(0, _MOST_READ_CLOSELY - self._emails_read))
        self._emails_read += len(closely)
        self.found["email"] += sum("email" in _kinds_in(value, ("email",)) for value in closely.to_pylist())
        rest = marked.slice(len(closely))
        self.found["email"] += int(matches(rest, _EMAIL).sum()) if len(rest) else 0

    def _few(self, present: Any) -> None:
        if self._seen is None:
            return
        for found in pc.value_counts(present).to_pylist():
            value, times = found["values"], found["counts"]
            if value not in self._seen:
                if len(self._seen) > _MOST_ONE_BY_ONE:
                    self._one_by_one = _MOST_ONE_BY_ONE + 1
                    continue
                self._seen[value] = _kinds_in(value) if len(value) >= 6 else ()
            for kind in self._seen[value]:
                self.found[kind] += times

    def _candidates(self, long: Any) -> None:
        if not pc.all(pc.string_is_ascii(long)).as_py():
            disguised = long.filter(pa.array(matches(long, _DISGUISED)))
            self._each(disguised, kinds=_KINDS)
        likely = long.filter(pa.array(matches(long, _NUMBERS)))
        if not len(likely):
            return
        alone = as_mask(pc.and_(pc.ascii_is_decimal(likely), pc.less_equal(pc.binary_length(likely), 18)))
        alone &= ~as_mask(pc.starts_with(likely, "0"))
        if alone.any():
            self._digits(likely.filter(pa.array(alone)).cast(pa.int64()).to_numpy(zero_copy_only=False))
            likely = likely.filter(pa.array(~alone))
        self._each(likely, kinds=("card", "iban"))

    def _each(self, cells: Any, *, kinds: tuple[Kind, ...]) -> None:
        for value in cells.to_pylist():
            self._one_by_one += 1
            if self._one_by_one > _MOST_ONE_BY_ONE:
                return
            self.found.update(_kinds_in(value, kinds))


def _kinds_in(value: str, kinds: tuple[Kind, ...] = _KINDS) -> tuple[Kind, ...]:
    reading = Reading(fold(value).text)
    return tuple(
        kind for kind in kinds if any(kind == "card" or one.confidence != "low" for one in _FINDERS[kind](reading))
    )
