"""The second factor somebody sets up while they use an enrolment link: they have no session yet.

Answers: is what they set up in their hands, shown by a code or an answer of it?
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sealwright.engines import Tx
from sealwright.trust.identity.challenges import Challenges
from sealwright.trust.identity.errors import ProofRefused
from sealwright.trust.identity.means import Means
from sealwright.trust.identity.passkey_questions import PasskeyQuestions
from sealwright.trust.identity.passkeys import Passkeys
from sealwright.trust.identity.proofs import TotpCode
from sealwright.trust.identity.totp import Totp, TotpOffer, counter_of, new_totp_secret
from sealwright.trust.unlock import Secret

__all__ = ["FirstFactors", "FirstPasskey"]

_TRIES = 5


@dataclass(frozen=True, slots=True)
class FirstPasskey:
    """The JSON form of what `navigator.credentials.create()` returned, and a name for the passkey."""

    response: Mapping[str, Any] = field(repr=False)
    label: str = "first passkey"


class FirstFactors:
    """An authenticator app or a passkey, bound to a link."""

    def __init__(
        self, means: Means, *, totp: Totp, passkeys: Passkeys, questions: PasskeyQuestions, challenges: Challenges
    ) -> None:
        self._means, self._totp, self._passkeys = means, totp, passkeys
        self._questions, self._challenges = questions, challenges

    def offer(self, name: str, *, bound: str) -> tuple[TotpOffer, Mapping[str, Any]]:
        """A secret for an app and options for a passkey; one of them comes back."""
        ticket, secret = self._means.secret(), new_totp_secret(self._means)
        life = self._means.rules.link_life
        with self._means.db.write() as tx:
            self._challenges.ask(
                tx, ticket.reveal(), purpose="totp.first", bound=bound, life=life, payload=secret.reveal()
            )
            options = self._questions.creation_options(tx, name, bound=bound)
        return TotpOffer(ticket=ticket, secret=secret, uri=self._totp.uri(name, secret)), options

    def checked(self, name: str, factor: tuple[str, TotpCode] | FirstPasskey, *, bound: str) -> Callable[[Tx], None]:
        """What keeps the factor, once the caller's transaction is open.

        Raises
        ------
        ProofRefused
            A wrong code or answer, or five wrong codes.
        """
        if isinstance(factor, FirstPasskey):
            found, label = self._questions.registered(factor.response, bound=bound), factor.label
            return lambda tx: self._passkeys.put(tx, name, found, label=label)
        ticket, proof = factor
        with self._means.db.write() as tx:
            open_, secret = self._challenges.attempt(tx, ticket, purpose="totp.first", bound=bound, tries=_TRIES)
        counter = counter_of(secret, proof.code, self._means) if open_ else None
        if counter is None:
            raise ProofRefused(
                "This is not a code of the secret that was shown. Check the clock of the phone, and try again.\n"
                "After five tries open the link again."
            )
        kept = counter
        return lambda tx: self._totp.put(tx, name, Secret(secret), kept)
