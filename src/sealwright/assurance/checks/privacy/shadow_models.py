"""Membership inference, the thorough way: models like this one show what having learned from a row does to the answer.

Shadow models learn from random halves of training and test rows together (Carlini et al. 2022, arXiv:2112.03570). Online,
both kinds of shadows are used; offline, only those that did not learn from the row. Which rows are exposed never leaves
this file, only how many.
"""

from collections.abc import Iterator
from statistics import NormalDist

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sealwright.assurance.attributes import read_attributes
from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case, Sample
from sealwright.assurance.check import ALL, Check, Outcome, collected, skipped
from sealwright.assurance.checks.privacy.epsilon import epsilon_findings
from sealwright.assurance.checks.privacy.membership import RATES, found_findings, leakage_roc
from sealwright.assurance.comparison import large_enough
from sealwright.assurance.leakage.membership import Scores, area, confidences
from sealwright.assurance.leakage.sampling import too_few_rows
from sealwright.assurance.leakage.shadows import Bools, exposures, halves, offline_scores, online_scores
from sealwright.assurance.model import Figure, Finding, Group, NotPerformed, Series
from sealwright.kernel import InvalidInput

__all__ = ["CHECK"]

_ONLINE, _OFFLINE = "privacy.shadow_auc", "privacy.shadow_offline_auc"
_FOUND = "privacy.shadow_tpr_at_{}_fpr"
_EXPOSED, _OF_GROUP = "privacy.exposed_share", "privacy.exposed_share_of_group"
_BOUND, _EXCEEDED = "privacy.shadow_epsilon_lower_bound", "privacy.shadow_epsilon_exceeded"
_BANDS = 20  # of the distribution of exposures
_SEEDS = 2**31


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    if why := too_few_rows(case):
        return skipped(list(_FILES), why)
    most = case.spec.leakage.shadow_rows
    learned, fresh = (_some(one, most, rng) for one in (case.train_table, case.test_table))
    names = [*case.interface.names, case.interface.target]
    pool = pa.concat_tables([one.select(names) for one in (learned, fresh)], promote_options="permissive")
    sample, m = Sample(pool, case.interface, case.predictor), learned.num_rows
    own = confidences(case.task, sample.truth, sample.outputs)
    try:
        scores, inside = _shadows(case, pool, sample, rng)
    except InvalidInput as error:
        return skipped(list(_FILES), f"no model like this one was trained on half of the rows: {error}")
    attacks = {
        name: Scores(members=found[:m], others=found[m:])
        for name, found in (
            ("online", online_scores(own, scores, inside)),
            ("offline", offline_scores(own, scores, inside)),
        )
    }
    items: list[Finding | NotPerformed | Figure] = [
        *_areas(case, attacks, scores.shape[0], int(inside[0].sum())),
        *found_findings(_FOUND, attacks["online"], case.spec.confidence, "by comparison with shadow models"),
        *_exposed(case, exposures(scores, inside)[:m], learned, scores.shape[0]),
        *epsilon_findings(case, _BOUND, _EXCEEDED, attacks["online"], rng, "shadow models, online"),
        leakage_roc("privacy.shadow_roc", "Training rows recognised by shadow models", attacks),
    ]
    return collected(items)


def _some(table: pa.Table, most: int, rng: np.random.Generator) -> pa.Table:
    return table.take(pa.array(np.sort(rng.choice(table.num_rows, min(table.num_rows, most), replace=False))))


def _shadows(case: Case, pool: pa.Table, sample: Sample, rng: np.random.Generator) -> tuple[Floats, Bools]:
    """How sure each shadow is of each row, and which rows it learned from: two arrays of shape (shadows, rows)."""
    assert case.teach is not None
    strata = np.zeros(len(sample), dtype=np.int64) if case.task == "regression" else sample.truth
    count = case.spec.leakage.shadows
    scores, inside = np.empty((count, len(sample))), np.empty((count, len(sample)), dtype=np.bool_)
    for pair in range(0, count, 2):
        half = halves(strata, rng)
        for place, rows in ((pair, half), (pair + 1, ~half)):
            shadow = case.teach.learn(pool.take(pa.array(np.flatnonzero(rows))), int(rng.integers(_SEEDS)))
            answered = np.asarray(shadow.predict(sample.features), dtype=np.float64)
            answered = answered.reshape(len(sample)) if case.task == "regression" else answered
            scores[place], inside[place] = confidences(case.task, sample.truth, answered), rows
    return scores, inside


