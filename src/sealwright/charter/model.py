"""The charter: one page on which a use case is agreed before anything is trained.

Answers: what the model is for, who answers for it, whom it touches, how much may depend on it,
and which numbers it must reach for somebody to want it.
Does not answer: which checks and approvals that takes. The policy of the risk class does.
"""

import math
import re
import unicodedata
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from sealwright.kernel import InvalidInput, check_name

__all__ = ["CharterSpec", "Objective", "RiskClass"]

_CHECK = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+")
_MOST_TEXT = 4000  # characters: a charter is one page; longer reasoning belongs in a linked document


class RiskClass(StrEnum):
    """How much may depend on the model. The checks and approvals it needs follow from this word."""

    MINIMAL = "minimal"
    LIMITED = "limited"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """0 for minimal, 1 for limited, 2 for high: a higher rank asks for more."""
        return list(RiskClass).index(self)


def _readable(text: str) -> str:
    """Text a person can read on any screen: no control or direction-changing characters, not blank."""
    stripped = text.strip()
    if not stripped:
        raise ValueError("say it in words; this text is empty")
    if any(unicodedata.category(c) in {"Cc", "Cf", "Co", "Cs"} and c not in "\n\t" for c in stripped):
        raise ValueError("this text holds invisible control characters; type it again")
    return stripped


def _known_shape(name: str) -> str:
    if not _CHECK.fullmatch(name):
        raise ValueError("a check is named like performance.roc_auc: a suite, a dot, a measure, in small letters")
    return name


def _known_name(name: str | None) -> str | None:
    try:
        return check_name(name, what="purpose") if name is not None else None
    except InvalidInput as error:
        raise ValueError(str(error)) from None


_Prose = Annotated[str, Field(min_length=1, max_length=_MOST_TEXT), AfterValidator(_readable)]


class Objective(BaseModel):
    """One number the model must reach to be worth having. It becomes a requirement of the gate."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: Annotated[
        str,
        AfterValidator(_known_shape),
        Field(description="Name of a check as the assurance suites file it, e.g. performance.roc_auc."),
    ]
    at_least: Annotated[
        float | None, Field(description="Smallest value that counts as reached, in the unit of the check.")
    ] = None
    at_most: Annotated[
        float | None, Field(description="Largest value that counts as reached. Give this or at_least.")
    ] = None
    judged_on: Annotated[
        Literal["value", "lower", "upper"],
        Field(
            description="What is compared: the measured value, or the honest end of its interval "
            "(lower for at_least, upper for at_most)."
        ),
    ] = "value"
    baseline: Annotated[
        float | None,
        Field(description="What is reached today without the model, in the same unit. Frozen with the charter."),
    ] = None
    why: Annotated[_Prose, Field(description="Why this number: what gets better for whom when it is reached.")]

    @model_validator(mode="after")
    def _one_honest_limit(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("give either at_least or at_most, not both and not neither")
        for number in (self.at_least, self.at_most, self.baseline):
            if number is not None and not math.isfinite(number):
                raise ValueError("a limit must be a finite number")
        if self.judged_on == ("upper" if self.at_least is not None else "lower"):
            raise ValueError("judge at_least on value or lower, at_most on value or upper: the other end flatters")
        return self


class CharterSpec(BaseModel):
    """The `charter:` section of a project file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    purpose: Annotated[
        _Prose, Field(description="What the model decides or supports, for whom, in one or two sentences.")
    ]
    purpose_id: Annotated[
        str | None,
        AfterValidator(_known_name),
        Field(
            exclude_if=lambda value: value is None,  # a charter without it keeps the digest it always had
            description="Short id of that purpose, as data.basis names the purposes data was collected for. "
            "Needed where data about persons is used.",
        ),
    ] = None
    owner: Annotated[
        _Prose, Field(description="Who answers for it: a person or a function, by the name used in your organisation.")
    ]
    risk_class: Annotated[
        RiskClass,
        Field(
            description="minimal: a wrong answer costs little and nobody is judged by it. limited: people meet its answers "
            "and can easily object. high: it weighs on somebody's credit, work, health, education, safety or rights. "
            "Required suites, checks and approvals follow from it."
        ),
    ]
    objectives: Annotated[
        tuple[Objective, ...],
        Field(
            max_length=50,
            description="Numbers that must be reached, each with a reason. They are signed before results exist.",
        ),
    ] = ()
    affected: Annotated[
        tuple[_Prose, ...],
        Field(max_length=50, description="Groups of people the decisions touch, the absent ones included."),
    ] = ()
    intended_use: Annotated[
        tuple[_Prose, ...],
        Field(max_length=50, description="Uses it is made and tested for. Printed on the model card."),
    ] = ()
    out_of_scope: Annotated[
        tuple[_Prose, ...], Field(max_length=50, description="Uses it must not be put to, even where it would run.")
    ] = ()
    notes: Annotated[
        str, Field(max_length=_MOST_TEXT, description="Anything else a reviewer should know. May stay empty.")
    ] = ""

    @model_validator(mode="after")
    def _each_objective_once(self) -> Self:
        metrics = [objective.metric for objective in self.objectives]
        twice = sorted({metric for metric in metrics if metrics.count(metric) > 1})
        if twice:
            raise ValueError(f"each metric has one objective; named twice: {', '.join(twice)}")
        return self
