"""Workers that share counters in a file or in Redis: together one budget, and closed where the counters are silent."""

import asyncio
import contextlib
import gc
import secrets
import socket
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from sealwright.engines import Ask, Counters, CountersSilent, FileCounters, Grant, RedisCounters, RedisPlace
from sealwright.serving.budgets.budgets import Admitted, Budgets
from sealwright.serving.budgets.counting import Counting, open_counters
from sealwright.serving.budgets.limits import BudgetLimits, CallerLimits, Level
from sealwright.serving.budgets.reached import BudgetsUnknown, LimitReached, RateReached, TooManyAtOnce
from sealwright.serving.tokens import Caller

LOCAL = RedisPlace(tls=False, database=15)
TIGHT = Level(rows_per_second=0.001, burst_rows=320, concurrent=16, rows_per_day=10_000, different_rows_per_day=1000)
WIDE = Level(rows_per_second=1e6, burst_rows=10**7, concurrent=10_000, rows_per_day=10**9, different_rows_per_day=10**9)
TILL = Caller("till", "tok", frozenset())


class Watched:
    """Real counters; it is counted how often they are asked, and they can be cut off."""

    def __init__(self, counters: Counters) -> None:
        self._counters, self.threads, self.draws, self.cut_off = counters, counters.threads, 0, False

    def draw(self, asks: Sequence[Ask]) -> list[Grant]:
        self.draws += 1
        if self.cut_off:
            raise CountersSilent("The test cut them off.")
        return self._counters.draw(asks)

    def close(self) -> None:
        self._counters.close()


class Worker:
    """One serving process's budgets."""

    def __init__(self, counters: Counters, client: Level, principal: Level) -> None:
        self.counters, self.events, self.ahead = Watched(counters), list[str](), 0.0
        self.budgets = Budgets(
            BudgetLimits(everybody=CallerLimits(per_client=client, per_principal=principal)),
            self.counters,
            name_of=lambda name: name.replace("\0", "-"),
            tell=lambda event, **_: self.events.append(event),
            monotonic=lambda: time.monotonic() + self.ahead,
        )

    async def enter(self, caller: Caller = TILL, rows: int = 1, units: int = 1, different: int = 0) -> Admitted:
        return self.budgets.enter(caller, rows, units, different) or await self.budgets.ask(
            caller, rows, units, different
        )

    async def asked(self, rows: int = 1, caller: Caller = TILL) -> bool:
        """Whether a whole request was let through."""
        try:
            admitted = await self.enter(caller, rows)
        except LimitReached:
            return False
        await asyncio.sleep(0)
        self.budgets.leave(admitted)
        return True


Make = Callable[..., Worker]


