"""Shapley values of any function of mixed rows, by asking it about rows put together from two.

phi_i is what feature i adds, averaged over the orders in which features arrive, and over background rows that fill in for
those not yet there (Shapley 1953; Lundberg & Lee 2017, eq. 4). Every subset is asked about where features are few; else
orders are drawn and each is walked there and back (Castro, Gómez & Tejada 2009; Mitchell et al. 2022, antithetic).
Either way the sums telescope to the answer itself. shap's own explainers for functions agree, and compile for half a minute.
"""

import math
from collections.abc import Callable

import numpy as np

from sealwright.assurance.bootstrap import Floats

__all__ = ["every_subset", "some_orders"]

_AT_ONCE = 100_000  # mixed rows held at once

Ask = Callable[[Floats], Floats]


def every_subset(ask: Ask, rows: Floats, background: Floats) -> tuple[Floats, Floats]:
    """Exact values: phi (n, outputs, columns) and base (outputs,).

    Parameters
    ----------
    ask : callable
        Rows (k, columns) in, answers (k, outputs) out.
    """
    d = rows.shape[1]
    masks = (np.arange(2**d)[:, None] >> np.arange(d)) & 1
    values = np.stack([_mean_answers(ask, row, background, masks.astype(np.bool_)) for row in rows])
    sizes = masks.sum(axis=1)
    phi = np.empty((len(rows), values.shape[2], d))
    for feature in range(d):
        without = np.flatnonzero(masks[:, feature] == 0)
        weights = np.array([1 / (d * math.comb(d - 1, int(size))) for size in sizes[without]])
        gained = values[:, without + 2**feature] - values[:, without]
        phi[:, :, feature] = np.einsum("s,nso->no", weights, gained)
    return phi, values[0, 0]


def some_orders(
    ask: Ask, rows: Floats, background: Floats, orders: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Values from `orders` random orders a row, each walked there and back; shapes as for `every_subset`."""
    d = rows.shape[1]
    phi, base = [], np.zeros(0)
    for row in rows:
        total: Floats | float = 0.0
        for _ in range(orders):
            order = rng.permutation(d)
            steps = np.zeros(
                (2 * d, d), dtype=np.bool_
            )  # there: 0 to d features known; back: d - 1 down to 1 from the front
            for step in range(d):
                steps[step, order[:step]] = True
                steps[d + step, order[step:]] = True
            values = _mean_answers(ask, row, background, steps)
            base, full = values[0], values[d]  # no feature known; all of them
            there = np.diff(np.concatenate([values[:d], full[None]]), axis=0)
            back = -np.diff(np.concatenate([values[d:], base[None]]), axis=0)
            gained = np.empty((values.shape[1], d))
            gained[:, order] = ((there + back) / 2).T
            total = total + gained / orders
        phi.append(total)
    return np.stack(phi).astype(np.float64), base


def _mean_answers(ask: Ask, row: Floats, background: Floats, known: np.ndarray) -> Floats:
    """Mean answer for each mask, shape (masks, outputs): known columns from `row`, the others from each background row."""
    m, parts = len(background), []
    step = max(1, _AT_ONCE // m)
    for start in range(0, len(known), step):
        some = known[start : start + step]
        mixed = np.where(some[:, None, :], row, background[None, :, :]).reshape(-1, row.size)
        parts.append(ask(mixed).reshape(len(some), m, -1).mean(axis=1))
    return np.concatenate(parts)
