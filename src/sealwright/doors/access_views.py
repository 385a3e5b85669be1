"""Looking at programs that call: clients, API keys, certificates. Every view asks first.

Answers: which programs may call, and until when?
Does not answer: who lets them in, and what a client or a certificate is. That is `trust.machines`.

Without a project, those of all are meant, which takes a role in every project.
"""

from collections.abc import Sequence
from dataclasses import replace

from sealwright.doors.machines import machines_of
from sealwright.pipeline import Workspace, allow, certificates_of, project_named
from sealwright.serving import full_scope, label_scope, predict_scope
from sealwright.trust import ApiKey, Certificate, Client, Principal, WorkspaceResource

__all__ = ["list_api_keys", "list_certificates", "list_clients"]


def list_clients(workspace: Workspace, *, by: Principal, project: str | None = None) -> Sequence[Client]:
    """Clients, oldest first; of those of one project only what they may do there.

    Raises
    ------
    PermissionDenied
        They may not see the project, or not all of them.
    """
    allow(workspace, by, "project.view", project_named(project))
    found = machines_of(workspace).clients()
    if project is None:
        return found
    there = (predict_scope(project), label_scope(project), full_scope(project))
    return [
        replace(one, scopes=tuple(scope for scope in there if scope in one.scopes))
        for one in found
        if not set(there).isdisjoint(one.scopes)
    ]


def list_api_keys(workspace: Workspace, *, by: Principal, project: str | None = None) -> Sequence[ApiKey]:
    """API keys, oldest first. PermissionDenied as `list_clients`."""
    allow(workspace, by, "project.view", project_named(project))
    return [one for one in machines_of(workspace).api_keys() if project in {None, one.project}]


def list_certificates(workspace: Workspace, *, by: Principal) -> Sequence[Certificate]:
    """Certificates, oldest first; they name services and no project. Whoever is known may see them."""
    allow(workspace, by, "workspace.view", WorkspaceResource())
    return certificates_of(workspace).certificates()
