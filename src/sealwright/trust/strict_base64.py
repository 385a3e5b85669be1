"""Base64 with exactly one spelling per value.

Python's decoder ignores stray characters and unused trailing bits, so many texts decode to
the same bytes. A signed text must have one spelling, or its bytes can change unnoticed.
"""

import base64
import binascii

from sealwright.kernel import VerificationFailed

__all__ = ["decode_base64", "decode_base64url", "encode_base64", "encode_base64url"]


def encode_base64(data: bytes) -> str:
    """Standard alphabet, padded (RFC 4648 section 4)."""
    return base64.b64encode(data).decode("ascii")


def encode_base64url(data: bytes) -> str:
    """URL alphabet without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode_base64(text: object, *, what: str) -> bytes:
    """The bytes of `text` if it is what `encode_base64` would write.

    Raises
    ------
    VerificationFailed
        Not text, or not the one spelling of these bytes; the message names `what`.
    """
    if isinstance(text, str):
        try:
            data = base64.b64decode(text.encode("ascii"), validate=True)
        except (binascii.Error, ValueError):
            data = None
        if data is not None and encode_base64(data) == text:
            return data
    raise VerificationFailed(f"{what} is not base64 in its one canonical spelling.")


def decode_base64url(text: str, *, what: str) -> bytes:
    """The bytes of `text` if it is what `encode_base64url` would write.

    Raises
    ------
    VerificationFailed
        Not the one spelling of these bytes; the message names `what`.
    """
    try:
        data = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        data = None
    if data is not None and encode_base64url(data) == text:
        return data
    raise VerificationFailed(f"{what} is not base64url in its one canonical spelling.")
