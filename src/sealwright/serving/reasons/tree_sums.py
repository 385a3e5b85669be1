"""Exact Shapley values of one row under trees, against counts of rows, with all columns of one feature as one player.

For a leaf of value v, each feature j on its path is met by the row (o = 1) or not (o = 0), and by a share z of the rows
counted: the product of the shares that go the leaf's way at its questions (path-dependent Tree SHAP, Lundberg et al. 2020,
doi:10.1038/s42256-019-0138-9, algorithm 1). The leaf is worth v times the product over the known features of o and over the
others of z, a product game, whose Shapley value is an integral over how many features are known:

    phi_j = v (o_j - z_j) * integral over t from 0 to 1 of the product over i != j of (z_i (1 - t) + o_i t)

The integrand is a polynomial of degree d - 1 for d features on the path, so that ceil(d / 2) points of Gauss and Legendre
give it exactly. Leaves with equally many features are worked out together.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["TreeSums", "leaf_of_rows", "leaves_in"]

Floats = NDArray[np.float64]
_TINY = 1e-150  # a share of no rows at all, which may stand under a fraction; two of them multiply to 1e-300
_AT_ONCE = 1 << 18  # cells of features, points and leaves worked on together: 2 MiB


@dataclass(slots=True)
class _Leaf:
    """One leaf: for each feature on its path the share of rows and what its columns must be (low < x <= high)."""

    value: Floats
    shares: dict[int, float]
    sides: dict[int, dict[int, tuple[float, float, bool]]]  # feature -> column -> low, high, whether missing is met


class _Alike(NamedTuple):
    """Leaves with d features on their path, as arrays of shape (d, leaves)."""

    first: int  # where their questions stand among all
    players: NDArray[np.intp]
    shares: Floats
    values: Floats  # shape (leaves, scores)
    points: Floats
    weights: Floats


class TreeSums:
    """Trees compiled for explaining one row after the other."""

    def __init__(
        self,
        model: Mapping[str, Any],
        counts: Sequence[int],
        everyone: Sequence[int],
        owners: NDArray[np.intp],
        constants: Floats,
        players: int,
    ) -> None:
        """Compile.

        Parameters
        ----------
        model : mapping
            Trees in shap's dictionary form.
        counts, everyone : sequence of int
            Rows of the reference, and all rows, in each leaf, in the order of `leaves_in`.
        owners : int array, shape (columns,)
            The feature of each column; -1 where a column is the same for all rows.
        constants : float array, shape (columns,)
            The values of such columns.
        players : int
            Number of features.
        """
        self._players, self._scores = players, int(np.size(model["base_offset"]))
        self.base = np.array(model["base_offset"], dtype=np.float64).reshape(-1)
        self._fixed = self.base.copy()  # what every row gets
        alike: dict[int, list[_Leaf]] = defaultdict(list)
        at = 0
        for tree in model["trees"]:
            leaves = int((tree["children_left"] < 0).sum())
            shares = _shares(tree, counts[at : at + leaves], everyone[at : at + leaves])
            at += leaves
            for leaf in _leaves(tree, shares, owners, constants):
                self.base += leaf.value * float(np.prod(list(leaf.shares.values())))
                if leaf.shares:
                    alike[len(leaf.shares)].append(leaf)
                else:
                    self._fixed += leaf.value
        self.used = frozenset(player for leaves_ in alike.values() for leaf in leaves_ for player in leaf.shares)
        self._groups, asked = _grouped(alike)
        table = np.array([side for sides in asked for side in sides], dtype=np.float64).reshape(-1, 4)
        self._column = table[:, 0].astype(np.intp)
        self._low, self._high, self._missing = table[:, 1].copy(), table[:, 2].copy(), table[:, 3].astype(np.bool_)
        self._starts = np.cumsum([0, *map(len, asked)])[:-1].astype(np.intp)

    def explain(self, row: Floats, score: int) -> tuple[Floats, Floats]:
        """What each feature adds to one score, shape (features,), and all scores of the row, shape (scores,)."""
        met = self._met(row)
        phi, total = np.zeros(self._players), self._fixed.copy()
        for group in self._groups:
            d, n = group.players.shape
            here = met[group.first : group.first + d * n].reshape(d, n)
            total += group.values[here.all(axis=0)].sum(axis=0)
            step = max(1, _AT_ONCE // (d * group.points.size))
            for start in range(0, n, step):
                part = slice(start, start + step)
                gained = _gained(here[:, part], group.shares[:, part], group.points, group.weights)
                gained *= group.values[part, score]
                owed = group.players[:, part].ravel()
                phi += np.bincount(owed, weights=gained.ravel(), minlength=self._players)
        return phi, total

    def _met(self, row: Floats) -> NDArray[np.bool_]:
        """Whether the row meets each question: one answer for each leaf and feature on its path."""
        if not self._column.size:
            return np.zeros(0, dtype=np.bool_)
        seen = row[self._column]
        inside = (seen > self._low) & (seen <= self._high)
        if np.isnan(row).any():
            inside |= self._missing & np.isnan(seen)
        return np.logical_and.reduceat(inside, self._starts)


def leaves_in(tree: Mapping[str, Any]) -> NDArray[np.intp]:
    """The leaves of a tree, in the order in which they are counted."""
    return np.flatnonzero(tree["children_left"] < 0)


def leaf_of_rows(tree: Mapping[str, Any], matrix: Floats) -> NDArray[np.intp]:
    """The leaf each row falls into, as its place in `leaves_in`, shape (n,)."""
    left, right, missing = tree["children_left"], tree["children_right"], tree["children_default"]
    node, lines = np.zeros(len(matrix), dtype=np.intp), np.arange(len(matrix))
    while lines.size:
        lines = lines[left[node[lines]] >= 0]
        now = node[lines]
        seen = matrix[lines, tree["features"][now]]
        goes = np.where(seen <= tree["thresholds"][now], left[now], right[now])
        node[lines] = np.where(np.isnan(seen), missing[now], goes)
    return np.searchsorted(leaves_in(tree), node)


def _gained(met: NDArray[np.bool_], shares: Floats, points: Floats, weights: Floats) -> Floats:
    """Shapley values of leaves worth 1, shape (d, leaves)."""
    apart = met - shares
    factor = shares[:, None, :] + apart[:, None, :] * points[:, None]  # (d, points, leaves)
    whole = factor.prod(axis=0) * weights[:, None]
    return np.asarray(apart * (whole / factor).sum(axis=1))


def _shares(tree: Mapping[str, Any], counts: Sequence[int], everyone: Sequence[int]) -> Floats:
    """The share of a node's rows that go to each node, shape (nodes,): of the reference, else of all, else a half."""
    left, right = tree["children_left"], tree["children_right"]
    rows = np.zeros((left.size, 2))
    rows[leaves_in(tree)] = np.column_stack([counts, everyone])
    order, waiting = [], [0]
    while waiting:
        node = waiting.pop()
        order.append(node)
        if left[node] >= 0:
            waiting += [int(left[node]), int(right[node])]
    share = np.ones(left.size)
    for node in reversed(order):
        if left[node] < 0:
            continue
        below = [int(left[node]), int(right[node])]
        rows[node] = rows[below].sum(axis=0)
        of = next((which for which in (0, 1) if rows[node, which] > 0), None)
        share[below] = 0.5 if of is None else rows[below, of] / rows[node, of]
    return share


