"""Questions to passkeys: what the browser is given to ask, and the answers that belong to an open question.

Answers: which options does the browser get, and is this an answer to something we asked, of whom we asked it?
Does not answer: whose key it is. `passkeys` knows.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from webauthn import generate_authentication_options, generate_registration_options, options_to_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from sealwright.engines import Tx
from sealwright.kernel import SealwrightError, strict_json
from sealwright.trust.identity.challenges import Challenges
from sealwright.trust.identity.errors import ProofRefused
from sealwright.trust.identity.means import Means
from sealwright.trust.identity.passkey_answer import ALGORITHMS, Registered, challenge_in, check_registration
from sealwright.trust.strict_base64 import decode_base64url, encode_base64url

__all__ = ["PasskeyQuestions"]


class PasskeyQuestions:
    """Each question is open for five minutes and answered once, right or wrong."""

    def __init__(self, means: Means, challenges: Challenges) -> None:
        self._means, self._challenges = means, challenges

    def creation_options(self, tx: Tx, name: str, *, bound: str) -> Mapping[str, Any]:
        """Options for `navigator.credentials.create()`, in its JSON form; `bound` names who may answer."""
        challenge = self._means.random(32)
        self._ask(tx, challenge, purpose="register", bound=bound)
        rules = self._means.rules
        rows = tx.run("SELECT id FROM identity_passkeys WHERE name = :name", name=name)
        options = generate_registration_options(
            rp_id=rules.rp_id,
            rp_name=rules.workspace,
            user_name=name,
            user_id=bytes.fromhex(self._means.keys.tag("user-handles", name.encode())),
            challenge=challenge,
            timeout=_milliseconds(rules.challenge_life),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,  # so that a login need not list whose keys there are
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=_id_bytes(row["id"])) for row in rows],
            supported_pub_key_algs=ALGORITHMS,
        )
        return _plain(options)

    def request_options(
        self, *, purpose: str, bound: str, challenge: bytes | None = None, payload: object = None
    ) -> Mapping[str, Any]:
        """Options for `navigator.credentials.get()`. They list no keys, so they say nothing about whose account it is.

        Raises
        ------
        Conflict
            The given challenge is open already.
        """
        challenge = self._means.random(32) if challenge is None else challenge
        with self._means.db.write() as tx:
            self._ask(tx, challenge, purpose=purpose, bound=bound, payload=payload)
        rules = self._means.rules
        return _plain(
            generate_authentication_options(
                rp_id=rules.rp_id,
                challenge=challenge,
                timeout=_milliseconds(rules.challenge_life),
                user_verification=UserVerificationRequirement.REQUIRED,
            )
        )

    def registered(self, response: Mapping[str, Any], *, bound: str) -> Registered:
        """The new credential in an answer to `creation_options`; the question is closed.

        Raises
        ------
        ProofRefused
            Not a good answer to an open question.
        """
        challenge, _ = self.answered(response, purpose="register", bound=bound)
        rules = self._means.rules
        return check_registration(response, challenge=challenge, rp_id=rules.rp_id, origin=rules.origin)

    def answered(self, response: Mapping[str, Any], *, purpose: str, bound: str) -> tuple[bytes, Any]:
        """The challenge of an open question that is closed from now on, and its payload.

        Raises
        ------
        ProofRefused
            No such question is open.
        """
        challenge = challenge_in(response)
        with self._means.db.write() as tx:
            secret = encode_base64url(challenge)
            open_, payload = self._challenges.answer(tx, secret, purpose=f"passkey.{purpose}", bound=bound)
        if not open_:
            raise ProofRefused("This question to the passkey is over or was answered already. Ask again.")
        return challenge, payload

    def _ask(self, tx: Tx, challenge: bytes, *, purpose: str, bound: str, payload: object = None) -> None:
        life, secret = self._means.rules.challenge_life, encode_base64url(challenge)
        self._challenges.ask(tx, secret, purpose=f"passkey.{purpose}", bound=bound, life=life, payload=payload)


def _plain(options: Any) -> Mapping[str, Any]:
    found: Mapping[str, Any] = strict_json(options_to_json(options))
    return found


def _id_bytes(key: str) -> bytes:
    try:
        return decode_base64url(key, what="a passkey's id")
    except SealwrightError:
        return b""


def _milliseconds(life: timedelta) -> int:
    return round(life.total_seconds() * 1000)
