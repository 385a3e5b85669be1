"""The ledger: an append-only Merkle log whose every acknowledged entry is on disk and under a signed checkpoint.

Answers: how is something recorded so that nobody, the owner included, can later change it unseen?
Does not answer: whether somebody was shown another history; that takes a checkpoint kept elsewhere (`verify_ledger`).

Callers of any number of threads hand in entries; one thread writes. It takes whatever is waiting, writes it with one
write, waits for the disk once, signs one checkpoint over the new tree, and hands everyone the proof for their entry.

When something fails, one rule: what reached the disk whole stays, what did not is cut off, and only what a published
checkpoint covers is acknowledged. So a failed append may be tried again, and no two checkpoints contradict each other.
"""

import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sealwright.kernel import Clock, NotFound, Refused, VerificationFailed, system_clock
from sealwright.trust.authority import with_authority
from sealwright.trust.batch_proofs import batch_proofs
from sealwright.trust.discretion import Discretion
from sealwright.trust.ledger_cache import TreeCache
from sealwright.trust.ledger_entry import Entry, LedgerEntry, Prepared, entry_json, prepare
from sealwright.trust.ledger_file import LedgerPaths, LedgerUnavailable
from sealwright.trust.ledger_keep import KeepingWriter, Kept
from sealwright.trust.ledger_open import Signed, newest_checkpoint, open_to_read, refuse_missing
from sealwright.trust.ledger_read import LedgerReader
from sealwright.trust.ledger_write import Batch
from sealwright.trust.notes import Checkpoint, TlogProof, check_origin
from sealwright.trust.promises import BatchPromise
from sealwright.trust.public_keys import PublicKey, Signer

__all__ = ["Appended", "Ledger", "Promised"]

_MOST_WAITING = 256 << 20  # bytes; a disk this far behind is refused more work instead of filling the memory
_PUBLISH_AFTER = 0.5  # seconds the file `checkpoint` may be behind, and a checkpoint behind a promise


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


