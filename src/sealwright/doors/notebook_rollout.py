"""Rollouts in a notebook: the verbs of `sealwright rollout`, on an object, and a status that shows itself as a page.

rollout = ws.rollout("credit")
rollout.start(2, reason="Trained on the winter's data")
rollout.status()
rollout.back(reason="Complaints from the branches")
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sealwright.doors.rollout_picture import picture_of
from sealwright.kernel import Conflict, safe_html
from sealwright.pipeline import (
    NoRollout,
    RolloutMove,
    RolloutPlan,
    RolloutStatus,
    RolloutWatch,
    Workspace,
    advance_rollout,
    go_back,
    move_by_plan,
    promote_rollout,
    report_outcomes,
    start_rollout,
    stop_rollout,
)
from sealwright.registry import PointerFacts
from sealwright.serving import ServingSpec
from sealwright.trust import Principal

__all__ = ["Rollout", "StatusShown"]

_WORDS = {"promote": "goes on", "hold": "waits", "roll_back": "goes back"}
_COLUMNS = (
    "arm",
    "version",
    "share",
    "answered",
    "failed",
    "refused",
    "p95_ms",
    "mean_score",
    "outcomes",
    "mean_outcome",
)


@dataclass(frozen=True, slots=True)
class StatusShown:
    """A rollout at one moment. In a notebook: both arms, every limit beside what was found, and what follows."""

    status: RolloutStatus

    @property
    def verdict(self) -> str:
        """ "promote", "hold" or "roll_back"."""
        return self.status.verdict.word

    @property
    def reasons(self) -> list[str]:
        """Why it does not go on; nothing where it does."""
        return self.status.verdict.reasons

    def to_json(self) -> dict[str, Any]:
        """As `sealwright rollout status --json`."""
        return self.status.to_json()

    def __str__(self) -> str:
        found = self.to_json()
        place = f"{found['project']}/{found['channel']}: {found['kind']}, stage {found['stage']} of {found['stages']}"
        lines = [f"{place}, {_WORDS[self.verdict]}"]
        lines += [f"  - {one}" for one in self.reasons]
        return "\n".join([*lines, f"  next: {found['next']}"])

    def _repr_html_(self) -> str:
        found = self.to_json()
        head = "".join(f"<th>{name.replace('_', ' ')}</th>" for name in _COLUMNS)
        rows = "".join(
            "<tr>" + "".join(f"<td>{safe_html(_cell(name, arm[name]))}</td>" for name in _COLUMNS) + "</tr>"
            for arm in found["arms"]
        )
        reasons = "".join(f"<li>{safe_html(one)}</li>" for one in self.reasons)
        return (
            f"<div><p><b>{safe_html(found['project'])}/{safe_html(found['channel'])}</b>: {safe_html(found['kind'])}, "
            f"stage {found['stage']} of {found['stages']}, {found['minutes']:,.1f} minutes: "
            f"<b>{_WORDS[self.verdict]}</b></p>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
            f"{picture_of(self.status.verdict)}<ul>{reasons}</ul><p>Next: {safe_html(found['next'])}</p></div>"
        )


class Rollout:
    """The rollout of one project on one channel."""

    def __init__(self, opened: Workspace, name: str, spec: ServingSpec, by: Callable[[], Principal]) -> None:
        self._opened, self._name, self._spec, self._by = opened, name, spec, by
        self._watch = RolloutWatch(name, spec.channel)

    def start(
        self,
        number: int,
        *,
        reason: str,
        kind: Literal["canary", "split", "shadow", "blue-green"] = "canary",
        share: float = 50.0,
        days: int | None = None,
    ) -> RolloutPlan:
        """Begin: sign the plan with the limits that the version's charter froze, and the pointer of the first stage.

        Parameters
        ----------
        share : float
            Percent of a split.
        days : int, optional
            How long a pointer is good; left out: as the project file says.

        Raises
        ------
        SealwrightError
            It does not fit beside the version in service, a package does not verify, or you may not.
        """
        plan, _ = start_rollout(
            self._opened, self._name, number, kind=kind, channel=self._spec.channel, by=self._by(), reason=reason,
            days=days or self._spec.pointer_days, share=share,
        )  # fmt: skip
        return plan

    def status(self) -> StatusShown:
        """Where it is: arms, requests, errors, times, scores, fairness, metric, and what follows.

        Raises
        ------
        NoRollout
            None is under way.
        """
        return StatusShown(self._watch.look(self._opened, self._by()))

    def watch(self, *, every: float = 2.0) -> Iterator[StatusShown]:
        """Look again and again until it ends; nothing is changed."""
        while True:
            try:
                yield self.status()
            except NoRollout:
                return
            time.sleep(every)

    def run(self, *, once: bool = False, every: float = 5.0) -> RolloutMove | None:
        """Move by itself along the signed plan, or back, until it ends; returns the last move, None where it only waits."""
        last: RolloutMove | None = None
        while True:
            try:
                found = self._watch.look(self._opened, self._by())
                last = move_by_plan(self._opened, found, by=self._by()) or last
            except NoRollout:
                if last is None:
                    raise
                return last
            except Conflict:
                pass  # somebody moved it at the same moment; look again
            if once or (last is not None and last.what != "advanced"):
                return last
            time.sleep(every)

    def advance(self, *, reason: str) -> PointerFacts:
        """Go to the next stage of the plan now, unless a limit is broken."""
        return advance_rollout(self._opened, self._name, channel=self._spec.channel, by=self._by(), reason=reason)

    def promote(self, *, reason: str) -> PointerFacts:
        """The new version answers everything from now on, unless a limit is broken."""
        return promote_rollout(self._opened, self._name, channel=self._spec.channel, by=self._by(), reason=reason)

    def back(self, *, reason: str) -> PointerFacts:
        """The old version answers everything from now on, whatever was measured."""
        return go_back(self._opened, self._name, channel=self._spec.channel, by=self._by(), reason=reason)

    def stop(self, *, reason: str) -> PointerFacts:
        """Whichever version is champion now answers everything."""
        return stop_rollout(self._opened, self._name, channel=self._spec.channel, by=self._by(), reason=reason)

    def outcomes(self, values: Mapping[str, float]) -> int:
        """Report what became of decisions, by their id; returns how many were taken in."""
        return report_outcomes(self._opened, self._name, values, channel=self._spec.channel, by=self._by())

    def __repr__(self) -> str:
        return f"Rollout({self._name!r}, channel={self._spec.channel!r})"


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.2%}" if name == "share" else f"{value:,}" if isinstance(value, int) else str(value)
