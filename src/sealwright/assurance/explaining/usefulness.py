"""Do attributions say something, and do they say it twice? Pure measures of attributions, whoever made them.

Deletion: if the features named most important are really what the answer rests on, replacing them moves the answer farther
than replacing others (Samek et al. 2017; Petsiuk et al. 2018, with background values in place of zeros). Agreement: the
rank correlation of two attributions of the same row.
"""

from collections.abc import Callable

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.explaining.coded import Coded
from sealwright.assurance.features import Features
from sealwright.assurance.ranking import midranks

__all__ = ["Deletion", "agreement", "deletion"]

_STEPS = 8
_AT_ONCE = 50_000
Ask = Callable[[Features], Floats]  # answers, shape (n, outputs)


class Deletion:
    """How far answers move as features are replaced: by an order given for each row, and by random orders."""

    def __init__(self, shares: Floats, ordered: Floats, random: Floats) -> None:
        self.shares = shares  # of features replaced, shape (steps,), 0 to 1
        self.ordered = ordered  # mean move, shape (n, steps)
        self.random = random

    @property
    def gains(self) -> Floats:
        """Area between the curves of each row, shape (n,), over the mean move when all is replaced."""
        full = float(self.ordered[:, -1].mean())
        between = np.asarray(np.trapezoid(self.ordered - self.random, self.shares, axis=1))
        return np.asarray(between / full if full > 0 else np.zeros(len(between)))


def deletion(
    ask: Ask,
    coded: Coded,
    rows: Features,
    background: Features,
    importance: Floats,
    rng: np.random.Generator,
    fillings: int = 5,
    orders: int = 4,
) -> Deletion:
    """Replace the most important features of each row first, and features by lot.

    Parameters
    ----------
    importance : float array, shape (n, features)
        Larger: replaced earlier.
    fillings : int
        Background rows that give the new values, the same for every order of a row.
    orders : int
        Random orders to compare with.
    """
    matrix, n, d = coded.matrix(rows), len(rows), coded.width
    behind = coded.matrix(background)[rng.integers(0, len(background), size=(n, fillings))]
    counts = np.unique(np.linspace(0, d, _STEPS + 1).round().astype(int))
    before = ask(rows)
    ranks = np.argsort(np.argsort(-importance, axis=1, kind="stable"), axis=1)
    drawn = [np.argsort(rng.random((n, d)), axis=1) for _ in range(orders)]
    curves = [_curve(ask, coded, matrix, behind, before, order, counts) for order in (ranks, *drawn)]
    return Deletion(counts / d, curves[0], np.mean(curves[1:], axis=0))


def _curve(
    ask: Ask, coded: Coded, matrix: Floats, behind: Floats, before: Floats, ranks: np.ndarray, counts: np.ndarray
) -> Floats:
    n, fillings, d = behind.shape
    moved = np.zeros((n, counts.size))
    step = max(1, _AT_ONCE // fillings)
    for place, count in enumerate(counts):
        for start in range(0, n if count else 0, step):
            here = slice(start, start + step)
            mixed = np.where((ranks[here] < count)[:, None, :], behind[here], matrix[here, None, :])
            answers = ask(coded.features(mixed.reshape(-1, d)))
            apart = np.abs(answers.reshape(-1, fillings, answers.shape[1]) - before[here, None, :])
            moved[here, place] = np.nan_to_num(apart).mean(axis=(1, 2))
    return moved


def agreement(one: Floats, other: Floats) -> Floats:
    """Rank correlation of two attributions, row by row, shape (n,); 1 where both say the same constant, else 0 for a constant.

    Parameters
    ----------
    one, other : float arrays, shape (n, outputs, features)
    """
    found = np.empty(len(one))
    for row in range(len(one)):
        a, b = one[row].ravel(), other[row].ravel()
        if np.ptp(a) == 0 or np.ptp(b) == 0:
            found[row] = float(np.ptp(a) == np.ptp(b))
        else:
            found[row] = np.corrcoef(midranks(a), midranks(b))[0, 1]
    return found
