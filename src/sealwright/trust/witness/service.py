"""A witness at work: cosigns a checkpoint only if its tree adds to the one it cosigned last.

Answers: may this checkpoint be cosigned, and what is the answer if not?
Does not answer: how requests arrive; a door does that.

The rules are those of c2sp.org/tlog-witness. What was cosigned is on disk before the answer leaves, and comparing and
keeping happen in one step, so the witness never cosigns two trees that contradict each other, whatever is asked at once.
"""

import os
import threading
from pathlib import Path
from typing import Self

from sealwright.kernel import Clock, SealwrightError, VerificationFailed, system_clock
from sealwright.trust.merkle import EMPTY_ROOT, verify_consistency
from sealwright.trust.notes import Checkpoint, open_checkpoint
from sealwright.trust.witness.cosignature import WitnessKey, cosignatures_of, with_cosignatures
from sealwright.trust.witness.protocol import SIZE_TYPE, AddCheckpoint, Reply
from sealwright.trust.witness.state import WitnessState

__all__ = ["Witness"]


class Witness:
    """One witness, in one process; safe to use from many threads. Use it in a `with` block."""

    def __init__(self, folder: Path, *, name: str = "", clock: Clock = system_clock) -> None:
        """Open the witness in `folder`; the first time its key is made.

        Raises
        ------
        LedgerInUse
            Another process runs it.
        Conflict
            It has another name.
        """
        self.state = WitnessState(folder)
        self._held = self.state.hold()
        try:
            self._cosigner = self.state.cosigner(name)
        except BaseException:
            os.close(self._held)
            raise
        self._clock = clock
        self._one_at_a_time = threading.Lock()

    @property
    def key(self) -> WitnessKey:
        """What those who trust it are given."""
        return self._cosigner.key

    def add_checkpoint(self, body: bytes) -> Reply:
        """Answer one add-checkpoint request. Never raises for what a request says."""
        try:
            asked = AddCheckpoint.parse(body)
            claimed = Checkpoint.parse_note(asked.note)
        except VerificationFailed as error:
            return _no(400, str(error))
        keys = self.state.keys_for(claimed.origin)
        if not keys:
            return _no(404, "This witness does not know that log.")
        try:
            head = open_checkpoint(asked.note, keys, claimed.origin)
        except VerificationFailed:
            return _no(403, "No key this witness knows for that log signed the checkpoint.")
        if asked.old > head.size:
            return _no(400, "The old size is larger than the checkpoint's.")
        with self._one_at_a_time:
            return self._extend(asked, head)

    def _extend(self, asked: AddCheckpoint, head: Checkpoint) -> Reply:
        try:
            before, last = self._last(head.origin)
        except SealwrightError:
            return _no(500, "What this witness kept about the log cannot be read, so nothing is cosigned.")
        if asked.old != before.size:
            return Reply(409, b"%d\n" % before.size, SIZE_TYPE)
        if head.size == before.size and head.root != before.root:
            self.state.keep_conflict(head.origin, asked.note)
            return Reply(409, b"%d\n" % before.size, SIZE_TYPE)
        try:
            verify_consistency(before.size, head.size, asked.proof, before.root, head.root)
        except VerificationFailed as error:
            return _no(422, str(error))
        now = int(self._clock().timestamp())
        if now < last:
            return _no(503, "The clock of this witness was set back; it does not cosign until that time has come.")
        line = self._cosigner.sign(asked.note, now)
        try:
            self.state.keep(head.origin, with_cosignatures(asked.note, line, [self.key]))
        except OSError:
            return _no(503, "This witness cannot write, so it does not cosign.")
        return Reply(200, line)

    def _last(self, origin: str) -> tuple[Checkpoint, int]:
        """The last checkpoint cosigned for a log, and when (seconds since 1970)."""
        note = self.state.seen(origin)
        if note is None:
            return Checkpoint(origin, 0, EMPTY_ROOT), 0
        head = Checkpoint.parse_note(note)
        own = cosignatures_of(note, [self.key]).get(self.key.name)
        if own is None or head.origin != origin:
            raise VerificationFailed("What was kept is not what this witness cosigned.", link="seen")
        return head, int(own.at.timestamp())

    def close(self) -> None:
        os.close(self._held)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _no(status: int, why: str) -> Reply:
    return Reply(status, f"{why}\n".encode())
