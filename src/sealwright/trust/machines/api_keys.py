"""API keys as text: `sw_<id>_<secret><checksum>`, one spelling, found by scanners when they leak.

Answers: is this text one of our keys in shape, and under which id is it kept?
Does not answer: does it hold? Whoever keeps the digests compares them with `same_digest`.

The id is 16 characters of a-z and 0-9, the secret 32 random bytes in 43 characters of base62, the checksum the CRC-32 of
everything before it in 6. Only the SHA-256 of the whole text is kept: 256 random bits need no slow hash.
"""

import hashlib
import hmac
import re
import secrets
import zlib
from collections.abc import Callable

from sealwright.trust.errors import TokenRefused

__all__ = ["API_KEY_PATTERN", "API_KEY_PREFIX", "api_key_digest", "api_key_id", "make_api_key", "same_digest"]

API_KEY_PREFIX = "sw_"
API_KEY_PATTERN = r"sw_[a-z0-9]{16}_[A-Za-z0-9]{49}"
"""For secret scanners; a hit is ours only if its checksum fits (`api_key_id`)."""

_KEY = re.compile(API_KEY_PATTERN)
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_SECRET_CHARACTERS, _CHECK_CHARACTERS, _ID_CHARACTERS = 43, 6, 16


def make_api_key(random: Callable[[int], bytes] = secrets.token_bytes) -> tuple[str, str]:
    """A new id and the whole key, which is shown once and never kept."""
    identity = _written(int.from_bytes(random(10), "big"), _BASE36, _ID_CHARACTERS)  # 80 bits
    body = f"{API_KEY_PREFIX}{identity}_{_written(int.from_bytes(random(32), 'big'), _BASE62, _SECRET_CHARACTERS)}"
    return identity, body + _checksum(body)


def api_key_id(raw: str) -> str:
    """The id in a key whose shape and checksum are right.

    Raises
    ------
    TokenRefused
        It is not a key of ours.
    """
    if not _KEY.fullmatch(raw) or _checksum(raw[:-_CHECK_CHARACTERS]) != raw[-_CHECK_CHARACTERS:]:
        raise TokenRefused("This is not an API key as we write them.", reason="api_key.form", link="api_key")
    return raw[len(API_KEY_PREFIX) : len(API_KEY_PREFIX) + _ID_CHARACTERS]


def api_key_digest(raw: str) -> str:
    """SHA-256 of the whole key, hex: all that is kept of it."""
    return hashlib.sha256(raw.encode("ascii")).hexdigest()


def same_digest(found: str | bytes, kept: str | bytes) -> bool:
    """Whether two digests are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(
        found.encode() if isinstance(found, str) else found, kept.encode() if isinstance(kept, str) else kept
    )


def _checksum(body: str) -> str:
    return _written(zlib.crc32(body.encode("ascii")), _BASE62, _CHECK_CHARACTERS)


def _written(number: int, digits: str, width: int) -> str:
    """A number in another base, of fixed width."""
    found = []
    for _ in range(width):
        number, at = divmod(number, len(digits))
        found.append(digits[at])
    return "".join(reversed(found))
