"""Take a person out: destroy their key, then rewrite what is retained, then say what was done and what is left to decide.

Answers: how is one person erased from everything a project keeps, so that no file holds them any more?
Does not answer: must they be? Who takes the request weighs that; a legal hold is refused here.

The order matters. First the ledger knows, then nobody new comes in, then the key is gone: from there on nothing of
the person can be read, within seconds. Rewriting files follows; if it is cut off, the same command goes on with it.
The manifest of a rewritten snapshot says how many rows were taken out and why, never whose.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.data import QuarantinedRow, Snapshot, Step
from sealwright.data.deidentify import PseudonymVault
from sealwright.kernel import Progress, digest_of, rfc3339, silent
from sealwright.pipeline.data_consent import suppressions_of
from sealwright.pipeline.data_retention import remove_left_behind
from sealwright.pipeline.decision_erasure import erase_decisions, finish_erasure
from sealwright.pipeline.decision_records import shadows_of
from sealwright.pipeline.decision_sealing import settle_channels
from sealwright.pipeline.desk import evidence_of
from sealwright.pipeline.person_search import FoundPerson, InSnapshot, find_person, is_theirs
from sealwright.pipeline.rewriting import finish_replacing, point_runs, refuse_held, replace_snapshot
from sealwright.pipeline.snapshots import subject_keys_of
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import make_statement, raw_pseudonym, sign_statement

__all__ = ["ERASURE_TYPE", "Erased", "Rewritten", "erase_person", "find_to_erase", "take_out"]

ERASURE_TYPE = "urn:sealwright:predicate:erasure:v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """One snapshot without the person. `after` is None where nobody else was in it."""

    before: str
    after: str | None
    rows: int
    set_aside: int

    def to_json(self) -> dict[str, Any]:
        return {"before": self.before, "after": self.after, "rows": self.rows, "set_aside": self.set_aside}


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What was done. `found` is what there was."""

    found: FoundPerson
    key_destroyed: bool  # False: it was gone already, or the person never had one
    rewritten: tuple[Rewritten, ...]
    decisions: int
    statement: str  # digest of the signed statement

    def to_json(self) -> dict[str, Any]:
        return {
            "project": self.found.project,
            "subject": self.found.subject,
            "key_destroyed": self.key_destroyed,
            "rewritten": [one.to_json() for one in self.rewritten],
            "decisions": self.decisions,
            "models": [{"version": one.number, "package": one.package} for one in self.found.models],
            "tell": sorted({one.recipient for one in self.found.extracts}),
            "statement": self.statement,
        }


def find_to_erase(workspace: Workspace, project: str, person: str, *, by: str) -> FoundPerson:
    """As `find_person`, once what a kill left undone in the project is done. Nothing of the person changes."""
    settle_channels(workspace, project)
    finish_replacing(workspace, project, by=by)
    return find_person(workspace, project, person, by=by, purpose="erasure")


def erase_person(
    workspace: Workspace,
    project: str,
    person: str,
    *,
    by: str,
    request: str = "",
    found: FoundPerson | None = None,
    progress: Progress = silent,
) -> Erased:
    """Erase a person from everything a project keeps. Doing it twice finishes what was left over.

    Parameters
    ----------
    person : str
        Their identifier exactly as the subject column has it; with a pseudonym the quarantine cannot be searched.
    request : str
        Id of the request it answers.
    found : FoundPerson, optional
        What `find_to_erase` gave a moment ago; left out: it is asked now.

    Raises
    ------
    Refused
        A legal hold stands.
    InvalidInput
        The project's data names no persons.
    OperationFailed
        The disk or the database failed. The key is gone by then or nothing happened; try again.
    """
    progress("looking the person up", 0.0)
    found = found or find_to_erase(workspace, project, person, by=by)
    snapshots = [one.known.digest for one in found.snapshots]
    refuse_held(workspace, project, found.subject, snapshots, undone="erased")
    detail = {"project": project, "request": request, "snapshots": snapshots}
    workspace.ledger.append("subject.erasure_begun", found.subject, detail, actor=by)
    suppressions_of(workspace).suppress(project, found.subject, "erased", by=by, request=request)
    keys = subject_keys_of(workspace, project)
    destroyed = keys.destroy(raw_pseudonym(found.subject))
    PseudonymVault(workspace.db, workspace.keyring, project).forget(found.subject)
    progress("the person's key is destroyed; rewriting what is retained", 0.2)
    rewritten = take_out(workspace, found, person, by=by, why="erasure at the request of a person", progress=progress)
    erased = _erase_decisions(workspace, found, by)
    progress("signing what was done", 0.98)
    done = Erased(found=found, key_destroyed=destroyed, rewritten=tuple(rewritten), decisions=erased, statement="")
    return replace(done, statement=_state(workspace, done, request, by))


