"""What a door does about services that log in: the verbs of `trust.machines` over an opened workspace."""

from datetime import timedelta
from pathlib import Path

from sealwright.pipeline import Workspace
from sealwright.serving import access_file, predict_scope, token_audience, token_issuer
from sealwright.trust import (
    Audit,
    Event,
    LedgerAudit,
    Machines,
    PeerVerifier,
    ServiceCertificates,
    TokenService,
    TokenSettings,
)

__all__ = ["certificates_of", "machines_of", "peers_of", "predict_grant", "token_service_of"]


class _Audit:
    """Events into the workspace's ledger, which is opened for the first of them: looking needs no ledger."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def record(self, event: Event) -> None:
        LedgerAudit(self._workspace.ledger, self._workspace.keyring).record(event)


def machines_of(workspace: Workspace, audit: Audit | None = None) -> Machines:
    """Clients, API keys and tokens of a workspace. `audit`: of a server that shares the ledger; else the workspace's own."""
    return Machines(
        workspace.db,
        audit or _Audit(workspace),
        signer=workspace.keyring.signer("tokens"),
        workspace=workspace.id,
        access_file=access_file(workspace.home),
        clock=workspace.clock,
    )


def certificates_of(workspace: Workspace, audit: Audit | None = None) -> ServiceCertificates:
    """Certificates of a workspace's services; the CA is that of its servers."""
    return ServiceCertificates(
        workspace.db,
        audit or _Audit(workspace),
        signer=workspace.keyring.signer("tls"),
        workspace=workspace.id,
        folder=_tls(workspace),
        clock=workspace.clock,
    )


def token_service_of(
    workspace: Workspace, base_url: str, *, minutes: float = 5, audit: Audit | None = None
) -> TokenService:
    """The OAuth endpoints of a workspace, for whoever mounts them (`doors.control.oauth`)."""
    return TokenService(
        machines_of(workspace, audit),
        TokenSettings(issuer=token_issuer(workspace.id), base_url=base_url, lifetime=timedelta(minutes=minutes)),
        workspace.trust_root.keys_of("tokens"),
        peer=peers_of(workspace),
    )


def peers_of(workspace: Workspace) -> PeerVerifier:
    """Who checks certificates of a workspace's services."""
    folder = _tls(workspace)
    return PeerVerifier(folder / "ca.pem", folder / "crl.pem", workspace.id)


def predict_grant(workspace: Workspace, project: str) -> tuple[str, str]:
    """Audience and scope of a service that asks one project's model."""
    return token_audience(workspace.id), predict_scope(project)


def _tls(workspace: Workspace) -> Path:
    return workspace.folder("serving") / "tls"
