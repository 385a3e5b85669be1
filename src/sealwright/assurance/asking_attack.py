"""What an attack that asks the model question after question leaves standing: one share, and its fall over the questions.

A row decided wrongly counts as lost from the start, so nothing here is above accuracy or rises with the questions.
"""

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.case import Case
from sealwright.assurance.model import Figure, Finding, Series

__all__ = ["standing", "standing_curve"]

_POINTS = 50


def standing(check: str, case: Case, right: int, fooled_at: NDArray[np.int64], n: int, words: str) -> Finding:
    """The share of `n` rows still decided rightly when all questions are asked.

    Parameters
    ----------
    right : int
        Rows decided rightly as they are; only these are attacked.
    fooled_at : int array, shape (right,)
        Number of the question that turned each; 0 where none did.
    words : str
        The definition.
    """
    lost = int((fooled_at > 0).sum())
    low, high = case.share_interval(right - lost, n)
    return Finding(
        check=check,
        value=(right - lost) / n,
        low=low,
        high=high,
        n=n,
        unit="share",
        definition=words,
        note=f"{right / n:.1%} are decided rightly as they are; {lost} of {right} attacks succeed",
    )


def standing_curve(
    name: str, title: str, along: str, queries: int, right: int, fooled_at: NDArray[np.int64], n: int
) -> Figure:
    """The same share after each number of questions up to `queries`; `along` names the axis."""
    asked = np.unique(np.linspace(0, queries, _POINTS).astype(int))
    held = [(right - int(((fooled_at > 0) & (fooled_at <= q)).sum())) / n for q in asked]
    line = Series(name="decided rightly", x=tuple(float(q) for q in asked), y=tuple(held))
    return Figure(name=name, kind="lines", title=title, x=along, y="share decided rightly", series=(line,))
