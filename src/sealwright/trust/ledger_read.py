"""Finding and proving entries of a ledger, by its cache where that is right and by its entries where it is not."""

from collections.abc import Iterator
from pathlib import Path

from sealwright.kernel import InvalidInput, NotFound, VerificationFailed, digest_of
from sealwright.trust.ledger_cache import Tree, TreeCache, read_tree
from sealwright.trust.ledger_entry import LedgerEntry, parse_line
from sealwright.trust.ledger_file import lines_of
from sealwright.trust.ledger_walk import first_broken_link
from sealwright.trust.merkle import consistency_path, inclusion_path, leaf_hash, tree_root, verify_inclusion
from sealwright.trust.notes import Checkpoint

__all__ = ["LedgerReader"]

_ONE_ENTRY = 16 * 1024
_CACHE_FAULTS = (VerificationFailed, InvalidInput, OSError, IndexError)


class LedgerReader:
    """Reads entries.log up to a tree head that the caller trusts."""

    def __init__(self, entries: Path, tree: Tree) -> None:
        self._entries, self._tree = entries, tree

    def path(self, index: int, head: Checkpoint) -> list[bytes]:
        """The inclusion path of an entry, checked against `head`."""
        return self._prove(index, head)[1]

    def consistency(self, old_size: int, head: Checkpoint) -> list[bytes]:
        """The consistency path from `old_size` entries to `head`."""
        return consistency_path(old_size, head.size, self._rooted(head).node)

    def entry(self, index: int, head: Checkpoint) -> LedgerEntry:
        """One entry, checked against `head`."""
        return self._locate(index, head)[1]

    def entries(self, start: int, head: Checkpoint) -> Iterator[LedgerEntry]:
        """Entries from `start` up to `head`, numbered and chained."""
        if not 0 <= start < head.size:
            return
        offset, first = self._locate(start, head)
        previous = first.previous
        for index, line in zip(range(start, head.size), lines_of(self._entries, offset), strict=False):
            entry = self._parsed(line, index, offset)
            offset += len(line)
            if entry.previous != previous:
                raise VerificationFailed(f"Entry {index} does not follow entry {index - 1}.", link=f"entry {index - 1}")
            yield entry
            previous = digest_of(entry.leaf)

    def _parsed(self, line: bytes, index: int, offset: int) -> LedgerEntry:
        """The entry of a line; what is attached may have been overwritten while it was read, so it is read once more."""
        try:
            return parse_line(line.rstrip(b"\n"), index)
        except VerificationFailed:
            again = next(lines_of(self._entries, offset, buffer=len(line)), b"")
            return parse_line(again.rstrip(b"\n"), index)

    def close(self) -> None:
        if isinstance(self._tree, TreeCache):
            self._tree.close()

    def _locate(self, index: int, head: Checkpoint) -> tuple[int, LedgerEntry]:
        """Where an entry starts, and the entry, checked against `head`."""
        tree, path = self._prove(index, head)
        try:
            return self._read_at(tree, index, path, head)
        except _CACHE_FAULTS:
            if not isinstance(tree, TreeCache):
                raise
        return self._read_at(self._read_again(head), index, path, head)  # perhaps only the cache's offset was wrong

    def _read_at(self, tree: Tree, index: int, path: list[bytes], head: Checkpoint) -> tuple[int, LedgerEntry]:
        offset = tree.offset(index)
        line = next(lines_of(self._entries, offset, buffer=_ONE_ENTRY), b"").rstrip(b"\n")
        entry = parse_line(line, index)
        verify_inclusion(leaf_hash(entry.leaf), index, head.size, path, head.root)
        return offset, entry

    def _prove(self, index: int, head: Checkpoint) -> tuple[Tree, list[bytes]]:
        """A tree that finds the entry, and its inclusion path, checked against `head`."""
        if not 0 <= index < head.size:
            raise NotFound(f"The ledger has no entry {index}; it has {head.size}.")
        try:
            path = inclusion_path(index, head.size, self._tree.node)
            verify_inclusion(self._tree.node(0, index), index, head.size, path, head.root)
        except _CACHE_FAULTS:
            tree = self._read_again(head)
            return tree, inclusion_path(index, head.size, tree.node)
        return self._tree, path

    def _rooted(self, head: Checkpoint) -> Tree:
        """A tree that has the root of `head`."""
        try:
            if tree_root(head.size, self._tree.node) == head.root:
                return self._tree
        except _CACHE_FAULTS:
            pass
        return self._read_again(head)

    def _read_again(self, head: Checkpoint) -> Tree:
        """The tree from the entries themselves, when the cache cannot be used."""
        tree = read_tree(self._entries, head.size)
        if tree.size != head.size or tree_root(head.size, tree.node) != head.root:
            raise first_broken_link(self._entries, [head])
        return tree
