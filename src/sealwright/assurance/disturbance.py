"""What a growing disturbance does to a model: decisions that change, score that is lost, answers that fail.

What every robustness check shares; the checks themselves each state one disturbance.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, REGRESSION, Check, Outcome, collected, skipped
from sealwright.assurance.features import Features
from sealwright.assurance.intervals import wilson, z_of
from sealwright.assurance.model import Figure, Finding, NotPerformed, Series
from sealwright.assurance.predictor import no_answer
from sealwright.assurance.scores import Score, headline, paired_drop, score_words

__all__ = ["Disturbance", "disturbance_check"]

Disturb = Callable[[Case, Features, float, np.random.Generator], Features]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbance:
    """One way to spoil rows. `strength` is a share in (0, 1]; what it is a share of, `along` says."""

    name: str  # "noise"
    title: str
    words: str  # "every number gets normal noise of {share} standard deviations"
    along: str  # axis label
    on_cells: bool  # strengths from spec.missing (shares of cells) instead of spec.noise
    disturb: Disturb
    impossible: Callable[[Case], str]  # what the model lacks for it to exist, or ""
    note: Callable[[Case], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Effect:
    """What one strength did, over its repeats."""

    strength: float
    moved: Floats  # per row: share of repeats with another decision, or mean distance in sd of the target
    unanswered: Floats  # per row: share of repeats without an answer
    scores: list[Score]  # one per repeat; fewer where rows had no answer


def disturbance_check(kind: Disturbance) -> Check:
    """The check that measures `kind`: movement, loss of score, rows without an answer."""
    prefix = f"robustness.{kind.name}"
    files = {
        f"{prefix}_flip_share": CLASSES,
        f"{prefix}_shift": REGRESSION,
        f"{prefix}_score_drop": CLASSES | REGRESSION,
        f"{prefix}_no_answer_share": CLASSES | REGRESSION,
    }

    def run(case: Case, rng: np.random.Generator) -> Outcome:
        if why := kind.impossible(case):
            return skipped([name for name, tasks in files.items() if case.task in tasks], why, applicable=False)
        return _measured(case, kind, prefix, rng)

    return Check(name=prefix, files=files, run=run)


def _measured(case: Case, kind: Disturbance, prefix: str, rng: np.random.Generator) -> Outcome:
    rows = np.arange(len(case.test))
    if rows.size > case.spec.budget.robustness_rows:
        rows = np.sort(rng.choice(rows, case.spec.budget.robustness_rows, replace=False))
    before = headline(case.interface, case.test.truth[rows], case.test.outputs[rows])
    declared = case.spec.missing if kind.on_cells else case.spec.noise
    strengths = sorted({*declared, case.spec.reported_at})
    effects = [_effect(case, kind, rows, strength, rng) for strength in strengths]
    reported = next(effect for effect in effects if effect.strength == case.spec.reported_at)
    findings = _findings(case, kind, prefix, before, reported)
    return collected([*findings, _figure(case, kind, prefix, before, effects)])


def _effect(
    case: Case, kind: Disturbance, rows: NDArray[np.intp], strength: float, rng: np.random.Generator
) -> _Effect:
    features, truth, clean = case.test.features.take(rows), case.test.truth[rows], case.test.outputs[rows]
    moved, unanswered = np.zeros(rows.size), np.zeros(rows.size)
    scores = []
    for _ in range(case.spec.budget.repeats):
        outputs = case.predict(kind.disturb(case, features, strength, rng))
        silent = no_answer(outputs)
        unanswered += silent
        moved += _movement(case, clean, outputs, silent)
        score = headline(case.interface, truth, outputs) if not silent.any() else None
        if score is not None:
            scores.append(score)
    repeats = case.spec.budget.repeats
    return _Effect(strength=strength, moved=moved / repeats, unanswered=unanswered / repeats, scores=scores)


def _movement(case: Case, clean: Floats, outputs: Floats, silent: NDArray[np.bool_]) -> Floats:
    if case.task != "regression":
        return np.asarray(case.decide(outputs) != case.decide(clean), dtype=np.float64)
    scale = float(case.test.truth.std()) or 1.0
    moved: Floats = np.abs(np.where(silent, clean, outputs) - clean) / scale
    return moved


def _findings(
    case: Case, kind: Disturbance, prefix: str, before: Score | None, effect: _Effect
) -> Iterator[Finding | NotPerformed]:
    n, confidence = effect.moved.size, case.spec.confidence
    how = kind.words.format(share=f"{effect.strength:g}")
    note = kind.note(case)
    if case.task == "regression":
        mean = float(effect.moved.mean())
        half = z_of(confidence) * float(effect.moved.std(ddof=1)) / np.sqrt(n) if n > 1 else mean
        name, unit, low, high = "shift", "sd of the target", max(0.0, mean - half), mean + half
        text = f"Mean distance predictions move when {how}."
    else:
        mean = float(effect.moved.mean())
        low, high = wilson(min(mean * n, n), n, confidence)
        name, unit, text = "flip_share", "share", f"Share of decisions that change when {how}."
    yield Finding(check=f"{prefix}_{name}", value=mean, low=low, high=high, n=n, unit=unit, definition=text, note=note)
    lost = float(effect.unanswered.mean())
    low, high = wilson(min(lost * n, n), n, confidence)
    yield Finding(
        check=f"{prefix}_no_answer_share",
        value=lost,
        low=low,
        high=high,
        n=n,
        unit="share",
        definition=f"Share of rows for which the model gives no finite answer when {how}.",
        note=note,
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
        line = Series(name="shift, sd of the target", x=_x(effects), y=(0.0, *moved))
    else:
        ends = [wilson(min(value * n, n), n, case.spec.confidence) for value in moved]
        line = Series(
            name="decisions changed",
            x=_x(effects),
            y=(0.0, *moved),
            low=(0.0, *(low for low, _ in ends)),
            high=(0.0, *(high for _, high in ends)),
        )
    series = [line]
    whole = [effect for effect in effects if len(effect.scores) == case.spec.budget.repeats]
    if before is not None and whole:
        means = [float(np.mean([score.value for score in effect.scores])) for effect in whole]
        series.append(Series(name=score_words(case.task)[0], x=_x(whole), y=(before.value, *means)))
    return Figure(
        name=prefix,
        kind="lines",
        title=kind.title,
        x=kind.along,
        y="share, score",
        series=tuple(series),
        note=kind.note(case),
    )


def _x(effects: list[_Effect]) -> tuple[float, ...]:
    return (0.0, *(effect.strength for effect in effects))
