"""Exact Shapley values of trees against background rows, with all columns of one feature as one player.

For one leaf, one row x and one background row z, each feature on the path is met by x, by z, by both or by neither. The leaf
counts only if none is met by neither; then a feature met by x alone gains (a - 1)! b! / (a + b)! of its value and one met by z
alone loses a! (b - 1)! / (a + b)!, with a and b how many of each kind there are (interventional Tree SHAP, Lundberg et al.
2020, doi:10.1038/s42256-019-0138-9, algorithm 3). What is met is a pattern of few bits, so rows with the same pattern
are worked out together, and the categories of one text column stay one feature, which summing column values does not do.
"""

import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats

__all__ = ["tree_shapley"]

_TABULATED = 7  # features on a path up to which all pairs of patterns stand in one table: 128 x 128 x 7
_Bits = NDArray[np.int64]


def tree_shapley(
    model: Mapping[str, Any], background: Floats, matrix: Floats, owners: NDArray[np.intp], features: int
) -> tuple[Floats, Floats]:
    """Values of every feature for each row: phi (n, outputs, features) and base (outputs,).

    Parameters
    ----------
    model : mapping
        Trees in the dictionary form of shap: a row goes left where its value is at most the threshold.
    background, matrix : float arrays, shape (rows, columns)
        What the trees see.
    owners : int array, shape (columns,)
        The feature each column belongs to; -1 where a column is the same in all rows.
    """
    base = np.array(model["base_offset"], dtype=np.float64)
    phi = np.zeros((len(matrix), base.size, features))
    for tree in model["trees"]:
        for players, here, there, value in _leaves(tree, background, matrix, owners):
            base += value * float((there == (1 << len(players)) - 1).mean())
            if players:
                gained = _gained(here, there, len(players))
                phi[:, :, list(players)] += value[:, None] * gained[:, None, :]
    return phi, base


def _leaves(
    tree: Mapping[str, Any], background: Floats, matrix: Floats, owners: NDArray[np.intp]
) -> Iterator[tuple[tuple[int, ...], _Bits, _Bits, Floats]]:
    """Features on the path to each leaf, which of them each row and each background row meets as bits, its value."""
    left, right, missing = tree["children_left"], tree["children_right"], tree["children_default"]
    both = np.concatenate([matrix, background])
    n, everyone = len(matrix), np.zeros(len(both), dtype=np.int64)
    waiting: list[tuple[int, tuple[int, ...], _Bits]] = [(0, (), everyone)]
    while waiting:
        node, players, unmet = waiting.pop()  # a bit of `unmet` is 1 where a feature fails a question on the path
        if left[node] < 0:
            met = unmet ^ ((1 << len(players)) - 1)
            yield players, met[:n], met[n:], tree["values"][node]
            continue
        column = int(tree["features"][node])
        goes = both[:, column] <= tree["thresholds"][node]
        goes = np.where(np.isnan(both[:, column]), missing[node] == left[node], goes)
        owner = int(owners[column])
        if owner < 0:  # the same for all: there is only one way to go
            waiting.append((int(left[node] if goes[0] else right[node]), players, unmet))
            continue
        known = owner in players
        players = players if known else (*players, owner)
        bit = players.index(owner)
        for child, fails in ((left[node], ~goes), (right[node], goes)):
            waiting.append((int(child), players, unmet | (fails.astype(np.int64) << bit)))


def _gained(here: _Bits, there: _Bits, players: int) -> Floats:
    """What each player of a leaf of value 1 contributes for each row, averaged over the background, shape (n, players)."""
    if players <= _TABULATED:
        share = np.bincount(there, minlength=1 << players) / there.size
        return np.asarray((share @ _table(players)).reshape(-1, players)[here])
    mine, which = np.unique(here, return_inverse=True)
    theirs, counts = np.unique(there, return_counts=True)
    x, z = np.nonzero((mine[:, None] | theirs) == (1 << players) - 1)
    total = np.zeros((mine.size, players))
    np.add.at(total, x, _weights(mine[x], theirs[z], players) * (counts[z] / there.size)[:, None])
    return np.asarray(total[which])


@lru_cache(maxsize=_TABULATED + 1)
def _table(players: int) -> Floats:
    """Weights of all pairs of patterns, shape (patterns there, patterns here times players)."""
    every = np.arange(1 << players)
    there, here = np.repeat(every, every.size), np.tile(every, every.size)
    reached = ((here | there) == every[-1])[:, None]
    return np.where(reached, _weights(here, there, players), 0.0).reshape(every.size, -1)


def _weights(here: _Bits, there: _Bits, players: int) -> Floats:
    """The weight of every player for pairs of patterns that reach the leaf, shape (pairs, players)."""
    bits = np.arange(players)
    only_x = ((here & ~there)[:, None] >> bits) & 1
    only_z = ((there & ~here)[:, None] >> bits) & 1
    gain, loss = _factors(players)
    a, b = only_x.sum(axis=1), only_z.sum(axis=1)
    return np.asarray(only_x * gain[a, b][:, None] - only_z * loss[a, b][:, None])


@lru_cache(maxsize=64)
def _factors(players: int) -> tuple[Floats, Floats]:
    """(a - 1)! b! / (a + b)! and a! (b - 1)! / (a + b)!; zero where undefined."""
    gain, loss = np.zeros((2, players + 1, players + 1))
    for a in range(players + 1):
        for b in range(players + 1):
            if a:
                gain[a, b] = math.exp(math.lgamma(a) + math.lgamma(b + 1) - math.lgamma(a + b + 1))
            if b:
                loss[a, b] = math.exp(math.lgamma(a + 1) + math.lgamma(b) - math.lgamma(a + b + 1))
    return gain, loss
