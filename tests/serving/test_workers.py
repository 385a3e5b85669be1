"""Several workers, one keeper: one ledger, one budget, one memory of what was released; whoever dies takes nobody's answers along."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

sys.path.insert(0, str(Path(__file__).parent))
from fire import Callers, every_answer_is_recorded_and_proved

from sealwright import trust
from sealwright.kernel import InvalidInput, NotFound, Refused, VerificationFailed
from sealwright.serving import (
    Counting,
    Limits,
    Running,
    ServingSpec,
    access_file,
    decision_ledger_folder,
    decision_origin,
)
from sealwright.serving.config import WorkerPlace
from sealwright.serving.ending import LOST
from sealwright.serving.opening import Opening
from sealwright.serving.starting import spawn
from sealwright.serving.transport.http_server import listen
from sealwright.serving.workers import wire
from sealwright.serving.workers import worker as minding
from sealwright.serving.workers.far import _Decisions, _FarLedger, _Questions
from sealwright.serving.workers.keeper import _answer_questions
from sealwright.serving.workers.shelf import Shelf
from sealwright.serving.workers.wire import Frames, Keep, framed
from sealwright.serving.workers.writing import Line, Writing
from sealwright.trust import Entry, Ledger, parts_of, prepare_decision, prepared_of, promised_of, told_of

_LIMITS = Limits(watch_seconds=0.1, answer_seconds=5.0, drain_seconds=10.0)
_TIGHT = {"rows_per_second": 0.001, "burst_rows": 60}  # of rows one by one


def children_of(pid: int) -> list[int]:
    """The processes a process has started."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")  # of each of its threads
    return sorted(int(one) for children in lists for one in children.read_text().split())


@pytest.fixture
def place(new_house: Callable[..., Any]) -> Any:
    return new_house()


@pytest.fixture
def served(place: Any) -> Iterator[Running]:
    with place.launch(tls=False, workers=2, limits=_LIMITS) as running:
        yield running


@pytest.fixture
def callers(place: Any, served: Running, row: dict[str, Any]) -> Iterator[Callers]:
    asking = Callers(place, served.port, row, 6)
    yield asking
    asking.end()


def test_two_workers_write_one_ledger_and_every_receipt_holds(place: Any, served: Running, callers: Callers) -> None:
    callers.until_answered(300)
    callers.end()
    workers = children_of(served.pid)
    assert len(workers) == 2
    assert all(_processor_time(one) > 0 for one in workers)
    served.stop()
    assert not callers.refused
    every_answer_is_recorded_and_proved(place, callers.answered)
    origin = decision_origin("ws_1", place.project, "live")
    with Ledger.open(decision_ledger_folder(place.home, place.project, "live"), origin=origin, signer=None) as ledger:
        taken = [entry.detail["worker"] for entry in ledger.entries() if entry.action == "serving.release_taken"]
    assert sorted(taken) == [1, 2]


def test_a_worker_that_is_killed_is_started_again_and_the_other_answers_on(
    place: Any, served: Running, callers: Callers, wait_until: Callable[..., None]
) -> None:
    callers.until_answered(100)
    killed, other = children_of(served.pid)
    os.kill(killed, signal.SIGKILL)
    so_far = len(callers.answered)
    callers.until_answered(so_far + 100)
    assert len(callers.answered) >= so_far + 100
    wait_until(lambda: len(set(children_of(served.pid)) - {killed}) == 2)
    assert other in children_of(served.pid)
    callers.until_answered(len(callers.answered) + 50)
    callers.end()
    served.stop()
    assert not callers.refused  # who hung on the dead one lost a connection, and was told nothing wrong
    every_answer_is_recorded_and_proved(place, callers.answered)


def test_without_its_keeper_a_worker_answers_nothing_and_ends(
    place: Any, served: Running, callers: Callers, wait_until: Callable[..., None]
) -> None:
    callers.until_answered(100)
    workers = children_of(served.pid)
    os.kill(served.pid, signal.SIGKILL)
    wait_until(lambda: not any(_runs(one) for one in workers))
    callers.end()
    assert {status for status, _, _ in callers.refused} <= {503}
    every_answer_is_recorded_and_proved(place, callers.answered)


def test_sigterm_under_load_refuses_nobody_who_was_let_in(place: Any, served: Running, callers: Callers) -> None:
    callers.until_answered(100)
    assert served.stop() == 0
    callers.end()
    assert not callers.refused
    every_answer_is_recorded_and_proved(place, callers.answered)


def test_workers_share_one_budget(place: Any, row: dict[str, Any]) -> None:
    spec = ServingSpec.model_validate({"most_rows": 1, "limits": {"per_client": _TIGHT, "per_principal": _TIGHT}})
    with place.launch(tls=False, workers=2, limits=_LIMITS, spec=spec) as running:
        asking = Callers(place, running.port, row, 6)
        time.sleep(1.5)
        asking.end()
    assert 30 <= len(asking.answered) <= 60  # what one worker drew ahead, the other cannot have
    assert {status for status, _, _ in asking.refused} == {429}


