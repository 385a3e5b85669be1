"""From columns and loss to a short list of slices, and from there to what held up on other rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.error_tree import Node, Question, grow
from sealwright.assurance.intervals import Interval
from sealwright.assurance.lattice import search
from sealwright.assurance.slice_columns import Column, number_words
from sealwright.assurance.slice_spec import SliceSearch
from sealwright.assurance.slice_tests import (
    adjusted_p,
    mean_gap_interval,
    mean_gap_p,
    selected_confidence,
    share_gap_interval,
    share_gap_p,
)

__all__ = [
    "Candidate",
    "Halves",
    "Tested",
    "distinct",
    "lattice_slices",
    "path_words",
    "tested",
    "tree_of",
    "tree_slices",
]

Bools = NDArray[np.bool_]
_KEPT = 100  # best cells of the lattice; near-duplicates are removed from these
_VISITS = 400_000_000  # rows times cross-tables: a few seconds
_DEPTH = 3
_WORTH_TESTING = 2.0  # a weaker candidate would only make the test of the others stricter
_SAME = 0.5  # rows in both by rows in either, from which two slices are one
_MOSTLY = 0.8  # share of a slice's rows in another, from which it is a part of it
_FAR = 3.0  # standard errors by which a part must stand out within the whole: it is the best of many parts
_AS_GOOD = 0.9  # share of the best score from which a simpler slice may speak for a near-duplicate


@dataclass(frozen=True, slots=True, kw_only=True)
class Halves:
    """Positions of the rows searched and of those the findings are tested on."""

    search: NDArray[np.intp]
    test: NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A slice that a search proposes."""

    words: str
    conditions: int
    score: float  # standard errors above the other rows, where it was found
    rows: Bools  # over all test rows
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """A candidate on rows not used to find it."""

    words: str
    how: str
    inside: float  # mean loss of the slice
    outside: float  # and of all other rows
    interval: Interval  # of the difference
    adjusted: float  # p-value, adjusted over all candidates
    n: int  # rows of the slice

    @property
    def gap(self) -> float:
        return self.inside - self.outside


def lattice_slices(
    columns: Sequence[Column], loss: Floats, halves: Halves, asked: SliceSearch
) -> tuple[list[Candidate], bool]:
    """What the lattice proposes, and whether it was searched to the end."""
    at = halves.search
    codes, levels = [column.codes[at] for column in columns], [len(column.words) for column in columns]
    found = search(codes, levels, loss[at], asked.smallest, _KEPT, _VISITS)
    slices = [
        Candidate(
            words=" and ".join(columns[c].words[level] for c, level in zip(cell.columns, cell.levels, strict=True)),
            conditions=len(cell.columns),
            score=cell.score,
            rows=np.all(
                [columns[c].codes == level for c, level in zip(cell.columns, cell.levels, strict=True)], axis=0
            ),
            how="search over combinations",
        )
        for cell in found.cells
    ]
    return slices, found.complete


def tree_of(columns: Sequence[Column], loss: Floats, halves: Halves, asked: SliceSearch) -> Node:
    """The error tree of the rows searched."""
    at = halves.search
    return grow([column.raw[at] for column in columns], loss[at], asked.smallest, _DEPTH)


def tree_slices(tree: Node, columns: Sequence[Column], loss: Floats, halves: Halves) -> list[Candidate]:
    """Every part of the tree but the whole."""
    mean, spread = float(loss[halves.search].mean()), float(loss[halves.search].std())
    n = halves.search.size
    return [
        Candidate(
            words=path_words(node, columns),
            conditions=len({question.column for question, _ in node.path}),
            score=(node.mean - mean) * float(np.sqrt(node.rows / (1 - node.rows / n))) / spread,
            rows=node.belongs([column.raw for column in columns]),
            how="error tree",
        )
        for node in tree.parts()
        if node.path
    ]


def path_words(node: Node, columns: Sequence[Column]) -> str:
    """The answers that lead to a node, those about one column joined."""
    asked: dict[int, list[tuple[Question, bool]]] = {}
    for question, answer in node.path:
        asked.setdefault(question.column, []).append((question, answer))
    return " and ".join(_column_words(columns[place], answers) for place, answers in asked.items())


def _column_words(column: Column, answers: list[tuple[Question, bool]]) -> str:
    asked = [answer for one, answer in answers if one.cut is None and one.level is None]
    if asked:
        column_is = f"{column.name} is missing" if asked[-1] else f"{column.name} is known"
        rest = [(one, answer) for one, answer in answers if one.cut is not None]
        if not rest or asked[-1]:
            return column_is
        return _number_between(column, rest, missing=False)
    if answers[0][0].cut is None:
        yes = [column.labels[int(one.level or 0)] for one, answer in answers if answer]
        no = [column.labels[int(one.level or 0)] for one, answer in answers if not answer]
        return f"{column.name} is {yes[-1]}" if yes else f"{column.name} is not {' nor '.join(no)}"
    return _number_between(column, answers, missing=bool(np.isnan(column.raw.astype(np.float64)).any()))


