"""What a door does about services that log in: the verbs of `trust.machines` over an opened workspace."""

from datetime import timedelta

from sealwright.pipeline import StandingKeys, Workspace, peers_of
from sealwright.pipeline.permission import WorkspaceAudit
from sealwright.serving import access_file, predict_scope, token_audience, token_issuer
from sealwright.trust import Audit, Machines, TokenService, TokenSettings

__all__ = ["machines_of", "predict_grant", "token_service_of"]


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


def predict_grant(workspace: Workspace, project: str) -> tuple[str, str]:
    """Audience and scope of a service that asks one project's model."""
    return token_audience(workspace.id), predict_scope(project)
