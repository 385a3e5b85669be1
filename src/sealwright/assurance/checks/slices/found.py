"""Slices nobody declared: searched for on one half of the test rows, tested on the other.

Two searches propose: a lattice of up to three levels (`lattice`), and the parts of a shallow tree on the
loss (`error_tree`). What both find is tested together, so the promise about false discoveries holds for all
of it, and near-duplicates are told once, by the simplest of them.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome, collected, skipped
from sealwright.assurance.error_tree import Node
from sealwright.assurance.intervals import Interval, mean_interval, on_logit_scale
from sealwright.assurance.model import Figure, Finding, Group, NotPerformed, Series
from sealwright.assurance.ranking import roc_area
from sealwright.assurance.slice_columns import Column, columns_of
from sealwright.assurance.slice_measures import row_loss
from sealwright.assurance.slice_search import Halves, Tested, lattice_slices, path_words, tested, tree_of, tree_slices

__all__ = ["CHECK"]

_FOUND, _WORST, _GAP, _AREA = "slices.found", "slices.worst_gap", "slices.gap", "slices.error_tree_auc"
_SHOWN = 20
_TINY = 1e-300  # a smaller p-value is written so: no test is that sure


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    asked = case.spec.slice_search
    n = len(case.test)
    if n < 4 * asked.smallest:
        why = f"there are {n} test rows; a search for slices of {asked.smallest} rows needs {4 * asked.smallest}"
        return skipped([_FOUND, _WORST, _GAP, _AREA], why)
    order = rng.permutation(n)
    halves = Halves(search=np.sort(order[: min(n // 2, asked.rows)]), test=np.sort(order[n // 2 :]))
    columns, loss = columns_of(case, asked.smallest), row_loss(case)
    if loss[halves.search].std() == 0 or loss[halves.test].std() == 0:
        return skipped([_FOUND, _WORST, _GAP, _AREA], "every row is equally right or wrong, so no part can differ")
    by_lattice, complete = lattice_slices(columns, loss, halves, asked)
    tree = tree_of(columns, loss, halves, asked)
    by_tree = tree_slices(tree, columns, loss, halves)
    results = tested(case, [*by_lattice, *by_tree], loss, halves)
    confirmed = [one for one in results if one.adjusted <= asked.false_discoveries]
    leaves = [leaf.belongs([column.raw for column in columns]) for leaf in tree.leaves()]
    means = np.sum([rows * leaf.mean for rows, leaf in zip(leaves, tree.leaves(), strict=True)], axis=0)
    return collected(
        [
            *_findings(case, results, confirmed, halves, complete),
            _area(case, loss, means, halves),
            *_figures(case, results, confirmed),
            _tree_figure(case, tree, columns, loss, halves),
        ]
    )


def _findings(
    case: Case, results: list[Tested], confirmed: list[Tested], halves: Halves, complete: bool
) -> Iterator[Finding | NotPerformed]:
    asked, n = case.spec.slice_search, halves.test.size
    unit = "share" if case.task != "regression" else f"units of {case.interface.target}"
    error = "share decided wrongly" if case.task != "regression" else "mean distance between prediction and truth"
    note = f"{len(results)} candidates tested on {n} rows after a search on {halves.search.size} others"
    yield Finding(
        check=_FOUND,
        value=len(confirmed),
        n=n,
        unit="count",
        definition=f"Number of parts of the data, up to three conditions each, whose {error} is higher than elsewhere,"
        f" of which at most {asked.false_discoveries:g} are expected to be there by chance.",
        note=note if complete else f"{note}; not every combination of three could be searched",
    )
    worst = max(confirmed, key=lambda one: one.gap, default=None)
    yield Finding(
        check=_WORST,
        value=worst.gap if worst else 0.0,
        low=worst.interval[0] if worst else None,
        high=worst.interval[1] if worst else None,
        n=n,
        unit=unit,
        definition=f"Largest rise of the {error} in a part of the data that was found and confirmed; 0 where none was.",
        note=worst.words if worst else "",
    )
    if not confirmed:
        yield NotPerformed(check=_GAP, why="no slice was confirmed, so there is no gap to measure", applicable=False)
    for one in confirmed:
        yield Finding(
            check=_GAP,
            value=one.gap,
            low=one.interval[0],
            high=one.interval[1],
            n=one.n,
            unit=unit,
            definition=f"{error[:1].upper()}{error[1:]}: in the slice minus in all other rows,"
            " on rows not used to find it (interval widened for the selection).",
            group=Group(attribute="slice", level=one.words),
            note=f"{one.inside:.3g} against {one.outside:.3g} elsewhere; p {max(one.adjusted, _TINY):.2g} after"
            f" Benjamini-Hochberg over {len(results)}; found by {one.how}",
        )


def _area(case: Case, loss: NDArray[np.float64], means: NDArray[np.float64], halves: Halves) -> Finding | NotPerformed:
    """How well the tree, grown on other rows, tells where errors are."""
    held = loss[halves.test]
    bad: NDArray[np.bool_] = held > (np.quantile(held, 0.75) if case.task == "regression" else 0.5)
    area = roc_area(bad, means[halves.test])
    if area is None:
        return NotPerformed(check=_AREA, why="all held-out rows are equally right or wrong")
    scarcest = int(min(bad.sum(), (~bad).sum()))
    low, high = on_logit_scale(area.value, area.error, scarcest, case.spec.confidence)
    which = "with an error among the largest quarter" if case.task == "regression" else "decided wrongly"
    return Finding(
        check=_AREA,
        value=area.value,
        low=low,
        high=high,
        n=held.size,
        unit="auc",
        definition=f"How well a shallow tree tells the rows {which} from the others on rows it was not grown on:"
        " 0.5 if errors gather nowhere, 1 if it names them all.",
    )


def _figures(case: Case, results: list[Tested], confirmed: list[Tested]) -> Iterator[Figure]:
    shown = sorted(confirmed or results, key=lambda one: -one.gap)[:_SHOWN]
    unit = "share decided wrongly" if case.task != "regression" else "mean absolute error"
    names = tuple(one.words for one in shown)
    series = (
        Series(name="in the slice", x=names, y=tuple(one.inside for one in shown), n=tuple(one.n for one in shown)),
        Series(name="all other rows", x=names, y=tuple(one.outside for one in shown)),
    )
    yield Figure(
        name="slices.found",
        kind="bars",
        title="Slices with more errors",
        x="slice",
        y=unit,
        series=series if shown else (),
        note="confirmed on rows not searched" if confirmed else "candidates; none was confirmed on rows not searched",
    )


def _tree_figure(case: Case, tree: Node, columns: tuple[Column, ...], loss: Floats, halves: Halves) -> Figure:
    """The parts of the error tree, worst first: their mean loss where it was grown, and on the other half."""
    held, told = loss[halves.test], []
    for leaf in sorted(tree.leaves(), key=lambda one: -one.mean):
        inside = held[leaf.belongs([column.raw[halves.test] for column in columns])]
        if inside.size:
            told.append((leaf, inside, _spread(case, inside)))
    names = tuple(path_words(leaf, columns) or "all rows" for leaf, _, _ in told)
    other = Series(
        name="on rows it was not grown on",
        x=names,
        y=tuple(float(inside.mean()) for _, inside, _ in told),
        low=tuple(low for _, _, (low, _) in told),
        high=tuple(high for _, _, (_, high) in told),
        n=tuple(inside.size for _, inside, _ in told),
    )
    grown = Series(name="where it was grown", x=names, y=tuple(leaf.mean for leaf, _, _ in told))
    return Figure(
        name="slices.error_tree",
        kind="bars",
        title="The error tree, worst part first",
        x="part of the rows",
        y="share decided wrongly" if case.task != "regression" else "mean absolute error",
        series=(other, grown) if told else (),
        note="three yes-or-no questions that part rows with much error from rows with little",
    )


def _spread(case: Case, inside: Floats) -> Interval:
    """Interval of the mean loss of some rows; their mean alone where there is one single row."""
    if case.task != "regression":
        return case.share_interval(float(inside.sum()), inside.size)
    return mean_interval(inside, case.spec.confidence)[1] if inside.size > 1 else (float(inside[0]), float(inside[0]))


CHECK = Check(name="slices.found", files={_FOUND: ALL, _WORST: ALL, _GAP: ALL, _AREA: ALL}, run=_run)
