"""Letting programs in and shutting them out: clients, API keys, certificates, tokens. Every verb asks first.

Answers: may whoever acts do this, and then it is done and on record.
Does not answer: what a client or a certificate is. That is `trust.machines`.

A program belongs to the projects its scopes name. One with a scope beyond any project takes a role in every project.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from sealwright.doors.control.gate import thing_of
from sealwright.doors.control.programs import CONTROL_SCOPE, issue_control_token
from sealwright.doors.machines import Told, machines_of, predict_grant
from sealwright.kernel import InvalidInput, NotFound
from sealwright.pipeline import Workspace, allow, certificates_of, project_named
from sealwright.serving import full_scope, label_scope, predict_scope
from sealwright.trust import (
    ApiKey,
    Certificate,
    ClientResource,
    KeyResource,
    Principal,
    PublicKey,
    Resource,
    action_named,
)

__all__ = [
    "add_client",
    "allow_full",
    "hand_out_control_token",
    "issue_certificate",
    "make_api_key",
    "publish_revocations",
    "remove_client",
    "revoke_api_key",
    "revoke_certificate",
    "revoke_tokens",
]

_OF_PROJECTS = (predict_scope(""), label_scope(""), full_scope(""))
_FULL = full_scope("")
_CA = KeyResource(name="tls")


def add_client(
    workspace: Workspace,
    name: str,
    *,
    projects: Sequence[str],
    audiences: Sequence[str],
    scopes: Sequence[str],
    by: Principal,
    owner: str = "",
    proof: Literal["secret", "private_key_jwt", "tls_client_auth"] = "secret",
    public_key: PublicKey | None = None,
    told: Told = "usual",
) -> str | None:
    """As `Machines.add_client`; `projects` are those whose model it may ask, `owner` whoever acts where none is named.

    `told`: how much of their answers.

    Raises
    ------
    PermissionDenied
        Whoever acts may not register programs there, or may not do what a scope for the control server allows.
    """
    grants = [predict_grant(workspace, project, told) for project in projects]
    wanted = list(dict.fromkeys([*(scope for _, found in grants for scope in found), *scopes]))
    for action, thing in _handed_on(one.removeprefix(CONTROL_SCOPE) for one in wanted if one.startswith(CONTROL_SCOPE)):
        allow(workspace, by, action, thing)
    for resource in _programs(name, wanted):
        allow(workspace, by, "client.register", resource)
    allow_full(workspace, wanted, by=by)
    return machines_of(workspace).add_client(
        name,
        owner=owner or by.counts_as,
        audiences=list(dict.fromkeys([*(audience for audience, _ in grants), *audiences])),
        scopes=wanted,
        by=by.counts_as,
        proof=proof,
        public_key=public_key,
    )


def remove_client(workspace: Workspace, name: str, *, reason: str, by: Principal) -> None:
    """As `Machines.remove_client`. PermissionDenied where whoever acts may not remove it."""
    for resource in _programs(name, _scopes_of(workspace, name)):
        allow(workspace, by, "client.remove", resource)
    machines_of(workspace).remove_client(name, by=by.counts_as, reason=reason)


def revoke_tokens(workspace: Workspace, name: str, *, reason: str, by: Principal) -> None:
    """As `Machines.revoke_tokens_of`. PermissionDenied where whoever acts may not take them back."""
    for resource in _programs(name, _scopes_of(workspace, name)):
        allow(workspace, by, "token.revoke", resource)
    machines_of(workspace).revoke_tokens_of(name, by=by.counts_as, reason=reason)


def make_api_key(
    workspace: Workspace,
    subject: str,
    *,
    project: str,
    days: float,
    by: Principal,
    owner: str = "",
    told: Told = "usual",
) -> tuple[ApiKey, str]:
    """As `Machines.make_api_key`, for one project's model. PermissionDenied where whoever acts may not."""
    allow(workspace, by, "api_key.make", ClientResource(name=subject, project=project))
    _, scopes = predict_grant(workspace, project, told)
    allow_full(workspace, scopes, by=by)
    return machines_of(workspace).make_api_key(
        subject, project=project, scopes=list(scopes), owner=owner or by.counts_as, days=days, by=by.counts_as
    )


