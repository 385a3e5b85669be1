"""Signing in with an external identity provider: the authorization code flow of OpenID Connect, with PKCE.

Answers: who came back from the provider, which roles do their groups give, and did they show a second factor?
Does not answer: may they do something? That is `permissions`. And it signs nothing: an approval still needs the person's own
key or passkey, because a provider can say anybody is anybody.

    begun = login.start()              # send the browser to begun.url, with begun.browser in a __Host- cookie
    arrival = login.finish(query, cookie)
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from sealwright.engines import Database, Outbound
from sealwright.kernel import Clock, OperationFailed, SealwrightError, from_rfc3339
from sealwright.trust.audit import Audit, Event
from sealwright.trust.identity.keys import IdentityKeys
from sealwright.trust.identity.oidc_accounts import OidcAccounts
from sealwright.trust.identity.oidc_errors import OidcRefused
from sealwright.trust.identity.oidc_exchange import authorization_url, exchange_code
from sealwright.trust.identity.oidc_groups import grants_of, shown_recently
from sealwright.trust.identity.oidc_pending import PendingLogin, PendingLogins
from sealwright.trust.identity.oidc_provider import Provider, ProviderMetadata
from sealwright.trust.identity.oidc_settings import OidcSettings
from sealwright.trust.identity.oidc_token import Expected, verify_id_token
from sealwright.trust.keyring import Keyring
from sealwright.trust.principal import Principal
from sealwright.trust.unlock import Secret

__all__ = ["OidcArrival", "OidcLogin", "OidcStart"]

Outcome = Literal["done", "refused", "failed"]

_SKEW = timedelta(seconds=60)
_LONGEST_PARAMETER = 4096


@dataclass(frozen=True, slots=True)
class OidcStart:
    """Where the browser is sent, and what goes into its cookie until it comes back: HttpOnly, Secure, SameSite=Lax."""

    url: str = field(repr=False)
    browser: Secret


@dataclass(frozen=True, slots=True)
class OidcArrival:
    """Who came back. The account is its keyed tag."""

    principal: Principal
    account: str


@dataclass(slots=True)
class _Trail:
    """What is known so far, for the record of a refusal."""

    person: str = ""
    account: str = ""


class OidcLogin:
    """Logins by one provider. Making it asks nobody; the provider is asked when somebody signs in.

    Parameters
    ----------
    admits : callable
        Whether a person of this name may sign in now: enrolled, not ended, not locked. Where the settings enrol unknown
        accounts it is asked about these, too, by the name they are to have ("sso-…").
    """

    def __init__(
        self,
        settings: OidcSettings,
        *,
        db: Database,
        keyring: Keyring,
        outbound: Outbound,
        audit: Audit,
        clock: Clock,
        admits: Callable[[str], bool],
    ) -> None:
        keys = IdentityKeys(keyring)
        self._settings = settings
        self._outbound = outbound
        self._audit = audit
        self._clock = clock
        self._admits = admits
        self._provider = Provider(settings, outbound, clock)
        self._pending = PendingLogins(db, keys)
        self._accounts = OidcAccounts(db, keys)

    def start(self, *, fresh: bool = False, link_to: Principal | None = None) -> OidcStart:
        """Begin a login in one browser.

        Parameters
        ----------
        fresh : bool
            The person shall prove themselves anew, with a second factor if the settings name one: for a step-up.
        link_to : Principal, optional
            Who is signed in here and wants to link their account at the provider. They have shown a second factor.

        Raises
        ------
        OidcUnavailable
            The provider does not answer or cannot be used.
        OidcRefused
            "oidc.weak": an account is linked by somebody who has just shown a second factor.
        """
        if link_to is not None and not (link_to.strong and link_to.kind == "person"):
            raise OidcRefused("weak", "an account is linked only right after a second factor")
        metadata = self._provider.metadata()
        linked = link_to.name if link_to else ""
        begun = self._pending.begin(self._settings.issuer, self._clock(), fresh=fresh, link_to=linked)
        extra = {"max_age": "0", "prompt": "login"} if fresh else {}
        if fresh and self._settings.strong_acr:
            extra["acr_values"] = " ".join(sorted(self._settings.strong_acr))
        url = authorization_url(
            self._settings,
            metadata,
            state=begun.state.reveal(),
            nonce=begun.login.nonce,
            verifier=begun.login.verifier,
            extra=extra,
        )
        return OidcStart(url, begun.browser)

    def finish(
        self, parameters: Iterable[tuple[str, str]], browser: str, *, source: str = "", request: str = ""
    ) -> OidcArrival:
        """Who came back to the redirect URI. Recorded before it is believed, refusals too.

        Parameters
        ----------
        parameters : pairs of name and value
            The query as it came, so that a parameter sent twice is seen.
        browser : str
            The value of the cookie; "" if there is none.

        Raises
        ------
        OidcRefused
            `reason` says why: "oidc.parameters", "oidc.state", "oidc.issuer", "oidc.denied", "oidc.code", "oidc.no_role",
            "oidc.not_linked", "oidc.linked_elsewhere", "oidc.not_admitted", "oidc.not_fresh", and those of
            `verify_id_token`.
        OidcUnavailable
            The provider does not answer.
        """
        trail = _Trail()
        try:
            arrival = self._arrive(list(parameters), browser, trail)
        except SealwrightError as error:
            outcome: Outcome = "failed" if isinstance(error, OperationFailed) else "refused"
            self._record(outcome, trail, getattr(error, "reason", error.code), source, request)
            raise
        self._record("done", trail, "", source, request)
        return arrival

    def unlink(self, person: str, *, by: Principal) -> None:
        """Forget the accounts of a person; they sign in by other means."""
        self._audit.record(Event(action="oidc.unlink", outcome="done", actor=by.name, resource=f"person:{person}"))
        self._accounts.unlink(person)

    def _arrive(self, parameters: list[tuple[str, str]], browser: str, trail: _Trail) -> OidcArrival:
        """(1) the same browser, once (2) the same provider (3) a code for tokens (4) the token (5) roles (6) the person."""
        given = _single(parameters)
        pending = self._pending.take(given.get("state", ""), browser, self._clock())
        metadata = self._provider.metadata()
        self._check_provider(given, pending, metadata)
        if "error" in given:
            raise OidcRefused("denied", "it says that you did not sign in there")
        code = given.get("code", "")
        tokens = exchange_code(self._settings, metadata, self._outbound, code=code, verifier=pending.verifier)
        claims = self._claims(tokens.id_token, tokens.access_token, pending)
        trail.account = self._accounts.tag(self._settings.issuer, claims["sub"])
        grants = grants_of(claims, self._settings)
        trail.person = self._person(claims["sub"], trail.account, pending)
        if not self._admits(trail.person):
            raise OidcRefused("not_admitted", "your account here is locked or has ended")
        self._link(claims["sub"], trail)
        strong = shown_recently(claims, self._settings, self._clock())
        principal = Principal(kind="person", name=trail.person, proof="session", grants=grants, strong=strong)
        return OidcArrival(principal, trail.account)

    def _check_provider(self, given: dict[str, str], pending: PendingLogin, metadata: ProviderMetadata) -> None:
        """RFC 9207: the answer comes from the provider that was asked, and says so if it can."""
        named = given.get("iss")
        missing = named is None and metadata.names_itself
        if missing or pending.issuer != self._settings.issuer or named not in (None, self._settings.issuer):
            raise OidcRefused("issuer", "the answer comes from another provider than the one that was asked")

    def _claims(self, id_token: str, access_token: str, pending: PendingLogin) -> dict[str, Any]:
        now, settings = self._clock(), self._settings
        expected = Expected(
            issuer=settings.issuer,
            client_id=settings.client_id,
            algorithms=settings.algorithms,
            nonce=pending.nonce,
            access_token=access_token,
            now=now,
        )
        try:
            claims = verify_id_token(id_token, self._provider.keys(), expected)
        except OidcRefused as error:
            if error.reason != "oidc.unknown_key":
                raise
            claims = verify_id_token(id_token, self._provider.keys(again=True), expected)
        if pending.fresh:
            shown = claims.get("auth_time")
            earliest = (from_rfc3339(pending.begun_at) - _SKEW).timestamp()
            if isinstance(shown, bool) or not isinstance(shown, (int, float)) or shown < earliest:
                raise OidcRefused("not_fresh", "it did not ask you to prove yourself anew")
        return claims

    def _person(self, subject: str, account: str, pending: PendingLogin) -> str:
        """Whose account this is, or is to be: of who asked to link it, or of a newcomer where these are enrolled."""
        found = self._accounts.person(self._settings.issuer, subject)
        if found is not None:
            if pending.link_to not in ("", found):
                raise OidcRefused("linked_elsewhere", "this account is linked to somebody else here")
            return found
        if not pending.link_to and self._settings.unknown == "refuse":
            raise OidcRefused(
                "not_linked", "your account there is linked to nobody here. Sign in here first and link it"
            )
        return pending.link_to or f"sso-{account[:24]}"

    def _link(self, subject: str, trail: _Trail) -> None:
        """Link the account unless it is linked; on record first."""

        def first(owner: str | None) -> None:
            if owner not in (None, trail.person):
                raise OidcRefused("linked_elsewhere", "this account is linked to somebody else here")
            if owner is None:
                account = f"account:{trail.account}"
                self._audit.record(Event(action="oidc.link", outcome="done", actor=trail.person, resource=account))

        self._accounts.link(self._settings.issuer, subject, trail.person, self._clock(), first=first)

    def _record(self, outcome: Outcome, trail: _Trail, reason: str, source: str, request: str) -> None:
        self._audit.record(
            Event(
                action="oidc.login",
                outcome=outcome,
                actor=trail.person,
                resource=f"account:{trail.account}" if trail.account else "",
                reason=reason,
                source=source,
                request=request,
            )
        )


def _single(parameters: list[tuple[str, str]]) -> dict[str, str]:
    given = dict(parameters)
    if len(given) != len(parameters) or any(len(value) > _LONGEST_PARAMETER for value in given.values()):
        raise OidcRefused("parameters", "its answer names a parameter twice, or is too long")
    return given
