"""The console's pages and the API beside them: every route of this server in one table.

Answers: what is there? A page and its API answer from the same view, so they cannot differ.
"""

import threading
from dataclasses import asdict

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, PlainTextResponse

from sealwright.doors.control.answers import attachment, page
from sealwright.doors.control.console import Console
from sealwright.doors.control.door import caller_of
from sealwright.doors.control.refusals import NothingHere
from sealwright.doors.control.router import ControlRouter
from sealwright.doors.control.statics import STATIC_FILES
from sealwright.doors.control.views import Views, entry_number
from sealwright.kernel import Conflict, VerificationFailed

__all__ = ["console_routes"]


def console_routes(views: Views) -> ControlRouter:
    """The table. Others add their routes to it before the application is built."""
    routes, pages = ControlRouter(), _Pages(views)
    routes.add("GET", "/", pages.start, kind="page", open_to="anyone")
    routes.add("GET", "/health/live", _live, kind="api", open_to="anyone")
    routes.add("GET", "/health/ready", _ready, kind="api", open_to="anyone")
    routes.add("GET", "/static/{name}", _static, kind="file", open_to="anyone")
    routes.add("GET", "/.well-known/security.txt", _security_txt, kind="api", open_to="anyone")
    routes.add("GET", "/ledger", pages.ledger, kind="page", action="ledger.read")
    routes.add("POST", "/ledger/verify", pages.verify, kind="page", action="ledger.read")
    routes.add("GET", "/keys", pages.keys, kind="page", action="workspace.view")
    routes.add("GET", "/api/v1/me", _me, kind="api", open_to="logged_in")
    routes.add("GET", "/api/v1/openapi.json", _openapi, kind="api", open_to="logged_in")
    routes.add("GET", "/api/v1/ledger", pages.api_ledger, kind="api", action="ledger.read")
    routes.add("GET", "/api/v1/ledger/checkpoint", pages.api_checkpoint, kind="api", action="ledger.read")
    routes.add("GET", "/api/v1/ledger/entries/{index}", pages.api_entry, kind="api", action="ledger.read")
    routes.add("POST", "/api/v1/ledger/verifications", pages.api_verify, kind="api", action="ledger.read")
    routes.add("GET", "/api/v1/keys", pages.api_keys, kind="api", action="workspace.view")
    return routes


class _Pages:
    """Handlers that read the workspace."""

    def __init__(self, views: Views) -> None:
        self._views = views
        self._verifying = threading.Lock()

    async def start(self, request: Request) -> Response:
        """What this is, and the way in."""
        await request.app.state.door.who(request, None)
        return page(request, "start")

    async def ledger(self, request: Request) -> Response:
        facts = await run_in_threadpool(self._views.ledger)
        return page(request, "ledger", facts=facts, verified=None)

    async def verify(self, request: Request) -> Response:
        """Check the whole ledger and show what came out, whatever it was."""
        try:
            verified = {"size": await run_in_threadpool(self._verify_alone), "broken": ""}
        except VerificationFailed as error:
            verified = {"size": 0, "broken": f"{error} ({error.link})"}
        facts = await run_in_threadpool(self._views.ledger)
        return page(request, "ledger", facts=facts, verified=verified)

    async def keys(self, request: Request) -> Response:
        return page(request, "keys", facts=await run_in_threadpool(self._views.keys))

    async def api_ledger(self, request: Request) -> Response:  # noqa: ARG002
        """The ledger's size, newest checkpoint and latest entries."""
        return JSONResponse((await run_in_threadpool(self._views.ledger)).to_json())

    async def api_checkpoint(self, request: Request) -> Response:  # noqa: ARG002
        """The newest signed checkpoint as a file. Keep it elsewhere: it shows later that nothing before it was changed."""
        facts = await run_in_threadpool(self._views.ledger)
        return attachment(facts.checkpoint.encode(), name=f"checkpoint-{facts.size}.txt", media_type="text/plain")

    async def api_entry(self, request: Request) -> Response:
        """One entry of the ledger."""
        number = entry_number(request.path_params["index"])
        return JSONResponse(asdict(await run_in_threadpool(self._views.entry, number)))

    async def api_verify(self, request: Request) -> Response:  # noqa: ARG002
        """Check the whole ledger now."""
        return JSONResponse({"verified": await run_in_threadpool(self._verify_alone)})

    async def api_keys(self, request: Request) -> Response:  # noqa: ARG002
        """The public halves of the signing keys, and the versions of the sealing keys."""
        return JSONResponse((await run_in_threadpool(self._views.keys)).to_json())

    def _verify_alone(self) -> int:
        """One verification at a time: it reads everything."""
        if not self._verifying.acquire(blocking=False):
            raise Conflict("The ledger is being verified already. Wait for that to end.")
        try:
            return self._views.verify()
        finally:
            self._verifying.release()


async def _live(request: Request) -> Response:  # noqa: ARG001
    """Whether the process runs."""
    return JSONResponse({"live": True})


async def _ready(request: Request) -> Response:
    """Whether requests should be sent here now."""
    ready = not request.app.state.console.draining
    return JSONResponse({"ready": ready}, 200 if ready else 503)


async def _static(request: Request) -> Response:
    found = STATIC_FILES.get(request.path_params["name"])
    if found is None:
        raise NothingHere
    data, kind = found
    return Response(data, headers={"content-type": kind})


async def _security_txt(request: Request) -> Response:
    """Whom to tell about a weakness (RFC 9116)."""
    console: Console = request.app.state.console
    if not console.security_contact:
        raise NothingHere
    return PlainTextResponse(console.security_txt())


async def _me(request: Request) -> Response:
    """Who you are here."""
    principal = caller_of(request).principal
    roles = sorted({"role": grant.role, "project": grant.project}.items() for grant in principal.grants)
    return JSONResponse(
        {
            "kind": principal.kind,
            "name": principal.name,
            "proof": principal.proof,
            "strong": principal.strong,
            "roles": [dict(role) for role in roles],
            "scopes": sorted(principal.scopes),
        }
    )


async def _openapi(request: Request) -> Response:
    """This API as an OpenAPI document."""
    return JSONResponse(request.app.openapi())
