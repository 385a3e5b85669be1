"""What a growing disturbance does to a model: decisions that change, score that is lost, answers that fail.

What every robustness check shares; the checks themselves each state one disturbance.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.breaking import Reading, holds_up_to
from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, REGRESSION, Check, Outcome, collected, skipped
from sealwright.assurance.features import Features
from sealwright.assurance.intervals import Interval, mean_interval
from sealwright.assurance.model import Figure, Finding, NotPerformed, Series
from sealwright.assurance.predictor import no_answer
from sealwright.assurance.refusals import refused
from sealwright.assurance.scores import Score, headline, paired_drop, score_words
from sealwright.assurance.spec import AssuranceSpec

__all__ = ["CELLS", "Disturbance", "NOISE", "Steps", "disturbance_check", "measured"]

Disturb = Callable[[Case, Features, float, np.random.Generator], Features]


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """The strengths a disturbance is tried at, and the one whose effect becomes a finding."""

    strengths: Callable[[AssuranceSpec], tuple[float, ...]]
    reported: Callable[[AssuranceSpec], float]
    unit: str = "share"
    drawn: Callable[[float], float] = float  # where a strength stands on the axis


NOISE = Steps(strengths=lambda spec: spec.noise, reported=lambda spec: spec.reported_at, unit="sd")
CELLS = Steps(strengths=lambda spec: spec.missing, reported=lambda spec: spec.reported_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbance:
    """One way to spoil rows. What its strength measures, `along` says."""

    name: str  # "noise"
    suite: str = "robustness"
    title: str
    words: str  # "every number gets normal noise of {share} standard deviations"
    along: str  # axis label
    steps: Steps
    disturb: Disturb
    impossible: Callable[[Case], str]  # what the model lacks for it to exist, or ""
    note: Callable[[Case], str]
    answers: Callable[[Case, Features, float, np.random.Generator], Floats] | None = None  # where rows are not features


@dataclass(frozen=True, slots=True, kw_only=True)
class _Effect:
    """What one strength did, over its repeats."""

    strength: float
    moved: Floats  # per row: share of repeats with another decision, or mean distance in sd of the target
    unanswered: Floats  # per row: share of repeats without an answer
    scores: list[Score]  # one per repeat; fewer where rows had no answer
    refused: Floats  # per row: share of repeats that the contract refuses when served


def disturbance_check(kind: Disturbance) -> Check:
    """The check that measures `kind`: movement, loss of score, rows without an answer, and where it breaks."""
    prefix = f"{kind.suite}.{kind.name}"
    files = {
        f"{prefix}_flip_share": CLASSES,
        f"{prefix}_shift": REGRESSION,
        f"{prefix}_score_drop": CLASSES | REGRESSION,
        f"{prefix}_no_answer_share": CLASSES | REGRESSION,
        f"{prefix}_refused_share": CLASSES | REGRESSION,
        f"{prefix}_holds_up_to": CLASSES | REGRESSION,
    }

    def run(case: Case, rng: np.random.Generator) -> Outcome:
        if why := kind.impossible(case):
            return skipped([name for name, tasks in files.items() if case.task in tasks], why, applicable=False)
        return measured(case, kind, prefix, rng)

    return Check(name=prefix, files=files, run=run)


def measured(case: Case, kind: Disturbance, prefix: str, rng: np.random.Generator) -> Outcome:
    """What every strength of `kind` does, as findings named after `prefix`, and a curve."""
    rows = np.arange(len(case.test))
    if rows.size > case.spec.budget.robustness_rows:
        rows = np.sort(rng.choice(rows, case.spec.budget.robustness_rows, replace=False))
    before = headline(case.interface, case.test.truth[rows], case.test.outputs[rows])
    at = kind.steps.reported(case.spec)
    strengths = sorted({*kind.steps.strengths(case.spec), at})
    effects = [_effect(case, kind, rows, strength, rng) for strength in strengths]
    reported = next(effect for effect in effects if effect.strength == at)
    findings = _findings(case, kind, prefix, before, reported)
    readings = [(effect.strength, tuple(_readings(case, before, effect))) for effect in effects]
    point = holds_up_to(f"{prefix}_holds_up_to", kind.steps.unit, readings, rows.size, kind.note(case))
    return collected([*findings, point, _figure(case, kind, prefix, before, effects)])


def _readings(case: Case, before: Score | None, effect: _Effect) -> Iterator[Reading]:
    limits, confidence = case.spec.stress.breaks_at, case.spec.confidence
    moved, lost = _mean_moved(case, effect), _share(case, effect.unanswered)
    if case.task == "regression":
        yield Reading(what="shift in sd of the target", value=moved[0], interval=moved[1], limit=limits.shift)
    else:
        yield Reading(what="decisions changed", value=moved[0], interval=moved[1], limit=limits.flip_share)
    yield Reading(what="rows without an answer", value=lost[0], interval=lost[1], limit=limits.no_answer_share)
    if before is not None and len(effect.scores) == case.spec.budget.repeats:
        drop, interval = paired_drop(before, effect.scores, confidence)
        unit, _ = score_words(case.task)
        yield Reading(what=f"lost {unit}", value=drop, interval=interval, limit=limits.score_drop)


def _share(case: Case, per_row: Floats) -> tuple[float, Interval]:
    mean, n = float(per_row.mean()), per_row.size
    return mean, case.share_interval(min(mean * n, n), n)


def _mean_moved(case: Case, effect: _Effect) -> tuple[float, Interval]:
    """The share of decisions that change, or the mean distance predictions move."""
    if case.task != "regression":
        return _share(case, effect.moved)
    if effect.moved.size == 1:
        only = float(effect.moved[0])
        return only, (0.0, 2 * only)
    mean, (low, high) = mean_interval(effect.moved, case.spec.confidence)
    return mean, (max(0.0, low), high)


def _effect(
    case: Case, kind: Disturbance, rows: NDArray[np.intp], strength: float, rng: np.random.Generator
) -> _Effect:
    features, truth, clean = case.test.features.take(rows), case.test.truth[rows], case.test.outputs[rows]
    moved, unanswered, stopped = (np.zeros(rows.size) for _ in range(3))
    reported, repeats = strength == kind.steps.reported(case.spec), case.spec.budget.repeats

    def disturbed() -> Iterator[Features]:
        for _ in range(repeats):
            changed = kind.disturb(case, features, strength, rng)
            if reported:
                stopped[:] += refused(changed, case.interface)
            yield changed

    answered: Iterable[Floats] = case.predict_each(disturbed())
    if kind.answers is not None:
        answered = (kind.answers(case, features, strength, rng) for _ in range(repeats))
    scores = []
    for outputs in answered:
        silent = no_answer(outputs)
        unanswered += silent
        moved += _movement(case, clean, outputs, silent)
        score = headline(case.interface, truth, outputs) if not silent.any() else None
        if score is not None:
            scores.append(score)
    return _Effect(
        strength=strength,
        moved=moved / repeats,
        unanswered=unanswered / repeats,
        scores=scores,
        refused=stopped / repeats,
    )


def _movement(case: Case, clean: Floats, outputs: Floats, silent: NDArray[np.bool_]) -> Floats:
    if case.task != "regression":
        return np.asarray(case.decide(outputs) != case.decide(clean), dtype=np.float64)
    scale = float(case.test.truth.std()) or 1.0
    moved: Floats = np.abs(np.where(silent, clean, outputs) - clean) / scale
    return moved


def _findings(
    case: Case, kind: Disturbance, prefix: str, before: Score | None, effect: _Effect
) -> Iterator[Finding | NotPerformed]:
    n = effect.moved.size
    how = kind.words.format(share=f"{effect.strength:g}")
    note = kind.note(case)
    mean, (low, high) = _mean_moved(case, effect)
    if case.task == "regression":
        name, unit, text = "shift", "sd of the target", f"Mean distance predictions move when {how}."
    else:
        name, unit, text = "flip_share", "share", f"Share of decisions that change when {how}."
    yield Finding(check=f"{prefix}_{name}", value=mean, low=low, high=high, n=n, unit=unit, definition=text, note=note)
    shares = {
        "no_answer_share": (effect.unanswered, "for which the model gives no finite answer"),
        "refused_share": (effect.refused, "that the contract refuses before the model, when served,"),
    }
    for name, (per_row, which) in shares.items():
        share, (low, high) = _share(case, per_row)
        text = f"Share of rows {which} when {how}."
        yield Finding(
            check=f"{prefix}_{name}", value=share, low=low, high=high, n=n, unit="share", definition=text, note=note
        )
    yield _score_drop(case, f"{prefix}_score_drop", how, note, before, effect)


def _score_drop(
    case: Case, check: str, how: str, note: str, before: Score | None, effect: _Effect
) -> Finding | NotPerformed:
    if before is None:
        return NotPerformed(check=check, why="the test rows hold one single outcome, so there is no score to lose")
    if len(effect.scores) < case.spec.budget.repeats:
        return NotPerformed(check=check, why="some disturbed rows get no answer from the model, so no score compares")
    drop, (low, high) = paired_drop(before, effect.scores, case.spec.confidence)
    unit, words = score_words(case.task)
    text = f"Loss of {words} when {how}."
    n = effect.moved.size
    return Finding(check=check, value=drop, low=low, high=high, n=n, unit=unit, definition=text, note=note)


def _figure(case: Case, kind: Disturbance, prefix: str, before: Score | None, effects: list[_Effect]) -> Figure:
    n = effects[0].moved.size
    moved = [float(effect.moved.mean()) for effect in effects]
    if case.task == "regression":
        line = Series(name="shift, sd of the target", x=_x(kind, effects), y=(0.0, *moved))
    else:
        ends = [case.share_interval(min(value * n, n), n) for value in moved]
        line = Series(
            name="decisions changed",
            x=_x(kind, effects),
            y=(0.0, *moved),
            low=(0.0, *(low for low, _ in ends)),
            high=(0.0, *(high for _, high in ends)),
        )
    series = [line]
    whole = [effect for effect in effects if len(effect.scores) == case.spec.budget.repeats]
    if before is not None and whole:
        means = [float(np.mean([score.value for score in effect.scores])) for effect in whole]
        series.append(Series(name=score_words(case.task)[0], x=_x(kind, whole), y=(before.value, *means)))
    return Figure(
        name=prefix,
        kind="lines",
        title=kind.title,
        x=kind.along,
        y="share, score",
        series=tuple(series),
        note=kind.note(case),
    )


def _x(kind: Disturbance, effects: list[_Effect]) -> tuple[float, ...]:
    return (kind.steps.drawn(0.0), *(kind.steps.drawn(effect.strength) for effect in effects))
