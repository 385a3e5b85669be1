"""A text as the detectors see it: folded, with its runs of digits found once for all of them.

Answers: where do digits stand that a person would read as one number, and in which groups?
Does not answer: what the number is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Reading", "Run", "Window"]

_RUN = re.compile(r"(?<![^\W_])(?:\+|\(\+?)?\d(?:[ .\-/()]{0,2}\d)*+", re.ASCII)
_SHORTEST = 6  # a telephone number has no fewer digits
_EXTENSION = re.compile(r"x\d{1,6}(?!\w)", re.ASCII)  # 555-2671x12
_WORD = re.compile(r"[^\W\d_]+")
_GROUP = re.compile(r"\d+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Window:
    """Neighbouring groups of a run. `raw` is how they stand there, `digits` without separators."""

    start: int
    end: int
    raw: str
    digits: str


@dataclass(frozen=True, slots=True)
class Run:
    """Digits with at most two separators between them, neither glued to a letter before nor after."""

    start: int
    end: int
    raw: str
    groups: tuple[tuple[int, int], ...]  # start and end of each group of digits, in the text

    def windows(self, least: int, most: int, *, groups: int = 8) -> Iterator[Window]:
        """Every stretch of whole groups with `least` to `most` digits; a bounded number from each group on."""
        for first, (start, _) in enumerate(self.groups):
            if not self._parted(first):
                continue
            digits = 0
            for last in range(first, min(first + groups, len(self.groups))):
                end = self.groups[last][1]
                digits += end - self.groups[last][0]
                if digits > most:
                    break
                if digits >= least and self._parted(last + 1):
                    raw = self.raw[start - self.start : end - self.start]
                    yield Window(start, end, raw, "".join(_GROUP.findall(raw)))

    def _parted(self, group: int) -> bool:
        """Whether something may begin with this group: the run does, or a space or bracket stands before it."""
        if group in {0, len(self.groups)}:
            return True
        between = self.raw[self.groups[group - 1][1] - self.start : self.groups[group][0] - self.start]
        return " " in between or "(" in between


class Reading:
    """One folded text. What several detectors need is worked out once, when the first one asks."""

    __slots__ = ("_lower", "_runs", "_words", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._lower: str | None = None
        self._words: frozenset[str] | None = None
        self._runs: tuple[Run, ...] | None = None

    @property
    def lower(self) -> str:
        """Lower case, of the same length; letters whose lower case is longer stay."""
        if self._lower is None:
            low = self.text.lower()
            if len(low) != len(self.text):
                low = "".join(c.lower() if len(c.lower()) == 1 else c for c in self.text)
            self._lower = low
        return self._lower

    @property
    def words(self) -> frozenset[str]:
        """The different words, in lower case."""
        if self._words is None:
            self._words = frozenset(_WORD.findall(self.lower))
        return self._words

    @property
    def runs(self) -> tuple[Run, ...]:
        """Every run of at least six digits that no letter follows."""
        if self._runs is None:
            self._runs = tuple(self._find_runs())
        return self._runs

    def before(self, place: int, characters: int = 40) -> str:
        """The text just before a place, in lower case: where context stands."""
        return self.lower[max(0, place - characters) : place]

    def _find_runs(self) -> Iterator[Run]:
        for match in _RUN.finditer(self.text):
            glued = self.text[match.end() : match.end() + 1].isalpha() and not _EXTENSION.match(self.text, match.end())
            if glued or match.end() - match.start() < _SHORTEST:
                continue
            groups = tuple((one.start(), one.end()) for one in _GROUP.finditer(self.text, *match.span()))
            yield Run(match.start(), match.end(), match[0], groups)
