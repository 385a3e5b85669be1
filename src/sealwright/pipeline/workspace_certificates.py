"""The certificates of a workspace's servers and services, and the CAs they hang on.

Answers: where do they lie, and who issues, takes back and checks them?
Does not answer: who may have a certificate made. The verbs of `workspace_keys` and the doors ask for permission.
"""

from pathlib import Path

from sealwright.pipeline.permission import WorkspaceAudit
from sealwright.pipeline.standing_keys import StandingKeys
from sealwright.pipeline.workspace import Workspace
from sealwright.serving import ca_files
from sealwright.trust import Audit, PeerVerifier, ServiceCertificates

__all__ = ["certificates_of", "peers_of", "tls_folder"]


def tls_folder(workspace: Workspace) -> Path:
    """Where the workspace's CAs, their revocation lists and the certificates of its servers lie."""
    return ca_files(workspace.home)[0].parent


def certificates_of(workspace: Workspace, audit: Audit | None = None) -> ServiceCertificates:
    """Certificates of a workspace's services; the CAs are those of its servers. `audit`: of a server that shares the ledger."""
    return ServiceCertificates(
        workspace.db,
        audit or WorkspaceAudit(workspace),
        signer=workspace.keyring.ca_keys,
        workspace=workspace.id,
        folder=tls_folder(workspace),
        clock=workspace.clock,
    )


def peers_of(workspace: Workspace) -> PeerVerifier:
    """Who checks certificates of a workspace's services."""
    ca, lists = ca_files(workspace.home)
    return PeerVerifier(ca, lists, workspace.id, StandingKeys(workspace).cas)
