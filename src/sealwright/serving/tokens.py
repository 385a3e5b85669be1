"""Who asks: bearer tokens and API keys, verified once and remembered for a short while.

A verified credential is remembered under its SHA-256 for at most a minute, never past its expiry, and never past the access
list it was checked against: a new list forgets everything that was remembered, so a revocation holds at once and costs
nothing while nothing is revoked. What fails is not remembered, and no refusal says why.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sealwright.kernel import Clock, SealwrightError
from sealwright.serving.access import AccessWatch
from sealwright.serving.problems import Unauthenticated
from sealwright.trust import API_KEY_PREFIX, AccessList, PublicKey, TokenRefused, verify_token

__all__ = ["Caller", "TokenCheck"]

_LONGEST_TOKEN = 4096  # bytes
_MOST_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a credential speaks for."""

    subject: str
    token: str  # the id of the token or API key, never itself
    scopes: frozenset[str]
    thumbprint: str = ""  # of the client certificate without which it is worth nothing
    expires: float = 0.0  # when the credential ends, in seconds since the epoch; 0: not known


class TokenCheck:
    """Verifies credentials of one issuer for one audience."""

    def __init__(
        self,
        keys: Callable[[], Sequence[PublicKey]],
        *,
        issuer: str,
        audience: str,
        access: AccessWatch,
        clock: Clock,
        cache_seconds: float,
    ) -> None:
        """`keys`: those of branch "tokens" at this moment; asked for each credential that is not remembered."""
        self._keys, self._issuer, self._audience = keys, issuer, audience
        self._access, self._clock, self._cache_seconds = access, clock, cache_seconds
        self._list: AccessList | None = None
        self._seen: dict[bytes, tuple[float, Caller]] = {}

    def caller(self, authorization: bytes | None, thumbprint: str = "") -> Caller:
        """The caller named by an Authorization header.

        Parameters
        ----------
        thumbprint : str
            Of the client certificate shown on this connection, "" if none.

        Raises
        ------
        Unauthenticated
            No header, another scheme, or a credential that does not hold now.
        NotReady
            What was taken back cannot be known.
        """
        access = self._access.current()
        if access is not self._list:
            self._list = access
            self._seen.clear()
        if authorization is None:
            raise Unauthenticated(reason="token.none")
        if authorization[:7].lower() != b"bearer " or len(authorization) > _LONGEST_TOKEN:
            raise Unauthenticated(reason="token.form")
        raw = authorization[7:]
        digest = hashlib.sha256(raw).digest()
        moment = self._clock()
        now = moment.timestamp()
        known = self._seen.get(digest)
        if known is not None and now < known[0]:
            caller = known[1]
            if caller.thumbprint and caller.thumbprint != thumbprint:
                raise Unauthenticated(reason="token.binding")
            return caller
        self._seen.pop(digest, None)
        try:
            expires, caller = self._verified(raw.decode("ascii"), digest, moment, access, thumbprint)
        except TokenRefused as error:
            raise Unauthenticated(reason=error.reason) from None
        except (SealwrightError, UnicodeDecodeError):
            raise Unauthenticated(reason="token.form") from None
        if len(self._seen) >= _MOST_REMEMBERED:
            del self._seen[next(iter(self._seen))]
        self._seen[digest] = (min(expires, now + self._cache_seconds), caller)
        return caller

    def forget(self) -> None:
        """Verify every credential anew: the keys have changed."""
        self._seen = {}

    def not_ready(self) -> str:
        """Why nobody's credential can be relied on, or will not be for long, or ""."""
        return self._access.not_ready()

    def _verified(
        self, raw: str, digest: bytes, now: datetime, access: AccessList, thumbprint: str
    ) -> tuple[float, Caller]:
        """When it ends, and whom it speaks for."""
        if raw.startswith(API_KEY_PREFIX):
            name, key = access.key(raw, digest, now)
            return key.expires, Caller(key.subject, name, key.scopes, expires=key.expires)
        claims = verify_token(
            raw, self._keys(), issuer=self._issuer, audience=self._audience, now=now, thumbprint=thumbprint
        )
        access.check_token(claims)
        ends = claims.expires_at.timestamp()
        return ends, Caller(claims.subject, claims.token_id, claims.scopes, claims.thumbprint, ends)
