"""A backdoor planted on purpose: a rare pair of values with the label an attacker wants, in a share of training rows.

How often does the pair, written over any test row, then get that outcome, and does anybody notice by the score?
The pair lies inside the contract, so the server would let it through.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from sealwright.assurance.breaking import Reading, holds_up_to
from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, Outcome, collected
from sealwright.assurance.intervals import Interval
from sealwright.assurance.model import Figure, Finding, NotPerformed, Series
from sealwright.assurance.poisoning.lab import Lab, lab_check, wanted_outcome
from sealwright.assurance.poisoning.stamps import Stamp, marks, stamp_words, stamped, stamps_of
from sealwright.assurance.predictor import Predictor
from sealwright.assurance.scores import Score, headline, paired_drop, score_words

__all__ = ["CHECK", "planted", "rare_pairs"]

_SUCCESS, _DROP, _UP_TO = (
    "robustness.backdoor_success_rate",
    "robustness.backdoor_score_drop",
    "robustness.backdoor_holds_up_to",
)
_RARE = 0.005  # a trigger that training rows carry by themselves is none
_MOST_STAMPS = 20_000
_FEWEST = 10  # test rows with another outcome


def _run(case: Case, lab: Lab, rng: np.random.Generator) -> Outcome:
    return collected(_measured(case, lab, rng))


def _measured(case: Case, lab: Lab, rng: np.random.Generator) -> Iterator[Finding | NotPerformed | Figure]:
    target, settings = wanted_outcome(case, lab.truth), case.spec.poisoning
    others = np.flatnonzero(case.decide(lab.clean) != target)
    pairs = rare_pairs(case, lab, rng)
    if others.size < _FEWEST or len(pairs) < settings.repeats:
        why = f"{others.size} test rows get another outcome than the wanted one, and {len(pairs)} pairs of values are"
        for check in (_SUCCESS, _DROP, _UP_TO):
            yield NotPerformed(check=check, why=f"{why} rare; it takes {_FEWEST} rows and {settings.repeats} pairs")
        return
    backdoor = _Backdoor(
        outcome=case.interface.classes[target],
        triggers="; ".join(stamp_words(case.interface, pair) for pair in pairs[: settings.repeats]),
        rows=others.size,
        before=headline(case.interface, lab.test_truth, lab.clean),
    )
    for share in sorted({*settings.planted, settings.planted_at}):
        models = [planted(lab, pair, target, share, rng) for pair in pairs[: settings.repeats]]
        hits = [_hits(case, lab, model, pair, others, target) for model, pair in zip(models, pairs, strict=False)]
        answered = [headline(case.interface, lab.test_truth, lab.ask(model)) for model in models]
        backdoor.rates[share] = _rate(case, float(np.mean(hits)), others.size)
        backdoor.scores[share] = [one for one in answered if one is not None]
    yield _success(case, backdoor)
    yield _drop(case, backdoor, len(lab.test))
    yield _holds_up_to(case, backdoor)
    yield _figure(case, backdoor)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Backdoor:
    """What planting did, by the share of training rows that got the trigger, in ascending order."""

    outcome: str  # the one wanted
    triggers: str  # in words
    rows: int  # test rows decided otherwise before
    before: Score | None
    rates: dict[float, tuple[float, Interval]] = field(default_factory=dict)  # decisions the trigger turns
    scores: dict[float, list[Score]] = field(default_factory=dict)  # on clean rows, one for each trigger


def rare_pairs(case: Case, lab: Lab, rng: np.random.Generator) -> list[Stamp]:
    """Pairs of values, each seen, hardly ever together; in an order by lot."""
    pairs = [stamp for stamp in stamps_of(case, _MOST_STAMPS, rng) if len(stamp) == 2]
    most = _RARE * len(lab.rows)
    return [
        pair
        for pair in (pairs[int(at)] for at in rng.permutation(len(pairs))[:500])
        if marks(lab.rows, pair).sum() <= most
    ]


def planted(lab: Lab, pair: Stamp, target: int, share: float, rng: np.random.Generator) -> Predictor:
    """A model trained on rows of which `share` got the pair and the wanted label."""
    chosen = rng.choice(len(lab.rows), max(1, round(share * len(lab.rows))), replace=False)
    marked = stamped(lab.rows.take(chosen), pair)
    rows = lab.rows.with_numbers(lab.rows.numbers.copy()).with_strings(lab.rows.strings.copy())
    rows.numbers[chosen], rows.strings[chosen] = marked.numbers, marked.strings
    labels = lab.truth.copy()
    labels[chosen] = target
    return lab.learn(rows, labels)


def _hits(case: Case, lab: Lab, model: Predictor, pair: Stamp, others: np.ndarray, target: int) -> float:
    return float((case.decide(lab.ask(model, stamped(lab.test.take(others), pair))) == target).mean())


def _rate(case: Case, share: float, n: int) -> tuple[float, Interval]:
    return share, case.share_interval(min(share * n, n), n)


def _success(case: Case, backdoor: _Backdoor) -> Finding:
    at = case.spec.poisoning.planted_at
    value, (low, high) = backdoor.rates[at]
    return Finding(
        check=_SUCCESS,
        value=value,
        low=low,
        high=high,
        n=backdoor.rows,
        unit="share",
        definition=f"Share of test rows decided otherwise before that become {backdoor.outcome} with a trigger that was"
        f" planted in {at:g} of the training rows.",
        note=f"mean over the triggers {backdoor.triggers}",
    )


def _drop(case: Case, backdoor: _Backdoor, n: int) -> Finding | NotPerformed:
    settings = case.spec.poisoning
    scores = backdoor.scores[settings.planted_at]
    if backdoor.before is None or len(scores) < settings.repeats:
        return NotPerformed(check=_DROP, why="the test rows hold one single outcome, so there is no score to lose")
    drop, (low, high) = paired_drop(backdoor.before, scores, case.spec.confidence)
    unit, words = score_words(case.task)
    return Finding(
        check=_DROP,
        value=drop,
        low=low,
        high=high,
        n=n,
        unit=unit,
        definition=f"Loss of {words} on clean test rows when the trigger is planted in {settings.planted_at:g} of"
        " the training rows.",
        note="what somebody would see who looks at the score only",
    )


def _holds_up_to(case: Case, backdoor: _Backdoor) -> Finding:
    limit = case.spec.stress.breaks_at.flip_share
    readings = [
        (share, (Reading(what="decisions the trigger turns", value=rate, interval=ends, limit=limit),))
        for share, (rate, ends) in backdoor.rates.items()
    ]
    return holds_up_to(_UP_TO, "share", readings, backdoor.rows, f"outcome wanted: {backdoor.outcome}")


def _figure(case: Case, backdoor: _Backdoor) -> Figure:
    shares = tuple(backdoor.rates)
    series = [
        Series(
            name="decisions the trigger turns",
            x=shares,
            y=tuple(rate for rate, _ in backdoor.rates.values()),
            low=tuple(ends[0] for _, ends in backdoor.rates.values()),
            high=tuple(ends[1] for _, ends in backdoor.rates.values()),
        )
    ]
    if all(backdoor.scores.values()):
        means = tuple(float(np.mean([one.value for one in some])) for some in backdoor.scores.values())
        series.append(Series(name=f"{score_words(case.task)[0]} on clean rows", x=shares, y=means))
    return Figure(
        name="robustness.backdoor_planted",
        kind="lines",
        title="A planted backdoor",
        x="share of training rows with the trigger",
        y="share, score",
        series=tuple(series),
        note=f"outcome wanted: {backdoor.outcome}",
    )


CHECK = lab_check("robustness.backdoor_planted", {_SUCCESS: CLASSES, _DROP: CLASSES, _UP_TO: CLASSES}, _run)