def take_out(
    workspace: Workspace,
    found: FoundPerson,
    person: str,
    *,
    by: str,
    why: str,
    progress: Progress = silent,
) -> list[Rewritten]:
    """Rewrite every snapshot that holds a person so that it does not, and dispose of the one before.

    Also what a withdrawn consent asks for; then the key stays, since other purposes may still be allowed.
    """
    rewritten = []
    for place, one in enumerate(found.snapshots):
        progress(f"rewriting snapshot {one.known.sequence}", 0.2 + 0.7 * place / len(found.snapshots))
        rewritten.append(_rewrite(workspace, found, one, person, by=by, why=why))
    point_runs(workspace, found.project, by=by)
    remove_left_behind(workspace, found.project, by=by, subject=found.subject)
    return rewritten


def _rewrite(
    workspace: Workspace, found: FoundPerson, inside: InSnapshot, person: str, *, by: str, why: str
) -> Rewritten:
    name = raw_pseudonym(found.subject)
    after = replace_snapshot(
        workspace,
        found.project,
        inside.known.digest,
        lambda snapshot: _without(snapshot, name, person, why),
        subject=found.subject,
        action="data.redacted",
        purpose="taking a person out",
        by=by,
    )
    return Rewritten(before=inside.known.digest, after=after, rows=inside.rows, set_aside=inside.set_aside)


def _without(snapshot: Snapshot, name: bytes, person: str, why: str) -> Step:
    """The step that takes a person out of a snapshot."""

    def keep(parent: Snapshot, entry: Any, _before: int) -> NDArray[np.bool_] | None:
        theirs = parent.persons_in(entry, [name])
        return ~theirs if theirs.any() else None

    return Step(
        kind="redact",
        keep=keep,
        keep_set_aside=_not_theirs(snapshot.subject or "", person) if snapshot.quarantined else None,
        keep_change=_not_about(name) if snapshot.signed.of_kind("changes") else None,
        why=why,
        withheld=dict(snapshot.signed.withheld),
    )


def _not_theirs(column: str, person: str) -> Callable[[QuarantinedRow], bool]:
    return lambda row: not is_theirs(row, column, person)


def _not_about(name: bytes) -> Callable[[Any], NDArray[np.bool_]]:
    return lambda table: np.array([one != name for one in table.column("subject").to_pylist()], dtype=np.bool_)


def _erase_decisions(workspace: Workspace, found: FoundPerson, by: str) -> int:
    """Their decision records, and first what shadows would have said to them: without the record nobody finds that again."""
    done = 0
    for channel, shadows in shadows_of(workspace, found.project, {one.decision for one in found.decisions}).items():
        erase_decisions(workspace, found.project, channel, shadows, by=by)
    for channel in sorted({one.channel for one in found.decisions}):
        theirs = [(one.index, one.decision) for one in found.decisions if one.channel == channel]
        done += erase_decisions(workspace, found.project, channel, theirs, by=by)
    finish_erasure(workspace, found.project, by=by)
    return done


def _state(workspace: Workspace, done: Erased, request: str, by: str) -> str:
    """Sign what was done; the statement names the person by pseudonym and the models somebody has to decide about."""
    body = {key: value for key, value in done.to_json().items() if key != "statement"}
    predicate = {"format": 1, **body, "request": request, "completed_at": rfc3339(workspace.clock())}
    digests = [digest for one in done.rewritten for digest in (one.before, one.after) if digest is not None]
    about = [(f"snapshot-{place}", digest) for place, digest in enumerate(digests, 1)]
    nothing = [("person", digest_of(done.found.subject.encode()))]  # there was nothing to rewrite
    statement = make_statement(about or nothing, ERASURE_TYPE, predicate)
    envelope = sign_statement(statement, workspace.keyring.signer("statements"))
    return evidence_of(workspace).file_statement(envelope, project=done.found.project, actor=by).digest
