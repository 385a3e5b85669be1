"""The last steps: ask the gate, take what people sign, seal and register."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sealwright.assurance import HARDER, AssuranceSpec
from sealwright.evidence import (
    Filed,
    GateBlocked,
    GateDecision,
    Measuring,
    Outcome,
    Result,
    Subject,
    make_approval,
    make_attestation,
)
from sealwright.kernel import InvalidInput, Refused, hex_of
from sealwright.pipeline.candidate import candidate_of, put_together, standing_candidate
from sealwright.pipeline.desk import Desk
from sealwright.pipeline.permission import allow, proven_by_key
from sealwright.pipeline.project import Project
from sealwright.pipeline.runs import Run
from sealwright.pipeline.version_facts import candidate_facts, project_facts
from sealwright.pipeline.workspace import Workspace
from sealwright.registry import SealedPackage
from sealwright.registry import seal as seal_package
from sealwright.trust import Principal, Unlock, open_person

__all__ = ["Approved", "Attested", "Decided", "Sealed", "approve", "attest", "decide", "gate_of", "seal"]


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
class Attested:
    """A person's word in place of a measurement, on file and in the candidate, which is another one by that."""

    check: str
    model: str
    statement: str
    package: str  # the candidate with the word in it
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A sealed package and the version it became."""

    run: Run
    package: str
    version: int
    folder: Path


def decide(workspace: Workspace, project: Project, *, by: Principal) -> Decided:
    """Ask the policy of the project about its last run: every reason at once. Works beside whatever is writing.

    Raises
    ------
    PermissionDenied
        They may not see the project.
    NotFound
        Nothing was assessed yet.
    VerificationFailed
        Something on file was changed.
    """
    allow(workspace, by, "project.view", project_facts(project))
    return gate_of(Desk(workspace, project, look=True))


def gate_of(desk: Desk) -> Decided:
    """As `decide`, for verbs that asked already."""
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
        Sign that the policy may ask for less, or the model be measured more gently, instead of for the release.

    Raises
    ------
    PermissionDenied
        Their duties stand against it: they trained it, brought it, wrote its settings, changed its tests last, or
        administer roles.
    Refused
        Not enrolled, or not in that role.
    InvalidInput
        A policy change is to be signed, and no less is asked for or tried than before.
    """
    desk = Desk(workspace, project)
    decision = _judge(desk, desk.last())
    evidence = desk.evidence
    with_changes = (*decision.below_class, *decision.loosened) if policy_change else ()
    if policy_change and not with_changes:
        raise InvalidInput(
            "The policy asks for no less than its risk class, and no less is asked for or tried than before the results, so "
            "there is no change to sign for.\nTo approve the release, leave out --policy-change."
        )
    signer = open_person(workspace.folder("people"), person, unlock)
    envelope = make_approval(
        signer,
        decision.subject.package,
        policy=decision.policy.digest,
        role=role,
        reason=reason,
        now=workspace.clock(),
        enrolment=evidence.people.enrolment(person),
        purpose="policy_change" if policy_change else "release",
        changes=with_changes,
    )
    facts, action = candidate_facts(desk, desk.last(), decision), "policy.loosen" if policy_change else "model.approve"
    allow(workspace, proven_by_key(workspace, signer), action, facts, role=role)
    filed: Filed = evidence.approve(envelope, project=project.name, barred=_barred(desk.last()), actor=person)
    return Approved(package=decision.subject.package, statement=filed.digest, at=filed.filed_at)


def attest(
    workspace: Workspace, project: Project, *, person: str, unlock: Unlock, check: str, role: str, reason: str
) -> Attested:
    """Sign, as a person, why `check` could not be measured for this model and why that is no harm.

    The word goes into the package, so that approvers and auditors read it. Approvals given before do not cover
    the new candidate and have to be given again.

    Raises
    ------
    InvalidInput
        The check is not one that waits for a word: unknown, measured, or to be measured only.
    PermissionDenied
        Their duties stand against it, as for `approve`.
    Refused
        Not enrolled, or not in a role the policy lets speak.
    """
    desk = Desk(workspace, project)
    run = desk.last()
    decision = _judge(desk, run)
    _waits_for_a_word(decision, check, role)
    model = decision.subject.model
    signer = open_person(workspace.folder("people"), person, unlock)
    envelope = make_attestation(
        signer,
        model,
        check=check,
        role=role,
        reason=reason,
        now=workspace.clock(),
        enrolment=desk.evidence.people.enrolment(person),
    )
    facts = candidate_facts(desk, run, decision)
    allow(workspace, proven_by_key(workspace, signer), "model.attest", facts, role=role)
    filed = desk.evidence.approve(envelope, project=project.name, barred=_barred(run), actor=person)
    run = put_together(desk, run)
    return Attested(
        check=check,
        model=model,
        statement=filed.digest,
        package=run.product("candidate")["package"],
        at=filed.filed_at,
    )


