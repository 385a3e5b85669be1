"""Drawing on the counters for purses: inline from memory, on a thread from files and servers, and what happens in silence."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sealwright.engines import NOTHING, Amount, Ask, Counters, CountersSilent, Grant
from sealwright.serving.budgets.account import Account, Pair
from sealwright.serving.budgets.purse import Purse
from sealwright.serving.budgets.reached import BudgetsUnknown, CallersFull, raise_if
from sealwright.serving.problems import HttpRefusal, Overloaded

__all__ = ["Drawing"]

_SILENT_FOR = 0.5  # seconds nobody is asked after no answer
_MOST_TRIES = 8  # of a request that finds its purse emptied by others of the same caller

_Result = TypeVar("_Result")
_Draws = Sequence[tuple[Purse, Ask]]


class Drawing:
    """Between purses and counters. At most one draw of an account is under way at a time."""

    def __init__(self, counters: Counters, tell: Callable[..., None], monotonic: Callable[[], float]) -> None:
        self._counters, self._tell, self._monotonic = counters, tell, monotonic
        self._threads = ThreadPoolExecutor(counters.threads, "budgets") if counters.threads else None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._silent, self._silent_until = False, float("-inf")

    def paid_from_memory(self, pair: Pair, need: Amount) -> bool:
        """Fill the purses and pay, if the counters answer from memory; False if they do not.

        Raises
        ------
        LimitReached, CallersFull
        """
        if self._threads is not None:
            return False
        now = self._monotonic()
        for _ in range(2):  # what was left may turn out to be void
            self._draw_at_once(_lacking(pair, need, now), now)
            if pair.has(need, now):
                pair.pay(need)
                if pair.is_large(need):
                    self._draw_at_once(
                        [(purse, purse.ask(NOTHING, now)) for purse in (pair.client, pair.principal)], now
                    )
                return True
            raise_if(_refusal(pair, need, now))
        raise Overloaded

    async def pay(self, pair: Pair, need: Amount) -> None:
        """Pay, after asking the counters where a purse is short.

        Raises
        ------
        HttpRefusal
            A limit is reached, or the counters are silent or full.
        """
        account, tries = pair.account, 0
        account.waiting += 1
        try:
            while tries < _MOST_TRIES:
                now = self._monotonic()
                if pair.has(need, now):
                    pair.pay(need)
                    if pair.is_large(need):
                        self.refill(pair)
                    return
                raise_if(pair.refusal_known(need, now))
                # A caller who hangs up must not cut a draw off between the counters and the purse.
                if (
                    account.filling is not None
                ):  # one draw is for all who wait: taking turns at the lock costs each a turn of the loop
                    await asyncio.wait([account.filling])
                    continue
                tries += 1
                account.filling = self._task(pair, self._fill(pair, need))
                account.filling.add_done_callback(account.filled)
                raise_if(await asyncio.shield(account.filling))
        finally:
            account.waiting -= 1
        raise Overloaded

    def refill(self, pair: Pair) -> None:
        """Report what was spent, and fill the purses, beside the path."""
        if self._threads is not None and not pair.account.refilling:
            pair.account.refilling = True
            self._task(pair, self._refilled(pair))

    async def settle(self, account: Account, *, all_of_it: bool = False) -> None:
        """Draw anew for purses in use, give back the others."""
        async with account.lock:
            now = self._monotonic()
            if now >= self._silent_until or all_of_it:
                await self._draw(account.due(now, all_of_it=all_of_it), now)

    def _draw_at_once(self, draws: _Draws, sent: float) -> None:
        """From memory."""
        _put(draws, self._counters.draw([ask for _, ask in draws]), sent)

    def close(self) -> None:
        """End threads and counters."""
        if self._threads is not None:
            self._threads.shutdown()
        self._counters.close()

    def _task(self, pair: Pair, work: Coroutine[Any, Any, _Result]) -> "asyncio.Task[_Result]":
        """Run it to its end, also when whoever waits for it is gone."""
        account = pair.account
        account.waiting += 1
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)

        def done(task: "asyncio.Task[_Result]") -> None:
            account.waiting -= 1
            self._tasks.discard(task)

        task.add_done_callback(done)
        return task

    async def _fill(self, pair: Pair, need: Amount) -> HttpRefusal | None:
        """Draw what the purses lack; what stands in the way, if anything does."""
        async with pair.account.lock:
            now = self._monotonic()
            if pair.has(need, now):
                return None  # somebody before us drew enough
            if known := pair.refusal_known(need, now):
                return known
            failed = await self._draw(_lacking(pair, need, now), now)
            if failed is not None or pair.has(need, now):
                return failed
            return _refusal(pair, need, self._monotonic())

    async def _refilled(self, pair: Pair) -> None:
        try:
            async with pair.account.lock:
                now = self._monotonic()
                if now >= self._silent_until:
                    await self._draw([(purse, purse.ask(NOTHING, now)) for purse in (pair.client, pair.principal)], now)
        finally:
            pair.account.refilling = False

    async def _draw(self, draws: _Draws, sent: float) -> HttpRefusal | None:
        """One round to the counters; the lock of the account is held."""
        if not draws:
            return None
        if sent < self._silent_until:
            return BudgetsUnknown(reason=BudgetsUnknown.code)
        asks = [ask for _, ask in draws]
        try:
            if self._threads is None:
                grants = self._counters.draw(asks)
            else:
                grants = await asyncio.get_running_loop().run_in_executor(self._threads, self._counters.draw, asks)
        except CountersSilent:
            self._silent_until = self._monotonic() + _SILENT_FOR
            self._hear(silent=True)
            return BudgetsUnknown(reason=BudgetsUnknown.code)
        self._hear(silent=False)
        _put(draws, grants, sent)
        return None

    def _hear(self, *, silent: bool) -> None:
        if silent != self._silent:
            self._silent = silent
            self._tell("budgets_silent" if silent else "budgets_answer_again")


def _lacking(pair: Pair, need: Amount, now: float) -> list[tuple[Purse, Ask]]:
    return [(purse, purse.ask(need, now)) for purse in (pair.client, pair.principal) if not purse.has(need, now)]


def _put(draws: _Draws, grants: Sequence[Grant], sent: float) -> None:
    for (purse, _), grant in zip(draws, grants, strict=True):
        purse.take(grant, sent)


def _refusal(pair: Pair, need: Amount, now: float) -> HttpRefusal | None:
    if pair.client.full or pair.principal.full:
        return CallersFull(reason=CallersFull.code)
    return pair.refusal(need, now)
