"""How much a class of look-alike rows gives away about a sensitive value.

Answers: how many values does a class have, how undecided is it between them, how far is it from the whole table?
Does not answer: how far is too far. The recipe says.
Each function returns one number a class, NaN for a class in which no value is known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.data.deidentify.grouping import Ints, Spread
from sealwright.kernel import InvalidInput

__all__ = [
    "Floats",
    "Tree",
    "distinct_values",
    "earth_movers_equal",
    "earth_movers_ordered",
    "earth_movers_tree",
    "entropies",
]

Floats = NDArray[np.float64]

_CELLS = 1 << 22  # classes x values looked at in one go


def distinct_values(spread: Spread) -> Floats:
    """Different values of each class.

    Notes
    -----
    Distinct l-diversity: Machanavajjhala et al. 2007, "l-diversity: privacy beyond k-anonymity", section 4.
    """
    found = np.bincount(spread.of_class, minlength=spread.classes).astype(np.float64)
    return np.where(found > 0, found, np.nan)


def entropies(spread: Spread) -> Floats:
    """exp of the entropy of each class: between how many equally likely values it is as undecided.

    Notes
    -----
    Entropy l-diversity asks -sum p log p >= log l of every class: Machanavajjhala et al. 2007, definition 4.1.
    """
    share = spread.shares
    total = np.bincount(spread.of_class, weights=-share * np.log(share), minlength=spread.classes)
    return np.where(spread.totals > 0, np.exp(total), np.nan)


def earth_movers_equal(spread: Spread, overall: Floats) -> Floats:
    """Distance of each class from `overall` where any two values are equally far apart.

    Notes
    -----
    Half the sum of |p - q|: Li, Li and Venkatasubramanian 2007, "t-closeness", section 4.1.
    """
    q = overall[spread.value]
    here = np.bincount(spread.of_class, weights=np.abs(spread.shares - q) - q, minlength=spread.classes)
    return np.where(spread.totals > 0, np.clip(0.5 * (here + 1.0), 0.0, 1.0), np.nan)


def earth_movers_ordered(spread: Spread, overall: Floats) -> Floats:
    """Distance of each class from `overall` where values are apart by their rank.

    Notes
    -----
    The mean of |P_i - Q_i| over the first m - 1 of the m values the table has, P and Q cumulated: Li et al. 2007,
    section 4.1. P only steps where the class has a value, so each stretch between two of them is summed from prefix sums of Q.
    """
    there = overall > 0
    last = int(there.sum()) - 1
    if last < 1:
        return np.where(spread.totals > 0, 0.0, np.nan)
    reached = np.cumsum(overall[there])
    sums = np.concatenate(([0.0], np.cumsum(reached)))
    running = np.cumsum(spread.shares)
    first = np.flatnonzero(np.diff(spread.of_class, prepend=-1))
    before = np.repeat(running[first] - spread.shares[first], np.diff(np.append(first, len(running))))
    height = np.clip(running - before, 0.0, 1.0)
    begin = (np.cumsum(there) - 1)[spread.value]
    end = np.append(begin[1:], last)
    end[np.append(first[1:] - 1, len(running) - 1)] = last
    cross = np.clip(np.searchsorted(reached, height), begin, end)
    area = height * (cross - begin) - (sums[cross] - sums[begin]) + (sums[end] - sums[cross]) - height * (end - cross)
    total = np.bincount(spread.of_class, weights=area, minlength=spread.classes)
    total[spread.of_class[first]] += sums[begin[first]]
    return np.where(spread.totals > 0, np.clip(total / last, 0.0, 1.0), np.nan)


@dataclass(frozen=True, slots=True)
class Tree:
    """A hierarchy over values: `parents[h]` gives, for each node of level h, its node of level h + 1. Leaves first."""

    parents: tuple[Ints, ...]

    @classmethod
    def of(cls, values: Sequence[str], groups: Mapping[str, Sequence[str]]) -> "Tree":
        """The tree over `values`, each under the groups named for it, all under one root.

        Raises
        ------
        InvalidInput
            A value without groups, or a group under two others.
        """
        lacking = sum(value not in groups for value in values)
        if lacking:
            raise InvalidInput(f"{lacking} values of a sensitive column have no place in its `groups`. Name them all.")
        paths: list[tuple[str, ...]] = [(value, *groups[value]) for value in values]
        parents: list[Ints] = []
        for level in range(max((len(path) for path in paths), default=1) - 1):
            below = list(dict.fromkeys(path[level] for path in paths))
            above = list(dict.fromkeys(path[level + 1] for path in paths))
            up = {path[level]: path[level + 1] for path in paths}
            if any(up[path[level]] != path[level + 1] for path in paths):
                raise InvalidInput("A group of a sensitive column lies under two different groups. Name them apart.")
            parents.append(np.array([above.index(up[node]) for node in below], dtype=np.int64))
        top = int(parents[-1].max()) + 1 if parents else len(values)
        return cls((*parents, np.zeros(top, dtype=np.int64)))


def earth_movers_tree(spread: Spread, overall: Floats, tree: Tree) -> Floats:
    """Distance of each class from `overall` where values are apart by the level of their nearest common group.

    Notes
    -----
    The cost of each inner node is height / H times the smaller of what its children have too much and too little:
    Li et al. 2007, section 4.3.
    """
    result = np.zeros(spread.classes)
    step = max(1, _CELLS // max(spread.values, 1))
    for start in range(0, spread.classes, step):
        here = (spread.of_class >= start) & (spread.of_class < start + step)
        rows = min(step, spread.classes - start)
        extra = np.zeros((rows, spread.values))
        extra[spread.of_class[here] - start, spread.value[here]] = spread.shares[here]
        extra -= overall
        for level, parents in enumerate(tree.parents, start=1):
            member = np.zeros((len(parents), int(parents.max()) + 1))
            member[np.arange(len(parents)), parents] = 1.0
            more, less = np.maximum(extra, 0.0) @ member, np.maximum(-extra, 0.0) @ member
            result[start : start + rows] += level / len(tree.parents) * np.minimum(more, less).sum(axis=1)
            extra = extra @ member
    return np.where(spread.totals > 0, result, np.nan)
