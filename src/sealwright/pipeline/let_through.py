"""The last steps: ask the gate, take approvals, seal and register."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sealwright.evidence import Filed, GateBlocked, GateDecision, Subject, make_approval
from sealwright.kernel import NotFound
from sealwright.pipeline.desk import Desk
from sealwright.pipeline.judge import candidate_of
from sealwright.pipeline.project import Project
from sealwright.pipeline.runs import Run
from sealwright.pipeline.workspace import Workspace
from sealwright.registry import seal as seal_package
from sealwright.trust import Unlock, open_person

__all__ = ["Approved", "Decided", "Sealed", "approve", "decide", "seal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What the gate says today about the last run."""

    run: Run
    decision: GateDecision


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """A person's approval, on file."""

    package: str
    statement: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A sealed package and the version it became."""

    run: Run
    package: str
    version: int
    folder: Path


def decide(workspace: Workspace, project: Project) -> Decided:
    """Ask the policy of the project about its last run: every reason at once.

    Raises
    ------
    NotFound
        Nothing was assessed yet.
    VerificationFailed
        Something on file was changed.
    """
    desk = Desk(workspace, project)
    run = desk.last()
    return Decided(run=run, decision=_judge(desk, run))


def approve(
    workspace: Workspace,
    project: Project,
    *,
    person: str,
    unlock: Unlock,
    role: str,
    reason: str,
    policy_change: bool = False,
) -> Approved:
    """Sign, as a person, for exactly the package of the last run under exactly the policy in force.

    Parameters
    ----------
    policy_change : bool
        Sign that the policy may ask for less, instead of for the release.

    Raises
    ------
    Refused
        Not enrolled, not in that role, or the one who trained it.
    """
    desk = Desk(workspace, project)
    decision = _judge(desk, desk.last())
    evidence = desk.evidence
    with_changes = (*decision.below_class, *decision.loosened) if policy_change else ()
    envelope = make_approval(
        open_person(workspace.folder("people"), person, unlock),
        decision.subject.package,
        policy=decision.policy.digest,
        role=role,
        reason=reason,
        now=workspace.clock(),
        enrolment=evidence.people.enrolment(person),
        purpose="policy_change" if policy_change else "release",
        changes=with_changes,
    )
    filed: Filed = evidence.approve(envelope, project=project.name, barred=_barred(desk.last()), actor=person)
    return Approved(package=decision.subject.package, statement=filed.digest, at=filed.filed_at)


def seal(workspace: Workspace, project: Project, *, by: str) -> Sealed:
    """Seal the candidate of the last run and register it, if the gate lets it through.

    Raises
    ------
    GateBlocked
        The gate says no; every reason is in it.
    """
    desk = Desk(workspace, project)
    run = desk.last()
    candidate = candidate_of(desk, run)
    done = run.current("seal", candidate.digest)
    if done is not None:
        return _sealed(workspace, run)
    decision = _judge(desk, run)
    if not decision.passed:
        raise GateBlocked(decision)
    evidence, keyring = desk.evidence, workspace.keyring
    filed = evidence.record(decision, keyring.signer("statements"), actor=by)
    approvals = [evidence.statements.get(one.statement).envelope for one in decision.approvals]
    package = seal_package(
        candidate,
        filed.envelope,
        approvals,
        keyring.signer("models"),
        workspace.folder("packages"),
        trust_root=workspace.trust_root,
        now=workspace.clock(),
    )
    version = workspace.registry.register(package, by=by)
    product = {"of": candidate.digest, "version": version.number, "gate": filed.digest}
    return _sealed(workspace, desk.runs.finish(run, "seal", product, by=by))


def _judge(desk: Desk, run: Run) -> GateDecision:
    if not run.has("candidate"):
        raise NotFound(
            f"{desk.project.name} was not assessed yet, so there is nothing to decide.\n"
            f"Do it with: sealwright assess {desk.project.folder}"
        )
    subject = Subject(
        project=desk.project.name,
        package=run.product("candidate")["package"],
        model=run.product("train")["model"],
        data=run.product("ingest")["snapshot"],
        task=run.product("train")["task"],
        groups=desk.groups,
    )
    return desk.evidence.judge(desk.policy, subject, barred=_barred(run))


def _barred(run: Run) -> dict[str, str]:
    """Whose word does not count for this model: who trained it, and who brought it here."""
    names = {run.product("train")["by"]: "trained this model"}
    return names | ({} if run.by in names else {run.by: "submitted this model"})


def _sealed(workspace: Workspace, run: Run) -> Sealed:
    product = run.product("seal")
    package = run.product("candidate")["package"]
    folder = workspace.folder("packages") / package.removeprefix("sha256:")
    return Sealed(run=run, package=package, version=int(product["version"]), folder=folder)
