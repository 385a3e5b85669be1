"""The one writer of a ledger: turns a batch of entries into durable lines, a grown tree and a signed checkpoint.

Used by one thread. The order is the guarantee: entries on disk, then signed, then the checkpoint published, then
acknowledged. Entries are never taken back once a checkpoint over them may have been signed. (`ledger_keep` promises first.)
"""

import hashlib
import os
import threading
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sealwright.kernel import (
    Clock,
    NotFound,
    SealwrightError,
    from_rfc3339,
    fsync_folder,
    private_folder,
    rfc3339,
    write_atomically,
)
from sealwright.trust.ledger_cache import TreeCache, read_tree
from sealwright.trust.ledger_entry import Entry, Prepared, prepare
from sealwright.trust.ledger_file import AppendFile, LedgerPaths, LedgerUnavailable, hold_lock
from sealwright.trust.ledger_open import Opened, Signed, newest_checkpoint, open_to_write, refuse_missing
from sealwright.trust.ledger_walk import CLOCK_SET_BACK
from sealwright.trust.merkle import EMPTY_ROOT, Growth, consistency_path, inclusion_path
from sealwright.trust.notes import Checkpoint, Descent, NoteSigner, TlogProof
from sealwright.trust.public_keys import PublicKey, Signer

__all__ = ["Batch", "LaidOut", "Writer"]

