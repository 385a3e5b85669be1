"""Promises: the log's signature that entries are kept and will be under a checkpoint within a second.

Answers: did the log's key vouch for this entry, at this place, at once and not only with the next checkpoint?
Does not answer: is it in the log? After the next checkpoint an inclusion proof says so; a promise without one convicts
whoever gave it. The idea is that of Certificate Transparency's signed timestamps (RFC 9162, section 4.8).

One signature serves a batch: it is over the Merkle root of the batch's leaves, and each entry comes with its path. "kept"
says that the entries were on disk before they were promised, "taken" that they were only handed to the disk.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sealwright.kernel import Refused, VerificationFailed
from sealwright.trust.merkle import leaf_hash, verify_inclusion
from sealwright.trust.notes import NUMBER, ORIGIN, open_note, split_note, split_proof
from sealwright.trust.public_keys import PublicKey
from sealwright.trust.strict_base64 import decode_base64, encode_base64

__all__ = ["PROMISE_SECONDS", "BatchPromise", "verify_promise"]

PROMISE_SECONDS = 1.0
"""Within this time a promised entry is under a checkpoint."""


@dataclass(frozen=True, slots=True)
class BatchPromise:
    """What is promised of entries that were taken together."""

    HEADER: ClassVar[str] = "sealwright-promise@v1"  # of the text that holds one entry's path and the signed promise
    _STATES: ClassVar[tuple[str, str]] = ("taken", "kept")

    origin: str
    first: int  # index of the first entry
    count: int
    root: bytes  # over the leaves of these entries alone
    on_disk: bool

    def text(self) -> str:
        """The text that is signed. No checkpoint begins like it: an origin holds no space."""
        state = self._STATES[self.on_disk]
        return f"{self.origin} promise\n{self.first}\n{self.count}\n{encode_base64(self.root)}\n{state}\n"

    @classmethod
    def parse(cls, text: str) -> "BatchPromise":
        """The promise in a note text.

        Raises
        ------
        VerificationFailed
            Not exactly what `text` writes.
        """
        lines = text.split("\n")
        origin, space, word = lines[0].partition(" ")
        fits = len(lines) == 6 and (space, word) == (" ", "promise") and lines[4] in cls._STATES and not lines[5]
        if not fits or not (NUMBER.fullmatch(lines[1]) and NUMBER.fullmatch(lines[2])):
            raise VerificationFailed("This is not a promise of a ledger.", link="promise")
        root = decode_base64(lines[3], what="The root in a promise")
        if len(root) != 32 or lines[2] == "0" or not ORIGIN.fullmatch(origin):
            raise VerificationFailed("This promise is about no entry.", link="promise")
        return cls(origin, int(lines[1]), int(lines[2]), root, lines[4] == "kept")


def verify_promise(
    leaf: bytes, promise: bytes, keys: Sequence[PublicKey], origin: str | None
) -> tuple[int, BatchPromise]:
    """Check offline that the log's key promised `leaf`; return its index, and what was promised.

    Parameters
    ----------
    leaf : bytes
        The entry as it stands in the ledger, without its attachment.
    promise : bytes
        The entry's path in its batch, and the signed promise of that batch.
    keys : sequence of PublicKey
        Keys that may sign for the log.
    origin : str or None
        The log that is expected; None accepts any log signed by `keys`.

    Raises
    ------
    VerificationFailed
        Malformed, another log's, not signed by a trusted key, or the leaf is not in that batch.
    Refused
        `keys` is empty: nothing would be verified.
    """
    if not keys:
        raise Refused("No key to verify with was given, so nothing can be verified. Pass the log's public keys.")
    place, path, note = split_proof(promise, BatchPromise.HEADER)
    claimed = BatchPromise.parse(split_note(note)[0])
    if origin is not None and claimed.origin != origin:
        raise VerificationFailed(
            f"This promise belongs to the log {claimed.origin[:200]!r}; expected {origin!r}.", link="origin"
        )
    found = BatchPromise.parse(open_note(note, claimed.origin, keys))
    verify_inclusion(leaf_hash(leaf), place, found.count, path, found.root)
    return found.first + place, found
