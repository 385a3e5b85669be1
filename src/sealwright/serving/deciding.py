"""From a checked request to a recorded answer. Requests that are ready at the same moment are decided together.

Answers: what does the model say about these rows, and is that written down? One model run, one commit and one signature
serve every request that is ready: alone nobody waits, and under load many share.
Does not answer: who asks, and may they? The application has settled that before.

A request that the model fails on fails alone: where a shared run breaks, each is run for itself. Where it was stopped for the time it
took, that is done on the threads, and for a while nothing is run on the loop. Neither is what is expected to take long, by what the last ones took: the
loop goes on to refuse, to let in and to say how the server is.
A request whose time is over before its turn comes is not run, and not recorded.
A challenger runs on a thread of its own, so that a slow one keeps nobody waiting but those who have it.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any

from sealwright.serving.budgets.budgets import Budgets
from sealwright.serving.config import Limits
from sealwright.serving.decisions import DecisionLog
from sealwright.serving.inquiry import Inquiry
from sealwright.serving.problems import ModelTooSlow, Overloaded
from sealwright.serving.reply import Reply
from sealwright.serving.rounds import Failed, decided_alone, decided_in, in_time, read
from sealwright.serving.usage import Usage
from sealwright.serving.waiting import Line

__all__ = ["GATHER_SECONDS", "LARGE_BODY", "Decider"]

LARGE_BODY = 32 << 10
"""Bytes; larger ones are read and decided on a thread, so that small requests do not wait behind them."""
GATHER_SECONDS = 0.0002
"""A request waits no longer than this for others that come at the same time, and only where others came before."""
_THREADS = 2
_LOOP_SECONDS = 0.03  # what is expected to take longer is decided on a thread, while the loop goes on
_WARY_SECONDS = 10.0  # after a run on the loop had to be stopped


class Decider:
    """Decides for one server, on one event loop."""

    def __init__(self, decisions: DecisionLog, usage: Usage, budgets: Budgets, limits: Limits) -> None:
        """`limits`: how many may wait between decode and answer, and for how long; more are refused."""
        self._decisions, self._usage, self._budgets = decisions, usage, budgets
        self._most_waiting, self._longest = limits.waiting, limits.answer_seconds
        self._line, self._line_beside = Line(limits.wait_seconds), Line(limits.wait_seconds)
        self._wary_until = 0.0
        self._together = 0  # how many are being decided on the thread for groups
        self._groups = ThreadPoolExecutor(1, thread_name_prefix="groups")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready: list[Inquiry] = []
        self._since = 0.0  # when the first of them was ready
        self._expected = 0  # how many were decided together the last time
        self._beside = 0  # on the threads, or asking the counters
        self._tasks: set[asyncio.Task[None]] = set()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="large-requests")
        self._challengers = ThreadPoolExecutor(1, thread_name_prefix="challengers")
        self._aside: dict[Inquiry, None] = {}  # waiting for a challenger, the oldest first
        self._longest_aside = limits.wait_seconds + 2 * limits.model_seconds

    @property
    def waiting(self) -> int:
        """Requests between decode and answer."""
        return len(self._ready) + self._together + self._beside + self._decisions.waiting

    def close(self) -> None:
        """Let the threads go. Nothing is decided any more."""
        self._threads.shutdown(wait=False)
        self._challengers.shutdown(wait=False)
        self._groups.shutdown(wait=False)

    async def decide(self, one: Inquiry) -> Reply:
        """The response: the recorded answer and its receipt.

        Raises
        ------
        HttpRefusal
            The body is not acceptable, too many wait, or the decision could not be recorded.
        SealwrightError
            The model failed.
        """
        self.begin(one)
        receipt = await one.done
        told: Reply = one.protocol.reply(one, receipt)
        if one.times is not None:
            one.times.mark("receipt")
        return told

    def begin(self, one: Inquiry) -> None:
        """Read a request and have it decided: a small one with whatever else is ready, another on a thread.

        `done` ends with its receipt, or with the reason why there is none.

        Raises
        ------
        HttpRefusal
            The body is not acceptable, or too many wait.
        """
        beside = one.served.aside or len(one.body) > LARGE_BODY
        self._refuse_too_many(one, beside=beside)
        if beside:
            self._go(one, self._apart(one))
            return
        read(one)
        if one.asked.options.explain:
            self._refuse_too_many(one, beside=True)
            self._go(one, self._apart(one))
        elif self._paid(one):
            self._take(one)
        else:
            self._go(one, self._after_paying(one))

    def _take(self, one: Inquiry) -> None:
        self._ready.append(one)
        if len(self._ready) == 1:
            self._since = perf_counter()
            self._decide_soon()

    def _decide_soon(self) -> None:
        loop = self._loop  # asking for it asks the kernel for the process, too
        if loop is None:
            loop = self._loop = asyncio.get_running_loop()
        loop.call_soon(self._decide_ready)

    async def _after_paying(self, one: Inquiry) -> None:
        """Ask the counters, which takes a moment, then go on as usual."""
        await self._pay(one)
        self._take(one)

    async def _apart(self, one: Inquiry) -> None:
        """On a thread, so that small requests do not wait behind it; a challenger's on a thread of its own."""
        work, aside = asyncio.get_running_loop().run_in_executor, one.served.aside
        threads = self._challengers if aside else self._threads
        if aside:
            self._aside[one] = None
        try:
            if one.asked is None:
                await work(threads, read, one)
            if not self._paid(one):
                await self._pay(one)
            took = await work(threads, decided_alone, one, self._longest)
        finally:
            self._aside.pop(one, None)
        if not aside:
            self._line_beside.took(took / _THREADS)
        self._record([one])

    async def _once_more(self, one: Inquiry) -> None:
        """On a thread, what was stopped in the company of others."""
        await asyncio.get_running_loop().run_in_executor(self._threads, decided_alone, one, self._longest)
        self._record([one])

    def _go(self, one: Inquiry, steps: Coroutine[Any, Any, None]) -> None:
        """Have steps done beside; what goes wrong in them is told to whoever waits."""
        self._beside += 1

        def over(task: "asyncio.Task[None]") -> None:
            self._beside -= 1
            self._tasks.discard(task)
            error = task.exception() if not task.cancelled() else Overloaded()
            if error is not None:
                one.fail(error)

        task = asyncio.get_running_loop().create_task(steps)
        self._tasks.add(task)
        task.add_done_callback(over)

    def _paid(self, one: Inquiry) -> bool:
        """Take what it costs beyond the one row it was let in with, if that is at hand.

        Raises
        ------
        LimitReached
        """
        rows, units, different = self._cost(one)
        if one.admitted is None or (rows * units == 1 and not different):
            return True
        return self._budgets.more(one.admitted, rows * units - 1, 1, different)

    async def _pay(self, one: Inquiry) -> None:
        """The same, where the counters must be asked."""
        rows, units, different = self._cost(one)
        if one.admitted is not None:
            await self._budgets.ask_more(one.admitted, rows * units - 1, 1, different)

    def _cost(self, one: Inquiry) -> tuple[int, int, int]:
        rows = one.asked.count
        return rows, one.asked.options.price, self._usage.different(one.caller, one.body, rows)

    def _refuse_too_many(self, one: Inquiry, *, beside: bool) -> None:
        """Raises `Overloaded` where too many wait, or one more would wait too long: on the loop, or beside it."""
        aside = one.served.aside
        waiting = len(self._ready) + self._together + self._decisions.waiting
        many = self.waiting >= self._most_waiting or (aside and len(self._aside) >= self._most_waiting // 2)
        if aside:  # one that does not end holds up those behind it, and they have to hear it
            oldest = next(iter(self._aside), one)
            long = one.began - oldest.began > self._longest_aside
        elif beside:
            long = self._line_beside.too_long(self._beside - len(self._aside))
        else:
            long = self._line.too_long(waiting)
        if many or long or self._decisions.held(one.began):
            if aside and one.watched is not None:
                one.watched.too_slow()
            raise Overloaded

    def _decide_ready(self) -> None:
        """Decide whatever is ready now, model by model: here, or on a thread of its own where that would hold up the loop.

        Callers who were answered together ask again together, one after the other within a tenth of a millisecond. So where
        more came the last time, the loop looks again whether they are there, for `GATHER_SECONDS` at most. Not while others
        are being written down: those will not ask again before, and whatever is decided meanwhile is written down together.
        """
        if self._together:
            return  # who is ready is looked at again when those are decided
        began = perf_counter()
        fewer = len(self._ready) < self._expected and not self._decisions.waiting
        if fewer and began - self._since < GATHER_SECONDS:
            self._decide_soon()
            return
        ready, self._ready = in_time(self._ready, began, self._longest), []
        self._expected = len(ready)
        if not ready:
            return
        groups: dict[int, list[Inquiry]] = {}
        for one in ready:
            groups.setdefault(id(one.served), []).append(one)
        if self._line.expected(len(ready)) < _LOOP_SECONDS and began > self._wary_until:
            self._take_decided(*decided_in(groups.values()), began, len(ready))
            return
        self._together = len(ready)
        work = asyncio.get_running_loop().run_in_executor(self._groups, decided_in, list(groups.values()))

        def over(done: "asyncio.Future[tuple[list[Inquiry], list[Failed]]]") -> None:
            self._together = 0
            self._take_decided(*done.result(), began, len(ready))
            if self._ready:
                self._decide_ready()

        work.add_done_callback(over)

    def _take_decided(self, found: list[Inquiry], failed: "list[Failed]", began: float, count: int) -> None:
        """Record those that have an answer, and tell the others. Where the model did not come to an end with them, each tries once more, beside."""
        stopped = False
        for one, error, alone in failed:
            if isinstance(error, ModelTooSlow):
                stopped = True
                self._wary_until = perf_counter() + _WARY_SECONDS
                if not alone:
                    self._go(one, self._once_more(one))
                    continue
            one.fail(error)
        self._record(found)
        if not stopped:  # or whoever makes it stop would make others be refused
            self._line.took(perf_counter() - began, count)

    def _record(self, decided: Sequence[Inquiry]) -> None:
        if decided:
            self._decisions.record(decided)
        for one in decided:
            self._usage.add(one.caller, one.source, one.body, one.asked.count, one.abstained)
