"""A decision is answered only when it is written down, and the record is readable by its key holder alone."""

import asyncio
import dataclasses
import json
import resource
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sealwright import trust
from sealwright.kernel import Clock, FixedClock, InvalidInput, VerificationFailed, system_clock
from sealwright.serving import Contract, read_decision
from sealwright.serving.decisions import DecisionLog
from sealwright.serving.inquiry import Inquiry
from sealwright.serving.problems import AnswerTooLarge, NotRecorded
from sealwright.serving.tokens import Caller

_KEY = b"k" * 32
_PACKAGE = "sha256:" + "ab" * 32
_CALLER = Caller("bank-frontend", "tok_1", frozenset())


class _Named:
    """The protocol, as far as the log knows it."""

    media = "named"


class _Served(NamedTuple):
    """What the log needs to know of the model in service."""

    contract: Any
    number: int = 3
    package: str = _PACKAGE
    sequence: int = 7
    arm: str = "champion"
    aside: bool = False


@pytest.fixture
def served(contract: Contract) -> Any:
    return _Served(contract)


@pytest.fixture
def ledger(tmp_path: Path, house: Any) -> Iterator[trust.Ledger]:
    signer = house.stolen("decision-checkpoints")  # of a log of another name
    with trust.Ledger.open(tmp_path / "ledger", origin="tests/decisions", signer=signer, create=True) as opened:
        yield opened


def _entry(ledger: trust.Ledger, at: int) -> trust.LedgerEntry:
    """An entry, under a checkpoint."""
    if ledger.size <= at:
        ledger.append("tests.checkpoint", "", {})  # what is committed takes with it what was promised
    return ledger.entry(at)


def _log(ledger: trust.Ledger, clock: Clock = system_clock) -> DecisionLog:
    return DecisionLog(ledger, _KEY, channel="live", clock=clock, name_of=lambda person: f"name of {person}")


async def _record(
    log: DecisionLog, served: Any, name: str, request: bytes = b"{}", answer: bytes = b'{"label":"good"}'
) -> bytes:
    one = _decided(served, name, request, answer)
    log.record([one])
    return await one.done


def _decided(served: Any, name: str, request: bytes, answer: bytes) -> Inquiry:
    done: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    one = Inquiry(served=served, protocol=_Named, body=request, caller=_CALLER, source="", done=done)
    one.decision, one.answer = name, answer
    return one


def test_what_was_recorded_is_read_back_exactly(ledger: trust.Ledger, served: Any) -> None:
    request, answer = b'{ "row" : {"age": 41} }', '{"label":"gut, für später"}'.encode()
    asyncio.run(_record(_log(ledger), served, "dec_1", request, answer))
    record = read_decision(_entry(ledger, 0), _KEY)
    assert (record.request, record.answer) == (request, answer)
    assert (record.decision, record.number, record.sequence, record.subject, record.token) == (
        "dec_1",
        3,
        7,
        "bank-frontend",
        "tok_1",
    )


def test_the_ledger_entry_names_nobody_and_nothing(ledger: trust.Ledger, served: Any) -> None:
    asyncio.run(_record(_log(ledger), served, "dec_1", b'{"row":{"age":41}}'))
    entry = _entry(ledger, 0)
    assert (entry.action, entry.subject) == (trust.DECISION, _PACKAGE)
    assert set(entry.detail) == {"answer", "request", "decision", "model"}
    assert b"bank-frontend" not in entry.leaf
    assert entry.attachment is not None
    assert b"age" not in entry.attachment


def test_equal_requests_leave_different_digests(ledger: trust.Ledger, served: Any) -> None:
    async def twice() -> None:
        log = _log(ledger)
        await asyncio.gather(_record(log, served, "dec_1"), _record(log, served, "dec_2"))

    asyncio.run(twice())
    first, second = _entry(ledger, 0).detail, _entry(ledger, 1).detail
    assert first["request"] != second["request"]
    assert first["answer"] != second["answer"]


_MANY = [(f"dec_{at}", b"%d" % at, b'{"n":%d}' % at) for at in range(200)]


def test_what_is_decided_together_shares_a_commit_and_each_gets_its_own_receipt(
    ledger: trust.Ledger, served: Any, house: Any
) -> None:
    async def many() -> list[bytes]:
        decided = [_decided(served, *one) for one in _MANY]
        _log(ledger).record(decided)
        return await asyncio.gather(*(one.done for one in decided))

    assert _commits(house, asyncio.run(many())) == 1


def test_what_comes_while_somebody_else_writes_shares_the_next_commit(
    ledger: trust.Ledger, served: Any, house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "keep_here", lambda *_, **__: None)  # what a ledger says then, and a worker's always

    async def many() -> list[bytes]:
        log = _log(ledger)
        return await asyncio.gather(*(_record(log, served, *one) for one in _MANY))

    assert _commits(house, asyncio.run(many())) == 2  # the first alone


def _commits(house: Any, receipts: list[bytes]) -> int:
    """How many there were, of `_MANY` that were recorded; each receipt is its own request's."""
    keys = house.keyring.trust_root.keys_of("decision-checkpoints")
    for (decision, request, answer), receipt in zip(_MANY, receipts, strict=True):
        report = trust.verify_receipt(receipt, keys, request=request, origin="tests/decisions")
        assert (report.decision, report.answer) == (decision, answer.decode())
    return len({json.loads(receipt)["promise"].rpartition("\n\n\N{EM DASH}")[2] for receipt in receipts})


