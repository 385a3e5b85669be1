"""Consent and suppressions of a workspace, and the name a person is kept under in it.

Answers: where are they, and who is meant by this identifier?
Does not answer: what a withdrawal changes; `consent_withdrawal` rewrites what it concerns.
"""

from collections.abc import Sequence
from pathlib import Path

from sealwright.data.consent import ConsentChange, ConsentLedger, read_consents
from sealwright.data.requests import Suppressions
from sealwright.kernel import InvalidInput, VerificationFailed, check_name
from sealwright.pipeline.by_name import data_of_project
from sealwright.pipeline.permission import allow
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import (
    LedgerResource,
    Principal,
    as_pseudonym,
    keyed_name,
    person_name_key,
    pseudonym_of,
    raw_pseudonym,
)

__all__ = [
    "compare_persons",
    "consent_history",
    "consents_for",
    "consents_of",
    "import_consents",
    "name_in",
    "suppressions_of",
]


def consents_of(workspace: Workspace, *, look: bool = False) -> ConsentLedger:
    """The consents, for verbs that asked already; with `look`, nothing can be changed and nobody is held up."""
    ledger = workspace.ledger_to_read() if look else workspace.ledger
    return ConsentLedger(workspace.db, ledger, workspace.clock)


def consents_for(workspace: Workspace, by: Principal, project: str) -> ConsentLedger:
    """The consents of a project, for somebody who may record them.

    Raises
    ------
    PermissionDenied
        Not in a role that may.
    """
    allow(workspace, by, "consent.record", data_of_project(project))
    return consents_of(workspace)


def consent_history(workspace: Workspace, project: str, subject: str, *, by: Principal) -> list[ConsentChange]:
    """What a person agreed to and took back in a project, oldest first.

    Parameters
    ----------
    subject : str
        Their pseudonym: `name_in`.

    Raises
    ------
    PermissionDenied
        Not in a role that may.
    """
    allow(workspace, by, "consent.view", data_of_project(project))
    return consents_of(workspace, look=True).history(project, subject)


def compare_persons(workspace: Workspace, *, by: Principal) -> dict[str, int]:
    """Compare the tables of consents and suppressions with the ledger; returns how many changes of each agree.

    Raises
    ------
    PermissionDenied
        They may not read the ledger.
    VerificationFailed
        A row was taken out, added or edited behind our back.
    """
    allow(workspace, by, "ledger.read", LedgerResource())
    try:
        return _compared(workspace, look=True)
    except VerificationFailed:  # or somebody wrote one of the two at this moment; held, nobody does
        return _compared(workspace, look=False)


def _compared(workspace: Workspace, *, look: bool) -> dict[str, int]:
    consents = consents_of(workspace, look=look).compare()
    return {"consents": consents, "suppressions": suppressions_of(workspace, look=look).compare()}


def suppressions_of(workspace: Workspace, *, look: bool = False) -> Suppressions:
    """Who is left out, for verbs that asked already; with `look`, nothing can be changed and nobody is held up."""
    ledger = workspace.ledger_to_read() if look else workspace.ledger
    return Suppressions(workspace.db, ledger, workspace.clock)


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
