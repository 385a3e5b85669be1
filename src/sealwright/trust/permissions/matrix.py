"""The whole matrix: every role and every action, near and far, strong and weak, at every stage.

Answers: what do the policies come to? For the golden file in the tests and the generated reference page.
Does not answer: anything about real people; everybody here is made up.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal, get_args

from sealwright.trust.audit import Event
from sealwright.trust.people import ROLES
from sealwright.trust.permissions.permissions import Permissions, neutral
from sealwright.trust.permissions.policy_files import actions
from sealwright.trust.permissions.resources import Resource, Stage, VersionResource
from sealwright.trust.permissions.roster import Member, Roster
from sealwright.trust.principal import Principal, RoleGrant

__all__ = ["Cell", "Line", "lines", "matrix"]

_HERE, _THERE = "here", "there"

Where = Literal["every project", "own project", "foreign project", "unstaffed", "staffed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One question and its answer. `where`: where the role is held; of the operator, whether somebody else could do it."""

    who: str  # a role, "service" or "operator"
    action: str
    stage: str  # of a version; "" for other things
    where: Where
    strong: bool
    allowed: bool
    policies: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """All cells of one role and action at one stage: for each place "-", "yes", or "strong" where it takes a second factor."""

    action: str
    stage: str
    who: str
    places: dict[str, str]


class _Nowhere:
    def record(self, event: Event) -> None:
        """A made-up question leaves no trace."""


def matrix() -> Iterator[Cell]:
    """Every cell, in a fixed order: actions as in the schema, then stages, roles, near before far, strong before weak."""
    empty = Permissions(Roster(), _Nowhere())
    full = Permissions(Roster([Member(name="all", grants=frozenset(map(RoleGrant, ROLES)))]), _Nowhere())
    for action, known in actions().items():
        for resource in _resources(known.kind):
            for who, where, principal in _principals():
                permissions = full if where == "staffed" else empty
                decision = permissions.decide(principal, action, resource, role=who if who in ROLES else "")
                yield Cell(
                    who=who,
                    action=action,
                    stage=resource.stage if isinstance(resource, VersionResource) else "",
                    where=where,
                    strong=principal.strong,
                    allowed=decision.allowed,
                    policies=decision.policies,
                )


def lines() -> Iterator[Line]:
    """The matrix with the cells of one role, action and stage on one line; lines on which nothing is allowed, too."""
    for (action, stage, who), cells in groupby(matrix(), key=lambda one: (one.action, one.stage, one.who)):
        places: dict[str, str] = {}
        for cell in cells:
            before = places.get(cell.where, "-")
            after = ("yes" if not cell.strong else "strong") if cell.allowed else before
            places[cell.where] = after
        yield Line(action=action, stage=stage, who=who, places=places)


def _resources(kind: str) -> Sequence[Resource]:
    plain = neutral(kind, project=_HERE)
    if isinstance(plain, VersionResource):
        return [replace(plain, stage=stage) for stage in get_args(Stage)]
    return [plain]


def _principals() -> Iterator[tuple[str, Where, Principal]]:
    places: tuple[tuple[Where, str], ...] = (
        ("every project", "*"),
        ("own project", _HERE),
        ("foreign project", _THERE),
    )
    for role in ROLES:
        for where, project in places:
            for strong in (True, False):
                grants = frozenset({RoleGrant(role, project)})
                yield (
                    role,
                    where,
                    Principal(kind="person", name="somebody", proof="session", grants=grants, strong=strong),
                )
    for where, project in places[1:]:
        for strong in (True, False):
            scopes = frozenset({f"predict:{project}"})
            yield (
                "service",
                where,
                Principal(kind="service", name="program", proof="token", scopes=scopes, strong=strong),
            )
    operator = Principal(kind="person", name="ops", proof="machine_account")
    yield "operator", "unstaffed", operator
    yield "operator", "staffed", operator
