"""Whether the model beats the simplest guess: the most frequent outcome, or the mean, of the training rows."""

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome, collected, skipped
from sealwright.assurance.intervals import agresti_min, z_of
from sealwright.assurance.model import Finding
from sealwright.assurance.paired import mcnemar, normal_p, p_words

__all__ = ["CHECK"]

_BASE, _GAIN = "performance.baseline_score", "performance.gain_over_baseline"


def _run(case: Case, _rng: np.random.Generator) -> Outcome:
    return _regression(case) if case.task == "regression" else _classes(case)


def _classes(case: Case) -> Outcome:
    truth, n, confidence = case.test.truth, len(case.test), case.spec.confidence
    frequent = int(np.argmax(np.bincount(case.train.truth, minlength=len(case.interface.classes))))
    by_guess, by_model = truth == frequent, truth == case.decisions
    low, high = case.share_interval(int(by_guess.sum()), n)
    only_model, only_guess = int((by_model & ~by_guess).sum()), int((by_guess & ~by_model).sum())
    gained = agresti_min(only_model, only_guess, n, confidence)
    return collected(
        [
            Finding(
                check=_BASE,
                value=float(by_guess.mean()),
                low=low,
                high=high,
                n=n,
                unit="share",
                definition="Accuracy of always deciding the most frequent outcome of the training rows.",
                note=f"most frequent: {case.interface.classes[frequent]}",
            ),
            Finding(
                check=_GAIN,
                value=float(by_model.mean() - by_guess.mean()),
                low=gained[0],
                high=gained[1],
                n=n,
                unit="share",
                definition="Accuracy of the model minus accuracy of always deciding the most frequent outcome.",
                note=p_words(mcnemar(only_model, only_guess)[1], "McNemar, mid-p"),
            ),
        ]
    )


def _regression(case: Case) -> Outcome:
    truth: Floats = case.test.truth
    guessed = (truth - case.train.truth.mean()) ** 2
    missed = (truth - case.test.outputs) ** 2
    of_guess, of_model = float(guessed.mean()), float(missed.mean())
    if of_guess == 0:
        return skipped([_BASE, _GAIN], "the target never differs from its training mean")
    gain = 1 - of_model / of_guess
    influence = -(missed - of_model) / of_guess + of_model / of_guess**2 * (guessed - of_guess)
    error = float(np.sqrt(np.sum(influence**2))) / truth.size
    half = z_of(case.spec.confidence) * error
    base = Finding(
        check=_BASE,
        value=float(np.sqrt(of_guess)),
        n=truth.size,
        unit=f"units of {case.interface.target}",
        definition="Root mean squared error of always predicting the mean of the training rows.",
    )
    gained = Finding(
        check=_GAIN,
        value=gain,
        low=gain - half,
        high=gain + half,
        n=truth.size,
        unit="share",
        definition="Share of the squared error of always predicting the training mean that the model removes.",
        note=p_words(normal_p(gain, error), "paired, delta method"),
    )
    return collected([base, gained])


CHECK = Check(name="performance.baseline", files={_BASE: ALL, _GAIN: ALL}, run=_run, needs_training=True)
