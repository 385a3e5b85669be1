"""The `training.mitigation` section: what is done in training so that groups fare more alike.

Answers: which method, for which groups, towards which kind of equality, how strongly?
Does not answer: what it costs. `sealwright compare --what fairness` trains and measures that side by side.
"""

import math
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

__all__ = ["AT_ONE_HALF", "BINARY_ONLY", "LINEAR_ONLY", "METHODS", "Method", "MitigationSpec"]

Method = Literal["reweighing", "resampling", "decorrelate", "exponentiated_gradient", "adversarial", "thresholds"]
METHODS: tuple[Method, ...] = (
    "reweighing",
    "resampling",
    "decorrelate",
    "exponentiated_gradient",
    "adversarial",
    "thresholds",
)
AT_ONE_HALF = frozenset({"exponentiated_gradient", "thresholds"})  # made for decisions at a probability of 0.5
LINEAR_ONLY = frozenset({"decorrelate", "adversarial"})
BINARY_ONLY = frozenset({"exponentiated_gradient", "adversarial", "thresholds"})
_MOST_CUTS = 20


class MitigationSpec(BaseModel):
    """One method. The groups are looked at in training; only `thresholds` asks for them when the model answers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Annotated[
        Method,
        Field(
            description="reweighing: rows weigh so that outcome and group are independent. resampling: rows are repeated"
            " and left out to the same end. decorrelate (logistic recipe only): what a line could tell about the group is"
            " projected out of the features. exponentiated_gradient (binary): many classifiers, weighed so that the"
            " constraint holds, their probabilities averaged. adversarial (binary, logistic recipe): learns while an"
            " adversary tries to guess the group from its score. thresholds (binary): a threshold for each group; the"
            " groups must be features, and treating people differently by group is unlawful in many uses."
        ),
    ]
    attributes: Annotated[
        tuple[str | dict[str, tuple[float, ...]], ...],
        Field(
            min_length=1,
            max_length=3,
            description="Columns that say who belongs to which group: a name, or for numbers a name with ascending cut"
            " points such as {age: [25]}. Several are crossed.",
        ),
    ]
    constraint: Annotated[
        Literal["demographic_parity", "equal_opportunity", "equalised_odds"],
        Field(
            description="What shall be alike: the share decided positive; that share among the truly positive; that share"
            " among the truly positive and among the others. reweighing, resampling and decorrelate always aim at the"
            " first."
        ),
    ] = "demographic_parity"
    strength: Annotated[
        float,
        Field(
            gt=0,
            le=1,
            description="How much of the method: 1 is all of it. For exponentiated_gradient and thresholds see allowed_gap.",
        ),
    ] = 1.0
    allowed_gap: Annotated[
        float,
        Field(
            gt=0,
            le=0.5,
            description="exponentiated_gradient and thresholds: the difference between groups that may remain on the"
            " training rows.",
        ),
    ] = 0.02

    @field_validator("attributes")
    @classmethod
    def _each_named_once(
        cls, value: tuple[str | dict[str, tuple[float, ...]], ...]
    ) -> tuple[str | dict[str, tuple[float, ...]], ...]:
        for entry in value:
            if isinstance(entry, str):
                continue
            if len(entry) != 1:
                raise ValueError("one entry names one column: write - age: [25]")
            ((column, cuts),) = entry.items()
            ascending = all(a < b for a, b in pairwise(cuts)) and all(map(math.isfinite, cuts))
            if not 1 <= len(cuts) <= _MOST_CUTS or not ascending:
                raise ValueError(f"the cut points of {column} must be 1 to {_MOST_CUTS} ascending numbers")
        names = [one if isinstance(one, str) else next(iter(one)) for one in value]
        if len(set(names)) != len(names):
            raise ValueError("an attribute is named twice")
        return value

    @property
    def columns(self) -> dict[str, tuple[float, ...] | None]:
        """Attribute names with their cut points, None where none are given."""
        found: dict[str, tuple[float, ...] | None] = {}
        for entry in self.attributes:
            found.update({entry: None} if isinstance(entry, str) else dict(entry))
        return found
