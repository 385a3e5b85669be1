"""What the name of a column says, in several languages.

Answers: which kind of personal data does this name announce, and how plainly?
Does not answer: what is in the cells. Names in English, German, French, Spanish, Italian, Portuguese, Dutch, Polish and
Scandinavian languages are known, and those of the US census (ACS); in other languages only the content speaks.
"""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

from sealwright.data.personal.column_words import BESIDES, NOT_OF_PERSONS, VOCABULARY
from sealwright.data.personal.model import Kind

__all__ = ["CENSUS", "Named", "census_names", "named", "words_of"]

_PARTS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+|[^\W\d_a-zA-Z]+")
_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "æ": "ae", "Æ": "Ae", "đ": "d", "ı": "i"})

CENSUS: dict[str, Kind] = {
    "SEX": "sex",
    "RAC1P": "origin",
    "HISP": "origin",
    "ANC": "origin",
    "AGEP": "age",
    "MAR": "marital_status",
    "DIS": "disability",
    "DEAR": "disability",
    "DEYE": "disability",
    "DREM": "disability",
    "CIT": "nationality",
    "NATIVITY": "nationality",
}
"""Names as the US census (American Community Survey) uses them."""
_CENSUS_AT_LEAST = 4  # a single MAR or DIS means other things elsewhere


@dataclass(frozen=True, slots=True)
class Named:
    """What a name says."""

    kind: Kind
    plain: bool  # False: the word also means something else ("name", "number", "card")
    census: bool = False


def words_of(name: str) -> tuple[str, ...]:
    """The words in a column name, without accents: "GeburtsDatum_2" is geburts, datum, 2."""
    plain = unicodedata.normalize("NFKD", name.translate(_LETTERS))
    return tuple(part.lower() for part in _PARTS.findall("".join(c for c in plain if not unicodedata.combining(c))))


def census_names(names: Collection[str]) -> bool:
    """Whether a table carries enough column names of the US census to read MAR as marital status."""
    return len(CENSUS.keys() & set(names)) >= _CENSUS_AT_LEAST


def named(name: str, *, census: bool = False) -> Named | None:
    """The kind a column's name announces, if any.

    Parameters
    ----------
    census : bool
        Read names as the US census uses them.
    """
    if census and name in CENSUS:
        return Named(CENSUS[name], plain=True, census=True)
    words = words_of(name)
    found, joined = set(words), "".join(words)
    for entry in VOCABULARY:
        if entry.said_by(found, joined):
            aside = bool(found & NOT_OF_PERSONS) and entry.kind in {
                "person_name",
                "address",
                "account",
                "birth_date",
                "postcode",
            }
            if aside or (entry.identifies and found & BESIDES):
                continue
            return Named(entry.kind, plain=not entry.vague)
    return None
