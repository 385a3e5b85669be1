"""Signing an approval with a passkey, while signed in.

Answers: how does a statement get the signature of a person's authenticator?
Does not answer: may they sign it? The caller has asked `permissions`, and `evidence` counts it or does not.
"""

from collections.abc import Mapping
from typing import Any

from sealwright.kernel import InvalidInput, Refused
from sealwright.trust.audit import Event
from sealwright.trust.identity.approval_by_key import approval_challenge, make_approval_by_key
from sealwright.trust.identity.errors import ProofRefused
from sealwright.trust.identity.means import Means
from sealwright.trust.identity.passkey_public import PasskeyPublic
from sealwright.trust.identity.passkey_questions import PasskeyQuestions
from sealwright.trust.identity.passkeys import Passkeys
from sealwright.trust.identity.sessions import Sessions
from sealwright.trust.statements import Statement

__all__ = ["KeyApprovals"]


class KeyApprovals:
    """Two steps, as with every passkey: ask, then take the answer."""

    def __init__(self, means: Means, sessions: Sessions, passkeys: Passkeys, questions: PasskeyQuestions) -> None:
        self._means, self._sessions, self._passkeys, self._questions = means, sessions, passkeys, questions

    def ask(self, cookie: str, statement: Statement) -> Mapping[str, Any]:
        """Options for `navigator.credentials.get()`. The statement names the person as "by" in its predicate.

        Raises
        ------
        SessionOver
            As `Sessions.look_up`.
        Refused
            The statement speaks for somebody else.
        """
        session = self._sessions.look_up(cookie)
        if statement.predicate.get("by") != session.name:
            raise Refused(f"{session.name} signs what speaks for {session.name}, and nothing else.")
        return self._questions.request_options(
            purpose="approval",
            bound=session.handle,
            challenge=approval_challenge(statement),
            payload=statement.payload.decode("utf-8"),
        )

    def sign(self, cookie: str, response: Mapping[str, Any]) -> bytes:
        """The evidence that the person's passkey signed the statement; `verify_approval_by_key` reads it.

        Raises
        ------
        SessionOver
            As `Sessions.look_up`.
        ProofRefused
            Not a good answer to an open question put to this session.
        """
        session = self._sessions.look_up(cookie)
        try:
            key, text = self._passkeys.use(session.name, response, purpose="approval", bound=session.handle)
            statement = Statement(str(text).encode("utf-8"))
        except (ProofRefused, InvalidInput):
            self._record(session.name, "", "identity.wrong_passkey")
            raise
        passkey = PasskeyPublic(person=session.name, credential=response["id"], public_key=key)
        rules = self._means.rules
        evidence = make_approval_by_key(statement, passkey, response, rp_id=rules.rp_id, origin=rules.origin)
        self._record(session.name, statement.digest)
        return evidence

    def _record(self, name: str, digest: str, refused: str = "") -> None:
        self._means.audit.record(
            Event(
                action="approval.sign",
                outcome="refused" if refused else "done",
                actor=name,
                resource=f"person:{name}",
                reason=refused,
                detail={"statement": digest} if digest else {},
            )
        )