class Ledger:
    """One ledger, opened by one writer or any number of readers. Safe to use from many threads."""

    def __init__(
        self, writer: KeepingWriter | None, signed: Signed, reader: LedgerReader, discretion: Discretion | None
    ) -> None:
        """Use `Ledger.open`."""
        self._writer, self._read, self._reader = writer, signed, reader
        self.discretion = discretion
        self._wake = threading.Condition()
        self._waiting: list[_Job] = []
        self._waiting_bytes = 0
        self._thread: threading.Thread | None = None
        self._closed = False
        self._process = os.getpid()
        self._hand = threading.Lock()  # held by whoever writes
        self._wanted = False  # the thread waits for it; locks are not fair
        self._timed = False  # the thread will sign what was kept, at its time
        self._nudged = False

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        origin: str,
        signer: Signer | None,
        clock: Clock = system_clock,
        create: bool = False,
        keys: Sequence[PublicKey] = (),
        discretion: Discretion | None = None,
    ) -> Self:
        """Open the ledger in `folder`.

        Parameters
        ----------
        folder : Path
            Where it is kept (0700).
        origin : str
            Name of the log in its checkpoints, such as "example.com/ws_1/control"; never changes.
        signer : Signer or None
            Ed25519 key that signs checkpoints. None: only to read, as of the newest checkpoint; needs no lock, so
            another process may be writing.
        clock : Clock
            Dates the entries.
        create : bool
            Begin a ledger if there is none.
        keys : sequence of PublicKey
            Further keys the newest checkpoint may be signed by: earlier ones of a rotated key; all of them when
            reading (without any, a reader takes the checkpoint as it is).
        discretion : Discretion, optional
            Makes every actor a pseudonym and seals words before anything is written. Without it actors are written as
            they are given, and words are refused: for ledgers that know of no person.

        Raises
        ------
        NotFound
            There is no ledger, and `create` is False.
        LedgerInUse
            Another process writes it.
        VerificationFailed
            It is not what was signed: changed, cut off, another log's or another key's. `link` names the first break.
        LedgerUnavailable
            The folder cannot be written.
        """
        check_origin(origin)
        paths = LedgerPaths(folder)
        if signer is not None:
            writer = KeepingWriter(paths, origin, signer, clock, keys=keys, create=create)
            return cls(writer, writer.signed, LedgerReader(paths.entries, writer.cache), discretion)
        signed, _ = newest_checkpoint(paths, keys, origin)
        refuse_missing(paths, signed)
        if signed is None:
            raise NotFound(f"There is no ledger in {folder}.")
        if signed.head.origin != origin:
            raise VerificationFailed(
                f"The ledger in {folder} is {signed.head.origin!r}; expected {origin!r}.", link="origin"
            )
        tree = open_to_read(paths, signed.head, TreeCache(paths.cache, write=False))
        return cls(None, signed, LedgerReader(paths.entries, tree), discretion)

    def sign_with(self, signer: Signer) -> None:
        """Have checkpoints signed by `signer` from the next one on: the key in use, after a rotation of its branch.

        Raises
        ------
        Refused
            The ledger was opened to read.
        """
        if self._writer is None:
            raise Refused("This ledger was opened to read; it signs nothing.")
        self._writer.sign_with(signer)

    # ---- recording

    def append(
        self,
        action: str,
        subject: str,
        detail: Mapping[str, object],
        attachment: bytes | None = None,
        actor: str = "",
        words: str = "",
    ) -> Appended:
        """Record one entry; returns when it is acknowledged. Concurrent callers share one wait for the disk.

        Raises
        ------
        InvalidInput
            The entry is malformed or too large.
        LedgerUnavailable
            It was not acknowledged: disk full, read-only, an I/O error. Whatever depends on it must not happen.
        Refused
            The ledger is closed, or was opened to read.
        """
        entry = Entry(action=action, subject=subject, detail=detail, attachment=attachment, actor=actor, words=words)
        return self.submit(entry).result()

    def append_many(self, entries: Sequence[Entry]) -> list[Appended]:
        """Record entries in one commit, in order: all of them are acknowledged, or none.

        Raises
        ------
        InvalidInput, LedgerUnavailable, Refused
            As `append`. A crash in the middle may leave the first of them in the ledger.
        """
        if not entries:
            return []
        future: Future[list[Appended]] = Future()
        self._hand_in(_Job([self._prepared(entry) for entry in entries], future, many=True))
        return future.result()

    def submit(self, entry: Entry) -> "Future[Appended]":
        """Record one entry without waiting: the future ends as `append` would (`asyncio.wrap_future` takes it).

        Cancelling the future before its batch begins takes the entry out again.

        Raises
        ------
        InvalidInput, LedgerUnavailable, Refused
            It could not even be handed in.
        """
        future: Future[Appended] = Future()
        self._hand_in(_Job([self._prepared(entry)], future))
        return future

    def keep(self, prepared: Sequence[Prepared], *, on_disk: bool = True) -> "Future[Promised]":
        """Record entries that are bytes already, without waiting: the future ends when all of them are promised, or none.

        For many small records that no person makes (`prepare_decision`): nothing is added to them and nothing hidden in
        them, and one checkpoint a second covers what is promised meanwhile.

        Parameters
        ----------
        on_disk : bool
            As `Writer.keep`.

        Raises
        ------
        LedgerUnavailable, Refused
            They could not even be handed in; or this ledger hides who acts, which needs entries it can read.
        """
        self._writable()
        future: Future[Promised] = Future()
        self._hand_in(_Keep(prepared, future, on_disk=on_disk))
        return future

    def prepare_to_keep(self, *, small: bool = False) -> None:
        """Lay out the journal, so that the first promise need not wait for that; `small` where many are kept on one machine.

        Raises
        ------
        LedgerUnavailable, Refused
            It cannot be laid out; or nothing can be kept here.
        """
        self._writable().lay_out(small=small)

    def keep_here(self, prepared: Sequence[Prepared], *, on_disk: bool = True) -> Promised | None:
        """`keep` by this very thread, which then waits for disk and signer itself; None: somebody else is writing.

        Where both are quick this costs half of handing over to another thread and back.

        Raises
        ------
        LedgerUnavailable, Refused
            As the future of `keep` ends.
        """
        writer = self._writable()
        if self._waiting or self._wanted or not self._hand.acquire(blocking=False):
            return None
        try:
            self._writable()  # it may have been closed meanwhile
            kept = writer.keep(prepared, on_disk=on_disk)
            if not self._timed or writer.in_a_hurry:
                self._nudge()
        finally:
            self._hand.release()
        return Promised(kept.first, len(prepared), kept)

    # ---- reading

    @property
    def writable(self) -> bool:
        """Whether it was opened to record something, and not only to read."""
        return self._writer is not None

    @property
    def size(self) -> int:
        """How many entries the newest checkpoint covers."""
        return self._signed.head.size

    def checkpoint(self) -> bytes:
        """The newest signed checkpoint. Keep it elsewhere: it shows later that nothing before it was changed."""
        return self._signed.note

    def proof(self, index: int, *, under: bytes | None = None) -> bytes:
        """The proof (c2sp.org/tlog-proof) that entry `index` is under the newest checkpoint, or an earlier one.

        Parameters
        ----------
        under : bytes, optional
            An earlier checkpoint of this ledger, such as one that witnesses cosigned. Its signatures are not checked.

        Raises
        ------
        NotFound
            There is no such entry, or not yet under that checkpoint.
        VerificationFailed
            The ledger's entries are no longer those that were signed.
        """
        signed = self._signed if under is None else Signed(under, Checkpoint.parse_note(under))
        if signed.head.size > self.size:
            raise VerificationFailed(
                f"That checkpoint is over {signed.head.size} entries; the ledger has {self.size}.", link="checkpoint"
            )
        return TlogProof(index, tuple(self._reader.path(index, signed.head)), signed.note).to_bytes()

    def consistency(self, old_size: int) -> list[bytes]:
        """The hashes that show the newest checkpoint extends the one for `old_size` entries (`verify_extension`).

        Raises
        ------
        InvalidInput
            The ledger has fewer entries.
        """
        return self._reader.consistency(old_size, self._signed.head)

    def entry(self, index: int) -> LedgerEntry:
        """Entry `index`, checked against the newest checkpoint.

        Raises
        ------
        NotFound
            There is no such entry.
        VerificationFailed
            It is no longer what was signed.
        """
        return self._reader.entry(index, self._signed.head)

    def entries(self, start: int = 0) -> Iterator[LedgerEntry]:
        """The entries from `start` to the newest checkpoint, as the file has them: numbered and chained.

        Raises
        ------
        VerificationFailed
            One is malformed, or names another predecessor. For proof against changes: `entry` or `verify_ledger`.
        """
        return self._reader.entries(start, self._signed.head)

    # ---- ending

    def close(self) -> None:
        """Finish what was handed in, then let the next writer in. Closing twice does nothing."""
        with self._wake:
            if self._closed:
                return
            self._closed = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join()
        if self._writer is not None:
            with self._hand:
                self._writer.close()
        else:
            self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ---- the writing thread

    @property
    def _signed(self) -> Signed:
        return self._writer.signed if self._writer is not None else self._read

    def _prepared(self, entry: Entry) -> Prepared:
        """Where people act, with the decision they act by, and without their names."""
        return prepare(entry if self.discretion is None else self.discretion.hidden(with_authority(entry)))

    def _writable(self) -> KeepingWriter:
        """The writer, for entries that are bytes already."""
        if self.discretion is not None:
            raise Refused("This ledger hides who acts. Hand it entries, not bytes.")
        if self._writer is None:
            raise Refused("This ledger was opened to read. Open it with its signer to record something.")
        if os.getpid() != self._process:
            raise Refused("This ledger was opened by the parent process. One process writes; open it there.")
        if self._closed:
            raise Refused("This ledger is closed. Open it again to record something.")
        return self._writer

    def _hand_in(self, job: "_Job") -> None:
        if self._writer is None:
            raise Refused("This ledger was opened to read. Open it with its signer to record something.")
        if os.getpid() != self._process:
            raise Refused("This ledger was opened by the parent process. One process writes; open it there.")
        with self._wake:
            if self._closed:
                raise Refused("This ledger is closed. Open it again to record something.")
            if self._waiting_bytes > _MOST_WAITING:
                raise LedgerUnavailable(
                    "The disk is too slow for what is being recorded. Nothing of this was; try later."
                )
            self._waiting.append(job)
            self._waiting_bytes += job.bytes
            self._start()
            self._wake.notify()

    def _nudge(self) -> None:
        """Have the thread look: there is something to sign that it did not write."""
        with self._wake:
            self._nudged = True
            if not self._closed:
                self._start()
            self._wake.notify()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._write, args=(self._writer,), name="ledger", daemon=True)
            self._thread.start()

    def _write(self, writer: KeepingWriter) -> None:
        """Commit whatever is waiting, and bring a checkpoint out twice a second, until closed."""
        due: float | None = None
        try:
            while (jobs := self._take(due)) is not None:
                over = due is not None and (time.monotonic() >= due or writer.in_a_hurry)
                if over:
                    with self._holding():
                        end = writer.turn()
                    writer.bring_to_disk(end)
                with self._holding():
                    _do(writer, [job for job in jobs if job.future.set_running_or_notify_cancel()])
                    if over:
                        due = None
                        _sign_kept(writer)
                    if due is None and (writer.unsigned or writer.unpublished):
                        due = time.monotonic() + _PUBLISH_AFTER
                    self._timed = due is not None
                if over and writer.unpublished:
                    writer.publish()
        finally:
            self._closed = True  # without this thread nobody may wait for it

    @contextmanager
    def _holding(self) -> Iterator[None]:
        """The writer is this thread's, before whoever keeps its own entries takes it again."""
        self._wanted = True
        with self._hand:
            self._wanted = False
            yield

    def _take(self, due: float | None) -> "list[_Job] | None":
        """What is waiting; nothing when `due` comes first or somebody nudges; None when closed and all is done."""
        with self._wake:
            while not self._waiting:
                if self._closed:
                    return None
                if self._nudged:
                    self._nudged = False
                    return []
                if not self._wake.wait(None if due is None else max(0.0, due - time.monotonic())):
                    return []
            jobs, self._waiting, self._waiting_bytes = self._waiting, [], 0
            return jobs


