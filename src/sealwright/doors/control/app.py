"""The application: routes, the door in front of each, and the layer around them.

Answers: how do the parts of this folder go together? FastAPI routes and describes; its own pages, redirects and error
texts are switched off, since each of them is a way past the table.
"""

from functools import cache

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from sealwright.doors.control.answers import fault_answer, refusal_answer
from sealwright.doors.control.console import Console
from sealwright.doors.control.door import Door
from sealwright.doors.control.outer import Outer
from sealwright.doors.control.refusals import FormRefused, LoginNeeded, NothingHere
from sealwright.doors.control.router import ControlRouter
from sealwright.kernel import SealwrightError
from sealwright.serving import EventLog, HttpRefusal, MethodNotAllowed, Transport

__all__ = ["control_app"]

_NOT_FOUND, _NOT_ALLOWED = 404, 405


def control_app(routes: ControlRouter, door: Door, console: Console, transport: Transport, log: EventLog) -> Outer:
    """Build the application.

    Raises
    ------
    RouteUnprotected
        A route does not say what it needs.
    """
    app = FastAPI(
        title="Sealwright control",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        separate_input_output_schemas=False,
    )
    app.state.door, app.state.console = door, console
    routes.build_into(app)
    app.add_exception_handler(SealwrightError, _refused)
    app.add_exception_handler(HTTPException, _no_route)
    app.add_exception_handler(RequestValidationError, _wrong_shape)
    app.add_exception_handler(Exception, _fault)
    return Outer(
        app,
        door,
        log,
        hosts=transport.hosts,
        most_body=transport.limits.body_bytes,
        secured=transport.tls_certificate is not None,
    )


async def _refused(request: Request, error: Exception) -> Response:
    """A refusal, or an error of a room in the words it has; what is our fault goes on as one."""
    if isinstance(error, HttpRefusal):
        return refusal_answer(request, error)
    if not isinstance(error, SealwrightError) or error.status >= 500:
        raise error
    return refusal_answer(request, _told(error))


async def _no_route(request: Request, error: Exception) -> Response:
    """No such address, or not with this method. Strangers are told neither."""
    door: Door = request.app.state.door
    status = error.status_code if isinstance(error, HTTPException) else 404
    if status not in (_NOT_FOUND, _NOT_ALLOWED):
        return refusal_answer(request, FormRefused())  # FastAPI could not read the body
    if await door.who(request, None) is None:
        unknown = LoginNeeded()
        await door.record(request, unknown)
        return refusal_answer(request, unknown)
    if isinstance(error, HTTPException) and status == _NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "")
        return refusal_answer(request, MethodNotAllowed([name.strip() for name in allowed.split(",") if name.strip()]))
    return refusal_answer(request, NothingHere())


async def _wrong_shape(request: Request, error: Exception) -> Response:
    """A body or parameter of another shape: which fields, never what stood in them."""
    places = list(error.errors()) if isinstance(error, RequestValidationError) else []
    named = sorted({".".join(str(part) for part in one["loc"][1:])[:80] for one in places[:20]})
    return refusal_answer(request, FormRefused(f"These fields are missing or not as expected: {', '.join(named)}."))


async def _fault(request: Request, error: Exception) -> Response:  # noqa: ARG001 - the layer around us logs it
    return fault_answer(request, request.state.request_id)


_TITLES = {
    404: NothingHere.title,
    409: "That does not fit what is there",
    422: "That cannot be used",
    501: "Not installed",
}


def _told(error: SealwrightError) -> HttpRefusal:
    """An error of a room, said over HTTP."""
    return _kind_of(error.code, error.status)(str(error))


@cache
def _kind_of(code: str, status: int) -> type[HttpRefusal]:
    words = {"code": code, "status": status, "title": _TITLES.get(status, "Refused")}
    kind: type[HttpRefusal] = type("Told", (HttpRefusal,), words)
    return kind
