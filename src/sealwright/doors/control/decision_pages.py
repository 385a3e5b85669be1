"""Decisions in the console: looked for by time, person, outcome and version; one of them with what it rests on.

Answers: what was decided, and does the ledger have it? Reading takes a person who may read the project's data, a second factor and
a reason, and is on record before the first decision is shown: it is the verb of the terminal that reads.
What is asked for comes as a form, never in an address, so that no person's name stands in a browser's history or a log.
"""

from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from sealwright.doors.control.answers import page
from sealwright.doors.control.door import caller_of
from sealwright.doors.control.forms import DecisionForm, DecisionsForm, read_form
from sealwright.doors.control.router import ControlRouter
from sealwright.kernel import check_name, from_rfc3339, rfc3339
from sealwright.pipeline import (
    DecisionProof,
    FoundDecision,
    SoughtDecisions,
    Workspace,
    find_decision,
    find_newest_decisions,
    proof_of_decision,
    served_projects,
)
from sealwright.trust import Principal

__all__ = ["DecisionPages"]

_MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class DecisionPages:
    """Handlers."""

    workspace: Workspace

    def add_to(self, routes: ControlRouter) -> None:
        """Put the pages into the table."""
        one = {"action": "project.view", "resource": "project:{project}"}
        routes.add("GET", "/decisions", self.projects, kind="page", action="workspace.view")
        routes.add("GET", "/decisions/{project}", self.ask, kind="page", **one)
        routes.add("POST", "/decisions/{project}", self.find, kind="page", **one)
        routes.add("POST", "/decisions/{project}/one", self.show, kind="page", **one)

    async def projects(self, request: Request) -> Response:
        return page(request, "decisions_of", projects=await run_in_threadpool(served_projects, self.workspace))

    async def ask(self, request: Request) -> Response:
        return page(request, "decisions", project=_project(request), form=None, found=(), more=False)

    async def find(self, request: Request) -> Response:
        """The decisions that fit, newest first, as far as one page holds them."""
        project, by = _project(request), caller_of(request).principal
        request.state.back = f"/decisions/{project}"
        form = read_form(request, DecisionsForm)
        found = await run_in_threadpool(lambda: self._found(project, form, by))
        return page(
            request, "decisions", project=project, form=form, found=found[:_MOST_SHOWN], more=len(found) > _MOST_SHOWN
        )

    async def show(self, request: Request) -> Response:
        """One decision, its receipt, and what it rests on."""
        project, by = _project(request), caller_of(request).principal
        request.state.back = f"/decisions/{project}"
        form = read_form(request, DecisionForm)
        found, proof = await run_in_threadpool(lambda: self._one(project, form, by))
        facts: dict[str, Any] = {"one": found, "said": found.to_json(), "proof": proof}
        return page(request, "decision", project=project, receipt=proof.receipt.decode(), **facts)

    def _found(self, project: str, form: DecisionsForm, by: Principal) -> list[FoundDecision]:
        sought = SoughtDecisions(
            since=_moment(form.since),
            until=_moment(form.until),
            channel=form.channel.strip(),
            person=form.person.strip(),
            label=form.label.strip(),
            number=int(form.version or 0),
        )
        with self.workspace.beside() as own:
            return find_newest_decisions(own, project, sought, _MOST_SHOWN + 1, by=by, reason=form.reason)

    def _one(self, project: str, form: DecisionForm, by: Principal) -> tuple[FoundDecision, DecisionProof]:
        with self.workspace.beside() as own:
            found = find_decision(own, project, form.decision.strip(), by=by, reason=form.reason)
            return found, proof_of_decision(own, project, found)


def _project(request: Request) -> str:
    return check_name(request.path_params["project"], what="project")


def _moment(text: str) -> str:
    """What a browser's date field holds, in UTC; "" where it was left out."""
    if not text:
        return ""
    return rfc3339(from_rfc3339(f"{text[:16]}:00.000Z" if "T" in text else f"{text}T00:00:00.000Z"))