_SMALL_STEP = timedelta(seconds=2)  # a clock set back by less keeps the last time instead; time servers do that


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Entries that were committed together, and all that is needed to prove each of them."""

    first: int
    leaves: list[bytes]
    growth: Growth
    note: bytes

    def proof(self, index: int) -> bytes:
        """The tlog-proof of an entry of this batch, from the old frontier and the batch: O(log n)."""
        path = inclusion_path(index, self.growth.size, self.growth.node)
        return TlogProof(index, tuple(path), self.note).to_bytes()


@dataclass(frozen=True, slots=True, eq=False)
class LaidOut:
    """A batch as it will stand in the file. `first` and `leaves` are of what was handed in; a note of the clock may lead."""

    first: int
    leaves: list[bytes]
    lines: bytes
    offsets: list[int]
    hashes: list[bytes]  # of all leaves
    previous: str  # digest of the last leaf
    at: str


class Writer:
    """Opens a ledger for writing, mends what a crash left, and commits batches."""

    signed: Signed

    def __init__(
        self,
        paths: LedgerPaths,
        origin: str,
        signer: Signer,
        clock: Clock,
        *,
        keys: Sequence[PublicKey] = (),
        create: bool = False,
    ) -> None:
        self._paths, self._clock = paths, clock
        self._signer = NoteSigner(origin, signer)
        self._broken = ""
        self._lost: OSError | None = None  # what a sync said that failed
        self._syncing = threading.Lock()
        self.unpublished = False
        known = {key.key_id: key for key in (*keys, self._signer.public)}
        # (1) One writer.
        if create:
            _make_folder(paths.folder)
        elif not paths.folder.is_dir():
            raise NotFound(f"There is no ledger in {paths.folder}.")
        with ExitStack() as undo:
            lock = hold_lock(paths.lock)
            undo.callback(os.close, lock)
            # (2) What was signed last, and the files.
            newest, cut_note = newest_checkpoint(paths, list(known.values()), origin)
            refuse_missing(paths, newest)
            self._entries = AppendFile(paths.entries, create=create)
            undo.callback(self._entries.close)
            self._checkpoints = AppendFile(paths.checkpoints, create=create)
            undo.callback(self._checkpoints.close)
            self._cache = TreeCache(paths.cache, write=True)
            undo.callback(self._cache.close)
            if newest is None:
                newest = self._begin(create)
            self.signed = newest
            # (3) The entries extend it; a crash's unfinished end is cut off, recorded and signed.
            opened = open_to_write(paths, newest.head, self._entries, self._cache)
            self._frontier, self._previous, self._at = opened.frontier, opened.previous, opened.at
            self._flushed = self._signed_end = self._entries.end
            if cut_note:
                self._checkpoints.cut(self._checkpoints.end - len(cut_note))
            self._mend(opened, len(cut_note))
            self._close = undo.pop_all()

    @property
    def cache(self) -> TreeCache:
        """Finds entries and nodes, as long as it is usable."""
        return self._cache

    def commit(self, prepared: Sequence[Prepared]) -> Batch:
        """Record entries and publish a checkpoint over them. Returns when all of it is acknowledged.

        Raises
        ------
        LedgerUnavailable
            Nothing of it is acknowledged; the message says whether a later append may work.
        """
        if self._broken:
            self._write_again()
        first, leaves, growth = self._write(prepared)
        self._sign(growth)
        return Batch(first, leaves, growth, self.signed.note)

    @property
    def unsigned(self) -> bool:
        """Whether there are entries that no checkpoint covers."""
        return self._frontier.size > self.signed.head.size

    def _write(self, prepared: Sequence[Prepared]) -> tuple[int, list[bytes], Growth]:
        """Entries on disk and in the tree; the index of the first of them, and their leaves."""
        batch = self._laid_out(prepared)
        self._append(batch.lines)
        self._flush()
        growth = self._grow(batch)
        self._remember(batch.offsets, growth.stored())
        return batch.first, batch.leaves, growth

    def _laid_out(self, prepared: Sequence[Prepared]) -> "LaidOut":
        """What a batch will be in the file and in the tree."""
        self._refuse_if_broken()
        at, items = self._time(prepared)
        previous, end = self._previous, self._entries.end
        leaves: list[bytes] = []
        pieces: list[bytes] = []
        offsets: list[int] = []
        for index, item in enumerate(items, self._frontier.size):
            leaf = item.leaf(index, previous, at)
            previous = "sha256:" + hashlib.sha256(leaf).hexdigest()
            leaves.append(leaf)
            offsets.append(end)
            pieces += (leaf, item.line_end)
            end += len(leaf) + len(item.line_end)
        added = len(items) - len(prepared)
        hashes = [hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves]
        return LaidOut(self._frontier.size + added, leaves[added:], b"".join(pieces), offsets, hashes, previous, at)

    def _grow(self, batch: "LaidOut") -> Growth:
        """Take a batch that is in the file into the tree."""
        growth = self._frontier.extend(batch.hashes)
        self._frontier, self._previous, self._at = growth.frontier(), batch.previous, batch.at
        return growth

    def _remember(self, offsets: Sequence[int], nodes: bytes) -> None:
        """Let the cache find these entries, too."""
        self._cache.append(offsets, nodes)

    def publish(self) -> None:
        """Bring the file `checkpoint` up to date, and what is in checkpoints.log to disk."""
        with suppress(OSError):  # both may lag behind: the entries themselves are on disk
            self._checkpoints.sync()
            write_atomically(self._paths.checkpoint, self.signed.note)
            self.unpublished = False

    def close(self) -> None:
        """Publish, leave the mark of a clean end, let the next writer in."""
        if self.unpublished:
            self.publish()
        if not self._broken and self.signed.head.size == self._frontier.size:
            self._cache.mark_clean(self._frontier.size, self._entries.stat())
        self._close.close()

    # ---- steps

    def _begin(self, create: bool) -> Signed:
        """The first checkpoint, over nothing: from here on a missing one is noticed."""
        if not create:
            raise NotFound(f"There is no ledger in {self._paths.folder}.")
        head = Checkpoint(self._signer.name, 0, EMPTY_ROOT)
        note = self._signer.sign_head(head.text(), Descent(size=0, note=b"", path_from=lambda _: []))
        try:
            self._checkpoints.append(note + b"\n")
            self._checkpoints.sync()
            fsync_folder(self._paths.folder)
        except OSError as error:
            raise LedgerUnavailable(
                f"Cannot begin a ledger in {self._paths.folder}: {error.strerror}. Nothing was recorded."
            ) from None
        self.unpublished = True
        return Signed(note, head)

    def _mend(self, opened: Opened, cut_note: int) -> None:
        """Record what was cut off, or sign whole entries that a crash left unsigned."""
        if opened.cut or cut_note or opened.restored:
            detail: dict[str, object] = {"entry_bytes_cut": opened.cut, "checkpoint_bytes_cut": cut_note}
            if opened.restored:
                detail["entries_restored"] = opened.restored
            if opened.cut:
                detail["entry_bytes_digest"] = opened.cut_digest
            self.commit([prepare(Entry(action="ledger.recovered", subject="entries.log", detail=detail))])
        elif self.unsigned:
            self._flush()
            self._sign()

    def _refuse_if_broken(self) -> None:
        if self._broken:
            raise LedgerUnavailable(f"{self._broken} It records nothing until the disk does.")
        for file in (self._entries, self._checkpoints):
            if not file.whole:
                try:
                    file.cut(file.end)
                except OSError as error:
                    raise LedgerUnavailable(
                        f"The unfinished end of {file.path} cannot be cut off: {error.strerror}. Nothing was recorded."
                    ) from None

    def _time(self, prepared: Sequence[Prepared]) -> tuple[str, Sequence[Prepared]]:
        """The time of a batch, and the batch: led by an entry that says so if the clock was set back."""
        now = rfc3339(self._clock())
        if now >= self._at:
            return now, prepared
        if from_rfc3339(self._at) - from_rfc3339(now) <= _SMALL_STEP:
            return self._at, prepared
        note = Entry(action=CLOCK_SET_BACK, subject="clock", detail={"from": self._at, "to": now})
        return now, [prepare(note), *prepared]

    def _append(self, data: bytes) -> None:
        try:
            self._entries.append(data)
        except OSError as error:
            raise LedgerUnavailable(
                f"The ledger cannot be written: {error.strerror}. Nothing was recorded; try again when that is mended."
            ) from None

    def _flush(self) -> None:
        """Wait until the disk has what was written."""
        if self._flushed == self._entries.end and self._lost is None:
            return
        try:
            self._sync()
        except OSError as error:
            # After a failed sync the kernel may have dropped the data and still call the next sync a success.
            self._broken = f"The disk failed to keep what the ledger wrote: {error.strerror}."
            with suppress(OSError):
                self._entries.cut(max(self._flushed, self._signed_end))
            raise LedgerUnavailable(
                f"{self._broken} Nothing was acknowledged; try again when that is mended."
            ) from None
        self._flushed = self._entries.end

    def _sync(self) -> None:
        """Bring entries.log to disk. Its kernel tells of a failure once only, so whoever hears of it tells the rest."""
        with self._syncing:
            if self._lost is not None:
                raise self._lost
            try:
                self._entries.sync()
            except OSError as error:
                self._lost = error
                raise

    def _write_again(self, promised: bytes = b"") -> None:
        """After a failed sync: begin anew where the disk was last sure of everything.

        Parameters
        ----------
        promised : bytes
            The lines after that place that are in the tree already.

        Raises
        ------
        LedgerUnavailable
            The disk still fails.
        """
        try:
            self._entries.cut(self._flushed)
            self._entries.append(promised)
            self._entries.sync()
        except OSError as error:
            raise LedgerUnavailable(f"{self._broken} It still fails: {error.strerror}. Nothing was recorded.") from None
        self._flushed, self._lost, self._broken = self._entries.end, None, ""

    def sign_with(self, signer: Signer) -> None:
        """Sign from the next checkpoint on with another key of the same branch."""
        self._signer = NoteSigner(self._signer.name, signer)

    def _sign(self, growth: Growth | None = None) -> None:
        """Sign the tree as it is and publish that. From here on its entries stay."""
        head = Checkpoint(self._signer.name, self._frontier.size, self._frontier.root())
        before = self.signed
        descent = Descent(before.head.size, before.note, lambda old: self._path_from(old, growth))
        try:
            note = self._signer.sign_head(head.text(), descent)
            self._checkpoints.append(note + b"\n")
        except (OSError, SealwrightError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise LedgerUnavailable(
                f"Entries up to {head.size - 1} are written, but no checkpoint over them could be published: {reason}. "
                "They are not acknowledged; the next checkpoint will cover them."
            ) from None
        self.signed, self._signed_end = Signed(note, head), self._entries.end
        self.unpublished = True

    def _path_from(self, old: int, growth: Growth | None) -> list[bytes]:
        """What shows that the tree extends its first `old` leaves; a batch alone can show it from its own beginning."""
        size = self._frontier.size
        if old > size:
            return []  # whoever asks has seen a longer history than this one, and will say so
        if growth is not None and old == growth.before.size:
            node = growth.node
        elif self._cache.covers(size):
            node = self._cache.node
        else:
            node = read_tree(self._paths.entries, size).node
        return consistency_path(old, size, node)


def _make_folder(folder: Path) -> None:
    try:
        private_folder(folder)
    except OSError as error:
        raise LedgerUnavailable(f"Cannot make the ledger's folder {folder}: {error.strerror}.") from None
