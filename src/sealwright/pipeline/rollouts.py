"""A new version takes over step by step, and the old one comes back at once: the verbs of a rollout.

Answers: may whoever acts begin, move or end a rollout, and then: do it, by one signed pointer.
Does not answer: how the versions do (`rollouts_status`), nor when to move (`rollouts_run` follows the plan by itself).

Every move names the pointer it follows. Where somebody else moved meanwhile it is refused, so that a way back which a person
took is never undone by who did not see it.
"""

from collections.abc import Mapping
from typing import get_args

import msgspec

from sealwright.charter import read_charter
from sealwright.kernel import Conflict, InvalidInput, Refused, digest_of, new_id
from sealwright.pipeline.by_name import project_named
from sealwright.pipeline.permission import allow
from sealwright.pipeline.rollouts_plan import RolloutKind, RolloutPlan, file_plan, new_split, plan_of
from sealwright.pipeline.rollouts_seen import OUTCOMES, OUTCOMES_KEY_PURPOSE, outcomes_aad
from sealwright.pipeline.rollouts_status import NoRollout, RolloutStatus, rollout_status
from sealwright.pipeline.version_facts import facts_of_version
from sealwright.pipeline.workspace import Workspace
from sealwright.registry import PointerFacts, VerifiedPackage
from sealwright.serving import Manner, RolloutSpec, contract_of, why_not_in_place_of
from sealwright.trust import WHOLE, Principal, seal

__all__ = [
    "RolloutHeld",
    "advance_rollout",
    "go_back",
    "promote_rollout",
    "report_outcomes",
    "start_rollout",
    "stop_rollout",
]

_MOST_OUTCOMES = 100_000  # in one report
_MINUTES_A_DAY = 1_440


class RolloutHeld(Refused):
    """The limits of the plan do not let it go on. Carries every reason."""

    code = "rollout.held"
    status = 409
    exit_code = 3


def start_rollout(
    workspace: Workspace,
    project: str,
    number: int,
    *,
    kind: RolloutKind,
    channel: str,
    by: Principal,
    reason: str,
    days: int,
    share: float = 50.0,
) -> tuple[RolloutPlan, PointerFacts]:
    """Begin a rollout of a version beside the one in service: sign its plan, then the pointer of its first stage.

    Parameters
    ----------
    days : int
        How long each pointer of it holds; longer than a step may take.
    share : float
        Percent of the new version, for a split.

    Raises
    ------
    PermissionDenied
        They may not promote this version.
    Conflict
        A rollout is under way here, or it is the version in service.
    InvalidInput
        It cannot answer what the version in service answers, or the plan does not fit the days.
    SealwrightError
        As `Registry.arrange`.
    """
    allow(workspace, by, "project.view", project_named(project))
    allow(workspace, by, "model.promote", facts_of_version(workspace, project, number))
    registry = workspace.registry
    current = registry.current(project, channel)
    version = registry.version(project, number)
    if current.arms:
        raise Conflict(f"A rollout is under way on {project}/{channel}. See: sealwright rollout status {project}")
    if version.package == current.package:
        raise Conflict(f"Version {number} answers everything on {project}/{channel} already.")
    if kind not in get_args(RolloutKind):
        raise InvalidInput(f"A rollout is one of {', '.join(get_args(RolloutKind))}; got {str(kind)[:40]!r}.")
    package = registry.package(version.package)
    spec = frozen_spec(package)
    _refuse_unfit(registry.package(current.package), package, kind, spec, days)
    plan = RolloutPlan(
        id=new_id("rol"),
        kind=kind,
        project=project,
        channel=channel,
        champion=current.number,
        champion_package=current.package,
        challenger=number,
        challenger_package=version.package,
        shares=_shares(kind, spec, share),
        split=new_split(),
        days=days,
        spec=spec,
        by=by.counts_as,
        by_machine=by.proof == "machine_account",
        reason=" ".join(reason.split()),
        made_at=workspace.clock(),
    )
    file_plan(workspace, plan)
    return plan, move_to(workspace, plan, 0, after=current, by=by.counts_as, words=reason)


