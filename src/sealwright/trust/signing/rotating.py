"""The signer's side of a rotation: one new key at a time is made, waits, and is put to use.

Answers: which key waits, and for how long? Which steps between trust roots are there to hand out?
Does not answer: how the files change (`renewal`), nor who was asked before (`signing_rotation`).
"""

from datetime import datetime

from sealwright.kernel import Clock
from sealwright.trust.signing.errors import SignerRefused
from sealwright.trust.signing.holding import Holding
from sealwright.trust.signing.memory_keys import KeyMemory
from sealwright.trust.signing.older_cas import OlderCas
from sealwright.trust.signing.renewal import PREPARED_FOR, Prepared, key_list_by, prepare, take
from sealwright.trust.trust_chain import TRUST_CHAIN, read_chain

__all__ = ["Rotating"]


class Rotating:
    """The key that waits to be put to use, of one signer process."""

    def __init__(self, holding: Holding, memory: KeyMemory, older: OlderCas, clock: Clock) -> None:
        self._holding, self._memory, self._older, self._clock = holding, memory, older, clock
        self._waiting: tuple[Prepared, datetime] | None = None

    def make(self, branch: str, at: str = "") -> Prepared:
        """Make a new key for a branch, in the home that the place file `at` describes; one that waited before is forgotten.

        Raises
        ------
        SignerRefused, BackendUnavailable, BackendRefused, BackendLied
            As `renewal.prepare`.
        VerificationFailed
            The folder was changed by somebody who does not hold our keys.
        """
        self._holding.refresh()
        made = prepare(self._holding.vault, branch, at)
        self._waiting = (made, self._clock())
        return made

    def take(self, key_id: str) -> None:
        """Put the key to use that waits.

        Raises
        ------
        SignerRefused
            "rotation.unknown": another one waits, or none, or it waited too long. Else as `renewal.take`.
        """
        waiting, self._waiting = self._waiting, None
        if waiting is None or waiting[0].public.key_id != key_id or self._clock() - waiting[1] > PREPARED_FOR:
            raise SignerRefused("rotation.unknown", f"No new key {key_id[:16]}… waits to be put to use. Begin again.")
        take(waiting[0], self._holding.vault, self._memory)
        self._holding.refresh()
        self._older.tidy(self._holding.vault)

    def step_after(self, number: int) -> tuple[bytes, bytes]:
        """The signed step to the trust root after number `number`, and the list of revoked keys as it is signed now.

        Both are empty where there is no such step.
        """
        vault = self._holding.vault
        chain = read_chain(vault.folder / TRUST_CHAIN)
        if number >= len(chain):
            return b"", b""
        return chain[number], key_list_by(vault.signers["authority"], self._memory)
