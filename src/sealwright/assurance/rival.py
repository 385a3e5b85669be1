"""Two models that answer the same test rows: which is better, and is that more than the luck of these rows?

Every comparison is paired, since both meet the same hard rows: DeLong's for areas under the ROC curve, McNemar's
for decisions, the bootstrap for squared errors.
"""

from collections.abc import Iterator

import numpy as np

from sealwright.assurance.bootstrap import Floats, centred_interval, replicates
from sealwright.assurance.case import Case
from sealwright.assurance.intervals import agresti_min
from sealwright.assurance.model import Finding, NotPerformed
from sealwright.assurance.paired import bootstrap_p, mcnemar, normal_p, p_words
from sealwright.assurance.scores import headline, paired_drop, score_words, sentence

__all__ = ["against", "gain_over"]


def against(
    case: Case, theirs: Floats, name: str, words: str, rng: np.random.Generator
) -> Iterator[Finding | NotPerformed]:
    """File `performance.gain_over_<name>` and, for classes, `performance.decisions_over_<name>`.

    Parameters
    ----------
    theirs : float array
        What the other model answers for the test rows, shaped as the outputs of the model under judgement.
    words : str
        The other model as it is called in a sentence.
    """
    gain = f"performance.gain_over_{name}"
    yield gain_over(case, theirs, gain, words, rng)
    if case.task != "regression":
        yield _decisions(case, theirs, f"performance.decisions_over_{name}", words)


def gain_over(case: Case, theirs: Floats, check: str, words: str, rng: np.random.Generator) -> Finding | NotPerformed:
    """The gain in the headline score (classes), or the share of squared error removed (numbers), filed as `check`."""
    if case.task == "regression":
        return _error_removed(case, theirs, check, words, rng)
    return _ranking(case, theirs, check, words)


def _ranking(case: Case, theirs: Floats, check: str, words: str) -> Finding | NotPerformed:
    ours, other = case.test.score, headline(case.interface, case.test.truth, theirs)
    if ours is None or other is None:
        return NotPerformed(check=check, why="the test rows hold one single outcome, so there is no score to compare")
    n, (unit, score) = len(case.test), score_words(case.task)
    gain, (low, high) = paired_drop(ours, [other], case.spec.confidence)
    error = float(np.sqrt(np.sum((ours.influence - other.influence) ** 2))) / n
    return Finding(
        check=check,
        value=gain,
        low=low,
        high=high,
        n=n,
        unit=unit,
        definition=f"{sentence(score)}: the model's minus that of {words}.",
        note=_said(low, high, p_words(normal_p(gain, error), "DeLong, paired"), words),
    )


def _decisions(case: Case, theirs: Floats, check: str, words: str) -> Finding:
    n = len(case.test)
    ours, others = case.decisions == case.test.truth, case.decide(theirs) == case.test.truth
    only_ours, only_theirs = int((ours & ~others).sum()), int((others & ~ours).sum())
    low, high = agresti_min(only_ours, only_theirs, n, case.spec.confidence)
    exact, mid = mcnemar(only_ours, only_theirs)
    return Finding(
        check=check,
        value=(only_ours - only_theirs) / n,
        low=low,
        high=high,
        n=n,
        unit="share",
        definition=f"Accuracy of the model minus accuracy of {words}.",
        note=f"only the model is right in {only_ours:,} rows, only the other in {only_theirs:,};"
        f" {p_words(mid, 'McNemar, mid-p')}, {p_words(exact, 'exact')}",
    )


def _error_removed(
    case: Case, theirs: Floats, check: str, words: str, rng: np.random.Generator
) -> Finding | NotPerformed:
    n = len(case.test)
    squares = np.column_stack([(guess - case.test.truth) ** 2 for guess in (case.test.outputs, theirs)])
    ours, others = squares.mean(axis=0)
    if others == 0:
        return NotPerformed(check=check, why=f"{words} makes no error at all on the test rows")
    gain = 1 - float(ours / others)
    drawn = replicates(lambda counts: _removed(counts @ squares), n, case.spec.bootstrap, rng)
    low, high = centred_interval(gain, drawn, case.spec.confidence, -np.inf, 1.0) or (None, None)
    test = p_words(bootstrap_p(gain, drawn), "paired bootstrap")
    return Finding(
        check=check,
        value=gain,
        low=low,
        high=high,
        n=n,
        unit="share",
        definition=f"Share of the squared error of {words} that the model removes.",
        note=_said(low, high, test, words) if low is not None and high is not None else test,
    )


def _removed(sums: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        removed: Floats = np.where(sums[:, 1] > 0, 1 - sums[:, 0] / sums[:, 1], np.nan)
    return removed


def _said(low: float, high: float, test: str, words: str) -> str:
    if low > 0:
        return f"better than {words}; {test}"
    if high < 0:
        return f"worse than {words}; {test}"
    return f"no better and no worse than {words}, as far as these rows can tell; {test}"