def advance_rollout(workspace: Workspace, project: str, *, channel: str, by: Principal, reason: str) -> PointerFacts:
    """Go to the next stage of the plan, before its time if need be; not against a broken limit.

    Raises
    ------
    PermissionDenied
        They may not promote the new version.
    RolloutHeld
        A limit is broken.
    NoRollout, Conflict
        There is none, or it is at its last stage.
    """
    allow(workspace, by, "project.view", project_named(project))
    status = _moved_by(workspace, project, channel, by)
    if status.is_last:
        raise Conflict("This is the last stage. End it with: sealwright rollout promote, or rollout back.")
    return move_to(workspace, status.plan, status.stage + 1, after=status.pointer, by=by.counts_as, words=reason)


def promote_rollout(workspace: Workspace, project: str, *, channel: str, by: Principal, reason: str) -> PointerFacts:
    """The new version answers everything from now on. Raises as `advance_rollout`."""
    allow(workspace, by, "project.view", project_named(project))
    status = _moved_by(workspace, project, channel, by)
    return end_with(
        workspace, status.plan, after=status.pointer, by=by.counts_as, words=reason, number=status.plan.challenger
    )


def go_back(workspace: Workspace, project: str, *, channel: str, by: Principal, reason: str) -> PointerFacts:
    """The old version answers everything from now on: one signed pointer, whatever was measured.

    Raises
    ------
    PermissionDenied
        They may not roll back.
    NoRollout
        There is none here.
    """
    allow(workspace, by, "project.view", project_named(project))
    plan, facts = _under_way(workspace, project, channel)
    allow(workspace, by, "model.rollback", facts_of_version(workspace, project, plan.champion))
    return back(workspace, plan, after=facts, by=by.counts_as, words=reason)


def stop_rollout(workspace: Workspace, project: str, *, channel: str, by: Principal, reason: str) -> PointerFacts:
    """Whichever version is champion now answers everything; shadows and what waits beside it are let go."""
    allow(workspace, by, "project.view", project_named(project))
    plan, facts = _under_way(workspace, project, channel)
    allow(workspace, by, "model.rollback", facts_of_version(workspace, project, facts.number))
    return end_with(workspace, plan, after=facts, by=by.counts_as, words=reason, number=facts.number)


def report_outcomes(
    workspace: Workspace, project: str, outcomes: Mapping[str, float], *, channel: str, by: Principal
) -> int:
    """Take in what became of decisions: by their ids, in the unit of the metric. A later report of one replaces the earlier.

    Raises
    ------
    PermissionDenied
        They may not judge this project's model.
    InvalidInput
        Nothing, too many, an id that is none, or a number that is not finite.
    """
    allow(workspace, by, "project.view", project_named(project))
    allow(workspace, by, "model.assess", project_named(project))
    if not 1 <= len(outcomes) <= _MOST_OUTCOMES:
        raise InvalidInput(f"Report 1 to {_MOST_OUTCOMES:,} outcomes at once; got {len(outcomes):,}.")
    for one, value in outcomes.items():
        if not one.startswith("dec_") or not one.isascii() or value != value or abs(value) > 1e15:
            raise InvalidInput(f"An outcome is a decision's id and a finite number; got {one[:40]!r}.")
    data = msgspec.json.encode(dict(outcomes))
    key = workspace.keyring.key("decisions", OUTCOMES_KEY_PURPOSE)
    sealed = seal(key, data, aad=outcomes_aad(project, channel))
    detail = {"project": project, "channel": channel, "outcomes": len(outcomes)}
    workspace.ledger.append(OUTCOMES, digest_of(sealed), detail, attachment=sealed, actor=by.counts_as)
    return len(outcomes)


def frozen_spec(package: VerifiedPackage) -> RolloutSpec:
    """Steps and limits as the charter of this package froze them, before there were results; the defaults where it has none."""
    serving = read_charter(package.statements["charter"].predicate).sections.get("serving", {})
    return RolloutSpec.model_validate(serving.get("rollout") or {})


