"""The decision log: every answer is sealed and on disk before it leaves, and comes with a receipt.

Answers: what was asked, what was answered, by which model, for whom? Sealed as an attachment of the
ledger entry, readable with the workspace's decision key only. The entry itself holds salted digests.
Does not answer: were the record kept by somebody who wants to lose it? Then a checkpoint held elsewhere tells.
"""

import asyncio
import hashlib
import secrets
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING

import msgspec

from sealwright.kernel import InvalidInput, SealwrightError, VerificationFailed
from sealwright.serving.problems import NotRecorded
from sealwright.serving.tokens import Caller
from sealwright.trust import Appended, Entry, Ledger, LedgerEntry, make_receipt, open_sealed, seal

if TYPE_CHECKING:
    from sealwright.serving.holder import Served

__all__ = ["DECISION", "DecisionLog", "DecisionRecord", "read_decision"]

DECISION = "decision"
"""The action of a decision's ledger entry."""

_SALT_BYTES = 32


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


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(DecisionRecord)


class DecisionLog:
    """Writes decisions of one channel into one ledger, from one event loop."""

    def __init__(self, ledger: Ledger, key: bytes) -> None:
        self._ledger, self._key = ledger, key
        self._loop: asyncio.AbstractEventLoop | None = None
        self._done: deque[tuple[asyncio.Future[Appended], Future[Appended]]] = deque()
        self._called = False
        self._failed = False

    async def record(
        self, *, decision: str, served: "Served", protocol: str, caller: Caller, request: bytes, answer: bytes
    ) -> bytes:
        """Write one decision down durably and return its receipt (JSON).

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
        )
        detail = {
            "answer": _salted(salt, answer),
            "decision": decision,
            "model": served.contract.project,
            "request": _salted(salt, request),
        }
        entry = Entry(
            action=DECISION,
            subject=served.package,
            detail=detail,
            attachment=seal(self._key, _ENCODER.encode(record), aad=_bound_to(decision)),
        )
        try:
            appended = await self._appended(self._ledger.submit(entry))
        except SealwrightError as error:
            self._failed = True
            raise NotRecorded from error
        self._failed = False
        return make_receipt(appended, salt=salt, answer=answer)

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

    def not_ready(self) -> str:
        """Why decisions cannot be recorded, as far as the last attempt showed, or ""."""
        return "decisions cannot be recorded" if self._failed else ""

    async def _appended(self, written: "Future[Appended]") -> Appended:
        """Wait for a commit. A whole group commit wakes the loop once, not once per waiting request."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        waiting: asyncio.Future[Appended] = self._loop.create_future()
        written.add_done_callback(lambda future: self._finished(waiting, future))
        return await waiting

    def _finished(self, waiting: "asyncio.Future[Appended]", written: "Future[Appended]") -> None:
        """On the ledger's thread: hand the result over, and wake the loop unless that is under way."""
        self._done.append((waiting, written))
        if not self._called and self._loop is not None:
            self._called = True
            self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        """On the loop: give every finished commit to its request. The flag falls first, so none is missed."""
        self._called = False
        while self._done:
            waiting, written = self._done.popleft()
            if waiting.done():
                continue
            error = written.exception()
            if error is None:
                waiting.set_result(written.result())
            else:
                waiting.set_exception(error)


def read_decision(entry: LedgerEntry, key: bytes) -> DecisionRecord:
    """Open the record of a decision's ledger entry, and check that it is the one the entry speaks of.

    Parameters
    ----------
    key : bytes
        keyring.key("decisions", DECISION_KEY_PURPOSE).

    Raises
    ------
    InvalidInput
        Not a decision's entry, or its record was erased.
    VerificationFailed
        The record does not open, or does not match the digests in the entry.
    """
    if entry.action != DECISION or entry.attachment is None:
        raise InvalidInput(f"Entry {entry.index} holds no decision record; it may have been erased.")
    decision = str(entry.detail.get("decision", ""))
    plain = open_sealed(key, entry.attachment, aad=_bound_to(decision))
    try:
        record = _DECODER.decode(plain)
        salt = bytes.fromhex(record.salt)
    except (msgspec.MsgspecError, ValueError):
        raise VerificationFailed("The decision record cannot be read.", link=f"entry {entry.index}") from None
    expected = {
        "answer": _salted(salt, record.answer.encode()),
        "decision": record.decision,
        "model": record.project,
        "request": _salted(salt, record.request.encode()),
    }
    if dict(entry.detail) != expected or record.package != entry.subject:
        raise VerificationFailed("The decision record and its ledger entry do not agree.", link=f"entry {entry.index}")
    return record


def _salted(salt: bytes, text: bytes) -> str:
    return "sha256:" + hashlib.sha256(salt + text).hexdigest()


def _bound_to(decision: str) -> bytes:
    return f"sealwright/decision/{decision}".encode()
