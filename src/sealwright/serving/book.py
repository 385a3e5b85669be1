"""What one channel writes down: its decisions, and what it must not forget. Open by one process at a time.

Answers: where do decisions of this channel go, and who signs their heads?
Does not answer: what may be served. A book can be open while nothing of its channel is.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from sealwright.kernel import Clock, VerificationFailed, private_folder
from sealwright.serving.config import ModelConfig
from sealwright.serving.decisions import DecisionLedger, DecisionLog
from sealwright.serving.state import Remembered, StateFile
from sealwright.trust import Discretion, Ledger, PublicKey, Signer, as_pseudonym, keyed_name

__all__ = ["Book", "open_ledger"]


class Book:
    """One channel's ledger and state, open. `close` finishes what was handed in."""

    def __init__(
        self,
        model: ModelConfig,
        state: Remembered,
        ledger: DecisionLedger,
        sign_with: Callable[[PublicKey], None],
        *,
        key: bytes,
        clock: Clock,
    ) -> None:
        """
        Parameters
        ----------
        sign_with : callable
            Has heads signed by another key of the branch from the next one on.
        key : bytes
            Records are sealed with it; `DecisionLog.use` takes the next one.
        """
        self.model, self.state, self._ledger, self.sign_with = model, state, ledger, sign_with
        person_key = bytes.fromhex(model.person_key)
        self.decisions = DecisionLog(
            ledger,
            key,
            channel=model.channel,
            clock=clock,
            name_of=lambda person: as_pseudonym(keyed_name(person_key, person)),
            on_disk=model.durability == "strict",
        )

    def close(self) -> None:
        self._ledger.close()


def open_ledger(
    home: Path,
    origin: str,
    place: tuple[str, str],
    signer: Signer,
    keys: Sequence[PublicKey],
    clock: Clock,
    *,
    discretion: Discretion | None = None,
) -> tuple[StateFile, Ledger]:
    """A channel's state and ledger; the ledger is begun only where neither it nor its state was ever begun.

    Parameters
    ----------
    origin : str
        `decision_origin` of it.
    place : (str, str)
        Project and channel.
    keys : sequence of PublicKey
        Of the branch of decision heads: an earlier one may have signed the newest.
    discretion : Discretion, optional
        As `Ledger.open`: where people stand behind its entries, not programs.

    Raises
    ------
    VerificationFailed
        One of the two is gone, or the ledger is not what was signed.
    LedgerInUse, LedgerUnavailable
        Another process has it open; the disk takes nothing.
    """
    folder = home.joinpath("serving", *place)
    for parent in (folder.parent.parent, folder.parent, folder):
        private_folder(parent)
    state = StateFile(folder / "state.json", *place)
    lies = folder / "ledger"
    exists = lies.exists() and any(lies.iterdir())
    if exists and not state.existed:
        raise VerificationFailed(
            f"There are decisions in {lies}, but the state beside them is gone, so an older release could pass.\n"
            "Restore state.json from a backup, or move the folder away to begin anew.",
            link="serving/state.json",
        )
    if state.now.ledger_begun and not exists:
        raise VerificationFailed(
            f"The decision ledger at {lies} is gone. Restore it from a backup,\n"
            "or move its folder away to begin anew; that is visible to every auditor.",
            link="serving/ledger",
        )
    state.change(ledger_begun=state.now.ledger_begun)
    create = not state.now.ledger_begun  # also what a kill in the middle of the first start left of one
    ledger = Ledger.open(
        lies, origin=origin, signer=signer, clock=clock, create=create, keys=keys, discretion=discretion
    )
    state.change(ledger_begun=True)
    return state, ledger
