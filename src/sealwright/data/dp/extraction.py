"""From rows to the whole numbers a mechanism works on: each row on its own, each person with a bounded number of rows.

Answers: which rows count, and as which numbers?
Does not answer: what is published. Nothing here is noisy, so nothing here may leave the program.

Every step keeps the promise of the noise: taking one person away changes at most `rows` of what comes out. The choice
among a person's rows depends on that person alone (their identifier, a key, and the order of their own rows), so that
taking away somebody else never changes it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sealwright.data.dp.mixing import mix
from sealwright.data.dp.model import Plan
from sealwright.data.dp.planning import EMPTY, OUTSIDE

__all__ = ["Whole", "bounded_rows", "extract"]

Whole = NDArray[np.int64]
Named = Callable[[str], bytes]
"""From a text to its keyed name, 16 bytes."""


def extract(table: Any, plan: Plan, *, rows: int, subject: str | None, named: Named) -> Any:
    """What a mechanism works on.

    Parameters
    ----------
    table : pa.Table
        The columns of the query, and the subject.
    rows : int
        Most rows of one person; not used without a subject.
    named : callable
        Makes keyed names, for the choice among a person's rows.

    Returns
    -------
    int64 or float64 array, shape (n,)
        count: a zero per row. mean: twice the step of the grid, less all steps: centred between the bounds.
        histogram: the number of the cell. quantile: the clipped value. Rows without a value are left out, except
        where the histogram has a cell for them.
    """
    keep = np.ones(table.num_rows, dtype=np.bool_)
    if subject is not None:
        keep = bounded_rows(table.column(subject), rows, named)
    for name, wanted in plan.where:
        keep &= _mask(pc.equal(table.column(name), pa.scalar(wanted)))
    if plan.query.kind == "count":
        return np.zeros(int(keep.sum()), dtype=np.int64)
    column = table.column(plan.query.column).filter(pa.array(keep))
    return {"mean": _centred, "histogram": _cells, "quantile": _clipped}[plan.query.kind](column, plan)


def bounded_rows(persons: Any, most: int, named: Named) -> NDArray[np.bool_]:
    """Which rows stay, so that no person has more than `most`: bool array, shape (n,).

    Parameters
    ----------
    persons : pa.ChunkedArray
        The identifier of each row's person, none missing.
    """
    texts = persons if pa.types.is_string(persons.type) else pc.cast(persons, pa.string())
    whole = (texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts).dictionary_encode()
    who = whole.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    counts = np.bincount(who, minlength=len(whole.dictionary))
    keep = np.ones(len(who), dtype=np.bool_)
    if not len(who) or counts.max() <= most:
        return keep
    lot = np.zeros(len(counts), dtype=np.uint64)
    for place in np.flatnonzero(counts > most):
        lot[place] = int.from_bytes(named(whole.dictionary[int(place)].as_py())[:8], "big")
    by_person = np.argsort(who, kind="stable")
    nth = _places(who[by_person])  # the first, second, … row of its person
    ticket = mix(lot[who[by_person]] ^ mix(nth.astype(np.uint64)))
    drawn = np.lexsort((ticket, who[by_person]))
    keep[by_person[drawn]] = _places(who[by_person][drawn]) < most
    return keep


def _places(groups: Whole) -> Whole:
    """The place of each element within its group; equal elements stand side by side."""
    starts = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]])
    return np.arange(len(groups)) - np.repeat(starts, np.diff(np.r_[starts, len(groups)]))


def _mask(column: Any) -> NDArray[np.bool_]:
    return np.asarray(pc.fill_null(column, fill_value=False).to_numpy(), dtype=np.bool_)


def _numbers(column: Any) -> NDArray[np.float64]:
    """Cells as doubles, missing ones left out."""
    present = column.drop_null()
    if pa.types.is_date32(present.type):
        present = pc.cast(present, pa.int32())
    if pa.types.is_boolean(present.type):
        present = pc.cast(present, pa.int8())
    numbers = np.asarray(present.to_numpy(), dtype=np.float64)
    return numbers[np.isfinite(numbers)]


def _centred(column: Any, plan: Plan) -> Whole:
    values = np.clip(_numbers(column), plan.lower, plan.upper)
    step = np.rint((values - plan.lower) / (plan.upper - plan.lower) * plan.steps).astype(np.int64)
    return 2 * step - plan.steps


def _clipped(column: Any, plan: Plan) -> NDArray[np.float64]:
    return np.clip(_numbers(column), plan.lower, plan.upper)


def _cells(column: Any, plan: Plan) -> Whole:
    labels = {label: place for place, label in enumerate(plan.labels)}
    if plan.type == "category":
        cells = pc.index_in(column, value_set=pa.array(plan.labels[: len(plan.labels) - plan.nullable]))
        found = np.asarray(pc.fill_null(cells, -1).to_numpy(), dtype=np.int64)
        return np.where(found < 0, labels.get(EMPTY, -1), found) if plan.nullable else found[found >= 0]
    numbers = _numbers(column)
    if plan.type == "boolean":
        cells = numbers.astype(np.int64)
    else:
        cells = np.searchsorted(plan.edges, numbers, side="right").astype(np.int64) - 1
        cells[numbers == plan.edges[-1]] = len(plan.edges) - 2
        beyond = (numbers < plan.edges[0]) | (numbers > plan.edges[-1])
        cells = np.where(beyond, labels[OUTSIDE], cells) if OUTSIDE in labels else cells[~beyond]
    missing = np.full(column.null_count if plan.nullable else 0, labels.get(EMPTY, 0), dtype=np.int64)
    return np.concatenate([cells, missing])
