"""Policies: what evidence, and whose approvals, a use of a model needs.

Answers: which requirements does a risk class bring, with which limits, and why each?
Does not answer: are they met? `rules.decide` does.

A policy is data. The three of the risk classes are YAML files beside this module, meant to be read by
people who do not program; every number in them stands next to its reason.
"""

import math
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from sealwright.charter import RiskClass
from sealwright.evidence.approval_rule import ApprovalRule, Role, reason
from sealwright.evidence.model import Change
from sealwright.kernel import canonical_json, digest_of

__all__ = [
    "Freshness",
    "Override",
    "Policy",
    "PolicySpec",
    "RequiredSuite",
    "Requirement",
    "SettingLimit",
    "UseCase",
    "UseCaseName",
]

Task = Literal["binary", "multiclass", "regression"]
Suite = Literal[
    "quality", "performance", "fairness", "robustness", "stress", "slices", "uncertainty", "privacy", "explanation"
]

_CHECK = r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$"


_Why = Annotated[str, Field(max_length=2000), AfterValidator(reason)]
_Finite = Annotated[float, Field(allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Requirement(_Part):
    """One measure and the limit it must keep."""

    check: Annotated[str, Field(pattern=_CHECK)]
    at_least: _Finite | None = None
    at_most: _Finite | None = None
    judged_on: Literal["value", "lower", "upper"] = "value"
    min_n: Annotated[int, Field(ge=0)] = 0  # fewer rows say too little to pass
    per: Literal["model", "attribute"] = "model"  # "attribute": one measurement for each declared attribute
    tasks: tuple[Task, ...] = ()  # empty: every task
    attested_by: tuple[Role, ...] = ()  # roles whose signed word may stand in for a measurement that is not possible
    who: Role = "data_scientist"  # who must act when it is not met
    why: _Why
    source: Literal["class", "use_case", "project", "objective"] = "class"

    @model_validator(mode="after")
    def _one_honest_limit(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("give either at_least or at_most, not both and not neither")
        if self.judged_on == ("upper" if self.at_least is not None else "lower"):
            raise ValueError("judge at_least on value or lower, at_most on value or upper: the other end flatters")
        return self

    def holds(self, number: float) -> bool:
        """True where `number` keeps the limit; never for what is not a number."""
        return number >= self.at_least if self.at_least is not None else number <= self.limit

    @property
    def limit(self) -> float:
        return self.at_least if self.at_least is not None else self.at_most if self.at_most is not None else math.nan

    def applies_to(self, task: str) -> bool:
        return not self.tasks or task in self.tasks

    def as_strict_as(self, other: "Requirement") -> bool:
        """True where whatever keeps this requirement surely keeps `other`."""
        if self.check != other.check or self.per != other.per or (self.at_least is None) != (other.at_least is None):
            return False
        tighter = self.limit >= other.limit if self.at_least is not None else self.limit <= other.limit
        return (
            tighter
            and (self.judged_on != "value" or other.judged_on == "value")
            and self.min_n >= other.min_n
            and (not self.tasks or (bool(other.tasks) and set(self.tasks) >= set(other.tasks)))
            and set(self.attested_by) <= set(other.attested_by)
        )


class RequiredSuite(_Part):
    """A suite that must have been run on this model."""

    suite: Suite
    why: _Why


class SettingLimit(_Part):
    """How a suite must have been set for its findings to count. An inner one, `uncertainty.coverage`, counts for its suite."""

    setting: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$")]
    at_least: _Finite | None = None
    at_most: _Finite | None = None
    why: _Why

    @model_validator(mode="after")
    def _some_limit(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise ValueError("give at_least, at_most or both")
        return self

    def holds(self, number: float) -> bool:
        return self.low <= number <= self.high

    def as_strict_as(self, other: "SettingLimit") -> bool:
        return self.setting == other.setting and self.low >= other.low and self.high <= other.high

    @property
    def low(self) -> float:
        return -math.inf if self.at_least is None else self.at_least

    @property
    def high(self) -> float:
        return math.inf if self.at_most is None else self.at_most


class Freshness(_Part):
    """How old a measurement may be."""

    max_age_days: Annotated[int, Field(ge=1, le=3660)]
    why: _Why


class Policy(_Part):
    """Everything a release needs: the policy of a risk class, with what a project added or changed."""

    format: Literal[1]
    risk_class: RiskClass
    summary: _Why
    suites: tuple[RequiredSuite, ...]
    freshness: Freshness
    settings: tuple[SettingLimit, ...] = ()
    approvals: ApprovalRule
    requirements: tuple[Requirement, ...]
    departures: tuple[tuple[str, str, str, str], ...] = ()  # below the class default: what, before, after, why

    @model_validator(mode="after")
    def _nothing_twice(self) -> Self:
        names = [(one.source, one.check, one.tasks) for one in self.requirements]
        if len(set(names)) != len(names) or len({one.suite for one in self.suites}) != len(self.suites):
            raise ValueError("a requirement or suite is named twice")
        return self

    def to_json(self) -> dict[str, Any]:
        """The policy as it is frozen in a charter statement and digested."""
        return self.model_dump(mode="json")

    @cached_property
    def digest(self) -> str:
        """Digest of the canonical JSON: what an approver signs besides the package."""
        return digest_of(canonical_json(self.to_json()))

    @property
    def changes_below_class(self) -> tuple[Change, ...]:
        """Where the project asks for less than its risk class does, with the reasons it gave."""
        return tuple(Change(what=a, before=b, after=c, why=d) for a, b, c, d in self.departures)


UseCaseName = Literal["credit", "hiring", "medical"]


class UseCase(_Part):
    """What a use adds to the policy of any risk class. It can only add."""

    format: Literal[1]
    use_case: UseCaseName
    summary: _Why
    requirements: tuple[Requirement, ...]


class Override(_Part):
    """One check on which this project departs from its class, or which it adds."""

    check: Annotated[str, Field(pattern=_CHECK, description="Name of the check, e.g. fairness.selection_gap.")]
    at_least: Annotated[_Finite | None, Field(description="New smallest value.")] = None
    at_most: Annotated[_Finite | None, Field(description="New largest value.")] = None
    judged_on: Annotated[
        Literal["value", "lower", "upper"] | None,
        Field(description="Compare the value, or the honest end of its interval. Left out: as the class does."),
    ] = None
    min_n: Annotated[
        int | None, Field(ge=0, description="Rows a measurement must rest on. Left out: as the class asks.")
    ] = None
    why: Annotated[
        _Why,
        Field(
            description="Why this project departs. Printed in every decision; asking for less than the class "
            "also needs the approval of a compliance officer."
        ),
    ]


class PolicySpec(_Part):
    """The `policy:` section of a project file."""

    use: Annotated[
        RiskClass | None,
        Field(
            description="Policy to judge by. Left out: that of the charter's risk class. It may be stricter, never laxer."
        ),
    ] = None
    use_case: Annotated[
        UseCaseName | None,
        Field(
            description="What the model is for, if it is one of these: adds what this use asks for beyond its class."
        ),
    ] = None
    overrides: Annotated[
        tuple[Override, ...],
        Field(max_length=100, description="Checks judged by other limits than the class sets, each with a reason."),
    ] = ()
    suites: Annotated[tuple[Suite, ...], Field(description="Suites to require beyond those of the class.")] = ()
    approvals: Annotated[
        int | None, Field(ge=0, le=10, description="Approvers to ask for, if more than the class asks for.")
    ] = None

    @model_validator(mode="after")
    def _each_check_once(self) -> Self:
        checks = [one.check for one in self.overrides]
        twice = sorted({check for check in checks if checks.count(check) > 1})
        if twice:
            raise ValueError(f"each check is overridden once; named twice: {', '.join(twice)}")
        return self
