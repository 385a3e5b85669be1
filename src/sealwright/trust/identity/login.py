"""Signing in: name and password, then a second factor, then a session.

Answers: is this the person? Both halves are looked at before anything is said: `begin` answers a right password, a wrong
one and a name nobody has alike, and in the same time; `complete` refuses in the same words.
Does not answer: may they do what they want to do then? That is `permissions`.

What strangers can fill up is their own bucket, that of their network. The bucket of an account takes a try only from
somebody who has one of the two halves right; a known browser has a bucket of its own; passkeys and recovery codes, which
nobody guesses, are not held up by any account's bucket.
"""

from collections.abc import Mapping
from typing import Any

from sealwright.kernel import InvalidInput, VerificationFailed, check_name, from_rfc3339, rfc3339
from sealwright.trust.audit import Event
from sealwright.trust.identity.accounts import Accounts
from sealwright.trust.identity.addresses import network_of
from sealwright.trust.identity.challenges import Challenges
from sealwright.trust.identity.devices import Devices
from sealwright.trust.identity.errors import LoginRefused, SignInBusy, TooManyTries
from sealwright.trust.identity.flood import FloodGate
from sealwright.trust.identity.keys import fingerprint
from sealwright.trust.identity.login_steps import FirstHalf, SecondFactorNeeded, SignedIn, login_event
from sealwright.trust.identity.means import Means
from sealwright.trust.identity.passkey_questions import PasskeyQuestions
from sealwright.trust.identity.password_hash import Checked, PasswordHasher
from sealwright.trust.identity.proofs import Proofs, SecondFactor, TotpCode
from sealwright.trust.identity.sessions import Sessions
from sealwright.trust.identity.throttle import give_back, reset, take, waiting_ms
from sealwright.trust.unlock import Secret

__all__ = ["Login"]

_FIRST, _SECOND = "login.first_half", "login.second_half"  # counted together, whatever the reason


