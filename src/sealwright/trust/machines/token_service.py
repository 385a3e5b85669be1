"""The OAuth 2.0 endpoints of a workspace: token, introspection, revocation. Plain functions of a request.

Answers: RFC 6749 §4.4 and §5 (client credentials), RFC 8707 (resource), RFC 8705 (tokens bound to a certificate), RFC 7662
(introspection, for resource servers that authenticate), RFC 7009 (revocation). Tokens are RFC 9068.
Does not answer: how a request got here. The transport hands over body, header and verified client certificate.

Every token given and every refusal is one event, on disk before the answer is made.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sealwright.kernel import SealwrightError, new_id
from sealwright.trust.audit import Event
from sealwright.trust.machines import store, taken_back
from sealwright.trust.machines.api_keys import API_KEY_PREFIX, api_key_digest, api_key_id
from sealwright.trust.machines.authentication import Authenticated, PeerCheck, authenticate
from sealwright.trust.machines.messages import OAuthAnswer, OAuthError, OAuthRequest, answer, form_of, refusal
from sealwright.trust.machines.model import INTROSPECT, Client, TokenSettings
from sealwright.trust.machines.service import Machines
from sealwright.trust.public_keys import PublicKey
from sealwright.trust.tokens import Claims, issue_token, verify_token

__all__ = ["TokenService"]

_GRANT = "client_credentials"
_INACTIVE: dict[str, Any] = {"active": False}


class TokenService:
    """Answers requests to the three endpoints of one workspace. Safe to share between threads."""

    def __init__(
        self,
        machines: Machines,
        settings: TokenSettings,
        keys: Sequence[PublicKey] | Callable[[], Sequence[PublicKey]],
        *,
        peer: PeerCheck | None = None,
    ) -> None:
        """`keys`: all of the branch "tokens", or those of each moment; tokens of the key before the last hold until they
        expire."""
        self._machines, self._settings, self._peer = machines, settings, peer
        self._keys = keys if callable(keys) else lambda: keys

    @property
    def settings(self) -> TokenSettings:
        return self._settings

    @property
    def keys(self) -> tuple[PublicKey, ...]:
        """Those of this moment."""
        return tuple(self._keys())

    def token(self, request: OAuthRequest) -> OAuthAnswer:
        """POST /oauth/token."""
        return self._told("token.issue", request, self._issue)

    def introspect(self, request: OAuthRequest) -> OAuthAnswer:
        """POST /oauth/introspect."""
        return self._told("token.introspect", request, self._introspect)

    def revoke(self, request: OAuthRequest) -> OAuthAnswer:
        """POST /oauth/revoke."""
        return self._told("token.revoke", request, self._revoke)

    def _told(
        self,
        action: str,
        request: OAuthRequest,
        do: Callable[[OAuthRequest, dict[str, str], Authenticated], OAuthAnswer],
    ) -> OAuthAnswer:
        """Authenticate, then do it; a refusal becomes an event first and an answer second."""
        try:
            form = form_of(request)
            now = self._machines.clock()
            who = authenticate(
                request, form, self._machines.db, endpoint=self._settings.token_endpoint, now=now, peer=self._peer
            )
            return do(request, form, who)
        except OAuthError as error:
            self._record(action, "refused", request, client=error.client, reason=error.reason)
            return refusal(error)

    # ---- token

    def _issue(self, request: OAuthRequest, form: dict[str, str], who: Authenticated) -> OAuthAnswer:
        client, now = who.client, self._machines.clock()
        audience, scopes = _asked(form, client)
        token_id, seconds = new_id("tok"), int(self._settings.lifetime.total_seconds())
        detail = {"token": token_id, "scopes": sorted(scopes), "seconds": seconds}
        self._record("token.issue", "done", request, client=client.id, detail=detail)
        self._touch(client.id, client.last_used, now)
        raw = issue_token(
            self._machines.signer,
            issuer=self._settings.issuer,
            audience=audience,
            subject=client.id,
            scopes=scopes,
            lifetime=self._settings.lifetime,
            now=now,
            thumbprint=who.thumbprint,
            token_id=token_id,
        )
        return answer({"access_token": raw, "token_type": "Bearer", "expires_in": seconds, "scope": " ".join(scopes)})

    # ---- introspection

    def _introspect(self, request: OAuthRequest, form: dict[str, str], who: Authenticated) -> OAuthAnswer:
        """What a token says, for a resource server it is meant for; in every other case only that it does not hold."""
        raw = form.get("token", "")
        if not raw:
            raise _refused("invalid_request", "token is missing.", "oauth.invalid_request", who.client.id)
        if INTROSPECT not in who.client.scopes:
            self._record(
                "token.introspect", "refused", request, client=who.client.id, reason="oauth.not_a_resource_server"
            )
            return answer(_INACTIVE)
        if raw.startswith(API_KEY_PREFIX):
            return answer(self._about_key(raw))
        claims = self._holding(raw)
        if claims is None or claims.audience not in who.client.audiences:
            return answer(_INACTIVE)
        said: dict[str, Any] = {
            "active": True,
            "token_type": "Bearer",
            "iss": self._settings.issuer,
            "sub": claims.subject,
            "client_id": claims.subject,
            "aud": claims.audience,
            "scope": " ".join(sorted(claims.scopes)),
            "iat": int(claims.issued_at.timestamp()),
            "exp": int(claims.expires_at.timestamp()),
            "jti": claims.token_id,
        }
        return answer(said | ({"cnf": {"x5t#S256": claims.thumbprint}} if claims.thumbprint else {}))

    def _about_key(self, raw: str) -> dict[str, Any]:
        now = self._machines.clock()
        try:
            with self._machines.db.read() as tx:
                listed = taken_back.access_about(tx, now, key=api_key_id(raw))
            name, key = listed.key(raw, bytes.fromhex(api_key_digest(raw)), now)
        except (SealwrightError, UnicodeEncodeError):
            return _INACTIVE
        return {
            "active": True,
            "sub": key.subject,
            "client_id": key.subject,
            "scope": " ".join(sorted(key.scopes)),
            "exp": key.expires,
            "jti": name,
        }

    # ---- revocation

    def _revoke(self, _request: OAuthRequest, form: dict[str, str], who: Authenticated) -> OAuthAnswer:
        """Take a token back for the client it was given to; one that does not hold is taken back already (RFC 7009 §2.2)."""
        raw = form.get("token", "")
        if not raw:
            raise _refused("invalid_request", "token is missing.", "oauth.invalid_request", who.client.id)
        claims = self._holding(raw)
        if claims is None:
            return answer(None)
        if claims.subject != who.client.id:
            raise _refused(
                "unauthorized_client", "This token was given to another client.", "oauth.other_client", who.client.id
            )
        self._machines.revoke_token(claims, by=who.client.id, reason="")
        return answer(None)

    # ---- shared

    def _holding(self, raw: str) -> Claims | None:
        """What a token says, whomever it is for, if it holds now."""
        now = self._machines.clock()
        try:
            claims = verify_token(raw, self.keys, issuer=self._settings.issuer, audience=None, now=now, thumbprint=None)
            with self._machines.db.read() as tx:
                taken_back.access_about(tx, now, token=claims.token_id, subject=claims.subject).check_token(claims)
        except SealwrightError:
            return None
        return claims

    def _touch(self, name: str, last: datetime | None, now: datetime) -> None:
        hour = now.replace(minute=0, second=0, microsecond=0)
        if last != hour:
            with self._machines.db.write() as tx:
                store.touch_client(tx, name, hour)

    def _record(
        self,
        action: str,
        outcome: Any,
        request: OAuthRequest,
        *,
        client: str = "",
        reason: str = "",
        detail: dict[str, object] | None = None,
    ) -> None:
        self._machines.audit.record(
            Event(
                action=action,
                outcome=outcome,
                actor="" if reason.startswith("client.") else client,  # then the name is only a claim
                resource=f"client:{client}" if client else "",
                reason=reason,
                request=request.request,
                source=request.source,
                detail=detail or {},
            )
        )


def _asked(form: Mapping[str, str], client: Client) -> tuple[str, list[str]]:
    """The audience and scopes asked for, if the client may have them; what is left out means all of it."""
    if "grant_type" not in form:
        raise _refused("invalid_request", "grant_type is missing.", "oauth.invalid_request", client.id)
    if form["grant_type"] != _GRANT:
        raise _refused("unsupported_grant_type", f"Only {_GRANT} is offered.", "oauth.grant_type", client.id)
    audience = form.get("resource", client.audiences[0])
    if audience not in client.audiences:
        raise _refused("invalid_target", "This client gets no token for that resource.", "oauth.audience", client.id)
    scopes = form["scope"].split(" ") if "scope" in form else list(client.scopes)
    if len(set(scopes)) != len(scopes) or not set(scopes) <= set(client.scopes):
        raise _refused("invalid_scope", "This client may not have that scope.", "oauth.scope", client.id)
    return audience, scopes


def _refused(error: str, description: str, reason: str, client: str) -> OAuthError:
    return OAuthError(error, description, reason=reason, client=client)
