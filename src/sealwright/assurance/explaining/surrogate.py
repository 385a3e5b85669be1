"""A local surrogate: a straight line through what the model answers around one row, and how well it fits there.

As in LIME (Ribeiro et al. 2016), with three differences: neighbours are drawn from what numbers and categories the rows
learned from show, within the ranges of the constraints; everything is drawn from a given generator; and fidelity is measured
on fresh neighbours that the line was not fitted to, so a surrogate that fits only its own sample is caught.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.constraints.model import Constraints
from sealwright.assurance.explaining.coded import Coded
from sealwright.assurance.features import Features

__all__ = ["Neighbourhood", "Surrogate", "local_surrogate"]

_FITTED, _FRESH = 300, 200
_SPREAD = 0.5  # standard deviations of the rows learned from
_SWITCHED = 0.25  # share of categories drawn anew
_WIDTH = 0.75  # of the kernel, in the distance sqrt(sum of squares / columns), as LIME's default
_PENALTY = 1.0  # ridge, on effects in standard deviations


@dataclass(frozen=True, slots=True, kw_only=True)
class Surrogate:
    """effects: what one standard deviation more, or another category, changes; shape (features,)."""

    effects: Floats
    constant: float
    fidelity: float  # weighted R squared on fresh neighbours; -inf where the model gives no finite answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbourhood:
    """How neighbours of a row are drawn."""

    coded: Coded
    constraints: Constraints
    seen: Floats  # coded rows learned from, shape (m, columns)

    def draw(self, row: Floats, n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Coded neighbours (n, columns), and how far each feature moved (sd, or 1 for another category)."""
        split, rules = self.coded.centres.size, self.constraints
        drawn = np.tile(row, (n, 1))
        moved = row[:split] + rng.normal(0, _SPREAD, (n, split)) * rules.scale
        moved = np.where(rules.whole, np.round(moved), moved)
        low, high = np.minimum(rules.least, row[:split]), np.maximum(rules.most, row[:split])
        drawn[:, :split] = np.clip(moved, low, high)
        switched = rng.random((n, self.coded.width - split)) < _SWITCHED
        others = self.seen[rng.integers(0, len(self.seen), switched.shape), np.arange(split, self.coded.width)]
        drawn[:, split:] = np.where(switched, others, row[split:])
        with np.errstate(invalid="ignore"):  # an infinite number goes nowhere
            walked = np.nan_to_num((drawn[:, :split] - row[:split]) / rules.scale)
        return drawn, np.concatenate([walked, drawn[:, split:] != row[split:]], axis=1)


def local_surrogate(
    ask: Callable[[Features], Floats], around: Neighbourhood, row: Floats, rng: np.random.Generator
) -> Surrogate:
    """Fit a weighted ridge around one coded row, and measure it on fresh neighbours.

    Parameters
    ----------
    ask : callable
        Features in, one number for each row out.
    """
    drawn, steps = around.draw(row, _FITTED + _FRESH, rng)
    answers = ask(around.coded.features(drawn))
    weights = np.exp(-(steps**2).mean(axis=1) / _WIDTH**2) * np.isfinite(answers)
    answers = np.nan_to_num(answers)
    fitted, fresh = slice(0, _FITTED), slice(_FITTED, None)
    if weights[fitted].sum() == 0 or weights[fresh].sum() == 0:
        return Surrogate(effects=np.zeros(steps.shape[1]), constant=0.0, fidelity=-np.inf)
    effects, constant = _weighted_ridge(steps[fitted], answers[fitted], weights[fitted])
    said = steps[fresh] @ effects + constant
    return Surrogate(effects=effects, constant=constant, fidelity=_r_squared(said, answers[fresh], weights[fresh]))


def _weighted_ridge(steps: Floats, answers: Floats, weights: Floats) -> tuple[Floats, float]:
    share = weights / weights.sum()
    centre, level = share @ steps, float(share @ answers)
    moved = steps - centre
    left = (moved * weights[:, None]).T @ moved + _PENALTY * np.eye(steps.shape[1])
    effects = np.linalg.solve(left, (moved * weights[:, None]).T @ (answers - level))
    return effects, level - float(centre @ effects)


def _r_squared(said: Floats, answers: Floats, weights: Floats) -> float:
    """Weighted R squared; 1 where the answers are all equal and met."""
    level = float(weights @ answers / weights.sum())
    missed, spread = float(weights @ (answers - said) ** 2), float(weights @ (answers - level) ** 2)
    if spread <= 1e-18 * max(1.0, level**2) * float(weights.sum()):
        return 1.0 if missed <= 1e-12 * float(weights.sum()) else -np.inf
    return 1 - missed / spread
