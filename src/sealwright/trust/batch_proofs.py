"""The ways of all leaves of one small tree to its root, made together: what many of them share is worked out once.

Answers: how is each entry of a batch proved under what was signed for the batch, at a microsecond each?
Does not answer: proofs of older entries. Those are read from the ledger's cache.
"""

from binascii import b2a_base64

from sealwright.trust.merkle import Growth, edge_hash

__all__ = ["batch_proofs"]


def batch_proofs(tree: Growth, note: bytes, header: str, *, newline: bytes = b"\n") -> list[bytes]:
    """The proof of every leaf, in order, as text (UTF-8) with `newline` between its lines.

    Parameters
    ----------
    tree : Growth
        Of the batch's leaves alone, from nothing.
    newline : bytes
        "\\\\n" gives the text as it stands inside a JSON string; `note` must then be escaped, too.
    """
    ways = [newline + note]  # what follows after the root, then after each node of the level below, and so on
    for level in reversed(range((tree.size - 1).bit_length())):
        beside = [tree.node(level, place) for place in range(tree.size >> level)]
        if edge := edge_hash(level, tree.size, tree.node):
            beside.append(edge)
        lines = [b2a_base64(one, newline=False) + newline for one in beside]
        ways = [(lines[place ^ 1] if place ^ 1 < len(lines) else b"") + ways[place >> 1] for place in range(len(lines))]
    head = header.encode() + newline
    return [b"%bindex %d%b%b" % (head, index, newline, way) for index, way in enumerate(ways)]
