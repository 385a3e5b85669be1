"""Small records, sealed: AES-256-GCM with a fresh random nonce.

Answers: can this record be read or changed without the key? No, and not moved to another place
either, if the caller names the place in `aad`.
Does not answer: is a record missing, or repeated? The ledger knows that.
One key seals at most 2**32 records (NIST SP 800-38D, section 8.3): derive a new purpose before that.
Larger data goes through `stream`.
"""

import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sealwright.kernel import InvalidInput, VerificationFailed

__all__ = ["RecordSealer", "derive_key", "open_sealed", "seal"]

_VERSION = b"\x01"
_NONCE = 12
_TAG = 16
_KEY = 32


def seal(key: bytes, plaintext: bytes, *, aad: bytes) -> bytes:
    """Encrypt and authenticate one record.

    Parameters
    ----------
    key : 32 bytes
        From `Keyring.key`.
    aad : bytes
        Where the record belongs, e.g. b"decisions/dec_17". Not stored; `open_sealed` needs the same.

    Returns
    -------
    bytes
        Version byte, 12-byte nonce, ciphertext, 16-byte tag: 29 bytes longer than the plaintext.
    """
    return RecordSealer(key).seal(plaintext, aad=aad)


class RecordSealer:
    """`seal` under one key, for many records: the key is prepared once."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(_checked(key))

    def seal(self, plaintext: bytes, *, aad: bytes) -> bytes:
        """As the function `seal`."""
        (sealed,) = self.seal_all([plaintext], aads=[aad])
        return sealed

    def seal_all(self, plaintexts: Sequence[bytes], *, aads: Sequence[bytes]) -> list[bytes]:
        """As `seal`, record by record; the nonces are drawn together, which saves a call of the kernel for each."""
        nonces, encrypt = os.urandom(_NONCE * len(plaintexts)), self._cipher.encrypt
        sealed = []
        for at, (plaintext, aad) in enumerate(zip(plaintexts, aads, strict=True)):
            nonce = nonces[at * _NONCE : (at + 1) * _NONCE]
            sealed.append(_VERSION + nonce + encrypt(nonce, plaintext, _VERSION + aad))
        return sealed

    def __repr__(self) -> str:
        return "RecordSealer(<hidden>)"


def open_sealed(key: bytes, sealed: bytes, *, aad: bytes) -> bytes:
    """The plaintext of `seal`.

    Raises
    ------
    VerificationFailed
        Another key, another `aad`, or any byte changed.
    """
    _checked(key)
    if len(sealed) < 1 + _NONCE + _TAG or sealed[:1] != _VERSION:
        raise VerificationFailed("This is not a sealed record of a version we know. It was cut or changed.")
    try:
        return AESGCM(key).decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], _VERSION + aad)
    except InvalidTag:
        raise VerificationFailed(
            "The sealed record does not open: another key, another place, or changed bytes."
        ) from None


def derive_key(key: bytes, *, info: bytes, salt: bytes | None = None, length: int = _KEY) -> bytes:
    """HKDF-SHA256 (RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(key)


def _checked(key: bytes) -> bytes:
    if len(key) != _KEY:
        raise InvalidInput(f"A sealing key is {_KEY} bytes; got {len(key)}.")
    return key
