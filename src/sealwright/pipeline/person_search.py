"""Where is this person? In every snapshot, quarantine, change log and decision record of a project.

Answers: which rows and records are about them, and which models were made from those rows?
Does not answer: what to do about it. `person_copy` hands it over, `person_erasure` takes it out.

Rows are found by pseudonym, so nothing else is decrypted to look; the quarantine by the identifier as it came.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sealwright.data import QuarantinedRow, Snapshot, quarantine_of
from sealwright.kernel import InvalidInput
from sealwright.pipeline.data_consent import name_in
from sealwright.pipeline.decision_records import decision_records
from sealwright.pipeline.extracts import GivenAway, given_away
from sealwright.pipeline.snapshots import Known, SnapshotIndex, opened
from sealwright.pipeline.workspace import Workspace
from sealwright.registry import Version
from sealwright.trust import raw_pseudonym

__all__ = [
    "DecisionAbout",
    "FoundPerson",
    "InSnapshot",
    "find_person",
    "is_theirs",
    "made_from",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class InSnapshot:
    """How often a person is in one snapshot."""

    known: Known
    rows: int
    set_aside: int
    changes: int  # cells of theirs that cleaning changed, in its log

    @property
    def any(self) -> bool:
        return bool(self.rows or self.set_aside or self.changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionAbout:
    """One decision record about a person."""

    channel: str
    index: int  # in the decision ledger of the channel
    decision: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPerson:
    """Everything of a person in one project. The pseudonym is how ledger and tables name them."""

    project: str
    subject: str  # pseudonym
    snapshots: tuple[InSnapshot, ...]  # those that hold something of them
    decisions: tuple[DecisionAbout, ...]
    models: tuple[Version, ...]  # made from rows of theirs
    extracts: tuple[GivenAway, ...]  # that left, made from a snapshot they were in: whom to tell (GDPR Article 19)

    @property
    def any(self) -> bool:
        return bool(self.snapshots or self.decisions)

    def to_json(self) -> dict[str, Any]:
        return {
            "project": self.project,
            "subject": self.subject,
            "snapshots": [
                {
                    "snapshot": one.known.digest,
                    "kind": one.known.kind,
                    "rows": one.rows,
                    "set_aside": one.set_aside,
                    "changes": one.changes,
                }
                for one in self.snapshots
            ],
            "decisions": [{"channel": one.channel, "decision": one.decision, "at": one.at} for one in self.decisions],
            "models": [{"version": one.number, "package": one.package} for one in self.models],
            "extracts": [asdict(one) for one in self.extracts],
        }


def find_person(workspace: Workspace, project: str, person: str, *, by: str, purpose: str) -> FoundPerson:
    """Look a person up in everything the project keeps.

    Parameters
    ----------
    person : str
        Their identifier exactly as the subject column has it. A pseudonym finds all but the quarantine.
    by, purpose : str
        Who looks, and what for; every key that is unwrapped to look is noted with them.

    Raises
    ------
    InvalidInput
        The project's data names no persons: there is no snapshot with a subject column.
    """
    name = name_in(workspace, project, person)
    known = SnapshotIndex(workspace.db).of_project(project)
    found, named = [], False
    for one in known:
        snapshot = opened(workspace, one.digest, project, by=by, purpose=purpose)
        if snapshot.subject is not None:
            named = True
            found.append(_in_snapshot(workspace, one, snapshot, name, person))
    if known and not named:
        raise InvalidInput(
            f"The data of {project} does not say which column names the person.\n"
            "Set data.subject in the project file to the identifier of the person, and take the data in again."
        )
    inside = tuple(one for one in found if one.any)
    return FoundPerson(
        project=project,
        subject=name,
        snapshots=inside,
        decisions=tuple(_decisions(workspace, project, name)),
        models=tuple(made_from(workspace, project, [one.known.digest for one in inside if one.rows])),
        extracts=tuple(_extracts(workspace, project, person, {one.known.digest for one in inside if one.rows})),
    )


def is_theirs(row: QuarantinedRow, column: str, person: str) -> bool:
    """Whether a row that was set aside is about a person: by its cell, or anywhere in a line that is no row."""
    if row.cells is not None:
        return (row.cells.get(column) or "").strip() == person
    return person in (row.line or "")


def made_from(workspace: Workspace, project: str, snapshots: Collection[str]) -> Iterator[Version]:
    """The registered versions that were trained on one of these snapshots, or on one that was since replaced by it."""
    index = {one.digest: one for one in SnapshotIndex(workspace.db).of_project(project, kept=False)}
    wanted = set(snapshots)
    earlier = {one.digest for one in index.values() if _last_successor(one, index) in wanted}
    for version in workspace.registry.versions(project):
        if _trained_on(workspace, version, index) & (wanted | earlier):
            yield version


def _in_snapshot(workspace: Workspace, known: Known, snapshot: Snapshot, name: str, person: str) -> InSnapshot:
    raw, column = raw_pseudonym(name), snapshot.subject or ""
    return InSnapshot(
        known=known,
        rows=sum(int(snapshot.persons_in(entry, [raw]).sum()) for entry in snapshot.signed.of_kind("rows")),
        set_aside=sum(is_theirs(row, column, person) for row in quarantine_of(snapshot, workspace.keyring))
        if person != name
        else 0,
        changes=sum(table.column("subject").to_pylist().count(raw) for table in snapshot.change_log()),
    )


def _decisions(workspace: Workspace, project: str, name: str) -> Iterator[DecisionAbout]:
    for channel, entry, record in decision_records(workspace, project):
        if record.person == name:
            yield DecisionAbout(channel=channel, index=entry.index, decision=record.decision, at=entry.at)


def _extracts(workspace: Workspace, project: str, person: str, inside: Collection[str]) -> Iterator[GivenAway]:
    """Extracts of snapshots that hold the person, or of earlier ones that were replaced by these."""
    index = {one.digest: one for one in SnapshotIndex(workspace.db).of_project(project, kept=False)}
    for given in given_away(workspace, project, person):
        known = index.get(given.snapshot)
        if known is None or _last_successor(known, index) in inside:
            yield given


def _last_successor(one: Known, index: Mapping[str, Known]) -> str:
    while one.successor is not None and one.successor in index:
        one = index[one.successor]
    return one.digest


def _trained_on(workspace: Workspace, version: Version, index: Mapping[str, Known]) -> set[str]:
    """The snapshot that a version's package names in its signed statement, and those that one was made from."""
    statement = workspace.registry.package(version.package).statements.get("snapshot")
    digest = statement.subject_digests[0] if statement is not None else ""
    found = {digest}
    while (known := index.get(digest)) is not None and known.parent is not None and known.parent not in found:
        digest = known.parent
        found.add(digest)
    return found
