"""The ways of all leaves of one small tree to its root, made together: what many of them share is worked out once.

Answers: how is each entry of a batch proved under what was signed for the batch, at a few microseconds each?
Does not answer: proofs of older entries. Those are read from the ledger's cache.
"""

from sealwright.trust.merkle import Growth, edge_hash
from sealwright.trust.strict_base64 import encode_base64

__all__ = ["BatchProofs"]


class BatchProofs:
    """Gives the proofs of a batch's entries, as text with `newline` between its lines."""

    def __init__(self, growth: Growth, note: bytes, header: str, *, newline: str = "\n") -> None:
        """`newline`: "\\\\n" gives the text as it stands inside a JSON string; `note` must then be escaped, too."""
        self._growth, self._newline = growth, newline
        self._above: dict[tuple[int, int], str] = {}
        self._head = header + newline + "index "
        self._end = newline + note.decode()

    def proof(self, index: int) -> str:
        """The proof of entry `index`, which must be of this batch."""
        return f"{self._head}{index}{self._newline}{self._siblings(0, index)}{self._end}"

    def _siblings(self, level: int, place: int) -> str:
        """Lines for what is beside the way from the node at `place` of `level` up to the root."""
        size = self._growth.size
        if not (size - 1) >> level:
            return ""
        known = self._above.get((level, place))
        if known is None:
            sibling = place ^ 1
            line = ""
            if (sibling + 1) << level <= size:
                line = encode_base64(self._growth.node(level, sibling)) + self._newline
            elif sibling << level < size:
                line = encode_base64(edge_hash(level, size, self._growth.node)) + self._newline
            known = self._above[level, place] = line + self._siblings(level + 1, place >> 1)
        return known
