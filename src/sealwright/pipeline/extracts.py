"""Extracts that leave the workspace: on the record first, then a file.

Answers: which rows were given away, under which recipe, from which snapshot, by whom?
Does not answer: may the recipient have them? A person decides that, and an extract is still personal data.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sealwright.data.deidentify import DeidentifySpec, PseudonymVault, pseudonyms_of, table_bytes
from sealwright.data.deidentify.steps import Pseudonym
from sealwright.evidence import verify_any
from sealwright.kernel import Conflict, InvalidInput, digest_of, rfc3339, write_atomically
from sealwright.pipeline.deidentified import Extract
from sealwright.pipeline.desk import Desk, evidence_of
from sealwright.pipeline.permission import allow
from sealwright.pipeline.project import Project
from sealwright.pipeline.version_facts import data_of
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import Principal, pseudonym_of

__all__ = ["EXTRACT_TYPE", "GivenAway", "Written", "check_target", "given_away", "write_extract"]

EXTRACT_TYPE = "urn:sealwright:predicate:extract:v1"

_ENDINGS = (".csv", ".parquet")
_LONGEST_RECIPIENT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """An extract that left: the file, and the statement that says so."""

    path: Path
    digest: str
    statement: str
    extract: Extract

    def to_json(self) -> dict[str, Any]:
        return {
            "file": str(self.path),
            "digest": self.digest,
            "statement": self.statement,
            **self.extract.to_json(),
        }


def check_target(to: Path) -> Path:
    """A file an extract may be written to, refused before any work if it cannot be.

    Raises
    ------
    InvalidInput
        Another ending than .parquet or .csv.
    Conflict
        There is a file of that name.
    """
    if to.suffix not in _ENDINGS:
        raise InvalidInput(f"{to.name}: an extract is written as .parquet or .csv.")
    if to.exists():
        raise Conflict(f"{to} is there already. An extract is given away once; name a new file.")
    return to


def write_extract(
    workspace: Workspace, project: Project, extract: Extract, to: Path, *, by: Principal, recipient: str = ""
) -> Written:
    """Give an extract away: on the record first, then into a file only its owner can read.

    Parameters
    ----------
    to : Path
        Ends in .parquet or .csv, and is not there yet.
    recipient : str
        Who gets it, so that they can be told when a person is erased or corrected (GDPR, Article 19).

    Raises
    ------
    InvalidInput
        Another ending, or a recipe that sets no limit.
    Conflict
        There is a file of that name.
    LedgerUnavailable, OperationFailed
        It could not be put on the record, so no file was written.
    """
    allow(workspace, by, "data.extract", data_of(project))
    check_target(to)
    if len(recipient) > _LONGEST_RECIPIENT or not recipient.isprintable():
        raise InvalidInput(f"The recipient is a name of at most {_LONGEST_RECIPIENT} printable characters.")
    if not extract.bounded:
        raise InvalidInput(
            "The recipe sets no limit that could hold, so nothing leaves.\n"
            "Say what must hold under deidentify.enforce, with quasi_identifiers; or name a profile."
        )
    recipe = extract.released.report.recipe
    data = table_bytes(extract.table, to.suffix)
    digest = digest_of(data)
    desk = Desk(workspace, project)
    if recipe.reversible:
        _keep_ways_back(workspace, extract)
    predicate = {
        "file": {"digest": digest, "format": to.suffix[1:], "rows": extract.table.num_rows},
        "recipient": recipient,
        "subject": recipe.subject or project.spec.data.subject or "",
        "recipe": recipe.model_dump(mode="json", exclude_none=True),
        **extract.to_json(),
    }
    statement = desk.state(
        [("extract", digest), ("snapshot", extract.snapshot)], EXTRACT_TYPE, predicate, by=by.counts_as
    )
    write_atomically(to, data, mode=0o600)
    return Written(path=to, digest=digest, statement=statement, extract=extract)


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenAway:
    """One extract that left."""

    statement: str
    file: str  # digest of the bytes
    snapshot: str
    rows: int
    recipient: str
    at: str
    pseudonym: str | None  # of the person that was asked for; None: nobody was, or persons are not named in it


def given_away(workspace: Workspace, project: str, person: str | None = None) -> list[GivenAway]:
    """Every extract of a project that left, oldest first: whom to tell, and which rows are a person's.

    Parameters
    ----------
    person : str, optional
        Their identifier as it stands in the data. Whether they were in the snapshot, the snapshot says.

    Raises
    ------
    VerificationFailed
        A statement is not as it was signed.
    """
    found = []
    for filed in evidence_of(workspace).statements.of_project(project, EXTRACT_TYPE):
        said = verify_any(filed.envelope, workspace.trust_root).predicate
        found.append(
            GivenAway(
                statement=filed.digest,
                file=said["file"]["digest"],
                snapshot=said["snapshot"],
                rows=said["file"]["rows"],
                recipient=said["recipient"],
                at=rfc3339(filed.filed_at),
                pseudonym=None if person is None else _called(workspace, project, said, person),
            )
        )
    return found


def _called(workspace: Workspace, project: str, said: Mapping[str, Any], person: str) -> str | None:
    """What a person is called in an extract."""
    recipe = DeidentifySpec.model_validate(said["recipe"])
    step = recipe.columns.get(said["subject"], (None,))[0]
    if not isinstance(step, Pseudonym):
        return None
    key = workspace.keyring.key("pseudonyms", f"column/{project}/v1")
    domain = step.domain or said["subject"]
    return pseudonyms_of(key, domain, [person], prefix=step.prefix, length=step.length)[0]


def _keep_ways_back(workspace: Workspace, extract: Extract) -> None:
    """Keep the way back from every pseudonym in the extract, each with the person it is destroyed with."""
    released = extract.released
    whose: dict[str, str] = {}
    assert released.subjects is not None
    people = released.subjects.to_pylist()
    names = {
        person: pseudonym_of(workspace.keyring, extract.project, person) for person in set(people) if person is not None
    }
    ways: dict[str, str] = {}
    for column, found in released.ways_back.items():
        for pseudonym, person in zip(released.table[column].to_pylist(), people, strict=True):
            if pseudonym is not None and person is not None:
                whose.setdefault(pseudonym, names[person])
        ways |= {pseudonym: value for pseudonym, value in found.items() if pseudonym in whose}
    PseudonymVault(workspace.db, workspace.keyring, extract.project).keep(ways, whose)
