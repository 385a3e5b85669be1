"""Judge the model that was trained.

Answers: what do the suites say, signed and on file?
Does not answer: may it be released? `candidate` puts together what would be, `let_through` asks the gate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sealwright.assurance import AssuranceSpec, Spread, SuiteResult, run_suites, to_predicate
from sealwright.data import split
from sealwright.evidence import TEST_RESULT_TYPE
from sealwright.kernel import InvalidInput, Progress, silent, strict_json
from sealwright.pipeline.candidate import put_together, statements_of
from sealwright.pipeline.claimed_privacy import with_claim
from sealwright.pipeline.data_basis import require_basis
from sealwright.pipeline.desk import Desk, digest_of_json
from sealwright.pipeline.kept_outcomes import KeptOutcomes
from sealwright.pipeline.make import dealt_from
from sealwright.pipeline.permission import allow
from sealwright.pipeline.private_training import rows_learned_from
from sealwright.pipeline.project import Project
from sealwright.pipeline.runs import Run
from sealwright.pipeline.take_in import snapshot_of
from sealwright.pipeline.teaching import teach_of
from sealwright.pipeline.version_facts import project_facts
from sealwright.pipeline.withholding import Withholding, withholding
from sealwright.pipeline.workspace import Workspace
from sealwright.registry import VerifiedPackage
from sealwright.trust import Principal

__all__ = ["Assessed", "assess"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed:
    """Suites on file, and the candidate they are about."""

    run: Run
    package: str
    suites: Mapping[str, Mapping[str, Any]]  # suite -> its result as JSON, from the signed statement
    statements: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        return {
            "run": self.run.id,
            "package": self.package,
            "statements": dict(self.statements),
            "findings": {
                name: [
                    {key: one[key] for key in ("check", "value", "low", "high", "n", "unit", "group")}
                    for one in suite["findings"]
                ]
                for name, suite in self.suites.items()
            },
        }


def assess(
    workspace: Workspace,
    project: Project,
    *,
    by: Principal,
    progress: Progress = silent,
    spread: Spread | None = None,
) -> Assessed:
    """Run the project's suites on the model of its last run, file one statement each, and build the candidate.

    One that was cut short goes on: checks that were finished are not carried out again. An assessment at depth full that is on
    file answers for depth standard, too.

    Parameters
    ----------
    spread : Spread, optional
        Workers for the checks; the statements are the same.

    Raises
    ------
    NotFound
        Nothing was trained yet.
    InvalidInput
        The settings name groups or outcomes that the data lacks, or rows would be dealt otherwise than for the training.
    """
    allow(workspace, by, "model.assess", project_facts(project))
    desk = Desk(workspace, project)
    run = desk.last()
    trained, spec = run.product("train"), project.spec
    out = withholding(desk, require_basis(desk, by=by.counts_as))
    _refuse_dealt_anew(desk, run, out)
    before = _before(desk, trained)
    of = _asked(desk, run, before, spec.assurance)
    deeper = _asked(desk, run, before, spec.assurance.model_copy(update={"depth": "full"}))
    if run.current("assess", of) is None and run.current("assess", deeper) is None:
        kept = KeptOutcomes(
            workspace.folder("runs") / "outcomes" / project.name, workspace.keyring.key("data", "assurance/outcomes")
        )
        results = _judge(desk, run, before, out, by.counts_as, progress, spread, kept)
        filed = {
            result.suite: desk.state(
                [("model.onnx", trained["model"])], TEST_RESULT_TYPE, to_predicate(result), by=by.counts_as
            )
            for result in results
        }
        product = {"of": of, "model": trained["model"], "statements": filed}
        run = desk.runs.finish(run, "assess", product, by=by.counts_as)
        kept.clear()
    run = put_together(desk, run)
    statements = statements_of(desk, run)
    return Assessed(
        run=run,
        package=run.product("candidate")["package"],
        suites={
            name: statement.predicate["sealwright"]
            for name, statement in statements.items()
            if name in run.product("assess")["statements"]
        },
        statements={name: statement.digest for name, statement in statements.items()},
    )


def _refuse_dealt_anew(desk: Desk, run: Run, out: Withholding) -> None:
    """Refuse where rows would be dealt otherwise than for the training: most of the hold-out would have been learned from."""
    snapshot = run.product("ingest")["snapshot"]
    if run.product("train").get("dealt") != dealt_from(desk.project, snapshot, out):
        raise InvalidInput(
            "Since the model was trained, training.seed, data.test_share or who may be in the data has changed, so rows would be "
            f"dealt anew: rows it learned from would be called a hold-out.\nTrain again: sealwright train {desk.project.folder}"
        )


def _asked(desk: Desk, run: Run, before: VerifiedPackage | None, assurance: AssuranceSpec) -> str:
    """Digest of the question: the same one is answered once."""
    trained = run.product("train")
    return digest_of_json(
        {
            "model": trained["model"],
            "interface": trained["interface"],
            "snapshot": run.product("ingest")["snapshot"],
            "assurance": assurance.model_dump(mode="json"),
            "sensitive": desk.project.spec.data.sensitive,
            "charter": run.product("charter")["statement"],
            "before": before.model if before is not None else None,
        }
    )


def _before(desk: Desk, trained: Mapping[str, Any]) -> VerifiedPackage | None:
    """The newest version with another model that takes the same features, verified now; None where there is none.

    Raises
    ------
    VerificationFailed
        Its package was changed.
    """
    others = [one for one in desk.workspace.registry.versions(desk.project.name) if one.model != trained["model"]]
    if not others:
        return None
    package = desk.workspace.registry.package(others[-1].package)
    interface = strict_json(desk.runs.fetch(trained["interface"]), what="interface.json")
    return package if _shape(package.interface) == _shape(interface) else None


def _shape(interface: Mapping[str, Any]) -> list[Any]:
    """What two models must have in common to answer the same rows."""
    named = [[one["name"] for one in interface.get(block) or ()] for block in ("numbers", "strings")]
    return [*(interface.get(part) for part in ("task", "target", "classes")), *named]


def _judge(
    desk: Desk,
    run: Run,
    before: VerifiedPackage | None,
    out: Withholding,
    by: str,
    progress: Progress,
    spread: Spread | None,
    kept: KeptOutcomes,
) -> Sequence[SuiteResult]:
    spec, trained = desk.project.spec, run.product("train")
    snapshot = snapshot_of(desk, run.product("ingest")["snapshot"], by=by, purpose="assurance", leave_out=out.since())
    train, test = split(snapshot.read(), spec.data, spec.training.seed, synthetic=snapshot.synthetic)
    train = rows_learned_from(desk.workspace, desk.project, spec.training, train)
    interface = strict_json(desk.runs.fetch(trained["interface"]), what="interface.json")
    record = strict_json(desk.runs.fetch(trained["record"]), what="training record")
    return run_suites(
        spec.assurance.suites,
        desk.runs.fetch(trained["model"]),
        test,
        train,
        interface,
        with_claim(spec.assurance, record.get("privacy")),
        groups=desk.groups,
        seed=spec.training.seed,
        progress=progress,
        clock=desk.workspace.clock,
        data_digest=snapshot.digest,
        quarantined=snapshot.quarantined,
        previous=before.model_bytes if before is not None else None,
        teach=teach_of(project=desk.project, interface=interface, parameters=record["parameters"]),
        spread=spread,
        kept=kept,
    )
