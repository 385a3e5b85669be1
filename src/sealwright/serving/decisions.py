"""The decision log: every answer is sealed and on disk before it leaves, and comes with a receipt.

Answers: what was asked, what was answered, by which model, for whom? Sealed as an attachment of the
ledger entry, readable with the workspace's decision key only. The entry itself holds salted digests.
Does not answer: were the record kept by somebody who wants to lose it? Then a checkpoint held elsewhere tells.

A record is sealed under a key of its channel and day, because one key may seal 2**32 records and no more
(NIST SP 800-38D, section 8.3). Channel and day stand in front of it: "live/2026-11-22", a newline, the record.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from sealwright.kernel import Clock, InvalidInput, SealwrightError, VerificationFailed
from sealwright.serving.problems import NotRecorded
from sealwright.serving.tokens import Caller
from sealwright.trust import (
    Appended,
    Entry,
    Ledger,
    LedgerEntry,
    decision_detail,
    derive_key,
    make_receipt,
    open_sealed,
    seal,
)

if TYPE_CHECKING:
    from sealwright.serving.holder import Served

__all__ = ["DECISION", "DecisionLog", "DecisionRecord", "read_decision"]

DECISION = "decision"
"""The action of a decision's ledger entry."""

_SALT_BYTES = 32
_LONGEST_PLACE = 128  # bytes: a channel of 64, a day, a newline


class DecisionRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One decision as it was taken. `request` and `answer` are the exact texts."""

    decision: str
    project: str
    number: int
    package: str
    sequence: int  # of the release pointer that was current
    protocol: str  # "named" or "oip"
    subject: str  # whom the token spoke for
    token: str  # its id
    salt: str  # of the digests in the ledger entry, hex
    request: str
    answer: str
    person: str = ""  # pseudonym of whom it is about, where the caller named them
    gpc: bool = False  # their browser sent the signal Global Privacy Control


class _Sealing(NamedTuple):
    """The key in use, and what it is for."""

    project: str
    place: str  # channel and day
    key: bytes


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(DecisionRecord)


class DecisionLog:
    """Writes decisions of one channel into one ledger, from one event loop.

    While one commit is under way the next decisions gather, so that under load one wait for the disk,
    one signature and one wake-up serve many of them.
    """

    def __init__(
        self, ledger: Ledger, key: bytes, *, channel: str, clock: Clock, name_of: Callable[[str], str]
    ) -> None:
        """`name_of`: from whom a decision is about to the pseudonym they are kept under."""
        self._ledger, self._key, self._channel, self._clock = ledger, key, channel, clock
        self._name_of = name_of
        self._sealing = _Sealing("", "", b"")
        self._gathered: list[tuple[Entry, asyncio.Future[Appended]]] = []
        self._busy = False  # a commit is under way, or about to be handed over
        self._failed = False

    def use(self, key: bytes) -> None:
        """Seal records with this key from the next one on. On the event loop."""
        self._key, self._sealing = key, _Sealing("", "", b"")

    async def record(
        self,
        *,
        decision: str,
        served: "Served",
        protocol: str,
        caller: Caller,
        request: bytes,
        answer: bytes,
        person: str = "",
        gpc: bool = False,
    ) -> bytes:
        """Write one decision down durably and return its receipt (JSON). `person` is kept by pseudonym only.

        Raises
        ------
        NotRecorded
            The ledger could not take it. The answer must not be given.
        """
        salt = secrets.token_bytes(_SALT_BYTES)
        record = DecisionRecord(
            decision=decision,
            project=served.contract.project,
            number=served.number,
            package=served.package,
            sequence=served.sequence,
            protocol=protocol,
            subject=caller.subject,
            token=caller.token,
            salt=salt.hex(),
            request=request.decode(),
            answer=answer.decode(),
            person=self._name_of(person) if person else "",
            gpc=gpc,
        )
        detail = decision_detail(
            decision=decision, model=served.contract.project, request=request, answer=answer, salt=salt
        )
        entry = Entry(
            action=DECISION,
            subject=served.package,
            detail=detail,
            attachment=self._sealed(record),
        )
        try:
            appended = await self._appended(entry)
        except SealwrightError as error:
            self._failed = True
            raise NotRecorded from error
        self._failed = False
        return make_receipt(appended, salt=salt, answer=answer)

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

    def _sealed(self, record: DecisionRecord) -> bytes:
        place = f"{self._channel}/{self._clock().date().isoformat()}"
        if (record.project, place) != self._sealing[:2]:
            self._sealing = _Sealing(record.project, place, _key_of(self._key, record.project, place))
        head = place.encode() + b"\n"
        return head + seal(self._sealing.key, _ENCODER.encode(record), aad=head + record.decision.encode())

    def not_ready(self) -> str:
        """Why decisions cannot be recorded, as far as the last attempt showed, or ""."""
        return "decisions cannot be recorded" if self._failed else ""

    async def _appended(self, entry: Entry) -> Appended:
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[Appended] = loop.create_future()
        self._gathered.append((entry, waiting))
        if not self._busy:
            self._busy = True
            loop.call_soon(self._hand_over, loop)  # after every request that is ready now has been decided
        return await waiting

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        """Give what was gathered to the ledger's thread."""
        gathered, self._gathered = self._gathered, []
        handed: list[tuple[Future[Appended], asyncio.Future[Appended]]] = []
        for entry, waiting in gathered:
            try:
                handed.append((self._ledger.submit(entry), waiting))
            except SealwrightError as error:
                _fail(waiting, error)
        if not handed:
            self._busy = False
            return
        # The ledger ends its futures in the order it was given them, so the last one tells of all.
        handed[-1][0].add_done_callback(lambda _: _call(loop, self._deliver, loop, handed))

    def _deliver(
        self, loop: asyncio.AbstractEventLoop, handed: "list[tuple[Future[Appended], asyncio.Future[Appended]]]"
    ) -> None:
        """On the loop: start the next commit, then give every finished one to its request."""
        self._busy = bool(self._gathered)
        if self._busy:
            self._hand_over(loop)
        for written, waiting in handed:
            error = written.exception()
            if error is not None:
                _fail(waiting, error)
            elif not waiting.done():
                waiting.set_result(written.result())


