"""What a gate says, in words: every reason at once, with its evidence, who must act, and the next command.

Answers: how does a person read a decision, on a terminal or in an error?
Does not answer: anything the decision does not hold; no number is computed here.
"""

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

from sealwright.evidence.case import GateDecision
from sealwright.evidence.model import Change, Outcome, Result
from sealwright.kernel import StoppedByPolicy, rfc3339

__all__ = ["GateBlocked", "render_gate"]

_WIDTH = 100
_INDENT = " " * 4
_LABEL = 10


class GateBlocked(StoppedByPolicy):
    """The policy says no. Carries the whole decision, so nobody fixes its reasons one by one."""

    code = "gate.blocked"

    def __init__(self, decision: GateDecision) -> None:
        self.decision = decision
        super().__init__(render_gate(decision))


def render_gate(decision: GateDecision, *, everything: bool = False) -> str:
    """A decision as plain text, at most 100 columns wide.

    Parameters
    ----------
    everything : bool
        List also the requirements that are met.
    """
    return "\n".join(_lines(decision, everything=everything))


def _lines(decision: GateDecision, *, everything: bool) -> Iterator[str]:
    blocking, subject = decision.blocking, decision.subject
    if decision.passed:
        yield f"{subject.project} may be released: all {len(decision.results)} requirements are met."
    else:
        stand = "stands" if len(blocking) == 1 else "stand"
        yield f"{subject.project} may not be released: {len(blocking)} of {len(decision.results)} requirements {stand} in its way."
    yield f"{_INDENT}policy    {decision.policy.risk_class.value}, {decision.policy.digest}"
    yield f"{_INDENT}package   {subject.package}"
    yield f"{_INDENT}model     {subject.model}"
    yield f"{_INDENT}decided   {rfc3339(decision.decided_at)}"
    for result in decision.results if everything else blocking:
        yield ""
        yield from _result(result)
    yield from _changes("Asks for less than its risk class does:", decision.below_class)
    yield from _changes("Asks for less than was signed before results were known:", decision.loosened)
    met = Counter(result.outcome for result in decision.results if result.outcome.opens)
    yield ""
    yield "Met: " + (", ".join(f"{met[one]} {_name(one)}" for one in Outcome if met[one]) or "none") + "."
    if not decision.passed:
        yield "After a fix, ask again with: sealwright gate"


def _result(result: Result) -> Iterator[str]:
    yield f"{_name(result.outcome).upper()}  {result.check}"
    if len(result.instances) > 1:
        for one in result.instances:
            yield from _field("found", f"{_name(one.outcome)}: {one.attribute}, {one.found}")
    else:
        yield from _field("found", result.found)
    yield from _field("limit", result.limit)
    yield from _field("why", result.why)
    for digest in result.evidence:
        yield from _field("evidence", digest)
    if result.next_step:
        yield from _field("who", result.who)
        yield from _field("next", result.next_step)


def _changes(title: str, changes: Sequence[Change]) -> Iterator[str]:
    if not changes:
        return
    yield ""
    yield title
    for change in changes:
        yield from _wrapped(f"{change.what}: {change.before} -> {change.after}", _INDENT, _INDENT)
        if change.why:
            yield from _wrapped(f"because: {change.why}", _INDENT * 2, _INDENT * 2)


def _field(label: str, text: str) -> Iterator[str]:
    hang = _INDENT + " " * _LABEL
    yield from _wrapped(text or "-", f"{_INDENT}{label:<{_LABEL}}", hang)


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def _name(outcome: Outcome) -> str:
    return outcome.value.replace("_", " ")
