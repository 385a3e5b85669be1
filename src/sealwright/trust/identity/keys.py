"""The workspace's "identity" key, as signing in needs it: what it sealed opens only where it was put.

Answers: did we write this row, for this person? A row that somebody moved to another person, or wrote without the key,
does not open.
Does not answer: is it the newest we wrote? Whoever can write to the database can put an older row of ours back.
"""

import hashlib
import hmac
import struct

from sealwright.kernel import NotFound, VerificationFailed
from sealwright.trust.keyring import Keyring
from sealwright.trust.pseudonyms import keyed_name
from sealwright.trust.sealing import open_sealed, seal

__all__ = ["IdentityKeys", "fingerprint"]

_BRANCH = "identity"
_VERSION = struct.Struct(">I")


def fingerprint(secret: str) -> str:
    """How a random secret of 256 bits is kept: its SHA-256, in hex. For nothing that can be guessed."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


class IdentityKeys:
    """Sealing, tags and names under the "identity" branch. What is sealed says which version sealed it."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def seal(self, purpose: str, plaintext: bytes, *, place: str) -> bytes:
        """Encrypt for one place, such as "totp/ada"."""
        version = self._keyring.versions(_BRANCH)[-1]
        key = self._keyring.key(_BRANCH, f"{purpose}/v1", version=version)
        return _VERSION.pack(version) + seal(key, plaintext, aad=place.encode())

    def open(self, purpose: str, sealed: bytes, *, place: str) -> bytes:
        """The plaintext of `seal`.

        Raises
        ------
        VerificationFailed
            Changed, moved here from another place, or sealed under a key that is gone.
        """
        if len(sealed) < _VERSION.size:
            raise VerificationFailed("A sealed row of an account was cut.")
        (version,) = _VERSION.unpack(sealed[: _VERSION.size])
        try:
            key = self._keyring.key(_BRANCH, f"{purpose}/v1", version=version)
        except NotFound:
            raise VerificationFailed(f"A row of an account names a key version that is not there: {version}.") from None
        return open_sealed(key, sealed[_VERSION.size :], aad=place.encode())

    def tags(self, purpose: str, data: bytes) -> tuple[str, ...]:
        """HMAC-SHA256 of `data` in hex, under each version of the key, the newest first."""
        return tuple(hmac.digest(key, data, "sha256").hex() for key in self._keyring.keys(_BRANCH, f"{purpose}/v1"))

    def tag(self, purpose: str, data: bytes) -> str:
        """The newest of `tags`."""
        return self.tags(purpose, data)[0]

    def name(self, kind: str, value: str) -> str:
        """What a person, an address or a browser is called where only counting matters: 32 hex digits."""
        return keyed_name(self._keyring.key(_BRANCH, "buckets/v1"), f"{kind}|{value}").hex()
