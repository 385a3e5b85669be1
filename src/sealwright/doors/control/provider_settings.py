"""The identity provider of a workspace: kept in the workspace, under a tag of its own key.

Answers: whom may people log in with? The file is written by a verb that asks the policies, and its tag (HMAC-SHA256 under a
key of the branch "identity") is checked at each start: somebody who can write files alone cannot name another provider, nor
give a group another role. The client's secret stays in a private file of its own.
"""

import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sealwright.doors.control.people_now import PeopleNow
from sealwright.engines import Outbound, OutboundRules
from sealwright.kernel import (
    InvalidInput,
    VerificationFailed,
    canonical_json,
    read_limited,
    strict_json,
    write_atomically,
)
from sealwright.pipeline import Workspace, allow
from sealwright.trust import (
    AccountResource,
    Audit,
    Event,
    OidcLogin,
    OidcSettings,
    Principal,
    read_oidc_settings,
    secret_in_file,
)

__all__ = ["provider_login", "set_provider"]

_FILE, _MOST_BYTES = "identity-provider.json", 64 * 1024
_PURPOSE = "control/identity-provider/v1"
_OURS = {"secret_file", "reach", "ca_file", "port"}


def set_provider(workspace: Workspace, value: object, *, by: Principal, audit: Audit) -> OidcSettings:
    """Keep the settings of a provider, in place of those before; they count from the next start of the server.

    Parameters
    ----------
    value : mapping
        The fields of `read_oidc_settings`, and `secret_file`; for a provider inside one's own network `reach` (its host
        name), `port` and `ca_file`.

    Raises
    ------
    PermissionDenied
        `by` may not give roles, which a group does.
    InvalidInput, OutboundRefused, KeyFileUnsafe
        Settings that cannot be used.
    """
    allow(workspace, by, "people.enrol", AccountResource(name="identity-provider"))
    if not isinstance(value, Mapping):
        raise InvalidInput("The settings of an identity provider are a mapping of names to values.")
    given = dict(value)
    for name in ("secret_file", "ca_file"):
        if name in given:
            given[name] = str(Path(str(given[name])).resolve())
    settings, _ = _read(given)
    settings.secret()
    data = canonical_json(given)
    audit.record(
        Event(action="provider.set", outcome="done", actor=by.counts_as, resource=f"provider:{settings.issuer}")
    )
    kept = {"format": 1, "settings": given, "tag": _tags(workspace, data)[0]}
    write_atomically(workspace.home / _FILE, canonical_json(kept))
    return settings


def provider_login(workspace: Workspace, people: PeopleNow, audit: Audit) -> OidcLogin | None:
    """Logins by the workspace's provider; None where none is set up. Nobody is asked yet.

    Raises
    ------
    VerificationFailed
        The file was not written by `set_provider` of this workspace.
    """
    file = workspace.home / _FILE
    if not file.is_file():
        return None
    kept = strict_json(read_limited(file, _MOST_BYTES), what=_FILE)
    given = kept.get("settings") if isinstance(kept, dict) else None
    tag = str(kept.get("tag", "")) if isinstance(kept, dict) else ""
    if not isinstance(given, dict) or not _is_ours(workspace, canonical_json(given), tag):
        raise VerificationFailed(
            f"{file} was changed by something else than: sealwright people provider. Set it anew, or remove it.",
            link=_FILE,
        )
    settings, rules = _read(given)

    def admits(name: str) -> bool:
        if name.startswith("sso-") and settings.unknown == "enrol":
            return True
        with workspace.db.read() as tx:
            locked = tx.run("SELECT name FROM identity_accounts WHERE name = :name AND locked <> ''", name=name)
        return people.grants(name) is not None and not locked

    return OidcLogin(
        settings,
        db=workspace.db,
        keyring=workspace.keyring,
        outbound=Outbound(rules),
        audit=audit,
        clock=workspace.clock,
        admits=admits,
    )


def _read(given: Mapping[str, Any]) -> tuple[OidcSettings, OutboundRules]:
    secret = given.get("secret_file")
    settings = read_oidc_settings(
        {name: value for name, value in given.items() if name not in _OURS},
        client_secret=secret_in_file(Path(secret)) if isinstance(secret, str) else None,
    )
    reach, port, ca = given.get("reach"), given.get("port", 443), given.get("ca_file")
    if isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= 65_535:
        raise InvalidInput("port is a number from 1 to 65535.")
    if reach is not None and not isinstance(reach, str):
        raise InvalidInput("reach is one host name.")
    hosts = frozenset({reach}) if reach else frozenset()
    plain = hosts if settings.issuer.startswith("http://") else frozenset()  # loopback only: the settings saw to that
    rules = OutboundRules(
        hosts=hosts, plain_hosts=plain, ports=frozenset({443, 8443, port}), ca_file=Path(ca) if ca else None
    )
    return settings, rules


def _tags(workspace: Workspace, data: bytes) -> tuple[str, ...]:
    """Under each version of the key, the newest first."""
    keys = workspace.keyring.keys("identity", _PURPOSE)
    return tuple(hmac.digest(key, data, "sha256").hex() for key in keys)


def _is_ours(workspace: Workspace, data: bytes, tag: str) -> bool:
    shown = tag.encode("utf-8", "replace")
    return any(hmac.compare_digest(one.encode(), shown) for one in _tags(workspace, data))