def test_a_release_and_a_revoked_token_reach_every_worker(
    place: Any, served: Running, callers: Callers, wait_until: Callable[..., None]
) -> None:
    callers.until_answered(50)
    place.promote(2)
    time.sleep(1.0)
    since = len(callers.answered)
    callers.until_answered(since + 200)
    assert {one.reply["answer"]["model"]["number"] for one in callers.answered[since + 20 :]} == {2}
    assert not callers.refused
    machines = trust.Machines(
        place.db, trust.LedgerAudit(place.ledger, place.keyring), signer=place.keyring.signer("tokens"),
        workspace="ws_1", access_file=access_file(place.home), clock=place.clock,
    )  # fmt: skip
    machines.revoke_tokens_of("bank-frontend", by="ada", reason="stolen laptop")
    wait_until(lambda: bool(callers.refused))
    time.sleep(1.0)  # within which every worker knows
    since = len(callers.answered)
    time.sleep(0.5)
    callers.end()
    assert len(callers.answered) == since
    assert {status for status, _, _ in callers.refused} == {401}


def test_a_release_that_does_not_verify_is_told_as_if_there_was_one_process(place: Any) -> None:
    place.pointer.write_bytes(place.pointer.read_bytes()[:-30])
    with pytest.raises(VerificationFailed) as refused:
        place.launch(tls=False, workers=2)
    assert refused.value.link.startswith("pointer")


def test_budgets_in_memory_are_nobodys_who_has_several_workers(place: Any) -> None:
    with pytest.raises(Refused, match="in a file or in Redis"):
        place.config(tls=False, workers=2, counting=Counting(where="memory"))


@pytest.fixture
def shelf(place: Any) -> Iterator[Shelf]:
    config = replace(place.config(tls=False, workers=2), signer_fd=place.signer_line().detach())
    with contextlib.closing(Shelf(config, Opening(config, place.clock))) as made:
        yield made


def test_what_was_seen_by_one_worker_does_not_fall_because_another_is_behind(shelf: Shelf) -> None:
    shelf.answer(1, "open", 0, [])
    shelf.answer(2, "open", 0, [])
    assert shelf.answer(1, "change", 0, [{"sequence": 7, "pointer": "sha256:7"}])["sequence"] == 7
    with pytest.raises(VerificationFailed, match="seen a newer one"):
        shelf.answer(2, "change", 0, [{"sequence": 6, "pointer": "sha256:6"}])
    assert shelf.answer(2, "change", 0, [{"access": 3}])["sequence"] == 7


def test_a_book_is_closed_after_the_last_worker_that_has_it(shelf: Shelf) -> None:
    for worker in (1, 2):
        shelf.answer(worker, "open", 0, [])
    shelf.gone(1)
    shelf.answer(2, "append", 0, ["serving.tried", "", {}, "predict"])
    shelf.answer(2, "put_away", 0, [])
    with pytest.raises(NotFound):
        shelf.answer(2, "append", 0, ["serving.tried", "", {}, "predict"])


