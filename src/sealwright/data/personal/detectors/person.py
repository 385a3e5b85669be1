"""Names of persons in text: without a model of language, by what stands beside them.

Ways, from sure to weak: a title (Mrs, Herr, Señora), words that introduce a name ("my name is", "signed"), a common given
name with a capitalised word behind it, the local part of an e-mail address in the same text. Two capitalised words
alone are no name: in German every noun is one. A name that nothing points to is missed; the declared recall says how often.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from sealwright.data.personal.given_names import AMBIGUOUS, GIVEN_NAMES
from sealwright.data.personal.model import Confidence, Span
from sealwright.data.personal.person_context import FAINT, INTRODUCTIONS, NOT_NAMES, PARTICLES, PREPOSITIONS, TITLES
from sealwright.data.personal.reading import Reading

__all__ = ["find", "is_given_name", "plain_word"]

_WORD = re.compile(r"[^\W\d_]{1,30}(?:['’\-][^\W\d_]{1,30}){0,3}")
_CAPITAL = re.compile(r"(?<![\w'’\-])[^\W\d_a-zß-öø-ÿ]")
_LOCAL = re.compile(r"(?<![\w.+-])[^\W_][\w.+-]{2,63}@")
_BREAKS = re.compile(r"[._+\-\d]+")
_MOST_WORDS = 4
_LONGEST_INTRODUCTION = max(map(len, INTRODUCTIONS))


@lru_cache(maxsize=8192)
def plain_word(word: str) -> str:
    """Lower case, without accents: "José" and "jose" are one given name."""
    return "".join(c for c in unicodedata.normalize("NFKD", word.lower()) if not unicodedata.combining(c)).replace(
        "ß", "ss"
    )


_GIVEN = frozenset(plain_word(name) for name in GIVEN_NAMES)
_UNSURE = frozenset(plain_word(name) for name in AMBIGUOUS)


def is_given_name(word: str) -> bool:
    """Whether a word, or the first half of Anna-Maria, is a very common given name."""
    plain = plain_word(word)
    return plain in _GIVEN or ("-" in plain and plain.partition("-")[0] in _GIVEN)


def find(reading: Reading) -> Iterator[Span]:
    """Every capitalised word is looked at once; what stands before it, or what it is, decides."""
    text = reading.text
    parts = _parts_of_addresses(text) if "@" in text else frozenset()
    done = -1
    for capital in _CAPITAL.finditer(text):
        if capital.start() < done:
            continue
        word = _WORD.match(text, capital.start())
        if word is None or text[word.end() : word.end() + 1] == "@":
            continue
        end = _end_of_name(text, word)
        grade = _grade(reading, word, end, parts) if end else None
        if grade is not None:
            start = _with_family_before(text, word)
            done = end
            yield Span(start, end, "person_name", grade)


def _grade(reading: Reading, word: re.Match[str], end: int, parts: frozenset[str]) -> Confidence | None:
    alone = end == word.end()
    given = is_given_name(word[0])
    unsure = plain_word(word[0]) in _UNSURE
    said = _said_before(reading, word.start())
    if said == "title":
        return "high"
    if said == "introduction":
        return "high" if (given and not unsure) or not alone else "medium"
    if said == "preposition" and given and alone:
        return "low" if unsure else "medium"
    if said == "faint" and (given or not alone):
        return "high" if given and not alone else "medium"
    if parts and _is_part(plain_word(word[0]), parts):
        return "medium"
    if not given:
        return None
    if alone:
        return "medium" if _with_family_before(reading.text, word) < word.start() else "low"
    return "low" if unsure else "high"


def _said_before(reading: Reading, start: int) -> str:
    """Which kind of announcement ends right before `start`."""
    before = reading.lower[max(0, start - _LONGEST_INTRODUCTION - 4) : start].rstrip(" \n:=,.-\"'(")
    near = start - len(before) - max(0, start - _LONGEST_INTRODUCTION - 4)
    last = before.rpartition(" ")[2].rpartition("\n")[2]
    while last in PARTICLES and " " in before and near < 20:  # Mr van der Berg
        before = before[: -len(last)].rstrip(" ")
        near = start - len(before) - max(0, start - _LONGEST_INTRODUCTION - 4)
        last = before.rpartition(" ")[2].rpartition("\n")[2]
    if near > 20 or not last:
        return ""
    between = reading.lower[start - near : start]
    last = last.rstrip(".")
    if last in TITLES and between.lstrip(".")[:1] in {"", " "}:
        return "title"
    if "." in between or not _ends_with(before, INTRODUCTIONS):
        return ""
    if _ends_with(before, PREPOSITIONS):
        return "preposition"
    return "faint" if _ends_with(before, FAINT) else "introduction"


def _ends_with(before: str, phrases: tuple[str, ...]) -> bool:
    """Whether one of the phrases stands at the end, as whole words."""
    if not before.endswith(phrases):
        return False
    return any(before.endswith(one) and not before[: -len(one)][-1:].isalnum() for one in phrases)


def _end_of_name(text: str, word: re.Match[str]) -> int:
    """Where one to four capitalised words end, initials and "van der" among them; 0 if the first is no name."""
    if word[0].lower() in NOT_NAMES:
        return 0
    end, words, found = word.end(), 1, word
    while words < _MOST_WORDS:
        step = 2 if len(found[0]) <= 2 and text.startswith(". ", found.end()) else 1
        if step == 1 and text[found.end() : found.end() + 1] != " ":
            break
        after = _WORD.match(text, found.end() + step)
        if after is None:
            break
        low = after[0].lower()
        if after[0][0].isupper() and low not in NOT_NAMES:
            end, words = after.end(), words + 1
        elif low not in PARTICLES:
            break
        found = after
    return end


def _with_family_before(text: str, word: re.Match[str]) -> int:
    """Where "Smith" begins in "Smith, John" at the begin of a line; else where the word itself does."""
    if text[word.start() - 2 : word.start()] != ", " or not is_given_name(word[0]):
        return word.start()
    begin = word.start() - 2
    while begin > 0 and word.start() - begin < 34 and (text[begin - 1].isalpha() or text[begin - 1] in "'’-"):
        begin -= 1
    family = text[begin : word.start() - 2]
    parted = begin == 0 or text[begin - 1] in "\n\t;|(\"'"
    usual = len(family) > 2 and family[0].isupper() and family.lower() not in NOT_NAMES
    return begin if parted and usual else word.start()


def _parts_of_addresses(text: str) -> frozenset[str]:
    """The pieces of the local parts of e-mail addresses in this text."""
    locals_ = (plain_word(found[:-1]) for found in _LOCAL.findall(text)[:50])
    return frozenset(part for local in locals_ for part in _BREAKS.split(local) if len(part) >= 3)


def _is_part(word: str, parts: frozenset[str]) -> bool:
    """`schmidt` in `anna.schmidt`, also in `aschmidt`."""
    return len(word) >= 3 and (word in parts or (len(word) >= 4 and any(part[1:] == word for part in parts)))
