"""The register of requests of a workspace."""

from sealwright.data.requests import RequestRegister
from sealwright.pipeline.workspace import Workspace

__all__ = ["requests_of"]


def requests_of(workspace: Workspace) -> RequestRegister:
    return RequestRegister(workspace.db, workspace.ledger, workspace.clock)
