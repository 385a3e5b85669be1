"""The settings of an identity provider as a configuration file holds them, and its secret from a private file."""

import os
import stat
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from sealwright.kernel import InvalidInput
from sealwright.trust.errors import KeyFileUnsafe
from sealwright.trust.identity.oidc_settings import GroupRole, OidcSettings
from sealwright.trust.principal import EVERY_PROJECT, RoleGrant
from sealwright.trust.unlock import Secret

__all__ = ["read_oidc_settings", "secret_in_file"]

_TEXTS = ("issuer", "client_id", "redirect_uri", "client_auth", "groups_claim", "unknown")
_LISTS: dict[str, Callable[..., object]] = {
    "scopes": tuple,
    "algorithms": tuple,
    "strong_acr": frozenset,
    "strong_amr": frozenset,
}
_FIELDS = {*_TEXTS, *_LISTS, "roles", "strong_minutes"}
_NEEDED = {"issuer", "client_id", "redirect_uri", "roles"}
_MOST_SECRET = 4096


def read_oidc_settings(value: object, *, client_secret: Callable[[], Secret] | None) -> OidcSettings:
    """The settings in a mapping, as YAML or JSON gives it; the secret comes from elsewhere.

    Raises
    ------
    InvalidInput
        Fields missing, unknown or unusable.
    OutboundRefused
        An issuer or redirect URI that could be read in two ways.
    """
    if not isinstance(value, Mapping) or not _NEEDED <= set(value) <= _FIELDS:
        raise InvalidInput(
            f"An identity provider needs {', '.join(sorted(_NEEDED))}; it may have {', '.join(sorted(_FIELDS - _NEEDED))}."
        )
    given: dict[str, Any] = {}
    for name, item in value.items():
        if name in _TEXTS:
            given[name] = _texts(name, [item])[0]
        elif name in _LISTS:
            given[name] = _LISTS[name](_texts(name, item))
        elif name == "strong_minutes":
            given["strong_within"] = _minutes(item)
    return OidcSettings(roles=_roles(value["roles"]), client_secret=client_secret, **given)


def secret_in_file(path: Path) -> Callable[[], Secret]:
    """A secret that is read from a private file (0600, ours, no link) each time it is needed."""

    def read() -> Secret:
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            raise KeyFileUnsafe(f"The file of a secret, {path}, cannot be opened: {error.strerror}.") from None
        try:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
                raise KeyFileUnsafe(
                    f"The file of a secret, {path}, must be a file of ours alone. Close it with: chmod 600 {path}"
                )
            data = os.read(handle, _MOST_SECRET + 1)
        finally:
            os.close(handle)
        if not 1 <= len(data.strip()) <= _MOST_SECRET or not data.isascii():
            raise KeyFileUnsafe(f"The file of a secret, {path}, must hold one line of plain text.")
        return Secret(data.decode("ascii").strip())

    return read


def _texts(name: str, items: object) -> list[str]:
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise InvalidInput(f"In the settings of the identity provider, {name} is not made of text.")
    return items


def _minutes(value: object) -> timedelta:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidInput("strong_minutes is a whole number of minutes.")
    return timedelta(minutes=value)


def _roles(value: object) -> tuple[GroupRole, ...]:
    """A list of {group, role, project}. Every project is never the default: it is written out."""
    rows: list[Any] = value if isinstance(value, list) else [value]
    for row in rows:
        named = isinstance(row, Mapping) and set(row) == {"group", "role", "project"}
        if not named or not all(isinstance(item, str) and item for item in row.values()):
            raise InvalidInput(f"Each of roles has group, role and project; {EVERY_PROJECT!r} is every project.")
    return tuple(GroupRole(row["group"], RoleGrant(row["role"], row["project"])) for row in rows)