def _number_between(column: Column, answers: list[tuple[Question, bool]], *, missing: bool) -> str:
    """The range that some answers about cuts leave; `missing` where rows without a number lie above every cut."""
    under = min((float(one.cut) for one, answer in answers if answer and one.cut is not None), default=None)
    over = max((float(one.cut) for one, answer in answers if not answer and one.cut is not None), default=None)
    if under is None:
        return f"{column.name} {number_words(column.kind, over or 0.0)} and over{' or missing' if missing else ''}"
    if over is None:
        return f"{column.name} under {number_words(column.kind, under)}"
    return f"{column.name} {number_words(column.kind, over)} to under {number_words(column.kind, under)}"


def distinct(candidates: Iterable[Candidate], loss: Floats, at: NDArray[np.intp], most: int) -> list[Candidate]:
    """The best candidates that each tell something new about the rows `at`; of near-duplicates the simplest.

    A candidate is news if it stands out among the rows of no better candidate, or far out within one that
    contains it. Else a part, or a wider circle, of one weak spot would be told as a second one.
    """
    kept: list[Candidate] = []
    best: list[float] = []  # score of the best of each near-duplicate set
    for one in sorted(candidates, key=lambda item: (-item.score, item.conditions)):
        if one.score < _WORTH_TESTING:
            break
        near = [place for place, other in enumerate(kept) if _shared(one.rows[at], other.rows[at]) >= _SAME]
        if near:
            if one.conditions < kept[near[0]].conditions and one.score >= _AS_GOOD * best[near[0]]:
                kept[near[0]] = one
        elif len(kept) < most and _news(one.rows[at], [other.rows[at] for other in kept], loss[at]):
            kept.append(one)
            best.append(one.score)
    return kept


def _news(rows: Bools, kept: list[Bools], loss: Floats) -> bool:
    left = ~np.any(kept, axis=0) if kept else np.ones_like(rows)
    around = [other for other in kept if (rows & other).sum() >= _MOSTLY * rows.sum()]
    if around:
        return all(_stands_out(rows & other, other, loss) >= _FAR for other in around)
    return _stands_out(rows & left, left, loss) >= _WORTH_TESTING


def _stands_out(rows: Bools, among: Bools, loss: Floats) -> float:
    """Standard score of the loss of some rows among others that include them."""
    s, n, of_all = int(rows.sum()), int(among.sum()), loss[among]
    if not 0 < s < n or of_all.std() == 0:
        return 0.0
    return float((loss[rows].sum() - of_all.mean() * s) / (of_all.std() * np.sqrt(s * (1 - s / n))))


def _shared(one: Bools, other: Bools) -> float:
    return float((one & other).sum()) / max(1, int((one | other).sum()))


def tested(case: Case, candidates: Iterable[Candidate], loss: Floats, halves: Halves) -> list[Tested]:
    """Each distinct candidate against all other rows of the half it was not found on, strongest evidence first.

    Which are tested depends on their sizes there, never on their loss there.
    """
    asked = case.spec.slice_search
    at, held = halves.test, loss[halves.test]
    large = [
        one
        for one in distinct(candidates, loss, halves.search, asked.candidates)
        if asked.smallest <= one.rows[at].sum() <= at.size - asked.smallest
    ]
    if not large:
        return []
    pairs = [(held[one.rows[at]], held[~one.rows[at]]) for one in large]
    classes = case.task != "regression"
    adjusted = adjusted_p(np.array([_p(classes, inside, outside) for inside, outside in pairs]))
    selected = max(1, int((adjusted <= asked.false_discoveries).sum()))
    confidence = selected_confidence(case.spec.confidence, selected, len(large))
    results = [
        Tested(
            words=one.words,
            how=one.how,
            inside=float(inside.mean()),
            outside=float(outside.mean()),
            interval=_interval(case, inside, outside, confidence),
            adjusted=float(p),
            n=inside.size,
        )
        for one, (inside, outside), p in zip(large, pairs, adjusted, strict=True)
    ]
    return sorted(results, key=lambda one: (one.adjusted, -one.gap))


def _p(classes: bool, inside: Floats, outside: Floats) -> float:
    if not classes:
        return mean_gap_p(inside, outside)
    return share_gap_p(int(inside.sum()), inside.size, int(outside.sum()), outside.size)


def _interval(case: Case, inside: Floats, outside: Floats, confidence: float) -> Interval:
    if case.task == "regression":
        return mean_gap_interval(inside, outside, confidence)
    hits, others = int(inside.sum()), int(outside.sum())
    return share_gap_interval(hits, inside.size, others, outside.size, confidence, case.spec.interval)