def _areas(case: Case, attacks: dict[str, Scores], shadows: int, rows: int) -> Iterator[Finding]:
    note = f"{shadows} shadow models of {rows:,} rows each; the model learned from {case.train_table.num_rows:,}"
    for check, scores, whom in (
        (_ONLINE, attacks["online"], "models that learned from the row and models that did not"),
        (_OFFLINE, attacks["offline"], "models that did not learn from the row"),
    ):
        value, (low, high) = area(scores, case.spec.confidence)
        yield Finding(
            check=check,
            value=value,
            low=min(low, value),
            high=max(high, value),
            n=scores.members.size + scores.others.size,
            unit="auc",
            definition=f"Area under the ROC curve of telling training from test rows by comparing the model with {whom}.",
            note=note,
        )


def _exposed(
    case: Case, exposure: Floats, learned: pa.Table, shadows: int
) -> Iterator[Finding | NotPerformed | Figure]:
    """The share of training rows that are exposed, overall and by group, and how exposures are spread."""
    at = case.spec.leakage.exposed_at
    what = (
        f"training rows whose presence shows in models like this one: area under the ROC curve of {at:g} or more between"
        " models that learned from the row and models that did not."
    )
    note = f"by chance alone about {_by_chance(at, shadows):.2g}, with {shadows} shadow models"
    over = exposure >= at
    yield _share(case, _EXPOSED, over, f"Share of {what}", note)
    yield from _by_group(case, over, learned, f"Share, within a group, of {what}", note)
    counts, edges = np.histogram(np.clip(exposure, 0, 1), _BANDS, (0.0, 1.0))
    yield Figure(
        name="privacy.exposure",
        kind="bars",
        title="How exposed are single training rows?",
        x="area under the ROC curve, upper end of the band (0.5: not exposed)",
        y="training rows",
        series=(
            Series(
                name="rows", x=tuple(f"{edge:.2f}" for edge in edges[1:]), y=tuple(counts.astype(np.float64).tolist())
            ),
        ),
    )


def _by_chance(at: float, shadows: int) -> float:
    """Chance that a row nothing is known about reaches `at`, by the normal approximation of Mann & Whitney 1947."""
    k = shadows // 2
    spread = float(np.sqrt((2 * k + 1) / (12 * k * k)))
    return 1 - NormalDist(0.5, spread).cdf(at)


def _by_group(
    case: Case, over: NDArray[np.bool_], learned: pa.Table, definition: str, note: str
) -> Iterator[Finding | NotPerformed]:
    if not case.attributes:
        yield NotPerformed(check=_OF_GROUP, why="no groups are declared: name columns under assurance.groups")
    declared = case.spec.cut_points() or {}
    for known in case.train_attributes:
        about = Group(attribute=known.name)
        if known.problem:
            yield NotPerformed(check=_OF_GROUP, why=known.problem, group=about)
            continue
        (attribute,) = read_attributes(learned, case.train_table, {known.name: declared.get(known.name)})
        for place in range(len(attribute.levels)):
            group, rows = Group(attribute=known.name, level=attribute.levels[place]), attribute.rows_of(place)
            if place in large_enough(case, attribute):
                yield _share(case, _OF_GROUP, over[rows], definition, note, group)
            else:
                why = f"the group has {int(rows.sum())} training rows; fewer than {case.spec.smallest_group} are not judged"
                yield NotPerformed(check=_OF_GROUP, why=why, group=group)


def _share(
    case: Case, check: str, over: NDArray[np.bool_], definition: str, note: str, group: Group | None = None
) -> Finding:
    low, high = case.share_interval(int(over.sum()), over.size)
    return Finding(
        check=check,
        value=float(over.mean()),
        low=low,
        high=high,
        n=over.size,
        unit="share",
        definition=definition,
        note=note,
        group=group,
    )


_FILES = dict.fromkeys(
    (
        _ONLINE,
        _OFFLINE,
        *(_FOUND.format(place) for place in RATES),
        _EXPOSED,
        _OF_GROUP,
        _BOUND,
        _EXCEEDED,
    ),
    ALL,
)
CHECK = Check(
    name="privacy.shadow_models", files=_FILES, run=_run, needs_training=True, needs_teaching=True, thorough=True
)
