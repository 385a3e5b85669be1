"""Whether predicted numbers are the quantile they are meant to be, and how good a one.

The pinball loss charges a row `q` for every unit the prediction is too low and `1 - q` for every unit it is
too high; the true quantile q has the least (Koenker & Bassett 1978). At 0.5 it is half the absolute error.
"""

from collections.abc import Iterator

import numpy as np

from sealwright.assurance.bootstrap import Floats, centred_interval, replicates
from sealwright.assurance.case import Case
from sealwright.assurance.check import REGRESSION, Check, Outcome, collected
from sealwright.assurance.model import Finding, NotPerformed

__all__ = ["CHECK"]

_LOSS, _GAIN, _COVERAGE = "performance.pinball_loss", "performance.pinball_gain", "performance.quantile_coverage"


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    q = case.spec.quantile
    constant = np.quantile(case.train.truth, q)
    losses = np.column_stack([_pinball(case.test.truth, case.test.outputs, q), _pinball(case.test.truth, constant, q)])
    drawn = replicates(lambda counts: counts @ losses / len(case.test), len(case.test), case.spec.bootstrap, rng, 2)
    return collected([*_losses(case, losses.mean(axis=0), drawn), _coverage(case)])


def _pinball(truth: Floats, guess: Floats | np.floating, q: float) -> Floats:
    off = truth - guess
    loss: Floats = np.maximum(q * off, (q - 1) * off)
    return loss


def _losses(case: Case, means: Floats, drawn: Floats) -> Iterator[Finding | NotPerformed]:
    q, n, confidence = case.spec.quantile, len(case.test), case.spec.confidence
    low, high = centred_interval(means[0], drawn[:, 0], confidence, 0) or (None, None)
    yield Finding(
        check=_LOSS,
        value=means[0],
        low=low,
        high=high,
        n=n,
        unit=f"units of {case.interface.target}",
        definition=f"Mean pinball loss of the predictions as the {q:g} quantile: {q:g} for every unit too low,"
        f" {1 - q:g} for every unit too high.",
    )
    if means[1] == 0:
        yield NotPerformed(check=_GAIN, why="the target never differs from its training quantile")
        return
    with np.errstate(invalid="ignore", divide="ignore"):
        again = np.where(drawn[:, 1] > 0, 1 - drawn[:, 0] / drawn[:, 1], np.nan)
    value = 1 - means[0] / means[1]
    low, high = centred_interval(value, again, confidence, -np.inf, 1) or (None, None)
    yield Finding(
        check=_GAIN,
        value=value,
        low=low,
        high=high,
        n=n,
        unit="share",
        definition=f"Share of the pinball loss of always predicting the {q:g} quantile of the {case.learned_words}"
        " that the model removes.",
    )


def _coverage(case: Case) -> Finding:
    q, n = case.spec.quantile, len(case.test)
    below = int(np.sum(case.test.truth <= case.test.outputs))
    low, high = case.share_interval(below, n)
    side = "too low" if high < q else ("too high" if low > q else "")
    words = f"predictions are {side} for that quantile" if side else "as the quantile promises, within chance"
    if side and q == 0.5:
        words += "; a model of the mean is off the median wherever errors are lopsided"
    return Finding(
        check=_COVERAGE,
        value=below / n,
        low=low,
        high=high,
        n=n,
        unit="share",
        definition=f"Share of test rows whose true value is at or below the prediction; the {q:g} quantile has {q:g}.",
        note=words,
    )


CHECK = Check(
    name="performance.quantile",
    files={_LOSS: REGRESSION, _GAIN: REGRESSION, _COVERAGE: REGRESSION},
    run=_run,
)
