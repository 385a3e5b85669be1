"""A secret wrapped for storage: by a passphrase, by a key file, by a key elsewhere, or by another key of ours.

Answers: what bytes may lie on disk so that only the right person or machine gets the secret back?
Every wrapped blob names its key path ("sealwright/<workspace>/<branch>/v1") and is bound to it, so
blobs cannot change places. Text fields have one spelling, so no byte of a blob can change unnoticed.
"""

import os
from collections.abc import Mapping
from typing import Any

from argon2.exceptions import HashingError
from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sealwright.kernel import InvalidInput, SealwrightError, VerificationFailed, canonical_json, strict_json
from sealwright.trust.errors import WrongUnlock
from sealwright.trust.sealing import derive_key
from sealwright.trust.strict_base64 import decode_base64, encode_base64
from sealwright.trust.unlock import KeyElsewhere, KeyFile, Passphrase, PassphraseCost, Unlock

__all__ = [
    "ELSEWHERE",
    "check_form",
    "method_of",
    "path_of",
    "path_under",
    "unwrap",
    "unwrap_under",
    "wrap",
    "wrap_under",
]

ELSEWHERE = {"pkcs11": "a PKCS#11 token", "aws-kms": "AWS KMS", "vault": "Vault or OpenBao"}
"""Methods whose key is not ours to read, in words."""

_SALT = 32
_NONCE = 12
_MOST_BYTES = 8192
_COST_CEILING = PassphraseCost(passes=16, memory_kib=1024 * 1024, lanes=16)  # a changed file must not exhaust us
_PASSPHRASE_FIELDS = {"method", "salt", "passes", "memory_kib", "lanes"}
_KEY_FILE_FIELDS = {"method", "salt"}


def wrap(secret: bytes, path: str, unlock: Unlock) -> bytes:
    """Wrap `secret` so that `unlock` opens it; the whole header is authenticated.

    Raises
    ------
    InvalidInput
        A weak passphrase.
    KeyFileUnsafe
        A key file we do not use.
    BackendUnavailable, BackendRefused
        The device or service that holds the key does not do it.
    """
    protection: dict[str, Any]
    if not isinstance(unlock, Passphrase | KeyFile):
        protection = {"method": unlock.method, **unlock.described()}
        sealed = encode_base64(unlock.wrap(secret, path))
        return canonical_json({"format": 1, "path": path, "protection": protection, "sealed": sealed})
    protection = {"method": "key-file", "salt": os.urandom(_SALT).hex()}
    if isinstance(unlock, Passphrase):
        unlock.check_strength()
        cost = unlock.cost
        protection |= {
            "method": "argon2id",
            "passes": cost.passes,
            "memory_kib": cost.memory_kib,
            "lanes": cost.lanes,
        }
    header = {"format": 1, "path": path, "protection": protection}
    key = _stretched(unlock, protection)
    return canonical_json(header | {"sealed": _encrypt(key, secret, canonical_json(header))})


def unwrap(data: bytes, path: str, unlock: Unlock, *, link: str) -> bytes:
    """The secret of `wrap`.

    Parameters
    ----------
    link : str
        What the blob is called in an error, e.g. "keys/root.json".

    Raises
    ------
    WrongUnlock
        The wrong passphrase or key file, the wrong kind of it, or a changed blob.
    KeyFileUnsafe
        A key file we do not use.
    BackendUnavailable, BackendRefused
        The device or service that holds the key does not do it.
    VerificationFailed
        Not a wrapped key of this path.
    """
    value = _parsed(data, {"format", "path", "protection", "sealed"}, link)
    if value["path"] != path:
        raise VerificationFailed(f"{link} holds the key of {str(value['path'])[:100]!r}, not of {path!r}.", link=link)
    if not isinstance(unlock, Passphrase | KeyFile):
        return _unwrap_elsewhere(value, path, unlock, link)
    _check_protection(value["protection"], unlock, link)
    sealed = decode_base64(value.pop("sealed"), what=link)
    try:
        return _decrypt(_stretched(unlock, value["protection"]), sealed, canonical_json(value))
    except InvalidTag:
        what = "key file" if isinstance(unlock, KeyFile) else "passphrase"
        raise WrongUnlock(
            f"The {what} does not open {link}.\n"
            f"Try again with the {what} these keys were created with. If it is surely right, the file was changed:\n"
            "restore it from your backup."
        ) from None


def method_of(data: bytes, *, link: str) -> str:
    """How a blob of `wrap` says it is protected, e.g. "argon2id", "key-file", "vault".

    Raises
    ------
    VerificationFailed
        Not a wrapped key.
    """
    protection = _parsed(data, {"format", "path", "protection", "sealed"}, link)["protection"]
    method = protection.get("method") if isinstance(protection, Mapping) else None
    if not isinstance(method, str):
        raise VerificationFailed(f"{link} does not say how it is protected.", link=link)
    return method


def wrap_under(key: bytes, secret: bytes, path: str) -> bytes:
    """Wrap `secret` under another key (32 bytes), bound to `path`."""
    return canonical_json({"format": 1, "path": path, "sealed": _encrypt(key, secret, path.encode())})


def unwrap_under(key: bytes, data: bytes, path: str, *, link: str) -> bytes:
    """The secret of `wrap_under`.

    Raises
    ------
    VerificationFailed
        Another key's blob, a blob of another path, or a changed byte.
    """
    sealed = check_form(data, path, link=link)
    try:
        return _decrypt(key, sealed, path.encode())
    except InvalidTag:
        raise VerificationFailed(
            f"{link} was changed, or belongs to other keys. Restore the whole keys folder from one backup.", link=link
        ) from None


