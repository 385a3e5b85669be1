"""What a door does about services that log in: the verbs of `trust.machines` over an opened workspace."""

from datetime import timedelta
from typing import Literal

from sealwright.pipeline import StandingKeys, Workspace, peers_of
from sealwright.pipeline.permission import WorkspaceAudit
from sealwright.serving import access_file, full_scope, label_scope, predict_scope, token_audience, token_issuer
from sealwright.trust import Audit, Machines, TokenService, TokenSettings

__all__ = ["Told", "machines_of", "predict_grant", "token_service_of"]

Told = Literal["labels", "usual", "full"]
"""How much a program is told of an answer: its label only, what the project's serving.output says, everything."""


def machines_of(workspace: Workspace, audit: Audit | None = None) -> Machines:
    """Clients, API keys and tokens of a workspace. `audit`: of a server that shares the ledger; else the workspace's own."""
    return Machines(
        workspace.db,
        audit or WorkspaceAudit(workspace),
        signer=lambda: workspace.keyring.signer("tokens"),
        workspace=workspace.id,
        access_file=access_file(workspace.home),
        clock=workspace.clock,
    )


def token_service_of(
    workspace: Workspace, base_url: str, *, minutes: float = 5, audit: Audit | None = None
) -> TokenService:
    """The OAuth endpoints of a workspace, for whoever mounts them (`doors.control.oauth`)."""
    standing = StandingKeys(workspace)
    return TokenService(
        machines_of(workspace, audit),
        TokenSettings(issuer=token_issuer(workspace.id), base_url=base_url, lifetime=timedelta(minutes=minutes)),
        lambda: standing.root().keys_of("tokens"),
        peer=peers_of(workspace),
    )


def predict_grant(workspace: Workspace, project: str, told: Told = "usual") -> tuple[str, tuple[str, ...]]:
    """Audience and scopes of a service that asks one project's model, and is told so much of its answers."""
    scopes: dict[Told, tuple[str, ...]] = {
        "labels": (label_scope(project),),
        "usual": (predict_scope(project),),
        "full": (predict_scope(project), full_scope(project)),
    }
    return token_audience(workspace.id), scopes[told]
