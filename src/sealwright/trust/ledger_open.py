"""Opening a ledger: is it whole, does it extend what was signed last, and what did a crash leave behind?

Quick when nobody touched entries.log since a clean end (ledger_cache); otherwise every entry is hashed and the root
compared with the newest checkpoint. Attachments, and signatures of older checkpoints, are for `verify_ledger`.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sealwright.kernel import InvalidInput, Sha256, VerificationFailed, digest_of, read_limited
from sealwright.trust.ledger_cache import Tree, TreeCache, read_tree
from sealwright.trust.ledger_entry import FIRST_PREVIOUS, is_entry, parse_line, read_leaf
from sealwright.trust.ledger_file import AppendFile, LedgerPaths, LedgerUnavailable, lines_of, read_checkpoint_tail
from sealwright.trust.ledger_journal import journaled_lines
from sealwright.trust.ledger_walk import first_broken_link
from sealwright.trust.merkle import Frontier, leaf_hash, tree_root
from sealwright.trust.notes import Checkpoint, open_checkpoint
from sealwright.trust.public_keys import PublicKey

__all__ = ["Opened", "Signed", "newest_checkpoint", "open_to_read", "open_to_write", "refuse_missing"]

_MOST_CHECKPOINT = 256 * 1024
_CHUNK = 4096
_ONE_ENTRY = 16 * 1024


@dataclass(frozen=True, slots=True)
class Signed:
    """The newest checkpoint: as text, and read."""

    note: bytes
    head: Checkpoint


@dataclass(slots=True)
class Opened:
    """A ledger's state, ready to grow."""

    frontier: Frontier
    previous: str  # digest of the last leaf
    at: str  # time of the last entry, "" if there is none
    cut: int = 0  # bytes of the unfinished end that a crash left, now cut off
    cut_digest: str = ""
    restored: int = 0  # entries that the journal gave back after a power cut


def newest_checkpoint(paths: LedgerPaths, keys: Sequence[PublicKey], origin: str | None) -> tuple[Signed | None, bytes]:
    """The newest signed checkpoint, and what of an unfinished one stands after it.

    Raises
    ------
    VerificationFailed
        It does not hold, or checkpoints.log lacks what the file `checkpoint` has.
    """
    note = _published(paths)  # read first: beside a writer, what is in this file is in checkpoints.log already
    tail = read_checkpoint_tail(paths.checkpoints)
    found = _signed(tail.last, keys, origin, "checkpoints.log") if tail.last else None
    if note is not None:
        kept = _signed(note, keys, origin, "checkpoint").head
        if found is None or kept.size > found.head.size or (kept.size == found.head.size and kept != found.head):
            raise VerificationFailed(
                f"checkpoints.log ends before the checkpoint for {kept.size} entries in the file checkpoint: "
                "records were removed from its end. Restore the ledger's folder from a backup.",
                link="checkpoints.log",
            )
    return found, tail.cut


def _published(paths: LedgerPaths) -> bytes | None:
    """What the file `checkpoint` holds; None before there is one."""
    if not paths.checkpoint.exists():
        return None
    try:
        return read_limited(paths.checkpoint, _MOST_CHECKPOINT)
    except InvalidInput as error:
        raise VerificationFailed(str(error), link="checkpoint") from None


def refuse_missing(paths: LedgerPaths, newest: Signed | None) -> None:
    """Refuse entries without a checkpoint, and a checkpoint without entries: neither is how a ledger begins.

    Raises
    ------
    VerificationFailed
        One of the two files is missing or empty; `link` names it.
    """
    has_entries = paths.entries.exists() and (newest is not None or paths.entries.stat().st_size > 0)
    if has_entries is (newest is not None):
        return
    name = paths.entries.name if newest is not None else paths.checkpoints.name
    raise VerificationFailed(
        f"{name} of the ledger in {paths.folder} is missing, but the rest of it is there. Restore it from a backup.",
        link=name,
    )


def _signed(note: bytes, keys: Sequence[PublicKey], origin: str | None, link: str) -> Signed:
    try:
        return Signed(note, open_checkpoint(note, keys, origin) if keys else Checkpoint.parse_note(note))
    except VerificationFailed as error:
        raise VerificationFailed(f"The newest checkpoint in {link} does not hold: {error}", link=link) from None


