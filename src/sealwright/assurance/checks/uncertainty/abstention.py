"""Leaving the rows the model is least sure of to a person: what error is left, and whose rows are left out?

Confidence is how far the probability lies from where the decision tips, as a share of the way to certainty.
"""

from collections.abc import Iterator

import numpy as np

from sealwright.assurance.attributes import Attribute
from sealwright.assurance.bars import bars
from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, Check, Outcome, collected, skipped
from sealwright.assurance.comparison import each_attribute, gap_finding, large_enough, not_judged, too_few
from sealwright.assurance.gaps import rate_gap
from sealwright.assurance.intervals import on_logit_scale
from sealwright.assurance.model import Figure, Finding, Group, NotPerformed, Series
from sealwright.assurance.selective import RiskCoverage, risk_coverage

__all__ = ["CHECK"]

_AREA, _WITHIN, _LIMIT = "uncertainty.aurc", "uncertainty.share_within_target", "uncertainty.confidence_for_target"
_AT = {"uncertainty.error_at_90": 0.9, "uncertainty.error_at_80": 0.8}
_RATE, _GAP = "uncertainty.group_acceptance", "uncertainty.acceptance_gap"
_ALL = (_AREA, *_AT, _WITHIN, _LIMIT, _RATE, _GAP)
_ACCEPTED = 0.8  # the share at which groups are compared
_POINTS = 100


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    n = len(case.test)
    if n < case.spec.smallest_group:
        return skipped(_ALL, f"there are {n} test rows; fewer than {case.spec.smallest_group} are not judged")
    wrong = case.decisions != case.test.truth
    curve = risk_coverage(_confidence(case), wrong)
    rows = curve.places <= _ACCEPTED * n
    groups = each_attribute(case, [_RATE, _GAP], lambda attribute: _groups(case, attribute, rows, rng))
    return collected(
        [
            _area(case, curve, wrong),
            *(_error(case, curve, name, share) for name, share in _AT.items()),
            *_target(case, curve),
            _figure(case, curve),
            *groups.findings,
            *groups.figures,
            *groups.not_performed,
        ]
    )


def _confidence(case: Case) -> Floats:
    """How sure each decision is, shape (n,), from 0 (on the tip) to 1."""
    if case.task != "binary":
        return np.asarray(case.test.outputs.max(axis=1))
    stated, tip = np.clip(case.test.outputs[:, case.positive], 0, 1), case.spec.threshold
    return np.asarray(np.where(stated >= tip, (stated - tip) / (1 - tip), (tip - stated) / tip))


def _area(case: Case, curve: RiskCoverage, wrong: np.ndarray) -> Finding:
    n, k = wrong.size, int(wrong.sum())
    low, high = on_logit_scale(curve.area, curve.area_error, n, case.spec.confidence)
    ideal = risk_coverage(-wrong.astype(np.float64), wrong).area
    return Finding(
        check=_AREA,
        value=curve.area,
        low=low,
        high=high,
        n=n,
        unit="share",
        definition="Area under the risk-coverage curve: share of wrong decisions among the surest rows, averaged over all"
        " shares of rows accepted.",
        note=f"{k / n:.3g} if confidence said nothing about errors, {ideal:.3g} if it put every error last",
    )


def _error(case: Case, curve: RiskCoverage, check: str, share: float) -> Finding:
    k, errors = curve.accepted(share)
    low, high = case.share_interval(min(errors, k), k)
    return Finding(
        check=check,
        value=errors / k,
        low=low,
        high=high,
        n=k,
        unit="share",
        definition=f"Share of wrong decisions among the {share:.0%} of rows the model is surest of.",
    )


