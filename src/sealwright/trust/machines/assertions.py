"""A client proves who it is by a JWT it signed itself: private_key_jwt (RFC 7523, OpenID Connect Core §9).

Answers: was this assertion made by this client's key, for our token endpoint, just now?
Does not answer: was it used before? Its `jti` is kept in the database until it expires.

The algorithm is that of the registered key. Nothing in the header chooses a key: `jwk`, `jku`, `x5u` and `crit` are refused.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from sealwright.kernel import SealwrightError, VerificationFailed, strict_json
from sealwright.trust.public_keys import ED25519, PublicKey
from sealwright.trust.strict_base64 import decode_base64url

__all__ = ["ASSERTION_TYPE", "Assertion", "subject_of", "verify_assertion"]

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_ED25519_NAMES = ("Ed25519", "EdDSA")  # RFC 9864, and what most libraries still write; with this key both mean the same
_HEADER = {"alg", "typ", "kid"}
_TYPES = ("JWT", "client-authentication+jwt")
_CLAIMS = {"iss", "sub", "aud", "exp", "iat", "nbf", "jti"}
_NEEDED = {"iss", "sub", "aud", "exp", "jti"}
_LONGEST_SECONDS = 3600  # what common client libraries write
_SKEW_SECONDS = 60
_MOST_CHARACTERS = 8192


@dataclass(frozen=True, slots=True)
class Assertion:
    """A good assertion. `until` is when it may be forgotten, seconds since 1970."""

    client: str
    jti: str
    until: int


def subject_of(raw: str) -> str:
    """The client an assertion says it is from, unverified: only to look its key up."""
    return str(_parts(raw)[1].get("sub", ""))


def verify_assertion(raw: str, key: PublicKey, *, client: str, audience: str, now: datetime) -> Assertion:
    """The assertion in `raw`.

    Parameters
    ----------
    key : PublicKey
        The one registered for the client, Ed25519 or P-256.
    audience : str
        The URL of the token endpoint.

    Raises
    ------
    VerificationFailed
        Another algorithm, key, audience or client, an unknown header or claim, expired, or good for longer than an hour.
    """
    try:
        header, claims, message, signature = _parts(raw)
        names = _ED25519_NAMES if key.algorithm == ED25519 else ("ES256",)
        if set(header) - _HEADER or header.get("alg") not in names or header.get("typ", "JWT") not in _TYPES:
            raise _wrong("its header is not that of an assertion by this key")
        key.verify(signature if key.algorithm == ED25519 else _der(signature), message)
        return _checked(claims, client=client, audience=audience, now=now.timestamp())
    except VerificationFailed:
        raise
    except (SealwrightError, ValueError, TypeError, KeyError, AttributeError, OverflowError):
        raise _wrong("it is not a signed JWT of at most 8 KB") from None


def _parts(raw: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    if len(raw) > _MOST_CHARACTERS or raw.count(".") != 2:
        raise _wrong("it is not a signed JWT of at most 8 KB")
    first, second, third = raw.split(".")
    try:
        header = strict_json(decode_base64url(first, what="header"), what="header")
        claims = strict_json(decode_base64url(second, what="claims"), what="claims")
    except SealwrightError:
        raise _wrong("it is not a signed JWT of at most 8 KB") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise _wrong("its header and claims are not objects")
    return header, claims, f"{first}.{second}".encode("ascii"), decode_base64url(third, what="signature")


def _checked(claims: dict[str, Any], *, client: str, audience: str, now: float) -> Assertion:
    if set(claims) - _CLAIMS or not set(claims) >= _NEEDED:
        raise _wrong("it needs iss, sub, aud, exp and jti, and may say iat and nbf besides")
    if claims["iss"] != client or claims["sub"] != client or claims["aud"] != audience:
        raise _wrong("it is from another client or for another endpoint")
    jti, expires = claims["jti"], claims["exp"]
    if not isinstance(jti, str) or not 8 <= len(jti) <= 256:
        raise _wrong("its jti must be 8 to 256 characters")
    for name in ("exp", "iat", "nbf"):
        if name in claims and type(claims[name]) is not int:
            raise _wrong("its times are not whole seconds")
    if not now < expires <= now + _LONGEST_SECONDS + _SKEW_SECONDS:
        raise _wrong("it has expired, or is good for longer than an hour")
    if claims.get("nbf", 0) > now + _SKEW_SECONDS or claims.get("iat", 0) > now + _SKEW_SECONDS:
        raise _wrong("it is from the future; compare the clocks")
    return Assertion(client, jti, expires + 1)


def _der(signature: bytes) -> bytes:
    """JWS writes r and s side by side (RFC 7518 §3.4); the verifier reads DER."""
    if len(signature) != 64:
        raise _wrong("its signature has another length")
    return encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))


def _wrong(why: str) -> VerificationFailed:
    return VerificationFailed(f"The client assertion was refused: {why}.", link="client_assertion")