class Login:
    """The two halves. Nothing is kept in memory between them, so any process can take the second."""

    def __init__(
        self,
        means: Means,
        *,
        accounts: Accounts,
        sessions: Sessions,
        challenges: Challenges,
        devices: Devices,
        hasher: PasswordHasher,
        questions: PasskeyQuestions,
        proofs: Proofs,
        flood: FloodGate,
    ) -> None:
        self._means, self._accounts, self._sessions, self._challenges = means, accounts, sessions, challenges
        self._devices, self._hasher, self._questions = devices, hasher, questions
        self._proofs, self._flood = proofs, flood

    def begin(self, name: str, password: Secret, *, source: str, device: str = "") -> SecondFactorNeeded:
        """The first half. The answer does not say whether it was right.

        Parameters
        ----------
        source : str
            The caller's network address.
        device : str
            The browser's device cookie, if it sent one.

        Raises
        ------
        TooManyTries
            From this network. A known browser is held up by its own tries only.
        SignInBusy
            Too many passwords are being checked at once; nothing was tried.
        """
        name = _usable(name)
        bucket, counted = self._take(name, source, device)
        try:
            checked, reason = self._checked(name, password)
        except SignInBusy:
            with self._means.db.write() as tx:
                give_back(tx, counted)
            raise
        right, barred = checked.matches, reason == "identity.barred"
        half = FirstHalf(name=name, right=right, barred=barred, bucket=bucket, counted=counted)
        self._note(half, reason, source)
        return self._ticket(half, checked)

    def passkey_options(self, ticket: str) -> Mapping[str, Any]:
        """Options for `navigator.credentials.get()`: the same for everybody, and none lists keys.

        Raises
        ------
        LoginRefused
            The ticket is over.
        """
        with self._means.db.read() as tx:
            if not self._challenges.look(tx, ticket, purpose="login", bound="")[0]:
                raise LoginRefused
        return self._questions.request_options(purpose="login", bound=fingerprint(ticket))

    def complete(
        self, ticket: str, proof: SecondFactor, *, source: str, device: str = "", previous: str = ""
    ) -> SignedIn:
        """The second half, and the session.

        Parameters
        ----------
        device, previous : str
            The browser's device cookie and session cookie, if it sent any; both are replaced.

        Raises
        ------
        LoginRefused
            Anything is not right. Nobody is told what.
        """
        with self._means.db.write() as tx:
            tries = self._means.rules.login_tries
            found, kept = self._challenges.attempt(tx, ticket, purpose="login", bound="", tries=tries)
        if not found:
            raise self._refused("", proof, source, "identity.login_over")
        half = FirstHalf(**kept)
        free = self._may_try(half, proof, ticket)
        live = free and not half.barred and (half.right or isinstance(proof, TotpCode))
        proven = self._proven(half.name if live else "", proof, ticket)  # who is not live costs the same
        if half.right and proven:
            return self._sign_in(half, proof, ticket, source=source, device=device, previous=previous)
        if proven:
            self._count_half(half)
        reason = "identity.wrong_factor" if half.right else "identity.wrong_password"
        raise self._refused(half.name, proof, source, reason if free else "identity.too_many_tries")

    def _take(self, name: str, source: str, device: str) -> tuple[str, str]:
        """Count the try: the bucket for codes later on, and the one it was counted in."""
        keys, rules = self._means.keys, self._means.rules
        with self._means.db.write() as tx:
            known = self._devices.knows(tx, device, name)
            mine = f"{fingerprint(device)}|{name}"
            bucket = keys.name("device", mine) if known else keys.name("account", name)
            counted = keys.name("device-login", mine) if known else keys.name("source", network_of(source))
            wait = take(tx, counted, rules.per_source, self._means.now_ms())
        if wait:
            self._flood.record(login_event(name, source, "refused", "identity.too_many_tries"))
            raise TooManyTries(-(-wait // 1000))
        return bucket, counted

    def _checked(self, name: str, password: Secret) -> tuple[Checked, str]:
        """Whether the password is right, and why not, or why it does not matter."""
        enrolled = self._means.enrolled(name) is not None
        try:
            with self._means.db.read() as tx:
                account = self._accounts.read(tx, name)
            checked = self._hasher.check(account.password if account else None, password)
        except VerificationFailed:
            self._alarm(name)
            return self._hasher.check(None, password), "identity.barred"
        if account is not None and (account.locked or not enrolled):
            return checked, "identity.barred"
        known = "identity.wrong_password" if account else "identity.unknown_person"
        return checked, "" if checked.matches else known

    def _note(self, half: FirstHalf, reason: str, source: str) -> None:
        event = (
            login_event(half.name, source, "refused", reason)
            if reason
            else login_event(half.name, source, "done", action="login.begin")
        )
        self._flood.record(event, group=_FIRST)

    def _ticket(self, half: FirstHalf, checked: Checked) -> SecondFactorNeeded:
        ticket, life = self._means.secret(), self._means.rules.login_life
        with self._means.db.write() as tx:
            if checked.renewed and not half.barred:
                self._means.audit.record(
                    login_event(half.name, "", "done", "identity.cost_grew", action="password.rehash")
                )
                self._accounts.put_password(tx, half.name, checked.renewed)
            self._challenges.ask(tx, ticket.reveal(), purpose="login", bound="", life=life, payload=half.to_json())
        return SecondFactorNeeded(ticket=ticket, expires_at=from_rfc3339(rfc3339(self._means.after(life))))

    def _may_try(self, half: FirstHalf, proof: SecondFactor, ticket: str) -> bool:
        """Whether a code may be tried now. It is counted before it is tried; passkeys and recovery codes always pass.

        Where the password was wrong, or the bucket is full, a decoy is counted in: a stranger must not fill a person's
        bucket, and the time must not tell which of the two it was.
        """
        if not isinstance(proof, TotpCode):
            return True
        limit, now = self._means.rules.per_account, self._means.now_ms()
        decoy = self._means.keys.name("decoy", ticket)
        with self._means.db.write() as tx:
            free = waiting_ms(tx, half.bucket, limit, now) == 0
            return take(tx, half.bucket if half.right and free else decoy, limit, now) == 0 and free

    def _proven(self, name: str, proof: SecondFactor, ticket: str) -> bool:
        try:
            return self._proofs.right(name, proof, purpose="login", bound=fingerprint(ticket))
        except VerificationFailed:
            self._alarm(name)
            return False

    def _count_half(self, half: FirstHalf) -> None:
        """Somebody has the phone, but not the password: that fills the account's bucket, too."""
        with self._means.db.write() as tx:
            take(tx, half.bucket, self._means.rules.per_account, self._means.now_ms())

    def _sign_in(
        self, half: FirstHalf, proof: SecondFactor, ticket: str, *, source: str, device: str, previous: str
    ) -> SignedIn:
        """One transaction: the ticket is used up, the event is on record, then there is a session."""
        enrolled = self._means.enrolled(half.name) is not None
        with self._means.db.write() as tx:
            unused, _ = self._challenges.answer(tx, ticket, purpose="login", bound="")
            account = self._accounts.read(tx, half.name)
            if unused and enrolled and account is not None and not account.locked:
                self._means.audit.record(login_event(half.name, source, "done", factor=proof.factor))
                reset(tx, half.bucket)
                give_back(tx, half.counted)
                if previous:
                    self._sessions.drop(tx, previous)
                if proof.factor == "recovery_code":
                    self._accounts.changed(tx, half.name, reason="identity.recovery_code_used")
                new = self._sessions.open(tx, half.name, factor=proof.factor)
                return SignedIn(new=new, device=self._devices.remember(tx, half.name, device))
        raise self._refused(half.name, proof, source, "identity.login_over" if not unused else "identity.barred")

    def _refused(self, name: str, proof: SecondFactor, source: str, reason: str) -> LoginRefused:
        self._flood.record(login_event(name, source, "refused", reason, factor=proof.factor), group=_SECOND)
        return LoginRefused()

    def _alarm(self, name: str) -> None:
        """A row about this person is not as we wrote it: nobody gets in by it, and security is told."""
        self._flood.record(
            Event(action="alert.raise", outcome="done", resource=f"person:{name}", reason="identity.row_changed")
        )


def _usable(name: str) -> str:
    """The name, or "" if nobody can be called that."""
    try:
        return check_name(name[:200], what="person")
    except InvalidInput:
        return ""
