"""Who can, and why not: the policies asked about people who are not here.

Answers: who could do this as things are, through which role, and what would each of them still need?
Does not answer: whether they should. Nothing is recorded; nothing is decided for anybody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sealwright.kernel import NotFound
from sealwright.trust.people import ROLES
from sealwright.trust.permissions.decision import Decision, Reason, in_words
from sealwright.trust.permissions.permissions import Permissions, as_principal, roles_for
from sealwright.trust.permissions.policy_files import action_named
from sealwright.trust.permissions.resources import Resource
from sealwright.trust.permissions.roster import Member
from sealwright.trust.principal import Principal

__all__ = ["Holder", "WhoCan", "WhyNot", "roles_in_words", "who_can", "why_not"]

_STRONG = "proof.second_factor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Somebody enrolled whose roles have to do with the action."""

    name: str
    roles: tuple[str, ...]  # those that allow the action
    may: bool
    policies: tuple[str, ...]
    needs: tuple[str, ...]  # what they must still do
    barred: tuple[str, ...]  # what speaks against them whatever they do

    def to_json(self) -> dict[str, Any]:
        return {name: _listed(getattr(self, name)) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoCan:
    """Everybody who can do an action, and who nearly could."""

    action: str
    meaning: str
    resource: str
    roles: tuple[str, ...]  # that may do it at all
    people: tuple[Holder, ...]
    operator: bool  # whoever opens the workspace may, too
    staffed: bool  # somebody enrolled holds a role for it

    def to_json(self) -> dict[str, Any]:
        return {
            **{name: _listed(getattr(self, name)) for name in self.__dataclass_fields__},
            "people": [one.to_json() for one in self.people],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyNot:
    """What stands between one person and an action."""

    decision: Decision
    conditions: tuple[Reason, ...]  # each fails; () where they may
    others: tuple[str, ...]  # who may

    def to_json(self) -> dict[str, Any]:
        return {
            **self.decision.to_json(),
            "reasons": [{"code": one.code, "words": one.words} for one in self.conditions],
            "others": list(self.others),
        }


def who_can(permissions: Permissions, action: str, resource: Resource) -> WhoCan:
    """Everybody enrolled who may do this, with a second factor where one is asked for.

    Raises
    ------
    InvalidInput
        There is no such action, or it is not done to this kind of thing.
    """
    operator = Principal(kind="person", name="whoever-opens-the-workspace", proof="machine_account")
    decision = permissions.decide(operator, action, resource)
    found = (_holder(permissions, member, action, resource) for member in permissions.roster)
    people = sorted((one for one in found if one.roles), key=lambda one: (not one.may, one.name))
    return WhoCan(
        action=action,
        meaning=action_named(action).meaning,
        resource=str(resource),
        roles=roles_for(action),
        people=tuple(people),
        operator=decision.allowed,
        staffed=permissions.is_staffed(action, resource),
    )


def why_not(permissions: Permissions, person: str, action: str, resource: Resource, *, role: str = "") -> WhyNot:
    """Every condition that fails for one enrolled person, and who may do it instead.

    Parameters
    ----------
    role : str
        For signatures: the role; left out: the best of their roles.

    Raises
    ------
    NotFound
        Nobody of that name is enrolled.
    InvalidInput
        As `who_can`.
    """
    member = permissions.roster.get(person)
    if member is None:
        raise NotFound(f"Nobody called {person[:64]!r} is enrolled here. See who is with: sealwright people list")
    decision = _best(permissions, as_principal(member, strong=True), member, action, resource, role)
    weak = _best(permissions, as_principal(member, strong=False), member, action, resource, role)
    conditions = decision.reasons if not decision.allowed else ()
    seen = {one.code for one in conditions}
    conditions += tuple(one for one in weak.reasons if one.code == _STRONG and _STRONG not in seen)
    others = tuple(one.name for one in permissions.who_may(action, resource) if one.name != person)
    return WhyNot(decision=decision, conditions=conditions, others=others)


def _best(
    permissions: Permissions, principal: Principal, member: Member, action: str, resource: Resource, role: str
) -> Decision:
    """The decision in the role that comes furthest."""
    tried = [
        permissions.decide(principal, action, resource, role=one) for one in ([role] if role else _signing(member))
    ]
    return next((one for one in tried if one.allowed), min(tried, key=lambda one: len(one.reasons)))


def _holder(permissions: Permissions, member: Member, action: str, resource: Resource) -> Holder:
    here = {grant.role for grant in member.grants if grant.project in {"*", resource.project}}
    able = set(roles_for(action))
    decision = _best(permissions, as_principal(member), member, action, resource, "")
    weak = _best(permissions, as_principal(member, strong=False), member, action, resource, "")
    roles = tuple(role for role in ROLES if role in here & able)
    if decision.allowed and not roles and able:
        roles = tuple(role for role in ROLES if role in here)
    needs = tuple(one.words for one in weak.reasons if one.code == _STRONG) if not weak.allowed else ()
    return Holder(
        name=member.name,
        roles=roles,
        may=decision.allowed,
        policies=decision.policies,
        needs=needs,
        barred=() if decision.allowed else tuple(one.words for one in decision.reasons),
    )


def _signing(member: Member) -> Sequence[str]:
    return sorted({grant.role for grant in member.grants}) or [""]


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def roles_in_words(roles: Sequence[str]) -> str:
    """ "security officer or auditor"."""
    return in_words([role.replace("_", " ") for role in roles])
