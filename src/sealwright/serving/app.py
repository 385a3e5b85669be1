"""The application: from an ASGI request to an answer whose decision is on disk.

Answers: in which order is a request looked at? Framing and host, size, route, token, scope, body,
contract, model, durable record, and only then the answer. Whatever fails becomes one problem document.
Does not answer: how long a connection may take; its deadlines stand in `connection.py`.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from sealwright.kernel import OperationFailed, new_id
from sealwright.serving.budgets.budgets import Admitted, Budgets
from sealwright.serving.budgets.reached import LimitReached
from sealwright.serving.config import Limits
from sealwright.serving.deciding import Decider
from sealwright.serving.decisions import DecisionLog
from sealwright.serving.holder import Holder, Served
from sealwright.serving.inquiry import Inquiry
from sealwright.serving.places import timing_scope
from sealwright.serving.problems import (
    BodyIncomplete,
    HttpRefusal,
    InternalFault,
    NoSuchRoute,
    problem_body,
)
from sealwright.serving.quick import PredictionLane
from sealwright.serving.reception import Received, Reception
from sealwright.serving.refusals import Refusals
from sealwright.serving.routes import Match, Permission, Route
from sealwright.serving.timing import Times
from sealwright.serving.tokens import TokenCheck
from sealwright.serving.transport.admission import Head, read_head
from sealwright.serving.transport.connection import ConnectionGuard
from sealwright.serving.transport.events import EventLog
from sealwright.serving.usage import Usage

__all__ = ["App"]

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Headers = tuple[tuple[bytes, bytes], ...]
_Send = Callable[[_Message], Awaitable[None]]

_JSON = b"application/json"
_PROBLEM = b"application/problem+json"
_ALWAYS = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
_MOST_DIGITS = 15  # of an entry's number
_LINGER_SECONDS = 2.0  # a refused body is read and dropped this long, so that its sender sees the refusal


class _Gone(Exception):
    """The caller hung up before the request was complete."""


@dataclass(frozen=True, slots=True)
class _Request:
    head: Head
    receive: _Receive
    received: Received
    source: str  # the caller's address
    times: Times | None
    admitted: Admitted | None


class App:
    """The ASGI application of one project's channel."""

    def __init__(
        self,
        *,
        project: str,
        hosts: list[str],
        limits: Limits,
        holder: Holder,
        tokens: TokenCheck,
        decisions: DecisionLog,
        guard: ConnectionGuard,
        refusals: Refusals,
        usage: Usage,
        budgets: Budgets,
        log: EventLog,
    ) -> None:
        self._project, self._timing = project, timing_scope(project)
        self._limits, self._holder, self._tokens, self._decisions = limits, holder, tokens, decisions
        self._guard, self._refusals, self._budgets, self._log = guard, refusals, budgets, log
        self._decider = Decider(decisions, usage, budgets, most_waiting=limits.waiting)
        self.draining = False
        self._reception = Reception(project, hosts, tokens, self._routes())
        guard.lane = PredictionLane(self._reception, self._decider, budgets, self._begun, self._refusal_of)

    @property
    def routes(self) -> tuple[Route, ...]:
        """The whole table."""
        return self._reception.table.routes

    def _routes(self) -> list[Route]:
        model = "/v2/models/{model}"
        version = model + "/versions/{version}"
        return [
            Route("GET", "/v2/health/live", Permission.OPEN, self._live),
            Route("GET", "/v2/health/ready", Permission.OPEN, self._ready),
            Route("GET", "/v2", Permission.PREDICT, self._server),
            Route("GET", model, Permission.PREDICT, self._model),
            Route("GET", model + "/ready", Permission.PREDICT, self._model_ready),
            Route("POST", model + "/infer", Permission.PREDICT, self._infer),
            Route("GET", version, Permission.PREDICT, self._model),
            Route("GET", version + "/ready", Permission.PREDICT, self._model_ready),
            Route("POST", version + "/infer", Permission.PREDICT, self._infer),
            Route("POST", "/v1/models/{model}/predict", Permission.PREDICT, self._predict),
            Route("GET", "/v1/models/{model}/openapi.json", Permission.PREDICT, self._openapi),
            Route("GET", "/v1/models/{model}/proofs/{entry}", Permission.PREDICT, self._proof),
        ]

    async def __call__(self, scope: MutableMapping[str, Any], receive: _Receive, send: _Send) -> None:
        if scope["type"] != "http":
            raise OperationFailed("Only HTTP is answered here.")
        try:
            status, body, told = await self._answer(scope, receive)
            await _respond(send, status, _JSON, body, told)
        except _Gone:
            return
        except Exception as error:  # noqa: BLE001 - the last line: nothing of it may reach the caller
            refusal, instance = self._refusal_of(error, _source_of(scope))
            await _respond(
                send,
                refusal.status,
                _PROBLEM,
                problem_body(refusal, instance=instance),
                refusal.headers,
                linger=receive if refusal.closes else None,
            )

    def _refusal_of(self, error: BaseException, source: str) -> tuple[HttpRefusal, str]:
        """What the caller at `source` is told, and the id of a fault of ours; counted and logged."""
        instance = ""
        if isinstance(error, HttpRefusal):
            if error.reason:
                self._refusals.add(error.reason, source)
        else:
            instance = new_id("flt")
            self._log.fault(instance, error)
            error = InternalFault("Quote the id when you report this.")
        self._guard.refused[error.status] += 1
        return error, instance

    async def _answer(self, scope: MutableMapping[str, Any], receive: _Receive) -> tuple[int, bytes, _Headers]:
        head = read_head(scope["headers"], hosts=self._reception.hosts, most_body=self._limits.body_bytes)
        times = Times() if head.timing else None
        shown = scope.get("state", {}).get("thumbprint", "")
        received = self._reception.receive(scope["method"], scope["raw_path"], head.authorization, shown)
        if scope["method"] == "POST":
            head.need_json()
        if times is not None:
            times.mark("access")
            times = times if self._timing in received.caller.scopes else None
        request = _Request(head, receive, received, _source_of(scope), times, None)
        if received.match.route.permission is Permission.OPEN:
            return *await received.match.route.handler(request), ()
        return await self._within_budget(request)

    async def _within_budget(self, request: _Request) -> tuple[int, bytes, _Headers]:
        """Answer a caller who is known, as far as their budgets go; what is left of them is told either way."""
        budgets, received = self._budgets, request.received
        admitted = budgets.enter(received.caller, 1) or await budgets.ask(received.caller, 1)
        try:
            status, body = await received.match.route.handler(replace(request, admitted=admitted))
        except HttpRefusal as refusal:
            if not isinstance(refusal, LimitReached):  # it has them
                refusal.headers = (*refusal.headers, *budgets.headers(admitted))
            raise
        else:
            timing = () if request.times is None else (request.times.header(),)
            return status, body, (*budgets.headers(admitted), *timing)
        finally:
            budgets.leave(admitted)

    # The handlers, in the order of the table.

    async def _live(self, _request: _Request) -> tuple[int, bytes]:
        return 200, b'{"live":true}'

    async def _ready(self, _request: _Request) -> tuple[int, bytes]:
        return (200, b'{"ready":true}') if self._not_ready() == "" else (503, b'{"ready":false}')

    async def _server(self, _request: _Request) -> tuple[int, bytes]:
        return 200, msgspec.json.encode({"name": "sealwright", "version": "1", "extensions": []})

    async def _model(self, request: _Request) -> tuple[int, bytes]:
        served = self._served(request.received.match)
        return 200, msgspec.json.encode(served.oip.metadata(served.number))

    async def _model_ready(self, request: _Request) -> tuple[int, bytes]:
        self._served(request.received.match)
        reason = self._not_ready()
        return (200 if not reason else 503), msgspec.json.encode(
            {"name": self._project, "ready": not reason, "reason": reason}
        )

    async def _infer(self, request: _Request) -> tuple[int, bytes]:
        return await self._decide(request)

    async def _predict(self, request: _Request) -> tuple[int, bytes]:
        return await self._decide(request)

    async def _openapi(self, request: _Request) -> tuple[int, bytes]:
        return 200, self._served(request.received.match).openapi

    async def _proof(self, request: _Request) -> tuple[int, bytes]:
        entry = request.received.match.values["entry"]
        if not entry.isdecimal() or len(entry) > _MOST_DIGITS:
            raise NoSuchRoute
        proof = await asyncio.to_thread(self._decisions.proof, int(entry))
        return 200, msgspec.json.encode({"entry": int(entry), "proof": proof.decode()})

    async def _decide(self, request: _Request) -> tuple[int, bytes]:
        body = await _body(request)
        if request.times is not None:
            request.times.mark("body")
        inquiry = self._begun(
            request.received,
            body,
            source=request.source,
            done=asyncio.get_running_loop().create_future(),
            person=request.head.person,
            gpc=request.head.gpc,
            times=request.times,
            admitted=request.admitted,
        )
        return 200, await self._decider.decide(inquiry)

    def _begun(self, received: Received, body: bytes, *, source: str, done: Any, **more: Any) -> Inquiry:
        """The inquiry of a request for a prediction."""
        served = self._served(received.match)
        named = received.match.route.handler == self._predict
        protocol = served.named if named else served.oip
        return Inquiry(
            served=served, protocol=protocol, body=body, caller=received.caller, source=source, done=done, **more
        )

    def _served(self, match: Match) -> Served:
        served = self._holder.serving()
        if match.values.get("version", str(served.number)) != str(served.number):
            raise NoSuchRoute
        return served

    def _not_ready(self) -> str:
        """Why no traffic should come here now, or ""."""
        if self.draining:
            return "draining"
        return self._holder.not_ready() or self._tokens.not_ready() or self._decisions.not_ready()


