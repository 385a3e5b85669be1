"""What a door does to start a prediction server and to let somebody call it."""

from datetime import timedelta
from pathlib import Path

from sealwright.kernel import InvalidInput, check_name
from sealwright.pipeline import Workspace, allow
from sealwright.serving import ServeConfig, ServingSpec, predict_scope, prepare, token_audience, token_issuer
from sealwright.trust import (
    ClientResource,
    Principal,
    ProjectResource,
    create_server_certificate,
    issue_token,
    load_server_certificate,
)

__all__ = ["issue", "server_config"]

_EVERY_ADDRESS = {"0.0.0.0", "::"}  # noqa: S104 - recognised here, not bound


def server_config(
    workspace: Workspace,
    project: str,
    spec: ServingSpec,
    *,
    host: str,
    port: int,
    by: Principal,
    certificate: Path | None = None,
    key: Path | None = None,
) -> tuple[ServeConfig, Path | None]:
    """The server's settings with its keys, and the CA file for clients where the certificate is ours.

    Raises
    ------
    InvalidInput, Refused
        A certificate that does not fit, or settings that are not safe.
    """
    allow(workspace, by, "serve.start", ProjectResource(name=project))
    now = workspace.clock()
    names = list(
        dict.fromkeys(["localhost", "127.0.0.1", "::1", *([host] if host not in _EVERY_ADDRESS else []), *spec.hosts])
    )
    if (certificate is None) != (key is None):
        raise InvalidInput("TLS needs both --certificate and --key.")
    if certificate is not None and key is not None:
        files = load_server_certificate(certificate, key, now=now)
    else:
        files = create_server_certificate(workspace.keyring, workspace.folder("serving") / "tls", names, now)
    config = prepare(
        workspace.keyring,
        home=workspace.home,
        project=project,
        spec=spec,
        host=host,
        port=port,
        certificate=files.certificate,
        key=files.key,
    )
    return config, files.ca


def issue(workspace: Workspace, project: str, *, subject: str, hours: float, by: Principal) -> str:
    """A token for one project's model. The ledger records who may call and until when, never the token."""
    check_name(subject, what="client")
    allow(workspace, by, "token.issue", ClientResource(name=subject, project=project))
    now = workspace.clock()
    scope = predict_scope(project)
    raw = issue_token(
        workspace.keyring.signer("tokens"),
        issuer=token_issuer(workspace.id),
        audience=token_audience(workspace.id),
        subject=subject,
        scopes=[scope],
        lifetime=timedelta(hours=hours),
        now=now,
    )
    detail = {"client": subject, "scope": scope, "seconds": int(hours * 3600)}
    workspace.ledger.append("token.issued", workspace.trust_root.fingerprint, detail, actor=by.counts_as)
    return raw
