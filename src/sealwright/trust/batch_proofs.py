"""The ways of all leaves of one small tree to its root, made together: what many of them share is worked out once.

Answers: how is each entry of a batch proved under what was signed for the batch, at a microsecond each?
Does not answer: proofs of older entries. Those are read from the ledger's cache.
"""

from sealwright.trust.merkle import Growth, edge_hash
from sealwright.trust.strict_base64 import encode_base64

__all__ = ["batch_proofs"]


def batch_proofs(tree: Growth, note: bytes, header: str, *, newline: str = "\n") -> list[str]:
    """The proof of every leaf, in order, as text with `newline` between its lines.

    Parameters
    ----------
    tree : Growth
        Of the batch's leaves alone, from nothing.
    newline : str
        "\\\\n" gives the text as it stands inside a JSON string; `note` must then be escaped, too.
    """
    ways = [newline + note.decode()]  # what follows after the root, then after each node of the level below, and so on
    for level in reversed(range((tree.size - 1).bit_length())):
        lines = [encode_base64(tree.node(level, place)) + newline for place in range(tree.size >> level)]
        if edge := edge_hash(level, tree.size, tree.node):
            lines.append(encode_base64(edge) + newline)
        ways = [(lines[place ^ 1] if place ^ 1 < len(lines) else "") + ways[place >> 1] for place in range(len(lines))]
    head = header + newline + "index "
    return [f"{head}{index}{newline}{way}" for index, way in enumerate(ways)]
