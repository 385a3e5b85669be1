"""May this data be held, and may this model be made from it? Asked before every ingest and every training.

Answers: is every column covered by a lawful basis, and by a purpose that is the model's? Who signed, if it is another?
Does not answer: which rows; consent and suppressions decide that row by row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sealwright.charter import RiskClass
from sealwright.data.basis import (
    DATA_BASIS_TYPE,
    ColumnGroup,
    Compatibility,
    FiledBasis,
    basis_predicate,
    basis_subjects,
    check_basis,
    check_purpose,
    column_groups,
    gaps_of,
    read_basis,
    uncovered_by,
)
from sealwright.evidence import Filed, verify_any
from sealwright.pipeline.data_compatibility import record_that_counts
from sealwright.pipeline.desk import Desk, evidence_of
from sealwright.pipeline.permission import allow
from sealwright.pipeline.snapshots import Known
from sealwright.pipeline.version_facts import project_facts
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import Principal

__all__ = [
    "BasisView",
    "Cleared",
    "basis_of_line",
    "basis_of_snapshot",
    "basis_view",
    "line_of",
    "require_basis",
    "state_basis",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """The data may be held and used. `consent_for`: the purpose each row's person must have agreed to, or None."""

    groups: tuple[ColumnGroup, ...]
    compatibility: str | None  # digest of the record that was needed
    consent_for: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BasisView:
    """What a project says about its data today, and what is missing. For showing; `require_basis` decides."""

    project: str
    dataset: str | None
    purpose: str | None
    groups: tuple[ColumnGroup, ...]
    gaps: tuple[tuple[tuple[str, ...], str], ...]
    uncovered: tuple[tuple[str, ...], ...]
    compatibility: str  # digest of the record that counts; else why none does, or empty

    @property
    def holds(self) -> bool:
        return not self.gaps and (not self.uncovered or self.compatibility.startswith("sha256:"))

    def to_json(self) -> dict[str, Any]:
        return {
            "project": self.project,
            "dataset": self.dataset,
            "purpose": self.purpose,
            "groups": [
                {
                    "columns": list(one.columns),
                    "classes": list(one.classes),
                    "lawful_basis": one.ground.lawful_basis,
                    "article_9": one.ground.article_9,
                    "purposes": list(one.ground.purposes or ()),
                    "keep": one.ground.retention.keep if one.ground.retention else None,
                }
                for one in self.groups
            ],
            "missing": [{"columns": list(columns), "what": what} for columns, what in self.gaps],
            "uncovered": [list(columns) for columns in self.uncovered],
            "compatibility": self.compatibility,
        }


def require_basis(desk: Desk, *, by: str = "") -> Cleared:
    """Return if the project's data may be held, and used for what its model is for.

    A high-risk project must state a basis; another one that states none is let through, and what is missing is shown.

    Parameters
    ----------
    by : str
        Who is about to ingest or train: their own signature under a compatibility record does not count.

    Raises
    ------
    InvalidInput
        `data.basis` speaks of columns the contract does not have.
    BasisMissing
        Columns that need a basis have none, or an incomplete one; every group of them is named.
    PurposeNotCovered
        The model is for something the data was not collected for, and no valid record allows it.
    VerificationFailed
        A compatibility record that the ledger knows is gone, or was changed.
    """
    spec, charter = desk.project.spec.data, desk.project.spec.charter
    high = charter.risk_class is RiskClass.HIGH
    if spec.basis is None and not high:  # a first look at a table is not stopped; the data page says what is missing
        return Cleared(groups=tuple(column_groups(None, spec.columns)), compatibility=None, consent_for=None)
    check_basis(desk.project.name, spec.basis, spec.columns, high_risk=high)
    groups = column_groups(spec.basis, spec.columns)
    found: Compatibility | str = ""
    if charter.purpose_id is not None and uncovered_by(charter.purpose_id, groups, spec.columns, high_risk=high):
        found = record_that_counts(desk, by)
    check_purpose(
        desk.project.name,
        charter.purpose_id,
        groups,
        spec.columns,
        high_risk=high,
        compatible=isinstance(found, Compatibility),
        why_not=found if isinstance(found, str) else "",
    )
    on_consent = any(one.ground.lawful_basis == "consent" for one in groups)
    return Cleared(
        groups=tuple(groups),
        compatibility=found.statement if isinstance(found, Compatibility) else None,
        consent_for=charter.purpose_id if on_consent else None,
    )


