"""Proving oneself again within a session, before something that matters.

Answers: is it still the same person who signed in? With any second factor, without the password.
The session gets another id, so one that leaked before is worth nothing after.
"""

from collections.abc import Mapping
from typing import Any

from sealwright.trust.audit import Event
from sealwright.trust.identity.errors import ProofRefused, TooManyTries
from sealwright.trust.identity.means import Means
from sealwright.trust.identity.passkey_questions import PasskeyQuestions
from sealwright.trust.identity.proofs import Proofs, SecondFactor
from sealwright.trust.identity.session_row import NewSession, Session
from sealwright.trust.identity.sessions import Sessions
from sealwright.trust.identity.throttle import reset, take

__all__ = ["StepUp"]

_MOST_WRONG = 10  # then the session ends: whoever has it is not its person


class StepUp:
    """Step-up authentication. Tries are counted for the session, so a thief of one does not lock the person out."""

    def __init__(self, means: Means, sessions: Sessions, questions: PasskeyQuestions, proofs: Proofs) -> None:
        self._means, self._sessions, self._questions, self._proofs = means, sessions, questions, proofs

    def passkey_options(self, cookie: str) -> Mapping[str, Any]:
        """Options for `navigator.credentials.get()`.

        Raises
        ------
        SessionOver
            As `Sessions.look_up`.
        """
        return self._questions.request_options(purpose="step_up", bound=self._sessions.look_up(cookie).handle)

    def prove(self, cookie: str, proof: SecondFactor, *, source: str = "") -> NewSession:
        """The session under a new id, strong again for the step-up window.

        Raises
        ------
        SessionOver
            As `Sessions.look_up`; or too many wrong proofs ended it.
        TooManyTries
            Wait, then try again.
        ProofRefused
            The proof is not right.
        """
        session = self._sessions.look_up(cookie)
        bucket = self._means.keys.name("session", session.handle)
        with self._means.db.write() as tx:
            wait = take(tx, bucket, self._means.rules.per_account, self._means.now_ms())
        if wait:
            raise TooManyTries(-(-wait // 1000))
        if not self._proofs.right(session.name, proof, purpose="step_up", bound=session.handle):
            self._refuse(session, proof, bucket, source)
        with self._means.db.write() as tx:
            self._record(session, proof, source)
            reset(tx, bucket)
            renewed = self._sessions.renew(tx, cookie, session, factor=proof.factor)
            if proof.factor == "recovery_code":
                self._sessions.end_others(
                    tx, session.name, by="", reason="identity.recovery_code_used", keep=session.handle
                )
        return renewed

    def _refuse(self, session: Session, proof: SecondFactor, bucket: str, source: str) -> None:
        self._record(session, proof, source, reason="identity.wrong_factor")
        with self._means.db.write() as tx:
            rows = tx.run("SELECT level FROM identity_throttles WHERE id = :id", id=bucket)
            if rows and rows[0]["level"] >= _MOST_WRONG:
                gone = tx.run("DELETE FROM identity_sessions WHERE handle = :h RETURNING name", h=session.handle)
                if gone:
                    self._means.audit.record(
                        Event(
                            action="session.end",
                            outcome="done",
                            actor=session.name,
                            resource=f"person:{session.name}",
                            reason="identity.wrong_factor",
                            source=source,
                        )
                    )
        raise ProofRefused("This second factor is not right, or was used already. Try again with a new one.")

    def _record(self, session: Session, proof: SecondFactor, source: str, *, reason: str = "") -> None:
        self._means.audit.record(
            Event(
                action="step_up",
                outcome="refused" if reason else "done",
                actor=session.name,
                resource=f"person:{session.name}",
                reason=reason,
                source=source,
                detail={"factor": proof.factor},
            )
        )