def _target(case: Case, curve: RiskCoverage) -> Iterator[Finding | NotPerformed]:
    """The largest share of rows whose error keeps the target, and how sure a row must be to belong."""
    n, overall = curve.errors.size, float(curve.risks[-1])
    asked = case.spec.uncertainty.target_error
    target = overall / 2 if asked is None else asked
    said = f"{target:.3g}" if asked is not None else f"{target:.3g}, half of that of all rows"
    steps = np.unique(np.linspace(1, n, min(n, 200)).round().astype(np.int64))
    ends = np.array([case.share_interval(min(curve.errors[k - 1], k), k) for k in steps])
    held = [_largest(steps, values, target) for values in (curve.risks[steps - 1], ends[:, 1], ends[:, 0])]
    k = held[0]
    yield Finding(
        check=_WITHIN,
        value=k / n,
        low=min(k, held[1]) / n,
        high=max(k, held[2]) / n,
        n=n,
        unit="share",
        definition=f"Largest share of rows, surest first, whose share of wrong decisions is at most {said}; the low end is"
        " the share for which the upper end of the error's interval keeps it.",
    )
    if k == 0:
        yield NotPerformed(check=_LIMIT, why=f"even the surest rows are wrong more often than {target:.3g}")
        return
    yield Finding(
        check=_LIMIT,
        value=float(curve.confidence[k - 1]),
        n=k,
        unit="confidence",
        definition=f"How sure a decision must be so that the share of wrong ones among those accepted is at most {said}:"
        f" {_scale(case)}.",
    )


def _scale(case: Case) -> str:
    if case.task == "binary":
        return "0 where it tips, 1 where the probability is 0 or 1"
    return "the probability of the likeliest outcome"


def _largest(steps: np.ndarray, values: Floats, target: float) -> int:
    kept = steps[values <= target]
    return int(kept[-1]) if kept.size else 0


def _groups(
    case: Case, attribute: Attribute, accepted: np.ndarray, rng: np.random.Generator
) -> Iterator[Finding | NotPerformed | Figure]:
    levels = len(attribute.levels)
    rows = np.bincount(attribute.codes, minlength=levels)
    hits = np.bincount(attribute.codes[accepted], minlength=levels)
    judged, filed = large_enough(case, attribute), []
    for place, level in enumerate(attribute.levels):
        if place not in judged:
            yield not_judged(case, _RATE, attribute, place)
            continue
        k, n = int(hits[place]), int(rows[place])
        low, high = case.share_interval(k, n)
        text = f"Share of the group's rows among the {_ACCEPTED:.0%} of all rows the model is surest of."
        about = Group(attribute=attribute.name, level=level)
        filed.append(
            Finding(check=_RATE, value=k / n, low=low, high=high, n=n, unit="share", definition=text, group=about)
        )
    yield from filed
    if filed:
        yield Figure(
            name=f"{_RATE}.{attribute.name}",
            kind="bars",
            title=f"Who is decided without a person, by {attribute.name}",
            x=attribute.name,
            y="share",
            series=(bars("accepted", filed),),
            note=attribute.how,
        )
    if judged.size < 2:
        yield too_few(case, _GAP, attribute, judged, "enough rows")
        return
    gap = rate_gap(hits[judged][None], rows[judged][None], case.spec.bootstrap, case.spec.confidence, rng)
    text = f"Largest difference between groups in the share accepted when {_ACCEPTED:.0%} of all rows are."
    yield gap_finding(_GAP, attribute, judged, gap, int(rows[judged].sum()), "share", text)


def _figure(case: Case, curve: RiskCoverage) -> Figure:
    n = curve.errors.size
    steps = np.unique(np.linspace(max(1, n // 20), n, _POINTS).round().astype(np.int64))
    ends = [case.share_interval(min(float(curve.errors[k - 1]), k), int(k)) for k in steps]
    x = tuple(float(k / n) for k in steps)
    line = Series(
        name="model",
        x=x,
        y=tuple(float(risk) for risk in curve.risks[steps - 1]),
        low=tuple(low for low, _ in ends),
        high=tuple(high for _, high in ends),
    )
    flat = Series(name="if confidence said nothing", x=(x[0], x[-1]), y=(float(curve.risks[-1]),) * 2)
    return Figure(
        name="uncertainty.risk_coverage",
        kind="lines",
        title="Error among the rows accepted, surest first",
        x="share of rows accepted",
        y="share of wrong decisions",
        series=(line, flat),
        note=f"area {curve.area:.3g}",
    )


CHECK = Check(name="uncertainty.abstention", files=dict.fromkeys(_ALL, CLASSES), run=_run)
