"""Many small records, each sealed under the key of the person it is about.

Answers: how does one person's data become unreadable by destroying one key, in a table of a million rows?
Does not answer: where the keys are. A record is AES-256-GCM with a fresh random nonce, as in `sealing`.
"""

import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sealwright.kernel import InvalidInput, VerificationFailed

__all__ = ["open_records", "seal_records"]

_KEY = 32
_NONCE = 12


def seal_records(keys: Sequence[bytes], which: Sequence[int], plain: Sequence[bytes], *, aad: bytes) -> list[bytes]:
    """Seal record after record, each under one of `keys`.

    Parameters
    ----------
    keys : sequence of 32 bytes
    which : sequence of int, same length as `plain`
        For each record, the place of its key in `keys`.
    plain : sequence of bytes
    aad : bytes
        Where the records belong; `open_records` needs the same.

    Returns
    -------
    list of bytes
        12-byte nonce, ciphertext, 16-byte tag: 28 bytes longer than the record.
    """
    ciphers = _ciphers(keys)
    nonces = os.urandom(_NONCE * len(plain))
    sealed = []
    for place, (key, record) in enumerate(zip(which, plain, strict=True)):
        nonce = nonces[place * _NONCE : (place + 1) * _NONCE]
        sealed.append(nonce + ciphers[key].encrypt(nonce, record, aad))
    return sealed


def open_records(keys: Sequence[bytes], which: Sequence[int], sealed: Sequence[bytes], *, aad: bytes) -> list[bytes]:
    """The records of `seal_records`.

    Raises
    ------
    VerificationFailed
        One was changed, moved, or sealed under another key.
    """
    ciphers = _ciphers(keys)
    try:
        return [
            ciphers[key].decrypt(record[:_NONCE], record[_NONCE:], aad)
            for key, record in zip(which, sealed, strict=True)
        ]
    except (InvalidTag, ValueError):
        raise VerificationFailed(
            "A sealed record of a person does not open: another key, another place, or changed bytes."
        ) from None


def _ciphers(keys: Sequence[bytes]) -> list[AESGCM]:
    if any(len(key) != _KEY for key in keys):
        raise InvalidInput(f"A key of a person is {_KEY} bytes.")
    return [AESGCM(key) for key in keys]
