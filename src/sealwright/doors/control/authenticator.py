"""Who asks, by exactly one proof: a session, a bearer credential, or a client certificate.

Answers: whose proof is this, and does it hold now?
Does not answer: may they. That two proofs never come together is the door's doing, and looked at here once more.
"""

from collections.abc import Callable, Sequence

from sealwright.doors.control.cookies import SESSION
from sealwright.doors.control.provider_sessions import ProviderSessions
from sealwright.doors.control.seams import Asked, Caller
from sealwright.kernel import SealwrightError
from sealwright.trust import (
    Audit,
    Event,
    Identity,
    Machines,
    PeerVerifier,
    PublicKey,
    SessionOver,
    TokenRefused,
    certificate_thumbprint,
    identify_service,
)

__all__ = ["OneProof"]


class OneProof:
    """As `Authenticator`."""

    def __init__(
        self,
        identity: Identity,
        provider: ProviderSessions,
        machines: Machines,
        keys: Callable[[], Sequence[PublicKey]],
        peer: PeerVerifier,
        refusals: Audit,
        *,
        issuer: str,
        audience: str,
    ) -> None:
        """`keys`: those of branch "tokens" at each moment. `refusals` takes credentials of nobody, as strangers send them: it
        must not be fillable."""
        self._identity, self._provider, self._machines = identity, provider, machines
        self._keys, self._peer, self._refusals = keys, peer, refusals
        self._issuer, self._audience = issuer, audience

    def caller(self, asked: Asked) -> Caller | None:
        """As `Authenticator.caller`."""
        cookie = asked.cookies.get(SESSION, "")
        if asked.authorization:
            return None if cookie else self._service(asked)
        if cookie:
            return self._person(cookie) if asked.client_certificate is None else None
        return self._certificate(asked) if asked.client_certificate else None

    def _person(self, cookie: str) -> Caller | None:
        try:
            session = self._identity.sessions.look_up(cookie)
            principal = self._identity.sessions.principal(cookie)
        except SessionOver:
            return None
        if session.by_provider:
            found = self._provider.principal(session.handle, principal)
            if found is None:
                self._identity.sessions.end(cookie)
                return None
            principal = found
        return Caller(principal=principal, session=cookie)

    def _service(self, asked: Asked) -> Caller | None:
        shown = asked.client_certificate
        try:
            principal = identify_service(
                asked.authorization,
                self._machines,
                self._keys(),
                issuer=self._issuer,
                audience=self._audience,
                thumbprint=certificate_thumbprint(shown) if shown else "",
            )
        except TokenRefused as error:
            self._refuse(asked, "token.use", error.reason)
            return None
        except SealwrightError as error:
            self._refuse(asked, "token.use", error.code)
            return None
        return Caller(principal=principal)

    def _certificate(self, asked: Asked) -> Caller | None:
        assert asked.client_certificate is not None
        try:
            found = self._peer.identity(asked.client_certificate, self._machines.clock(), use="client")
        except SealwrightError:
            self._refuse(asked, "certificate.use", "certificate.not_ours")
            return None
        return Caller(principal=found.principal())

    def _refuse(self, asked: Asked, action: str, reason: str) -> None:
        self._refusals.record(
            Event(action=action, outcome="refused", reason=reason, request=asked.request, source=asked.source)
        )
