"""Groups of people from the columns that say who they are: each row gets the number of its level.

Answers: which levels does an attribute have, and which one does each row have?
Does not answer: how many should there be. That is `reference`.
A level of the contract that no row has stays a level, since who is absent is the point. A missing cell is not a level:
it is counted on a line of its own, because a reference population has no missing people.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sealwright.data.diversity.contract import ColumnLike, ContractLike
from sealwright.data.diversity.spec import CROSS, DiversitySpec, band_labels
from sealwright.data.names import nearest, shown
from sealwright.kernel import InvalidInput

__all__ = ["Attribute", "Ints", "attributes_of", "levels_in"]

Ints = NDArray[np.int64]

_FEW_VALUES = 20  # a number with more distinct values than this needs cut points
_MOST_LEVELS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One column as groups."""

    name: str
    levels: tuple[str, ...]
    codes: Ints  # shape (n,): position in `levels`; len(levels) where the cell is missing
    special: bool  # of class special


def attributes_of(
    table: pa.Table,
    spec: DiversitySpec,
    contract: ContractLike,
    named: Mapping[str, Collection[str]] | None = None,
) -> tuple[Attribute, ...]:
    """The attributes of the spec over the rows of a table.

    Parameters
    ----------
    named : mapping, optional
        Levels a reference names, by attribute. Those that no row has become levels, too.

    Raises
    ------
    InvalidInput
        A column is not in the table, cannot be parted into groups, or has too many of them.
    """
    found = []
    for name, cuts in spec.cut_points().items():
        column = contract.columns.get(name)
        if column is None or name not in table.column_names:
            raise InvalidInput(
                f"data.diversity names {shown(name)}, which the rows do not have.{nearest(name, table.column_names)}\n"
                "A column of role ignore is not kept in a snapshot; give it role: sensitive."
            )
        levels, codes = levels_in(table.column(name), name, cuts, column, (named or {}).get(name, ()))
        if len(levels) > _MOST_LEVELS:
            raise InvalidInput(
                f"{shown(name)} has {len(levels):,} groups; at most {_MOST_LEVELS} are compared."
                " Give a coarser column, or cut points for a number."
            )
        found.append(Attribute(name=name, levels=levels, codes=codes, special=column.data_class == "special"))
    return tuple(found)


def levels_in(
    values: pa.ChunkedArray,
    name: str,
    cuts: tuple[float, ...] | None,
    column: ColumnLike,
    named: Collection[str] = (),
) -> tuple[tuple[str, ...], Ints]:
    """Levels of one column, and the level of each row. Parameters and raises as `attributes_of`."""
    if cuts is not None:
        return _banded(values, name, cuts, column, named)
    if column.type in {"category", "boolean"}:
        declared = column.categories if column.categories is not None else ("false", "true")
        return _coded(values, (*declared, *(level for level in sorted(named) if level not in declared)))
    if column.type == "integer" and pc.count_distinct(values).as_py() <= _FEW_VALUES:
        numbers = sorted(value for value in pc.unique(values).to_pylist() if value is not None)
        there = [str(value) for value in numbers]
        return _coded(values, (*there, *(level for level in sorted(named) if level not in there)))
    raise InvalidInput(
        f"data.diversity cannot part {shown(name)} ({column.type}) into groups as it stands.\n"
        f"Give cut points, such as {{{name}: [26, 40, 60]}}, for a number; leave out dates and texts."
    )


def _banded(
    values: pa.ChunkedArray, name: str, cuts: tuple[float, ...], column: ColumnLike, named: Collection[str]
) -> tuple[tuple[str, ...], Ints]:
    if column.type not in {"integer", "number"}:
        raise InvalidInput(
            f"data.diversity gives cut points for {shown(name)}, which is a {column.type}, not a number."
        )
    labels = band_labels(cuts)
    strange = [level for level in named if level not in labels]
    if strange:
        raise InvalidInput(
            f"The reference of {shown(name)} names the group {shown(strange[0])}.{nearest(strange[0], labels)}\n"
            f"With these cut points the groups are: {', '.join(labels)}."
        )
    numbers = pc.cast(values, pa.float64()).to_numpy()
    missing = np.isnan(numbers)  # a null is NaN here, too
    codes = np.searchsorted(np.asarray(cuts, dtype=np.float64), numbers, side="right").astype(np.int64)
    codes[missing] = len(labels)
    return labels, codes


def _coded(values: pa.ChunkedArray, levels: tuple[str, ...]) -> tuple[tuple[str, ...], Ints]:
    """Codes of texts, whole numbers or booleans as text; values besides `levels` become levels at the end."""
    for level in levels:
        if CROSS in level:
            raise InvalidInput(
                f"The group {shown(level)} holds {CROSS!r}, which is written between crossed groups. Rename it."
            )
    array = values.combine_chunks()
    encoded = array if pa.types.is_dictionary(array.type) else pc.dictionary_encode(array)
    words = pc.cast(encoded.dictionary, pa.string()).to_pylist()
    every = (*levels, *sorted({word for word in words if word is not None} - set(levels)))
    place = {level: code for code, level in enumerate(every)}
    of_word = np.array([*(len(every) if word is None else place[word] for word in words), len(every)], dtype=np.int64)
    indices = pc.fill_null(encoded.indices, len(words)) if encoded.null_count else encoded.indices
    return every, of_word[np.asarray(indices.to_numpy(zero_copy_only=False), dtype=np.int64)]