@pytest.mark.parametrize(("verb", "model"), [("close", 0), ("ledger", 0), ("_page", 0), ("open", 1), ("open", -1)])
def test_a_keeper_answers_its_own_questions_only(shelf: Shelf, verb: str, model: int) -> None:
    with pytest.raises(InvalidInput):
        shelf.answer(1, verb, model, [])


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=20), st.data())
def test_messages_arrive_whole_however_they_are_cut(parts: list[bytes], data: st.DataObject) -> None:
    sent = b"".join(framed(Keep(at, 0, True, [(part, b"", b"", b"")])) for at, part in enumerate(parts))
    frames, found = Frames(), []
    while sent:
        size = data.draw(st.integers(1, len(sent)))
        found += list(frames.whole(sent[:size]))
        sent = sent[size:]
    assert found == [framed(Keep(at, 0, True, [(part, b"", b"", b"")]))[4:] for at, part in enumerate(parts)]


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=5), st.integers(1, 40))
def test_a_message_larger_than_a_frame_is_one_message_again(parts: list[bytes], most: int) -> None:
    messages = [Keep(at, 0, True, [(part, b"", b"", b"")]) for at, part in enumerate(parts)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(wire, "_MOST", most)
        sent = b"".join(map(framed, messages))
        frames = Frames()
        found = [whole for at in range(0, len(sent), 7) for whole in frames.whole(sent[at : at + 7])]
    assert found == [framed(one)[4:] for one in messages]


def _prepared(count: int, size: int) -> list[trust.Prepared]:
    return [
        prepare_decision(
            decision=f"dec_{at}", model="m", package="sha256:" + "0" * 64, request=b"{}", answer=b"{}",
            salt=bytes(32), sealed=bytes(size),
        )
        for at in range(count)
    ]  # fmt: skip


def test_large_decisions_are_promised_together_and_cut_off_nobody(shelf: Shelf) -> None:
    """48 records of 1 MiB once ended a worker's line to its keeper."""
    shelf.answer(1, "open", 0, [])
    cut: list[bool] = []

    async def kept(*batches: list[trust.Prepared]) -> list[trust.Promised]:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        line, decisions = Line(Writing(shelf)), _Decisions(theirs, lambda: cut.append(True))
        await loop.create_unix_connection(lambda: line, sock=ours)
        await decisions.begin()
        asked = [asyncio.wrap_future(decisions.keep(0, one, on_disk=True)) for one in batches]
        promised = [await one for one in asked]
        decisions.close()
        await asyncio.sleep(0.05)
        return promised

    large, small = asyncio.run(kept(_prepared(48, 1 << 20), _prepared(2, 10)))
    assert (large.count, small.count, large.first + 48) == (48, 2, small.first)
    assert not cut


def test_large_records_beside_decisions_are_written_and_cut_off_nobody(shelf: Shelf) -> None:
    """What shadows said about many rows comes in one question."""
    shelf.answer(1, "open", 0, [])
    ours, theirs = socket.socketpair()
    threading.Thread(target=_answer_questions, args=(shelf, 1, ours), daemon=True).start()
    cut: list[bool] = []
    with contextlib.closing(_Questions(theirs, lambda: cut.append(True))) as questions:
        far = _FarLedger(questions, None, 0)  # type: ignore[arg-type]
        before = shelf.ledger(0).size
        entry = Entry(action="shadow", subject="", detail={}, attachment=bytes(1 << 20), actor="predict")
        far.append_many([entry] * 70)
        far.append("serving.tried", "", {}, actor="predict")
    assert shelf.ledger(0).size == before + 71
    assert not cut


@pytest.mark.parametrize("which", ["decisions", "questions"])
def test_a_worker_that_is_cut_off_from_its_keeper_ends_so_that_another_is_started(
    place: Any, shelf: Shelf, which: str
) -> None:
    pairs = {"decisions": socket.socketpair(), "questions": socket.socketpair()}
    http = listen("127.0.0.1", 0)
    inherited = [http.fileno(), pairs["decisions"][1].fileno(), pairs["questions"][1].fileno()]
    at = WorkerPlace(number=1, http=inherited[0], grpc=-1, decisions=inherited[1], questions=inherited[2])
    config = replace(place.config(tls=False, limits=_LIMITS), worker=at, signer_fd=-1)
    threading.Thread(target=_answer_questions, args=(shelf, 1, pairs["questions"][0]), daemon=True).start()
    process, _, lifeline = spawn(config, inherited, ready_seconds=60)
    try:
        pairs[which][0].shutdown(socket.SHUT_RDWR)
        place.promote(2)  # there is something to ask
        assert process.wait(20) == LOST
    finally:
        process.kill()
        process.wait()
        os.close(lifeline)
        for one in (http, *pairs["decisions"], *pairs["questions"]):
            one.close()


class _Host:
    """A keeper, as far as a worker knows it."""

    drain_seconds = 0.0

    def __init__(self) -> None:
        self.log, self.told = self, []  # type: ignore[var-annotated]

    def tell(self, event: str, **facts: Any) -> None:
        self.told.append((event, facts.get("kind")))

    def config_of(self, *_: Any) -> Any:
        return None, []

    async def listen_to(self, _number: int, *lines: socket.socket) -> None:
        for one in lines:
            one.close()

    async def gone(self, _number: int) -> None:
        pass


@pytest.mark.parametrize("error", [OSError(12, "Cannot allocate memory"), RuntimeError("can't start new thread")])
def test_a_worker_that_the_machine_does_not_let_start_is_started_later(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(minding, "_LOOK_SECONDS", 0.001)
    monkeypatch.setattr(minding, "_AGAIN_SECONDS", (0.001,))
    host, left = _Host(), [error, error]

    def spawned(*_: Any, **__: Any) -> Any:
        if left:
            raise left.pop()
        return subprocess.Popen(["/bin/sleep", "60"]), (1, None), -1

    async def scene() -> None:
        worker = minding.Worker(host, 1)  # type: ignore[arg-type]
        task = asyncio.create_task(worker.mind())
        until = time.monotonic() + 10
        while ("worker_started", None) not in host.told and not task.done() and time.monotonic() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await worker.stop()

    monkeypatch.setattr(minding, "spawn", spawned)
    asyncio.run(scene())
    assert host.told == [("worker_refused", type(error).__name__)] * 2 + [("worker_started", None)]


def test_a_promise_that_travelled_proves_the_same(shelf: Shelf) -> None:
    """Parts of one batch, as each of several workers is told of its own."""
    shelf.answer(1, "open", 0, [])
    made = [
        prepare_decision(
            decision=f"dec_{at}", model="m", package="sha256:" + "0" * 64, request=b"{}", answer=b"{}",
            salt=bytes(32), sealed=b"sealed",
        )
        for at in range(11)
    ]  # fmt: skip
    promised = shelf.ledger(0).keep(prepared_of(parts_of(made))).result()
    for first, count in ((0, 11), (0, 3), (3, 5), (8, 3), (10, 1)):
        part = type(promised)(promised.first + first, count, promised.kept)
        far = promised_of(told_of(part))
        assert (far.first, far.leaves) == (part.first, part.leaves)
        assert far.promises() == part.promises()


def _runs(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


def _processor_time(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
