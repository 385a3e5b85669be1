"""Which key in which device or service: what a person writes down once, and what opens the workspace with it.

Each implements `KeyElsewhere`, so it is given wherever a passphrase or key file is. Connecting waits until it is used.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sealwright.trust.backends.secret_source import SecretSource

if TYPE_CHECKING:
    from sealwright.trust.backends.port import KeyBackend

__all__ = ["BackendUnlock", "KmsUnlock", "Pkcs11Unlock", "VaultUnlock"]

_SECONDS = 10.0


class _Connecting:
    """Connect at first use; every later use is over the same connection."""

    __slots__ = ()

    def open(self) -> "KeyBackend":
        raise NotImplementedError

    def wrap(self, secret: bytes, path: str) -> bytes:
        """As `RootKey.wrap`."""
        return self.open().wrap(secret, path)

    def unwrap(self, wrapped: bytes, path: str) -> bytes:
        """As `RootKey.unwrap`."""
        return self.open().unwrap(wrapped, path)

    def rewrap(self, wrapped: bytes, path: str) -> bytes:
        """As `RootKey.rewrap`."""
        return self.open().rewrap(wrapped, path)


@dataclass(frozen=True, kw_only=True)
class Pkcs11Unlock(_Connecting):
    """An AES key in a PKCS#11 token."""

    library: Path  # of the token's maker, e.g. /usr/lib/softhsm/libsofthsm2.so
    token: str  # its label
    key: str  # label of the key
    pin: SecretSource
    seconds: float = _SECONDS  # the longest any call may take
    _opened: "list[KeyBackend]" = field(default_factory=list, init=False, repr=False, compare=False)

    method = "pkcs11"

    def described(self) -> Mapping[str, str]:
        """Token and key."""
        return {"token": self.token, "key": self.key}

    def open(self) -> "KeyBackend":
        """The home of the key; reads the PIN once."""
        from sealwright.trust.backends.pkcs11 import Pkcs11Backend

        if not self._opened:
            self._opened.append(Pkcs11Backend(self))
        return self._opened[0]


@dataclass(frozen=True, kw_only=True)
class KmsUnlock(_Connecting):
    """A symmetric key in AWS KMS.

    Without `credentials` the machine's own role is used (instance, container or web identity), or the AWS files of the
    user. Credentials in environment variables are not looked at.
    """

    key: str  # ARN, id or alias/…
    region: str
    endpoint: str | None = None  # for a private endpoint, https://…
    credentials: SecretSource | None = None  # two or three lines: access key id, secret access key, session token
    seconds: float = _SECONDS
    _opened: "list[KeyBackend]" = field(default_factory=list, init=False, repr=False, compare=False)

    method = "aws-kms"

    def described(self) -> Mapping[str, str]:
        """Key and region."""
        return {"key": self.key, "region": self.region}

    def open(self) -> "KeyBackend":
        """The home of the key."""
        from sealwright.trust.backends.kms import KmsBackend

        if not self._opened:
            self._opened.append(KmsBackend(self))
        return self._opened[0]


@dataclass(frozen=True, kw_only=True)
class VaultUnlock(_Connecting):
    """A derived AES key in the transit engine of Vault or OpenBao."""

    url: str  # https://…; plain http only to this machine
    key: str
    token: SecretSource
    mount: str = "transit"
    namespace: str | None = None
    ca: Path | None = None  # PEM of the authority that signed its certificate; left out: the usual ones
    seconds: float = _SECONDS
    _opened: "list[KeyBackend]" = field(default_factory=list, init=False, repr=False, compare=False)

    method = "vault"

    def described(self) -> Mapping[str, str]:
        """Mount and key."""
        return {"mount": self.mount, "key": self.key}

    def open(self) -> "KeyBackend":
        """The home of the key; reads the token once."""
        from sealwright.trust.backends.vault import VaultBackend

        if not self._opened:
            self._opened.append(VaultBackend(self))
        return self._opened[0]


BackendUnlock = Pkcs11Unlock | KmsUnlock | VaultUnlock
