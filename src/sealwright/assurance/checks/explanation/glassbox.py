"""Is the black box worth it: would a model anyone can read have done as well on these rows?

An explainable boosting machine is a sum of curves, one for each feature, and tables for a few pairs; each can be looked at and
corrected. It learns here from the same rows and answers the same test rows, so the comparison is paired. Within noise,
the model that can be read should be preferred (Rudin 2019, doi:10.1038/s42256-019-0048-x).
"""

from dataclasses import replace

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome, collected, skipped
from sealwright.assurance.model import Finding
from sealwright.assurance.rival import gain_over
from sealwright.assurance.scores import headline, score_words, sentence

__all__ = ["CHECK"]

_GAIN, _SCORE = "explanation.glassbox_gain", "explanation.glassbox_score"
_INTERACTIONS = 5
_MOST_CLASSES = 20
_MOST_FEATURES = 200
_WORDS = "an explainable boosting machine"
_CLOSED = "a glass-box model is within noise: prefer it"


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    names, classes = [_GAIN, _SCORE], len(case.interface.classes)
    if classes > _MOST_CLASSES or len(case.interface.names) > _MOST_FEATURES:
        most = f"{_MOST_CLASSES} classes and {_MOST_FEATURES} features"
        here = f"{classes} and {len(case.interface.names)}"
        return skipped(names, f"a glass-box model is trained for at most {most}; here are {here}")
    # the rows lie in an order of mixed keys, so the first of them are as good as drawn by lot
    some = slice(0, case.spec.budget.baseline_rows)
    features, truth = case.train.features.take(some), case.train.truth[some]
    if np.unique(truth).size < 2:
        return skipped(names, "the training rows hold one single outcome, so a glass-box model learns nothing")
    from sealwright.assurance.adapters.glassbox import train_glassbox  # takes seconds to import

    model = train_glassbox(features, truth, case.interface, int(rng.integers(2**31)), _INTERACTIONS)
    theirs = model.predict(case.test.features)
    found = gain_over(case, theirs, _GAIN, _WORDS, rng)
    if isinstance(found, Finding) and found.low is not None and found.high is not None and found.low <= 0:
        words = _CLOSED if found.high >= 0 else "a glass-box model is better: prefer it"
        found = replace(found, note=f"{words}; {found.note}")
    score = headline(case.interface, case.test.truth, theirs)
    if score is None:
        return collected([found, *skipped([_SCORE], "the test rows hold one single outcome").not_performed])
    unit, words = score_words(case.task)
    low, high = score.interval(case.task, case.spec.confidence)
    return collected(
        [
            found,
            Finding(
                check=_SCORE,
                value=score.value,
                low=low,
                high=high,
                n=len(case.test),
                unit=unit,
                definition=f"{sentence(words)}, of {_WORDS} trained on the same rows.",
                note=f"learned from {len(truth):,} of {case.train_table.num_rows:,} training rows",
            ),
        ]
    )


CHECK = Check(
    name="explanation.glassbox", files={_GAIN: ALL, _SCORE: ALL}, run=_run, needs_training=True, thorough=True
)
