"""How much the model relies on each feature: what it loses when that feature is shuffled.

Permutation importance (Breiman 2001; Fisher, Rudin & Dominici 2019) on the model as served. Features that
move together can stand in for each other, so each then looks less important than the pair is; such blocks
are named, and shuffled as one besides.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome, collected, skipped
from sealwright.assurance.explaining.association import associations, blocks
from sealwright.assurance.features import Features
from sealwright.assurance.intervals import Interval
from sealwright.assurance.model import Figure, Finding, Group, NotPerformed, Series
from sealwright.assurance.scores import Score, headline, paired_drop, score_words

__all__ = ["CHECK"]

_IMPORTANCE, _IN_USE = "explanation.importance", "explanation.features_in_use"
_CORRELATED, _GROUPED = "explanation.correlated_features", "explanation.grouped_importance"
_MOST_PREDICTIONS = 2_000_000
_FEWEST_ROWS = 200
_COMPARED = 2_000  # training rows in which features are compared with each other
_NAMED = 8  # features of one block that are named
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
        return skipped(
            [_IMPORTANCE, _IN_USE, _CORRELATED, _GROUPED],
            "the test rows hold one single outcome, so there is no score to lose",
        )
    shuffled = _Shuffled(case, features, truth, before, rng)
    losses = {name: shuffled.loss([place]) for place, name in enumerate(names)}
    together = _together(case)
    parts = blocks(together, case.spec.explanation.together)
    found = {name: loss for name, loss in losses.items() if loss is not None}
    return collected(
        [
            *_findings(case, losses, found, _partners(case, together), rows.size),
            *_blocks(case, parts, shuffled, rows.size),
            _figure(case, found),
        ]
    )


@dataclass(frozen=True, slots=True)
class _Shuffled:
    """The rows judged, and what is lost when some of their columns are shuffled together."""

    case: Case
    features: Features
    truth: NDArray[Any]
    before: Score
    rng: np.random.Generator

    def loss(self, places: list[int]) -> tuple[float, Interval] | None:
        """The mean loss over the repeats; None where the model has no finite answer for some shuffled rows."""
        after = []
        mixed = (self._mixed(places) for _ in range(self.case.spec.budget.repeats))
        for outputs in self.case.predict_each(mixed):
            score = headline(self.case.interface, self.truth, outputs) if np.isfinite(outputs).all() else None
            if score is None:
                return None
            after.append(score)
        return paired_drop(self.before, after, self.case.spec.confidence)

    def _mixed(self, places: list[int]) -> Features:
        order = self.rng.permutation(len(self.features))
        mixed = self.features
        for place in places:
            mixed = mixed.with_column(place, self.features.column(place)[order])
        return mixed


def _findings(
    case: Case,
    losses: dict[str, tuple[float, Interval] | None],
    found: dict[str, tuple[float, Interval]],
    partners: dict[str, str],
    n: int,
) -> Iterator[Finding | NotPerformed]:
    unit, words = score_words(case.task)
    for name in _ranked(found):
        value, (low, high) = found[name]
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
    for name in (name for name, loss in losses.items() if loss is None):
        why = "the model gives no finite answer for some shuffled rows"
        yield NotPerformed(check=_IMPORTANCE, why=why, group=Group(attribute=name))
    yield Finding(
        check=_IN_USE,
        value=sum(low > 0 for _, (low, _) in found.values()),
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


def _together(case: Case) -> Floats:
    # the rows lie in an order of mixed keys, so the first of them are as good as drawn by lot
    return associations(case.train.features.take(slice(0, _COMPARED)))


def _partners(case: Case, together: Floats) -> dict[str, str]:
    """For each feature that moves closely with another, a note naming the closest."""
    names, notes = case.interface.names, {}
    for place, name in enumerate(names):
        other = int(np.argmax(together[place]))
        if together[place, other] >= case.spec.explanation.together:
            r = f"association {together[place, other]:.2f}"
            notes[name] = f"moves together with {names[other]} ({r}), so the two may share their importance"
    return notes


def _blocks(case: Case, parts: list[list[int]], shuffled: _Shuffled, n: int) -> Iterator[Finding | NotPerformed]:
    names, (unit, words) = case.interface.names, score_words(case.task)
    said = [_named([names[place] for place in part]) for part in parts]
    limit = case.spec.explanation.together
    yield Finding(
        check=_CORRELATED,
        value=sum(map(len, parts)),
        n=min(len(case.train), _COMPARED),
        unit="count",
        definition=f"Number of features that move together with another one by an association of at least {limit:g},"
        " so that single importances understate them.",
        note=f"blocks: {'; '.join(said)}"[:600] if said else "none do",
    )
    if not parts:
        yield NotPerformed(check=_GROUPED, why="no features move together", applicable=False)
    for part, words_of in zip(parts, said, strict=True):
        about, loss = Group(attribute=words_of), shuffled.loss(part)
        if loss is None:
            why = "the model gives no finite answer for some shuffled rows"
            yield NotPerformed(check=_GROUPED, why=why, group=about)
            continue
        value, (low, high) = loss
        yield Finding(
            check=_GROUPED,
            value=value,
            low=low,
            high=high,
            n=n,
            unit=unit,
            definition=f"Loss of {words} when features that move together are shuffled as one among the test rows.",
            group=about,
        )


def _named(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return " + ".join(names[:_NAMED]) + more


CHECK = Check(
    name="explanation.importance",
    files={_IMPORTANCE: ALL, _IN_USE: ALL, _CORRELATED: ALL, _GROUPED: ALL},
    run=_run,
)
