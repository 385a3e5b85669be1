"""Bearer tokens: short-lived JWT access tokens (RFC 9068), Ed25519 only.

Answers: did we issue this token, for this audience, and is it still valid?
Does not answer: is what the caller wants within its scopes? The caller of `verify_token` checks
`Claims.scopes`. Nor: was it taken back? That is the access list's answer (`machines.access_list`).
"""

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
from sealwright.trust.token_form import (
    ALGORITHM,
    CLAIMS,
    HEADER,
    LONGEST,
    NAME,
    SCOPE,
    THUMBPRINT,
    TYPE,
    claims_in_form,
    refused,
    thumbprint_in,
)

__all__ = ["LONGEST_TOKEN", "Claims", "issue_token", "verify_token"]

LONGEST_TOKEN = LONGEST

_MOST_CHARACTERS = 8192


@dataclass(frozen=True, slots=True)
class Claims:
    """What a good token says."""

    subject: str
    scopes: frozenset[str]
    expires_at: datetime
    token_id: str
    audience: str
    issued_at: datetime
    thumbprint: str = ""  # of the client certificate it is bound to (RFC 8705), or ""


def issue_token(
    signer: Signer,
    *,
    issuer: str,
    audience: str,
    subject: str,
    scopes: Sequence[str],
    lifetime: timedelta,
    now: datetime,
    thumbprint: str = "",
    token_id: str = "",
) -> str:
    """A signed token for one audience.

    Parameters
    ----------
    signer : Signer
        The workspace's "tokens" signer.
    scopes : sequence of str
        At least one, e.g. "predict:german-credit".
    lifetime : timedelta
        More than nothing, at most 24 hours.
    thumbprint : str
        Of the client certificate without which the token is worth nothing, RFC 8705 `x5t#S256`; "" for a bearer token.
    token_id : str
        The `jti`, where the caller has recorded it already; left out, a new one.

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
    if not timedelta(seconds=1) <= lifetime <= LONGEST_TOKEN:
        raise InvalidInput("A token lives from 1 second to 24 hours. Issue a new one when it ends, or make an API key.")
    if thumbprint and not THUMBPRINT.fullmatch(thumbprint):
        raise InvalidInput("The thumbprint of a certificate is the base64url of its SHA-256, 43 characters.")
    issued = int(now.timestamp())
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": audience,
        "sub": subject,
        "client_id": subject,
        "scope": " ".join(scopes),
        "iat": issued,
        "exp": issued + int(lifetime.total_seconds()),
        "jti": token_id or new_id("tok"),
    }
    if thumbprint:
        claims["cnf"] = {"x5t#S256": thumbprint}
    header = {"alg": ALGORITHM, "typ": TYPE, "kid": signer.key_id}
    message = f"{encode_base64url(canonical_json(header))}.{encode_base64url(canonical_json(claims))}"
    return f"{message}.{encode_base64url(signer.sign(message.encode('ascii')))}"


def verify_token(
    raw: str,
    keys: Sequence[PublicKey],
    *,
    issuer: str,
    audience: str | None,
    now: datetime,
    thumbprint: str | None = "",
) -> Claims:
    """What `raw` says, if we issued it for `audience` and it is valid at `now`.

    Parameters
    ----------
    audience : str or None
        Whom it must be for; None only for the issuer itself, which answers about tokens for anybody.
    thumbprint : str or None
        Of the client certificate the caller showed on this connection; "" if none. A token bound to another is refused.
        None only for the issuer itself.

    Raises
    ------
    TokenRefused
        Anything else: another algorithm, type, key, issuer or audience, a list of audiences, an unknown or missing field,
        another spelling, expired, from the future, living too long, or bound to a certificate that was not shown.
        Its `reason` is a stable word for records; what a caller is told never depends on it.
    """
    try:
        claims = _checked(_signed_claims(raw, keys), issuer=issuer, audience=audience, now=now)
    except TokenRefused:
        raise
    except JoseError:
        raise refused("it is not one of our access tokens", "signature") from None
    except (SealwrightError, ValueError, TypeError, KeyError, AttributeError, OverflowError):
        raise refused("it is not one of our access tokens", "form") from None
    if claims.thumbprint and thumbprint is not None and claims.thumbprint != thumbprint:
        raise refused("it is bound to a client certificate that was not shown", "binding")
    return claims


def _signed_claims(raw: str, keys: Sequence[PublicKey]) -> dict[str, Any]:
    """The claims under a good signature: exact header, one spelling, no duplicate keys."""
    if len(raw) > _MOST_CHARACTERS or raw.count(".") != 2:
        raise refused("it is not a signed token of at most 8 KB", "form")
    first, second, third = raw.split(".")
    header = strict_json(decode_base64url(first, what="header"), what="header")
    if not isinstance(header, dict) or set(header) != HEADER or header["typ"] != TYPE or header["alg"] != ALGORITHM:
        raise refused(f"its header must be of type {TYPE} and algorithm {ALGORITHM}, and say nothing else", "header")
    key = next((key for key in keys if key.key_id == header["kid"] and key.algorithm == ED25519), None)
    if key is None:
        raise refused("it is signed by a key we do not know", "key")
    decode_base64url(third, what="signature")
    token = jws.deserialize_compact(raw, _jwk(key.pem), algorithms=[ALGORITHM])
    claims = strict_json(token.payload, what="claims")
    if not isinstance(claims, dict) or set(claims) - {"cnf"} != CLAIMS or encode_base64url(token.payload) != second:
        raise refused("it does not hold exactly the claims of our access tokens", "claims")
    return claims


def _checked(claims: dict[str, Any], *, issuer: str, audience: str | None, now: datetime) -> Claims:
    expires, scopes = claims_in_form(claims, now=now)
    if claims["iss"] != issuer or (audience is not None and claims["aud"] != audience):
        raise refused("it is for another audience or from another issuer", "audience")
    if expires <= now:
        raise refused("it has expired; ask for a new one", "expired")
    return Claims(
        subject=claims["sub"],
        scopes=frozenset(scopes),
        expires_at=expires,
        token_id=claims["jti"],
        audience=claims["aud"],
        issued_at=datetime.fromtimestamp(claims["iat"], UTC),
        thumbprint=thumbprint_in(claims["cnf"]) if "cnf" in claims else "",
    )


@lru_cache(maxsize=64)
def _jwk(pem: str) -> OKPKey:
    return OKPKey.import_key(pem)
