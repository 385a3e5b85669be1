"""Rollouts in the console: what is under way where, and one of them with what is found so far and who must act.

Answers: may it go on, and why not; who may move it; how did it come to this?
A page and its API answer from the same view. What moves a rollout here is the verb the terminal has, with its permission.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, RedirectResponse

from sealwright.doors.control.answers import page
from sealwright.doors.control.door import caller_of
from sealwright.doors.control.forms import RolloutForm, read_form
from sealwright.doors.control.router import ControlRouter
from sealwright.kernel import NotFound, SealwrightError, check_name, rfc3339
from sealwright.pipeline import (
    NoRollout,
    RolloutStatus,
    RolloutWatch,
    Workspace,
    advance_rollout,
    facts_of_version,
    go_back,
    permissions_of,
    pointer_history,
    promote_rollout,
    stop_rollout,
)
from sealwright.registry import PointerFacts
from sealwright.trust import Principal

__all__ = ["RolloutPages", "RolloutViews"]

_MOST_WATCHED = 16
_MOVES = {"advance": advance_rollout, "promote": promote_rollout, "back": go_back, "stop": stop_rollout}
_LATEST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutFacts:
    """One place of serving: its rollout, if one is under way, and how it came to this."""

    project: str
    channel: str
    status: RolloutStatus | None
    current: PointerFacts
    history: list[PointerFacts]  # newest first
    movers: list[str]  # who may put versions into service here

    def to_json(self) -> dict[str, Any]:
        return {
            "project": self.project,
            "channel": self.channel,
            "rollout": self.status.to_json() if self.status is not None else None,
            "version": self.current.number,
            "movers": self.movers,
            "history": [_pointer_json(one) for one in self.history],
        }


class RolloutViews:
    """Reads rollouts, and moves them. Safe to use from many threads; each look reads only what is new."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace, self._lock = workspace, threading.Lock()
        self._watches: OrderedDict[tuple[str, str], RolloutWatch] = OrderedDict()

    def places(self) -> list[tuple[str, str]]:
        """Every project and channel that a pointer was signed for."""
        return sorted((path.parent.name, path.stem) for path in self._workspace.folder("pointers").glob("*/*.json"))

    def facts(self, project: str, channel: str, *, by: Principal) -> RolloutFacts:
        """One place as it is now.

        Raises
        ------
        NotFound
            Nothing was ever served there.
        PermissionDenied, VerificationFailed
            As `RolloutWatch.look`.
        """
        with self._workspace.beside() as own:
            history = pointer_history(own, project, channel=channel, by=by)
            if not history:
                raise NotFound("Nothing was ever served there.")
            try:
                with self._lock:  # one look at a time: it reads on from where the last one ended
                    status = self._watch(project, channel).look(own, by)
            except NoRollout:
                status = None
            number = status.plan.challenger if status is not None else history[-1].number
            movers = _movers(own, project, number)
        return RolloutFacts(
            project=project,
            channel=channel,
            status=status,
            current=history[-1],
            history=history[::-1][:_LATEST],
            movers=movers,
        )

    def move(self, project: str, channel: str, what: str, *, by: Principal, reason: str) -> None:
        """Advance, promote, go back or stop.

        Raises
        ------
        SealwrightError
            They may not, a limit is broken, or nothing is under way.
        """
        with self._workspace.beside() as own:
            _MOVES[what](own, project, channel=channel, by=by, reason=reason)

    def _watch(self, project: str, channel: str) -> RolloutWatch:
        found = self._watches.pop((project, channel), None) or RolloutWatch(project, channel)
        self._watches[project, channel] = found
        if len(self._watches) > _MOST_WATCHED:
            self._watches.popitem(last=False)
        return found


@dataclass(frozen=True, slots=True)
class RolloutPages:
    """Handlers."""

    views: RolloutViews

    def add_to(self, routes: ControlRouter) -> None:
        """Put the pages into the table."""
        one = {"action": "project.view", "resource": "project:{project}"}
        routes.add("GET", "/rollouts", self.places, kind="page", action="workspace.view")
        routes.add("GET", "/rollouts/{project}/{channel}", self.show, kind="page", **one)
        routes.add("POST", "/rollouts/{project}/{channel}", self.move, kind="page", **one)
        routes.add("GET", "/api/v1/rollouts/{project}/{channel}", self.api_show, kind="api", **one)

    async def places(self, request: Request) -> Response:
        return page(request, "rollouts", places=await run_in_threadpool(self.views.places))

    async def show(self, request: Request) -> Response:
        facts = await self._facts(request)
        found = facts.status.to_json() if facts.status is not None else None
        return page(request, "rollout", facts=facts, found=found)

    async def move(self, request: Request) -> Response:
        """Move it, and show what came of it."""
        project, channel = _place(request)
        request.state.back = f"/rollouts/{project}/{channel}"
        form, by = read_form(request, RolloutForm), caller_of(request).principal
        await run_in_threadpool(lambda: self.views.move(project, channel, form.move, by=by, reason=form.reason))
        return RedirectResponse(request.state.back, 303)

    async def api_show(self, request: Request) -> Response:
        """The rollout of a channel: arms, what is found so far, who may move it, and the pointers there were."""
        return JSONResponse((await self._facts(request)).to_json())

    async def _facts(self, request: Request) -> RolloutFacts:
        project, channel = _place(request)
        by = caller_of(request).principal
        return await run_in_threadpool(lambda: self.views.facts(project, channel, by=by))


def _movers(workspace: Workspace, project: str, number: int) -> list[str]:
    """Everybody enrolled who may put this version into service."""
    try:
        version = facts_of_version(workspace, project, number)
    except SealwrightError:  # its package cannot be read: nobody may
        return []
    return [one.name for one in permissions_of(workspace).who_may("model.promote", version)]


def _place(request: Request) -> tuple[str, str]:
    given = request.path_params
    return check_name(given["project"], what="project"), check_name(given["channel"], what="channel")


def _pointer_json(one: PointerFacts) -> dict[str, Any]:
    return {
        "sequence": one.sequence,
        "from": rfc3339(one.not_before),
        "version": one.number,
        "arms": [{"arm": arm.name, "version": arm.number, "share": arm.share / 10_000} for arm in one.arms],
        "by": one.by,
        "reason": one.reason,
    }
