"""The emergencies of a workspace, for whoever may see the project each belongs to.

Answers: which were asked for, opened and ended, and whom do they give which roles?
Does not answer: what one of them gives. `trust.BreakGlass` opens it, and every question asks whether it stands.
"""

from sealwright.pipeline.by_name import project_named
from sealwright.pipeline.permission import allow, break_glass_of
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import Emergency, Principal

__all__ = ["list_emergencies"]


def list_emergencies(workspace: Workspace, *, by: Principal, project: str | None = None) -> list[Emergency]:
    """Those of a project, or of all; the newest first.

    Raises
    ------
    PermissionDenied
        They may not see the project, or not all of them.
    """
    allow(workspace, by, "project.view", project_named(project))
    return [one for one in break_glass_of(workspace).all() if project in {None, one.project}]
