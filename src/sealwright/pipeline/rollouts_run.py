"""A rollout that moves by itself: along the plan that somebody who may promote signed, or back. Nothing else.

Answers: what does the plan do now, on what was measured?
Does not answer: what should be planned. It never chooses a part, a limit or a version, and never ends with a version that the
plan does not name.

It remembers nothing: where it is stands in the signed pointer. Killed between any two instructions, it goes on from there.
"""

from dataclasses import dataclass
from typing import Any, Literal

from sealwright.kernel import Refused
from sealwright.pipeline.by_name import project_named
from sealwright.pipeline.permission import allow, enrolled_members
from sealwright.pipeline.rollouts import back, end_with, move_to
from sealwright.pipeline.rollouts_status import RolloutStatus
from sealwright.pipeline.workspace import Workspace
from sealwright.registry import PointerFacts
from sealwright.trust import Principal

__all__ = ["RolloutMove", "move_by_plan"]

_JUDGED = "rollout.judged"


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutMove:
    """What was done: the next stage, the end, or the way back."""

    what: Literal["advanced", "ended", "went_back"]
    pointer: PointerFacts
    reasons: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "moved": self.what,
            "sequence": self.pointer.sequence,
            "version": self.pointer.number,
            "reasons": list(self.reasons),
        }


def move_by_plan(workspace: Workspace, status: RolloutStatus, *, by: Principal) -> RolloutMove | None:
    """Do what the plan says about this status; None where it says to wait.

    Parameters
    ----------
    status : RolloutStatus
        From a look a moment ago; where somebody moved since, nothing is done.

    Raises
    ------
    PermissionDenied
        They may not run the servers of this project.
    Refused
        It would go forward, and who signed the plan is not enrolled any more.
    Conflict
        Somebody else moved it since.
    """
    plan, verdict = status.plan, status.verdict
    allow(workspace, by, "serve.start", project_named(plan.project))
    if verdict.word == "hold":
        return None
    if verdict.word == "promote":
        _refuse_without_author(workspace, status)
    detail = {
        "project": plan.project,
        "channel": plan.channel,
        "plan": plan.id,
        "stage": status.stage + 1,
        "sequence": status.pointer.sequence,
        **verdict.to_json(),
    }
    workspace.ledger.append(_JUDGED, plan.challenger_package, detail, actor=by.counts_as)
    after, words = status.pointer, f"by the plan of {plan.by}"
    if verdict.word == "roll_back":
        reasons = tuple(verdict.reasons)
        pointer = back(workspace, plan, after=after, by=by.counts_as, words=f"{words}; {'; '.join(reasons)}")
        return RolloutMove(what="went_back", pointer=pointer, reasons=reasons)
    if not status.is_last:
        pointer = move_to(workspace, plan, status.stage + 1, after=after, by=by.counts_as, words=words)
        return RolloutMove(what="advanced", pointer=pointer)
    number = plan.champion if plan.kind == "shadow" else plan.challenger
    return RolloutMove(
        what="ended", pointer=end_with(workspace, plan, after=after, by=by.counts_as, words=words, number=number)
    )


def _refuse_without_author(workspace: Workspace, status: RolloutStatus) -> None:
    """A plan speaks for whoever signed it; nobody's does once they left."""
    plan = status.plan
    if plan.by_machine or any(one.name == plan.by for one in enrolled_members(workspace)):
        return
    raise Refused(
        f"{plan.id} was planned by {plan.by}, who is not enrolled any more, so it does not go on.\n"
        "Go back, or have somebody who may promote move it: sealwright rollout advance"
    )
