"""Which groups get how many rows, in which classes.

Answers: rows of a group now, rows it should get, and how they are shared out over the outcomes?
Does not answer: how the rows are made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sealwright.data.augment.errors import TooFewToLearnFrom, words_of
from sealwright.data.augment.frame import Ints
from sealwright.data.augment.spec import AugmentGroup, AugmentSpec
from sealwright.data.diversity import DiversitySpec, Reference, rows_to_share
from sealwright.data.diversity.attributes import levels_in
from sealwright.data.diversity.contract import ContractLike
from sealwright.data.names import nearest, shown
from sealwright.kernel import InvalidInput

__all__ = ["Wanted", "by_class", "rows_in", "wanted_of"]

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One group with its rows: `real` there are, `rows` are asked for."""

    where: Mapping[str, str]
    real: int
    rows: int


def rows_in(
    table: pa.Table, where: Mapping[str, str], contract: ContractLike, diversity: DiversitySpec | None
) -> tuple[Bools, Bools]:
    """Which rows are of a group, and of which rows it can be told.

    Raises
    ------
    InvalidInput
        A column or level that is not there.
    """
    cuts = diversity.cut_points() if diversity is not None else {}
    inside, known = np.ones(table.num_rows, dtype=np.bool_), np.ones(table.num_rows, dtype=np.bool_)
    for name, level in where.items():
        if name not in table.column_names or contract.columns[name].role == "identifier":
            raise InvalidInput(
                f"data.augment names {shown(name)}, which the rows do not have as a column of groups."
                f"{nearest(name, table.column_names)}"
            )
        levels, codes = levels_in(table.column(name), name, cuts.get(name), contract.columns[name])
        if level not in levels:
            raise InvalidInput(
                f"data.augment names the group {shown(level)} of {shown(name)}.{nearest(level, levels)}\n"
                f"Its groups are: {', '.join(levels[:20])}."
            )
        inside &= codes == levels.index(level)
        known &= codes < len(levels)
    return inside, known


def wanted_of(
    group: AugmentGroup,
    table: pa.Table,
    already: pa.Table | None,
    contract: ContractLike,
    spec: AugmentSpec,
    diversity: DiversitySpec | None,
    reference: Reference | None,
) -> Wanted:
    """How many rows a group gets.

    Parameters
    ----------
    table : pa.Table
        Real training rows.
    already : pa.Table, optional
        Rows made for earlier groups; they count towards a share.

    Raises
    ------
    TooFewToLearnFrom
        The group has fewer than `fewest` real rows.
    InvalidInput
        No reference share, or more rows than `at_most` for each real one.
    """
    inside, known = rows_in(table, group.where, contract, diversity)
    real = int(inside.sum())
    if real < spec.fewest:
        raise TooFewToLearnFrom(group.where, spec.fewest)
    rows = group.rows
    if rows is None:
        more = [int(part.sum()) for part in rows_in(already, group.where, contract, diversity)] if already else [0, 0]
        share = _share(group, diversity, reference)
        rows = rows_to_share(real + more[0], int(known.sum()) + more[1], share)
        if rows is None:
            raise InvalidInput(f"No number of rows brings {words_of(group.where)} to a share of 1.")
    if rows > spec.at_most * real:
        raise InvalidInput(
            f"{rows:,} rows would be made up for {words_of(group.where)} from its {real:,} real ones; data.augment.at_most"
            f" allows {spec.at_most:g} for each.\nCollect rows of this group, or ask for fewer."
        )
    return Wanted(where=dict(group.where), real=real, rows=rows)


def _share(group: AugmentGroup, diversity: DiversitySpec | None, reference: Reference | None) -> Fraction:
    order = list(diversity.cut_points()) if diversity is not None else []
    names = tuple(sorted(group.where, key=lambda name: order.index(name) if name in order else -1))
    found = reference.shares.get(names, {}).get(tuple(group.where[name] for name in names)) if reference else None
    if found is None or diversity is None:
        raise InvalidInput(
            f"There is no reference share of {words_of(group.where)}, so {group.to!r} says no number of rows.\n"
            "Give it in data.diversity.reference, or give `rows`."
        )
    return found if group.to == "reference" else found * Fraction(str(diversity.under))


def by_class(rows: int, classes: Ints, fewest: int) -> dict[int, int] | None:
    """The rows shared out over the classes of the group as they are in it; None where a class has too few to learn from.

    Largest remainders, so that they add up.
    """
    codes, counts = np.unique(classes, return_counts=True)
    exact = rows * counts / counts.sum()
    parts = np.floor(exact).astype(np.int64)
    for place in np.argsort(-(exact - parts), kind="stable")[: rows - int(parts.sum())]:
        parts[place] += 1
    if (counts[parts > 0] < fewest).any():
        return None
    return {int(code): int(part) for code, part in zip(codes, parts, strict=True) if part}
