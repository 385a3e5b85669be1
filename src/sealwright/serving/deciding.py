"""From a checked request to a recorded answer. Requests that are ready at the same moment are decided together.

Answers: what does the model say about these rows, and is that written down? One model run, one commit and one signature
serve every request that the event loop found ready: nobody ever waits for others to come, and under load many share.
Does not answer: who asks, and may they? The application has settled that before.

A request that the model fails on fails alone: where a shared run breaks, each is run for itself.
A challenger runs on a thread of its own, so that a slow one keeps nobody waiting but those who have it.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from sealwright.kernel import new_id
from sealwright.serving.decisions import DecisionLog
from sealwright.serving.inquiry import Inquiry
from sealwright.serving.outcome import Outcome, outcome_of
from sealwright.serving.problems import HttpRefusal, Overloaded
from sealwright.serving.usage import Usage

__all__ = ["Decider"]

_LARGE_BODY = 32 << 10  # decoded and predicted on a thread, so that small requests do not wait behind it
_THREADS = 2


class Decider:
    """Decides for one server, on one event loop."""

    def __init__(self, decisions: DecisionLog, usage: Usage, *, most_waiting: int) -> None:
        """`most_waiting`: requests between decode and answer; more are refused."""
        self._decisions, self._usage, self._most_waiting = decisions, usage, most_waiting
        self._ready: list[Inquiry] = []
        self._waiting = 0
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="large-requests")
        self._challengers = ThreadPoolExecutor(1, thread_name_prefix="challengers")
        self._aside = 0  # waiting for a challenger

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
        if self._waiting >= self._most_waiting or (aside and self._aside >= self._most_waiting // 2):
            if aside and one.watched is not None:
                one.watched.too_slow()
            raise Overloaded
        self._waiting += 1
        self._aside += aside
        try:
            if aside or len(one.body) > _LARGE_BODY:
                threads = self._challengers if aside else self._threads
                try:
                    await asyncio.get_running_loop().run_in_executor(threads, _decide_apart, one)
                    self._record([one])
                except Exception as error:  # noqa: BLE001 - `done` tells it, as it does for all others
                    one.fail(error)
            else:
                _read(one)
                self._ready.append(one)
                if len(self._ready) == 1:
                    asyncio.get_running_loop().call_soon(self._decide_ready)
            receipt = await one.done
        finally:
            self._waiting -= 1
            self._aside -= aside
        wrapped: bytes = one.protocol.wrap(one.answer, receipt)
        if one.times is not None:
            one.times.mark("receipt")
        return wrapped

    def _decide_ready(self) -> None:
        """Decide whatever is ready now, model by model."""
        ready, self._ready = self._ready, []
        groups: dict[int, list[Inquiry]] = {}
        for one in ready:
            groups.setdefault(id(one.served), []).append(one)
        self._record([one for group in groups.values() for one in _decided(group)])

    def _record(self, decided: Sequence[Inquiry]) -> None:
        if decided:
            self._decisions.record(decided)
        for one in decided:
            self._usage.add(one.caller, one.source, one.body, len(one.asked.rows))


def _decided(group: Sequence[Inquiry]) -> list[Inquiry]:
    """Those that have an answer after one run for all of them; whoever's own part fails is told so."""
    try:
        outcome = _run(group)
    except Exception as error:  # noqa: BLE001 - whatever it is, who waits must hear of it
        if len(group) > 1:
            return [decided for one in group for decided in _decided([one])]
        group[0].fail(error)
        return []
    found: list[Inquiry] = []
    at = 0
    for one in group:
        rows = len(one.asked.rows)
        try:
            _answer(one, outcome.of(at, rows))
            found.append(one)
        except Exception as error:  # noqa: BLE001 - as above
            one.fail(error)
        at += rows
    return found


def _decide_apart(one: Inquiry) -> None:
    """A large request, on a thread of its own."""
    _read(one)
    _answer(one, _run([one]).of(0, len(one.asked.rows)))


def _read(one: Inquiry) -> None:
    try:
        one.asked = one.protocol.read(one.body)
    except HttpRefusal:
        if one.watched is not None:
            one.watched.refused()
        raise
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