def open_to_read(paths: LedgerPaths, head: Checkpoint, cache: TreeCache) -> Tree:
    """Something that finds entries and nodes, checked against `head`.

    Raises
    ------
    VerificationFailed
        The entries are not those of `head`; `link` names the first broken one.
    """
    if cache.covers(head.size) and tree_root(head.size, cache.node) == head.root:
        return cache
    tree = read_tree(paths.entries, head.size)
    if tree.size != head.size or tree_root(head.size, tree.node) != head.root:
        raise first_broken_link(paths.entries, [head])
    return tree


def open_to_write(paths: LedgerPaths, head: Checkpoint, entries: AppendFile, cache: TreeCache) -> Opened:
    """The state after the last whole entry. An unfinished end is cut off the file.

    Raises
    ------
    VerificationFailed
        The entries are not those of `head`, end before it, or are broken after it; `link` names the first broken one.
    """
    if cache.is_clean(head.size, entries.stat()):
        frontier = _frontier_of(head.size, cache)
        quick = _quick(paths.entries, frontier, cache, entries.end) if frontier.root() == head.root else None
        if quick is not None:
            return quick
    opened = _slow(paths, head, entries, cache)
    try:
        entries.sync()  # before anything rests on it
    except OSError as error:
        raise LedgerUnavailable(
            f"The disk does not keep the ledger in {paths.folder}: {error.strerror}. Nothing was changed."
        ) from None
    return opened


def _frontier_of(size: int, cache: TreeCache) -> Frontier:
    levels = [level for level in range(size.bit_length()) if size >> level & 1]
    return Frontier(size, {level: cache.node(level, (size >> level) - 1) for level in levels})


def _quick(path: Path, frontier: Frontier, cache: TreeCache, end: int) -> Opened | None:
    """The state from the cache and the last entry alone; None where they do not fit each other."""
    last = frontier.size - 1
    if last < 0:
        return Opened(frontier, FIRST_PREVIOUS, "")
    try:
        offset = cache.offset(last)
        line = next(lines_of(path, offset, buffer=_ONE_ENTRY), b"")
        text = line.rstrip(b"\n").partition(b"\t")[0]
        if offset + len(line) != end or leaf_hash(text) != cache.node(0, last):
            return None
        return Opened(frontier, digest_of(text), read_leaf(text, last).at)
    except (OSError, VerificationFailed):
        return None


def _slow(paths: LedgerPaths, head: Checkpoint, entries: AppendFile, cache: TreeCache) -> Opened:
    path = paths.entries
    cache.clear()
    grow = _Grow(cache)
    lines = lines_of(path)
    # (1) What was signed: hash it and compare the root.
    for line in lines:
        if grow.size == head.size or _is_damaged(line):
            break
        grow.take(line)
    else:
        line = b""
    grow.settle()
    # (2) A power cut may take the end of that, too: it was on disk in the journal when it was signed.
    taken, restored = (0, ""), 0
    if grow.size < head.size:
        missing = _missing(paths, head, grow)
        taken = _cut(entries, grow, line, lines)
        for line in missing:
            entries.append(line)
            grow.take(line)
        grow.settle()
        restored, line = len(missing), b""
    if grow.frontier.root() != head.root:
        raise first_broken_link(path, [head])
    # (3) What a crash left after it: whole entries stay, an unfinished end goes.
    previous, at = (digest_of(grow.last), read_leaf(grow.last, grow.size - 1).at) if grow.size else (FIRST_PREVIOUS, "")
    while line:
        if _is_damaged(line) or not _follows(line, grow.size, previous):
            break
        grow.take(line)
        previous, at = digest_of(grow.last), read_leaf(grow.last, grow.size - 1).at
        line = next(lines, b"")
    grow.settle()
    if not restored:
        taken = _cut(entries, grow, line, lines)
    # (4) What a power cut took and the journal still has comes back.
    for line in journaled_lines(paths.journal, grow.size):
        if not _follows(line, grow.size, previous) or not _is_whole(line, grow.size):
            break
        entries.append(line)
        grow.take(line)
        previous, at = digest_of(grow.last), read_leaf(grow.last, grow.size - 1).at
        restored += 1
    grow.settle()
    return Opened(grow.frontier, previous, at, *taken, restored)


