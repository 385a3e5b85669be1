"""The ledger: an append-only Merkle log whose every acknowledged entry is on disk and under a signed checkpoint.

Answers: how is something recorded so that nobody, the owner included, can later change it unseen?
Does not answer: whether somebody was shown another history; that takes a checkpoint kept elsewhere (`verify_ledger`).

When something fails, one rule: what reached the disk whole stays, what did not is cut off, and only what a published
checkpoint covers is acknowledged. So a failed append may be tried again, and no two checkpoints contradict each other.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Self

from sealwright.kernel import Clock, NotFound, Refused, VerificationFailed, system_clock
from sealwright.trust.authority import with_authority
from sealwright.trust.discretion import Discretion
from sealwright.trust.ledger_acknowledged import Appended, Promised
from sealwright.trust.ledger_cache import TreeCache
from sealwright.trust.ledger_entry import Entry, LedgerEntry, Prepared, prepare
from sealwright.trust.ledger_file import LedgerPaths
from sealwright.trust.ledger_hand import WritingHand
from sealwright.trust.ledger_keep import KeepingWriter
from sealwright.trust.ledger_open import Signed, newest_checkpoint, open_to_read, refuse_missing
from sealwright.trust.ledger_read import LedgerReader
from sealwright.trust.notes import Checkpoint, TlogProof, check_origin
from sealwright.trust.public_keys import PublicKey, Signer

__all__ = ["Ledger"]


class Ledger:
    """One ledger, opened by one writer or any number of readers. Safe to use from many threads."""

    def __init__(
        self, hand: WritingHand | None, signed: Signed, reader: LedgerReader, discretion: Discretion | None
    ) -> None:
        """Use `Ledger.open`."""
        self._writing, self._opened_with, self._reader = hand, signed, reader
        self.discretion = discretion

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
            return cls(WritingHand(writer), writer.signed, LedgerReader(paths.entries, writer.cache), discretion)
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
        self._hand.sign_with(signer)

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
        return self._hand.commit([self._prepared(entry) for entry in entries]).result()

    def submit(self, entry: Entry) -> "Future[Appended]":
        """Record one entry without waiting: the future ends as `append` would (`asyncio.wrap_future` takes it).

        Cancelling the future before its batch begins takes the entry out again.

        Raises
        ------
        InvalidInput, LedgerUnavailable, Refused
            It could not even be handed in.
        """
        return self._hand.commit_one(self._prepared(entry))

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
        return self._hand_for_bytes.keep(prepared, on_disk=on_disk)

    def prepare_to_keep(self, *, small: bool = False) -> None:
        """Lay out the journal, so that the first promise need not wait for that; `small` where many are kept on one machine.

        Raises
        ------
        LedgerUnavailable, Refused
            It cannot be laid out; or nothing can be kept here.
        """
        self._hand_for_bytes.writer.lay_out(small=small)

    def keep_here(self, prepared: Sequence[Prepared], *, on_disk: bool = True) -> Promised | None:
        """`keep` by this very thread, which then waits for disk and signer itself; None: somebody else is writing.

        Where both are quick this costs half of handing over to another thread and back.

        Raises
        ------
        LedgerUnavailable, Refused
            As the future of `keep` ends.
        """
        return self._hand_for_bytes.keep_here(prepared, on_disk=on_disk)

    # ---- reading

    @property
    def writable(self) -> bool:
        """Whether it was opened to record something, and not only to read."""
        return self._writing is not None

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
        if self._writing is not None:
            self._writing.close()
        else:
            self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ---- what it stands on

    @property
    def _signed(self) -> Signed:
        return self._writing.signed if self._writing is not None else self._opened_with

    @property
    def _hand(self) -> WritingHand:
        if self._writing is None:
            raise Refused("This ledger was opened to read. Open it with its signer to record something.")
        return self._writing

    @property
    def _hand_for_bytes(self) -> WritingHand:
        if self.discretion is not None:
            raise Refused("This ledger hides who acts. Hand it entries, not bytes.")
        return self._hand

    def _prepared(self, entry: Entry) -> Prepared:
        """Where people act, with the decision they act by, and without their names."""
        return prepare(entry if self.discretion is None else self.discretion.hidden(with_authority(entry)))
