"""Consent in a workspace: who a person is kept as, what a withdrawal concerns, and whether a snapshot honours it.

Answers: which snapshots hold rows that may no longer be held?
Does not answer: how they are rewritten; who calls `withdraw` hands that in or does it afterwards.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sealwright.data.consent import ConsentChange, ConsentLedger, Withdrawn, read_consents
from sealwright.data.requests import Suppressions
from sealwright.kernel import InvalidInput, check_name
from sealwright.pipeline.snapshots import SnapshotIndex
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import as_pseudonym, keyed_name, person_name_key, pseudonym_of, raw_pseudonym

__all__ = [
    "Holders",
    "WithdrawnConsent",
    "consents_of",
    "import_consents",
    "kept_snapshots",
    "name_in",
    "suppressions_of",
    "withdraw_consent",
]

Holders = Callable[[str, str], Sequence[str]]
"""(project, pseudonym) -> digests of the kept snapshots that hold rows of this person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawnConsent:
    """A withdrawal, and the snapshots that must be rewritten because of it."""

    withdrawn: Withdrawn
    snapshots: tuple[str, ...]
    certain: bool  # True: these hold rows of the person. False: these are all there are, and may hold some

    def to_json(self) -> dict[str, Any]:
        return {
            "subject": self.withdrawn.changes[0].subject,
            "purposes": [one.purpose for one in self.withdrawn.changes],
            "had_agreed_to": list(self.withdrawn.before),
            "at": self.withdrawn.changes[0].at,
            "snapshots": list(self.snapshots),
            "certain": self.certain,
        }


def consents_of(workspace: Workspace) -> ConsentLedger:
    return ConsentLedger(workspace.db, workspace.ledger, workspace.clock)


def suppressions_of(workspace: Workspace) -> Suppressions:
    return Suppressions(workspace.db, workspace.ledger, workspace.clock)


def name_in(workspace: Workspace, project: str, person: str) -> str:
    """The pseudonym of a person in a project; a pseudonym is taken as it is.

    Raises
    ------
    InvalidInput
        Nobody is named.
    """
    check_name(project, what="project")
    if not person.strip():
        raise InvalidInput("Name the person: their identifier as it stands in the data, or their pseudonym.")
    if _is_pseudonym(person):
        return person
    return pseudonym_of(workspace.keyring, project, person)


def import_consents(
    workspace: Workspace, path: Path, *, project: str, text: tuple[str, str] | None, channel: str, by: str
) -> tuple[int, int]:
    """Take over a CSV of consents, whole or not at all; returns how many rows it has and how many were new.

    Parameters
    ----------
    text : (version, digest), optional
        The words all of them were given to, where the file does not say.

    Raises
    ------
    InvalidInput, Conflict
        As `read_consents` and `ConsentLedger.take_over`.
    """
    key = person_name_key(workspace.keyring, check_name(project, what="project"))
    changes: list[ConsentChange] = read_consents(
        path,
        project=project,
        pseudonyms=lambda raw: _pseudonyms(key, raw),
        texts=dict([text]) if text else {},
        channel=channel,
    )
    return len(changes), consents_of(workspace).take_over(changes, by=by)


def withdraw_consent(
    workspace: Workspace,
    project: str,
    subject: str,
    purpose: str | None,
    *,
    channel: str,
    by: str,
    at: datetime | None = None,
    holders: Holders | None = None,
) -> WithdrawnConsent:
    """Record a withdrawal, and name the snapshots that hold the person's rows.

    Parameters
    ----------
    holders : callable, optional
        Finds the person's rows. Without it every kept snapshot of the project is named.
    """
    taken = consents_of(workspace).withdraw(project, subject, purpose, channel=channel, by=by, at=at)
    found = kept_snapshots(workspace, project) if holders is None else list(holders(project, subject))
    return WithdrawnConsent(withdrawn=taken, snapshots=tuple(found), certain=holders is not None)


def kept_snapshots(workspace: Workspace, project: str) -> list[str]:
    """Digests of the snapshots of a project whose files are still there, oldest first."""
    return [one.digest for one in SnapshotIndex(workspace.db).of_project(project)]


def _pseudonyms(key: bytes, raw: Sequence[str]) -> list[str]:
    return [given if _is_pseudonym(given) else as_pseudonym(keyed_name(key, given)) for given in raw]


def _is_pseudonym(text: str) -> bool:
    if not text.startswith("sub_"):
        return False
    try:
        raw_pseudonym(text)
    except InvalidInput:
        return False
    return True
