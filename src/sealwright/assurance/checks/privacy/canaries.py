"""Canaries: does the model remember a text that was planted in one training row?

The secret ranks among random ones by how likely the model makes the planted outcome (Carlini et al. 2019,
arXiv:1802.08232). For language models the same measure stands in `sealwright.assurance.canary_exposure`.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, Check, Outcome, collected, skipped
from sealwright.assurance.leakage.exposure import exposure_of, like
from sealwright.assurance.leakage_spec import CanarySpec
from sealwright.assurance.model import Finding, Group, NotPerformed
from sealwright.kernel import InvalidInput

__all__ = ["CHECK"]

_CHECK = "privacy.canary_exposure"
_ROWS = 10  # rows the text is put into; what only one row makes likely is not the text's doing
_TINY = 1e-12


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    if not case.interface.strings:
        return skipped([_CHECK], "the model takes no text", applicable=False)
    if not case.spec.canaries:
        return skipped([_CHECK], "no canaries are declared: assurance.canaries", applicable=False)
    return collected(_judged(case, rng))


def _judged(case: Case, rng: np.random.Generator) -> Iterator[Finding | NotPerformed]:
    for canary in case.spec.canaries:
        _refuse_absent(case, canary)
        about = Group(attribute=canary.column, level=canary.name)
        texts = [canary.filled(part) for part in (canary.secret, *like(canary.secret, canary.candidates, rng))]
        scores = _scores(case, canary, texts)
        if not np.isfinite(scores).all():
            yield NotPerformed(check=_CHECK, why="the model gives no answer for some of the texts", group=about)
            continue
        found = exposure_of(float(scores[0]), scores[1:], case.spec.confidence)
        yield Finding(
            check=_CHECK,
            value=found.value,
            low=found.interval[0],
            high=found.interval[1],
            n=found.candidates,
            unit="bits",
            definition="Exposure of a planted text: by how many bits it is likelier to the model than random ones of its shape.",
            group=about,
            note=f"at most {np.log2(found.candidates + 1):.3g}; a text that was never planted reaches 5 bits once in 32 times",
        )


def _scores(case: Case, canary: CanarySpec, texts: Sequence[str]) -> Floats:
    """Mean log-probability of the planted outcome over rows that hold each text."""
    place = case.interface.names.index(canary.column)
    outcome = case.interface.classes.index(canary.outcome)
    total = np.zeros(len(texts))
    rows = min(_ROWS, len(case.test))
    for row in range(rows):
        asked = case.test.features.take(np.full(len(texts), row))
        asked = asked.with_column(place, np.array(texts, dtype=object))
        total += np.log(np.maximum(case.predict(asked)[:, outcome], _TINY))
    return total / rows


def _refuse_absent(case: Case, canary: CanarySpec) -> None:
    names = [item.name for item in case.interface.strings]
    if canary.column not in names:
        raise InvalidInput(
            f"assurance.canaries: {canary.name} was planted in {canary.column!r}, which is no text the model takes.\n"
            f"It takes: {', '.join(names[:40])}."
        )
    if canary.outcome not in case.interface.classes:
        raise InvalidInput(
            f"assurance.canaries: {canary.name} has the outcome {canary.outcome!r}; there are"
            f" {', '.join(case.interface.classes[:40])}."
        )


CHECK = Check(name="privacy.canaries", files={_CHECK: CLASSES}, run=_run)
