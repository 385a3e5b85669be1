"""What happens to decision records by itself, hour after hour: finished hours are sealed, and those past their days end.

Answers: for how long did somebody who may dispose of data say records are kept, and what is due now?
Does not answer: when is the next look? A process of ours that runs anyway does this beside its work.

Whoever opens the workspace may seal. Nothing is disposed of on their word: hours end only by a signed statement of
somebody who may dispose of the project's data, which stands until the next one (`keep_decisions`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sealwright.evidence import StatementStore, verify_any
from sealwright.kernel import InvalidInput, SealwrightError, digest_of
from sealwright.pipeline.by_name import data_of_project
from sealwright.pipeline.decision_hours import Hour, hours_of
from sealwright.pipeline.decision_retention import HoursEnded, end_hours_before
from sealwright.pipeline.decision_sealing import channels_served, open_channel, seal_decisions
from sealwright.pipeline.desk import evidence_of
from sealwright.pipeline.permission import allow
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import Principal, ProjectResource, make_statement, sign_statement

__all__ = [
    "KEEPING_TYPE",
    "Tended",
    "keep_decisions",
    "kept_days",
    "served_projects",
    "tend_decisions",
    "waiting_since",
]

KEEPING_TYPE = "urn:sealwright:predicate:decision-keeping:v1"
_LONGEST = 36_500


@dataclass(frozen=True, slots=True, kw_only=True)
class Tended:
    """What one look at a project came to. `failed` says why not; what was done before that stays done."""

    project: str
    sealed: tuple[Hour, ...] = ()
    ended: tuple[Hour, ...] = ()
    failed: SealwrightError | OSError | None = None


def keep_decisions(workspace: Workspace, project: str, days: int, *, by: Principal) -> str:
    """Say for how many days decision records are kept from now on, older hours included; returns the statement's digest.

    Raises
    ------
    PermissionDenied
        They may not dispose of data there.
    InvalidInput
        Not a number of days from 1 to 36,500.
    """
    if not 1 <= days <= _LONGEST:
        raise InvalidInput(f"Decision records are kept for 1 to {_LONGEST:,} days; got {days}.")
    allow(workspace, by, "data.dispose", data_of_project(project))
    predicate: dict[str, Any] = {"format": 1, "project": project, "keep_days": days}
    statement = make_statement([("project", _subject(project))], KEEPING_TYPE, predicate)
    envelope = sign_statement(statement, workspace.keyring.signer("statements"))
    return evidence_of(workspace).file_statement(envelope, project=project, actor=by.counts_as).digest


def kept_days(workspace: Workspace, project: str) -> int | None:
    """The days that were said last; None where nobody has said.

    Raises
    ------
    VerificationFailed
        The statement on file is not the one that was signed.
    """
    filed = StatementStore(workspace.db).latest(project, KEEPING_TYPE)
    if filed is None:
        return None
    return int(verify_any(filed.envelope, workspace.trust_root).predicate["keep_days"])


def tend_decisions(workspace: Workspace, *, by: Principal) -> Iterator[Tended]:
    """Seal what is over and end what is past its days, project by project; one that fails keeps no other from it.

    The workspace's ledger is let go between one hour and the next, so that commands come in between.

    Raises
    ------
    PermissionDenied
        They may not run the servers of a project.
    """
    for project in served_projects(workspace):
        allow(workspace, by, "serve.start", ProjectResource(name=project))
        sealed: list[Hour] = []
        ended = HoursEnded(ended=(), held=())
        failed: SealwrightError | OSError | None = None
        try:
            while True:
                with workspace.beside() as own:
                    more = seal_decisions(own, project, by=by, most=1)
                sealed += more
                if not more:
                    break
            days = kept_days(workspace, project)
            if days is not None:
                with workspace.beside() as own:
                    ended = end_hours_before(own, project, days, actor="")
        except (SealwrightError, OSError) as error:
            failed = error
        yield Tended(project=project, sealed=tuple(sealed), ended=ended.ended, failed=failed)


def waiting_since(workspace: Workspace, project: str, channel: str) -> str:
    """The oldest hour that has been over for an hour and is not sealed, such as "2026-11-27T06"; "" where none is.

    Raises
    ------
    VerificationFailed
        The hours or the ledger are not what was signed.
    """
    hours, over = hours_of(workspace, project, channel), workspace.clock() - timedelta(hours=1)
    first = hours[-1].after if hours else 0
    with open_channel(workspace, project, channel) as opened:
        since = opened.entry(first).at[:13] if first < opened.size else ""
    return since if since < over.isoformat()[:13] else ""


def served_projects(workspace: Workspace) -> list[str]:
    """Projects that have a decision ledger."""
    folder = workspace.folder("serving")
    places = sorted(folder.iterdir()) if folder.is_dir() else []
    return [place.name for place in places if channels_served(workspace, place.name)]


def _subject(project: str) -> str:
    return digest_of(f"sealwright/decisions-of/{project}".encode())
