"""De-identified rows of the newest snapshot, and the way back from a pseudonym.

Answers: what does a recipe make of these rows, and who asked for the value behind a pseudonym, and why?
Does not answer: how rows are changed and judged; that is `data.deidentify`. How they leave: `extracts`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sealwright.data.deidentify import DeidentifySpec, Keys, PseudonymVault, Released, release
from sealwright.data.personal import mask_text, scan
from sealwright.kernel import InvalidInput, NotFound, Progress, VerificationFailed, check_name, silent
from sealwright.pipeline.by_name import data_of_project
from sealwright.pipeline.data_basis import require_basis
from sealwright.pipeline.desk import Desk
from sealwright.pipeline.permission import allow
from sealwright.pipeline.project import Project
from sealwright.pipeline.snapshots import SnapshotIndex
from sealwright.pipeline.take_in import snapshot_of
from sealwright.pipeline.version_facts import data_of
from sealwright.pipeline.withholding import withholding
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import Principal, keyed_name

__all__ = ["REIDENTIFIED", "Extract", "deidentify", "newest", "reidentify"]

REIDENTIFIED = "data.reidentified"

_REFUSED = "data.reidentification_refused"
_LEAST_REASON, _MOST_REASON = 8, 500
_TELLING = 4  # characters: a shorter value stands in many a sentence by chance
_PSEUDONYM = re.compile(r"[A-Za-z0-9_-]{0,20}[0-9a-f]{16,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """Rows that keep to a recipe, not given away yet."""

    project: str
    snapshot: str  # digest of the snapshot they were made from
    released: Released

    @property
    def table(self) -> Any:
        """The rows, a pa.Table."""
        return self.released.table

    @property
    def bounded(self) -> bool:
        """Whether the recipe names limits that hold: only then may it leave."""
        recipe = self.released.report.recipe
        return recipe.enforce is not None or recipe.profile is not None

    def to_json(self) -> dict[str, Any]:
        columns = {name: column.plain() for name, column in self.released.columns.items()}
        return {
            "project": self.project,
            "snapshot": self.snapshot,
            "contract": columns,
            "report": self.released.report.to_json(),
        }


def deidentify(
    workspace: Workspace,
    project: Project,
    *,
    by: Principal,
    recipe: DeidentifySpec | None = None,
    progress: Progress = silent,
) -> Extract:
    """Apply a recipe to the newest snapshot of a project. Nothing is written; persons who said no are left out.

    Parameters
    ----------
    recipe : DeidentifySpec, optional
        Instead of the one in the project file.

    Raises
    ------
    InvalidInput
        No recipe, or one that does not fit the columns.
    NotFound
        Nothing was ingested yet.
    StoppedByPolicy
        The limits of the recipe cannot be reached, or the data may not be held.
    """
    allow(workspace, by, "data.examine", data_of(project))
    wanted = project.spec.deidentify if recipe is None else recipe
    if wanted is None:
        raise InvalidInput(
            f"{project.name} does not say how its data is de-identified.\n"
            "Write a deidentify: block into its project file, or name a file that has one with --recipe."
        )
    subject = wanted.subject or project.spec.data.subject
    if wanted.reversible and subject is None:
        raise InvalidInput(
            "reversible: true keeps the way back for each person, so that it can be destroyed with them.\n"
            "Name the column that tells whom a row is about: deidentify.subject, or data.subject."
        )
    desk = Desk(workspace, project)
    progress("opening the newest snapshot", 0.0)
    digest = newest(workspace, project.name)
    out = withholding(desk, require_basis(desk, by=by.counts_as))
    snapshot = snapshot_of(desk, digest, by=by.counts_as, purpose="de-identification", leave_out=out.since())
    key = workspace.keyring.key
    table = snapshot.read()
    released = release(
        table,
        snapshot.signed.kept,
        wanted,
        Keys(
            pseudonyms=key("pseudonyms", f"column/{project.name}/v1"),
            shifts=key("pseudonyms", f"shift/{project.name}/v1"),
        ),
        today=workspace.clock().date(),
        subject=subject,
        mask_text=lambda text: mask_text(text)[0],
        found=_found(table, wanted),
        progress=progress,
    )
    return Extract(project=project.name, snapshot=digest, released=released)


def newest(workspace: Workspace, project: str) -> str:
    """Digest of the newest snapshot of a project that is not itself an extract.

    Raises
    ------
    NotFound
        There is none.
    """
    kept = [one for one in SnapshotIndex(workspace.db).of_project(project) if one.kind != "extract"]
    if not kept:
        raise NotFound(f"Nothing was ingested yet for {project}.\nBegin with: sealwright ingest DIR")
    return kept[-1].digest


def reidentify(workspace: Workspace, project: str, pseudonym: str, *, reason: str, by: Principal) -> str:
    """The value behind a pseudonym. The ledger has who asked and why before the value is returned.

    Parameters
    ----------
    project : str
        Its name; a pseudonym of another project is not found.
    reason : str
        8 to 500 characters. It is kept for ever and read by auditors; no personal data in it.

    Raises
    ------
    InvalidInput
        No reason, one that holds the value itself, or nothing that looks like a pseudonym.
    NotFound
        No way back is kept for it here.
    VerificationFailed
        What is kept does not open under this workspace's key.
    LedgerUnavailable, LedgerInUse, Refused
        It could not be put on the record, so nothing is told.
    """
    check_name(project, what="project")
    allow(workspace, by, "data.reidentify", data_of_project(project))
    actor = by.counts_as
    reason = " ".join(reason.split())
    if not _LEAST_REASON <= len(reason) <= _MOST_REASON:
        raise InvalidInput(
            f"Say why, in {_LEAST_REASON} to {_MOST_REASON} characters: who re-identifies somebody answers for it."
        )
    if not _PSEUDONYM.fullmatch(pseudonym):
        raise InvalidInput("This is no pseudonym: one ends in 16 to 64 hex digits. Copy it from the extract.")
    try:
        value = PseudonymVault(workspace.db, workspace.keyring, project).original(pseudonym)
    except (NotFound, VerificationFailed) as error:
        _note_refused(workspace, project, pseudonym, error.code, actor)
        raise
    if len(value) >= _TELLING and value.casefold() in reason.casefold():
        _note_refused(workspace, project, pseudonym, "reason.holds_value", actor)
        raise InvalidInput("The reason must not hold personal data: the ledger keeps it for ever. Word it without.")
    workspace.ledger.append(REIDENTIFIED, pseudonym, {"project": project}, actor=actor, words=reason)
    return value


def _note_refused(workspace: Workspace, project: str, pseudonym: str, why: str, actor: str) -> None:
    """An attempt that failed is on the record, too; under a keyed name, since what was typed may be anything."""
    key = workspace.keyring.key("pseudonyms", f"asked/{project}/v1")
    workspace.ledger.append(
        _REFUSED, f"asked_{keyed_name(key, pseudonym).hex()}", {"project": project, "why": why}, actor=actor
    )


_AS_IDENTIFIER: Mapping[str, str] = {
    "person_name": "name",
    "email": "email",
    "phone": "phone",
    "address": "place",
    "birth_date": "birth_date",
    "national_id": "ssn",
    "card": "account",
    "iban": "account",
    "ip_address": "ip",
    "mac_address": "device",
    "url_credentials": "url",
    "coordinates": "place",
    "vehicle": "vehicle",
}
"""From what the scanner finds in cells to the identifiers of 45 CFR 164.514(b)(2)."""


def _found(table: Any, recipe: DeidentifySpec) -> dict[str, str]:
    """What the scanner is sure to have seen in the cells of each column; looked for only where the Safe Harbor is asked."""
    if recipe.profile is None:
        return {}
    found: dict[str, str] = {}
    for column in scan(table).columns:
        for one in column.findings:
            if one.cells and one.counts and one.kind in _AS_IDENTIFIER:
                found.setdefault(column.name, _AS_IDENTIFIER[one.kind])
    return found
