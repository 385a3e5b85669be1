"""How many people, in which roles, must have signed for a package.

Answers: what does a policy ask of approvals, and is a rule that lies in a package one at all?
Does not answer: do the approvals that were given carry it. `counting` does.
Plain, so that a server which checks a gate's decision loads no library for the settings of projects.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from sealwright.kernel import InvalidInput

__all__ = ["POLICY_CHANGE_RULE", "POLICY_OFFICER", "ApprovalRule", "Role", "approval_rule_in", "reason"]

Role = Literal[
    "data_scientist", "ml_engineer", "security_officer", "compliance_officer", "business_owner", "reviewer", "auditor"
]
POLICY_OFFICER: Role = "compliance_officer"  # who may let a policy ask for less

_ROLES = frozenset(get_args(Role))
_MOST_PEOPLE, _MOST_DAYS, _MOST_TEXT = 10, 3660, 2000


def reason(text: str) -> str:
    """A reason in one line. Raises `ValueError` where it says too little to be weighed."""
    words = " ".join(text.split())
    if len(words) < 12:
        raise ValueError("give a reason that a reviewer can weigh, at least a few words")
    return words


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRule:
    """Who must have signed for exactly this package. Raises `ValueError` where nobody could."""

    people: int
    distinct_roles: bool = False
    roles: tuple[Role, ...] = ()
    max_age_days: int = 90
    why: str

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - pydantic's name, read where a policy holds a rule

    def __post_init__(self) -> None:
        if not 0 <= self.people <= _MOST_PEOPLE or not 1 <= self.max_age_days <= _MOST_DAYS:
            raise ValueError(f"ask for 0 to {_MOST_PEOPLE} people, signed within 1 to {_MOST_DAYS} days")
        if self.people and (not self.roles or (self.distinct_roles and len(set(self.roles)) < self.people)):
            raise ValueError("name enough roles for this many people")
        if len(self.why) > _MOST_TEXT:
            raise ValueError(f"give the reason in at most {_MOST_TEXT} characters")
        object.__setattr__(self, "why", reason(self.why))

    def as_strict_as(self, other: "ApprovalRule") -> bool:
        return self.people >= other.people and (
            other.people == 0
            or (
                (self.distinct_roles or not other.distinct_roles)
                and set(self.roles) <= set(other.roles)
                and self.max_age_days <= other.max_age_days
            )
        )

    def in_words(self) -> str:
        if not self.people:
            return "none"
        people = "1 person" if self.people == 1 else f"{self.people} people"
        apart = " in different roles" if self.distinct_roles and self.people > 1 else ""
        roles = f"in the role {self.roles[0]}" if len(self.roles) == 1 else f"out of {', '.join(self.roles)}"
        return f"{people}{apart} {roles}, signed within {self.max_age_days} days"

    def to_json(self) -> dict[str, Any]:
        """The rule as a decision states it."""
        return {name: list(value) if name == "roles" else value for name in _FIELDS for value in [getattr(self, name)]}


_FIELDS = tuple(one.name for one in fields(ApprovalRule))


def approval_rule_in(value: object) -> ApprovalRule:
    """The rule that a signed decision states, read without a library and without conversions.

    Raises
    ------
    InvalidInput
        It has other fields than a rule, values of other kinds, or asks for what nobody can give.
    """
    if not isinstance(value, Mapping) or not {"people", "why"} <= set(value) <= set(_FIELDS):
        raise InvalidInput("The rule about approvals does not have a rule's fields.")
    said = {"distinct_roles": False, "roles": [], "max_age_days": 90, **value}
    kinds = {"people": int, "distinct_roles": bool, "roles": list, "max_age_days": int, "why": str}
    if any(type(said[name]) is not kind for name, kind in kinds.items()) or any(
        type(role) is not str or role not in _ROLES for role in said["roles"]
    ):
        raise InvalidInput("The rule about approvals holds values that a rule does not have.")
    try:
        return ApprovalRule(**{**said, "roles": tuple(said["roles"])})
    except ValueError as error:
        raise InvalidInput(f"The rule about approvals does not hold together: {error}.") from None


POLICY_CHANGE_RULE = ApprovalRule(  # never part of a policy, so that no policy can loosen it
    people=1,
    roles=(POLICY_OFFICER,),
    why="Asking for less than the risk class, or asking for less or measuring more gently than before the results were "
    "known, is decided by the compliance officer and by nobody who wants the model to pass.",
)
