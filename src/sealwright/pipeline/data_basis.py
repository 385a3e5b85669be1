"""May this data be held, and may this model be made from it? Asked before every ingest and every training.

Answers: is every column covered by a lawful basis, and by a purpose that is the model's? Who signed, if it is another?
Does not answer: which rows; consent and suppressions decide that row by row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sealwright.charter import RiskClass
from sealwright.data.basis import (
    DATA_BASIS_TYPE,
    ColumnGroup,
    Compatibility,
    FiledBasis,
    Weighed,
    basis_predicate,
    basis_subjects,
    check_basis,
    check_purpose,
    column_groups,
    dataset_digest,
    gaps_of,
    make_compatibility,
    read_basis,
    uncovered_by,
    verify_compatibility,
)
from sealwright.evidence import COMPATIBILITY_TYPE, Filed, verify_any, view_of
from sealwright.kernel import InvalidInput, VerificationFailed, rfc3339
from sealwright.pipeline.desk import Desk, evidence_of
from sealwright.pipeline.project import Project
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import Unlock, open_person

__all__ = [
    "BasisView",
    "Cleared",
    "FiledCompatibility",
    "basis_of_snapshot",
    "basis_view",
    "file_compatibility",
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
class FiledCompatibility:
    """A compatibility record on file."""

    statement: str
    dataset: str
    purpose: str
    compatible: bool
    until: datetime
    by: str

    def to_json(self) -> dict[str, Any]:
        return {
            "statement": self.statement,
            "dataset": self.dataset,
            "purpose": self.purpose,
            "compatible": self.compatible,
            "until": rfc3339(self.until),
            "by": self.by,
        }


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
        found = _record_that_counts(desk, by)
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


def basis_view(desk: Desk) -> BasisView:
    """What the project file says, what is missing and which record counts, without stopping at it."""
    spec, charter = desk.project.spec.data, desk.project.spec.charter
    high = charter.risk_class is RiskClass.HIGH
    groups = column_groups(spec.basis, spec.columns)
    uncovered = uncovered_by(charter.purpose_id or "", groups, spec.columns, high_risk=high)
    record: Compatibility | str = ""
    if charter.purpose_id is not None and uncovered:
        record = _record_that_counts(desk, "")
    return BasisView(
        project=desk.project.name,
        dataset=spec.basis.dataset if spec.basis is not None else None,
        purpose=charter.purpose_id,
        groups=tuple(groups),
        gaps=tuple(gaps_of(spec.basis, spec.columns, high_risk=high)),
        uncovered=tuple(one.columns for one in uncovered),
        compatibility=record if isinstance(record, str) else record.statement,
    )


def file_compatibility(
    workspace: Workspace,
    project: Project,
    *,
    person: str,
    role: str,
    unlock: Unlock,
    purpose: str,
    weighed: Weighed,
    until: datetime,
) -> FiledCompatibility:
    """Sign and file that the project's data may serve the purpose of its charter, or may not.

    Raises
    ------
    InvalidInput
        The project states no basis, another purpose is meant than the charter's, or an answer is missing.
    Refused
        The person is not in standing, or not in the role.
    """
    desk = Desk(workspace, project)
    spec, charter = project.spec.data, project.spec.charter
    if spec.basis is None:
        raise InvalidInput("The project says nothing in data.basis yet: there are no purposes to compare with.")
    if purpose != charter.purpose_id:
        raise InvalidInput(
            f"The charter's purpose_id is {charter.purpose_id or 'not set'}; a record is signed for the purpose the model has.\n"
            f"Set charter.purpose_id: {purpose[:64]} in the project file, so that its words are signed with it."
        )
    signer = open_person(workspace.folder("people"), person, unlock)
    envelope = make_compatibility(
        signer,
        weighed,
        project=project.name,
        basis=spec.basis,
        columns=spec.columns,
        purpose=purpose,
        purpose_words=charter.purpose,
        role=role,
        until=until,
        now=workspace.clock(),
        enrolment=desk.evidence.people.enrolment(person),
    )
    desk.evidence.people.refuse_unless_in_standing(person, signer.person.public.key_id, role, {})
    filed = desk.evidence.file_statement(envelope, project=project.name, actor=person)
    return FiledCompatibility(
        statement=filed.digest,
        dataset=spec.basis.dataset,
        purpose=purpose,
        compatible=weighed.compatible,
        until=until,
        by=person,
    )


def _record_that_counts(desk: Desk, by: str) -> Compatibility | str:
    """The last record for exactly this data and purpose, if it counts; else why the last one that exists does not."""
    spec, charter = desk.project.spec.data, desk.project.spec.charter
    if spec.basis is None or charter.purpose_id is None:
        return ""
    about = dataset_digest(desk.project.name, spec.basis, spec.columns)
    now, why = desk.workspace.clock(), ""
    for record in reversed(_records(desk)):
        problem = record.problem_at(now, about=about, purpose=charter.purpose_id, purpose_words=charter.purpose)
        same = record.about == about and record.purpose == charter.purpose_id
        problem = problem or _problem_of_signer(desk, record, by)
        if not problem:
            return record
        if same:  # the last word on this data and purpose; an earlier one does not come back
            return f"A compatibility record is on file and does not count: {problem}."
        why = why or f"A compatibility record is on file and does not count: {problem}."
    return why


def _records(desk: Desk) -> list[Compatibility]:
    """The project's compatibility records in the order of the ledger, none left out behind our back."""
    workspace, project = desk.workspace, desk.project.name
    desk.evidence.statements.settle(workspace.ledger)
    places = view_of(workspace.ledger).of_kind(COMPATIBILITY_TYPE)
    known = {digest: place.index for digest, place in places.items() if place.project == project}
    files = {one.digest: one for one in desk.evidence.statements.of_project(project, COMPATIBILITY_TYPE)}
    if set(known) - set(files):
        raise VerificationFailed(
            "A compatibility record that the ledger knows is no longer on file.\nRestore the database from a backup.",
            link=min(set(known) - set(files)),
        )
    records = []
    for digest in sorted(known, key=lambda one: known[one]):
        record = verify_compatibility(files[digest].envelope, workspace.trust_root)
        if record.statement != digest:
            raise VerificationFailed("A compatibility record on file was exchanged for another.", link=digest)
        records.append(record)
    return records


def _problem_of_signer(desk: Desk, record: Compatibility, by: str) -> str:
    """Why the signer's word does not count today. That an enrolment ran out since does not undo what was signed."""
    if record.by == by:
        return f"{by} signed it and is the one who uses it; it takes somebody else"
    standing = desk.evidence.people.standing().get(record.by)
    if standing is None or standing.person.public.key_id != record.key_id:
        return f"{record.by} is not enrolled here with the key that signed it"
    return f"the enrolment of {record.by} was revoked: {standing.revoked}" if standing.revoked else ""


def _latest_of_snapshot(workspace: Workspace, project: str, snapshot: str) -> Filed | None:
    files = evidence_of(workspace).statements.about(snapshot, DATA_BASIS_TYPE)
    mine = [one for one in files if one.project == project]
    return mine[-1] if mine else None


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return {**one, "stated_at": ""} == {**other, "stated_at": ""}
