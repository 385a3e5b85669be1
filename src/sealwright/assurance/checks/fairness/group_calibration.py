"""Does a stated probability mean the same for every group (calibration within groups)?

Rows of a group are counted in cells, ten bands of stated probability by what happened, and the cells are
drawn anew; so the work does not grow with the rows. Empty corners count one row more, parted as stated,
so that a small group without a single surprise is not taken for certain.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from sealwright.assurance.attributes import Attribute
from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, Check, Outcome
from sealwright.assurance.comparison import each_attribute, favour, gap_finding, large_enough, not_judged, too_few
from sealwright.assurance.gaps import Gap, triangle, widest_gap
from sealwright.assurance.model import Figure, Finding, Group, NotPerformed, Series

__all__ = ["CHECK"]

_ERROR, _ERROR_GAP = "fairness.calibration_error", "fairness.calibration_gap"
_BIAS, _BIAS_GAP = "fairness.score_bias", "fairness.score_bias_gap"
_TEXTS = {
    _ERROR: "Mean distance, within the group, between the stated probability of the favourable outcome and how often"
    " it came true, over 10 bins of equal width.",
    _ERROR_GAP: "Largest difference between groups in that mean distance (the expected calibration error).",
    _BIAS: "Mean stated probability of the favourable outcome in the group minus the share in which it came true.",
    _BIAS_GAP: "Largest difference between groups in the mean stated probability minus the share that came true.",
}
_BINS = 10
_FEWEST = 5  # a bin of fewer rows is not drawn: it would show single rows
_LINES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """One group's cells; axes are bins, then what happened (0, 1)."""

    level: str
    rows: Floats  # shape (bins, 2)
    stated: Floats  # shape (bins,): mean stated probability, 0 where there is no row
    gaps: Floats  # shape (bins,): sum of (stated - happened) in the bin, by rows of the group
    apart: Floats  # shape (size, bins): how far resampled gaps fell from their truth

    @property
    def n(self) -> int:
        return int(self.rows.sum())

    @property
    def by_chance(self) -> float:
        """Expected error if every stated probability were true: mean of |normal| in each bin."""
        variance = self.rows.sum(axis=1) * self.stated * (1 - self.stated)
        return float(np.sqrt(2 / np.pi) * np.sqrt(variance).sum() / self.n)


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    return each_attribute(case, list(_TEXTS), partial(_judge, case, rng), needs_favourable=True)


def _judge(case: Case, rng: np.random.Generator, attribute: Attribute) -> Iterator[Finding | NotPerformed | Figure]:
    judged = large_enough(case, attribute)
    groups = _groups(case, rng, attribute, judged.tolist())
    for place in range(len(attribute.levels)):
        if place in groups:
            yield from _of_group(case, attribute, groups[place])
        else:
            yield from (not_judged(case, name, attribute, place) for name in (_ERROR, _BIAS))
    if judged.size < 2:
        yield from (too_few(case, name, attribute, judged, "enough rows") for name in (_ERROR_GAP, _BIAS_GAP))
    else:
        those = [groups[place] for place in judged.tolist()]
        n = sum(group.n for group in those)
        yield gap_finding(_ERROR_GAP, attribute, judged, _error_gap(case, those), n, "share", _TEXTS[_ERROR_GAP])
        yield gap_finding(_BIAS_GAP, attribute, judged, _bias_gap(case, those), n, "share", _TEXTS[_BIAS_GAP])
    yield _figure(case, attribute, list(groups.values()))


def _groups(case: Case, rng: np.random.Generator, attribute: Attribute, judged: list[int]) -> dict[int, _Group]:
    """Cells and resamples of the judged groups, drawn in an order that does not depend on their names."""
    stated, happened = favour(case), (case.test.truth == case.favourable).astype(np.int64)
    bins = np.minimum((stated * _BINS).astype(np.int64), _BINS - 1)
    cells = (attribute.codes * _BINS + bins) * 2 + happened
    shape = (len(attribute.levels), _BINS, 2)
    rows = np.bincount(cells, minlength=int(np.prod(shape))).reshape(shape).astype(np.float64)
    sums = np.stack(
        [np.bincount(attribute.codes[bins == b], stated[bins == b], minlength=shape[0]) for b in range(_BINS)], axis=1
    )
    order = sorted(judged, key=lambda place: (*rows[place].ravel(), *np.round(sums[place], 9)))
    found = {place: _resampled(case, rng, attribute.levels[place], rows[place], sums[place]) for place in order}
    return {place: found[place] for place in judged}


