"""Trees as leaves with the conditions that lead there: what a bound needs of them.

Answers: which rows fall into which leaf?
Does not answer: how the trees were read. They come in the form `onnx_ensemble` and `sklearn_reading` give them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sealwright.assurance.certified.reading import Leaves
from sealwright.registry import Unreadable

__all__ = ["leaves_of"]


@dataclass(slots=True)
class _Box:
    """What a row must be to come here, by column: low < value <= high, or missing."""

    sides: dict[int, tuple[float, float, bool]]

    def cut(self, column: int, low: float, high: float, *, missing: bool) -> "_Box":
        a, b, gone = self.sides.get(column, (-np.inf, np.inf, True))
        return _Box(self.sides | {column: (max(a, low), min(b, high), gone and missing)})


def leaves_of(model: Mapping[str, Any], width: int) -> Leaves:
    """The leaves of trees that are added up.

    Parameters
    ----------
    model : mapping
        "trees", each with arrays by node, the root first: children_left (value <= threshold; -1 for a leaf),
        children_right, children_default (where a missing value goes), features, thresholds, and values of shape (nodes,
        scores); and "base_offset", where the sum starts.
    width : int
        Columns of the matrix the trees look at.

    Raises
    ------
    Unreadable
        A tree asks a column that is not there.
    """
    first: list[int] = []
    scores: list[Any] = []
    sides: list[Any] = []
    for tree in model["trees"]:
        first.append(len(scores))
        waiting = [(0, _Box({}))]
        while waiting:
            node, box = waiting.pop()
            near, far = int(tree["children_left"][node]), int(tree["children_right"][node])
            if near < 0:
                sides += [(len(scores), column, *side) for column, side in box.sides.items()]
                scores.append(tree["values"][node])
                continue
            column, threshold = int(tree["features"][node]), float(tree["thresholds"][node])
            if not 0 <= column < width:
                raise Unreadable("its trees ask a column that is not there")
            to_near = int(tree["children_default"][node]) == near
            waiting.append((far, box.cut(column, threshold, np.inf, missing=not to_near)))
            waiting.append((near, box.cut(column, -np.inf, threshold, missing=to_near)))
    sides.sort(key=lambda side: (side[1], side[0]))
    table = np.array(sides, dtype=np.float64).reshape(len(sides), 5)
    return Leaves(
        first=np.array(first, dtype=np.intp),
        scores=np.array(scores, dtype=np.float64),
        constant=np.asarray(model["base_offset"], dtype=np.float64),
        leaf=table[:, 0].astype(np.intp),
        column=table[:, 1].astype(np.intp),
        low=table[:, 2],
        high=table[:, 3],
        missing=table[:, 4].astype(np.bool_),
    )
