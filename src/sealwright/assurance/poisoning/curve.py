"""What growing poison does: decisions that differ from those of a model trained on clean rows, and score that is lost.

What the checks on labels and on removed rows share; each states one poison.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.breaking import Reading, holds_up_to
from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, REGRESSION
from sealwright.assurance.intervals import Interval, mean_interval
from sealwright.assurance.model import Figure, Finding, NotPerformed, Series
from sealwright.assurance.poisoning.lab import Lab
from sealwright.assurance.predictor import no_answer
from sealwright.assurance.scores import Score, headline, paired_drop, score_words

__all__ = ["Poison", "curve", "curve_files", "mean_moved"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Poison:
    """One way to poison. `outputs` trains on poisoned rows and answers for the test rows, once for each repeat."""

    name: str  # "poisoning_random"
    title: str
    words: str  # "{share:.3g} of the training labels are replaced by another class at random"
    along: str
    shares: Sequence[float]
    reported: float
    outputs: Callable[[float], list[Floats]]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Effect:
    share: float
    moved: Floats  # per test row, mean over repeats
    scores: list[Score]
    repeats: int


def curve_files(name: str) -> dict[str, frozenset[str]]:
    """The findings a poison files."""
    return {
        f"robustness.{name}_flip_share": CLASSES,
        f"robustness.{name}_shift": REGRESSION,
        f"robustness.{name}_score_drop": CLASSES | REGRESSION,
        f"robustness.{name}_holds_up_to": CLASSES | REGRESSION,
    }


def curve(case: Case, lab: Lab, poison: Poison) -> Iterator[Finding | NotPerformed | Figure]:
    """Findings at the reported share, the point where a limit is passed, and the curve."""
    effects = [_effect(case, lab, poison, share) for share in sorted({*poison.shares, poison.reported})]
    before = headline(case.interface, lab.test_truth, lab.clean) if not no_answer(lab.clean).any() else None
    reported = next(effect for effect in effects if effect.share == poison.reported)
    yield from _findings(case, poison, before, reported)
    readings = [(effect.share, tuple(_readings(case, before, effect))) for effect in effects]
    yield holds_up_to(f"robustness.{poison.name}_holds_up_to", "share", readings, len(lab.test), poison.note)
    yield _figure(case, poison, before, effects)


def mean_moved(case: Case, moved: Floats) -> tuple[float, Interval]:
    """The share of decisions that differ, or the mean distance, with its interval over the test rows."""
    mean, n = float(moved.mean()), moved.size
    if case.task != "regression":
        return mean, case.share_interval(min(mean * n, n), n)
    if n < 2:
        return mean, (0.0, 2 * mean)
    _, (low, high) = mean_interval(moved, case.spec.confidence)
    return mean, (max(0.0, low), high)


def _effect(case: Case, lab: Lab, poison: Poison, share: float) -> _Effect:
    answered = poison.outputs(share)
    scores = [
        score
        for outputs in answered
        if not no_answer(outputs).any() and (score := headline(case.interface, lab.test_truth, outputs)) is not None
    ]
    moved: Floats = np.mean([lab.moved(outputs) for outputs in answered], axis=0)
    return _Effect(share=share, moved=moved, scores=scores, repeats=len(answered))


def _readings(case: Case, before: Score | None, effect: _Effect) -> Iterator[Reading]:
    limits = case.spec.stress.breaks_at
    value, interval = mean_moved(case, effect.moved)
    if case.task == "regression":
        yield Reading(what="shift in sd of the target", value=value, interval=interval, limit=limits.shift)
    else:
        yield Reading(what="decisions changed", value=value, interval=interval, limit=limits.flip_share)
    if before is not None and len(effect.scores) == effect.repeats:
        drop, interval = paired_drop(before, effect.scores, case.spec.confidence)
        yield Reading(what=f"lost {score_words(case.task)[0]}", value=drop, interval=interval, limit=limits.score_drop)


def _findings(case: Case, poison: Poison, before: Score | None, effect: _Effect) -> Iterator[Finding | NotPerformed]:
    how, n = poison.words.format(share=f"{effect.share:g}"), effect.moved.size
    value, (low, high) = mean_moved(case, effect.moved)
    if case.task == "regression":
        name, unit, text = "shift", "sd of the target", f"Mean distance predictions move when {how}."
    else:
        name, unit, text = "flip_share", "share", f"Share of test decisions that change when {how}."
    check = f"robustness.{poison.name}_{name}"
    yield Finding(
        check=check, value=value, low=low, high=high, n=n, unit=unit, definition=text, note=_trained(poison, effect)
    )
    check = f"robustness.{poison.name}_score_drop"
    if before is None or len(effect.scores) < effect.repeats:
        yield NotPerformed(check=check, why="the test rows hold one single outcome, or some get no answer: no score")
        return
    drop, (low, high) = paired_drop(before, effect.scores, case.spec.confidence)
    unit, words = score_words(case.task)
    yield Finding(
        check=check,
        value=drop,
        low=low,
        high=high,
        n=n,
        unit=unit,
        definition=f"Loss of {words} when {how}.",
        note=_trained(poison, effect),
    )


def _trained(poison: Poison, effect: _Effect) -> str:
    models = f"against a model trained on the clean rows; mean of {effect.repeats} poisoned models"
    return "; ".join(filter(None, [models, poison.note]))


def _figure(case: Case, poison: Poison, before: Score | None, effects: list[_Effect]) -> Figure:
    ends = [mean_moved(case, effect.moved) for effect in effects]
    line = Series(
        name="shift, sd of the target" if case.task == "regression" else "decisions changed",
        x=(0.0, *(effect.share for effect in effects)),
        y=(0.0, *(value for value, _ in ends)),
        low=(0.0, *(interval[0] for _, interval in ends)),
        high=(0.0, *(interval[1] for _, interval in ends)),
    )
    series = [line]
    whole = [effect for effect in effects if len(effect.scores) == effect.repeats]
    if before is not None and whole:
        means = (float(np.mean([score.value for score in effect.scores])) for effect in whole)
        series.append(
            Series(
                name=score_words(case.task)[0],
                x=(0.0, *(effect.share for effect in whole)),
                y=(before.value, *means),
            )
        )
    return Figure(
        name=f"robustness.{poison.name}",
        kind="lines",
        title=poison.title,
        x=poison.along,
        y="share, score",
        series=tuple(series),
        note=poison.note,
    )
