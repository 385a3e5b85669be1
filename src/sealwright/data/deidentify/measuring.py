"""k-anonymity, l-diversity and t-closeness of a table, measured.

Answers: among how many rows does a person hide, and what do those rows still give away?
Does not answer: is that enough; nor what an attacker knows. Both are declared, and the declaration may be wrong.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sealwright.data.deidentify.closeness import (
    Floats,
    Tree,
    distinct_values,
    earth_movers_equal,
    earth_movers_ordered,
    earth_movers_tree,
    entropies,
)
from sealwright.data.deidentify.grouping import Ints, Spread, codes_of, group, spread_of
from sealwright.data.deidentify.spec import Sensitive
from sealwright.data.names import nearest, shown
from sealwright.kernel import InvalidInput

__all__ = ["Diversity", "Guarded", "Measured", "classes_of", "guarded_column", "measure", "sizes_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diversity:
    """What classes give away about one sensitive column; the worst class counts. Rows without a value do not."""

    distinct: int  # fewest different values in a class
    entropy: float  # fewest equally likely values a class is as undecided between, 1.0 or more
    closeness: float  # largest distance of a class from the whole table, 0 to 1
    distance: str  # "equal", "ordered" or "hierarchical"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was measured. A table without rows hides nobody, and gives nobody away: k is 0."""

    rows: int
    quasi_identifiers: tuple[str, ...]
    k: int  # rows of the smallest class
    classes: int
    unique_rows: int  # rows that are alone in their class
    sensitive: Mapping[str, Diversity]

    def to_json(self) -> dict[str, Any]:
        found = {name: asdict(value) for name, value in self.sensitive.items()}
        return {**asdict(self), "quasi_identifiers": list(self.quasi_identifiers), "sensitive": found}


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """A sensitive column ready to be compared: codes, -1 where the cell is empty, and how far values are apart."""

    name: str
    codes: Ints
    count: int
    distance: str
    tree: Tree | None = None

    def spread(self, ids: Ints, classes: int, weights: Ints | None = None) -> Spread:
        return spread_of(ids, classes, self.codes, self.count, weights)

    def away(self, spread: Spread, overall: Floats | None = None) -> Floats:
        """How far each class is from the whole table."""
        overall = spread.overall if overall is None else overall
        if self.tree is not None:
            return earth_movers_tree(spread, overall, self.tree)
        measured: Callable[[Spread, Floats], Floats] = (
            earth_movers_ordered if self.distance == "ordered" else earth_movers_equal
        )
        return measured(spread, overall)


def measure(table: pa.Table, quasi: Sequence[str], sensitive: Mapping[str, Sensitive] | Sequence[str] = ()) -> Measured:
    """Measure how well the rows of a table hide persons.

    Parameters
    ----------
    table : pa.Table
        A million rows take seconds.
    quasi : sequence of str
        The columns an attacker may know. An empty cell is a value like any other.
    sensitive : mapping of name to Sensitive, or sequence of names
        The columns an attacker must not learn.

    Returns
    -------
    Measured

    Raises
    ------
    InvalidInput
        No quasi-identifier, or a column that is not there.

    Notes
    -----
    k-anonymity: Sweeney 2002; l-diversity: Machanavajjhala et al. 2007; t-closeness: Li et al. 2007.
    """
    wanted = sensitive if isinstance(sensitive, Mapping) else {name: Sensitive() for name in sensitive}
    _check(table, [*quasi, *wanted])
    if not quasi:
        raise InvalidInput("Say which columns an attacker may know: without quasi-identifiers every row looks alike.")
    ids, classes = classes_of(table, quasi)
    sizes = sizes_of(ids, classes)
    return Measured(
        rows=table.num_rows,
        quasi_identifiers=tuple(quasi),
        k=int(sizes.min()) if classes else 0,
        classes=classes,
        unique_rows=int((sizes == 1).sum()),
        sensitive={
            name: _diversity(guarded_column(name, table[name], how), ids, classes) for name, how in wanted.items()
        },
    )


def classes_of(table: pa.Table, quasi: Sequence[str]) -> tuple[Ints, int]:
    """The class of each row, and how many there are."""
    coded = [codes_of(table[name]) for name in quasi]
    return group([one.of_rows for one in coded], [one.count for one in coded])


def sizes_of(ids: Ints, classes: int, weights: Ints | None = None) -> Ints:
    """Rows of each class."""
    return np.bincount(ids, weights=weights, minlength=classes).astype(np.int64)


def guarded_column(name: str, values: pa.ChunkedArray, how: Sensitive) -> Guarded:
    """A sensitive column ready to be compared.

    Raises
    ------
    InvalidInput
        A value that has no place in the declared groups.
    """
    kind = values.type
    ranked = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_date(kind)
    distance = how.distance or ("ordered" if ranked else "equal")
    coded = codes_of(values, in_order=True)
    missing = np.asarray(coded.values.is_null())
    known = int((~missing).sum())  # a missing value is sorted last
    codes: NDArray[np.int64] = np.where(coded.of_rows < known, coded.of_rows, -1)
    tree = None
    if distance == "hierarchical":
        tree = Tree.of(pc.cast(coded.values, pa.string()).to_pylist()[:known], how.groups)
    return Guarded(name=name, codes=codes, count=known, distance=distance, tree=tree)


def _diversity(column: Guarded, ids: Ints, classes: int) -> Diversity:
    spread = column.spread(ids, classes)
    return Diversity(
        distinct=int(_worst(distinct_values(spread), np.min, 0.0)),
        entropy=_worst(entropies(spread), np.min, 0.0),
        closeness=_worst(column.away(spread), np.max, 0.0),
        distance=column.distance,
    )


def _worst(found: Floats, choose: Callable[[Floats], Any], empty: float) -> float:
    known = found[~np.isnan(found)]
    return float(choose(known)) if len(known) else empty


def _check(table: pa.Table, names: Sequence[str]) -> None:
    for name in names:
        if name not in table.column_names:
            raise InvalidInput(f"There is no column {shown(name)}.{nearest(name, table.column_names)}")