def state_basis(desk: Desk, snapshot: str, *, by: str) -> str:
    """File what the project says about the data of a snapshot, unless the same stands already; returns its digest.

    To be called when a snapshot was ingested: records of processing and retention are read from these statements.
    """
    spec, charter = desk.project.spec.data, desk.project.spec.charter
    predicate = basis_predicate(
        spec.basis,
        project=desk.project.name,
        snapshot=snapshot,
        columns=spec.columns,
        purpose=charter.purpose_id,
        purpose_words=charter.purpose,
        now=desk.workspace.clock(),
    )
    latest = _latest_of_snapshot(desk.workspace, desk.project.name, snapshot)
    if latest is not None and _same(verify_any(latest.envelope, desk.workspace.trust_root).predicate, predicate):
        return latest.digest
    return desk.state(basis_subjects(predicate), DATA_BASIS_TYPE, predicate, by=by)


def basis_of_snapshot(workspace: Workspace, project: str, snapshot: str) -> FiledBasis | None:
    """The last basis statement a project filed about a snapshot; None where there is none.

    Raises
    ------
    VerificationFailed
        It was changed.
    """
    latest = _latest_of_snapshot(workspace, project, snapshot)
    if latest is None:
        return None
    statement = verify_any(latest.envelope, workspace.trust_root)
    return read_basis(statement.predicate, statement.subject_digests)


def line_of(known: Known, index: Mapping[str, Known]) -> list[Known]:
    """A snapshot and what it was made from, back to the ingest."""
    line = [known]
    while (parent := index.get(line[-1].parent or "")) is not None and parent not in line:
        line.append(parent)
    return line


def basis_of_line(workspace: Workspace, line: Sequence[Known]) -> FiledBasis | None:
    """The basis of a snapshot: what was stated about it, else about what it was made from."""
    stated = (basis_of_snapshot(workspace, one.project, one.digest) for one in line)
    return next((basis for basis in stated if basis is not None), None)


def basis_view(desk: Desk, *, by: Principal) -> BasisView:
    """What the project file says, what is missing and which record counts, without stopping at it.

    Raises
    ------
    PermissionDenied
        They may not see the project.
    """
    allow(desk.workspace, by, "project.view", project_facts(desk.project))
    spec, charter = desk.project.spec.data, desk.project.spec.charter
    high = charter.risk_class is RiskClass.HIGH
    groups = column_groups(spec.basis, spec.columns)
    uncovered = uncovered_by(charter.purpose_id or "", groups, spec.columns, high_risk=high)
    record: Compatibility | str = ""
    if charter.purpose_id is not None and uncovered:
        record = record_that_counts(desk, "")
    return BasisView(
        project=desk.project.name,
        dataset=spec.basis.dataset if spec.basis is not None else None,
        purpose=charter.purpose_id,
        groups=tuple(groups),
        gaps=tuple(gaps_of(spec.basis, spec.columns, high_risk=high)),
        uncovered=tuple(one.columns for one in uncovered),
        compatibility=record if isinstance(record, str) else record.statement,
    )


def _latest_of_snapshot(workspace: Workspace, project: str, snapshot: str) -> Filed | None:
    files = evidence_of(workspace, look=True).statements.about(snapshot, DATA_BASIS_TYPE)
    mine = [one for one in files if one.project == project]
    return mine[-1] if mine else None


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return {**one, "stated_at": ""} == {**other, "stated_at": ""}
