"""After an erasure: what becomes of the models that were trained on the person?

Answers: about which versions must somebody decide, and what was decided, by whom and why?
Does not answer: what is right. Retraining, unlearning, and keeping with a documented interest each have their law;
Sealwright opens the question, keeps it open until a person closes it, and records what they said.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sealwright.engines import Row
from sealwright.kernel import Conflict, InvalidInput, NotFound, new_id, rfc3339
from sealwright.pipeline.by_name import project_named
from sealwright.pipeline.permission import allow
from sealwright.pipeline.person_search import FoundPerson
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import Principal, VersionResource

__all__ = ["CHOICES", "Choice", "ModelDecision", "decide_about_model", "model_decisions", "open_decisions"]

Choice = Literal["retrain", "unlearn", "keep"]
CHOICES: tuple[Choice, ...] = get_args(Choice)
_SHORTEST, _LONGEST = 20, 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDecision:
    """One version about which somebody must decide, or has."""

    id: str
    project: str
    version: int
    package: str
    subject: str  # pseudonym of whom was erased
    request: str
    opened_at: str
    choice: str  # "" while open
    reason: str
    decided_by: str
    decided_at: str

    @property
    def is_open(self) -> bool:
        return not self.choice

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def open_decisions(workspace: Workspace, found: FoundPerson, *, request: str, by: str) -> list[ModelDecision]:
    """Open the question for every version that was trained on the person; one that is open or answered is not asked twice."""
    with workspace.db.write() as tx:
        tx.hold_writers("model_decisions")
        for version in found.models:
            known = tx.run(
                "SELECT id FROM model_decisions WHERE project = :project AND version = :version AND subject = :subject",
                project=found.project,
                version=version.number,
                subject=found.subject,
            )
            if known:
                continue
            name = new_id("mdl")
            tx.run(
                "INSERT INTO model_decisions (id, project, version, package, subject, request, opened_at,"
                " choice, reason, decided_by, decided_at)"
                " VALUES (:id, :project, :version, :package, :subject, :request, :now, '', '', '', '')",
                id=name,
                project=found.project,
                version=version.number,
                package=version.package,
                subject=found.subject,
                request=request,
                now=rfc3339(workspace.clock()),
            )
            detail = {"project": found.project, "version": version.number, "subject": found.subject, "id": name}
            workspace.ledger.append("model.decision_opened", version.package, detail, actor=by)
    return [one for one in _decisions(workspace, found.project) if one.subject == found.subject]


def decide_about_model(
    workspace: Workspace, decision: str, choice: Choice, *, reason: str, by: Principal
) -> ModelDecision:
    """Record what becomes of a version.

    Parameters
    ----------
    choice : "retrain", "unlearn" or "keep"
        keep: with a documented interest that outweighs; the reason is that document's summary.

    Raises
    ------
    NotFound
        No such question.
    Conflict
        It was answered.
    InvalidInput
        Another choice, or a reason of fewer than 20 characters.
    """
    allow(workspace, by, "model.decide", _version_in(workspace, decision))
    words = " ".join(reason.split())
    if choice not in CHOICES:
        raise InvalidInput(f"Choose one of {', '.join(CHOICES)}; got {str(choice)[:40]!r}.")
    if not _SHORTEST <= len(words) <= _LONGEST:
        raise InvalidInput(
            f"Say why in {_SHORTEST} to {_LONGEST:,} characters. It is read by whoever audits the erasure."
        )
    with workspace.db.write() as tx:
        tx.hold_writers("model_decisions")
        rows = tx.run("SELECT * FROM model_decisions WHERE id = :id", id=decision)
        if not rows:
            raise NotFound(f"There is no question {decision!r}. List them with: sealwright data models")
        known = _decision(rows[0])
        if not known.is_open:
            raise Conflict(
                f"{decision} was answered on {known.decided_at[:10]}: {known.choice}, by {known.decided_by}."
            )
        tx.run(
            "UPDATE model_decisions SET choice = :choice, reason = :reason, decided_by = :by, decided_at = :now"
            " WHERE id = :id",
            choice=choice,
            reason=words,
            by=by.counts_as,
            now=rfc3339(workspace.clock()),
            id=decision,
        )
        detail = {"project": known.project, "version": known.version, "choice": choice, "id": decision}
        workspace.ledger.append("model.decided", known.package, detail, actor=by.counts_as, words=words)
    return next(one for one in _decisions(workspace, known.project) if one.id == decision)


def model_decisions(workspace: Workspace, project: str | None = None, *, by: Principal) -> list[ModelDecision]:
    """Those of a project, or of all; open ones first, then by age.

    Raises
    ------
    PermissionDenied
        They may not see the project, or not all of them.
    """
    allow(workspace, by, "project.view", project_named(project))
    return _decisions(workspace, project)


def _decisions(workspace: Workspace, project: str | None = None) -> list[ModelDecision]:
    with workspace.db.read() as tx:
        rows: Sequence[Row] = tx.run("SELECT * FROM model_decisions ORDER BY opened_at, id")
    found = [_decision(row) for row in rows if project in {None, row["project"]}]
    return sorted(found, key=lambda one: not one.is_open)


def _version_in(workspace: Workspace, decision: str) -> VersionResource:
    """The version a question is about."""
    for one in _decisions(workspace):
        if one.id == decision:
            return VersionResource(name=f"{one.project}/{one.version}", project=one.project, stage="registered")
    raise NotFound(f"There is no question {decision!r}. List them with: sealwright data models")


def _decision(row: Row) -> ModelDecision:
    return ModelDecision(**{name: row[name] for name in ModelDecision.__dataclass_fields__})
