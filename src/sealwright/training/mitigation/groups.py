"""Whose row is it? Groups of training rows, and how a model that may ask finds the group of a new row.

Answers: a position for each row and the words for each position. Several attributes are crossed; groups with very
few rows are put together, since nothing can be learnt from one row.
Does not answer: who a person is. Positions follow the first appearance in the rows, so names decide nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sealwright.kernel import InvalidInput
from sealwright.training.errors import UntrainableData
from sealwright.training.packed import Packed
from sealwright.training.packing import numbers_of, texts_of

__all__ = ["AttributeKey", "GroupKey", "groups_of", "membership"]

FEWEST_ROWS = 10
"""A smaller group is joined with other small ones."""
_MOST_LEVELS, _FEW_VALUES = 50, 10
_SMALL = "(small groups together)"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeKey:
    """One attribute: the texts it takes, or the points its numbers are cut at; a missing value is a level, too."""

    name: str
    levels: tuple[str, ...]  # for cut numbers one more than cuts, then missing
    cuts: tuple[float, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupKey:
    """What the positions of groups mean. `members[g]` holds a level of each attribute; () is the small ones together."""

    attributes: tuple[AttributeKey, ...]
    members: tuple[tuple[int, ...], ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(
            " × ".join(one.levels[at] or "(missing)" for one, at in zip(self.attributes, member, strict=True))
            if member
            else _SMALL
            for member in self.members
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "attributes": [
                {"name": one.name, "levels": list(one.levels), "cuts": None if one.cuts is None else list(one.cuts)}
                for one in self.attributes
            ],
            "members": [list(member) for member in self.members],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "GroupKey":
        return cls(
            attributes=tuple(
                AttributeKey(
                    name=one["name"],
                    levels=tuple(one["levels"]),
                    cuts=None if one["cuts"] is None else tuple(one["cuts"]),
                )
                for one in value["attributes"]
            ),
            members=tuple(tuple(member) for member in value["members"]),
        )


def groups_of(table: pa.Table, columns: Mapping[str, tuple[float, ...] | None]) -> tuple[NDArray[np.int32], GroupKey]:
    """The group of each row.

    Parameters
    ----------
    columns : mapping
        Attribute name to cut points; None takes the values as they are.

    Raises
    ------
    InvalidInput
        A column is missing, has too many different values, or cut points and no numbers.
    UntrainableData
        Every row is in one group.
    """
    absent = [name for name in columns if name not in table.column_names]
    if absent:
        raise InvalidInput(
            f"training.mitigation names {', '.join(absent)}, which the data does not have.\n"
            f"Its columns are: {', '.join(table.column_names[:40])}."
        )
    read = [_attribute(table.column(name), name, cuts) for name, cuts in columns.items()]
    codes = np.zeros(table.num_rows, dtype=np.int64)
    for one, levels in read:
        codes = codes * len(one.levels) + levels
    sizes = [len(one.levels) for one, _ in read]
    present, first, places, counts = np.unique(codes, return_index=True, return_inverse=True, return_counts=True)
    small = counts < FEWEST_ROWS
    order = sorted(np.flatnonzero(~small).tolist(), key=lambda at: int(first[at]))
    rank = np.full(present.size, len(order), dtype=np.int32)  # the small ones come last, as one
    rank[order] = np.arange(len(order), dtype=np.int32)
    parts = np.stack(np.unravel_index(present, sizes), axis=1)
    members = [tuple(int(level) for level in parts[at]) for at in order] + ([()] if small.any() else [])
    key = GroupKey(attributes=tuple(one for one, _ in read), members=tuple(members))
    if len(members) < 2:
        raise UntrainableData(
            f"All training rows are in one group ({key.names[0]}), so there is nothing to make more alike.\n"
            "Name other attributes or cut points in training.mitigation, or leave it out."
        )
    return rank[places].astype(np.int32), key


def _attribute(
    column: pa.ChunkedArray, name: str, cuts: tuple[float, ...] | None
) -> tuple[AttributeKey, NDArray[np.int64]]:
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        if cuts is not None:
            raise InvalidInput(f"training.mitigation gives cut points for {name}, which holds text, not numbers.")
        words, codes = np.unique(texts_of(column, name).to_numpy(zero_copy_only=False).astype(str), return_inverse=True)
        if words.size > _MOST_LEVELS:
            raise InvalidInput(
                f"{name} has {words.size:,} different values; groups are made of at most {_MOST_LEVELS}."
            )
        return AttributeKey(name=name, levels=tuple(words.tolist()), cuts=None), codes.astype(np.int64)
    values = numbers_of(column, name).astype(np.float32)  # as the model gets them
    if cuts is None:
        distinct = np.unique(values[~np.isnan(values)])
        if distinct.size > _FEW_VALUES:
            raise InvalidInput(
                f"{name} has {distinct.size:,} different numbers. Say where groups part in training.mitigation,"
                f" such as attributes: [{{{name}: [{float(np.median(distinct)):g}]}}]."
            )
        cuts = tuple(float((a + b) / 2) for a, b in pairwise(distinct.astype(np.float64)))
        levels = [f"{value:g}" for value in distinct] or [""]
    else:
        levels = [f"under {cuts[0]:g}", *(f"{a:g} to under {b:g}" for a, b in pairwise(cuts)), f"{cuts[-1]:g} and over"]
    edges = np.asarray(cuts, dtype=np.float32)
    places = np.where(np.isnan(values), len(levels), np.searchsorted(edges, values, side="right"))
    return AttributeKey(name=name, levels=(*levels, ""), cuts=cuts), places.astype(np.int64)


def membership(
    key: GroupKey, packed: Packed, numbers: tuple[str, ...], strings: tuple[str, ...]
) -> NDArray[np.float32]:
    """1 where a row is of a group, shape (rows, groups), read from its features; all 0 where it is of none.

    Every attribute must be among `numbers` or `strings`, the names of the columns of `packed`.
    """
    found = np.ones((packed.rows, len(key.members)), dtype=np.float32)
    found[:, [not member for member in key.members]] = 0.0
    for place, one in enumerate(key.attributes):
        levels = _levels(one, packed, numbers, strings)
        for group, member in enumerate(key.members):
            if member:
                found[:, group] *= levels == member[place]
    return found


def _levels(one: AttributeKey, packed: Packed, numbers: tuple[str, ...], strings: tuple[str, ...]) -> NDArray[np.int64]:
    if one.cuts is None:
        at = strings.index(one.name)
        known = {word: level for level, word in enumerate(one.levels)}
        table = np.array([known.get(word, -1) for word in packed.levels[at]] or [-1], dtype=np.int64)
        return np.asarray(table[packed.codes[:, at]])
    values = packed.numbers[:, numbers.index(one.name)]
    places = np.searchsorted(np.asarray(one.cuts, dtype=np.float32), values, side="right")
    return np.where(np.isnan(values), len(one.levels) - 1, places).astype(np.int64)
