"""Logins under way: what must come back from the provider, to the same browser, once and within ten minutes.

Answers: did this browser begin this login, and is it the first time it comes back?
Does not answer: what the provider says; only that somebody asked it.
`state` and the browser's value are kept as SHA-256, nonce and verifier sealed: the table signs nobody in.
"""

import hmac
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sealwright.engines import Database
from sealwright.kernel import canonical_json, from_rfc3339, rfc3339, strict_json
from sealwright.trust.identity.keys import IdentityKeys, fingerprint
from sealwright.trust.identity.oidc_errors import OidcRefused, OidcUnavailable
from sealwright.trust.unlock import Secret

__all__ = ["Begun", "PendingLogin", "PendingLogins"]

_LASTS = timedelta(minutes=10)
_MOST = 50_000
_PURPOSE = "oidc-login"


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingLogin:
    """What a login under way was begun with."""

    issuer: str
    nonce: str
    verifier: str
    begun_at: str  # RFC 3339
    fresh: bool  # the person was to prove themselves anew
    link_to: str  # whose account is to be linked; "" for an ordinary login

    def __repr__(self) -> str:
        return f"PendingLogin({self.issuer})"


@dataclass(frozen=True, slots=True)
class Begun:
    """What goes into the URL, and what goes into a cookie of the browser that begins."""

    state: Secret
    browser: Secret
    login: PendingLogin


class PendingLogins:
    """The table of logins under way, for all providers of a workspace."""

    def __init__(self, db: Database, keys: IdentityKeys) -> None:
        self._db = db
        self._keys = keys

    def begin(self, issuer: str, now: datetime, *, fresh: bool, link_to: str) -> Begun:
        """A new login: 256 random bits each for state, nonce, verifier and browser.

        Raises
        ------
        OidcUnavailable
            50,000 logins are under way.
        """
        state, browser, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(4))
        login = PendingLogin(
            issuer=issuer, nonce=nonce, verifier=verifier, begun_at=rfc3339(now), fresh=fresh, link_to=link_to
        )
        with self._db.write() as tx:
            tx.run("DELETE FROM oidc_logins WHERE expires_at <= :now", now=rfc3339(now))
            if tx.run("SELECT count(*) AS open FROM oidc_logins")[0]["open"] >= _MOST:
                raise OidcUnavailable("oidc.busy", "too many logins are under way")
            tx.run(
                "INSERT INTO oidc_logins (state, browser, sealed, expires_at) VALUES (:state, :browser, :sealed, :expires)",
                state=fingerprint(state),
                browser=fingerprint(browser),
                sealed=self._keys.seal(_PURPOSE, canonical_json(asdict(login)), place=fingerprint(state)),
                expires=rfc3339(now + _LASTS),
            )
        return Begun(Secret(state), Secret(browser), login)

    def take(self, state: str, browser: str, now: datetime) -> PendingLogin:
        """The login of a state. It is gone afterwards, whatever comes of it.

        Raises
        ------
        OidcRefused
            "oidc.state": unknown, used, over, or begun in another browser.
        VerificationFailed
            Its row was changed.
        """
        name = fingerprint(state)
        with self._db.write() as tx:
            rows = tx.run(
                "DELETE FROM oidc_logins WHERE state = :state RETURNING browser, sealed, expires_at", state=name
            )
        if not rows or from_rfc3339(rows[0]["expires_at"]) <= now:
            raise OidcRefused("state", "this sign-in was not begun here, is over, or was finished already")
        if not hmac.compare_digest(str(rows[0]["browser"]), fingerprint(browser)):
            raise OidcRefused("state", "this sign-in was begun in another browser")
        said = strict_json(self._keys.open(_PURPOSE, bytes(rows[0]["sealed"]), place=name), what="login")
        return PendingLogin(**said)
