"""What a column's name and values suggest: persons' attributes that the law protects, and identifiers.

Answers: is this probably about sex, origin, health, …, or a key to one person?
Does not answer: is it? A person reads the reasons in the project file and decides. Names in English, and
those of the US census (ACS), are known; other languages are not.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from sealwright.data.spec import DataClass

__all__ = [
    "Hint",
    "census_names",
    "looks_like_identifier",
    "looks_personal",
    "looks_predicted",
    "protected_attribute",
    "words_of",
]


@dataclass(frozen=True, slots=True)
class Hint:
    """A guess and its ground."""

    about: str  # "sex or gender"
    data_class: DataClass
    reason: str
    keep_as_feature: bool = False  # useful to many honest models, so a person decides


@dataclass(frozen=True, slots=True)
class _Attribute:
    about: str
    data_class: DataClass
    words: frozenset[str]
    phrases: tuple[tuple[str, ...], ...] = ()
    values: frozenset[str] = frozenset()
    keep_as_feature: bool = False


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ATTRIBUTES = (
    _Attribute(
        "sex or gender",
        "special",
        _words("sex gender"),
        values=_words("male female m f man woman men women boy girl nonbinary non-binary diverse other unknown"),
    ),
    _Attribute(
        "race or ethnic origin",
        "special",
        _words("race racial ethnic ethnicity hispanic latino ancestry skin tribe caste"),
        values=_words(
            "white black asian hispanic latino caucasian african african-american native indigenous"
            " asian-pac-islander amer-indian-eskimo pacific-islander mixed other unknown"
        ),
    ),
    _Attribute(
        "religion or belief",
        "special",
        _words("religion religious faith creed church"),
        values=_words(
            "christian muslim jewish hindu buddhist sikh catholic protestant orthodox atheist none other unknown"
        ),
    ),
    _Attribute("disability", "special", _words("disability disabilities disabled handicap handicapped")),
    _Attribute("sexual orientation", "special", _words("lgbt lgbtq transgender"), phrases=(("sexual", "orientation"),)),
    _Attribute("political opinion", "special", _words("political politics"), phrases=(("trade", "union"),)),
    _Attribute(
        "nationality or origin",
        "personal",
        _words("nationality citizen citizenship foreign foreigner immigrant immigration migrant birthplace"),
        phrases=(("native", "country"), ("country", "birth"), ("birth", "country"), ("place", "birth")),
    ),
    _Attribute(
        "marital status",
        "personal",
        _words("marital marriage married"),
        phrases=(("civil", "status"), ("relationship", "status")),
        values=_words("single married divorced widowed separated unmarried partnered never-married other unknown"),
    ),
    _Attribute(
        "health",
        "special",
        _words("health medical illness disease diagnosis pregnant pregnancy medication genetic biometric hiv cancer"),
        keep_as_feature=True,
    ),
    _Attribute(
        "age",
        "personal",
        _words("age ages birthyear"),
        phrases=(("birth", "year"), ("year", "birth")),
        keep_as_feature=True,
    ),
    _Attribute(
        "place of residence, which may stand in for origin",
        "personal",
        _words("zip zipcode postcode postal neighbourhood neighborhood"),
        keep_as_feature=True,
    ),
)

_CENSUS = {
    "SEX": "sex or gender",
    "RAC1P": "race or ethnic origin",
    "HISP": "race or ethnic origin",
    "ANC": "race or ethnic origin",
    "AGEP": "age",
    "MAR": "marital status",
    "DIS": "disability",
    "DEAR": "disability",
    "DEYE": "disability",
    "DREM": "disability",
    "CIT": "nationality or origin",
    "NATIVITY": "nationality or origin",
}
_CENSUS_AT_LEAST = 4  # a single MAR or DIS means other things elsewhere

_IDENTIFIER = _words("id ids uuid guid key index number num nr no code ref reference")
_PREDICTED = _words("prediction predictions predicted")
_PERSONAL = _words(
    "name names firstname lastname surname forename fullname username email mail phone mobile telephone address street"
    " ssn iban passport licence license card dob birthdate birthday"
)
_PERSONAL_PHRASES = (("birth", "date"), ("date", "birth"), ("national", "number"), ("social", "security"))
_PARTS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+|[^\W\d_a-zA-Z]+")


def words_of(name: str) -> tuple[str, ...]:
    """The words in a column name: "ForeignWorker_ID2" is foreign, worker, id, 2."""
    return tuple(part.lower() for part in _PARTS.findall(name))


def census_names(names: Collection[str]) -> bool:
    """Whether a table carries enough column names of the US census to read MAR as marital status."""
    return len(_CENSUS.keys() & set(names)) >= _CENSUS_AT_LEAST


def protected_attribute(name: str, values: Collection[str], *, census: bool = False) -> Hint | None:
    """The protected attribute a column seems to hold.

    Parameters
    ----------
    values : collection of str
        Its categories, if it has few; else empty.
    census : bool
        Read names as the US census uses them.
    """
    found = words_of(name)
    for attribute in _ATTRIBUTES:
        named = bool(attribute.words & set(found)) or any(set(phrase) <= set(found) for phrase in attribute.phrases)
        by_census = census and _CENSUS.get(name) == attribute.about
        if named or by_census:
            where = "in the US census that" if by_census else "the"
            reason = f"{where} name says {attribute.about}"
        elif _only_these(values, attribute.values):
            reason = f"the values look like {attribute.about}"
        else:
            continue
        return Hint(attribute.about, attribute.data_class, reason, attribute.keep_as_feature)
    return None


def looks_personal(name: str) -> bool:
    """Whether a name says that the column identifies or reaches a person directly."""
    found = set(words_of(name))
    return bool(_PERSONAL & found) or any(set(phrase) <= found for phrase in _PERSONAL_PHRASES)


def looks_predicted(name: str) -> bool:
    """Whether a name says that another model made the column."""
    return bool(_PREDICTED & set(words_of(name)))


def looks_like_identifier(name: str) -> bool:
    """Whether a name says that the column is a key or number of something."""
    return bool(_IDENTIFIER & set(words_of(name)))


def _only_these(values: Collection[str], known: frozenset[str]) -> bool:
    """At least two different telling values, and none that is not known."""
    plain = {value.strip().lower() for value in values}
    return len(plain & known - {"other", "unknown", "none"}) >= 2 and plain <= known
