"""Lines of a report that must not be shown, marked.

Answers: which groups and which outcomes are of too few people in a special group, or would tell such a number?
Does not answer: why those. That is `small_cells`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sealwright.data.diversity.attributes import Attribute
from sealwright.data.diversity.report import Margin
from sealwright.data.diversity.small_cells import hidden_cells, subsets

__all__ = ["with_hidden"]


def with_hidden(
    attributes: Sequence[Attribute],
    margins: Sequence[Margin],
    axes: Sequence[tuple[int, ...]],
    counts: Mapping[tuple[int, ...], NDArray[np.int64]],
    classes: Sequence[str],
    least: int,
) -> list[Margin]:
    """The same margins, with the lines marked that must not be shown. The outcome is one more axis."""
    special = {place for place, one in enumerate(attributes) if one.special}
    if not special:
        return list(margins)
    last = len(attributes)
    every: dict[tuple[int, ...], NDArray[np.int64]] = {}
    for part in {smaller for whole in axes for smaller in subsets(whole)}:
        every[part] = counts[part].sum(axis=-1)
        if classes:
            every[*part, last] = counts[part]
    hidden = hidden_cells(every, special, least)
    return [_marked(attributes, margin, part, hidden, last) for margin, part in zip(margins, axes, strict=True)]


def _marked(
    attributes: Sequence[Attribute],
    margin: Margin,
    axes: tuple[int, ...],
    hidden: Mapping[tuple[int, ...], NDArray[np.bool_]],
    last: int,
) -> Margin:
    of = [attributes[axis] for axis in axes]
    own, by_class = hidden[axes], hidden.get((*axes, last))
    lines = []
    for group in margin.groups:
        place = tuple(one.levels.index(level) for one, level in zip(of, group.of, strict=True))
        closed = bool(own[place])
        lines.append(
            replace(
                group, hidden=closed, outcome_hidden=closed or (by_class is not None and bool(by_class[place].any()))
            )
        )
    outer = own.copy()
    outer[tuple(slice(0, -1) for _ in axes)] = False
    return replace(margin, groups=tuple(lines), missing_hidden=bool(outer.any()))
