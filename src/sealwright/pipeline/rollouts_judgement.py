"""What follows from how two arms do: promote, hold, or roll back, with every reason.

Answers: was each limit kept, broken, or can it not be said yet?
Does not answer: what was measured; whoever calls has gathered it. Nothing is read or changed here.

A limit is broken when the whole interval lies beyond it, and kept when the whole interval lies within. What lies across holds
the rollout where it is. Nothing that was asked for and not measured lets it go on.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sealwright.pipeline.rollouts_statistics import (
    Interval,
    Sample,
    difference,
    distance,
    impact_ratio,
    percentile,
    share,
    split_p,
    stability_index,
)
from sealwright.serving import RolloutSpec, milliseconds_of

__all__ = ["Finding", "Observed", "Verdict", "judge", "judge_waiting", "not_loaded"]

_SPLIT_P = 0.001  # as experiment platforms warn of a wrong split
_LEAST_SCORES = 30
_P95 = 0.95

State = Literal["kept", "broken", "undecided"]
Word = Literal["promote", "hold", "roll_back"]


@dataclass(slots=True, kw_only=True)
class Observed:
    """What one arm did since its step began."""

    arm: str
    number: int
    share: int = 0  # in 1/10,000
    answered: int = 0
    failed: int = 0
    refused: int = 0
    left_out: int = 0  # of a shadow
    times: Counter[int] = field(default_factory=Counter)
    drawn: int = 0  # different persons, or requests where nobody was named
    scores: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    groups: Mapping[str, tuple[int, int]] = field(default_factory=dict)  # favourable and all answers
    outcomes: Sample = field(default_factory=lambda: Sample(0, 0.0, 0.0))
    compared: int = 0  # rows of a shadow
    agreed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One limit, and what was found."""

    measure: str  # "errors", "latency", "psi", "ks", "fairness", "metric", "agreement", "split", "time", "requests"
    state: State
    words: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    limit: float | None = None

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What follows, and from what."""

    word: Word
    findings: tuple[Finding, ...]

    @property
    def reasons(self) -> list[str]:
        """Why it does not go on; nothing where it does."""
        wanted = "broken" if self.word == "roll_back" else "undecided"
        return [one.words for one in self.findings if one.state == wanted]

    def to_json(self) -> dict[str, Any]:
        return {
            "verdict": self.word,
            "reasons": self.reasons,
            "findings": [one.to_json() for one in self.findings],
        }


def judge(
    champion: Observed, challenger: Observed, spec: RolloutSpec, *, minutes: float, shadow: bool = False
) -> Verdict:
    """Decide about a step.

    Parameters
    ----------
    minutes : float
        How long it has been going on.
    shadow : bool
        The challenger is a shadow: compared by agreement, and answers nobody, so nobody reports outcomes of it.
    """
    limits, alpha = spec.limits, 1 - spec.confidence
    findings = [_errors(champion, challenger, spec), _latency(champion, challenger, limits.latency_ratio, alpha)]
    findings += _shift(champion, challenger, spec)
    if limits.fairness is not None:
        findings.append(_fairness(challenger, limits.fairness.at_least, alpha))
    if shadow and limits.agreement is not None:
        findings.append(_agreement(challenger, limits.agreement, alpha))
    if limits.metric is not None and not shadow:
        findings.append(_metric(champion, challenger, spec))
    if not shadow and champion.share and challenger.share:
        findings.append(_split(champion, challenger))
    return _concluded(findings, challenger, spec, minutes=minutes)


def judge_waiting(champion: Observed, spec: RolloutSpec, *, minutes: float) -> Verdict:
    """Decide about a step in which the new version only waits: the champion is counted, to be compared with later."""
    return _concluded([], champion, spec, minutes=minutes)


def not_loaded(why: str) -> Verdict:
    """The server refused to load the new version: nothing can be compared, now or later."""
    return Verdict(word="roll_back", findings=(Finding(measure="loaded", state="broken", words=f"not loaded: {why}"),))


def _concluded(findings: Sequence[Finding], counted: Observed, spec: RolloutSpec, *, minutes: float) -> Verdict:
    """The verdict on these findings, once the step took its time and `counted` had its requests."""
    findings = [*findings, *_waiting(counted, spec, minutes)]
    states = {one.state for one in findings}
    if "undecided" in states and minutes >= spec.most_minutes:
        words = f"after {minutes:,.0f} minutes it still cannot be judged; {spec.most_minutes:,.0f} were given"
        findings.append(Finding(measure="time", state="broken", words=words, value=minutes, limit=spec.most_minutes))
        states.add("broken")
    word: Word = "roll_back" if "broken" in states else "hold" if "undecided" in states else "promote"
    return Verdict(word=word, findings=tuple(findings))


def _errors(champion: Observed, challenger: Observed, spec: RolloutSpec) -> Finding:
    parts = [Sample.of_share(one.failed, one.answered + one.failed) for one in (champion, challenger)]
    if not champion.answered + champion.failed or not challenger.answered + challenger.failed:
        return _unmeasured("errors", spec.limits.errors, "no requests yet")
    found = difference(*parts, alpha=1 - spec.confidence, planned=spec.planned_requests)
    words = f"{challenger.failed:,} of {challenger.answered + challenger.failed:,} requests failed"
    return _at_most("errors", found, spec.limits.errors, words)


def _latency(champion: Observed, challenger: Observed, limit: float, alpha: float) -> Finding:
    one, other = (percentile(some.times, _P95, alpha=alpha) for some in (champion, challenger))
    if one is None or other is None:
        return _unmeasured("latency", limit, "fewer than 20 answers on one side")
    (was, was_low, was_high), (now, now_low, now_high) = (tuple(map(milliseconds_of, some)) for some in (one, other))
    found = Interval(now / was, now_low / was_high, now_high / was_low)
    return _at_most(
        "latency", found, limit, f"95 of 100 answers within {now:,.1f} ms, the champion's within {was:,.1f} ms"
    )


def _shift(champion: Observed, challenger: Observed, spec: RolloutSpec) -> list[Finding]:
    limits, alpha = spec.limits, 1 - spec.confidence
    if min(len(champion.scores), len(challenger.scores)) < _LEAST_SCORES:
        few = f"fewer than {_LEAST_SCORES} scores on one side"
        return [_unmeasured("psi", limits.psi, few), _unmeasured("ks", limits.ks, few)]
    return [
        _at_most(
            "psi", stability_index(champion.scores, challenger.scores, alpha=alpha), limits.psi, "shift of the scores"
        ),
        _at_most("ks", distance(champion.scores, challenger.scores, alpha=alpha), limits.ks, "distance of the scores"),
    ]


def _fairness(challenger: Observed, limit: float, alpha: float) -> Finding:
    found = impact_ratio(challenger.groups, alpha=alpha)
    if found is None:
        return _unmeasured("fairness", limit, "fewer than two groups of 30 answers")
    return _at_least("fairness", found, limit, "lowest selection rate over the highest")


def _agreement(shadow: Observed, limit: float, alpha: float) -> Finding:
    if not shadow.compared:
        return _unmeasured("agreement", limit, "nothing was compared yet")
    return _at_least("agreement", share(shadow.agreed, shadow.compared, alpha=alpha), limit, "rows with the same label")


def _metric(champion: Observed, challenger: Observed, spec: RolloutSpec) -> Finding:
    metric = spec.limits.metric
    assert metric is not None
    found = difference(champion.outcomes, challenger.outcomes, alpha=1 - spec.confidence, planned=spec.planned_requests)
    if found is None:
        return _unmeasured("metric", -metric.margin, f"no outcomes of {metric.name} were reported for both sides")
    better = found if metric.better == "higher" else Interval(-found.value, -found.high, -found.low)
    words = f"{metric.name}, {metric.better} is better, {champion.outcomes.n:,} and {challenger.outcomes.n:,} outcomes"
    return _at_least("metric", better, -metric.margin, words)


def _split(champion: Observed, challenger: Observed) -> Finding:
    p = split_p([champion.drawn, challenger.drawn], [champion.share, challenger.share])
    words = f"{champion.drawn:,} and {challenger.drawn:,} persons or requests were drawn"
    state: State = "undecided" if p < _SPLIT_P else "kept"
    return Finding(
        measure="split",
        state=state,
        words=words if state == "kept" else f"{words}: not the parts that were signed, so nothing compares",
        value=p,
        limit=_SPLIT_P,
    )


def _waiting(counted: Observed, spec: RolloutSpec, minutes: float) -> list[Finding]:
    """A step takes its time, and its requests, whatever is found; being broken waits for neither."""
    seen = counted.answered + counted.failed
    return [
        Finding(
            measure=measure,
            state="kept" if value >= limit else "undecided",
            words=f"{value:,.0f} of {limit:,.0f} {unit}",
            value=float(value),
            limit=float(limit),
        )
        for measure, value, limit, unit in (
            ("time", minutes, spec.minutes, "minutes"),
            ("requests", seen, spec.least_requests, f"requests to {counted.arm}"),
        )
    ]


def _at_most(measure: str, found: Interval | None, limit: float, words: str) -> Finding:
    if found is None:
        return _unmeasured(measure, limit, words)
    state: State = "kept" if found.high <= limit else "broken" if found.low > limit else "undecided"
    return _finding(measure, state, found, limit, f"{words}: {_in_words(found)}, at most {limit:g}")


def _at_least(measure: str, found: Interval, limit: float, words: str) -> Finding:
    state: State = "kept" if found.low >= limit else "broken" if found.high < limit else "undecided"
    return _finding(measure, state, found, limit, f"{words}: {_in_words(found)}, at least {limit:g}")


def _finding(measure: str, state: State, found: Interval, limit: float, words: str) -> Finding:
    return Finding(
        measure=measure, state=state, words=words, value=found.value, low=found.low, high=found.high, limit=limit
    )


def _unmeasured(measure: str, limit: float, why: str) -> Finding:
    return Finding(measure=measure, state="undecided", words=f"{measure}: {why}", limit=limit)


def _in_words(found: Interval) -> str:
    return f"{found.value:.4g} ({found.low:.4g} to {found.high:.4g})"
