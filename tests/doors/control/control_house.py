"""A control server for the tests: the real one, with a few people, sessions and routes of the tests' own.

Run as a program with a workspace, it serves until SIGTERM and prints where, and the sessions, as one line of JSON. Sessions are
opaque cookies in a table here; roles become permissions in a table here. Both are small and real: they stand at the same seams
as accounts and policies do.
"""

import asyncio
import json
import secrets
import sys
from pathlib import Path
from typing import Any

from fastapi import Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import JSONResponse, Response

from sealwright.doors.control.answers import attachment
from sealwright.doors.control.console_routes import console_routes
from sealwright.doors.control.process import ControlParts, control_parts, door_ledger, serve_control
from sealwright.doors.control.programs import ProgramTokens
from sealwright.doors.control.router import Access, ControlRouter
from sealwright.doors.control.seams import Asked, Caller
from sealwright.doors.control.settings import control_settings
from sealwright.kernel import Refused
from sealwright.pipeline import open_workspace
from sealwright.trust import EVERY_PROJECT, Audit, Event, KeyFile, Principal, RoleGrant

CANARY = "canary-5b1d"  # stands in a fault's message, and must stand nowhere else
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
PEOPLE = {
    "ada": RoleGrant("data_scientist", "credit"),
    "eve": RoleGrant("data_scientist", "other"),
    "cara": RoleGrant("auditor", EVERY_PROJECT),
}
_MAY = {
    "data_scientist": {"project.view", "project.change"},
    "auditor": {"project.view", "ledger.read", "workspace.view"},
}
COOKIE = "__Host-session"


class Sessions:
    """Knows people by an opaque cookie, programs by their token."""

    def __init__(self, tokens: ProgramTokens) -> None:
        self._tokens = tokens
        self.open = {secrets.token_urlsafe(24): name for name in PEOPLE}

    def caller(self, asked: Asked) -> Caller | None:
        cookie = asked.cookies.get(COOKIE, "")
        name = self.open.get(cookie)  # looked at first: that a cookie does not count beside a token is the door's doing
        if name is None:
            return self._tokens.caller(asked)
        principal = Principal(kind="person", name=name, proof="session", grants=frozenset({PEOPLE[name]}))
        return Caller(principal=principal, session=cookie)


class Roles:
    """Allows what one of somebody's roles may do, in its project; programs by scopes such as "control:project.view"."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    def need(self, principal: Principal, action: str, resource: str, *, request: str, source: str) -> None:
        project = resource.partition(":")[2] if resource.startswith("project:") else EVERY_PROJECT
        by_role = any(action in _MAY[role] for role in principal.roles_in(project))
        if by_role or f"control:{action}" in principal.scopes:
            return
        self._audit.record(
            Event(
                action=action,
                outcome="refused",
                actor=principal.name,
                resource=resource,
                reason="tests.no_role",
                request=request,
                source=source,
            )
        )
        raise Refused("no role")


class Thing(BaseModel):
    """A body of the tests."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    count: int = 0


changes: list[str] = []


def add_routes(routes: ControlRouter) -> None:
    """Routes of the tests: every unsafe method as page and as API, a project, artefacts, a fault, a slow answer."""
    for method in UNSAFE:
        for prefix, kind in (("", "page"), ("/api/v1", "api")):
            routes.add(
                method,
                f"{prefix}/projects/{{project}}/things",
                _change,
                kind=kind,
                action="project.change",
                resource="project:{project}",
            )
    routes.add("GET", "/projects/{project}", _project, kind="page", action="project.view", resource="project:{project}")
    routes.add("GET", "/api/v1/changes", _changes, kind="api", open_to="logged_in")
    routes.add("GET", "/api/v1/artefacts/{artefact}", _artefact, kind="api", open_to="logged_in")
    routes.add("GET", "/api/v1/fault", _fault, kind="api", open_to="logged_in")
    routes.add("GET", "/fault", _fault, kind="page", open_to="logged_in")
    routes.add("GET", "/api/v1/slow", _slow, kind="api", open_to="logged_in")
    routes.add("POST", "/api/v1/things", _thing, kind="api", open_to="logged_in")


def table() -> list[Access]:
    """Every route of the server the tests run: the product's and the tests' own."""
    routes = console_routes(None)  # type: ignore[arg-type]
    add_routes(routes)
    return list(routes.entries)


def address(access: Access) -> str:
    return (
        access.path.replace("{project}", "credit")
        .replace("{index}", "0")
        .replace("{name}", "x")
        .replace("{artefact}", "a.txt")
    )


async def _change(request: Request) -> Response:
    changes.append(f"{request.method} {request.url.path}")
    return JSONResponse({"changed": True})


async def _changes(request: Request) -> Response:
    return JSONResponse(changes)


async def _project(request: Request) -> Response:
    return JSONResponse({"project": request.path_params["project"]})


async def _thing(thing: Thing) -> Response:
    return JSONResponse(thing.model_dump())


async def _artefact(request: Request) -> Response:
    name = request.path_params["artefact"]
    kind = {"svg": "image/svg+xml", "html": "text/html", "js": "text/javascript", "xml": "application/xml"}.get(
        name.rpartition(".")[2], "text/plain"
    )
    return attachment(b"<svg onload=alert(1)><script>alert(1)</script>", name=name, media_type=kind)


async def _fault(request: Request) -> Response:
    raise RuntimeError(f"{CANARY} at /secret/place")


async def _slow(request: Request) -> Response:
    await asyncio.sleep(1.0)
    return JSONResponse({"slow": True})


def main(home: Path, key: Path, options: dict[str, Any]) -> None:
    with open_workspace(home, KeyFile(key)) as workspace:
        settings = control_settings(workspace, None, {"port": 0, **options})
        with door_ledger(workspace) as audit:
            usual = control_parts(workspace, audit, settings)
            sessions = Sessions(ProgramTokens(lambda: workspace.trust_root, workspace.clock))
            usual.console.login_path = "/login"
            usual.console.logout_path = "/logout"
            add_routes(usual.routes)
            parts = ControlParts(
                authenticator=sessions,
                gate=Roles(audit),
                audit=audit,
                routes=usual.routes,
                console=usual.console,
            )

            def ready(port: int) -> None:
                cookies = {name: f"{COOKIE}={session}" for session, name in sessions.open.items()}
                print(
                    json.dumps({"port": port, "ca": str(settings.ca) if settings.ca else None, "cookies": cookies}),
                    flush=True,
                )

            serve_control(workspace, settings, parts, ready=ready)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3]))
