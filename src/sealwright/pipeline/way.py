"""The whole way: every step that is still to do, up to a registered version, or the reasons why not."""

from dataclasses import dataclass
from typing import Any

from sealwright.assurance import Spread
from sealwright.evidence import GateDecision
from sealwright.kernel import Progress, silent
from sealwright.pipeline.desk import Desk, evidence_of
from sealwright.pipeline.judge import Assessed, assess
from sealwright.pipeline.let_through import Sealed, gate_of, seal
from sealwright.pipeline.make import Trained, train
from sealwright.pipeline.permission import allow
from sealwright.pipeline.project import Project
from sealwright.pipeline.take_in import Ingested, ingest
from sealwright.pipeline.version_facts import project_facts
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import Principal

__all__ = ["Way", "run_way"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How far a run came. `sealed` is None where the gate stands in its way."""

    ingested: Ingested
    trained: Trained
    assessed: Assessed
    decision: GateDecision
    sealed: Sealed | None

    @property
    def package(self) -> str:
        """Digest of what was, or would be, released."""
        return self.assessed.package

    def to_json(self) -> dict[str, Any]:
        return {
            "ingest": self.ingested.to_json(),
            "train": self.trained.to_json(),
            "assess": self.assessed.to_json(),
            "gate": self.decision.to_json(),
            "version": self.sealed.version if self.sealed else None,
            "package": self.package,
        }


def run_way(
    workspace: Workspace,
    project: Project,
    *,
    by: Principal,
    fresh: bool = False,
    progress: Progress = silent,
    spread: Spread | None = None,
) -> Way:
    """Do what is still to do. Steps whose inputs did not change are kept as they are.

    Raises
    ------
    SealwrightError
        A step could not be done; those before it are kept.
    """
    allow(workspace, by, "project.run", project_facts(project))

    def part(start: float, end: float) -> Progress:
        return lambda line, share: progress(line, start + (end - start) * share)

    ingested = ingest(workspace, project, by=by, fresh=fresh, progress=part(0.0, 0.1))
    trained = train(workspace, project, by=by, progress=part(0.1, 0.6))
    assessed = assess(workspace, project, by=by, progress=part(0.6, 0.95), spread=spread)
    progress("asking the gate", 0.95)
    decision = gate_of(Desk(workspace, project)).decision
    sealed = None
    if decision.passed:
        sealed = seal(workspace, project, by=by)
    elif any(result.outcome != "not_yet" for result in decision.blocking):
        signer = workspace.keyring.signer("statements")
        evidence_of(workspace).record(decision, signer, actor=by.counts_as)  # a refusal is evidence, too
    progress("done", 1.0)
    return Way(ingested=ingested, trained=trained, assessed=assessed, decision=decision, sealed=sealed)
