"""The one question every verb asks first: may whoever acts do this, here and now?

Answers: is it allowed, by which policies; and if not, what fails and who may instead?
Does not answer: who acts. The door that made the `Principal` verified that.

Who is enrolled is read from signed statements each time; a refusal is an entry in the ledger before anybody hears of it.
"""

from collections.abc import Mapping

from sealwright.evidence import REVOKED_PERSON_TYPE, PeopleRegister, Standing, StatementStore
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import (
    PERSON,
    BreakGlass,
    Decision,
    Event,
    LedgerAudit,
    LocalSessions,
    Member,
    NotProven,
    Permissions,
    PersonSigner,
    Principal,
    Resource,
    RoleGrant,
    Roster,
)

__all__ = [
    "WorkspaceAudit",
    "allow",
    "break_glass_of",
    "enrolled_members",
    "permissions_of",
    "proven_by_key",
    "sessions_of",
]


class WorkspaceAudit:
    """Events into the ledger of a workspace, which is opened to write only when there is something to write."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def record(self, event: Event) -> None:
        """As `Audit.record`."""
        LedgerAudit(self._workspace.ledger, self._workspace.keyring).record(event)


def allow(workspace: Workspace, by: Principal, action: str, resource: Resource, *, role: str = "") -> Decision:
    """Go on only if `by` may do this.

    Raises
    ------
    PermissionDenied
        Says every condition that fails and who may do it instead. The refusal is on record.
    """
    return permissions_of(workspace).need(by, action, resource, role=role)


def proven_by_key(workspace: Workspace, signer: PersonSigner) -> Principal:
    """Somebody whose own key was just opened: who they are here, with the roles they are enrolled for today.

    Raises
    ------
    NotProven
        They are not enrolled with this key, or no longer: whoever can write files makes a pair in anybody's name. It is on
        record.
    """
    name, key = signer.name, signer.person.public.key_id
    member = next((one for one in enrolled_members(workspace) if one.name == name), None)
    if member is None or member.key_id != key:
        WorkspaceAudit(workspace).record(Event(action="login", outcome="refused", actor=name, reason=NotProven.code))
        raise NotProven(f"{name} is not enrolled here with this key, or no longer. See: sealwright people list")
    return Principal(kind="person", name=name, proof="key", grants=member.grants, strong=True)


def permissions_of(workspace: Workspace) -> Permissions:
    """Permissions on the roster of this moment."""
    return Permissions(
        Roster(enrolled_members(workspace)),
        WorkspaceAudit(workspace),
        clock=workspace.clock,
        open_glass=break_glass_of(workspace).open_at,
    )


def enrolled_members(workspace: Workspace) -> list[Member]:
    """Everybody whose enrolment stands now, as signed statements say.

    Raises
    ------
    VerificationFailed
        An enrolment on file was changed or taken away.
    """
    now = workspace.clock()
    return [
        Member(
            name=name,
            grants=frozenset(map(RoleGrant.parse, standing.person.roles)),
            key_id=standing.person.public.key_id,
        )
        for name, standing in sorted(_standing(workspace).items())
        if not standing.problem_at(now)
    ]


def _standing(workspace: Workspace) -> Mapping[str, Standing]:
    """Read anew only where the ledger has something new about people: it may be long, and a run asks many times."""
    ledger, known = workspace.ledger_to_read(), workspace.known_people
    size = ledger.size
    if known is None or any(
        entry.detail.get("type") in {PERSON, REVOKED_PERSON_TYPE} for entry in ledger.entries(start=known[0])
    ):
        register = PeopleRegister(
            workspace.db, StatementStore(workspace.db), ledger, workspace.trust_root, workspace.clock
        )
        known = (size, register.standing())
    workspace.known_people = (size, known[1])
    return known[1]


def break_glass_of(workspace: Workspace) -> BreakGlass:
    """The emergencies of a workspace."""
    return BreakGlass(
        workspace.db,
        workspace.ledger_to_read,
        WorkspaceAudit(workspace),
        workspace.clock,
        lambda name: workspace.discretion.names_of(name),
    )


def sessions_of(workspace: Workspace) -> LocalSessions:
    """Who is logged in on the command line."""
    return LocalSessions(
        workspace.db, workspace.ledger_to_read, workspace.keyring, WorkspaceAudit(workspace), workspace.clock
    )
