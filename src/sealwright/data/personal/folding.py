"""One spelling for what looks the same: full-width forms, foreign digits, invisible characters.

Answers: what would a person read here, and where in the original does each character stand?
Does not answer: letters of other scripts that look like Latin ones; those stay as they are.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Folded", "fold"]

_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_QUOTES = "\u2018\u2019\u02bc\uff07"
_LINES = {"\u2028", "\u2029", "\x0b", "\x0c", "\x85"}


@dataclass(frozen=True, slots=True)
class Folded:
    """A text to search in. `at[i]` is the index of its i-th character in the original; None: the same."""

    text: str
    at: Sequence[int] | None
    length: int  # of the original

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The same place in the original text; what is invisible inside belongs to it."""
        if self.at is None:
            return start, end
        return self.at[start], self.at[end - 1] + 1


class _Table(dict[int, str]):
    """Code point -> what it is read as, one character or none; worked out once for each."""

    def __missing__(self, code: int) -> str:
        self[code] = read = _read_as(chr(code))
        return read


def _read_as(c: str) -> str:
    if c in "\t\n\r":
        return c
    if c in _LINES:
        return "\n"
    category = unicodedata.category(c)
    if category in {"Cf", "Cc", "Cn", "Co", "Cs"} or 0xFE00 <= ord(c) <= 0xFE0F:
        return ""
    if category == "Nd":
        return str(unicodedata.digit(c))
    if category == "Zs":
        return " "
    if c in _DASHES:
        return "-"
    if c in _QUOTES:
        return "'"
    plain = unicodedata.normalize("NFKC", c)
    return plain if len(plain) == 1 else c


_TABLE = _Table()


def fold(text: str) -> Folded:
    """Fold a text; in time proportional to its length."""
    if text.isascii() and text.isprintable():
        return Folded(text, None, len(text))
    folded = text.translate(_TABLE)
    if len(folded) == len(text):
        return Folded(folded, None, len(text))
    return Folded(folded, [place for place, c in enumerate(text) if _TABLE[ord(c)]], len(text))
