"""Into service and out of it: the verbs of the registry, asked by somebody who may.

Answers: may whoever acts promote, roll back or revoke this version, or see what there is, and then: do it.
Does not answer: whether the package is sound. The registry verifies it again each time.
"""

from dataclasses import dataclass
from datetime import datetime

from sealwright.pipeline.permission import allow
from sealwright.pipeline.version_facts import project_named, facts_of_version, version_named
from sealwright.pipeline.workspace import Workspace
from sealwright.registry import PointerFacts, Revocation, Version
from sealwright.trust import Principal

__all__ = ["ListedVersion", "list_versions", "pointer_history", "promote", "revoke", "rollback"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedVersion:
    """A version and whether it was withdrawn."""

    version: Version
    revoked: bool


def list_versions(workspace: Workspace, project: str, *, by: Principal) -> list[ListedVersion]:
    """Every registered version of a project, oldest first.

    Raises
    ------
    PermissionDenied
        They may not see the project.
    """
    allow(workspace, by, "project.view", project_named(project))
    registry = workspace.registry_to_read
    revoked = registry.revocations().packages
    return [ListedVersion(version=one, revoked=one.package in revoked) for one in registry.versions(project)]


def pointer_history(
    workspace: Workspace, project: str, *, channel: str, by: Principal, at: datetime | None = None
) -> list[PointerFacts]:
    """What served when: every pointer of a channel, oldest first, or the one of a moment.

    Raises
    ------
    PermissionDenied
        They may not see the project.
    NotFound
        Nothing served at that moment.
    VerificationFailed
        A pointer on file was changed.
    """
    allow(workspace, by, "project.view", project_named(project))
    registry = workspace.registry_to_read
    return registry.history(project, channel) if at is None else [registry.served_at(project, channel, at)]


def promote(
    workspace: Workspace, project: str, number: int, *, channel: str, by: Principal, reason: str, days: int
) -> PointerFacts:
    """Let a version serve on a channel for some days.

    Raises
    ------
    PermissionDenied
        Not in a role that may, too few approvals for its risk, or the only one who approved it.
    SealwrightError
        As `Registry.promote`.
    """
    allow(workspace, by, "model.promote", facts_of_version(workspace, project, number))
    return workspace.registry.promote(project, number, channel=channel, by=by.counts_as, reason=reason, days=days)


def rollback(
    workspace: Workspace, project: str, number: int, *, channel: str, by: Principal, reason: str, days: int
) -> PointerFacts:
    """Let a version serve again that served before.

    Raises
    ------
    PermissionDenied
        As `promote`.
    SealwrightError
        As `Registry.rollback`.
    """
    allow(workspace, by, "model.rollback", facts_of_version(workspace, project, number))
    return workspace.registry.rollback(project, channel, number, by=by.counts_as, reason=reason, days=days)


def revoke(workspace: Workspace, project: str, number: int, *, by: Principal, reason: str) -> Revocation:
    """Withdraw a version for good.

    Raises
    ------
    PermissionDenied
        Not in a role that may.
    SealwrightError
        As `Registry.revoke`.
    """
    allow(workspace, by, "model.revoke", version_named(workspace, project, number))
    package = workspace.registry.version(project, number).package
    return workspace.registry.revoke(package, by=by.counts_as, reason=reason)