def _source_of(scope: MutableMapping[str, Any]) -> str:
    return str((scope.get("client") or ("",))[0])


async def _body(request: _Request) -> bytes:
    """The announced body, no more and no less."""
    length = request.head.length or 0
    message = await request.receive()
    body: bytes = message.get("body", b"")
    while message["type"] == "http.request" and message.get("more_body", False) and len(body) <= length:
        message = await request.receive()
        body += message.get("body", b"")
    if message["type"] != "http.request":
        raise _Gone
    if len(body) != length:
        raise BodyIncomplete
    return body


async def _respond(
    send: _Send,
    status: int,
    media: bytes,
    body: bytes,
    extra: tuple[tuple[bytes, bytes], ...],
    *,
    linger: _Receive | None = None,
) -> None:
    """Send a whole response; with `linger`, read and drop what the caller still sends before closing."""
    headers = [(b"content-type", media), (b"content-length", b"%d" % len(body)), *_ALWAYS, *extra]
    if linger is not None:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    if linger is not None:
        await send({"type": "http.response.body", "body": body, "more_body": True})
        body = b""
        try:
            async with asyncio.timeout(_LINGER_SECONDS):
                message: _Message = {"more_body": True}
                while message.get("more_body", False):
                    message = await linger()
        except TimeoutError:
            pass
    await send({"type": "http.response.body", "body": body})
