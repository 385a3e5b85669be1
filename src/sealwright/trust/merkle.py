"""The Merkle tree of RFC 6962 / RFC 9162 with SHA-256: roots, and proofs that a leaf is in or that a tree only grew.

Answers: which few hashes stand for all leaves so far, and which few convince somebody who has only a root?
Does not answer: where nodes are kept or who signed a root. Pure functions over 32-byte hashes.

A node is named by (level, index): it covers the leaves from index * 2**level to (index + 1) * 2**level. Only complete
nodes have a name; the ragged right edge of a tree is folded from the complete ones when it is needed.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from sealwright.kernel import InvalidInput, VerificationFailed

__all__ = [
    "EMPTY_ROOT",
    "Frontier",
    "Growth",
    "NodeReader",
    "consistency_path",
    "edge_hash",
    "inclusion_path",
    "leaf_hash",
    "node_hash",
    "stored_count",
    "stored_position",
    "tree_root",
    "verify_consistency",
    "verify_inclusion",
]

NodeReader = Callable[[int, int], bytes]
"""Gives the hash of the complete node (level, index)."""

EMPTY_ROOT = hashlib.sha256(b"").digest()
_HASH_BYTES = 32


def leaf_hash(data: bytes) -> bytes:
    """Hash of one leaf: SHA-256(0x00 || data), RFC 9162 section 2.1.1."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: SHA-256(0x01 || left || right), RFC 9162 section 2.1.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


# ---- building proofs


def tree_root(size: int, node: NodeReader) -> bytes:
    """Root of the tree of the first `size` leaves (RFC 9162 section 2.1.1)."""
    return edge_hash(size.bit_length(), size, node) or EMPTY_ROOT


def inclusion_path(index: int, size: int, node: NodeReader) -> list[bytes]:
    """Hashes from the sibling of leaf `index` up to the child of the root (RFC 9162 section 2.1.3.1).

    Raises
    ------
    InvalidInput
        The tree of `size` leaves has no leaf `index`.
    """
    if not 0 <= index < size:
        raise InvalidInput(f"A tree of {size} leaves has no leaf {index}.")
    return _siblings(index, 0, size, node)


def consistency_path(old: int, new: int, node: NodeReader) -> list[bytes]:
    """Hashes that show the tree of `new` leaves begins with the tree of `old` leaves (RFC 9162 section 2.1.4.1).

    Raises
    ------
    InvalidInput
        `old` is negative or larger than `new`.
    """
    if not 0 <= old <= new:
        raise InvalidInput(f"A tree of {new} leaves cannot extend one of {old}.")
    if old in (0, new):
        return []
    level = (old & -old).bit_length() - 1  # the last complete subtree of the old tree
    index = (old >> level) - 1
    start = [] if index == 0 else [node(level, index)]  # index 0: it is the whole old tree, whose root is known
    return start + _siblings(index << level, level, new, node)


def _siblings(index: int, level: int, size: int, node: NodeReader) -> list[bytes]:
    """What is beside the way from the node over leaf `index` at `level` up to the root."""
    path = []
    while (size - 1) >> level:
        sibling = (index >> level) ^ 1
        if (sibling + 1) << level <= size:
            path.append(node(level, sibling))
        elif sibling << level < size:
            path.append(edge_hash(level, size, node))
        level += 1
    return path


def edge_hash(level: int, size: int, node: NodeReader) -> bytes:
    """Hash over the leaves right of the last complete node of `level`; b"" if there are none."""
    result = b""
    for below in range(level):
        if size >> below & 1:
            peak = node(below, (size >> below) - 1)
            result = node_hash(peak, result) if result else peak
    return result


