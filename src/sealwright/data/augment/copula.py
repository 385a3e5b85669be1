"""A synthesiser of our own: each column looks as it does in the group, and columns go together as they do there.

Answers: new rows of a group, drawn and not copied?
Does not answer: are they good, or too close to someone? Both are measured afterwards.

A Gaussian copula over mixed columns (Nelsen 2006, section 2.3; for discrete margins the NORTA idea of Cario & Nelson
1997). Every column becomes an ordered score: a number by its rank, a category by the order of its levels along the main
direction in which the columns of the data vary together, a missing cell as a yes/no column of its own. The correlation of
the latent normals is the one whose *scores* correlate as observed, solved with Mehler's expansion in Hermite polynomials;
a small group borrows correlation from all rows of its class. Ends of numbers are drawn in to the mean of the outermost few
values, so that the largest income of a group does not come back.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from sealwright.data.augment.frame import Column, Floats, Frame, Ints, frames_like

__all__ = ["Synthesiser", "fit"]

_DEGREE = 24  # of the Hermite expansion; more changes correlations in the third digit
_BORROWED = 50.0  # rows' worth of correlation taken from the wider pool
_OUTERMOST = 5  # values averaged into the end of a number's range
_STEPS = 40  # of bisection: 1e-12


@dataclass(frozen=True, slots=True)
class _Margin:
    """One latent column: ordered states with their probabilities."""

    edges: Floats  # normal quantiles between the states, from -inf to inf, shape (states + 1,)
    scores: Floats  # mean of the normal within each state, shape (states,)

    @property
    def variance(self) -> float:
        parts = np.diff(special.ndtr(self.edges))
        return float((parts * self.scores**2).sum())

    def hermite(self) -> Floats:
        """Coefficients of the score as a function of the normal, in normalised Hermite polynomials 1 to `_DEGREE`."""
        ends = np.clip(self.edges, -38, 38)
        density = np.exp(-(ends**2) / 2) / np.sqrt(2 * np.pi)
        before, here = np.zeros_like(ends), np.ones_like(ends)  # normalised He_{k-1}, from He_0
        found = np.empty(_DEGREE)
        for k in range(1, _DEGREE + 1):
            term = (
                here * density / np.sqrt(k)
            )  # the integral of He_k over a state is the difference of this at its ends
            found[k - 1] = (self.scores * (term[:-1] - term[1:])).sum()
            before, here = here, (ends * here - np.sqrt(k - 1) * before) / np.sqrt(k)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Synthesiser:
    """What was learned of a group. `draw` makes rows of it."""

    group: Frame
    orders: tuple[Ints | None, ...]  # of a category: its states, lowest first; -1 is the missing one
    chances: tuple[Floats, ...]  # of a category: how often each state; of a number: (share missing,)
    root: Floats  # of the latent correlation, shape (columns, columns)
    latent: int  # latent columns: one a column, and one for each number with missing cells

    def draw(self, rows: int, rng: np.random.Generator) -> Frame:
        """New rows.

        Returns
        -------
        Frame
            Within what the group has seen; levels and limits of the contract are kept.
        """
        uniform = special.ndtr(rng.standard_normal((rows, self.latent)) @ self.root.T)
        made: list[Floats | Ints] = []
        flag = len(self.group.columns)
        for place, column in enumerate(self.group.columns):
            order, chance = self.orders[place], self.chances[place]
            if order is not None:
                state = np.searchsorted(np.cumsum(chance)[:-1], uniform[:, place], side="right")
                made.append(order[state])
                continue
            values = _quantiles(column, uniform[:, place])
            if chance[0] > 0:
                values = np.where(uniform[:, flag] < 1 - chance[0], values, np.nan)
                flag += 1
            made.append(values)
        return frames_like(self.group, made)


def fit(group: Frame, pool: Frame, fixed: Sequence[str] = ()) -> Synthesiser:
    """Learn a group from its rows, and from a wider pool how columns go together.

    Parameters
    ----------
    group : Frame
        Real training rows.
    pool : Frame
        The wider set of rows of the same columns that holds the group, such as all rows of its class.
    fixed : sequence of str
        Columns that say who the group is; they stay as they are in every row.
    """
    orders = tuple(_order(column, pool, place) for place, column in enumerate(pool.columns))
    chances = tuple(
        _chances(column, wide, order, fixed=column.name in fixed)
        for column, wide, order in zip(group.columns, pool.columns, orders, strict=True)
    )
    flags = [place for place, order in enumerate(orders) if order is None and chances[place][0] > 0]
    own = _correlation(group, orders, flags)
    wide_ = own if pool.rows == group.rows else _correlation(pool, orders, flags)
    share = group.rows / (group.rows + _BORROWED)
    mixed = share * own + (1 - share) * wide_
    return Synthesiser(
        group=group, orders=orders, chances=chances, root=_root(mixed), latent=len(group.columns) + len(flags)
    )


def _order(column: Column, pool: Frame, place: int) -> Ints | None:
    """The states of a category in an order that carries its association with the other columns; None for a number."""
    if column.levels is None:
        return None
    states = np.unique(column.values).astype(np.int64)
    if len(states) < 3:
        return states
    others = [one for which, one in enumerate(pool.columns) if which != place]
    means = np.column_stack(
        [part for one in others for part in _state_means(one, column.values, states)]
        or [np.arange(len(states)).astype(np.float64)]
    )
    counts = np.array([(column.values == state).sum() for state in states], dtype=np.float64)
    centred = (means - np.average(means, axis=0, weights=counts)) * np.sqrt(counts)[:, None]
    left, _, _ = np.linalg.svd(centred, full_matrices=False)
    along = left[:, 0] / np.sqrt(counts)
    along = along if along[np.abs(along).argmax()] > 0 else -along  # the sign of a direction is arbitrary
    return states[np.argsort(np.round(along, 9), kind="stable")]


def _state_means(other: Column, codes: Ints | Floats, states: Ints) -> list[Floats]:
    """Means of another column's standardised parts within each state."""
    if other.levels is None:
        there = ~other.missing
        parts = [np.where(there, other.values - np.nanmean(other.values) if there.any() else 0.0, 0.0)]
    else:
        parts = [(other.values == code).astype(np.float64) for code in np.unique(other.values)[:30]]
    found = []
    for part in parts:
        spread = part.std()
        if spread > 0:
            scaled = (part - part.mean()) / spread
            found.append(np.array([scaled[codes == state].mean() for state in states]))
    return found