def move_to(
    workspace: Workspace, plan: RolloutPlan, stage: int, *, after: PointerFacts, by: str, words: str
) -> PointerFacts:
    """One stage of the plan, if `after` is still the newest pointer. The caller has asked whether it may be."""
    return workspace.registry.arrange(
        plan.project,
        plan.channel,
        plan.stages[stage],
        split=plan.split,
        by=by,
        reason=_said(plan, f"stage {stage + 1} of {len(plan.stages)}", words),
        days=plan.days,
        expected=after.sequence,
    )


def end_with(
    workspace: Workspace, plan: RolloutPlan, *, after: PointerFacts, by: str, words: str, number: int
) -> PointerFacts:
    """The rollout ends with this version, if `after` is still the newest pointer."""
    return workspace.registry.promote(
        plan.project,
        number,
        plan.channel,
        by,
        _said(plan, "end", words),
        plan.days,
        expected=after.sequence,
    )


def back(workspace: Workspace, plan: RolloutPlan, *, after: PointerFacts, by: str, words: str) -> PointerFacts:
    """The rollout ends with the version that served before it, if `after` is still the newest pointer."""
    return workspace.registry.rollback(
        plan.project,
        plan.channel,
        plan.champion,
        by,
        _said(plan, "back", words),
        plan.days,
        expected=after.sequence,
    )


def _under_way(workspace: Workspace, project: str, channel: str) -> tuple[RolloutPlan, PointerFacts]:
    """Plan and newest pointer, without reading what was measured: going back waits for nothing. The caller has asked."""
    history = workspace.registry_to_read.history(project, channel)
    plan = plan_of(workspace, history[-1]) if history else None
    if plan is None:
        raise NoRollout(f"No rollout is under way on {project}/{channel}.")
    return plan, history[-1]


def _moved_by(workspace: Workspace, project: str, channel: str, by: Principal) -> RolloutStatus:
    """Where it is, for somebody who may move it forward and is not held by a limit."""
    plan, _ = _under_way(workspace, project, channel)
    allow(workspace, by, "model.promote", facts_of_version(workspace, project, plan.challenger))
    status = rollout_status(workspace, project, channel=channel, by=by)
    if status.verdict.word == "roll_back":
        reasons = "\n".join(f"  - {one}" for one in status.verdict.reasons)
        raise RolloutHeld(
            f"A limit of the rollout is broken:\n{reasons}\nGo back with: sealwright rollout back {project}"
        )
    return status


def _refuse_unfit(
    champion: VerifiedPackage, challenger: VerifiedPackage, kind: RolloutKind, spec: RolloutSpec, days: int
) -> None:
    why = "" if kind == "shadow" else why_not_in_place_of(Manner.of(champion), Manner.of(challenger))
    if why:
        raise InvalidInput(
            f"This version cannot answer beside the one in service: {why}.\nTry it as a shadow, or promote it at once."
        )
    fairness = spec.limits.fairness
    if fairness is not None and fairness.column not in contract_of(champion.interface).names:
        raise InvalidInput(
            f"The rollout's fairness limit asks for the column {fairness.column!r}, which no request holds.\n"
            "Name a column that the model takes in serving.rollout, and freeze the charter again."
        )
    if days * _MINUTES_A_DAY <= spec.most_minutes:
        raise InvalidInput(
            f"A step may take {spec.most_minutes:g} minutes, and a pointer of {days} days would end before.\n"
            "Give more --days."
        )


def _shares(kind: RolloutKind, spec: RolloutSpec, share: float) -> tuple[int, ...]:
    if kind == "canary":
        return tuple(round(percent * WHOLE / 100) for percent in spec.steps)
    part = round(share * WHOLE / 100)
    if kind == "split" and not 0 < part < WHOLE:
        raise InvalidInput("A split gives each version a part: a share above 0 and below 100 percent.")
    return (part,) if kind == "split" else ()


def _said(plan: RolloutPlan, what: str, words: str) -> str:
    return f"{plan.id}, {what}: {' '.join(words.split())}"[:500]
