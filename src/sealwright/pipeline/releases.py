"""Into service and out of it: the verbs of the registry, asked by somebody who may.

Answers: may whoever acts promote, roll back or revoke this version, and then: do it.
Does not answer: whether the package is sound. The registry verifies it again each time.

Each asks first whether they may see the project, so that nobody learns from a refusal which versions there are.
"""

from sealwright.pipeline.by_name import project_named, version_named
from sealwright.pipeline.permission import allow
from sealwright.pipeline.version_facts import facts_of_version
from sealwright.pipeline.workspace import Workspace
from sealwright.registry import PointerFacts, Revocation
from sealwright.trust import Principal

__all__ = ["promote", "revoke", "rollback"]


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
    allow(workspace, by, "project.view", project_named(project))
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
    allow(workspace, by, "project.view", project_named(project))
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
    allow(workspace, by, "project.view", project_named(project))
    allow(workspace, by, "model.revoke", version_named(workspace, project, number))
    package = workspace.registry.version(project, number).package
    return workspace.registry.revoke(package, by=by.counts_as, reason=reason)
