"""If only some rows can be acted on, how much better than chance does the model choose them?

Lift: how many times as many positives as a blind choice finds. Gain: what share of all positives is found.
"""

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.check import BINARY, Check, Outcome, skipped
from sealwright.assurance.intervals import on_logit_scale
from sealwright.assurance.model import Figure, Finding, Series
from sealwright.assurance.ranking import gain_at, gain_curve

__all__ = ["CHECK"]

_LIFT, _GAIN = "performance.lift", "performance.gain"


def _run(case: Case, _rng: np.random.Generator) -> Outcome:
    truth, scores, share = case.test.truth == case.positive, case.test.outputs[:, case.positive], case.spec.top_share
    gain = gain_at(truth, scores, share)
    if gain is None or truth.all():
        return skipped([_LIFT, _GAIN], "the test rows hold one single outcome, so there is nothing to choose")
    low, high = on_logit_scale(gain.value, gain.error, int(truth.sum()), case.spec.confidence)
    top = f"the {share:.3g} of rows with the highest scores"
    positive = case.interface.classes[case.positive]
    found = Finding(
        check=_GAIN,
        value=gain.value,
        low=low,
        high=high,
        n=truth.size,
        unit="share",
        definition=f"Share of all rows of the positive class that are among {top}.",
        note=f"a blind choice finds {share:.3g} of {positive}; the best there is, {min(1.0, share / truth.mean()):.3g}",
    )
    lift = Finding(
        check=_LIFT,
        value=gain.value / share,
        low=low / share,
        high=high / share,
        n=truth.size,
        unit="times",
        definition=f"How many times as many rows of the positive class as a blind choice finds, among {top}.",
        note=f"the best there is, {min(1 / share, 1 / truth.mean()):.3g}",
    )
    return Outcome(findings=(found, lift), figures=_figures(case))


def _figures(case: Case) -> tuple[Figure, Figure]:
    truth, scores = case.test.truth == case.positive, case.test.outputs[:, case.positive]
    taken, found = gain_curve(truth, scores)
    _, best = gain_curve(truth, truth.astype(np.float64))
    taken_x = tuple(taken)
    lines = (("model", found), ("best there is", best), ("blind", taken))
    gain = tuple(Series(name=name, x=taken_x, y=tuple(line)) for name, line in lines)
    lift = tuple(Series(name=name, x=taken_x[1:], y=tuple(line[1:] / taken[1:])) for name, line in lines)
    along = "share of rows taken, highest scores first"
    return (
        Figure(name="performance.gain", kind="lines", title="Gain", x=along, y="share of positives found", series=gain),
        Figure(name="performance.lift", kind="lines", title="Lift", x=along, y="times a blind choice", series=lift),
    )


CHECK = Check(name="performance.lift", files={_LIFT: BINARY, _GAIN: BINARY}, run=_run)
