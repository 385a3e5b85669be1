"""Settling a ledger that a killed writer left: what it had promised is signed, and its journal is cleared.

Answers: does a reader find everything that was acknowledged, and is nothing of it kept a second time?
Does not answer: what a writer that is alive does. It settles by itself, within a second.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from sealwright.trust.ledger import Ledger
from sealwright.trust.ledger_file import LedgerInUse, LedgerPaths
from sealwright.trust.ledger_journal import journal_is_clear
from sealwright.trust.ledger_patience import wait_for_checkpoint
from sealwright.trust.public_keys import PublicKey, Signer

__all__ = ["settle_ledger"]


def settle_ledger(folder: Path, *, origin: str, signer: Callable[[], Signer], keys: Sequence[PublicKey]) -> None:
    """Where nobody writes the ledger in `folder`, and there is something to settle, do what opening it for writing does.

    Parameters
    ----------
    signer : callable
        Gives the key that signs its checkpoints; asked for only where that is needed.

    Raises
    ------
    VerificationFailed, LedgerUnavailable
        As `Ledger.open`.
    """
    signed = wait_for_checkpoint(folder, origin=origin, keys=keys, seconds=0)
    if signed and journal_is_clear(LedgerPaths(folder).journal):
        return
    with suppress(LedgerInUse):
        Ledger.open(folder, origin=origin, signer=signer(), keys=keys).close()
