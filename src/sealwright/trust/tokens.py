"""Bearer tokens: short-lived JWT access tokens (RFC 9068), Ed25519 only.

Answers: did we issue this token, for this audience, and is it still valid?
Does not answer: is what the caller wants within its scopes? The caller of `verify_token` checks
`Claims.scopes`. A token cannot be taken back before it expires, so lifetimes are short.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from sealwright.kernel import InvalidInput, SealwrightError, canonical_json, new_id, strict_json
from sealwright.trust.errors import TokenRefused
from sealwright.trust.public_keys import ED25519, PublicKey, Signer
from sealwright.trust.strict_base64 import decode_base64url, encode_base64url
from sealwright.trust.token_form import ALGORITHM, CLAIMS, HEADER, LONGEST, NAME, SCOPE, TYPE, claims_in_form, refused

__all__ = ["Claims", "issue_token", "verify_token"]

_MOST_CHARACTERS = 8192


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
        if not NAME.fullmatch(text):
            raise InvalidInput(f"The token's {what} must be 1 to 256 visible ASCII characters without spaces.")
    if not scopes or len(set(scopes)) != len(scopes) or not all(SCOPE.fullmatch(scope) for scope in scopes):
        raise InvalidInput("A token needs at least one scope, each once, like predict:german-credit.")
    if not timedelta(seconds=1) <= lifetime <= LONGEST:
        raise InvalidInput(f"A token lives from 1 second to {LONGEST.days} days. Issue a new one when it ends.")
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
    header = {"alg": ALGORITHM, "typ": TYPE, "kid": signer.key_id}
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
        raise refused("it is not one of our access tokens") from None


def _signed_claims(raw: str, keys: Sequence[PublicKey]) -> dict[str, Any]:
    """The claims under a good signature: exact header, one spelling, no duplicate keys."""
    if len(raw) > _MOST_CHARACTERS or raw.count(".") != 2:
        raise refused("it is not a signed token of at most 8 KB")
    first, second, third = raw.split(".")
    header = strict_json(decode_base64url(first, what="header"), what="header")
    if not isinstance(header, dict) or set(header) != HEADER or header["typ"] != TYPE or header["alg"] != ALGORITHM:
        raise refused(f"its header must be of type {TYPE} and algorithm {ALGORITHM}, and say nothing else")
    key = next((key for key in keys if key.key_id == header["kid"] and key.algorithm == ED25519), None)
    if key is None:
        raise refused("it is signed by a key we do not know")
    decode_base64url(third, what="signature")
    token = jws.deserialize_compact(raw, _jwk(key.pem), algorithms=[ALGORITHM])
    claims = strict_json(token.payload, what="claims")
    if not isinstance(claims, dict) or set(claims) != CLAIMS or encode_base64url(token.payload) != second:
        raise refused("it does not hold exactly the claims of our access tokens")
    return claims


def _checked(claims: dict[str, Any], *, issuer: str, audience: str, now: datetime) -> Claims:
    expires, scopes = claims_in_form(claims, now=now)
    if claims["iss"] != issuer or claims["aud"] != audience:
        raise refused("it is for another audience or from another issuer")
    if expires <= now:
        raise refused("it has expired; ask for a new one")
    return Claims(claims["sub"], frozenset(scopes), expires, claims["jti"])


@lru_cache(maxsize=64)
def _jwk(pem: str) -> OKPKey:
    return OKPKey.import_key(pem)
