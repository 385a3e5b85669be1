"""Bearer tokens: short-lived JWT access tokens (RFC 9068), Ed25519 only.

Answers: did we issue this token, for this audience, and is it still valid?
Does not answer: is what the caller wants within its scopes? The caller of `verify_token` checks
`Claims.scopes`. A token cannot be taken back before it expires, so lifetimes are short.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from sealwright.kernel import InvalidInput, SealwrightError, canonical_json, new_id, strict_json
from sealwright.trust.errors import TokenRefused
from sealwright.trust.public_keys import ED25519, PublicKey, Signer
from sealwright.trust.strict_base64 import decode_base64url, encode_base64url

__all__ = ["Claims", "issue_token", "verify_token"]

_ALGORITHM = "Ed25519"  # RFC 9864; "EdDSA" is the deprecated, ambiguous name
_TYPE = "at+jwt"
_LONGEST = timedelta(days=30)
_SKEW = timedelta(seconds=60)  # how far the issuer's clock may run ahead of ours
_MOST_CHARACTERS = 8192
_HEADER = {"alg", "typ", "kid"}
_CLAIMS = {"iss", "aud", "sub", "client_id", "scope", "iat", "exp", "jti"}
_SCOPE = re.compile(r"[a-z][a-z0-9._:/-]{0,127}")
_NAME = re.compile(r"[\x21-\x7e]{1,256}")  # visible ASCII


@dataclass(frozen=True, slots=True)
class Claims:
    """What a good token says."""

    subject: str
    scopes: frozenset[str]
    expires_at: datetime
    token_id: str


def issue_token(
    signer: Signer,
    *,
    issuer: str,
    audience: str,
    subject: str,
    scopes: Sequence[str],
    lifetime: timedelta,
    now: datetime,
) -> str:
    """A signed token for one audience.

    Parameters
    ----------
    signer : Signer
        The workspace's "tokens" signer.
    scopes : sequence of str
        At least one, e.g. "predict:german-credit".
    lifetime : timedelta
        More than nothing, at most 30 days.

    Raises
    ------
    InvalidInput
        A name, scope or lifetime that cannot be used, or a signer that is not Ed25519.
    """
    if signer.algorithm != ED25519:
        raise InvalidInput(f"Tokens are signed with Ed25519; this signer is {signer.algorithm}.")
    for what, text in (("issuer", issuer), ("audience", audience), ("subject", subject)):
        if not _NAME.fullmatch(text):
            raise InvalidInput(f"The token's {what} must be 1 to 256 visible ASCII characters without spaces.")
    if not scopes or len(set(scopes)) != len(scopes) or not all(_SCOPE.fullmatch(scope) for scope in scopes):
        raise InvalidInput("A token needs at least one scope, each once, like predict:german-credit.")
    if not timedelta(seconds=1) <= lifetime <= _LONGEST:
        raise InvalidInput(f"A token lives from 1 second to {_LONGEST.days} days. Issue a new one when it ends.")
    issued = int(now.timestamp())
    claims = {
        "iss": issuer,
        "aud": audience,
        "sub": subject,
        "client_id": subject,
        "scope": " ".join(scopes),
        "iat": issued,
        "exp": issued + int(lifetime.total_seconds()),
        "jti": new_id("tok"),
    }
    header = {"alg": _ALGORITHM, "typ": _TYPE, "kid": signer.key_id}
    message = f"{encode_base64url(canonical_json(header))}.{encode_base64url(canonical_json(claims))}"
    return f"{message}.{encode_base64url(signer.sign(message.encode('ascii')))}"


def verify_token(raw: str, keys: Sequence[PublicKey], *, issuer: str, audience: str, now: datetime) -> Claims:
    """What `raw` says, if we issued it for `audience` and it is valid at `now`.

    Raises
    ------
    TokenRefused
        Anything else: another algorithm, type, key, issuer or audience, a list of audiences, an
        unknown or missing field, another spelling, expired, from the future, or living too long.
    """
    try:
        claims = _signed_claims(raw, keys)
        return _checked(claims, issuer=issuer, audience=audience, now=now)
    except TokenRefused:
        raise
    except (SealwrightError, JoseError, ValueError, TypeError, KeyError, AttributeError, OverflowError):
        raise _refused("it is not one of our access tokens") from None


def _signed_claims(raw: str, keys: Sequence[PublicKey]) -> dict[str, Any]:
    """The claims under a good signature: exact header, one spelling, no duplicate keys."""
    if len(raw) > _MOST_CHARACTERS or raw.count(".") != 2:
        raise _refused("it is not a signed token of at most 8 KB")
    first, second, third = raw.split(".")
    header = strict_json(decode_base64url(first, what="header"), what="header")
    if not isinstance(header, dict) or set(header) != _HEADER or header["typ"] != _TYPE or header["alg"] != _ALGORITHM:
        raise _refused(f"its header must be of type {_TYPE} and algorithm {_ALGORITHM}, and say nothing else")
    key = next((key for key in keys if key.key_id == header["kid"] and key.algorithm == ED25519), None)
    if key is None:
        raise _refused("it is signed by a key we do not know")
    decode_base64url(third, what="signature")
    token = jws.deserialize_compact(raw, _jwk(key.pem), algorithms=[_ALGORITHM])
    claims = strict_json(token.payload, what="claims")
    if not isinstance(claims, dict) or set(claims) != _CLAIMS or encode_base64url(token.payload) != second:
        raise _refused("it does not hold exactly the claims of our access tokens")
    return claims


def _checked(claims: dict[str, Any], *, issuer: str, audience: str, now: datetime) -> Claims:
    texts = ("iss", "aud", "sub", "client_id", "scope", "jti")
    if not all(isinstance(claims[name], str) and claims[name] for name in texts):
        raise _refused("a claim is empty or not text; there is exactly one audience")
    if type(claims["iat"]) is not int or type(claims["exp"]) is not int:
        raise _refused("its times are not whole seconds")
    if claims["iss"] != issuer or claims["aud"] != audience:
        raise _refused("it is for another audience or from another issuer")
    issued, expires = (datetime.fromtimestamp(claims[name], UTC) for name in ("iat", "exp"))
    if expires <= now:
        raise _refused("it has expired; ask for a new one")
    if issued > now + _SKEW:
        raise _refused("it is from the future; compare the clocks")
    if not timedelta(0) < expires - issued <= _LONGEST:
        raise _refused(f"it lives longer than {_LONGEST.days} days")
    scopes = claims["scope"].split(" ")
    if len(set(scopes)) != len(scopes) or not all(_SCOPE.fullmatch(scope) for scope in scopes):
        raise _refused("its scopes are not as we write them")
    return Claims(claims["sub"], frozenset(scopes), expires, claims["jti"])


@lru_cache(maxsize=64)
def _jwk(pem: str) -> OKPKey:
    return OKPKey.import_key(pem)


def _refused(why: str) -> TokenRefused:
    return TokenRefused(f"The bearer token was refused: {why}.", link="token")