def test_a_caller_who_gives_up_does_not_hold_up_the_others(ledger: trust.Ledger, served: Any) -> None:
    async def scene() -> list[Any]:
        log = _log(ledger)
        tasks = [asyncio.ensure_future(_record(log, served, f"dec_{at}")) for at in range(10)]
        await asyncio.sleep(0)
        tasks[3].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return await asyncio.gather(*(_record(log, served, f"later_{at}") for at in range(3)))

    assert len(asyncio.run(scene())) == 3


def test_a_ledger_that_cannot_be_written_gives_no_receipt_and_recovers(
    ledger: trust.Ledger, served: Any, tmp_path: Path
) -> None:
    """The file system refuses to let the file grow, as a full disk does."""
    log = _log(ledger)
    asyncio.run(_record(log, served, "dec_1"))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / "ledger" / "entries.log").stat().st_size, limits[1]))
    try:
        with pytest.raises(NotRecorded):
            asyncio.run(_record(log, served, "dec_2"))
        assert log.not_ready() != ""
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    asyncio.run(_record(log, served, "dec_3"))
    assert log.not_ready() == ""
    assert [_entry(ledger, at).detail["decision"] for at in (0, 1)] == ["dec_1", "dec_3"]


def test_an_answer_too_large_for_a_record_is_refused_and_holds_nobody_else_up(
    ledger: trust.Ledger, served: Any
) -> None:
    async def together() -> list[Any]:
        log = _log(ledger)
        asked = [_decided(served, f"dec_{at}", b"{}", bytes(size)) for at, size in enumerate((10, 17 << 20, 10))]
        log.record(asked)
        ended = await asyncio.gather(*(one.done for one in asked), return_exceptions=True)
        assert log.not_ready() == ""
        return ended

    first, large, last = asyncio.run(together())
    assert isinstance(large, AnswerTooLarge)
    assert isinstance(first, bytes)
    assert isinstance(last, bytes)
    assert [_entry(ledger, at).detail["decision"] for at in (0, 1)] == ["dec_0", "dec_2"]


def test_a_closed_ledger_gives_no_receipt(ledger: trust.Ledger, served: Any) -> None:
    ledger.close()
    with pytest.raises(NotRecorded):
        asyncio.run(_record(_log(ledger), served, "dec_1"))


def test_a_record_opens_only_with_its_key_in_its_place(ledger: trust.Ledger, served: Any) -> None:
    async def two() -> None:
        log = _log(ledger)
        await _record(log, served, "dec_1")
        await _record(log, served, "dec_2")

    asyncio.run(two())
    first, second = _entry(ledger, 0), _entry(ledger, 1)
    with pytest.raises(VerificationFailed):
        read_decision(first, b"x" * 32)
    with pytest.raises(VerificationFailed):
        read_decision(dataclasses.replace(first, attachment=second.attachment), _KEY)
    assert first.attachment is not None
    for at in (0, 5, 20, len(first.attachment) - 1):
        changed = bytearray(first.attachment)
        changed[at] ^= 1
        with pytest.raises(VerificationFailed):
            read_decision(dataclasses.replace(first, attachment=bytes(changed)), _KEY)
    with pytest.raises(VerificationFailed, match="do not agree"):
        read_decision(dataclasses.replace(first, subject="sha256:" + "cd" * 32), _KEY)
    with pytest.raises(VerificationFailed, match="do not agree"):
        read_decision(dataclasses.replace(first, detail=first.detail | {"request": second.detail["request"]}), _KEY)
    with pytest.raises(VerificationFailed, match="does not open"):
        read_decision(dataclasses.replace(first, detail=first.detail | {"model": "other"}), _KEY)


def test_each_day_has_its_own_key_and_every_day_is_readable(ledger: trust.Ledger, served: Any) -> None:
    clock = FixedClock(datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC))
    log = _log(ledger, clock)
    asyncio.run(_record(log, served, "dec_1"))
    clock.advance(timedelta(seconds=1))
    asyncio.run(_record(log, served, "dec_2"))
    first, second = _entry(ledger, 0).attachment, _entry(ledger, 1).attachment
    assert first is not None
    assert second is not None
    assert (first[:16], second[:16]) == (b"live/2026-11-22\n", b"live/2026-11-23\n")
    assert [read_decision(_entry(ledger, at), _KEY).decision for at in (0, 1)] == ["dec_1", "dec_2"]
    moved = b"live/2026-11-23" + first[15:]
    with pytest.raises(VerificationFailed):
        read_decision(dataclasses.replace(_entry(ledger, 0), attachment=moved), _KEY)


def test_an_erased_record_is_said_to_be_erased(ledger: trust.Ledger, served: Any) -> None:
    asyncio.run(_record(_log(ledger), served, "dec_1"))
    with pytest.raises(InvalidInput, match="erased"):
        read_decision(dataclasses.replace(_entry(ledger, 0), attachment=None), _KEY)


def test_the_order_of_answers_is_the_order_of_the_ledger(ledger: trust.Ledger, served: Any) -> None:
    async def many() -> list[bytes]:
        log = _log(ledger)
        return [await _record(log, served, f"dec_{at}") for at in range(5)]

    indexes = [json.loads(json.loads(receipt)["entry"])["i"] for receipt in asyncio.run(many())]
    assert indexes == [0, 1, 2, 3, 4]
