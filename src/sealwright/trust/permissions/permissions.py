"""The verbs of permissions: decide, and insist.

Answers: may this principal do this, here and now; and if not, what fails and who may instead?
Does not answer: what the doing is. Verbs call `need` before anything else; their own entry then names the policies.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from shlex import quote

from sealwright.kernel import Clock, InvalidInput, system_clock
from sealwright.trust.audit import Audit, Event
from sealwright.trust.authority import Authority, acts_by
from sealwright.trust.people import ROLES
from sealwright.trust.permissions.decision import Decision, Reason, in_words
from sealwright.trust.permissions.engine import (
    ENGINE_FAILED,
    NOBODY_ALLOWS,
    NOT_EVALUATED,
    UNKNOWN_ENTITY,
    Answer,
    Engine,
    Entity,
    Request,
)
from sealwright.trust.permissions.errors import PermissionDenied
from sealwright.trust.permissions.open_glass import OpenGlass
from sealwright.trust.permissions.policy_files import action_named, policy_words, rule_book
from sealwright.trust.permissions.resources import (
    AccountResource,
    CaseResource,
    ClientResource,
    DatasetResource,
    KeyResource,
    LedgerResource,
    ProjectResource,
    Resource,
    VersionResource,
    WorkspaceResource,
)
from sealwright.trust.permissions.roster import Member, Roster
from sealwright.trust.principal import EVERY_PROJECT, Principal, RoleGrant

__all__ = ["Permissions", "as_principal", "roles_for", "shared_engine"]

_SEPARATION = "separation."
_NOT_PROVEN = "proof.not_proven"
_TROUBLE = {
    ENGINE_FAILED: "the policies could not be asked, and what cannot be decided is refused",
    UNKNOWN_ENTITY: "the request names somebody or something unknown",
    NOT_EVALUATED: "a policy could not be evaluated, and what cannot be decided is refused",
    _NOT_PROVEN: "this is the name of somebody enrolled, and nobody proved to be them",
}


@lru_cache(maxsize=1)
def shared_engine() -> Engine:
    """The engine on the shipped rule book; parsing it takes about 2 ms."""
    return Engine(rule_book())


class Permissions:
    """Decides for one workspace, on its roster of today. Safe to use from many threads."""

    def __init__(
        self,
        roster: Roster,
        audit: Audit,
        *,
        clock: Clock = system_clock,
        open_glass: Callable[[datetime], Sequence[OpenGlass]] = lambda _: (),
        engine: Engine | None = None,
    ) -> None:
        """Take what the workspace knows.

        Parameters
        ----------
        open_glass : function of the moment
            The emergencies that are open then; asked only for somebody who would be refused.
        """
        self.roster = roster
        self._audit, self._clock, self._open_glass = audit, clock, open_glass
        self._engine = engine or shared_engine()

    def decide(
        self, principal: Principal, action: str, resource: Resource, *, role: str = "", now: datetime | None = None
    ) -> Decision:
        """May `principal` do this? Nothing is recorded.

        Parameters
        ----------
        role : str
            For signatures: the role they are given in.

        Raises
        ------
        InvalidInput
            There is no such action, or it is not done to this kind of thing.
        """
        _check(action, resource)
        answer, code = self._ask(principal, action, resource, role), ""
        if not answer.allowed and principal.kind == "person" and principal.proof != "machine_account":
            for glass in self._open_glass(now or self._clock()):
                if resource.project == glass.project and self._is_for(glass, principal):
                    more = self._ask(principal, action, resource, role, extra=glass.roles)
                    if more.allowed:
                        answer, code = more, glass.id
                        break
        return Decision(
            allowed=answer.allowed,
            action=action,
            who=principal.name,
            resource=str(resource),
            policies=answer.policies,
            reasons=self._reasons(answer, principal, action, resource),
            break_glass=code,
        )

    def need(
        self,
        principal: Principal,
        action: str,
        resource: Resource,
        *,
        role: str = "",
        now: datetime | None = None,
        request: str = "",
        source: str = "",
    ) -> Decision:
        """As `decide`, for a verb that goes on only if it may. A refusal, and each use of an emergency, is recorded.

        What `principal` records next in this context carries the policies that allowed it (`authority`).

        Raises
        ------
        PermissionDenied
            Says every condition that fails and who may do it instead.
        LedgerUnavailable
            It could not be recorded.
        """
        acts_by(None)
        decision = self.decide(principal, action, resource, role=role, now=now)
        said = {"actor": principal.name, "resource": str(resource), "policies": decision.policies}
        said |= {"request": request, "source": source}
        if decision.allowed:
            if decision.break_glass:
                detail = {"action": action, "break_glass": decision.break_glass}
                self._record("break_glass.use", "done", detail=detail, **said)
                self._record("alert.raise", "done", reason="break_glass.use", detail=detail, **said)
            acts_by(
                Authority(
                    names=frozenset({principal.name, principal.counts_as}),
                    action=action,
                    policies=decision.policies,
                    break_glass=decision.break_glass,
                )
            )
            return decision
        self._record(action, "refused", reason=PermissionDenied.code, **said)
        if any(one.startswith(_SEPARATION) for one in decision.policies):
            self._record("alert.raise", "done", reason="permission.separation", detail={"action": action}, **said)
        raise PermissionDenied(
            self._message(principal, action, resource, role, decision),
            policies=decision.policies,
            reasons=[one.words for one in decision.reasons],
        )

    def who_may(self, action: str, resource: Resource, *, role: str = "") -> list[Member]:
        """Everybody enrolled who may do this, with a second factor where one is asked for."""
        return [
            member
            for member in self.roster
            if any(
                self._ask(as_principal(member), action, resource, one).allowed
                for one in ([role] if role else _roles_of(member))
            )
        ]

    def is_staffed(self, action: str, resource: Resource) -> bool:
        """Whether anybody enrolled holds a role that may do this there, whatever else stands in their way."""
        return self.roster.holds_one_of(roles_for(action, engine=self._engine), resource.project)

    def _is_for(self, glass: OpenGlass, principal: Principal) -> bool:
        """Whether an emergency was agreed for whoever acts: enrolled now, with the key of then, and known by that enrolment.

        A name alone has none: not that of somebody whose enrolment ended, and not one that the identity provider brought,
        which comes with the roles of groups.
        """
        member = self.roster.get(principal.name)
        return member is not None and glass.is_for(member) and principal.grants == member.grants

    def _ask(
        self, principal: Principal, action: str, resource: Resource, role: str, *, extra: frozenset[str] = frozenset()
    ) -> Answer:
        operator = principal.kind == "person" and principal.proof == "machine_account"
        if operator and self.roster.get(principal.name) is not None:
            return Answer(allowed=False, trouble=_NOT_PROVEN)
        who = _entity_of(principal, resource.project, extra)
        what = Entity(resource.entity, resource.name, resource.attributes)
        return self._engine.ask(
            Request(
                principal=(who.type, who.id),
                action=action,
                resource=(what.type, what.id),
                context={"staffed": operator and self.is_staffed(action, resource), "role": role},
            ),
            [who, what],
            key=(principal, resource, extra),
        )

    def _reasons(self, answer: Answer, principal: Principal, action: str, resource: Resource) -> tuple[Reason, ...]:
        words = policy_words()
        if answer.trouble in _TROUBLE:
            return (Reason(answer.trouble, _TROUBLE[answer.trouble]),)
        if answer.trouble == NOBODY_ALLOWS:
            return (Reason(NOBODY_ALLOWS, _missing_role(principal, action, resource, self._engine)),)
        return tuple(Reason(one, words[one].because if one in words else one) for one in answer.policies)

    def _message(self, principal: Principal, action: str, resource: Resource, role: str, decision: Decision) -> str:
        on = "all projects" if resource.name == EVERY_PROJECT else resource.name
        lines = [f"{principal.name} may not do {action} on {on}: {action_named(action).meaning}."]
        lines += [f"  - {one.words}" for one in decision.reasons]
        others = [member.name for member in self.who_may(action, resource, role=role) if member.name != principal.name]
        lines.append(
            f"Who may: {', '.join(others[:5])}." if others else "Nobody enrolled here may do it as things are."
        )
        lines.append(self._next_step(principal, decision, action, resource))
        return "\n".join(lines)

    def _next_step(self, principal: Principal, decision: Decision, action: str, resource: Resource) -> str:
        codes = {one.code for one in decision.reasons}
        if _NOT_PROVEN in codes or codes == {"proof.second_factor"}:
            return f"Prove it: sealwright login {principal.name}   (or add --person-key FILE to the command)"
        where = _where(resource)
        if principal.kind == "person" and self.roster.get(principal.name) is not None:
            return f"Look closer with: sealwright why-not {principal.name} {action} {where}"
        roles = roles_for(action, engine=self._engine)
        if principal.kind == "service" or not roles or self.is_staffed(action, resource):
            return f"See who can: sealwright who-can {action} {where}"
        more = "" if len(roles) == 1 else f"   (or in the role {in_words(roles[1:])})"
        return f"Nobody holds such a role. Enrol somebody: sealwright people add NAME --role {roles[0]}{more}"

    def _record(self, action: str, outcome: str, **said: object) -> None:
        self._audit.record(Event(action=action, outcome=outcome, **said))  # type: ignore[arg-type]


def as_principal(member: Member, *, strong: bool = True) -> Principal:
    """A member as if they were here: for questions about them, never for acts."""
    return Principal(kind="person", name=member.name, proof="session", grants=member.grants, strong=strong)


def roles_for(action: str, *, engine: Engine | None = None) -> tuple[str, ...]:
    """The roles that may do `action` where nothing about the case speaks against it. Asked of the policies themselves."""
    return _roles_for(action, engine or shared_engine())


@lru_cache(maxsize=1024)
def _roles_for(action: str, engine: Engine) -> tuple[str, ...]:
    what = neutral(action_named(action).kind)
    found = []
    for role in ROLES:
        grants = frozenset({RoleGrant(role)})
        somebody = Principal(kind="person", name="somebody", proof="session", grants=grants, strong=True)
        who = _entity_of(somebody, what.project, frozenset())
        entity = Entity(what.entity, what.name, what.attributes)
        context = {"staffed": True, "role": role}
        asked = Request(principal=(who.type, who.id), action=action, resource=(entity.type, entity.id), context=context)
        answer = engine.ask(asked, [who, entity])
        if answer.allowed and any(one.startswith("role.") for one in answer.policies):
            found.append(role)
    return tuple(found)


def neutral(kind: str, *, project: str = "any") -> Resource:
    """A thing of a kind about which nothing is special."""
    made: dict[str, Resource] = {
        "workspace": WorkspaceResource(),
        "project": ProjectResource(name=project),
        "dataset": DatasetResource(name=project, project=project, sensitivity="public"),
        "version": VersionResource(name=f"{project}/1", project=project, risk="minimal", stage="registered"),
        "key": KeyResource(name="statements"),
        "person": AccountResource(name="another"),
        "client": ClientResource(name="a-client", project=project),
        "case": CaseResource(name="a-case", project=project),
        "ledger": LedgerResource(),
    }
    return made[kind]


def _check(action: str, resource: Resource) -> None:
    kind = action_named(action).kind
    if resource.kind != kind:
        raise InvalidInput(f"{action} is done to a {kind}, not to a {resource.kind}.")


def _entity_of(principal: Principal, project: str, extra: frozenset[str]) -> Entity:
    attributes: dict[str, object] = {
        "name": principal.name,
        "counts_as": sorted({principal.name, principal.acting_for or principal.name}),
        "strong": principal.strong,
        "delegated": bool(principal.acting_for),
    }
    if principal.kind == "service":
        return Entity("Service", principal.name, attributes | {"scopes": sorted(principal.scopes)})
    if principal.proof == "machine_account":
        return Entity("Operator", principal.name, attributes)
    roles = sorted(principal.roles_in(project) | extra)
    return Entity("Person", principal.name, attributes, tuple(("Role", role) for role in roles))


def _roles_of(member: Member) -> list[str]:
    return sorted({grant.role for grant in member.grants})


def _missing_role(principal: Principal, action: str, resource: Resource, engine: Engine) -> str:
    if principal.kind == "service":
        scopes = in_words(sorted(principal.scopes), last="and") or "none"
        return f"no scope of the program {principal.name} covers it; it has: {scopes}"
    wanted = in_words(roles_for(action, engine=engine)) or "none there is"
    where = "every project" if resource.project == EVERY_PROJECT else f"project {resource.project}"
    if principal.proof == "machine_account":
        return (
            f"this takes the role {wanted} in {where}, and somebody enrolled holds it; {principal.name} is not enrolled"
        )
    held = in_words(sorted(principal.roles_in(resource.project)), last="and") or "no role"
    return f"this takes the role {wanted} in {where}; {principal.name} holds {held} there"


def _where(resource: Resource) -> str:
    """How a thing is named to `who-can` and `why-not`."""
    where = "PROJECT_FOLDER" if resource.name.endswith("/candidate") else resource.name
    if isinstance(resource, ClientResource) and resource.project != EVERY_PROJECT:
        where = f"{resource.project}/{resource.name}"
    return quote(where)
