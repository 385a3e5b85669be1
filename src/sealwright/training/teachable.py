"""Whether training rows can teach anything at all, said before anything is trained."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.training.errors import UntrainableData

__all__ = ["check_target"]

_FEWEST_ROWS = 20


def check_target(task: str, target: NDArray[Any], classes: Sequence[str]) -> list[str]:
    """Refuse rows nothing can be learnt from; notes on what is thin.

    Raises
    ------
    UntrainableData
        Fewer than 20 rows, one class, a class of a yes/no question with one row, a constant target.
    """
    if target.size < _FEWEST_ROWS:
        raise UntrainableData(f"There are {target.size} training rows; at least {_FEWEST_ROWS} are needed. Add data.")
    if task == "regression":
        if float(np.ptp(target)) == 0.0:
            raise UntrainableData("The target has the same value in every training row, so there is nothing to learn.")
        return []
    counts = np.bincount(target, minlength=len(classes))
    present = [name for name, count in zip(classes, counts, strict=True) if count]
    if len(present) < 2:
        raise UntrainableData(
            f"All {target.size:,} training rows have the class {present[0]!r}; at least two classes are needed.\n"
            "Check the target column and the filter or query that made the data."
        )
    single = [name for name, count in zip(classes, counts, strict=True) if count == 1]
    if task == "binary" and single:
        raise UntrainableData(
            f"Only one training row has the class {single[0]!r}; at least two are needed to train and to check. Add data."
        )
    notes = [f"the class {name!r} has one training row: folds cannot both learn and check it" for name in single]
    absent = [name for name, count in zip(classes, counts, strict=True) if not count]
    return notes + [f"the class {name!r} has no training row: the model gives it probability 0" for name in absent]
