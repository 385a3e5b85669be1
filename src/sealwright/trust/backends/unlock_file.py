"""The file that says which key in which device or service opens a workspace: TOML, and nothing secret in it.

    method = "vault"
    url = "https://vault.example.org:8200"
    key = "sealwright-root"
    token_file = "/run/secrets/vault-token"

PIN, token or credentials stand in a 0600 file of their own, or come through an open file descriptor.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sealwright.kernel import InvalidInput, read_limited
from sealwright.trust.backends.secret_source import SECRET_OF, SecretDescriptor, SecretFile, SecretSource
from sealwright.trust.backends.unlocks import BackendUnlock, KmsUnlock, Pkcs11Unlock, VaultUnlock

__all__ = ["read_unlock_file", "unlock_from"]

_MOST_BYTES = 16_384
_NEEDED = {
    "pkcs11": ("library", "token", "key"),
    "aws-kms": ("key", "region"),
    "vault": ("url", "key"),
}
_OPTIONAL = {
    "pkcs11": ("seconds",),
    "aws-kms": ("endpoint", "seconds"),
    "vault": ("mount", "namespace", "ca", "seconds"),
}
_PATHS = ("library", "ca")


def read_unlock_file(path: Path) -> BackendUnlock:
    """What the file describes. Nothing is asked of the device or service yet.

    Raises
    ------
    InvalidInput
        Not such a file: a field missing, unknown or of another kind.
    """
    try:
        said = tomllib.loads(read_limited(path, _MOST_BYTES).decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} is not TOML: {error}") from None
    return unlock_from(path, said)


def unlock_from(path: Path, said: Mapping[str, Any]) -> BackendUnlock:
    """What the fields of such a file describe; `path` is where relative paths begin, and what errors name. Raises as above."""
    method = said.get("method")
    if method not in _NEEDED:
        raise InvalidInput(f'{path} must say method = "pkcs11", "aws-kms" or "vault"; it says {str(method)[:40]!r}.')
    values = _fields(path, method, {name: value for name, value in said.items() if name != "method"})
    if method == "pkcs11":
        return Pkcs11Unlock(**values)
    return KmsUnlock(**values) if method == "aws-kms" else VaultUnlock(**values)


def _fields(path: Path, method: str, said: Mapping[str, Any]) -> dict[str, Any]:
    secret = SECRET_OF[method]
    sources = (f"{secret}_file", f"{secret}_descriptor")
    known = {*_NEEDED[method], *_OPTIONAL[method], *sources}
    missing, odd = sorted(set(_NEEDED[method]) - set(said)), sorted(set(said) - known)
    if missing or odd:
        raise InvalidInput(
            f"{path} for {method} lacks: {', '.join(missing) or 'nothing'}; has besides: {', '.join(odd)[:200] or 'nothing'}."
        )
    given = [name for name in sources if name in said]
    if len(given) > 1 or (not given and method != "aws-kms"):
        raise InvalidInput(f"{path} must name either {sources[0]} or {sources[1]}.")
    values: dict[str, Any] = {}
    for name, value in said.items():
        if name not in sources:
            values[name] = _value(path, name, value)
    if given:
        values[secret] = _source(path, given[0], said[given[0]])
    return values


def _value(path: Path, name: str, value: object) -> object:
    if name == "seconds":
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 300:
            raise InvalidInput(f"{path}: seconds must be a number above 0 and up to 300.")
        return float(value)
    if not isinstance(value, str) or not value:
        raise InvalidInput(f"{path}: {name} must be text.")
    return Path(value) if name in _PATHS else value


def _source(path: Path, name: str, value: object) -> SecretSource:
    if name.endswith("_descriptor"):
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise InvalidInput(f"{path}: {name} must be the number of an open file descriptor.")
        return SecretDescriptor(value)
    if not isinstance(value, str) or not value:
        raise InvalidInput(f"{path}: {name} must be the path of a file.")
    return SecretFile((path.parent / value).expanduser())
