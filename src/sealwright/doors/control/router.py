"""The table of routes: no entry without a permission, and none beside it.

Answers: what does a caller need for this address? Deny by default: an entry that does not say it does not start, an open one
must stand in the one list below as well, and a route that came in another way stops the start.
"""

import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute

from sealwright.kernel import Refused

__all__ = ["PUBLIC", "Access", "ControlRouter", "RouteUnprotected", "access_of", "refuse_other_routes"]

PUBLIC = frozenset(
    {
        "GET /",
        "GET /health/live",
        "GET /health/ready",
        "GET /static/{name}",
        "GET /.well-known/security.txt",
        "GET /enrol/{token}",
        "POST /enrol/{token}",
        "GET /login",
        "POST /login",
        "POST /login/second",
        "GET /login/provider",
        "GET /login/provider/back",
        "POST /oauth/token",
        "POST /oauth/introspect",
        "POST /oauth/revoke",
        "GET /oauth/jwks.json",
        "GET /.well-known/oauth-authorization-server",
    }
)
"""Everything a stranger may reach. Adding a line here is a decision to be reviewed."""

Kind = Literal["page", "api", "file"]
_PATH = re.compile(r"/(?:[A-Za-z0-9._-]+|\{[a-z]+\})?(?:/(?:[A-Za-z0-9._-]+|\{[a-z]+\}))*")
_ACTION = re.compile(r"[a-z][a-z_]*(?:\.[a-z_]+)?")


class RouteUnprotected(Refused):
    """A route says not what it needs, so nothing is served."""

    code = "control.route_unprotected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What one route asks of its caller, and how it is used."""

    method: str
    path: str
    kind: Kind  # page: browsers, with cookies. api: programs, without. file: a static file
    action: str = ""  # the permission it needs
    resource: str = ""  # on what, e.g. "project:{project}"; "": the workspace
    open_to: Literal["", "anyone", "logged_in"] = ""
    scripts: bool = False  # this page loads a script file of ours

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    def check(self) -> "Access":
        """The same entry, if it can be relied on.

        Raises
        ------
        RouteUnprotected
            Neither permission nor an explicit word, both of them, or open without standing in `PUBLIC`.
        """
        if bool(self.action) == bool(self.open_to):
            raise RouteUnprotected(f"{self.name} needs either an action or open_to. Nothing is served.")
        if self.action and not _ACTION.fullmatch(self.action):
            raise RouteUnprotected(f"{self.name} needs an action like ledger.read; got {self.action!r}.")
        if self.open_to not in ("", "anyone", "logged_in"):
            raise RouteUnprotected(f"{self.name} is open to {self.open_to!r}, which is nobody we know.")
        if (self.open_to == "anyone") != (self.name in PUBLIC):
            raise RouteUnprotected(
                f"{self.name} is open to anyone in one place and not in the other. Nothing is served."
            )
        if not _PATH.fullmatch(self.path) or not self.method.isupper():
            raise RouteUnprotected(f"{self.name} cannot be matched. Nothing is served.")
        return self


class _Guarded(APIRoute):
    """A route whose caller is looked at before its body is."""

    access: Access

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            await request.app.state.door.let_in(request, access_of(self))
            answer: Response = await inner(request)
            return answer

        return guarded


class ControlRouter:
    """Collects routes; `build_into` puts them into an application once all of them are checked."""

    def __init__(self) -> None:
        self._entries: list[tuple[Access, Callable[..., Any]]] = []

    def add(self, method: str, path: str, endpoint: Callable[..., Any], *, kind: Kind, **access: Any) -> None:
        """One more route; what `access` may say stands in `Access`."""
        self._entries.append((Access(method=method, path=path, kind=kind, **access), endpoint))

    @property
    def entries(self) -> tuple[Access, ...]:
        return tuple(access for access, _ in self._entries)

    def build_into(self, app: FastAPI) -> None:
        """Put every route into `app`.

        Raises
        ------
        RouteUnprotected
            One of them does not say what it needs, or stands there twice.
        """
        seen: set[str] = set()
        for access, endpoint in self._entries:
            if access.check().name in seen:
                raise RouteUnprotected(f"{access.name} stands in the table twice. Nothing is served.")
            seen.add(access.name)
            route = _Guarded(
                access.path,
                endpoint,
                methods=[access.method],
                response_model=None,
                include_in_schema=access.kind == "api",
            )
            route.access = access
            app.router.routes.append(route)
        refuse_other_routes(app)


def access_of(route: object) -> Access:
    """What a route asks.

    Raises
    ------
    RouteUnprotected
        It is none of ours.
    """
    access = getattr(route, "access", None)
    if not isinstance(route, _Guarded) or not isinstance(access, Access):
        raise RouteUnprotected(f"{getattr(route, 'path', route)!s} did not come through the table. Nothing is served.")
    return access


def refuse_other_routes(app: FastAPI) -> None:
    """Refuse an application that has a route beside the table: a mount, a websocket, one added by hand.

    Raises
    ------
    RouteUnprotected
    """
    for route in app.routes:
        access_of(route)
