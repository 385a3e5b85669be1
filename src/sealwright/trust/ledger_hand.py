"""The one hand that writes a ledger: its own thread, or for a moment whoever calls when nobody else is writing.

Answers: who writes now, and what is written together?
Does not answer: how it comes to disk and under a checkpoint. The writer does that (`ledger_keep`, `ledger_write`).

Callers of any number of threads hand in jobs. The thread takes whatever is waiting, writes it with one write, waits for
the disk once, signs one checkpoint over the new tree, and ends the future of each job.
"""

import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any

from sealwright.kernel import Refused
from sealwright.trust.ledger_acknowledged import Appended, Promised
from sealwright.trust.ledger_entry import Prepared
from sealwright.trust.ledger_file import LedgerUnavailable
from sealwright.trust.ledger_keep import KeepingWriter
from sealwright.trust.ledger_open import Signed
from sealwright.trust.public_keys import Signer

__all__ = ["WritingHand"]

_MOST_WAITING = 256 << 20  # bytes; a disk this far behind is refused more work instead of filling the memory
_PUBLISH_AFTER = 0.5  # seconds the file `checkpoint` may be behind, and a checkpoint behind a promise


class WritingHand:
    """Writes for whoever asks, in the order asked. Its thread starts with the first that waits for it."""

    def __init__(self, writer: KeepingWriter) -> None:
        self._writer = writer
        self._process = os.getpid()
        self._wake = threading.Condition()
        self._waiting: list[_Job] = []
        self._waiting_bytes = 0
        self._thread: threading.Thread | None = None
        self._closed = False
        self._hand = threading.Lock()  # held by whoever writes
        self._wanted = False  # the thread waits for it; locks are not fair
        self._timed = False  # the thread will sign what was kept, at its time
        self._nudged = False

    @property
    def writer(self) -> KeepingWriter:
        """What it writes with.

        Raises
        ------
        Refused
            The ledger is closed, or was opened by the parent process.
        """
        self._refuse_unusable()
        return self._writer

    @property
    def signed(self) -> Signed:
        """The newest checkpoint."""
        return self._writer.signed

    def sign_with(self, signer: Signer) -> None:
        """Sign with this one from the next checkpoint on."""
        self._writer.sign_with(signer)

    def commit(self, prepared: Sequence[Prepared]) -> "Future[list[Appended]]":
        """Hand in entries for one commit; raises as `Ledger.append_many` where they cannot be."""
        future: Future[list[Appended]] = Future()
        self._hand_in(_Job(prepared, future, many=True))
        return future

    def commit_one(self, prepared: Prepared) -> "Future[Appended]":
        """Hand in one entry, to be committed with whatever else is waiting; raises as `Ledger.submit`."""
        future: Future[Appended] = Future()
        self._hand_in(_Job([prepared], future))
        return future

    def keep(self, prepared: Sequence[Prepared], *, on_disk: bool) -> "Future[Promised]":
        """Hand in entries for one promise; raises as `Ledger.keep` where they cannot be."""
        future: Future[Promised] = Future()
        self._hand_in(_Keep(prepared, future, on_disk=on_disk))
        return future

    def keep_here(self, prepared: Sequence[Prepared], *, on_disk: bool) -> Promised | None:
        """As `Ledger.keep_here`."""
        if self._waiting or self._wanted or not self._hand.acquire(blocking=False):
            return None
        try:
            writer = self.writer  # asked only now: it may have been closed meanwhile
            kept = writer.keep(prepared, on_disk=on_disk)
            if not self._timed or writer.in_a_hurry:
                self._nudge()
        finally:
            self._hand.release()
        return Promised(kept.first, len(prepared), kept)

    def close(self) -> None:
        """Finish what was handed in, and let the next writer in."""
        with self._wake:
            if self._closed:
                return
            self._closed = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join()
        with self._hand:
            self._writer.close()

    def _refuse_unusable(self) -> None:
        if os.getpid() != self._process:
            raise Refused("This ledger was opened by the parent process. One process writes; open it there.")
        if self._closed:
            raise Refused("This ledger is closed. Open it again to record something.")

    def _hand_in(self, job: "_Job") -> None:
        with self._wake:
            self._refuse_unusable()
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
                while over and not self._waiting and self._tidied(writer):
                    pass
        finally:
            self._closed = True  # without this thread nobody may wait for it

    def _tidied(self, writer: KeepingWriter) -> bool:
        with self._holding():
            return writer.tidy()

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
