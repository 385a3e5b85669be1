"""The ID token (OpenID Connect Core 1.0, section 3.1.3.7): who signed in, said by the provider and by nobody else.

Answers: is this token from our provider, for us, for this very login, and still good?
Does not answer: what may this person do? `oidc_groups` reads that from the claims.
The key is chosen among those the provider publishes; nothing in the token's header can bring or name another one.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError

from sealwright.kernel import SealwrightError, strict_json
from sealwright.trust.identity.oidc_errors import OidcRefused
from sealwright.trust.identity.oidc_keys import ProviderKey
from sealwright.trust.strict_base64 import decode_base64url, encode_base64url

__all__ = ["Expected", "verify_id_token"]

_MOST_CHARACTERS = 64 * 1024
_HEADER = {"alg", "kid", "typ", "x5t", "x5t#S256"}  # not jwk, jku, x5u, x5c, crit, b64, zip
_TYPES = {None, "JWT", "jwt"}
_SKEW = timedelta(seconds=60)  # how far the provider's clock may be from ours
_OLDEST = timedelta(minutes=10)  # the token comes from the exchange just made
_HASHES: dict[str, Callable[[bytes], Any]] = {
    "RS256": hashlib.sha256,
    "PS256": hashlib.sha256,
    "ES256": hashlib.sha256,
    "RS384": hashlib.sha384,
    "ES384": hashlib.sha384,
    "RS512": hashlib.sha512,
    "Ed25519": hashlib.sha512,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the token of one login must say."""

    issuer: str
    client_id: str
    algorithms: tuple[str, ...]
    nonce: str = field(repr=False)
    access_token: str = field(repr=False)
    now: datetime


def verify_id_token(raw: str, keys: Sequence[ProviderKey], expected: Expected) -> dict[str, Any]:
    """The claims of a good token.

    Raises
    ------
    OidcRefused
        `reason` is "oidc.unknown_key" if its key is not among `keys` (they may have changed), else "oidc.token_form",
        "oidc.token_signature", "oidc.token_issuer", "oidc.token_audience", "oidc.token_time", "oidc.token_nonce",
        "oidc.token_hash", or "oidc.token_subject".
    """
    try:
        header, payload = _split(raw)
        algorithm = header.get("alg")
        if set(header) - _HEADER or header.get("typ") not in _TYPES or algorithm not in expected.algorithms:
            raise _refused("token_form", "its token has another algorithm or header than was agreed")
        _check_signature(raw, _key(header, keys), algorithm)
        claims = strict_json(payload, what="claims")
        _check_claims(claims, expected)
        _check_hash(claims, algorithm, expected.access_token)
    except OidcRefused:
        raise
    except (SealwrightError, ValueError, TypeError, KeyError, AttributeError, OverflowError):
        raise _refused("token_form", "its token cannot be read") from None
    return dict(claims)


def _split(raw: str) -> tuple[dict[str, Any], bytes]:
    if len(raw) > _MOST_CHARACTERS or raw.count(".") != 2:
        raise _refused("token_form", "it sent no signed token of at most 64 KB")
    first, second, third = raw.split(".")
    decode_base64url(third, what="signature")
    header = strict_json(decode_base64url(first, what="header"), what="header")
    return header, decode_base64url(second, what="claims")


def _key(header: Mapping[str, Any], keys: Sequence[ProviderKey]) -> ProviderKey:
    """The one key of that name and algorithm; a token without a name is for a provider with one such key."""
    kid = header.get("kid")
    fitting = [key for key in keys if header["alg"] in key.algorithms and (kid is None or key.kid == kid)]
    if len(fitting) != 1:
        raise _refused("unknown_key", "its token is signed by a key that it does not publish")
    return fitting[0]


def _check_signature(raw: str, key: ProviderKey, algorithm: str) -> None:
    try:
        jws.deserialize_compact(raw, key.key, algorithms=[algorithm])
    except JoseError:
        raise _refused("token_signature", "the signature of its token does not hold") from None


def _check_claims(claims: Mapping[str, Any], expected: Expected) -> None:
    if claims["iss"] != expected.issuer:
        raise _refused("token_issuer", "its token names another issuer")
    audience, party = claims["aud"], claims.get("azp")
    audiences = [audience] if isinstance(audience, str) else audience
    listed = isinstance(audiences, list) and all(isinstance(one, str) for one in audiences)
    if not listed or expected.client_id not in audiences:
        raise _refused("token_audience", "its token is for somebody else")
    if party != expected.client_id and (party is not None or len(audiences) != 1):
        raise _refused("token_audience", "its token is for somebody else as well")
    nonce = claims["nonce"]
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        raise _refused("token_nonce", "its token is for another login")
    if not isinstance(claims["sub"], str) or not 1 <= len(claims["sub"]) <= 255 or not claims["sub"].isascii():
        raise _refused("token_subject", "its token names nobody")
    _check_times(claims, expected.now)


def _check_times(claims: Mapping[str, Any], now: datetime) -> None:
    moment, skew = now.timestamp(), _SKEW.total_seconds()
    times = [claims["exp"], claims["iat"], claims.get("nbf", 0)]
    if not all(type(time) in (int, float) for time in times):
        raise _refused("token_time", "the times in its token are no numbers")
    expires, issued, begins = times
    if expires <= moment:
        raise _refused("token_time", "its token has expired; compare the clocks")
    if issued > moment + skew or begins > moment + skew or issued < moment - _OLDEST.total_seconds():
        raise _refused("token_time", "its token was not made just now; compare the clocks")


def _check_hash(claims: Mapping[str, Any], algorithm: str, access_token: str) -> None:
    """`at_hash` binds the token to the access token beside it. Optional in this flow; if it is there, it holds."""
    if "at_hash" not in claims:
        return
    digest = _HASHES[algorithm](access_token.encode("ascii")).digest()
    given = claims["at_hash"]
    wanted = encode_base64url(digest[: len(digest) // 2])
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), wanted.encode()):
        raise _refused("token_hash", "its two tokens do not belong together")


def _refused(reason: str, why: str) -> OidcRefused:
    return OidcRefused(reason, why)
