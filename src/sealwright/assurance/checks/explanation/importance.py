"""How much the model relies on each feature: what it loses when that feature is shuffled.

Permutation importance (Breiman 2001; Fisher, Rudin & Dominici 2019) on the model as served. Features that
move together can stand in for each other, so each then looks less important than the pair is; such pairs
are named in the note.
"""

from collections.abc import Iterator

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome, collected, skipped
from sealwright.assurance.intervals import Interval
from sealwright.assurance.model import Figure, Finding, Group, NotPerformed, Series
from sealwright.assurance.scores import headline, paired_drop, score_words

__all__ = ["CHECK"]

_IMPORTANCE, _IN_USE = "explanation.importance", "explanation.features_in_use"
_MOST_PREDICTIONS = 2_000_000
_FEWEST_ROWS = 200
_TOGETHER = 0.7  # correlation from which two numbers are said to move together
_SHOWN = 30


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    names = case.interface.names
    affordable = _MOST_PREDICTIONS // (len(names) * case.spec.budget.repeats)
    most = min(case.spec.budget.explanation_rows, max(_FEWEST_ROWS, affordable))
    rows = np.arange(len(case.test))
    if rows.size > most:
        rows = np.sort(rng.choice(rows, most, replace=False))
    features, truth = case.test.features.take(rows), case.test.truth[rows]
    before = headline(case.interface, truth, case.test.outputs[rows])
    if before is None:
        return skipped([_IMPORTANCE, _IN_USE], "the test rows hold one single outcome, so there is no score to lose")
    losses: dict[str, tuple[float, Interval]] = {}
    broken: list[str] = []
    for place, name in enumerate(names):
        after = []
        for _ in range(case.spec.budget.repeats):
            shuffled = features.with_column(place, rng.permutation(features.column(place)))
            outputs = case.predict(shuffled)
            score = headline(case.interface, truth, outputs) if np.isfinite(outputs).all() else None
            if score is not None:
                after.append(score)
        if len(after) == case.spec.budget.repeats:
            losses[name] = paired_drop(before, after, case.spec.confidence)
        else:
            broken.append(name)
    return collected([*_findings(case, losses, broken, rows.size), _figure(case, losses)])


def _findings(
    case: Case, losses: dict[str, tuple[float, Interval]], broken: list[str], n: int
) -> Iterator[Finding | NotPerformed]:
    unit, words = score_words(case.task)
    partners = _partners(case)
    for name in _ranked(losses):
        value, (low, high) = losses[name]
        yield Finding(
            check=_IMPORTANCE,
            value=value,
            low=low,
            high=high,
            n=n,
            unit=unit,
            definition=f"Loss of {words} when the values of this feature are shuffled among the test rows.",
            group=Group(attribute=name),
            note=partners.get(name, ""),
        )
    for name in broken:
        why = "the model gives no finite answer for some shuffled rows"
        yield NotPerformed(check=_IMPORTANCE, why=why, group=Group(attribute=name))
    yield Finding(
        check=_IN_USE,
        value=sum(low > 0 for _, (low, _) in losses.values()),
        n=n,
        unit="count",
        definition="Number of features whose importance interval lies above zero.",
        note=f"of {len(case.interface.names)} features",
    )


def _figure(case: Case, losses: dict[str, tuple[float, Interval]]) -> Figure:
    shown = _ranked(losses)[:_SHOWN]
    bars = Series(
        name="importance",
        x=tuple(shown),
        y=tuple(losses[name][0] for name in shown),
        low=tuple(losses[name][1][0] for name in shown),
        high=tuple(losses[name][1][1] for name in shown),
    )
    return Figure(
        name="explanation.importance",
        kind="bars",
        title="What the model relies on",
        x="feature",
        y=f"loss of {score_words(case.task)[0]} when shuffled",
        series=(bars,),
    )


def _ranked(losses: dict[str, tuple[float, Interval]]) -> list[str]:
    return sorted(losses, key=lambda name: (-losses[name][0], name))


def _partners(case: Case) -> dict[str, str]:
    """For each number, a note naming the number it moves with most, if closely."""
    names = [item.name for item in case.interface.numbers]
    if len(names) < 2:
        return {}
    together = _correlations(case.train.features.numbers.astype(np.float64))
    notes = {}
    for place, name in enumerate(names):
        other = int(np.argmax(np.abs(together[place])))
        if abs(together[place, other]) >= _TOGETHER:
            r = float(together[place, other])
            notes[name] = f"moves together with {names[other]} (r = {r:.2f}), so the two may share their importance"
    return notes


def _correlations(numbers: Floats) -> Floats:
    """Pearson correlations of columns, missing cells at the mean, the diagonal zero."""
    known = np.isfinite(numbers)
    rows = np.maximum(known.sum(axis=0), 1)
    centred = np.where(known, numbers - np.where(known, numbers, 0).sum(axis=0) / rows, 0.0)
    lengths = np.sqrt((centred**2).sum(axis=0))
    scaled = np.divide(centred, lengths, out=np.zeros_like(centred), where=lengths > 0)
    result: Floats = scaled.T @ scaled
    np.fill_diagonal(result, 0.0)
    return result


CHECK = Check(name="explanation.importance", files={_IMPORTANCE: ALL, _IN_USE: ALL}, run=_run)
