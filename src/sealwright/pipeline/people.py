"""People of a workspace, and what is in it: what the doors show."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sealwright.kernel import NotFound, check_name, rfc3339
from sealwright.pipeline.desk import evidence_of
from sealwright.pipeline.permission import allow
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import AccountResource, Principal, Unlock, WorkspaceResource, create_person

__all__ = ["Enrolled", "end_enrolment", "enrol", "overview", "people_of", "renew_enrolment"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """A person as the workspace sees them today."""

    name: str
    roles: tuple[str, ...]
    until: str  # RFC 3339
    key_id: str
    state: str  # "enrolled", or why the signature does not count


def enrol(workspace: Workspace, name: str, roles: Sequence[str], unlock: Unlock, *, by: Principal) -> Enrolled:
    """Make a person's key, opened by `unlock`, and vouch for it.

    Raises
    ------
    Conflict
        Somebody of that name has a key here already.
    InvalidInput
        An unusable name or role, or a weak passphrase.
    """
    allow(workspace, by, "people.enrol", AccountResource(name=check_name(name, what="person")))
    person = create_person(workspace.folder("people"), name, roles, unlock)
    people = evidence_of(workspace).people
    people.enrol(person, workspace.keyring.signer("statements"), actor=by.counts_as)
    return next(one for one in _everybody(workspace) if one.name == name)


def renew_enrolment(workspace: Workspace, name: str, roles: Sequence[str] = (), *, by: Principal) -> Enrolled:
    """Vouch for a person's key for another year from now, in other roles where some are given. The key stays theirs.

    Raises
    ------
    PermissionDenied
        Not theirs to do; nobody renews themselves.
    NotFound
        Nobody of that name was enrolled.
    Refused
        The enrolment was ended: that key never comes back.
    InvalidInput
        An unusable role.
    """
    allow(workspace, by, "people.enrol", AccountResource(name=check_name(name, what="person")))
    people = evidence_of(workspace).people
    known = people.standing().get(name)
    if known is None:
        raise NotFound(f"Nobody called {name} was enrolled here. Enrol them with: sealwright people add {name}")
    person = replace(known.person, roles=tuple(roles)) if roles else known.person
    people.enrol(person, workspace.keyring.signer("statements"), actor=by.counts_as)
    return next(one for one in _everybody(workspace) if one.name == name)


def people_of(workspace: Workspace, *, by: Principal) -> list[Enrolled]:
    """Everybody enrolled here, by name.

    Raises
    ------
    PermissionDenied
        They may not look into the workspace. Whoever is known may.
    """
    allow(workspace, by, "workspace.view", WorkspaceResource())
    return _everybody(workspace)


def _everybody(workspace: Workspace) -> list[Enrolled]:
    now = workspace.clock()
    return [
        Enrolled(
            name=name,
            roles=tuple(standing.person.roles),
            until=rfc3339(standing.expires_at),
            key_id=standing.person.public.key_id,
            state=standing.problem_at(now) or "enrolled",
        )
        for name, standing in sorted(evidence_of(workspace, look=True).people.standing().items())
    ]


def end_enrolment(workspace: Workspace, name: str, *, reason: str, by: Principal) -> None:
    """From now on, what this person signs counts for nothing.

    Raises
    ------
    NotFound
        Nobody of that name is enrolled.
    """
    allow(workspace, by, "people.revoke", AccountResource(name=check_name(name, what="person")))
    evidence_of(workspace).people.end(name, workspace.keyring.signer("statements"), reason=reason, actor=by.counts_as)


def overview(workspace: Workspace, *, by: Principal) -> dict[str, Any]:
    """What is in a workspace, in numbers.

    Raises
    ------
    PermissionDenied
        They may not look into the workspace. Whoever is known may.
    """
    allow(workspace, by, "workspace.view", WorkspaceResource())
    with workspace.db.read() as tx:
        counts = {
            "statements": tx.run("SELECT COUNT(*) AS n FROM statements")[0]["n"],
            "snapshots": tx.run("SELECT COUNT(*) AS n FROM snapshots")[0]["n"],
            "versions": tx.run("SELECT COUNT(*) AS n FROM versions")[0]["n"],
            "people": tx.run("SELECT COUNT(*) AS n FROM people")[0]["n"],
        }
        projects = [row["project"] for row in tx.run("SELECT DISTINCT project FROM runs ORDER BY project")]
    return {
        "workspace": str(workspace.home),
        "id": workspace.id,
        "name": workspace.name,
        "fingerprint": workspace.trust_root.fingerprint,
        "projects": projects,
        **counts,
        "ledger_entries": workspace.ledger_to_read().size,
    }
