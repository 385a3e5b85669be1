"""The register of requests of a workspace: for whoever handles them, and for whoever may see them."""

from sealwright.data.requests import RequestRegister, SubjectRequest
from sealwright.pipeline.by_name import data_of_project
from sealwright.pipeline.permission import allow
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import Principal

__all__ = ["list_requests", "request_named", "requests_for", "requests_of"]


def requests_of(workspace: Workspace, *, look: bool = False) -> RequestRegister:
    """The register, for verbs that asked already; with `look`, nothing can be changed and nobody is held up."""
    ledger = workspace.ledger_to_read() if look else workspace.ledger
    return RequestRegister(workspace.db, ledger, workspace.clock)


def list_requests(
    workspace: Workspace, *, by: Principal, project: str | None = None, everything: bool = False
) -> list[SubjectRequest]:
    """The open requests, the most urgent first.

    Parameters
    ----------
    project : str, optional
        Only those about no other project; left out: those of all.
    everything : bool
        Also those that have ended, after the open ones.

    Raises
    ------
    PermissionDenied
        They may not see what persons ask for there, or not in all projects.
    """
    allow(workspace, by, "requests.view", data_of_project(project))
    register = requests_of(workspace, look=True)
    found = register.open()
    if everything:
        found += [one for one in register.all() if not one.is_open]
    return [one for one in found if project is None or set(one.projects) == {project}]


def request_named(workspace: Workspace, request: str, *, by: Principal) -> SubjectRequest:
    """One request.

    Raises
    ------
    NotFound
        There is none of that id.
    PermissionDenied
        They may not see what persons ask for in each of its projects.
    """
    found = requests_of(workspace, look=True).get(request)
    for project in found.projects or [None]:
        allow(workspace, by, "requests.view", data_of_project(project))
    return found


def requests_for(
    workspace: Workspace, by: Principal, *, project: str | None = None, request: str | None = None
) -> RequestRegister:
    """The register, for somebody who may handle its requests.

    Parameters
    ----------
    project, request : str, optional
        The project, or the request that is handled; left out: those of all projects.

    Raises
    ------
    PermissionDenied
        Not in a role that may.
    NotFound
        There is no such request.
    """
    register = requests_of(workspace)
    for name in [project] if request is None else register.get(request).projects or [None]:
        allow(workspace, by, "requests.handle", data_of_project(name))
    return register
