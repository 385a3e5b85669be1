"""Somebody takes their consent back: it is recorded first, then their rows leave what was held on it.

Answers: which snapshots held rows of theirs on this consent, and are they gone from them?
Does not answer: what becomes of models made before; what was done while consent stood was lawful (GDPR, Article 7(3)).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sealwright.data.consent import Withdrawn
from sealwright.kernel import InvalidInput, MissingExtra, Progress, silent
from sealwright.pipeline.by_name import data_of_project
from sealwright.pipeline.data_basis import basis_of_line, line_of
from sealwright.pipeline.data_consent import consents_of, name_in
from sealwright.pipeline.permission import allow
from sealwright.pipeline.person_erasure import Rewritten, take_out
from sealwright.pipeline.person_search import FoundPerson, InSnapshot, find_person
from sealwright.pipeline.rewriting import finish_replacing, holds_against
from sealwright.pipeline.snapshots import Known, SnapshotIndex
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import Principal

__all__ = ["WithdrawnConsent", "withdraw_consent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawnConsent:
    """A withdrawal and what followed. `left` are snapshots that still hold, or may hold, rows of the person."""

    withdrawn: Withdrawn
    rewritten: tuple[Rewritten, ...]
    left: tuple[str, ...]
    why_left: str  # "" where nothing is left
    models: tuple[str, ...]  # versions made from rows of theirs, as "project 3"

    def to_json(self) -> dict[str, Any]:
        return {
            "subject": self.withdrawn.changes[0].subject,
            "purposes": [one.purpose for one in self.withdrawn.changes],
            "had_agreed_to": list(self.withdrawn.before),
            "at": self.withdrawn.changes[0].at,
            "rewritten": [one.to_json() for one in self.rewritten],
            "left": list(self.left),
            "why_left": self.why_left,
            "models": list(self.models),
        }


def withdraw_consent(
    workspace: Workspace,
    project: str,
    person: str,
    purpose: str | None,
    *,
    channel: str,
    by: Principal,
    at: datetime | None = None,
    rewrite: bool = True,
    progress: Progress = silent,
) -> WithdrawnConsent:
    """Record a withdrawal, and rewrite the snapshots that held the person's rows on that consent.

    Parameters
    ----------
    person : str
        Their identifier as it stands in the data, or their pseudonym.
    purpose : str, optional
        Only this one; left out: all they ever agreed to.
    rewrite : bool
        False: only name the snapshots. The next ingest and training leave the person out either way.

    Raises
    ------
    NotFound
        Nothing is known that could be taken back, and no purpose is named.
    OperationFailed
        The withdrawal is recorded, a snapshot could not be rewritten. The same command goes on.
    """
    allow(workspace, by, "consent.withdraw", data_of_project(project))
    subject = name_in(workspace, project, person)
    taken = consents_of(workspace).withdraw(project, subject, purpose, channel=channel, by=by.counts_as, at=at)
    finish_replacing(workspace, project, by=by.counts_as)
    index = {one.digest: one for one in SnapshotIndex(workspace.db).all()}
    purposes = {one.purpose for one in taken.changes}
    concerned = [one for one in index.values() if _on_this_consent(workspace, one, index, project, purposes)]
    if not concerned:
        return WithdrawnConsent(withdrawn=taken, rewritten=(), left=(), why_left="", models=())
    try:
        found = find_person(workspace, project, person, by=by.counts_as, purpose="withdrawn consent")
    except (InvalidInput, MissingExtra) as error:
        why = str(error).splitlines()[0]
        left = tuple(one.digest for one in concerned)
        return WithdrawnConsent(withdrawn=taken, rewritten=(), left=left, why_left=why, models=())
    inside = [one for one in found.snapshots if one.known.digest in {other.digest for other in concerned}]
    return _take_out(workspace, taken, replace(found, snapshots=tuple(inside)), person, by.counts_as, rewrite, progress)


def _take_out(
    workspace: Workspace,
    taken: Withdrawn,
    found: FoundPerson,
    person: str,
    by: str,
    rewrite: bool,
    progress: Progress,
) -> WithdrawnConsent:
    held = holds_against(workspace, found.project, found.subject, [one.known.digest for one in found.snapshots])
    why = f"a legal hold stands: {', '.join(one.id for one in held)}" if held else "" if rewrite else "as you asked"
    done: list[Rewritten] = []
    if not why:
        done = take_out(workspace, found, person, by=by, why="consent was withdrawn", progress=progress)
    left: tuple[InSnapshot, ...] = found.snapshots if why else ()
    return WithdrawnConsent(
        withdrawn=taken,
        rewritten=tuple(done),
        left=tuple(one.known.digest for one in left),
        why_left=why if left else "",
        models=tuple(f"{one.project} {one.number}" for one in found.models),
    )


def _on_this_consent(
    workspace: Workspace, known: Known, index: Mapping[str, Known], project: str, purposes: set[str]
) -> bool:
    """Whether a kept snapshot of the project holds columns on consent to one of these purposes."""
    if known.project != project or known.state != "kept":
        return False
    basis = basis_of_line(workspace, line_of(known, index))
    if basis is None or basis.purpose not in purposes:
        return False
    return any(group.ground.lawful_basis == "consent" for group in basis.groups)
