"""One-time codes of an authenticator app: RFC 6238, six digits, 30 seconds, SHA-1 as every app does it.

Answers: is this the code of now, a step before or a step after, and was it not used yet?
Each code counts once: the newest time step that was taken is kept, and only a later one is taken. The comparison and the
change are one statement in the database, so of fifty uses at once one succeeds.
"""

import hmac
from base64 import b32encode
from dataclasses import dataclass

import pyotp

from sealwright.engines import Tx
from sealwright.kernel import NotFound
from sealwright.trust.audit import Event
from sealwright.trust.identity.accounts import Accounts
from sealwright.trust.identity.challenges import Challenges
from sealwright.trust.identity.errors import ProofRefused
from sealwright.trust.identity.means import Means
from sealwright.trust.identity.sessions import Sessions
from sealwright.trust.unlock import Secret

__all__ = ["Totp", "TotpOffer", "counter_of", "new_totp_secret"]

_SECRET = 20  # bytes: 160 bits
_STEP = 30  # seconds
_WINDOW = 1  # steps before and after
_TRIES = 5
_NOBODY = "A" * 32


@dataclass(frozen=True, slots=True, kw_only=True)
class TotpOffer:
    """A secret shown once, as text and as the URI behind a QR code. It counts when a code of it comes back."""

    ticket: Secret
    secret: Secret
    uri: Secret


class Totp:
    """Authenticator apps; one for each person."""

    def __init__(self, means: Means, accounts: Accounts, sessions: Sessions, challenges: Challenges) -> None:
        self._means, self._accounts, self._sessions, self._challenges = means, accounts, sessions, challenges
        self._nobody = means.keys.seal("totp", _NOBODY.encode(), place="totp/")

    def offer(self, cookie: str) -> TotpOffer:
        """Begin to add an app, or to replace the one there is.

        Raises
        ------
        SessionOver, FreshProofNeeded
            As `Sessions.fresh`: adding a way in needs a fresh proof.
        """
        session = self._sessions.fresh(cookie)
        ticket, secret = self._means.secret(), new_totp_secret(self._means)
        with self._means.db.write() as tx:
            self._challenges.ask(
                tx,
                ticket.reveal(),
                purpose="totp",
                bound=session.handle,
                life=self._means.rules.challenge_life,
                payload=secret.reveal(),
            )
        return TotpOffer(ticket=ticket, secret=secret, uri=self.uri(session.name, secret))

    def add(self, cookie: str, ticket: str, code: str) -> None:
        """Keep the offered secret if `code` is one of its codes; every other session of the person ends.

        Raises
        ------
        SessionOver, FreshProofNeeded
            As `Sessions.fresh`.
        ProofRefused
            A wrong code, or an offer that is over, or five wrong codes.
        """
        session = self._sessions.fresh(cookie)
        with self._means.db.write() as tx:
            found, secret = self._challenges.attempt(tx, ticket, purpose="totp", bound=session.handle, tries=_TRIES)
        counter = counter_of(secret, code, self._means) if found else None
        if counter is None:
            self._record("totp.add", session.name, refused="identity.wrong_code")
            raise ProofRefused(
                "This is not a code of the secret that was shown. Check the clock of the phone, try again."
            )
        with self._means.db.write() as tx:
            if not self._challenges.answer(tx, ticket, purpose="totp", bound=session.handle)[0]:
                raise ProofRefused("This offer was used already.")
            self._record("totp.add", session.name)
            self.put(tx, session.name, Secret(secret), counter)
            self._accounts.changed(tx, session.name, keep=session.handle, reason="identity.factor_changed")

    def remove(self, cookie: str) -> None:
        """Take the app away; every other session of the person ends.

        Raises
        ------
        SessionOver, FreshProofNeeded
            As `Sessions.fresh`.
        LastFactor
            It is the only second factor.
        NotFound
            There is none.
        """
        session = self._sessions.fresh(cookie)
        with self._means.db.write() as tx:
            self._accounts.needs_other_factor(tx, session.name, but_totp=True)
            if not tx.run("DELETE FROM identity_totp WHERE name = :name RETURNING name", name=session.name):
                raise NotFound("There is no authenticator app on this account.")
            self._record("totp.remove", session.name)
            self._accounts.changed(tx, session.name, keep=session.handle, reason="identity.factor_changed")

    def present(self, cookie: str) -> bool:
        """Whether the person has an app.

        Raises
        ------
        SessionOver
            As `Sessions.look_up`.
        """
        name = self._sessions.look_up(cookie).name
        with self._means.db.read() as tx:
            return bool(tx.run("SELECT name FROM identity_totp WHERE name = :name", name=name))

    def use(self, name: str, code: str) -> bool:
        """Whether `code` is right now and was not used; it is used from now on. Somebody without an app costs the same. The caller limits tries."""
        with self._means.db.read() as tx:
            rows = tx.run("SELECT sealed FROM identity_totp WHERE name = :name", name=name)
        secret = self._opened(name, bytes(rows[0]["sealed"])) if rows else self._opened("", self._nobody)
        counter = counter_of(secret, code, self._means)
        with self._means.db.write() as tx:
            taken = tx.run(
                "UPDATE identity_totp SET last_counter = :counter WHERE name = :name AND last_counter < :counter"
                " RETURNING name",
                counter=-1 if counter is None else counter,
                name=name,
            )
        return bool(taken) and counter is not None

    def put(self, tx: Tx, name: str, secret: Secret, counter: int) -> None:
        """Keep a secret whose code for `counter` was just shown."""
        tx.run(
            "INSERT INTO identity_totp (name, sealed, last_counter, added_at) VALUES (:name, :sealed, :counter, :now)"
            " ON CONFLICT (name) DO UPDATE SET sealed = :sealed, last_counter = :counter, added_at = :now",
            name=name,
            sealed=self._means.keys.seal("totp", secret.reveal().encode(), place=f"totp/{name}"),
            counter=counter,
            now=self._means.now(),
        )

    def uri(self, name: str, secret: Secret) -> Secret:
        """What stands in the QR code: otpauth://totp/…"""
        label = self._means.rules.workspace
        return Secret(pyotp.TOTP(secret.reveal()).provisioning_uri(name=name, issuer_name=label))

    def _opened(self, name: str, sealed: bytes) -> str:
        return self._means.keys.open("totp", sealed, place=f"totp/{name}").decode()

    def _record(self, action: str, name: str, *, refused: str = "") -> None:
        outcome = "refused" if refused else "done"
        self._means.audit.record(
            Event(action=action, outcome=outcome, actor=name, resource=f"person:{name}", reason=refused)  # type: ignore[arg-type]
        )


def new_totp_secret(means: Means) -> Secret:
    """160 random bits in base32."""
    return Secret(b32encode(means.random(_SECRET)).decode())


def counter_of(secret: str, code: str, means: Means) -> int | None:
    """The time step whose code this is, within one step of now; None if it is none of them. All are always compared."""
    given = code.replace(" ", "")
    if not (len(given) == 6 and given.isascii() and given.isdigit()):
        given = "x" * 6
    totp, now = pyotp.TOTP(secret), means.now_ms() // (1000 * _STEP)
    steps = range(now - _WINDOW, now + _WINDOW + 1)
    right = [step for step in steps if hmac.compare_digest(totp.generate_otp(step).encode(), given.encode())]
    return max(right) if right else None
