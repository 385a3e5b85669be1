"""A batch of a source against the contract: good rows typed, the others set aside with every reason.

Answers: which rows may enter the snapshot, and why not the rest?
Does not answer: whether too many are bad. That is `ingest` and the project's limit.
Good rows are never touched one by one; Python looks only at the bad ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from sealwright.data.cast import ARROW_TYPES, cast_column, plain_column
from sealwright.data.cells import Mask
from sealwright.data.errors import ContractMismatch
from sealwright.data.names import nearest, shown
from sealwright.data.quarantine import Problem, QuarantinedRow
from sealwright.data.rules_held import broken_rules
from sealwright.data.sources import SourceBatch
from sealwright.data.spec import DataSpec

__all__ = ["CheckedBatch", "check_batch", "check_columns", "snapshot_schema"]


@dataclass(frozen=True, slots=True)
class CheckedBatch:
    """A source batch divided in two; together they are all of its rows."""

    good: Any  # pa.RecordBatch of `snapshot_schema`
    set_aside: tuple[QuarantinedRow, ...]  # in source order


def snapshot_schema(spec: DataSpec) -> Any:
    """The Arrow schema of a snapshot: the kept columns in the order of the contract."""
    return pa.schema(
        [
            pa.field(name, ARROW_TYPES[spec.columns[name].type], nullable=spec.columns[name].nullable)
            for name in spec.kept
        ]
    )


def check_columns(names: Sequence[str], spec: DataSpec) -> None:
    """A source must have the columns of the contract, no fewer and no more, in any order.

    Raises
    ------
    ContractMismatch
        Names each column that is missing or not in the contract, and the nearest known name.
    """
    kept = set(spec.kept)
    faults = [f"{shown(name)} is missing.{nearest(name, names)}" for name in spec.kept if name not in names]
    faults += [
        f"{shown(name)} is not in the contract.{nearest(name, kept - set(names))}"
        for name in names
        if name not in spec.columns
    ]
    if faults:
        listed = "\n".join(f"  {fault}" for fault in faults[:20])
        raise ContractMismatch(
            f"The columns of the data and of the contract differ:\n{listed}\n"
            "Name every column under data.columns; one that is not wanted gets role: ignore."
        )


def check_batch(batch: SourceBatch, spec: DataSpec, *, decimal: str = ".") -> CheckedBatch:
    """Cast every kept column and divide the rows.

    Parameters
    ----------
    batch : SourceBatch
        With at least the kept columns, in any order.
    decimal : "." or ","
        Decimal mark of text cells.
    """
    bad: Mask = np.zeros(batch.rows.num_rows, dtype=np.bool_)
    arrays, found = [], []
    for name in spec.kept:
        cast = cast_column(batch.rows.column(name), spec.columns[name], decimal=decimal)
        arrays.append(cast.values)
        for reason, cells in cast.problems.items():
            bad |= cells
            found.append((Problem(name, reason), cells))
    schema = snapshot_schema(spec)
    typed = pa.RecordBatch.from_arrays(arrays, names=spec.kept)
    for rule, rows in broken_rules(typed, spec.rules):
        bad |= rows
        found.append((Problem(rule.name, "breaks_rule"), rows))
    if not found and not batch.rejected:
        return CheckedBatch(typed.cast(schema), ())
    good = typed.filter(pa.array(~bad)).cast(schema) if found else typed.cast(schema)
    aside = [*_bad_rows(batch, spec, bad, found), *_rejected_rows(batch)]
    return CheckedBatch(good, tuple(sorted(aside, key=lambda row: row.row)))


def _bad_rows(batch: SourceBatch, spec: DataSpec, bad: Mask, found: list[tuple[Problem, Mask]]) -> list[QuarantinedRow]:
    places = np.flatnonzero(bad)
    rows = batch.rows.select(list(spec.kept)).take(pa.array(places))
    columns = {name: _as_texts(rows.column(name)) for name in spec.kept}
    problems: dict[int, list[Problem]] = {int(place): [] for place in places}
    for problem, cells in found:
        for place in np.flatnonzero(cells):
            problems[int(place)].append(problem)
    return [
        QuarantinedRow(
            row=int(batch.numbers[place]),
            problems=tuple(problems[int(place)]),
            cells={name: texts[index] for name, texts in columns.items()},
        )
        for index, place in enumerate(places)
    ]


def _rejected_rows(batch: SourceBatch) -> list[QuarantinedRow]:
    return [
        QuarantinedRow(row=found.row, problems=(Problem(found.column, found.reason),), line=found.text)
        for found in batch.rejected
    ]


def _as_texts(values: Any) -> list[str | None]:
    """Cells as text a person can read and repair; a text cell exactly as it came."""
    return [
        None if cell is None else cell if isinstance(cell, str) else str(cell)
        for cell in plain_column(values).to_pylist()
    ]
