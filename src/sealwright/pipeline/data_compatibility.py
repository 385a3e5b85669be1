"""Records that data may serve another purpose: signed by an officer, and looked for before every use.

Answers: has somebody who may do so weighed exactly this data and this purpose, and does it count today?
Does not answer: is a record needed. `data_basis` asks for one where a purpose is not covered.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sealwright.data.basis import Compatibility, Weighed, dataset_digest, make_compatibility, verify_compatibility
from sealwright.evidence import COMPATIBILITY_TYPE, view_of
from sealwright.kernel import InvalidInput, VerificationFailed, rfc3339
from sealwright.pipeline.desk import Desk
from sealwright.pipeline.permission import allow, proven_by_key
from sealwright.pipeline.project import Project
from sealwright.pipeline.version_facts import data_of
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import Unlock, open_person

__all__ = ["FiledCompatibility", "file_compatibility", "record_that_counts"]


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
    allow(workspace, proven_by_key(workspace, signer), "data.state_basis", data_of(project), role=role)
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
    desk.evidence.people.refuse_unless_in_standing(person, signer.person.public.key_id, role, {}, project=project.name)
    filed = desk.evidence.file_statement(envelope, project=project.name, actor=person)
    return FiledCompatibility(
        statement=filed.digest,
        dataset=spec.basis.dataset,
        purpose=purpose,
        compatible=weighed.compatible,
        until=until,
        by=person,
    )


def record_that_counts(desk: Desk, by: str) -> Compatibility | str:
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
    desk.evidence.settle()
    places = view_of(desk.ledger).of_kind(COMPATIBILITY_TYPE)
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