def _resampled(case: Case, rng: np.random.Generator, level: str, rows: Floats, sums: Floats) -> _Group:
    n, of_bin = rows.sum(), rows.sum(axis=1)
    stated = np.divide(sums, of_bin, out=np.zeros(_BINS), where=of_bin > 0)
    smooth = rows + (of_bin > 0)[:, None] * np.column_stack([1 - stated, stated])
    smooth /= smooth.sum()
    drawn = rng.multinomial(int(n), smooth.ravel(), size=case.spec.bootstrap).reshape(-1, _BINS, 2) / n
    weigh = np.column_stack([stated, stated - 1])
    return _Group(
        level=level,
        rows=rows,
        stated=stated,
        gaps=(sums - rows[:, 1]) / n,
        apart=((drawn - smooth) * weigh).sum(axis=2),
    )


def _of_group(case: Case, attribute: Attribute, group: _Group) -> Iterator[Finding]:
    about = Group(attribute=attribute.name, level=group.level)
    error, bias = float(np.abs(group.gaps).sum()), float(group.gaps.sum())
    off = float(np.quantile(np.abs(group.apart).sum(axis=1), case.spec.confidence))
    yield Finding(
        check=_ERROR,
        value=error,
        low=max(0.0, error - off),
        high=min(1.0, error + off),
        n=group.n,
        unit="share",
        definition=_TEXTS[_ERROR],
        group=about,
        note=f"a perfectly calibrated model would show about {group.by_chance:.2g} on so many rows, by chance",
    )
    tail = (1 - case.spec.confidence) / 2
    least, most = np.quantile(group.apart.sum(axis=1), [tail, 1 - tail])
    yield Finding(
        check=_BIAS,
        value=bias,
        low=min(bias, bias - float(most)),
        high=max(bias, bias - float(least)),
        n=group.n,
        unit="share",
        definition=_TEXTS[_BIAS],
        group=about,
        note="above zero: the group is rated better than it turns out" if bias > 0 else "",
    )


def _error_gap(case: Case, groups: list[_Group]) -> Gap:
    errors = [float(np.abs(group.gaps).sum()) for group in groups]
    higher, lower = int(np.argmax(errors)), int(np.argmin(errors))
    value = errors[higher] - errors[lower]
    apart = np.stack([np.abs(group.apart).sum(axis=1) for group in groups], axis=1)
    return Gap(value, triangle(value, apart, case.spec.confidence, 1.0), 0, higher, lower)


def _bias_gap(case: Case, groups: list[_Group]) -> Gap:
    deviations = np.stack([group.apart.sum(axis=1) for group in groups], axis=1)
    values = np.array([group.gaps.sum() for group in groups])
    return widest_gap(values, deviations, deviations.std(axis=0), case.spec.confidence)


def _figure(case: Case, attribute: Attribute, groups: list[_Group]) -> Figure:
    lines = []
    for group in groups[:_LINES]:
        rows = group.rows.sum(axis=1)
        used = np.flatnonzero(rows >= _FEWEST)
        ends = [case.share_interval(float(group.rows[b, 1]), float(rows[b])) for b in used]
        lines.append(
            Series(
                name=group.level,
                x=tuple(group.stated[used]),
                y=tuple(group.rows[used, 1] / rows[used]),
                low=tuple(low for low, _ in ends),
                high=tuple(high for _, high in ends),
                n=tuple(int(count) for count in rows[used]),
            )
        )
    return Figure(
        name=f"fairness.reliability.{attribute.name}",
        kind="lines",
        title=f"Stated against observed, by {attribute.name}",
        x="stated probability of the favourable outcome (mean of bin)",
        y="share that came true",
        series=tuple(lines),
        note="On the diagonal a stated probability means what it says.",
    )


CHECK = Check(name="fairness.group_calibration", files=dict.fromkeys(_TEXTS, CLASSES), run=_run)
