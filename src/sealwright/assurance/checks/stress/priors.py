"""Other base rates: what precision, errors and stated probabilities become when a class grows more or less common.

The test rows are weighted so that the odds of a class change and everything else about its rows stays
(label shift; Saerens et al. 2002, Neural Computation 14). No row is predicted anew.
"""

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.breaking import Reading, holds_up_to
from sealwright.assurance.case import Case
from sealwright.assurance.check import BINARY, CLASSES, Check, Outcome, collected, skipped
from sealwright.assurance.intervals import z_of
from sealwright.assurance.model import Figure, Finding, NotPerformed, Series
from sealwright.assurance.weighting import Weighted, weighted_mean

__all__ = ["CHECK"]

_RISE, _GAP, _PRECISION, _HOLDS = (
    "stress.prior_shift_error_rise",
    "stress.prior_shift_calibration_gap",
    "stress.prior_shift_precision_drop",
    "stress.prior_shift_holds_up_to",
)


def _run(case: Case, _rng: np.random.Generator) -> Outcome:
    counts = np.bincount(case.test.truth, minlength=len(case.interface.classes))
    shifted = [case.positive] if case.task == "binary" else np.flatnonzero(counts >= case.spec.smallest_part).tolist()
    if min(int(counts[place]) for place in shifted or [int(np.argmin(counts))]) < case.spec.smallest_part or (
        counts.max() > counts.sum() - case.spec.smallest_part
    ):
        names = [name for name in _FILES if case.task in _FILES[name]]
        return skipped(names, f"a class has fewer than {case.spec.smallest_part} test rows to weigh")
    odds = case.spec.stress.odds
    tried = sorted({*(1 / factor for factor in odds), *odds})
    rises = {factor: _worst([_rise(case, place, factor) for place in shifted]) for factor in tried}
    gaps = {factor: _worst([_gap(case, place, factor) for place in shifted]) for factor in tried}
    limits, confidence = case.spec.stress.breaks_at, case.spec.confidence
    readings = []
    for factor in odds:
        both = (factor, 1 / factor)
        rise, gap = (_worst([found[one] for one in both]) for found in (rises, gaps))
        readings.append(
            (
                factor,
                (
                    Reading(
                        what="rise of the share decided wrongly",
                        value=rise.value,
                        interval=rise.interval(confidence),
                        limit=limits.error_rise,
                    ),
                    Reading(
                        what="calibration gap",
                        value=gap.value,
                        interval=gap.interval(confidence),
                        limit=limits.calibration_gap,
                    ),
                ),
            )
        )
    at = min(odds, key=lambda factor: abs(np.log(factor / 2)))
    items: list[Finding | NotPerformed | Figure] = [
        _finding(
            case, _RISE, _worst([rises[at], rises[1 / at]]), f"Rise of the share decided wrongly {_how(case, at)}."
        ),
        _finding(
            case,
            _GAP,
            _worst([gaps[at], gaps[1 / at]]),
            f"Distance between the mean stated probability of the class and its share {_how(case, at)}.",
        ),
        holds_up_to(_HOLDS, "times the odds", readings, len(case.test), "factor of the odds"),
    ]
    if case.task == "binary":
        items.append(_precision_drop(case, at))
    return collected([*items, _figure(case, tried, rises, gaps)])


def _how(case: Case, factor: float) -> str:
    which = case.interface.classes[case.positive] if case.task == "binary" else "one class, the worst to shift,"
    return f"when the odds of {which} become {factor:g} times higher or lower"


def _weights(case: Case, place: int, factor: float) -> tuple[Floats, NDArray[np.bool_]]:
    """A weight per row, with mean 1, and which rows are of the class; the weights of a class are equal."""
    of_class = np.asarray(case.test.truth == place)
    weights = np.where(of_class, factor, 1.0)
    return weights / weights.mean(), of_class


def _rise(case: Case, place: int, factor: float) -> Weighted:
    """The change of the share decided wrongly: a contrast of the error inside and outside the class."""
    weights, of_class = _weights(case, place, factor)
    wrong = np.asarray(case.decisions != case.test.truth, dtype=np.float64)
    # the shares of the classes are the scenario, not an estimate: only the errors within each class vary
    value = float((weights * wrong).mean() - wrong.mean())
    within = wrong - np.where(of_class, wrong[of_class].mean(), wrong[~of_class].mean())
    return Weighted(value=value, influence=(weights - 1) * within)


def _gap(case: Case, place: int, factor: float) -> Weighted:
    weights, of_class = _weights(case, place, factor)
    stated = case.test.outputs[:, place]
    value = float((weights * (stated - of_class)).mean())
    within = stated - np.where(of_class, stated[of_class].mean(), stated[~of_class].mean())
    return Weighted(value=abs(value), influence=weights * within * (1.0 if value >= 0 else -1.0))


def _worst(found: list[Weighted]) -> Weighted:
    return max(found, key=lambda one: one.value)


def _finding(case: Case, check: str, found: Weighted, definition: str) -> Finding:
    low, high = found.interval(case.spec.confidence)
    n = len(case.test)
    unit = "share" if check != _GAP else "probability"
    return Finding(check=check, value=found.value, low=low, high=high, n=n, unit=unit, definition=definition)


def _precision_drop(case: Case, factor: float) -> Finding | NotPerformed:
    chosen = np.asarray(case.decisions == case.positive)
    if chosen.sum() < case.spec.smallest_part:
        why = f"{int(chosen.sum())} rows are decided positive; fewer than {case.spec.smallest_part} are not judged"
        return NotPerformed(check=_PRECISION, why=why)
    rarer, of_class = _weights(case, case.positive, 1 / factor)
    before = weighted_mean(of_class[chosen].astype(np.float64), np.ones(int(chosen.sum())))
    after = weighted_mean(of_class[chosen].astype(np.float64), rarer[chosen])
    influence = before.influence - after.influence
    half = z_of(case.spec.confidence) * float(np.sqrt(np.sum(influence**2))) / influence.size
    drop = before.value - after.value
    return Finding(
        check=_PRECISION,
        value=drop,
        low=drop - half,
        high=drop + half,
        n=int(chosen.sum()),
        unit="share",
        definition=f"Loss of precision when the odds of {case.interface.classes[case.positive]} become {factor:g} times"
        " lower.",
        note=f"from {before.value:.3g} to {after.value:.3g}",
    )


def _figure(case: Case, tried: list[float], rises: dict[float, Weighted], gaps: dict[float, Weighted]) -> Figure:
    x = tuple(float(np.log2(factor)) for factor in tried)
    ends = [rises[factor].interval(case.spec.confidence) for factor in tried]
    return Figure(
        name="stress.prior_shift",
        kind="lines",
        title="Other base rates",
        x="log2 of the factor of the odds",
        y="share, probability",
        series=(
            Series(
                name="rise of the share decided wrongly",
                x=x,
                y=tuple(rises[factor].value for factor in tried),
                low=tuple(low for low, _ in ends),
                high=tuple(high for _, high in ends),
            ),
            Series(name="calibration gap", x=x, y=tuple(gaps[factor].value for factor in tried)),
        ),
    )


_FILES = {_RISE: CLASSES, _GAP: CLASSES, _PRECISION: BINARY, _HOLDS: CLASSES}
CHECK = Check(name="stress.prior_shift", files=_FILES, run=_run)
