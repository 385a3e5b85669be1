"""Where a rollout is: its plan, its stage, what each arm did, and what follows from that.

Answers: how far is it, how do both versions do, and may it go on?
Does not answer: nothing is changed here. `rollouts` moves it, `rollouts_run` moves it by itself.
"""

from dataclasses import dataclass
from typing import Any

from sealwright.kernel import NotFound, rfc3339
from sealwright.pipeline.by_name import project_named
from sealwright.pipeline.permission import allow
from sealwright.pipeline.rollouts_judgement import Observed, Verdict, judge, judge_waiting, not_loaded
from sealwright.pipeline.rollouts_plan import RolloutPlan, plan_of
from sealwright.pipeline.rollouts_seen import Seen
from sealwright.pipeline.rollouts_statistics import percentile
from sealwright.pipeline.workspace import Workspace
from sealwright.registry import PointerFacts
from sealwright.serving import milliseconds_of
from sealwright.trust import Principal

__all__ = ["NoRollout", "RolloutStatus", "RolloutWatch", "rollout_status"]


class NoRollout(NotFound):
    """One version answers everything here."""

    code = "rollout.none"


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutStatus:
    """A rollout at one moment."""

    plan: RolloutPlan
    pointer: PointerFacts
    stage: int  # from 0
    minutes: float  # since it began
    old: Observed
    new: Observed
    verdict: Verdict

    @property
    def is_last(self) -> bool:
        return self.stage == len(self.plan.stages) - 1

    @property
    def next(self) -> str:
        """What the plan does next, in words."""
        plan = self.plan
        if not self.is_last:
            arms = plan.stages[self.stage + 1]
            return ", ".join(f"{arm.name} {arm.share / 100:g} %" for arm in arms if arm.role != "shadow")
        return "end the shadow" if plan.kind == "shadow" else f"version {plan.challenger} answers everything"

    def to_json(self) -> dict[str, Any]:
        return {
            "rollout": self.plan.id,
            "kind": self.plan.kind,
            "project": self.plan.project,
            "channel": self.plan.channel,
            "planned_by": self.plan.by,
            "reason": self.plan.reason,
            "sequence": self.pointer.sequence,
            "until": rfc3339(self.pointer.expires),
            "stage": self.stage + 1,
            "stages": len(self.plan.stages),
            "minutes": round(self.minutes, 2),
            "arms": [_arm_json(one) for one in (self.old, self.new)],
            **self.verdict.to_json(),
            "next": self.next,
        }


class RolloutWatch:
    """Looks at one place again and again; each look reads only what is new."""

    def __init__(self, project: str, channel: str) -> None:
        self._project, self._channel = project, channel
        self._seen: tuple[str, Seen] | None = None

    def look(self, workspace: Workspace, by: Principal) -> RolloutStatus:
        """The rollout as it is now.

        Raises
        ------
        PermissionDenied
            They may not see the project.
        NoRollout
            There is none here.
        VerificationFailed
            Pointer, plan or a record is not what was signed.
        """
        allow(workspace, by, "project.view", project_named(self._project))
        registry = workspace.registry_to_read
        facts = registry.current(self._project, self._channel)
        plan = plan_of(workspace, facts)
        if plan is None:
            raise NoRollout(
                f"Version {facts.number} answers everything as {self._project}/{self._channel}; no rollout is under way.\n"
                "Begin one with: sealwright rollout start"
            )
        if self._seen is None or self._seen[0] != plan.id:
            self._seen = (plan.id, Seen(plan, registry.package(plan.champion_package).interface))
        seen = self._seen[1]
        seen.read_on(workspace)
        return _status(plan, facts, registry.history(self._project, self._channel), seen, workspace)


def rollout_status(workspace: Workspace, project: str, *, channel: str, by: Principal) -> RolloutStatus:
    """One look. Raises as `RolloutWatch.look`."""
    allow(workspace, by, "project.view", project_named(project))
    return RolloutWatch(project, channel).look(workspace, by)


def _status(
    plan: RolloutPlan, facts: PointerFacts, history: list[PointerFacts], seen: Seen, workspace: Workspace
) -> RolloutStatus:
    stage = plan.stage_of(facts)
    named = {arm.name: arm for arm in facts.arms}
    new = seen.observed(facts.sequence, named[plan.new_arm])
    old = seen.observed(_sequence_with_old(plan, facts, history), named[plan.old_arm])
    minutes = max(0.0, (workspace.clock() - facts.not_before).total_seconds() / 60)
    refused = seen.refused.get((facts.sequence, plan.new_arm), "")
    if refused:
        verdict = not_loaded(refused)
    elif plan.kind == "blue-green" and stage == 0:
        verdict = judge_waiting(old, plan.spec, minutes=minutes)
    else:
        verdict = judge(old, new, plan.spec, minutes=minutes, shadow=plan.kind == "shadow")
    return RolloutStatus(plan=plan, pointer=facts, stage=stage, minutes=minutes, old=old, new=new, verdict=verdict)


def _sequence_with_old(plan: RolloutPlan, facts: PointerFacts, history: list[PointerFacts]) -> int:
    """The newest pointer of this plan under which the old version answered: what the new one is compared with."""
    for one in reversed(history):
        if one.split == plan.split and any(arm.name == plan.old_arm and arm.share for arm in one.arms):
            return one.sequence
    return facts.sequence


def _arm_json(one: Observed) -> dict[str, Any]:
    p95 = percentile(one.times, 0.95, alpha=0.05)
    return {
        "arm": one.arm,
        "version": one.number,
        "share": one.share / 10_000,
        "answered": one.answered,
        "failed": one.failed,
        "refused": one.refused,
        "left_out": one.left_out,
        "p95_ms": round(milliseconds_of(p95[0]), 2) if p95 else None,
        "mean_score": round(float(one.scores.mean()), 4) if len(one.scores) else None,
        "selection": {name: round(chosen / n, 4) for name, (chosen, n) in sorted(one.groups.items()) if n},
        "outcomes": one.outcomes.n,
        "mean_outcome": round(one.outcomes.mean, 4) if one.outcomes.n else None,
        "compared": one.compared,
        "agreed": one.agreed,
    }
