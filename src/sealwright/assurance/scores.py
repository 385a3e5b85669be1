"""One headline score per task, with what each row contributes to it.

Area under the ROC curve for two classes, its one-versus-rest mean for more, R squared for numbers. The
contributions (influence values) give standard errors, and, subtracted row by row, the standard error of a
difference between two predictions of the same rows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.interface import Interface
from sealwright.assurance.intervals import Interval, on_logit_scale, z_of
from sealwright.assurance.ranking import roc_area

__all__ = ["Score", "headline", "paired_drop", "score_words", "sentence"]


@dataclass(frozen=True, slots=True)
class Score:
    """A score and its influence values, shape (n,): standard error = sqrt(sum(influence**2)) / n."""

    value: float
    influence: Floats
    scarcest: int  # rows of the rarest kind it rests on

    @property
    def error(self) -> float:
        return float(np.sqrt(np.sum(self.influence**2)) / self.influence.size)

    def interval(self, task: str, confidence: float) -> Interval:
        """Logit-scale interval for areas, normal for R squared."""
        if task == "regression":
            half = z_of(confidence) * self.error
            return self.value - half, min(1.0, self.value + half)
        return on_logit_scale(self.value, self.error, self.scarcest, confidence)


def headline(interface: Interface, truth: NDArray[np.generic], outputs: Floats) -> Score | None:
    """The score of `outputs` on `truth` (class positions, or values); None where it is undefined.

    Undefined: fewer than two classes, or values that are all equal. Rows without an answer must be left out.
    """
    if interface.task == "regression":
        return _r_squared(truth.astype(np.float64), outputs)
    classes = (
        [interface.classes.index(str(interface.positive))]
        if interface.task == "binary"
        else range(len(interface.classes))
    )
    areas = []
    scarcest = truth.size
    for place in classes:
        is_class: NDArray[np.bool_] = truth == place
        area = roc_area(is_class, outputs[:, place])
        if area is not None:
            areas.append(area)
            scarcest = min(scarcest, int(is_class.sum()), int((~is_class).sum()))
    if not areas:
        return None
    influence = np.mean([area.influence for area in areas], axis=0)
    return Score(float(np.mean([area.value for area in areas])), influence, scarcest)


def paired_drop(before: Score, after: list[Score], confidence: float) -> tuple[float, Interval]:
    """`before` minus the mean of `after`, all on the same rows; `after` holds repeats of a random change.

    The interval counts both the rows that happened to be drawn and the spread of the repeats.
    """
    drop = before.value - float(np.mean([score.value for score in after]))
    influence = before.influence - np.mean([score.influence for score in after], axis=0)
    variance = float(np.sum(influence**2)) / influence.size**2
    if len(after) > 1:
        variance += float(np.var([score.value for score in after], ddof=1)) / len(after)
    half = z_of(confidence) * float(np.sqrt(variance))
    return drop, (drop - half, drop + half)


def score_words(task: str) -> tuple[str, str]:
    """(unit, words) of the headline score."""
    return {
        "binary": ("auc", "area under the ROC curve"),
        "multiclass": ("auc", "mean one-versus-rest area under the ROC curve"),
        "regression": ("R2", "R squared (share of the target's variance explained)"),
    }[task]


def sentence(words: str) -> str:
    """`words` with a capital first letter and the rest as it is."""
    return words[:1].upper() + words[1:]


def _r_squared(truth: Floats, outputs: Floats) -> Score | None:
    around = (truth - truth.mean()) ** 2
    total = float(around.mean())
    if truth.size < 2 or total == 0:
        return None
    errors = (truth - outputs) ** 2
    left = float(errors.mean())
    influence = -(errors - left) / total + left / total**2 * (around - total)
    return Score(1 - left / total, influence, truth.size)
