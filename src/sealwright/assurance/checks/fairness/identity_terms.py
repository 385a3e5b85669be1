"""Would a document be decided otherwise if it spoke of a person of the other group?

Words in declared pairs (he, she) are replaced, all by those of one side, then all by those of the other, everything else as
it is. That finds what hangs on these words only; of "her" it cannot tell whether "him" or "his" would stand there.
"""

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, CLASSES, Check, Outcome, collected, skipped
from sealwright.assurance.features import Features
from sealwright.assurance.intervals import mean_interval
from sealwright.assurance.media_rows import too_few_rows
from sealwright.assurance.modality import TEXT
from sealwright.assurance.model import Finding, NotPerformed
from sealwright.assurance.predictor import no_answer
from sealwright.assurance.text.identity import swapped, toward

__all__ = ["CHECK"]

_SHARE, _SHIFT = "fairness.identity_flip_share", "fairness.identity_shift"


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    names = [_SHIFT] if case.task == "regression" else [_SHARE, _SHIFT]
    first, second = toward(case.spec.text.identity_pairs)
    texts = case.test.features.strings[:, 0]
    pairs = [(swapped(text, first), swapped(text, second)) for text in texts]
    rows = np.flatnonzero([a != b for a, b in pairs])
    if why := too_few_rows(case, rows.size, "documents with a word of assurance.text.identity_pairs"):
        return skipped(names, why)
    most = case.spec.budget.fairness_rows
    rows = rows if rows.size <= most else np.sort(rng.choice(rows, most, replace=False))
    a, b = (
        case.predict(
            Features(
                numbers=np.empty((rows.size, 0)),
                strings=np.array([pairs[row][side] for row in rows], dtype=object).reshape(-1, 1),
            )
        )
        for side in (0, 1)
    )
    answered = ~(no_answer(a) | no_answer(b))
    if why := too_few_rows(case, int(answered.sum()), "such documents with an answer either way"):
        return skipped(names, why)
    found: list[Finding | NotPerformed] = [] if case.task == "regression" else [_share(case, a[answered], b[answered])]
    return collected([*found, _shift(case, a[answered], b[answered])])


def _share(case: Case, a: Floats, b: Floats) -> Finding:
    flips = case.decide(a) != case.decide(b)
    low, high = case.share_interval(int(flips.sum()), flips.size)
    return Finding(
        check=_SHARE,
        value=float(flips.mean()),
        low=low,
        high=high,
        n=flips.size,
        unit="share",
        definition="Share of documents that name a person of a group and are decided otherwise with the words of the other group.",
    )


def _shift(case: Case, a: Floats, b: Floats) -> Finding | NotPerformed:
    if case.task == "regression":
        moved, unit, what = (b - a) / (float(case.test.truth.std()) or 1.0), "sd of the target", "value"
    elif case.favourable is None:
        return NotPerformed(check=_SHIFT, why="no outcome is declared favourable: name it under assurance.favourable")
    else:
        moved, unit = b[:, case.favourable] - a[:, case.favourable], "probability"
        what = f"probability of {case.interface.classes[case.favourable]}"
    value, (low, high) = mean_interval(moved, case.spec.confidence)
    one, other = case.spec.text.identity_pairs[0]
    return Finding(
        check=_SHIFT,
        value=value,
        low=low,
        high=high,
        n=moved.size,
        unit=unit,
        definition=f"Mean change of the {what} when words of the first side of every pair ({one}) become those of the second ({other}).",
    )


CHECK = Check(name="fairness.identity_terms", files={_SHARE: CLASSES, _SHIFT: ALL}, run=_run, modality=TEXT)
