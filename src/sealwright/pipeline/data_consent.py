"""Consent and suppressions of a workspace, and the name a person is kept under in it.

Answers: where are they, and who is meant by this identifier?
Does not answer: what a withdrawal changes; `consent_withdrawal` rewrites what it concerns.
"""

from collections.abc import Sequence
from pathlib import Path

from sealwright.data.consent import ConsentChange, ConsentLedger, read_consents
from sealwright.data.requests import Suppressions
from sealwright.kernel import InvalidInput, check_name
from sealwright.pipeline.permission import allow
from sealwright.pipeline.version_facts import data_of_project
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import Principal, as_pseudonym, keyed_name, person_name_key, pseudonym_of, raw_pseudonym

__all__ = [
    "consents_for",
    "consents_of",
    "import_consents",
    "name_in",
    "suppressions_of",
]


def consents_of(workspace: Workspace) -> ConsentLedger:
    """The consents, for verbs that asked already."""
    return ConsentLedger(workspace.db, workspace.ledger, workspace.clock)


def consents_for(workspace: Workspace, by: Principal, project: str, *, look: bool = False) -> ConsentLedger:
    """The consents of a project, for somebody who may record them; with `look`, who may see them.

    Raises
    ------
    PermissionDenied
        Not in a role that may.
    """
    allow(workspace, by, "consent.view" if look else "consent.record", data_of_project(project))
    return consents_of(workspace)


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
    workspace: Workspace, path: Path, *, project: str, text: tuple[str, str] | None, channel: str, by: Principal
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
    allow(workspace, by, "consent.record", data_of_project(project))
    key = person_name_key(workspace.keyring, check_name(project, what="project"))
    changes: list[ConsentChange] = read_consents(
        path,
        project=project,
        pseudonyms=lambda raw: _pseudonyms(key, raw),
        texts=dict([text]) if text else {},
        channel=channel,
    )
    return len(changes), consents_of(workspace).take_over(changes, by=by.counts_as)


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
