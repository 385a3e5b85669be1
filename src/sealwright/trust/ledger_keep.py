"""Many small batches, each made durable and promised at once, and a checkpoint over all of them twice a second.

Answers: how does a ledger take thousands of batches a second without losing one? Entries go into entries.log without
waiting for the disk; the same bytes go into the journal, which the disk takes in a tenth of a millisecond; one signature
promises the batch while the disk works. Then it is acknowledged. A checkpoint follows, and what it covers is on disk in
entries.log, so the journal may begin anew.
Does not answer: what one promise is worth. `promises` says so.
"""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sealwright.kernel import SealwrightError
from sealwright.trust.ledger_entry import Prepared
from sealwright.trust.ledger_file import LedgerUnavailable
from sealwright.trust.ledger_journal import AREA, SMALL_AREA, Journal
from sealwright.trust.ledger_open import Opened
from sealwright.trust.ledger_write import Batch, LaidOut, Writer
from sealwright.trust.merkle import Frontier, Growth
from sealwright.trust.promises import BatchPromise

__all__ = ["KeepingWriter", "Kept"]

_NOTHING = Frontier()
_CLEARED_AT_ONCE = 4 << 20  # bytes of the journal, before there is anybody who waits


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """Entries that were promised together. `tree` is over their leaves alone."""

    first: int
    leaves: list[bytes]
    tree: Growth
    note: bytes


