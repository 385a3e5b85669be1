"""What somebody may do here: the policies of the workspace for people, scopes for programs.

Answers: which thing does a route's resource name, and do the policies let this person do that to it?
"""

from collections.abc import Callable

from sealwright.doors.control.programs import ProgramGate
from sealwright.kernel import Refused
from sealwright.trust import (
    AccountResource,
    LedgerResource,
    Permissions,
    Principal,
    ProjectResource,
    Resource,
    WorkspaceResource,
    action_named,
)

__all__ = ["PolicyGate", "thing_of"]


class PolicyGate:
    """As `Gate`. A refusal is on record before it is raised."""

    def __init__(self, permissions: Callable[[], Permissions], programs: ProgramGate) -> None:
        """`permissions` gives them on the roster of this moment."""
        self._permissions, self._programs = permissions, programs

    def need(self, principal: Principal, action: str, resource: str, *, request: str, source: str) -> None:
        """As `Gate.need`."""
        if principal.kind == "service":
            self._programs.need(principal, action, resource, request=request, source=source)
            return
        self._permissions().need(principal, action, thing_of(action, resource), request=request, source=source)


def thing_of(action: str, resource: str) -> Resource:
    """The thing an action is done to, from "kind:name". What is not known about it is taken at its strictest.

    Raises
    ------
    Refused
        No route of ours names such a thing.
    """
    kind, name = action_named(action).kind, resource.partition(":")[2]
    if kind == "workspace":
        return WorkspaceResource()
    if kind == "ledger":
        return LedgerResource()
    if kind == "project":
        return ProjectResource(name=name, risk="high")
    if kind == "person":
        return AccountResource(name=name)
    raise Refused(f"{action} is done to a {kind}, and this server has no such thing.")
