"""Whether the model beats a straight line: a ridge or logistic regression of the same columns, trained here.

A model that cannot is hard to justify: the simple one is easier to explain, to check and to run. Both
answer the same test rows, so the comparison is paired.
"""

from collections.abc import Iterator

import numpy as np

from sealwright.assurance.bootstrap import Floats, centred_interval, replicates
from sealwright.assurance.case import Case, Simple
from sealwright.assurance.check import ALL, CLASSES, Check, Outcome, collected, skipped
from sealwright.assurance.intervals import agresti_min
from sealwright.assurance.model import Finding, NotPerformed
from sealwright.assurance.paired import bootstrap_p, mcnemar, normal_p, p_words
from sealwright.assurance.scores import paired_drop, score_words, sentence

__all__ = ["CHECK"]

_SCORE, _GAIN, _DECISIONS = (
    "performance.simple_model_score",
    "performance.gain_over_simple_model",
    "performance.decisions_over_simple_model",
)


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    simple = case.simple
    files = [_SCORE, _GAIN, *([] if case.task == "regression" else [_DECISIONS])]
    if isinstance(simple, str):
        return skipped(files, simple)
    gained = _error_removed(case, simple, rng) if case.task == "regression" else _classes(case, simple)
    return collected([_score(case, simple), *gained])


def _score(case: Case, simple: Simple) -> Finding | NotPerformed:
    unit, words = score_words(case.task)
    if simple.test_score is None:
        return NotPerformed(check=_SCORE, why="the test rows hold one single outcome, so there is no score to compare")
    low, high = simple.test_score.interval(case.task, case.spec.confidence)
    return Finding(
        check=_SCORE,
        value=simple.test_score.value,
        low=low,
        high=high,
        n=len(case.test),
        unit=unit,
        definition=f"{sentence(words)}, of a {simple.words} of the same columns.",
        note=f"learned from {simple.rows:,} of {case.train_table.num_rows:,} training rows",
    )


def _classes(case: Case, simple: Simple) -> Iterator[Finding | NotPerformed]:
    n, (unit, words) = len(case.test), score_words(case.task)
    if case.test.score is None or simple.test_score is None:
        why = "the test rows hold one single outcome, so there is no score to compare"
        yield NotPerformed(check=_GAIN, why=why)
    else:
        gain, (low, high) = paired_drop(case.test.score, [simple.test_score], case.spec.confidence)
        error = float(np.sqrt(np.sum((case.test.score.influence - simple.test_score.influence) ** 2))) / n
        yield Finding(
            check=_GAIN,
            value=gain,
            low=low,
            high=high,
            n=n,
            unit=unit,
            definition=f"{sentence(words)}: the model's minus that of a {simple.words} of the same columns.",
            note=_said(low, high, p_words(normal_p(gain, error), "DeLong, paired"), simple),
        )
    ours, theirs = case.decisions == case.test.truth, case.decide(simple.test) == case.test.truth
    only_ours, only_theirs = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
    low, high = agresti_min(only_ours, only_theirs, n, case.spec.confidence)
    exact, mid = mcnemar(only_ours, only_theirs)
    yield Finding(
        check=_DECISIONS,
        value=(only_ours - only_theirs) / n,
        low=low,
        high=high,
        n=n,
        unit="share",
        definition=f"Accuracy of the model minus accuracy of a {simple.words} of the same columns.",
        note=f"only the model is right in {only_ours:,} rows, only the simple one in {only_theirs:,};"
        f" {p_words(mid, 'McNemar, mid-p')}, {p_words(exact, 'exact')}",
    )


def _error_removed(case: Case, simple: Simple, rng: np.random.Generator) -> Iterator[Finding | NotPerformed]:
    n = len(case.test)
    squares = np.column_stack([(guess - case.test.truth) ** 2 for guess in (case.test.outputs, simple.test)])
    ours, theirs = squares.mean(axis=0)
    if theirs == 0:
        yield NotPerformed(check=_GAIN, why=f"the {simple.words} makes no error at all on the test rows")
        return
    gain = 1 - float(ours / theirs)
    drawn = replicates(lambda counts: _removed(counts @ squares), n, case.spec.bootstrap, rng)
    low, high = centred_interval(gain, drawn, case.spec.confidence, -np.inf, 1.0) or (None, None)
    test = p_words(bootstrap_p(gain, drawn), "paired bootstrap")
    yield Finding(
        check=_GAIN,
        value=gain,
        low=low,
        high=high,
        n=n,
        unit="share",
        definition=f"Share of the squared error of a {simple.words} of the same columns that the model removes.",
        note=_said(low, high, test, simple) if low is not None and high is not None else test,
    )


def _removed(sums: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        removed: Floats = np.where(sums[:, 1] > 0, 1 - sums[:, 0] / sums[:, 1], np.nan)
    return removed


def _said(low: float, high: float, test: str, simple: Simple) -> str:
    if low > 0:
        return f"better than the {simple.words}; {test}"
    if high < 0:
        return f"worse than the {simple.words}; {test}"
    return f"no better and no worse than the {simple.words}, as far as these rows can tell; {test}"


CHECK = Check(name="performance.simple_model", files={_SCORE: ALL, _GAIN: ALL, _DECISIONS: CLASSES}, run=_run)