class KeepingWriter(Writer):
    """A writer that can also promise. Used by one thread at a time."""

    def __init__(self, *known: Any, **more: Any) -> None:
        """As `Writer`."""
        self._journal: Journal | None = None
        self._turned = 0  # how far entries.log went when the other area of the journal was last in use
        self._brought = 0  # how far entries.log was brought to disk beside
        self._journaled_from = 0  # from here to its end, the journal has everything that stands in entries.log
        self._overdue = False  # a checkpoint over what was promised could not be signed in time
        self._late_offsets: list[int] = []  # of entries that the cache does not find yet
        self._late_nodes: list[bytes] = []
        self._unsure: deque[tuple[int, bytes]] = (
            deque()
        )  # what was promised and entries.log may lack; where each ends there
        super().__init__(*known, **more)

    def commit(self, prepared: Sequence[Prepared]) -> Batch:
        if self._broken:
            self._write_again(b"".join(lines for _, lines in self._unsure))
            self._unsure.clear()
            self._journaled_from = self._turned = self._entries.end
        self._catch_up()
        return super().commit(prepared)

    def keep(self, prepared: Sequence[Prepared], *, on_disk: bool) -> Kept:
        """Record entries and promise them: one signature, and a checkpoint over them within `PROMISE_SECONDS`.

        Parameters
        ----------
        on_disk : bool
            Wait for the disk before promising. Otherwise a power cut within a second loses what was promised.

        Raises
        ------
        LedgerUnavailable
            Nothing of it is acknowledged; the message says whether a later append may work.
        """
        if self._overdue:
            self.sign_kept()
        batch = self._laid_out(prepared)
        before = self._entries.end
        self._append(batch.lines)
        leaves = batch.hashes[len(batch.hashes) - len(batch.leaves) :]
        tree = _NOTHING.extend(leaves)
        promise = BatchPromise(self._signer.name, batch.first, len(leaves), tree.frontier().root(), on_disk)
        signed = self._asked(promise.text())
        try:
            if on_disk:
                self._journaled(batch, before)
            else:
                self._journaled_from = self._entries.end
        finally:
            note = signed()  # whatever the disk said: the signer's answer is on its way
        growth = self._grow(batch)
        if self._entries.end > self._flushed:
            self._unsure.append((self._entries.end, batch.lines))
        self._late_offsets += batch.offsets
        self._late_nodes.append(growth.stored())
        if isinstance(note, SealwrightError):
            raise LedgerUnavailable(
                f"Entries up to {batch.first + len(leaves) - 1} are written, but were not promised: {note}. "
                "They are not acknowledged; the next checkpoint will cover them."
            ) from None
        return Kept(batch.first, batch.leaves, tree, note)

    def lay_out(self, *, small: bool = False) -> None:
        """Make the journal; a small one where many ledgers are kept on one machine, each of them seldom busy.

        Raises
        ------
        LedgerUnavailable
            It cannot be made.
        """
        try:
            if self._journal is None:
                self._journal = Journal(self._paths.journal, SMALL_AREA if small else AREA)
        except OSError as error:
            raise _no_journal(error) from None

    @property
    def in_a_hurry(self) -> bool:
        """Whether a checkpoint should come before its time, because the journal fills."""
        return self._journal is not None and self._journal.half_full

    def turn(self) -> int:
        """Prepare a checkpoint: what is kept from here on goes into the other area of the journal, if that is free; returns
        how far entries.log goes now, to be brought to disk."""
        if self._journal is not None and max(self._brought, self._flushed) >= self._turned:
            self._journal.turn()
            self._turned = self._entries.end
        return self._entries.end

    def bring_to_disk(self, end: int) -> None:
        """Write out entries.log up to `end`, beside whoever keeps more. `sign_kept` says what went wrong."""
        with suppress(OSError):
            self._sync()
            self._brought = end

    def sign_kept(self) -> None:
        """Sign a checkpoint over what was kept: in entries.log as far as that was brought to disk, the rest in the journal.

        Raises
        ------
        LedgerUnavailable
            That failed; nothing more is kept until it works.
        """
        self._overdue = True
        self._refuse_if_broken()
        self._flushed = max(self._flushed, min(self._brought, self._entries.end))
        while self._unsure and self._unsure[0][0] <= self._flushed:
            self._unsure.popleft()
        if self._journaled_from > self._flushed or self._lost is not None:
            self._flush()
        self._catch_up()
        self._sign()
        self._overdue = False

    def tidy(self) -> bool:
        """Overwrite a piece of the journal that is not needed any more; whether there may be more."""
        if self._journal is None or self._broken:
            return False
        if self._flushed == self._entries.end:
            self._journal.begin_anew()
        try:
            return self._journal.clear()
        except OSError:
            return False  # tried again with the next checkpoint

    def close(self) -> None:
        """Sign what is left, leave nothing in the journal, and as `Writer`."""
        if not self._broken:
            with suppress(LedgerUnavailable):  # whoever opens it next signs
                if self._journal is not None:
                    self._flush()
                if self.unsigned:
                    self.sign_kept()
            while self.tidy():
                pass
        if self._journal is not None:
            self._journal.close()
        super().close()

    def _mend(self, opened: Opened, cut_note: int) -> None:
        """As `Writer`; then all of it is on disk in entries.log, and what a killed process left in the journal can go."""
        super()._mend(opened, cut_note)
        if not self._paths.journal.exists():
            return
        try:
            left = Journal(self._paths.journal, SMALL_AREA)
            try:
                while left.clear(_CLEARED_AT_ONCE):
                    pass
            finally:
                left.close()
        except OSError as error:
            raise _no_journal(error) from None

    def _flush(self) -> None:
        super()._flush()
        self._journaled_from = self._turned = self._entries.end
        self._unsure.clear()
        if self._journal is not None:
            self._journal.turn()

    def _catch_up(self) -> None:
        """Let the cache find what was kept."""
        if self._late_offsets:
            self._remember(self._late_offsets, b"".join(self._late_nodes))
            self._late_offsets, self._late_nodes = [], []

    def _journaled(self, batch: LaidOut, before: int) -> None:
        """A batch on disk: in the journal, or where there is none or it is full, in entries.log."""
        first = batch.first - (len(batch.hashes) - len(batch.leaves))
        try:
            self.lay_out()
            assert self._journal is not None
            if self._journal.fits(len(batch.lines)):
                self._journal.keep(first, batch.lines)
                return
        except (OSError, LedgerUnavailable) as error:
            with suppress(OSError):
                self._entries.cut(before)
            raise error if isinstance(error, LedgerUnavailable) else _no_journal(error) from None
        self._flush()

    def _asked(self, text: str) -> Callable[[], bytes | SealwrightError]:
        """Have a promise signed meanwhile; calling the result waits for it."""
        try:
            begun = self._signer.begin_promise(text)
        except SealwrightError as error:
            refused = error
            return lambda: refused

        def end() -> bytes | SealwrightError:
            try:
                return begun()
            except SealwrightError as error:
                return error

        return end


def _no_journal(error: OSError) -> LedgerUnavailable:
    return LedgerUnavailable(
        f"The ledger's journal cannot be written: {error.strerror}. Nothing was recorded; try again when that is mended."
    )
