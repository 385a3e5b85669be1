"""How likely is it that persons are found in a table: measured only, nothing is changed or written.

Answers: k, l, t and the risk of re-identification of a file, or of the newest snapshot of a project.
Does not answer: what an attacker really knows. Whoever names the quasi-identifiers says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sealwright.data.deidentify import Measured, Risk, measure, risk_of, table_of_file
from sealwright.pipeline.by_name import data_of_project
from sealwright.pipeline.deidentified import newest
from sealwright.pipeline.permission import allow
from sealwright.pipeline.snapshots import opened
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import Principal

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
    name, table = table_of_file(path, quasi, sensitive)
    return _look(name, table, quasi, sensitive, population)


def risk_of_project(
    workspace: Workspace,
    project: str,
    quasi: Sequence[str],
    sensitive: Sequence[str] = (),
    *,
    by: Principal,
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
    allow(workspace, by, "data.examine", data_of_project(project))
    digest = newest(workspace, project)
    snapshot = opened(workspace, digest, project, by=by.counts_as, purpose="re-identification risk")
    table = snapshot.read(list(dict.fromkeys([*quasi, *sensitive])))
    return _look(digest, table, quasi, sensitive, population)


def _look(of: str, table: Any, quasi: Sequence[str], sensitive: Sequence[str], population: int | None) -> Looked:
    measured = measure(table, quasi, sensitive)
    return Looked(of=of, measured=measured, risk=risk_of(table, quasi, population=population))
