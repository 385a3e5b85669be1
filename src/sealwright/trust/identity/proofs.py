"""A second factor as somebody presents it, and whether it is right.

Answers: is this proof right for this person, here and now? Each is used up by being right.
Does not answer: how often may one try? `login` and `step_up` count.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sealwright.trust.identity.errors import ProofRefused
from sealwright.trust.identity.passkeys import Passkeys
from sealwright.trust.identity.recovery_codes import RecoveryCodes
from sealwright.trust.identity.totp import Totp

__all__ = ["PasskeyAnswer", "Proofs", "RecoveryCode", "SecondFactor", "TotpCode"]

FactorName = Literal["totp", "passkey", "recovery_code"]


@dataclass(frozen=True, slots=True)
class TotpCode:
    """Six digits from an authenticator app."""

    code: str = field(repr=False)
    factor: FactorName = field(default="totp", init=False)


@dataclass(frozen=True, slots=True)
class PasskeyAnswer:
    """The JSON form of what `navigator.credentials.get()` returned."""

    response: Mapping[str, Any] = field(repr=False)
    factor: FactorName = field(default="passkey", init=False)


@dataclass(frozen=True, slots=True)
class RecoveryCode:
    """One of the ten codes that were shown once."""

    code: str = field(repr=False)
    factor: FactorName = field(default="recovery_code", init=False)


SecondFactor = TotpCode | PasskeyAnswer | RecoveryCode


class Proofs:
    """Checks any second factor."""

    def __init__(self, totp: Totp, passkeys: Passkeys, codes: RecoveryCodes) -> None:
        self._totp, self._passkeys, self._codes = totp, passkeys, codes

    def right(self, name: str, proof: SecondFactor, *, purpose: str, bound: str) -> bool:
        """Whether the proof is right; if so it is used up.

        Parameters
        ----------
        purpose, bound : str
            What a passkey was asked for ("login", "step_up") and to whom the question was put.

        Raises
        ------
        LedgerUnavailable
            What has to be recorded could not be.
        """
        if isinstance(proof, TotpCode):
            return self._totp.use(name, proof.code)
        if isinstance(proof, RecoveryCode):
            return self._codes.use(name, proof.code)
        try:
            self._passkeys.use(name, proof.response, purpose=purpose, bound=bound)
        except ProofRefused:
            return False
        return True
