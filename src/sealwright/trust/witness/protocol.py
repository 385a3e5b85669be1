"""What a log and a witness say to each other: c2sp.org/tlog-witness, add-checkpoint.

Answers: is this body a request to cosign, and how is one written?
Does not answer: should it be cosigned? (`service`)
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sealwright.kernel import VerificationFailed
from sealwright.trust.strict_base64 import decode_base64, encode_base64

__all__ = ["MOST_BYTES", "SIZE_TYPE", "TEXT_TYPE", "AddCheckpoint", "Reply"]

MOST_BYTES = 64 * 1024
"""Of a request or an answer: a checkpoint with 64 signatures, and 63 hashes, fit."""

TEXT_TYPE, SIZE_TYPE = "text/plain; charset=utf-8", "text/x.tlog.size"
_MOST_PROOF = 63
_OLD = re.compile(r"old (0|[1-9][0-9]{0,17})")


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """Cosign `note`, please: its tree only added to the one of `old` entries, as `proof` shows."""

    old: int
    proof: tuple[bytes, ...]
    note: bytes

    def to_bytes(self) -> bytes:
        """The request's body."""
        lines = [f"old {self.old}", *(encode_base64(item) for item in self.proof), "", ""]
        return "\n".join(lines).encode() + self.note

    @classmethod
    def parse(cls, body: bytes) -> "AddCheckpoint":
        """Read a body; nothing is verified yet.

        Raises
        ------
        VerificationFailed
            Not this format.
        """
        head, blank, note = body.partition(b"\n\n")
        try:
            first, *proof = head.decode("ascii").split("\n")
        except UnicodeDecodeError:
            first, proof = "", []
        found = _OLD.fullmatch(first)
        if found is None or not blank or not note or len(proof) > _MOST_PROOF or len(body) > MOST_BYTES:
            raise VerificationFailed("This is not a request to add a checkpoint (c2sp.org/tlog-witness).")
        return cls(int(found[1]), _hashes(proof), note)


def _hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    hashes = tuple(decode_base64(line, what="A hash in a consistency proof") for line in lines)
    if any(len(item) != 32 for item in hashes):
        raise VerificationFailed("A hash in this consistency proof is not 32 bytes.")
    return hashes


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back: an HTTP status and a body."""

    status: int
    body: bytes
    type: str = TEXT_TYPE
