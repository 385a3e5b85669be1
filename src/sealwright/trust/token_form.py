"""The one form of our access tokens (RFC 9068): which header, which claims, and within which bounds.

Answers: is this what an access token of ours looks like? Issuing, signing and verifying all ask here.
Does not answer: is it signed, and by whom?
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from sealwright.kernel import canonical_json, strict_json
from sealwright.trust.errors import TokenRefused
from sealwright.trust.strict_base64 import decode_base64url, encode_base64url

__all__ = [
    "ALGORITHM",
    "CLAIMS",
    "HEADER",
    "LONGEST",
    "NAME",
    "SCOPE",
    "THUMBPRINT",
    "TYPE",
    "claims_in_form",
    "message_claims",
    "refused",
    "thumbprint_in",
]

ALGORITHM = "Ed25519"  # RFC 9864; "EdDSA" is the deprecated, ambiguous name
TYPE = "at+jwt"
LONGEST = timedelta(hours=24)
"""No token lives longer; the token endpoint gives five minutes. What must last longer is an API key."""
HEADER = frozenset({"alg", "typ", "kid"})
CLAIMS = frozenset({"iss", "aud", "sub", "client_id", "scope", "iat", "exp", "jti"})
SCOPE = re.compile(r"[a-z][a-z0-9._:/-]{0,127}")
THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")  # base64url of a SHA-256
NAME = re.compile(r"[\x21-\x7e]{1,256}")  # visible ASCII

_SKEW = timedelta(seconds=60)  # how far the issuer's clock may run ahead of ours


def message_claims(message: str, key_id: str) -> dict[str, Any]:
    """The claims in "header.claims", what is signed of a token, for key `key_id`: one spelling, nothing more.

    Raises
    ------
    SealwrightError, ValueError
        It is another thing.
    """
    first, dot, second = message.partition(".")
    header = canonical_json({"alg": ALGORITHM, "typ": TYPE, "kid": key_id})
    if not dot or decode_base64url(first, what="header") != header:
        raise refused(f"its header must be of type {TYPE} and algorithm {ALGORITHM}, and say nothing else", "header")
    payload = decode_base64url(second, what="claims")
    claims = strict_json(payload, what="claims")
    if (
        not isinstance(claims, dict)
        or set(claims) - {"cnf"} != CLAIMS
        or encode_base64url(canonical_json(claims)) != second
    ):
        raise refused("it does not hold exactly the claims of our access tokens", "claims")
    return claims


def claims_in_form(claims: dict[str, Any], *, now: datetime) -> tuple[datetime, list[str]]:
    """End and scopes of claims that are in form, and not from the future.

    Raises
    ------
    TokenRefused
        They are not.
    """
    texts = ("iss", "aud", "sub", "client_id", "scope", "jti")
    if not all(isinstance(claims[name], str) and claims[name] for name in texts):
        raise refused("a claim is empty or not text; there is exactly one audience", "claims")
    if type(claims["iat"]) is not int or type(claims["exp"]) is not int:
        raise refused("its times are not whole seconds", "claims")
    issued, expires = (datetime.fromtimestamp(claims[name], UTC) for name in ("iat", "exp"))
    if issued > now + _SKEW:
        raise refused("it is from the future; compare the clocks", "future")
    if not timedelta(0) < expires - issued <= LONGEST:
        raise refused("it lives longer than 24 hours", "lifetime")
    scopes = claims["scope"].split(" ")
    if len(set(scopes)) != len(scopes) or not all(SCOPE.fullmatch(scope) for scope in scopes):
        raise refused("its scopes are not as we write them", "claims")
    if "cnf" in claims:
        thumbprint_in(claims["cnf"])
    return expires, scopes


def thumbprint_in(confirmation: object) -> str:
    """The one way of proof we issue: a SHA-256 of a client certificate (RFC 8705).

    Raises
    ------
    TokenRefused
        It is another one.
    """
    if isinstance(confirmation, dict) and set(confirmation) == {"x5t#S256"}:
        found = confirmation["x5t#S256"]
        if isinstance(found, str) and THUMBPRINT.fullmatch(found):
            return found
    raise refused("it is bound to something else than a client certificate", "claims")


def refused(why: str, reason: str) -> TokenRefused:
    """The refusal of a token, worded for its bearer; `reason` is for records only."""
    return TokenRefused(f"The bearer token was refused: {why}.", reason=f"token.{reason}")
