"""From a checked request to a recorded answer. Requests that are ready at the same moment are decided together.

Answers: what does the model say about these rows, and is that written down? One model run, one commit and one signature
serve every request that the event loop found ready: nobody ever waits for others to come, and under load many share.
Does not answer: who asks, and may they? The application has settled that before.

A request that the model fails on fails alone: where a shared run breaks, each is run for itself.
Challengers run on a thread of their own, so that a slow one keeps nobody waiting but those who have it.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from sealwright.kernel import new_id
from sealwright.serving.decisions import DecisionLog
from sealwright.serving.inquiry import Inquiry
from sealwright.serving.outcome import Outcome, outcome_of
from sealwright.serving.problems import Overloaded
from sealwright.serving.usage import Usage

__all__ = ["Decider"]

_LARGE_BODY = 32 << 10  # decoded and predicted on a thread, so that small requests do not wait behind it
_THREADS = 2
_Fail = Callable[[Inquiry, BaseException], None]


class Decider:
    """Decides for one server, on one event loop."""

    def __init__(self, decisions: DecisionLog, usage: Usage, *, most_waiting: int) -> None:
        """`most_waiting`: requests between decode and answer; more are refused."""
        self._decisions, self._usage, self._most_waiting = decisions, usage, most_waiting
        self._ready: list[Inquiry] = []
        self._waiting = 0
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="large-requests")
        self._aside: list[Inquiry] = []  # ready for a challenger
        self._aside_waiting = 0
        self._aside_busy = False
        self._challengers = ThreadPoolExecutor(1, thread_name_prefix="challengers")

    async def decide(self, one: Inquiry) -> bytes:
        """The response body: the recorded answer and its receipt.

        Raises
        ------
        HttpRefusal
            The body is not acceptable, too many wait, or the decision could not be recorded.
        SealwrightError
            The model failed.
        """
        aside = one.served.aside
        if self._waiting >= self._most_waiting or (aside and self._aside_waiting >= self._most_waiting // 2):
            raise Overloaded
        self._waiting += 1
        self._aside_waiting += aside
        try:
            if len(one.body) > _LARGE_BODY:
                await asyncio.get_running_loop().run_in_executor(self._threads, _decide_apart, one)
                self._record([one])
            else:
                _read(one)
                self._ready.append(one)
                if len(self._ready) == 1:
                    asyncio.get_running_loop().call_soon(self._decide_ready)
            receipt = await one.done
        finally:
            self._waiting -= 1
            self._aside_waiting -= aside
        wrapped: bytes = one.protocol.wrap(one.answer, receipt)
        if one.times is not None:
            one.times.mark("receipt")
        return wrapped

    def _decide_ready(self) -> None:
        """Decide whatever is ready now, model by model."""
        ready, self._ready = self._ready, []
        here = [one for one in ready if not one.served.aside]
        if len(here) < len(ready):
            self._aside += [one for one in ready if one.served.aside]
            if not self._aside_busy:
                self._decide_aside()
        self._record(_all_decided(here, Inquiry.fail))

    def _decide_aside(self) -> None:
        """Decide whatever is ready for challengers, on their thread; what gets ready meanwhile comes next."""
        ready, self._aside = self._aside, []
        self._aside_busy = bool(ready)
        if not ready:
            return
        loop = asyncio.get_running_loop()

        def fail(one: Inquiry, error: BaseException) -> None:
            loop.call_soon_threadsafe(one.fail, error)

        decided = loop.run_in_executor(self._challengers, _all_decided, ready, fail)
        decided.add_done_callback(self._aside_decided)

    def _aside_decided(self, decided: "asyncio.Future[list[Inquiry]]") -> None:
        self._decide_aside()
        self._record(decided.result())

    def _record(self, decided: Sequence[Inquiry]) -> None:
        if decided:
            self._decisions.record(decided)
        for one in decided:
            self._usage.add(one.caller, one.source, one.body, len(one.asked.rows))


def _all_decided(ready: Sequence[Inquiry], fail: _Fail) -> list[Inquiry]:
    """Those that have an answer after one run of each model; the others are told why by `fail`."""
    groups: dict[int, list[Inquiry]] = {}
    for one in ready:
        groups.setdefault(id(one.served), []).append(one)
    return [one for group in groups.values() for one in _decided(group, fail)]


def _decided(group: Sequence[Inquiry], fail: _Fail) -> list[Inquiry]:
    """Those that have an answer after one run for all of them; whoever's own part fails is told so."""
    try:
        outcome = _run(group)
    except Exception as error:  # noqa: BLE001 - whatever it is, who waits must hear of it
        if len(group) > 1:
            return [decided for one in group for decided in _decided([one], fail)]
        fail(group[0], error)
        return []
    found: list[Inquiry] = []
    at = 0
    for one in group:
        rows = len(one.asked.rows)
        try:
            _answer(one, outcome.of(at, rows))
            found.append(one)
        except Exception as error:  # noqa: BLE001 - as above
            fail(one, error)
        at += rows
    return found


def _decide_apart(one: Inquiry) -> None:
    """A large request, on a thread of its own."""
    _read(one)
    _answer(one, _run([one]).of(0, len(one.asked.rows)))


def _read(one: Inquiry) -> None:
    one.asked = one.protocol.read(one.body)
    if one.times is not None:
        one.times.mark("read")


def _run(group: Sequence[Inquiry]) -> Outcome:
    served = group[0].served
    _mark(group, "gather")
    rows = group[0].asked.rows if len(group) == 1 else [row for one in group for row in one.asked.rows]
    batch = served.contract.pack(rows)
    _mark(group, "pack")
    outcome = outcome_of(served.contract, len(rows), served.engine.run(batch))
    _mark(group, "model")
    return outcome


def _mark(group: Sequence[Inquiry], step: str) -> None:
    for one in group:
        if one.times is not None:
            one.times.mark(step)


def _answer(one: Inquiry, outcome: Outcome) -> None:
    one.decision = new_id("dec")
    one.answer = one.protocol.answer(one.asked, outcome, decision=one.decision, model=one.served.told)
    if one.times is not None:
        one.times.mark("answer")
