"""Which key in which device or service: what a person writes down once. Names and limits, no connection."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sealwright.trust.backends.secret_source import SecretSource

__all__ = ["KmsSettings", "Pkcs11Settings", "VaultSettings"]

_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class Pkcs11Settings:
    """An AES key in a PKCS#11 token."""

    library: Path  # of the token's maker, e.g. /usr/lib/softhsm/libsofthsm2.so
    token: str  # its label
    key: str  # label of the key
    pin: SecretSource
    seconds: float = _SECONDS  # the longest any call may take

    method = "pkcs11"

    def described(self) -> Mapping[str, str]:
        """Token and key."""
        return {"token": self.token, "key": self.key}


@dataclass(frozen=True, kw_only=True)
class KmsSettings:
    """A symmetric key in AWS KMS.

    Without `credentials` the machine's own role is used (instance, container or web identity), or the AWS files of the
    user. Credentials in environment variables are not looked at.
    """

    key: str  # ARN, id or alias/…
    region: str
    endpoint: str | None = None  # for a private endpoint, https://…
    credentials: SecretSource | None = None  # two or three lines: access key id, secret access key, session token
    seconds: float = _SECONDS

    method = "aws-kms"

    def described(self) -> Mapping[str, str]:
        """Key and region."""
        return {"key": self.key, "region": self.region}


@dataclass(frozen=True, kw_only=True)
class VaultSettings:
    """A derived AES key in the transit engine of Vault or OpenBao."""

    url: str  # https://…; plain http only to this machine
    key: str
    token: SecretSource
    mount: str = "transit"
    namespace: str | None = None
    ca: Path | None = None  # PEM of the authority that signed its certificate; left out: the usual ones
    seconds: float = _SECONDS

    method = "vault"

    def described(self) -> Mapping[str, str]:
        """Mount and key."""
        return {"mount": self.mount, "key": self.key}
