"""The plan of a rollout: who takes over from whom, in which stages, by which limits; signed before the first of them.

Answers: what was planned, by whom, and which arms has each stage?
Does not answer: how far it is. The pointer in force says that; plan and pointer belong together by their salt.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from pydantic import ValidationError

from sealwright.evidence import StatementStore, verify_any
from sealwright.kernel import (
    InvalidInput,
    VerificationFailed,
    check_name,
    from_rfc3339,
    hex_of,
    rfc3339,
)
from sealwright.pipeline.desk import evidence_of
from sealwright.pipeline.workspace import Workspace
from sealwright.registry import PointerFacts
from sealwright.serving import RolloutSpec
from sealwright.trust import WHOLE, PointerArm, check_arms, make_statement, read_split, sign_statement

__all__ = ["PLAN_TYPE", "RolloutKind", "RolloutPlan", "file_plan", "new_split", "plan_of"]

PLAN_TYPE = "urn:sealwright:predicate:rollout-plan:v1"
RolloutKind = Literal["canary", "split", "shadow", "blue-green"]
_MOST_PLANS = 200  # of one project that are looked through, the newest first
_NAMES = {"canary": ("champion", "challenger"), "split": ("champion", "challenger"), "shadow": ("champion", "shadow")}


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutPlan:
    """What somebody who may promote decided. Everything that acts later follows it, or goes back."""

    id: str
    kind: RolloutKind
    project: str
    channel: str
    champion: int  # version numbers
    champion_package: str
    challenger: int
    challenger_package: str
    shares: tuple[int, ...]  # of the challenger, in 1/10,000, stage by stage; not used by shadow and blue-green
    split: str
    days: int  # each pointer holds so long
    spec: RolloutSpec  # limits, as frozen with the challenger's charter
    by: str
    by_machine: bool  # whoever opened the workspace on its machine, not somebody enrolled
    reason: str
    made_at: datetime

    @property
    def stages(self) -> tuple[tuple[PointerArm, ...], ...]:
        """The arms of each stage, in order."""
        if self.kind == "blue-green":
            blue, green = (self._arm(name, new=name == "green") for name in ("blue", "green"))
            return (
                (blue("champion", WHOLE), green("challenger", 0)),
                (green("champion", WHOLE), blue("challenger", 0)),
            )
        old, new = _NAMES[self.kind]
        champion, other = self._arm(old, new=False), self._arm(new, new=True)
        if self.kind == "shadow":
            return ((champion("champion", WHOLE), other("shadow", 0)),)
        return tuple((champion("champion", WHOLE - part), other("challenger", part)) for part in self.shares)

    def stage_of(self, facts: PointerFacts) -> int:
        """Which stage a pointer is, counted from 0.

        Raises
        ------
        VerificationFailed
            It is none of this plan's.
        """
        for at, arms in enumerate(self.stages):
            if arms == facts.arms:
                return at
        raise VerificationFailed(
            f"The pointer of {self.project}/{self.channel} has arms that {self.id} does not plan.\n"
            "End it with: sealwright rollout back, and start another.",
            link="pointer",
        )

    @property
    def new_arm(self) -> str:
        """The name of the arm that may take over."""
        return "green" if self.kind == "blue-green" else _NAMES[self.kind][1]

    @property
    def old_arm(self) -> str:
        return "blue" if self.kind == "blue-green" else _NAMES[self.kind][0]

    def to_json(self) -> dict[str, Any]:
        said = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return said | {
            "shares": list(self.shares),
            "spec": self.spec.model_dump(mode="json"),
            "made_at": rfc3339(self.made_at),
        }

    def _arm(self, name: str, *, new: bool) -> Any:
        """A maker of the arm of one version, by role and share."""
        number, package = (self.challenger, self.challenger_package) if new else (self.champion, self.champion_package)
        return lambda role, share: PointerArm(name=name, package=package, number=number, share=share, role=role)


def new_split() -> str:
    """A salt of its own for each rollout: otherwise the same people would be the first to try everything."""
    return secrets.token_hex(16)


def file_plan(workspace: Workspace, plan: RolloutPlan) -> str:
    """Sign the plan, put it on file and into the ledger; returns the digest of the statement."""
    for arms in plan.stages:
        check_arms(arms)
    about = [
        (f"{plan.project}/{plan.challenger}", plan.challenger_package),
        (f"{plan.project}/{plan.champion}", plan.champion_package),
    ]
    statement = make_statement(about, PLAN_TYPE, {"format": 1, **plan.to_json()})
    envelope = sign_statement(statement, workspace.keyring.signer("statements"))
    return evidence_of(workspace).file_statement(envelope, project=plan.project, actor=plan.by).digest


def plan_of(workspace: Workspace, facts: PointerFacts) -> RolloutPlan | None:
    """The plan that a pointer belongs to; None where it is no part of a rollout.

    Raises
    ------
    VerificationFailed
        The pointer has arms, and no plan for them is on file; or one on file was changed.
    """
    if not facts.arms:
        return None
    for filed in reversed(StatementStore(workspace.db).of_project(facts.project, PLAN_TYPE, newest=_MOST_PLANS)):
        plan = _read(verify_any(filed.envelope, workspace.trust_root).predicate)
        if (plan.project, plan.channel, plan.split) == (facts.project, facts.channel, facts.split):
            return plan
    raise VerificationFailed(
        f"The pointer of {facts.project}/{facts.channel} shares requests among several versions, and no plan for that is "
        "on file.\nEnd it by promoting one version.",
        link="pointer",
    )


def _read(said: Mapping[str, Any]) -> RolloutPlan:
    try:
        if said["format"] != 1 or said["kind"] not in get_args(RolloutKind):
            raise InvalidInput("another format")
        for package in (said["champion_package"], said["challenger_package"]):
            hex_of(package)
        values = {name: said[name] for name in RolloutPlan.__dataclass_fields__}
        return RolloutPlan(
            **values
            | {
                "project": check_name(said["project"], what="project"),
                "channel": check_name(said["channel"], what="channel"),
                "shares": tuple(said["shares"]),
                "split": read_split(said["split"]),
                "spec": RolloutSpec.model_validate(said["spec"]),
                "made_at": from_rfc3339(said["made_at"]),
            }
        )
    except (InvalidInput, ValidationError, KeyError, TypeError) as error:
        raise VerificationFailed(f"A rollout's plan on file cannot be read: {error}", link="rollout plan") from None