@pytest.fixture(params=["file", "redis"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Makes workers that share counters."""
    prefix = f"test-{secrets.token_hex(6)}:"
    if request.param == "redis":
        pytest.importorskip("redis", reason="the extra `redis` is not installed")
        with socket.socket() as tried:
            if tried.connect_ex((LOCAL.host, LOCAL.port)):
                pytest.skip(f"no Redis answers at {LOCAL.host}:{LOCAL.port}")
    made: list[Counters] = []

    def make(client: Level = TIGHT, principal: Level = WIDE) -> Worker:
        made.append(
            FileCounters(tmp_path / "b" / "budgets.db")
            if request.param == "file"
            else RedisCounters(LOCAL, prefix=prefix)
        )
        return Worker(made[-1], client, principal)

    yield make
    if request.param == "redis":
        with contextlib.closing(RedisCounters(LOCAL, prefix=prefix)) as counters:
            for key in counters._redis.scan_iter(prefix + "*"):
                counters._redis.delete(key)
    for counters in made:
        with contextlib.suppress(sqlite3.Error):
            counters.close()


def run(work: Awaitable[Any]) -> Any:
    async def whole() -> Any:
        return await work

    return asyncio.run(whole())


def test_two_workers_racing_let_one_budget_through_t68(make: Make) -> None:
    async def race() -> int:
        workers = [make(), make()]

        async def ask(worker: Worker) -> int:
            return sum([await worker.asked() for _ in range(60)])

        return sum(await asyncio.gather(*(ask(worker) for worker in workers for _ in range(4))))

    through = run(race())
    assert 320 - 2 * 10 <= through <= 320  # a slice of ten may lie in each worker


def test_many_keys_over_many_workers_share_one_principal_t68(make: Make) -> None:
    async def race() -> int:
        workers = [make(WIDE, TIGHT), make(WIDE, TIGHT)]
        got = 0
        for number in range(400):
            got += await workers[number % 2].asked(caller=Caller("till", f"key-{number % 50}", frozenset()))
        return got

    assert 300 <= run(race()) <= 320


def test_requests_at_once_are_counted_over_all_workers(make: Make) -> None:
    async def race() -> int:
        workers, held = [make(), make()], []
        for number in range(60):
            with contextlib.suppress(TooManyAtOnce):
                held.append(await workers[number % 2].enter())
        return len(held)

    assert run(race()) == 16


def test_most_requests_ask_nobody(make: Make) -> None:
    async def ask() -> tuple[int, int]:
        worker = make(WIDE, WIDE)
        return sum([await worker.asked() for _ in range(2000)]), worker.counters.draws

    through, draws = run(ask())
    assert through == 2000
    assert draws <= 2


def test_who_waits_for_the_same_draw_goes_on_with_it_together(make: Make) -> None:
    """Not one after the other, each a turn of a loop that is busy with everybody else."""

    async def crowd() -> tuple[int, int]:
        worker, turns, ends = make(WIDE, WIDE), 0, list[int]()

        async def turning() -> None:
            nonlocal turns
            while len(ends) < 200:
                turns += 1
                await asyncio.sleep(0)

        async def one() -> None:
            await worker.enter()
            ends.append(turns)

        await asyncio.gather(turning(), *(one() for _ in range(200)))
        return ends[-1] - ends[0], worker.counters.draws

    between, draws = run(crowd())
    assert draws == 1
    assert between < 10


def test_a_spent_caller_that_goes_on_asking_does_not_wear_the_counters_out(make: Make) -> None:
    async def ask() -> int:
        worker = make()
        while await worker.asked(10):
            pass
        before = worker.counters.draws
        for _ in range(500):
            with pytest.raises(RateReached):
                await worker.enter(rows=10)
        return worker.counters.draws - before

    assert run(ask()) <= 3


def test_counters_that_are_silent_refuse_what_is_not_held_t68(make: Make) -> None:
    """Fails closed: what was drawn before may be used to its end, and nothing beyond it."""

    async def ask() -> tuple[int, list[str], int]:
        worker = make()
        assert await worker.asked()
        worker.counters.cut_off = True
        held = 0
        with pytest.raises(BudgetsUnknown) as told:
            for _ in range(100):
                assert await worker.asked()
                held += 1
        assert (told.value.status, dict(told.value.headers)) == (503, {b"retry-after": b"2"})
        asked = worker.counters.draws
        for _ in range(50):
            with pytest.raises(BudgetsUnknown):
                await worker.enter()
        asked = worker.counters.draws - asked
        worker.counters.cut_off, worker.ahead = False, 1.0
        assert await worker.asked()
        return held, worker.events, asked

    held, events, asked = run(ask())
    assert held == 9
    assert events == ["budgets_silent", "budgets_answer_again"]
    assert asked == 0  # for half a second nobody waits for what does not answer


def test_what_is_held_lapses_when_the_counters_stay_silent(make: Make) -> None:
    async def ask() -> None:
        worker = make(WIDE, WIDE)
        assert await worker.asked()
        worker.counters.cut_off = True
        assert await worker.asked()
        worker.ahead = 4.1
        with pytest.raises(BudgetsUnknown):
            await worker.enter()
        await worker.budgets.look()

    run(ask())


def test_a_caller_that_hangs_up_while_counters_are_asked_takes_nothing_along(make: Make) -> None:
    async def ask() -> tuple[int, int]:
        worker = make()
        for _ in range(20):
            task = asyncio.ensure_future(worker.enter())
            await asyncio.sleep(0)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                worker.budgets.leave(await task)
        got = 0
        while await worker.asked():
            got += 1
        pair = worker.budgets._pairs["till", "tok"]
        return got, pair.client.held - pair.client.free

    got, under_way = run(ask())
    assert got >= 300
    assert under_way == 0


def test_refusals_by_the_thousand_keep_no_request_in_memory(make: Make) -> None:
    async def ask() -> int:
        worker = make()
        while await worker.asked(10):
            pass
        gc.collect()
        gc.disable()
        try:
            for number in range(20):
                worker.ahead = 0.3 * number  # the counters are asked again
                with contextlib.suppress(LimitReached):
                    await worker.enter(rows=10)
            await asyncio.sleep(0)
            return sum(issubclass(type(one), LimitReached) for one in gc.get_objects())
        finally:
            gc.enable()

    assert run(ask()) <= 1  # that of the last task, which the loop lets go of next


def test_purses_somebody_waits_for_are_not_forgotten(make: Make) -> None:
    """Else the next request would get purses of its own, and both would be held under one name."""

    async def ask() -> None:
        worker = make()
        assert worker.budgets.enter(TILL, 1) is None  # the counters have to be asked
        pair = worker.budgets._pairs["till", "tok"]
        async with pair.account.lock:
            look = asyncio.ensure_future(worker.budgets.look())
            await asyncio.sleep(0)
            waiting = asyncio.ensure_future(worker.budgets.ask(TILL, 1))
            await asyncio.sleep(0)
        await look
        admitted = await waiting
        assert worker.budgets._pairs["till", "tok"] is pair is admitted.pair

    run(ask())


def test_an_orderly_stop_gives_everything_back(make: Make) -> None:
    async def ask() -> int:
        first = make()
        for _ in range(5):
            assert await first.asked()
        await first.budgets.close()
        second, got = make(), 0
        while await second.asked():
            got += 1
        return got

    assert run(ask()) == 315


def test_idle_workers_give_back_and_a_busy_one_gets_it_all(make: Make) -> None:
    async def ask() -> int:
        idle, busy = make(), make()
        assert await idle.asked()
        idle.ahead = 2.5
        await idle.budgets.look()  # it was used
        idle.ahead = 3.5
        await idle.budgets.look()
        idle.ahead = 5.0
        await idle.budgets.look()
        assert not idle.budgets._pairs
        got = 0
        while await busy.asked():
            got += 1
        return got

    assert run(ask()) == 319


def test_a_request_larger_than_a_slice_is_known_to_be_spent_at_once(make: Make) -> None:
    """Else the bucket, thinking it is held, would let nothing come back until the next draw."""

    async def ask() -> None:
        level = Level(
            rows_per_second=2000.0, burst_rows=200, concurrent=8, rows_per_day=10**6, different_rows_per_day=9
        )
        worker = make(level)
        for _ in range(4):
            assert await worker.asked(200)
            await asyncio.sleep(0.15)

    run(ask())


@pytest.mark.parametrize("where", ["memory", "file"])
def test_counters_are_opened_as_the_settings_say(where: Any, tmp_path: Path) -> None:
    with contextlib.closing(
        open_counters(Counting(where=where), folder=tmp_path / "c", name="ws/credit/live")
    ) as found:
        assert found.threads == (0 if where == "memory" else 1)
    assert (tmp_path / "c" / "budgets.db").exists() == (where == "file")
