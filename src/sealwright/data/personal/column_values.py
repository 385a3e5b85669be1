"""What the values of a column say together: attributes with few words, names of people, prose.

Answers: are these cells all given names, all "male" and "female", all sentences?
Does not answer: what one cell says. That is `text`.
"""

import re
from collections.abc import Collection

from sealwright.data.personal.detectors.person import is_given_name
from sealwright.data.personal.model import Kind
from sealwright.data.personal.person_context import NOT_NAMES

__all__ = ["attribute_of", "is_named_like_a_person", "is_prose", "name_shaped"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ATTRIBUTES: tuple[tuple[Kind, frozenset[str]], ...] = (
    (
        "sex",
        _words(
            "male female m f man woman men women boy girl nonbinary non-binary diverse other unknown männlich weiblich divers"
            " mann frau homme femme masculin féminin hombre mujer masculino femenino uomo donna maschio femmina feminino"
        ),
    ),
    (
        "origin",
        _words(
            "white black asian hispanic latino caucasian african african-american native indigenous"
            " asian-pac-islander amer-indian-eskimo pacific-islander mixed other unknown"
        ),
    ),
    (
        "religion",
        _words(
            "christian muslim jewish hindu buddhist sikh catholic protestant orthodox atheist none other unknown"
            " evangelisch katholisch römisch-katholisch muslimisch jüdisch konfessionslos catholique musulman juif cattolico católico"
        ),
    ),
    (
        "marital_status",
        _words(
            "single married divorced widowed separated unmarried partnered never-married other unknown"
            " ledig verheiratet geschieden verwitwet célibataire marié divorcé veuf soltero casado divorciado viudo celibe coniugato"
        ),
    ),
)
_OPEN = {"other", "unknown", "none"}
_SHAPED = re.compile(
    r"[^\W\d_][^\W\d_'’\-.]*+(?:['’\-.][^\W\d_]*+)*+(?:,? [^\W\d_][^\W\d_'’\-.]*+(?:['’\-.][^\W\d_]*+)*+){0,4}"
)
_WORD = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")


def attribute_of(values: Collection[str]) -> Kind | None:
    """The attribute whose words these are: at least two telling ones, and none that is not known."""
    plain = {value.strip().lower() for value in values}
    for kind, known in _ATTRIBUTES:
        if len(plain & known - _OPEN) >= 2 and plain <= known:
            return kind
    return None


def name_shaped(value: str) -> bool:
    """One to five words of letters, the first capitalised: "Smith, John", "van der Berg" is not, "ANNA" is."""
    return len(value) <= 60 and value[:1].isupper() and _SHAPED.fullmatch(value) is not None


def is_named_like_a_person(value: str) -> bool:
    """Name-shaped, with a common given name as one of its first two words, and not "Lake Robert"."""
    words = _WORD.findall(value)[:2] if name_shaped(value) else []
    return any(is_given_name(word) for word in words) and words[0].lower() not in NOT_NAMES


def is_prose(value: str) -> bool:
    """At least five words, most of them in lower case: somebody wrote this."""
    words = _WORD.findall(value[:400])
    return len(words) >= 5 and sum(word[0].islower() for word in words) * 2 >= len(words)