def _leaves(tree: Mapping[str, Any], share: Floats, owners: NDArray[np.intp], constants: Floats) -> Iterator[_Leaf]:
    left, right, missing = tree["children_left"], tree["children_right"], tree["children_default"]
    waiting: list[tuple[int, dict[int, float], dict[int, dict[int, tuple[float, float, bool]]]]] = [(0, {}, {})]
    while waiting:
        node, shares, sides = waiting.pop()
        if left[node] < 0:
            yield _Leaf(tree["values"][node], shares, sides)
            continue
        column, limit = int(tree["features"][node]), float(tree["thresholds"][node])
        owner, near, far = int(owners[column]), int(left[node]), int(right[node])
        if owner < 0:  # the same for all: there is only one way to go
            waiting.append((near if constants[column] <= limit else far, shares, sides))
            continue
        to_near = int(missing[node]) == near
        for child, low, high, gone in ((far, limit, np.inf, not to_near), (near, -np.inf, limit, to_near)):
            a, b, before = sides.get(owner, {}).get(column, (-np.inf, np.inf, True))
            side = (max(a, low), min(b, high), gone and before)
            below = shares | {owner: shares.get(owner, 1.0) * float(share[child])}
            waiting.append((child, below, sides | {owner: sides.get(owner, {}) | {column: side}}))


def _grouped(alike: Mapping[int, Sequence[_Leaf]]) -> tuple[list[_Alike], list[list[tuple[float, ...]]]]:
    """Leaves by how many features are on their path, and all their questions, feature by feature."""
    groups: list[_Alike] = []
    asked: list[list[tuple[float, ...]]] = []
    for d, leaves in sorted(alike.items()):
        first = len(asked)
        points, weights = np.polynomial.legendre.leggauss((d + 1) // 2)
        players = [list(leaf.shares) for leaf in leaves]
        for place in range(d):
            for leaf, names in zip(leaves, players, strict=True):
                asked.append([(column, *side) for column, side in leaf.sides[names[place]].items()])
        groups.append(
            _Alike(
                first=first,
                players=np.array(players, dtype=np.intp).T.copy(),
                shares=np.maximum([list(leaf.shares.values()) for leaf in leaves], _TINY).T.copy(),
                values=np.array([leaf.value for leaf in leaves], dtype=np.float64),
                points=(points + 1) / 2,
                weights=weights / 2,
            )
        )
    return groups, asked