def revoke_api_key(workspace: Workspace, name: str, *, reason: str, by: Principal) -> None:
    """As `Machines.revoke_api_key`. PermissionDenied where whoever acts may not."""
    machines = machines_of(workspace)
    found = next((one for one in machines.api_keys() if one.id == name), None)
    if found is None:
        raise NotFound(f"There is no API key {name[:32]} to revoke. See: sealwright api-key list")
    allow(workspace, by, "api_key.revoke", ClientResource(name=found.subject, project=found.project))
    machines.revoke_api_key(name, by=by.counts_as, reason=reason)


def issue_certificate(
    workspace: Workspace,
    service: str,
    use: Literal["client", "server"],
    to: Path,
    *,
    names: Sequence[str],
    days: float,
    by: Principal,
) -> tuple[Certificate, Path]:
    """As `ServiceCertificates.issue`; with it the file of the CA. PermissionDenied where whoever acts may not."""
    allow(workspace, by, "certificate.issue", _CA)
    services = certificates_of(workspace)
    return services.issue(service, use, to, by=by.counts_as, names=names, days=days), services.ca


def revoke_certificate(workspace: Workspace, serial: str, *, reason: str, by: Principal) -> None:
    """As `ServiceCertificates.revoke`. PermissionDenied where whoever acts may not."""
    allow(workspace, by, "certificate.revoke", _CA)
    certificates_of(workspace).revoke(serial, by=by.counts_as, reason=reason)


def publish_revocations(workspace: Workspace, *, by: Principal) -> Path:
    """As `ServiceCertificates.publish`; returns where the list stands. PermissionDenied where whoever acts may not."""
    allow(workspace, by, "certificate.revoke", _CA)
    services = certificates_of(workspace)
    services.publish()
    return services.revocations


def hand_out_control_token(
    workspace: Workspace, subject: str, actions: Sequence[str], *, hours: float, by: Principal
) -> str:
    """A token for a program that asks the control server; nobody hands out what they may not do themselves.

    Raises
    ------
    PermissionDenied
        Whoever acts may not issue tokens in every project, or may not do one of the actions.
    InvalidInput, Refused
        There is no such action, or none of the kind at the control server.
    """
    if not actions:
        raise InvalidInput("Say what the program may do, e.g. --may ledger.read.")
    for action, thing in _handed_on(actions):
        allow(workspace, by, action, thing)
    allow(workspace, by, "token.issue", ClientResource(name=subject))
    return issue_control_token(workspace, subject, actions, hours=hours, by=by.counts_as)


def allow_full(workspace: Workspace, scopes: Iterable[str], *, by: Principal) -> None:
    """Whoever hands out whole answers must be one who may see them: who may judge the model.

    Raises
    ------
    PermissionDenied
        Whoever acts may not assess the model of a project whose answers these scopes open.
    """
    for project in sorted({scope.removeprefix(_FULL) for scope in scopes if scope.startswith(_FULL)}):
        allow(workspace, by, "model.assess", project_named(project))


def _handed_on(actions: Iterable[str]) -> Iterator[tuple[str, Resource]]:
    """What somebody must be allowed themselves who lets a program do it at the control server."""
    for action in dict.fromkeys(actions):
        yield action, thing_of(action, f"{action_named(action).kind}:")


def _programs(name: str, scopes: Sequence[str]) -> Iterator[ClientResource]:
    """The program, once for each project it belongs to."""
    projects = {scope.partition(":")[2] for scope in scopes if scope.startswith(_OF_PROJECTS)}
    yield from (ClientResource(name=name, project=project) for project in sorted(projects))
    if not projects or any(not scope.startswith(_OF_PROJECTS) for scope in scopes):
        yield ClientResource(name=name)


def _scopes_of(workspace: Workspace, name: str) -> Sequence[str]:
    """What a registered client may ask for; of an unknown one nothing, so that it belongs to no project."""
    return next(
        (one.scopes for one in machines_of(workspace).clients() if one.id == name and one.state == "active"), ()
    )
