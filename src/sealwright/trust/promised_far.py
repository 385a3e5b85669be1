"""What one process promised, told to another that makes the receipts.

Answers: with what can whoever prepared entries prove them, if another process holds the ledger? With the leaves of its own entries, the
hashes of all leaves that were promised together, and the signed promise.
Does not answer: is it true? Whoever verifies a receipt finds out; between the two processes nobody else can speak.
"""

from collections.abc import Sequence

import msgspec

from sealwright.trust.ledger_acknowledged import Promised
from sealwright.trust.ledger_entry import Prepared
from sealwright.trust.ledger_keep import Kept
from sealwright.trust.merkle import Frontier

__all__ = ["PreparedParts", "ToldPromise", "parts_of", "prepared_of", "promised_of", "told_of"]

PreparedParts = tuple[bytes, bytes, bytes, bytes]
"""A prepared entry as it travels."""

_HASH = 32
_NOTHING = Frontier()


class ToldPromise(msgspec.Struct, array_like=True, frozen=True):
    """A `Promised` as it travels."""

    first: int  # index of the first entry that was promised with these
    at: int  # how many of those stand before ours
    leaves: list[bytes]  # of ours
    hashes: bytes  # of all leaves that were promised together, one after the other
    note: bytes


def parts_of(prepared: Sequence[Prepared]) -> list[PreparedParts]:
    """Prepared entries as they travel."""
    return [one.parts for one in prepared]


def prepared_of(parts: Sequence[PreparedParts]) -> list[Prepared]:
    """What `parts_of` made, as it was."""
    return [Prepared(*one) for one in parts]


def told_of(promised: Promised) -> ToldPromise:
    """What the other process needs."""
    kept = promised.kept
    hashes = b"".join(kept.tree.levels[0][1])  # a promise's tree begins with its first leaf
    return ToldPromise(kept.first, promised.first - kept.first, promised.leaves, hashes, kept.note)


def promised_of(told: ToldPromise) -> Promised:
    """What `told_of` was made of, as far as it is about one's own entries."""
    hashes = [told.hashes[at : at + _HASH] for at in range(0, len(told.hashes), _HASH)]
    leaves = [b""] * told.at + told.leaves
    kept = Kept(told.first, leaves, _NOTHING.extend(hashes), told.note)
    return Promised(told.first + told.at, len(told.leaves), kept)