def check_form(data: bytes, path: str, *, link: str) -> bytes:
    """What is sealed in a blob of `wrap_under`, which is in form and says it is of `path`. Nobody opened it yet.

    Raises
    ------
    VerificationFailed
        It is not.
    """
    value = _parsed(data, {"format", "path", "sealed"}, link)
    if value["path"] != path:
        raise VerificationFailed(f"{link} holds the key of {str(value['path'])[:100]!r}, not of {path!r}.", link=link)
    return decode_base64(value["sealed"], what=link)


def path_under(data: bytes, *, link: str) -> str:
    """The key path a blob of `wrap_under` claims. Trust it only after `unwrap_under`.

    Raises
    ------
    VerificationFailed
        Not such a blob.
    """
    path = _parsed(data, {"format", "path", "sealed"}, link)["path"]
    return path if isinstance(path, str) else ""


def path_of(data: bytes, *, link: str) -> str:
    """The key path a blob of `wrap` claims. Trust it only after `unwrap`.

    Raises
    ------
    VerificationFailed
        Not a wrapped key.
    """
    path = _parsed(data, {"format", "path", "protection", "sealed"}, link)["path"]
    if not isinstance(path, str):
        raise VerificationFailed(f"{link} names no key path.", link=link)
    return path


def _parsed(data: bytes, fields: set[str], link: str) -> dict[str, Any]:
    """The blob's object: exactly these fields, format 1, canonical spelling."""
    try:
        value = strict_json(data, what=link, most_bytes=_MOST_BYTES)
        good = isinstance(value, dict) and set(value) == fields and canonical_json(value) == data
    except SealwrightError:
        good, value = False, {}
    if not good or value["format"] != 1 or value["format"] is True:
        raise VerificationFailed(f"{link} is not a wrapped key as we write it. It was cut or changed.", link=link)
    result: dict[str, Any] = value
    return result


def _unwrap_elsewhere(value: Mapping[str, Any], path: str, unlock: KeyElsewhere, link: str) -> bytes:
    """By a device or service. Which one is ours to say: the file's word for it is compared, never followed."""
    wanted = {"method": unlock.method, **unlock.described()}
    if value["protection"] != wanted:
        shown = canonical_json(value["protection"])[:300].decode("utf-8", "replace")
        raise WrongUnlock(
            f"{link} is protected by {shown}, and {canonical_json(wanted).decode()} was given.\n"
            "Name the key that these keys were wrapped with; to move to another one, use: sealwright keys protect"
        )
    return unlock.unwrap(decode_base64(value["sealed"], what=link), path)


def _check_protection(protection: object, unlock: Passphrase | KeyFile, link: str) -> None:
    """Right kind of unlock, exact fields, and a cost that is neither weak nor a trap."""
    method = protection.get("method") if isinstance(protection, Mapping) else None
    if not isinstance(protection, Mapping) or method not in ("argon2id", "key-file"):
        if isinstance(method, str) and method in ELSEWHERE:
            raise WrongUnlock(
                f"{link} is protected by a key in {ELSEWHERE[method]}, and a passphrase or key file was given.\n"
                "Name the file that describes that key in SEALWRIGHT_UNLOCK."
            )
        raise VerificationFailed(f"{link} is wrapped in a way we do not know.", link=link)
    if (method == "argon2id") != isinstance(unlock, Passphrase):
        wanted, given = ("a passphrase", "a key file") if method == "argon2id" else ("a key file", "a passphrase")
        raise WrongUnlock(f"{link} opens with {wanted}; {given} was given.")
    if set(protection) != (_PASSPHRASE_FIELDS if method == "argon2id" else _KEY_FILE_FIELDS):
        raise VerificationFailed(f"{link} describes its protection in a way we do not know.", link=link)
    salt = protection["salt"]
    if not isinstance(salt, str) or len(salt) != 2 * _SALT or set(salt) - set("0123456789abcdef"):
        raise VerificationFailed(f"{link} carries a salt of a wrong shape.", link=link)
    if isinstance(unlock, Passphrase):
        for name in ("passes", "memory_kib", "lanes"):
            found, least, most = protection[name], getattr(unlock.floor, name), getattr(_COST_CEILING, name)
            if type(found) is not int or not least <= found <= most:
                raise WrongUnlock(
                    f"{link} records Argon2id {name} = {str(found)[:20]}; from {least} to {most} is accepted.\n"
                    "Keys wrapped more weakly are not opened: restore the file from your backup."
                )


def _stretched(unlock: Passphrase | KeyFile, protection: Mapping[str, Any]) -> bytes:
    """The 32-byte wrapping key."""
    salt = bytes.fromhex(protection["salt"])
    if isinstance(unlock, KeyFile):
        return derive_key(unlock.read(), salt=salt, info=b"sealwright key file v1")
    try:
        return hash_secret_raw(
            unlock.as_bytes(),
            salt,
            time_cost=protection["passes"],
            memory_cost=protection["memory_kib"],
            parallelism=protection["lanes"],
            hash_len=32,
            type=Type.ID,
        )
    except HashingError as error:
        raise InvalidInput(f"The passphrase cannot be used: {error}") from None


def _encrypt(key: bytes, secret: bytes, aad: bytes) -> str:
    nonce = os.urandom(_NONCE)
    return encode_base64(nonce + AESGCM(key).encrypt(nonce, secret, aad))


def _decrypt(key: bytes, sealed: bytes, aad: bytes) -> bytes:
    if len(sealed) < _NONCE + 16:
        raise InvalidTag
    return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], aad)