def _chances(column: Column, wide: Column, order: Ints | None, *, fixed: bool) -> Floats:
    """How often each state of a category occurs in the group, one row of the pool mixed in; a number's share missing."""
    if order is None:
        return np.array([column.missing.mean()])
    counts = np.array([(column.values == state).sum() for state in order], dtype=np.float64)
    if not fixed:
        counts += np.array([(wide.values == state).mean() for state in order])
    return np.asarray(counts / counts.sum(), dtype=np.float64)


def _correlation(frame: Frame, orders: Sequence[Ints | None], flags: Sequence[int]) -> Floats:
    """Latent correlation: that under which the scores would correlate as they do."""
    parts = [_scored(column, order) for column, order in zip(frame.columns, orders, strict=True)]
    parts += [_scored_states(np.where(frame.columns[place].missing, 1, 0), np.array([0, 1])) for place in flags]
    scores = np.column_stack([values for _, values in parts])
    there = np.isfinite(scores).astype(np.float64)
    scores = np.where(there > 0, scores, 0.0)
    squares = (scores**2).T @ there
    norm = np.sqrt(squares * squares.T)
    observed = np.divide(scores.T @ scores, norm, out=np.zeros_like(norm), where=norm > 0)
    return _latent(observed, [margin for margin, _ in parts])


def _scored(column: Column, order: Ints | None) -> tuple[_Margin, Floats]:
    if order is not None:
        return _scored_states(column.values.astype(np.int64), order)
    there = ~column.missing
    states, codes = np.unique(column.values[there], return_inverse=True)
    margin, of_rows = _scored_states(codes.astype(np.int64), np.arange(max(len(states), 1)))
    scores = np.full(len(column.values), np.nan)
    scores[there] = of_rows
    return margin, scores


def _scored_states(codes: Ints, order: Ints) -> tuple[_Margin, Floats]:
    """The margin of ordered states, and the score of each row."""
    rank = np.zeros(int(order.max()) + 2, dtype=np.int64)
    rank[order + 1] = np.arange(len(order))
    places = rank[codes + 1]
    counts = np.bincount(places, minlength=len(order)).astype(np.float64)
    total = max(counts.sum(), 1.0)
    edges = special.ndtri(np.concatenate([[0.0], np.minimum(np.cumsum(counts) / total, 1.0)]))
    edges[-1] = np.inf
    density = np.exp(-(np.clip(edges, -38, 38) ** 2) / 2) / np.sqrt(2 * np.pi)
    scores = np.divide((density[:-1] - density[1:]) * total, counts, out=np.zeros(len(order)), where=counts > 0)
    return _Margin(edges, scores), scores[places]


def _latent(observed: Floats, margins: Sequence[_Margin]) -> Floats:
    """Invert, for every pair, sum_k a_k b_k rho^k = observed correlation; it grows with rho, so bisection finds it."""
    a = np.array([margin.hermite() for margin in margins])
    spread = np.sqrt(np.array([margin.variance for margin in margins]))
    wanted = observed * np.outer(spread, spread)
    low, high = np.full_like(wanted, -0.999), np.full_like(wanted, 0.999)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        value = np.zeros_like(middle)
        for k in range(_DEGREE - 1, -1, -1):  # Horner
            value = (value + np.outer(a[:, k], a[:, k])) * middle
        below = value < wanted
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    found = np.where(np.outer(spread, spread) > 0, (low + high) / 2, 0.0)
    found = (found + found.T) / 2
    np.fill_diagonal(found, 1.0)
    return np.asarray(found, dtype=np.float64)


def _root(correlation: Floats) -> Floats:
    """A matrix whose product with its transpose is the nearest thing to `correlation` that is one."""
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.maximum(values, 1e-8))
    return np.asarray(root / np.sqrt((root**2).sum(axis=1, keepdims=True)), dtype=np.float64)


def _quantiles(column: Column, uniform: Floats) -> Floats:
    """The group's numbers at these shares: straight lines between its values, the ends drawn in."""
    values = np.sort(column.values[~column.missing])
    if not len(values):
        return np.full(len(uniform), np.nan)
    outer = max(1, min(_OUTERMOST, len(values) // 10))
    values[:outer], values[-outer:] = values[:outer].mean(), values[-outer:].mean()
    at = (np.arange(len(values)) + 0.5) / len(values)
    return np.asarray(np.interp(uniform, at, values), dtype=np.float64)
