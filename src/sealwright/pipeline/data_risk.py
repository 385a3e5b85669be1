"""How likely is it that persons are found in a table: measured only, nothing is changed or written.

Answers: k, l, t and the risk of re-identification of a file, or of the newest snapshot of a project.
Does not answer: what an attacker really knows. Whoever names the quasi-identifiers says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sealwright.data import open_source
from sealwright.data.deidentify import Measured, Risk, measure, risk_of
from sealwright.kernel import InvalidInput
from sealwright.pipeline.deidentified import newest
from sealwright.pipeline.snapshots import opened
from sealwright.pipeline.workspace import Workspace

__all__ = ["Looked", "risk_of_file", "risk_of_project"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What was measured, and of what."""

    of: str  # name of a file, or digest of a snapshot
    measured: Measured
    risk: Risk

    def to_json(self) -> dict[str, Any]:
        return {"of": self.of, "measured": self.measured.to_json(), "risk": self.risk.to_json()}


def risk_of_file(
    path: Path, quasi: Sequence[str], sensitive: Sequence[str] = (), *, population: int | None = None
) -> Looked:
    """Measure a CSV, Parquet or Arrow file. Sensitive texts that are all numbers are compared as numbers.

    Raises
    ------
    SourceUnreadable, InvalidInput
        The file cannot be read, has no rows, or lacks a column.
    """
    source = open_source(str(path), Path())
    wanted = list(dict.fromkeys([*quasi, *sensitive]))
    here = [name for name in wanted if name in source.columns]
    batches = [batch.rows.select(here) for batch in source.batches(here)] if here else []
    if not batches and here:
        raise InvalidInput(f"{source.name} has no rows to measure.")
    table = pa.Table.from_batches(batches) if batches else pa.table({name: [] for name in source.columns})
    for name in set(sensitive) & set(here):
        table = table.set_column(table.column_names.index(name), name, _as_numbers(table[name]))
    return _look(source.name, table, quasi, sensitive, population)


def risk_of_project(
    workspace: Workspace,
    project: str,
    quasi: Sequence[str],
    sensitive: Sequence[str] = (),
    *,
    by: str,
    population: int | None = None,
) -> Looked:
    """Measure the newest snapshot of a project; the keys that are unwrapped for it are noted in the ledger.

    Raises
    ------
    NotFound
        Nothing was ingested yet.
    InvalidInput
        A column that is not there.
    """
    digest = newest(workspace, project)
    snapshot = opened(workspace, digest, project, by=by, purpose="re-identification risk")
    table = snapshot.read(list(dict.fromkeys([*quasi, *sensitive])))
    return _look(digest, table, quasi, sensitive, population)


def _look(of: str, table: pa.Table, quasi: Sequence[str], sensitive: Sequence[str], population: int | None) -> Looked:
    measured = measure(table, quasi, sensitive)
    return Looked(of=of, measured=measured, risk=risk_of(table, quasi, population=population))


def _as_numbers(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text in which every cell is a number or empty, as numbers; else as it is."""
    if not pa.types.is_string(values.type):
        return values
    cells = pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values)
    try:
        return pc.cast(cells, pa.float64())
    except pa.ArrowInvalid:
        return values
