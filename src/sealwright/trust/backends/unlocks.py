"""What opens a workspace where the key is elsewhere: settings that connect when they are used.

Each implements `KeyElsewhere`, so it is given wherever a passphrase or key file is.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sealwright.trust.backends.settings import KmsSettings, Pkcs11Settings, VaultSettings

if TYPE_CHECKING:
    from sealwright.trust.backends.port import KeyBackend

__all__ = ["BackendUnlock", "KmsUnlock", "Pkcs11Unlock", "VaultUnlock"]


class _Connecting(ABC):
    """Connect at first use; every later use is over the same connection."""

    __slots__ = ()

    @abstractmethod
    def open(self) -> "KeyBackend":
        """The home of the key; connects once."""

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
class Pkcs11Unlock(_Connecting, Pkcs11Settings):
    """An AES key in a PKCS#11 token."""

    _opened: "list[KeyBackend]" = field(default_factory=list, init=False, repr=False, compare=False)

    def open(self) -> "KeyBackend":
        """The home of the key; reads the PIN once."""
        from sealwright.trust.backends.pkcs11 import Pkcs11Backend

        if not self._opened:
            self._opened.append(Pkcs11Backend(self))
        return self._opened[0]


@dataclass(frozen=True, kw_only=True)
class KmsUnlock(_Connecting, KmsSettings):
    """A symmetric key in AWS KMS."""

    _opened: "list[KeyBackend]" = field(default_factory=list, init=False, repr=False, compare=False)

    def open(self) -> "KeyBackend":
        """The home of the key."""
        from sealwright.trust.backends.kms import KmsBackend

        if not self._opened:
            self._opened.append(KmsBackend(self))
        return self._opened[0]


@dataclass(frozen=True, kw_only=True)
class VaultUnlock(_Connecting, VaultSettings):
    """A derived AES key in the transit engine of Vault or OpenBao."""

    _opened: "list[KeyBackend]" = field(default_factory=list, init=False, repr=False, compare=False)

    def open(self) -> "KeyBackend":
        """The home of the key; reads the token once."""
        from sealwright.trust.backends.vault import VaultBackend

        if not self._opened:
            self._opened.append(VaultBackend(self))
        return self._opened[0]


BackendUnlock = Pkcs11Unlock | KmsUnlock | VaultUnlock
