"""Whether more rows would help: the score as the number of training rows grows.

Inside each split the smaller training sets are parts of the larger ones, so steps of the curve are paired.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.intervals import Interval
from sealwright.assurance.model import Figure, Series
from sealwright.assurance.resampling.cross_validation import CrossValidation, corrected_interval, cross_validate
from sealwright.assurance.resampling.folds import Split
from sealwright.assurance.resampling.training import Data, Measure
from sealwright.kernel import InvalidInput

__all__ = ["LearningCurve", "learning_curve"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningCurve:
    """Scores at growing numbers of training rows."""

    sizes: tuple[int, ...]
    points: tuple[CrossValidation, ...]  # one per size
    last_step: float  # mean score at the largest size minus at the one before
    last_step_interval: Interval

    @property
    def words(self) -> str:
        low, high = self.last_step_interval
        step = f"from {self.sizes[-2]:,} to {self.sizes[-1]:,} rows the score changed by {self.last_step:.3g}"
        said = f"{step} ({low:.3g} to {high:.3g})"
        if low > 0:
            return f"still rising: {said}; more rows of the same kind would help"
        if high < 0:
            return f"falling: {said}; look for rows that differ from the first ones"
        return f"flat, as far as these splits can tell: {said}"

    def figure(self, score: str) -> Figure:
        """The curve with its intervals, and the score on the rows learned from."""
        x = tuple(float(size) for size in self.sizes)
        ends = [point.interval or (point.mean, point.mean) for point in self.points]
        new = Series(
            name="new rows",
            x=x,
            y=tuple(point.mean for point in self.points),
            low=tuple(low for low, _ in ends),
            high=tuple(high for _, high in ends),
        )
        seen = Series(name="rows learned from", x=x, y=tuple(float(np.mean(p.train_scores)) for p in self.points))
        return Figure(
            name="performance.learning_curve",
            kind="lines",
            title="Learning curve",
            x="training rows",
            y=score.replace("_", " "),
            series=(new, seen),
            note=self.words,
        )


def learning_curve(
    model: Any,
    data: Data,
    splits: Sequence[Split],
    score: str | Measure,
    rng: np.random.Generator,
    shares: Sequence[float] = (0.125, 0.25, 0.5, 1.0),
    confidence: float = 0.95,
) -> LearningCurve:
    """Cross-validate with growing shares of the training rows of each split, chosen by lot.

    Parameters
    ----------
    splits : sequence of Split
        Two or more.
    shares : sequence of float
        Ascending, in (0, 1], two or more.

    Raises
    ------
    InvalidInput
        Too few splits or shares, or shares that do not ascend.
    """
    if (
        len(splits) < 2
        or len(shares) < 2
        or list(shares) != sorted(set(shares))
        or not 0 < shares[0] <= shares[-1] <= 1
    ):
        raise InvalidInput("A learning curve needs two or more splits, and two or more ascending shares within (0, 1].")
    mixed = [(rng.permutation(split.train), split.test) for split in splits]
    points = []
    for share in shares:
        parts = [Split(np.sort(train[: max(2, round(share * train.size))]), test) for train, test in mixed]
        points.append(cross_validate(model, data, parts, score, confidence))
    step: Floats = np.subtract(points[-1].scores, points[-2].scores)
    return LearningCurve(
        sizes=tuple(round(float(np.mean([train for train, _ in point.rows]))) for point in points),
        points=tuple(points),
        last_step=float(step.mean()),
        last_step_interval=corrected_interval(step, points[-1].rows, confidence),
    )
