"""The decision log: every answer is sealed and on disk before it leaves, and comes with a receipt.

Answers: what was asked, what was answered, by which model, for whom? Sealed as an attachment of the
ledger entry, readable with the workspace's decision key only. The entry itself holds salted digests.
Does not answer: were the record kept by somebody who wants to lose it? Then a checkpoint held elsewhere tells.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from time import perf_counter, thread_time
from typing import NamedTuple, Protocol

import msgspec

from sealwright.kernel import Clock, InvalidInput, NotFound, SealwrightError, VerificationFailed
from sealwright.serving.config import Limits
from sealwright.serving.inquiry import Inquiry
from sealwright.serving.place_sealing import PlaceSealer, opened_at_its_place
from sealwright.serving.problems import AnswerTooLarge, AnswerTooLate, NoSuchRoute, NotRecorded
from sealwright.serving.recording_pace import RecordingPace
from sealwright.trust import (
    DECISION,
    PROMISE_SECONDS,
    Entry,
    LedgerEntry,
    Prepared,
    Promised,
    decision_detail,
    make_receipts,
    prepare_decision,
)

__all__ = ["DecisionLedger", "DecisionLog", "DecisionRecord", "read_decision"]

_SALT_BYTES = 32
_USUAL = Limits()
_MOST_TOGETHER = 15 << 20  # bytes of request and answer that a record surely holds
_LATE_AT_ONCE = 500  # decisions in one entry


class DecisionLedger(Protocol):
    """What of `trust.Ledger` is needed here: the ledger itself, or the way to the process that holds it."""

    def keep_here(self, prepared: Sequence[Prepared], *, on_disk: bool) -> Promised | None: ...
    def keep(self, prepared: Sequence[Prepared], *, on_disk: bool) -> "Future[Promised]": ...
    def append(self, action: str, subject: str, detail: Mapping[str, object], *, actor: str) -> object: ...
    def append_many(self, entries: Sequence[Entry]) -> object: ...
    def proof(self, index: int) -> bytes: ...
    def close(self) -> None: ...


class DecisionRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One decision as it was taken. `request` and `answer` are the exact bytes."""

    decision: str
    project: str
    number: int
    package: str
    sequence: int  # of the release pointer that was current
    protocol: str  # "named" or "oip"
    subject: str  # whom the token spoke for
    token: str  # its id
    salt: bytes  # of the digests in the ledger entry
    request: bytes
    answer: bytes
    person: str = ""  # pseudonym of whom it is about, where the caller named them
    gpc: bool = False  # their browser sent the signal Global Privacy Control
    kept: bytes = (
        b""  # the whole outcome as JSON, where the answer tells less: labels, probabilities, values, what stood beside
    )
    arm: str = ""  # of the pointer, that answered; "" in records of before there were arms
    named: bool = False  # the caller chose the version, so it was not drawn


class _Sealing(NamedTuple):
    """The sealer in use, and what it is for."""

    project: str
    place: str  # channel and day
    sealer: PlaceSealer


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(DecisionRecord)


