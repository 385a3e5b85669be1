"""Several workers, one keeper: one ledger, one budget, one memory of what was released; whoever dies takes nobody's answers along."""

import contextlib
import os
import signal
import sys
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
from sealwright.serving.opening import Opening
from sealwright.serving.workers.shelf import Shelf
from sealwright.serving.workers.wire import Frames, Keep, framed
from sealwright.trust import Ledger, parts_of, prepare_decision, prepared_of, promised_of, told_of

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
