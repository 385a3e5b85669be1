"""What a column's name and values suggest to whoever writes a first contract: protected attributes, persons, keys.

Answers: is this probably about sex, origin, health, …, does it name a person, or is it a key of something?
Does not answer: is it? A person reads the reasons in the project file and decides. What is known of persons, in names
and in cells, is the scanner's (`sealwright.data.personal`); there is no second list.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sealwright.data.column_spec import DataClass
from sealwright.data.personal.cells import count_cells
from sealwright.data.personal.column_names import census_names, named, words_of
from sealwright.data.personal.column_values import attribute_of
from sealwright.data.personal.grading import findings_of
from sealwright.data.personal.model import KINDS, Finding

__all__ = [
    "Hint",
    "census_names",
    "looks_like_identifier",
    "looks_personal",
    "looks_predicted",
    "personal_content",
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


_IDENTIFIER = frozenset(("id", "ids", "uuid", "guid", "key", "index", "number", "num", "nr", "no", "code", "ref", "reference"))  # fmt: skip
_PREDICTED = frozenset(("prediction", "predictions", "predicted"))


def protected_attribute(name: str, values: Collection[str], *, census: bool = False) -> Hint | None:
    """The protected attribute a column seems to hold.

    Parameters
    ----------
    values : collection of str
        Its categories, if it has few; else empty.
    census : bool
        Read names as the US census uses them.
    """
    said = named(name, census=census)
    if said is not None and not KINDS[said.kind].identifies:
        kind, where = said.kind, "in the US census that" if said.census else "the"
        reason = f"{where} name says {KINDS[kind].about}"
    else:
        found = attribute_of(values)
        if found is None:
            return None
        kind, reason = found, f"the values look like {KINDS[found].about}"
    facts = KINDS[kind]
    return Hint(facts.about, facts.data_class or "internal", reason, facts.keep_as_feature)


def personal_content(cells: Collection[str], name: str = "") -> Finding | None:
    """What the cells of a column hold of persons, the surest kind that names or reaches one; None if nothing counts.

    Parameters
    ----------
    cells : collection of str
        Some of its cells, each as often as it was drawn.
    name : str
        The column's name, which makes surer what the cells say.
    """
    counts = count_cells((cell, 1) for cell in cells)
    found = findings_of(counts, named(name))
    return next((one for one in found if one.counts and one.cells and KINDS[one.kind].identifies), None)


def looks_personal(name: str) -> bool:
    """Whether a name says that the column identifies or reaches a person directly."""
    said = named(name)
    return said is not None and KINDS[said.kind].identifies


def looks_predicted(name: str) -> bool:
    """Whether a name says that another model made the column."""
    return not _PREDICTED.isdisjoint(words_of(name))


def looks_like_identifier(name: str) -> bool:
    """Whether a name says that the column is a key or number of something."""
    return not _IDENTIFIER.isdisjoint(words_of(name))