# ---- checking proofs


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Check that `leaf` (a leaf hash) is at `index` of the tree with `size` leaves and this `root`.

    Raises
    ------
    VerificationFailed
        It is not, or the path has the wrong length.

    Notes
    -----
    RFC 9162 section 2.1.3.2.
    """
    if not 0 <= index < size or not _all_hashes(leaf, root, *path):
        raise VerificationFailed(f"The inclusion proof does not fit leaf {index} of a tree of {size}.", link="proof")
    place, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise VerificationFailed("The inclusion proof is longer than its tree is high.", link="proof")
        if place & 1 or place == last:
            found = node_hash(sibling, found)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        place, last = place >> 1, last >> 1
    if last != 0 or found != root:
        raise VerificationFailed(f"Leaf {index} is not in the tree of {size} leaves with this root.", link="proof")


def verify_consistency(old: int, new: int, path: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Check that the tree (`new`, `new_root`) only added leaves to the tree (`old`, `old_root`).

    Raises
    ------
    VerificationFailed
        It does not, or the path has the wrong length.

    Notes
    -----
    RFC 9162 section 2.1.4.2; a tree of 0 leaves is the beginning of every tree.
    """
    broken = VerificationFailed(
        f"The tree of {new} leaves does not extend the tree of {old}: one of the two histories was changed.",
        link=f"consistency {old} to {new}",
    )
    if not 0 <= old <= new or not _all_hashes(old_root, new_root, *path):
        raise broken
    if old in (0, new):
        if path or (old == new and old_root != new_root) or (old == 0 and old_root != EMPTY_ROOT):
            raise broken
        return
    hashes = list(path) if old & (old - 1) else [old_root, *path]  # a power of two starts from its own root
    if not hashes:
        raise broken
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    before = after = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise broken
        if place & 1 or place == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            after = node_hash(after, sibling)
        place, last = place >> 1, last >> 1
    if last != 0 or before != old_root or after != new_root:
        raise broken


def _all_hashes(*values: bytes) -> bool:
    return all(len(value) == _HASH_BYTES for value in values)


# ---- growing


@dataclass(frozen=True, slots=True)
class Frontier:
    """The right edge of a tree: one hash per 1-bit of `size` stands for all leaves so far (a compact range)."""

    size: int = 0
    peaks: Mapping[int, bytes] = field(default_factory=lambda: MappingProxyType({}))  # level -> hash

    def node(self, level: int, index: int) -> bytes:
        """A peak of the tree; other nodes are not known here."""
        if index != (self.size >> level) - 1 or level not in self.peaks:
            raise InvalidInput(f"Node {index} of level {level} is not a peak of a tree of {self.size} leaves.")
        return self.peaks[level]

    def root(self) -> bytes:
        """The root over all leaves so far."""
        return tree_root(self.size, self.node)

    def extend(self, leaves: Sequence[bytes]) -> "Growth":
        """Add leaf hashes; gives the new frontier and every node that became complete."""
        levels: list[tuple[int, list[bytes]]] = []
        start, row, sha256 = self.size, list(leaves), hashlib.sha256
        while row:
            if start & 1:
                start -= 1
                row.insert(0, self.peaks[len(levels)])
            levels.append((start, row))
            row = [sha256(b"\x01" + left + right).digest() for left, right in zip(row[::2], row[1::2], strict=False)]
            start >>= 1
        return Growth(before=self, size=self.size + len(leaves), levels=levels)


@dataclass(frozen=True, slots=True)
class Growth:
    """What one batch of leaves did to a tree. Proves any leaf of the batch in O(log n), without older leaves."""

    before: Frontier
    size: int
    levels: list[tuple[int, list[bytes]]]  # per level: index of the first node, then nodes without a gap

    def node(self, level: int, index: int) -> bytes:
        """A node that is new or was a peak before."""
        if level < len(self.levels):
            start, row = self.levels[level]
            if 0 <= index - start < len(row):
                return row[index - start]
        return self.before.node(level, index)

    def frontier(self) -> Frontier:
        """The frontier after the batch."""
        before, grown = self.before.peaks, len(self.levels)
        peaks = {
            level: self.levels[level][1][-1] if level < grown else before[level]
            for level in range(self.size.bit_length())
            if self.size >> level & 1
        }
        return Frontier(self.size, MappingProxyType(peaks))

    def stored(self) -> bytes:
        """The newly complete nodes in the order of `stored_position`, to be appended to a node file."""
        out: list[bytes] = []
        rows = [row for _, row in self.levels]
        starts = [start for start, _ in self.levels]
        for leaf in range(self.before.size, self.size):
            out.append(rows[0][leaf - starts[0]])
            level, index = 1, leaf + 1
            while not index & 1:  # an even count of leaves completes a node, and perhaps its parents
                index >>= 1
                out.append(rows[level][index - 1 - starts[level]])
                level += 1
        return b"".join(out)


def stored_count(size: int) -> int:
    """How many complete nodes, leaves included, a tree of `size` leaves has: 2 * size - (1-bits of size)."""
    return 2 * size - size.bit_count()


def stored_position(level: int, index: int) -> int:
    """Where node (level, index) stands when every node is written as soon as it is complete (post-order)."""
    last_leaf = ((index + 1) << level) - 1
    return stored_count(last_leaf) + level
