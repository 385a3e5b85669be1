"""What a ledger acknowledges: an entry under a checkpoint, or entries under a promise of one.

Answers: with what does whoever recorded something prove it to others?
Does not answer: does the proof hold? `verify_proof` and `verify_promise` say so.
"""

from dataclasses import dataclass, field

from sealwright.trust.batch_proofs import batch_proofs
from sealwright.trust.ledger_entry import entry_json
from sealwright.trust.ledger_keep import Kept
from sealwright.trust.ledger_write import Batch
from sealwright.trust.promises import BatchPromise

__all__ = ["Appended", "Promised"]


@dataclass(frozen=True, slots=True)
class Appended:
    """An acknowledged entry: on disk, in the tree, under a published checkpoint."""

    index: int
    leaf: bytes
    _batch: Batch = field(repr=False)

    @property
    def proof(self) -> bytes:
        """The proof of it (c2sp.org/tlog-proof), with the checkpoint in it: all that `verify_proof` needs."""
        return self._batch.proof(self.index)

    @property
    def checkpoint(self) -> bytes:
        """The signed checkpoint it was acknowledged with."""
        return self._batch.note


@dataclass(frozen=True, slots=True)
class Promised:
    """Entries acknowledged together by a promise, in the order they were handed in."""

    first: int  # index of the first of them
    count: int
    kept: Kept = field(repr=False)

    @property
    def leaves(self) -> list[bytes]:
        """Their leaves."""
        at = self.first - self.kept.first
        return self.kept.leaves[at : at + self.count]

    def promises(self, *, inside_json: bool = False) -> list[bytes]:
        """The promise of each (`verify_promise`), or how that text is written inside a JSON string."""
        note, newline = self.kept.note, b"\n"
        if inside_json:
            note, newline = entry_json(note.decode())[1:-1], b"\\n"
        at = self.first - self.kept.first
        return batch_proofs(self.kept.tree, note, BatchPromise.HEADER, newline=newline)[at : at + self.count]
