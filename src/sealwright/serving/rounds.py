"""One round of decisions: requests of the same moment are read, run together and answered. Nothing is told or recorded here.

Answers: what does the model say about these rows, for each of those who ask?
Does not answer: who is in a round, on which thread it goes, and what follows. `deciding` does.
"""

from collections.abc import Iterable, Sequence
from time import perf_counter
from typing import NamedTuple

from sealwright.kernel import new_id, new_ids
from sealwright.serving.contract import Batch
from sealwright.serving.inquiry import Inquiry
from sealwright.serving.options import NO_OPTIONS
from sealwright.serving.outcome import Outcome, outcome_of
from sealwright.serving.problems import AnswerTooLate, HttpRefusal, ModelTooSlow, NoReasons
from sealwright.serving.reasons import Reasons

__all__ = ["Failed", "decided_alone", "decided_in", "in_time", "read"]


class Failed(NamedTuple):
    """A request without an answer, why, and whether it was run for itself."""

    one: Inquiry
    error: BaseException
    alone: bool


def read(one: Inquiry) -> None:
    try:
        one.asked = one.protocol.read(one.body)
        options = one.asked.options
        if options is not NO_OPTIONS:
            one.served.answering.disclosure.refuse(options, one.caller.scopes)
            if options.interval:
                one.served.answering.promises.refuse()
    except HttpRefusal:
        if one.watched is not None:
            one.watched.refused()
        raise
    if one.times is not None:
        one.times.mark("read")


def in_time(ready: Sequence[Inquiry], now: float, longest: float) -> Sequence[Inquiry]:
    """Those whose callers still wait; the others are told."""
    late = [one for one in ready if one.late(now, longest)]
    for one in late:
        one.fail(AnswerTooLate())
    return [one for one in ready if one not in late] if late else ready


def decided_in(groups: Iterable[Sequence[Inquiry]]) -> tuple[list[Inquiry], list[Failed]]:
    """Those that have an answer, and those that have none. Tells nobody: it may run on a thread."""
    found: list[Inquiry] = []
    failed: list[Failed] = []
    for group in groups:
        _decide(group, found, failed)
    return found, failed


def decided_alone(one: Inquiry, longest: float) -> float:
    """A request that is large or asks for reasons, if its time is not over. The seconds that took."""
    began = perf_counter()
    if one.late(began, longest):
        raise AnswerTooLate
    served, asked = one.served, one.asked
    if asked.options.explain and served.explainer is None:
        raise NoReasons
    batch, found = served.answering.checked(_batch([one]))
    raw = served.engine.run(batch)
    outcome = served.answering.judged(found, outcome_of(served.contract, asked.count, raw)).of(0, asked.count)
    reasons: Sequence[Reasons] = ()
    if asked.options.explain and served.explainer is not None:
        reasons = served.explainer.explain(
            batch, engine=served.engine, raw=raw, counterfactual=asked.options.counterfactual
        )
    _answer(one, new_id("dec"), outcome, reasons)
    return perf_counter() - began


def _decide(group: Sequence[Inquiry], found: list[Inquiry], failed: list[Failed]) -> None:
    """One run for all of them; whoever's own part fails, fails alone."""
    try:
        outcome = _run(group)
    except ModelTooSlow as error:
        failed += [Failed(one, error, len(group) == 1) for one in group]
        return
    except Exception as error:  # noqa: BLE001 - whatever it is, who waits must hear of it
        if len(group) == 1:
            failed.append(Failed(group[0], error, alone=True))
            return
        for one in group:
            _decide([one], found, failed)
        return
    at = 0
    for one, decision in zip(group, new_ids("dec", len(group)), strict=True):
        rows = one.asked.count
        try:
            _answer(one, decision, outcome.of(at, rows))
            found.append(one)
        except Exception as error:  # noqa: BLE001 - as above
            failed.append(Failed(one, error, alone=True))
        at += rows


def _run(group: Sequence[Inquiry]) -> Outcome:
    served = group[0].served
    _mark(group, "gather")
    batch, found = served.answering.checked(_batch(group))
    _mark(group, "pack")
    outcome = outcome_of(served.contract, batch.rows, served.engine.run(batch))
    _mark(group, "model")
    return served.answering.judged(found, outcome)


def _batch(group: Sequence[Inquiry]) -> Batch:
    """Everybody's rows, in order, as the model's inputs. Whoever sent few of them left them to be packed together."""
    contract = group[0].served.contract
    if all(one.asked.batch is None for one in group):
        rows = group[0].asked.rows if len(group) == 1 else [row for one in group for row in one.asked.rows]
        return contract.pack(rows)
    return Batch.joined([one.asked.batch or contract.pack(one.asked.rows) for one in group])


def _mark(group: Sequence[Inquiry], step: str) -> None:
    for one in group:
        if one.times is not None:
            one.times.mark(step)


def _answer(one: Inquiry, decision: str, outcome: Outcome, reasons: Sequence[Reasons] = ()) -> None:
    one.decision = decision
    one.outcome, one.reasons, one.kept, one.abstained = one.served.answering.told(
        one.caller.scopes, one.asked.options, outcome, reasons
    )
    one.answer = one.protocol.answer(
        one.asked, one.outcome, decision=one.decision, model=one.served.told, reasons=one.reasons
    )
    if one.times is not None:
        one.times.mark("answer")