class DecisionLog:
    """Writes decisions of one channel into one ledger, from one event loop.

    Where disk and signer are quick (`recording_pace`), the event loop waits for them itself: what comes meanwhile
    gathers in the sockets. Where they are not, the ledger's thread waits, and what comes meanwhile gathers here. Either way
    one wait for the disk and one signature serve many decisions.
    """

    def __init__(
        self,
        ledger: DecisionLedger,
        key: bytes,
        *,
        channel: str,
        clock: Clock,
        name_of: Callable[[str], str],
        on_disk: bool = True,
    ) -> None:
        """`name_of`: from whom a decision is about to the pseudonym they are kept under.

        `on_disk`: an answer waits until its record is on disk. Otherwise a power cut can lose the last second of records;
        the promise in every receipt says so.
        """
        self._on_disk = on_disk
        self.bound(_USUAL)
        self._ledger, self._key, self._channel, self._clock = ledger, key, channel, clock
        self._name_of = name_of
        self._sealing: _Sealing | None = None
        self._gathered: list[Inquiry] = []
        self._under_way = 0  # decisions that are being committed
        self._busy = False  # a commit is under way
        self._since = 0.0  # when it was begun
        self._late: list[str] = []  # decisions that were recorded and not told
        self._failed = False
        self._pace = RecordingPace()

    @property
    def waiting(self) -> int:
        """Decisions that are not written down yet."""
        return len(self._gathered) + self._under_way

    def bound(self, limits: Limits) -> None:
        """How long requests may wait here, and how long their callers do."""
        self._wait, self._longest = limits.wait_seconds, limits.answer_seconds

    def held(self, now: float) -> bool:
        """Whether disk or signer keep what is being committed so long that nobody else should wait for them."""
        return self._busy and now - self._since > self._wait

    def take_late(self) -> list[str]:
        """Decisions that were recorded since the last time when their callers' time was over, so nobody was told them."""
        late, self._late = self._late, []
        return late

    def note_late(self, late: Sequence[str]) -> None:
        """Write that they were; kept for the next time if the ledger takes nothing.

        Raises
        ------
        NotRecorded
        """
        for at in range(0, len(late), _LATE_AT_ONCE):
            some = list(late[at : at + _LATE_AT_ONCE])
            try:
                self.note("serving.answers_late", "", {"decisions": some})
            except NotRecorded:
                self._late += late[at:]
                raise

    def use(self, key: bytes) -> None:
        """Seal records with this key from the next one on. On the event loop."""
        self._key, self._sealing = key, None

    def record(self, decided: Sequence[Inquiry]) -> None:
        """Have decisions written down; each one's `done` ends when that is durable. On the event loop.

        The answer must not be given where it ends with `NotRecorded`.
        """
        self._gathered += decided
        if not self._busy:
            self._hand_over(asyncio.get_running_loop())

    def proof(self, index: int) -> bytes:
        """The proof that an entry is in the ledger. Reads a file: for a thread.

        Raises
        ------
        NoSuchRoute
            There is no such entry, or no checkpoint over it yet.
        """
        try:
            return self._ledger.proof(index)
        except (InvalidInput, NotFound):
            raise NoSuchRoute(f"No checkpoint covers that entry. One follows within {PROMISE_SECONDS:g} s.") from None

    def name_of(self, name: str) -> str:
        """The pseudonym a name or address is kept under; "" stays ""."""
        return self._name_of(name) if name else ""

    def note(self, action: str, subject: str, detail: Mapping[str, object]) -> None:
        """Write an event of the server itself (a model taken into service, a refused pointer), durably.

        Raises
        ------
        NotRecorded
            The ledger could not take it.
        """
        try:
            self._ledger.append(action, subject, detail, actor="predict")
        except SealwrightError as error:
            self._failed = True
            raise NotRecorded from error
        self._failed = False

    def file_beside(self, made: Callable[[bytes, str], Sequence[Entry]]) -> None:
        """Write entries that go with decisions, durably: `made` gets the key of records in use, and channel and day.

        Raises
        ------
        SealwrightError
            The ledger could not take them.
        """
        self._ledger.append_many(made(self._key, f"{self._channel}/{self._clock().date().isoformat()}"))

    def not_ready(self) -> str:
        """Why decisions cannot be recorded, as far as the last attempt showed, or ""."""
        return "decisions cannot be recorded" if self._failed else ""

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have what was gathered written down: here, where disk and signer are quick, else by the ledger's thread."""
        now = perf_counter()
        gathered, self._gathered = self._in_time(self._gathered, now), []
        self._since = now
        self._busy, self._under_way = bool(gathered), len(gathered)
        if not gathered:
            return
        try:
            entries = self._entries(gathered)
            begun, worked = perf_counter(), thread_time()
            promised = self._ledger.keep_here(entries, on_disk=self._on_disk) if self._pace.here(begun) else None
            if promised is None:
                written = self._ledger.keep(entries, on_disk=self._on_disk)
                written.add_done_callback(lambda done: _call(loop, self._deliver, loop, gathered, done))
                return
        except Exception as error:  # noqa: BLE001 - whatever it is, who waits must hear of it, and the next ones go on
            self._busy, self._under_way = False, 0
            large = [one for one in gathered if len(one.body) + len(one.answer) > _MOST_TOGETHER]
            if large and isinstance(error, InvalidInput):
                self._without(large, gathered, loop)
            else:
                self._fail(gathered, error)
            return
        self._busy, self._under_way = False, 0
        now = perf_counter()
        self._pace.waited_here(now - begun - (thread_time() - worked), now)
        self._give(gathered, promised)

    def _without(self, large: list[Inquiry], gathered: list[Inquiry], loop: asyncio.AbstractEventLoop) -> None:
        """Go on with the others where some are more than a record may hold."""
        for one in large:
            one.fail(AnswerTooLarge("Ask for fewer rows at a time."))
        self._gathered = [one for one in gathered if one not in large] + self._gathered
        self._hand_over(loop)

    def _in_time(self, gathered: list[Inquiry], now: float) -> list[Inquiry]:
        """Those somebody still waits for: the others are not recorded, so they were never decided."""
        late = [one for one in gathered if one.late(now, self._longest) or one.done.done()]
        for one in late:
            one.fail(AnswerTooLate())
        return [one for one in gathered if one not in late] if late else gathered

    def _entries(self, gathered: Sequence[Inquiry]) -> list[Prepared]:
        """The ledger entries of decisions, with their sealed records."""
        salts = secrets.token_bytes(_SALT_BYTES * len(gathered))
        for at, one in enumerate(gathered):
            one.salt = salts[at * _SALT_BYTES : (at + 1) * _SALT_BYTES]
        entries = []
        for one, sealed in zip(gathered, self._sealed(gathered), strict=True):
            entries.append(
                prepare_decision(
                    decision=one.decision,
                    model=one.served.contract.project,
                    package=one.served.package,
                    request=one.body,
                    answer=one.answer,
                    salt=one.salt,
                    sealed=sealed,
                )
            )
            if one.times is not None:
                one.times.mark("seal")
        return entries

    def _deliver(
        self, loop: asyncio.AbstractEventLoop, gathered: Sequence[Inquiry], written: "Future[Promised]"
    ) -> None:
        """On the loop: start the next commit, then give every decision its receipt."""
        now = perf_counter()
        self._pace.took_there(now - self._since, now)
        self._hand_over(loop)
        error = written.exception()
        if error is not None:
            self._fail(gathered, error)
        else:
            self._give(gathered, written.result())

    def _give(self, gathered: Sequence[Inquiry], promised: Promised) -> None:
        """Every decision its receipt."""
        self._failed = False
        now = perf_counter()
        receipts = make_receipts(promised, [(one.decision, one.salt, one.answer) for one in gathered])
        for one, receipt in zip(gathered, receipts, strict=True):
            if one.times is not None:
                one.times.mark("record")
            if one.late(now, self._longest) or one.done.done():
                self._late.append(one.decision)
                one.fail(AnswerTooLate())
            else:
                one.done.set_result(receipt)

    def _fail(self, gathered: Sequence[Inquiry], error: BaseException) -> None:
        self._failed = True
        for one in gathered:
            refusal = NotRecorded()
            refusal.__cause__ = error
            one.fail(refusal)

    def _sealed(self, gathered: Sequence[Inquiry]) -> list[bytes]:
        """Their records, sealed; all are of the one project whose ledger this is."""
        project = gathered[0].served.contract.project
        place = f"{self._channel}/{self._clock().date().isoformat()}"
        sealing = self._sealing
        if sealing is None or (project, place) != (sealing.project, sealing.place):
            sealer = PlaceSealer(self._key, "decision", project, place)
            sealing = self._sealing = _Sealing(project, place, sealer)
        records = [_ENCODER.encode(self._record_of(one)) for one in gathered]
        return sealing.sealer.seal_all(records, [one.decision for one in gathered])

    def _record_of(self, one: Inquiry) -> DecisionRecord:
        served = one.served
        return DecisionRecord(
            decision=one.decision,
            project=served.contract.project,
            number=served.number,
            package=served.package,
            sequence=served.sequence,
            protocol=one.protocol.media,
            subject=one.caller.subject,
            token=one.caller.token,
            salt=one.salt,
            request=one.body,
            answer=one.answer,
            person=self.name_of(one.person),
            gpc=one.gpc,
            kept=one.kept,
            arm=served.arm,
            named=one.named,
        )