class _Job:
    """Entries handed in together, to be committed, and the future that waits for them."""

    __slots__ = ("bytes", "future", "many", "prepared")

    def __init__(self, prepared: Sequence[Prepared], future: "Future[Any]", *, many: bool = False) -> None:
        self.prepared, self.future, self.many = prepared, future, many
        self.bytes = sum(len(item) for item in prepared)


class _Keep(_Job):
    """Entries to be promised."""

    __slots__ = ("on_disk",)

    def __init__(self, prepared: Sequence[Prepared], future: "Future[Any]", *, on_disk: bool) -> None:
        super().__init__(prepared, future)
        self.on_disk = on_disk


def _do(writer: KeepingWriter, jobs: Sequence[_Job]) -> None:
    """Do the jobs in two batches, those to be committed first, and end their futures."""
    kept = [job for job in jobs if isinstance(job, _Keep)]
    _commit(writer, [job for job in jobs if not isinstance(job, _Keep)])
    _keep(writer, kept)


def _commit(writer: KeepingWriter, jobs: Sequence[_Job]) -> None:
    if not jobs:
        return
    try:
        batch = writer.commit([item for job in jobs for item in job.prepared])
    except Exception as error:  # noqa: BLE001 whatever went wrong, the callers must hear of it
        _fail(jobs, error)
        return
    at = 0
    for job in jobs:
        done = [
            Appended(batch.first + place, batch.leaves[place], batch) for place in range(at, at + len(job.prepared))
        ]
        at += len(done)
        job.future.set_result(done if job.many else done[0])


def _keep(writer: KeepingWriter, jobs: Sequence[_Keep]) -> None:
    if not jobs:
        return
    try:
        on_disk = any(job.on_disk for job in jobs)
        kept = writer.keep([item for job in jobs for item in job.prepared], on_disk=on_disk)
    except Exception as error:  # noqa: BLE001 as above
        _fail(jobs, error)
        return
    first = kept.first
    for job in jobs:
        job.future.set_result(Promised(first, len(job.prepared), kept))
        first += len(job.prepared)


def _fail(jobs: Sequence[_Job], error: Exception) -> None:
    reason = str(error) if isinstance(error, LedgerUnavailable) else f"The ledger failed: {error!r}."
    for job in jobs:
        job.future.set_exception(LedgerUnavailable(reason))


def _sign_kept(writer: KeepingWriter) -> None:
    """Sign what was promised; where that fails, nothing more is promised until it works."""
    if writer.unsigned:
        with suppress(LedgerUnavailable):
            writer.sign_kept()
