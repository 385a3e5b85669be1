"""Groups of people, from the columns that say who they are.

A category keeps its levels; a number is cut at declared points, or at the quarters of the training data
when none are declared. A missing value is a group of its own, because who has no value is rarely chance.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sealwright.assurance.features import as_floats, as_text
from sealwright.kernel import InvalidInput

__all__ = ["Attribute", "read_attributes", "refuse_absent"]

_MISSING = "(missing)"
_FEW_VALUES = 10  # a number with more distinct values than this is cut into bands
_MOST_LEVELS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One way to part the test rows into groups."""

    name: str
    levels: tuple[str, ...]  # those present in the test rows; bands ascending, else sorted
    codes: NDArray[np.int64]  # shape (n,): position in `levels`
    how: str  # "" or how a number was cut
    problem: str = ""  # why it cannot be judged at all; levels are then empty

    def rows_of(self, place: int) -> NDArray[np.bool_]:
        of_level: NDArray[np.bool_] = self.codes == place
        return of_level


def read_attributes(
    test: pa.Table, train: pa.Table, columns: Mapping[str, tuple[float, ...] | None]
) -> tuple[Attribute, ...]:
    """The groups of the rows of `test`: each column as it is, or cut at its points.

    Raises
    ------
    InvalidInput
        A column has cut points but holds no numbers.
    """
    return tuple(_attribute(name, cuts, test.column(name), train.column(name)) for name, cuts in columns.items())


def refuse_absent(names: Sequence[str], *tables: pa.Table) -> None:
    """Refuse to compare groups by columns that are not there.

    Raises
    ------
    InvalidInput
        Names every absent column, and those there are.
    """
    for table in tables:
        absent = [name for name in names if name not in table.column_names]
        if absent:
            raise InvalidInput(
                f"assurance.groups names {', '.join(absent[:10])}, which the data does not have.\n"
                f"Its columns are: {', '.join(table.column_names[:40])}."
            )


def _attribute(name: str, cuts: tuple[float, ...] | None, test: pa.ChunkedArray, train: pa.ChunkedArray) -> Attribute:
    numeric = _is_number(test.type)
    if cuts is not None and not numeric:
        raise InvalidInput(f"assurance.groups gives cut points for {name}, which holds {test.type}, not numbers.")
    how = ""
    if numeric and cuts is None:
        values = as_floats(train, name)
        values, of = values[np.isfinite(values)], "training data"
        if not values.size:  # who the training rows are about was not said
            values, of = as_floats(test, name), "rows judged"
            values = values[np.isfinite(values)]
        if np.unique(values).size > _FEW_VALUES:
            cuts = tuple(float(cut) for cut in np.unique(np.quantile(values, [0.25, 0.5, 0.75])))
            how = f"cut at the quarters of the {of}"
    if cuts is not None:
        return _banded(name, cuts, as_floats(test, name), how or "cut at the declared points")
    text = as_text(test, name).to_numpy(zero_copy_only=False)
    levels, codes = np.unique(text, return_inverse=True)
    if levels.size > _MOST_LEVELS:
        why = f"{levels.size:,} different values; at most {_MOST_LEVELS} groups are compared"
        return Attribute(name=name, levels=(), codes=np.zeros(len(text), dtype=np.int64), how="", problem=why)
    named = tuple(str(level) if level != "" else _MISSING for level in levels)
    return Attribute(name=name, levels=named, codes=codes.astype(np.int64), how="")


def _banded(name: str, cuts: tuple[float, ...], values: NDArray[np.float64], how: str) -> Attribute:
    ends = [f"{cut:g}" for cut in cuts]
    labels = [f"under {ends[0]}", *(f"{a} to under {b}" for a, b in pairwise(ends))]
    labels += [f"{ends[-1]} and over", _MISSING]
    places = np.where(np.isnan(values), len(cuts) + 1, np.searchsorted(cuts, values, side="right"))
    present, codes = np.unique(places, return_inverse=True)
    levels = tuple(labels[place] for place in present)
    return Attribute(name=name, levels=levels, codes=codes.astype(np.int64), how=how)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
