"""What a door does to start a prediction server and to let somebody call it."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Literal

from sealwright.doors.access import allow_full
from sealwright.doors.machines import Told, machines_of, predict_grant
from sealwright.kernel import InvalidInput, check_name, new_id
from sealwright.pipeline import Workspace, allow, certificates_of, refuse_unreleased, tls_folder
from sealwright.serving import (
    PLATFORMS,
    Counting,
    ServeConfig,
    ServingSpec,
    prepare,
    token_audience,
    token_issuer,
)
from sealwright.trust import (
    ClientResource,
    Event,
    LedgerAudit,
    Principal,
    ProjectResource,
    issue_token,
    load_server_certificate,
    server_certificate,
)

__all__ = ["issue", "released_in", "server_config"]

_CONTAINER_ADDRESS = "0.0.0.0"  # noqa: S104 - platforms reach a container by addresses that nobody knows before
_EVERY_ADDRESS = {"0.0.0.0", "::"}  # noqa: S104 - recognised here, not bound


def server_config(
    workspace: Workspace,
    models: Sequence[tuple[str, ServingSpec]],
    *,
    by: Principal,
    host: str | None = None,
    port: int | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
    client_certificates: Literal["none", "optional", "required"] = "none",
    redis: Path | None = None,
    grpc_port: int | None = None,
    contract: Literal["sagemaker", "azureml"] | None = None,
    behind_platform: bool = False,
    workers: int | None = None,
) -> tuple[ServeConfig, Path | None]:
    """The server's settings with its keys, and the CA file for clients where the certificate is ours.

    The lists of what was taken back are written anew first, so that the server starts from what is true now. `contract` and `behind_platform`
    go together: inside a container of that platform nobody shows us a token.

    Parameters
    ----------
    workers : int, optional
        Processes that answer; the most that one of the models asks for when left out.
    redis : Path, optional
        The private file that says where callers' budgets are counted for many machines; left out: on this one.

    Raises
    ------
    InvalidInput, Refused
        A certificate that does not fit, or settings that are not safe.
    NotFound
        Nothing is released for one of the models.
    """
    for project, _ in models:
        allow(workspace, by, "serve.start", ProjectResource(name=project))
    for project, spec in models:
        refuse_unreleased(workspace, project, spec.channel)
    now = workspace.clock()
    if contract is not None or behind_platform:
        return _in_container(workspace, models, contract, host, port, (certificate, key), behind_platform), None
    host, port = host or "127.0.0.1", 8443 if port is None else port
    hosts = [name for _, spec in models for name in spec.hosts]
    project, spec = models[0]
    names = list(
        dict.fromkeys(["localhost", "127.0.0.1", "::1", *([host] if host not in _EVERY_ADDRESS else []), *hosts])
    )
    if (certificate is None) != (key is None):
        raise InvalidInput("TLS needs both --certificate and --key.")
    listed, asked = machines_of(workspace).publish(), client_certificates != "none"
    plain = spec.server == "granian" and certificate is None  # it stands behind a proxy, which has the certificate
    services = certificates_of(workspace) if asked or (certificate is None and not plain) else None
    if services is not None:
        services.publish()
    files = None
    if certificate is not None and key is not None:
        files = load_server_certificate(certificate, key, now=now)
    elif not plain:
        files = server_certificate(
            workspace.keyring, tls_folder(workspace), names, now, name=f"{project}+{spec.channel}"
        )
    config = prepare(
        workspace.keyring,
        home=workspace.home,
        models=models,
        host=host,
        port=port,
        certificate=None if files is None else files.certificate,
        key=None if files is None else files.key,
        access_at_least=listed.sequence,
        client_certificates=client_certificates,
        client_ca=services.ca if services is not None and asked else None,
        client_revocations=services.revocations if services is not None and asked else None,
        counting=Counting() if redis is None else Counting(where="redis", redis=str(redis.resolve())),
        grpc_port=grpc_port,
        workers=workers or max(spec.workers for _, spec in models),
    )
    return config, None if files is None else files.ca


def released_in(workspace: Workspace, channel: str) -> list[str]:
    """The projects that have a release in a channel, by name."""
    return sorted(path.parent.name for path in (workspace.home / "pointers").glob(f"*/{channel}.json"))


def _in_container(
    workspace: Workspace,
    models: Sequence[tuple[str, ServingSpec]],
    contract: Literal["sagemaker", "azureml"] | None,
    host: str | None,
    port: int | None,
    certificate: tuple[Path | None, Path | None],
    behind_platform: bool,
) -> ServeConfig:
    """Settings inside a platform's container: its port, on every address, without TLS; refused unless asked for twice."""
    return prepare(
        workspace.keyring,
        home=workspace.home,
        models=models,
        host=host or _CONTAINER_ADDRESS,
        port=PLATFORMS[contract].port if port is None and contract is not None else port or 0,
        certificate=certificate[0],
        key=certificate[1],
        access_at_least=machines_of(workspace).publish().sequence,
        platform=contract or "",
        behind_platform=behind_platform,
    )


def issue(
    workspace: Workspace, project: str, *, subject: str, hours: float, by: Principal, told: Told = "usual"
) -> str:
    """A token for one project's model. The ledger records who may call and until when, never the token."""
    check_name(subject, what="client")
    allow(workspace, by, "token.issue", ClientResource(name=subject, project=project))
    now = workspace.clock()
    (_, scopes), token_id = predict_grant(workspace, project, told), new_id("tok")
    allow_full(workspace, scopes, by=by)
    raw = issue_token(
        workspace.keyring.signer("tokens"),
        issuer=token_issuer(workspace.id),
        audience=token_audience(workspace.id),
        subject=subject,
        scopes=list(scopes),
        lifetime=timedelta(hours=hours),
        now=now,
        token_id=token_id,
    )
    detail = {"token": token_id, "scopes": list(scopes), "seconds": int(hours * 3600)}
    LedgerAudit(workspace.ledger, workspace.keyring).record(
        Event(action="token.issue", outcome="done", actor=by.counts_as, resource=f"client:{subject}", detail=detail)
    )
    return raw
