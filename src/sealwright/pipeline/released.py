"""What was released: versions, and what served when, for whoever may see the project.

Answers: which versions are there, which were withdrawn, and what served at a moment?
Does not answer: what is in them. Their packages do.
"""

from dataclasses import dataclass
from datetime import datetime

from sealwright.pipeline.by_name import project_named
from sealwright.pipeline.permission import allow
from sealwright.pipeline.workspace import Workspace
from sealwright.registry import PointerFacts, Version
from sealwright.trust import Principal

__all__ = ["ListedVersion", "list_versions", "pointer_history"]


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