def _fail(waiting: "asyncio.Future[Appended]", error: BaseException) -> None:
    if not waiting.done():
        waiting.set_exception(error)


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
    place, newline, sealed = entry.attachment[:_LONGEST_PLACE].partition(b"\n")
    sealed += entry.attachment[_LONGEST_PLACE:]
    where, aad = place.decode("ascii", "replace"), place + newline + decision.encode()
    plain = _opened([_key_of(key, project, where) for key in keys], sealed, aad)
    try:
        record = _DECODER.decode(plain)
        expected = decision_detail(
            decision=record.decision,
            model=record.project,
            request=record.request.encode(),
            answer=record.answer.encode(),
            salt=bytes.fromhex(record.salt),
        )
    except (msgspec.MsgspecError, ValueError, InvalidInput):
        raise VerificationFailed("The decision record cannot be read.", link=f"entry {entry.index}") from None
    if dict(entry.detail) != expected or record.package != entry.subject:
        raise VerificationFailed("The decision record and its ledger entry do not agree.", link=f"entry {entry.index}")
    return record


def _opened(keys: Sequence[bytes], sealed: bytes, aad: bytes) -> bytes:
    """By whichever key sealed it: the record does not say."""
    for key in keys[:-1]:
        with contextlib.suppress(VerificationFailed):
            return open_sealed(key, sealed, aad=aad)
    return open_sealed(keys[-1], sealed, aad=aad)


def _key_of(key: bytes, project: str, place: str) -> bytes:
    return derive_key(key, info=f"sealwright decision record/{project}/{place}".encode())