def seal(workspace: Workspace, project: Project, *, by: Principal) -> Sealed:
    """Seal the candidate of the last run and register it, if the gate lets it through.

    Raises
    ------
    GateBlocked
        The gate says no; every reason is in it.
    """
    desk = Desk(workspace, project)
    run = desk.last()
    allow(workspace, by, "model.register", candidate_facts(desk, run))
    candidate = candidate_of(desk, run)
    done = run.current("seal", candidate.digest)
    if done is not None:
        return _sealed(workspace, run)
    decision = _judge(desk, run)
    if not decision.passed:
        raise GateBlocked(decision)
    folder = workspace.folder("packages") / hex_of(candidate.digest)
    if folder.exists():  # an earlier try ended between sealing and registering; a sealed package never changes
        package = SealedPackage(
            digest=candidate.digest, model=candidate.model, project=candidate.project, folder=folder
        )
    else:
        evidence, keyring = desk.evidence, workspace.keyring
        filed = evidence.record(decision, keyring.signer("statements"), actor=by.counts_as)
        approvals = [evidence.statements.get(one.statement).envelope for one in decision.approvals]
        package = seal_package(
            candidate,
            filed.envelope,
            approvals,
            keyring.signer("models"),
            workspace.folder("packages"),
            trust_root=workspace.standing_root,
            now=workspace.clock(),
        )
    version = workspace.registry.register(package, by=by.counts_as)
    product = {"of": candidate.digest, "version": version.number}
    return _sealed(workspace, desk.runs.finish(run, "seal", product, by=by.counts_as))


def _judge(desk: Desk, run: Run) -> GateDecision:
    subject = Subject(
        project=desk.project.name,
        package=standing_candidate(desk, run)["package"],
        model=run.product("train")["model"],
        data=run.product("ingest")["snapshot"],
        task=run.product("train")["task"],
        groups=desk.groups,
    )
    measuring = Measuring(harder=HARDER, defaults=AssuranceSpec().model_dump(mode="json"))
    return desk.evidence.judge(desk.policy, subject, barred=_barred(run), measuring=measuring)


def _barred(run: Run) -> dict[str, str]:
    """Whose word does not count for this model: who trained it, and who brought it here."""
    names = {run.product("train")["by"]: "trained this model"}
    return names | ({} if run.by in names else {run.by: "submitted this model"})


def _waits_for_a_word(decision: GateDecision, check: str, role: str) -> None:
    """A word counts only where measuring was tried and not possible, and the policy lets this role speak."""
    asked = [one for one in decision.policy.requirements if one.applies_to(decision.subject.task)]
    speakers = {one.check: one.attested_by for one in asked if one.attested_by}
    open_checks = {one.check: one for one in decision.results if one.outcome is Outcome.NOT_PERFORMED}
    waiting = sorted(set(speakers) & set(open_checks))
    if check not in waiting:
        listed = f"Those that wait for one: {', '.join(waiting)}." if waiting else "None of its checks waits for one."
        raise InvalidInput(f"{_why_no_word(decision, check, speakers)} {listed}")
    if role not in speakers[check]:
        raise Refused(
            f"On {check} the policy takes the word of a {' or '.join(speakers[check])}, not of a {role[:40]}."
        )


def _why_no_word(decision: GateDecision, check: str, speakers: Mapping[str, Sequence[str]]) -> str:
    found: Result | None = next((one for one in decision.results if one.check == check), None)
    if found is None:
        return f"The policy asks for no check called {check[:80]!r}."
    if check not in speakers:
        return f"{check} has to be measured; the policy takes nobody's word for it."
    return f"Nobody's word is needed or counts on {check}: {found.found}."


def _sealed(workspace: Workspace, run: Run) -> Sealed:
    product = run.product("seal")
    package = run.product("candidate")["package"]
    folder = workspace.folder("packages") / hex_of(package)
    return Sealed(run=run, package=package, version=int(product["version"]), folder=folder)
