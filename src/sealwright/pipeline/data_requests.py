"""The register of requests of a workspace."""

from sealwright.data.requests import RequestRegister
from sealwright.pipeline.permission import allow
from sealwright.pipeline.version_facts import data_of_project
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import DatasetResource, Principal

__all__ = ["requests_for", "requests_of"]


def requests_of(workspace: Workspace) -> RequestRegister:
    """The register, for verbs that asked already."""
    return RequestRegister(workspace.db, workspace.ledger, workspace.clock)


def requests_for(
    workspace: Workspace, by: Principal, *, project: str | None = None, request: str | None = None, look: bool = False
) -> RequestRegister:
    """The register, for somebody who may handle its requests.

    Parameters
    ----------
    project, request : str, optional
        The project, or the request that is handled; left out: those of all projects.
    look : bool
        Only to look.

    Raises
    ------
    PermissionDenied
        Not in a role that may.
    NotFound
        There is no such request.
    """
    register = requests_of(workspace)
    names = [project] if project is not None else register.get(request).projects if request is not None else []
    for what in [data_of_project(name) for name in names] or [DatasetResource(name="all projects")]:
        allow(workspace, by, "requests.view" if look else "requests.handle", what)
    return register