def _missing(paths: LedgerPaths, head: Checkpoint, grow: "_Grow") -> list[bytes]:
    """The lines that entries.log lacks of what was signed, from the journal. Nothing is changed before they fit.

    Raises
    ------
    VerificationFailed
        The journal does not have them.
    """
    found = list(islice(journaled_lines(paths.journal, grow.size), head.size - grow.size))
    leaves = [leaf_hash(line[:-1].partition(b"\t")[0]) for line in found]
    whole = all(_is_whole(line, index) for index, line in enumerate(found, grow.size))
    if not whole or grow.frontier.extend(leaves).frontier().root() != head.root:
        raise first_broken_link(paths.entries, [head])
    return found


def _cut(entries: AppendFile, grow: "_Grow", line: bytes, rest: Iterator[bytes]) -> tuple[int, str]:
    """Cut off what stands after the whole entries, if a crash can have left it: how many bytes, and their digest."""
    cut, digest = _rest(entries.path, grow.end)
    if cut:
        _refuse_to_cut_entries(line, rest, grow.size)
        entries.cut(grow.end)
    return cut, digest


class _Grow:
    """Builds the tree and the cache from lines."""

    def __init__(self, cache: TreeCache) -> None:
        self.frontier = Frontier()
        self.size = self.end = 0
        self.last = b""
        self._cache = cache
        self._leaves: list[bytes] = []
        self._offsets: list[int] = []

    def take(self, line: bytes) -> None:
        self.last = line[:-1].partition(b"\t")[0]
        self._leaves.append(hashlib.sha256(b"\x00" + self.last).digest())
        self._offsets.append(self.end)
        self.end += len(line)
        self.size += 1
        if len(self._leaves) == _CHUNK:
            self.settle()

    def settle(self) -> None:
        growth = self.frontier.extend(self._leaves)
        self._cache.append(self._offsets, growth.stored())
        self.frontier = growth.frontier()
        self._leaves, self._offsets = [], []


def _follows(line: bytes, index: int, previous: str) -> bool:
    """Whether `line` is the whole next entry. One that is whole but names another predecessor is no crash."""
    if not line.endswith(b"\n"):
        return False
    try:
        leaf = read_leaf(line[:-1].partition(b"\t")[0], index)
    except VerificationFailed:
        return False
    if leaf.prev != previous:
        raise VerificationFailed(
            f"Entry {index} of the ledger names another predecessor than entry {index - 1}: one of them was changed.",
            link=f"entry {index}",
        )
    return True


def _is_damaged(line: bytes) -> bool:
    """Whether a power cut tore this line: its end is missing, or some of it had not reached the disk and reads as zeros."""
    return not line.endswith(b"\n") or b"\0" in line


def _is_whole(line: bytes, index: int) -> bool:
    """Whether the attachment is the one that the leaf names: the end of what a power cut let through may be missing."""
    try:
        parse_line(line[:-1], index)
    except VerificationFailed:
        return False
    return True


def _refuse_to_cut_entries(broken: bytes, rest: Iterator[bytes], index: int) -> None:
    """Cut only what a crash can leave: nothing readable after the break, or a gap of zero bytes at it.

    A zero byte never stands in an entry; a power cut leaves such gaps in data that had not reached the disk, so nothing
    from there on was ever acknowledged.
    """
    if b"\0" not in broken and any(line.endswith(b"\n") and is_entry(line[:-1]) for line in rest):
        raise VerificationFailed(
            f"Entry {index} of the ledger is broken, and whole entries follow it: this is no crash. "
            "Restore the ledger's folder from a backup, and find out who changed it.",
            link=f"entry {index}",
        )


def _rest(path: Path, start: int) -> tuple[int, str]:
    """How many bytes stand after `start`, and their digest."""
    count, running = 0, Sha256()
    with path.open("rb") as stream:
        stream.seek(start)
        while chunk := stream.read(1 << 20):
            count += len(chunk)
            running.update(chunk)
    return count, running.digest()