def _call(loop: asyncio.AbstractEventLoop, back: Callable[..., None], *arguments: object) -> None:
    """From the ledger's thread; a loop that has ended takes no calls, and nobody waits on it any more."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(back, *arguments)


def read_decision(entry: LedgerEntry, *keys: bytes) -> DecisionRecord:
    """Open the record of a decision's ledger entry, and check that it is the one the entry speaks of.

    Parameters
    ----------
    keys : bytes
        keyring.key("decisions", DECISION_KEY_PURPOSE) of each version there is, the newest first.

    Raises
    ------
    InvalidInput
        Not a decision's entry, or its record was erased.
    VerificationFailed
        The record does not open, or does not match the digests in the entry.
    """
    if entry.action != DECISION or entry.attachment is None:
        raise InvalidInput(f"Entry {entry.index} holds no decision record; it may have been erased.")
    decision, project = str(entry.detail.get("decision", "")), str(entry.detail.get("model", ""))
    plain = opened_at_its_place(entry.attachment, keys, kind="decision", project=project, name=decision)
    try:
        record = _DECODER.decode(plain)
        expected = decision_detail(
            decision=record.decision,
            model=record.project,
            request=record.request,
            answer=record.answer,
            salt=record.salt,
        )
    except (msgspec.MsgspecError, ValueError, InvalidInput):
        raise VerificationFailed("The decision record cannot be read.", link=f"entry {entry.index}") from None
    if dict(entry.detail) != expected or record.package != entry.subject:
        raise VerificationFailed("The decision record and its ledger entry do not agree.", link=f"entry {entry.index}")
    return record
