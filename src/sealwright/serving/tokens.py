"""Who asks: bearer tokens, verified once and remembered for a short while.

A verified token is remembered under its SHA-256 for at most a minute and never past its expiry,
because a signature check costs a hundred times more than the rest of the admission. What fails is
not remembered, and no refusal says why.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sealwright.kernel import Clock, SealwrightError
from sealwright.serving.problems import Unauthenticated
from sealwright.trust import PublicKey, verify_token

__all__ = ["Caller", "TokenCheck"]

_LONGEST_TOKEN = 4096  # bytes
_MOST_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a token speaks for."""

    subject: str
    token: str  # its id, never the token itself
    scopes: frozenset[str]


class TokenCheck:
    """Verifies tokens of one issuer for one audience."""

    def __init__(
        self, keys: Sequence[PublicKey], *, issuer: str, audience: str, clock: Clock, cache_seconds: float
    ) -> None:
        self._keys, self._issuer, self._audience = tuple(keys), issuer, audience
        self._clock, self._cache_seconds = clock, cache_seconds
        self._seen: dict[bytes, tuple[float, Caller]] = {}

    def caller(self, authorization: bytes | None) -> Caller:
        """The caller named by an Authorization header.

        Raises
        ------
        Unauthenticated
            No header, another scheme, or a token that does not hold now.
        """
        if authorization is None or authorization[:7].lower() != b"bearer " or len(authorization) > _LONGEST_TOKEN:
            raise Unauthenticated
        raw = authorization[7:]
        digest = hashlib.sha256(raw).digest()
        moment = self._clock()
        now = moment.timestamp()
        known = self._seen.get(digest)
        if known is not None and now < known[0]:
            return known[1]
        try:
            claims = verify_token(
                raw.decode("ascii"), self._keys, issuer=self._issuer, audience=self._audience, now=moment
            )
        except (SealwrightError, UnicodeDecodeError):
            self._seen.pop(digest, None)
            raise Unauthenticated from None
        caller = Caller(claims.subject, claims.token_id, frozenset(claims.scopes))
        if len(self._seen) >= _MOST_REMEMBERED:
            del self._seen[next(iter(self._seen))]
        self._seen[digest] = (min(claims.expires_at.timestamp(), now + self._cache_seconds), caller)
        return caller
