"""The application: from an ASGI request to an answer whose decision is on disk.

Answers: in which order is a request looked at? Framing and host, size, route, token, scope, body,
contract, model, durable record, and only then the answer. Whatever fails becomes one problem document.
Does not answer: how long a connection may take; its deadlines stand in `connection.py`.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

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
from sealwright.serving.platforms import Platform
from sealwright.serving.problems import (
    BodyIncomplete,
    HttpRefusal,
    InternalFault,
    NoSuchRoute,
    UnsupportedBody,
    problem_body,
)
from sealwright.serving.protocol_forms import ARROW, form_asked
from sealwright.serving.protocol_oip import OipBinary
from sealwright.serving.quick import PredictionLane
from sealwright.serving.reception import Received, Reception
from sealwright.serving.refusals import Refusals
from sealwright.serving.reply import AskedOf, Reply
from sealwright.serving.routes import Permission, Route
from sealwright.serving.timing import Times
from sealwright.serving.tokens import Caller, TokenCheck
from sealwright.serving.transport.admission import Head, read_head
from sealwright.serving.transport.connection import ConnectionGuard
from sealwright.serving.transport.events import EventLog
from sealwright.serving.usage import Usage
from sealwright.serving.watching import Watching

__all__ = ["App"]

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]

_PROBLEM = b"application/problem+json"
_ALWAYS = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
_MOST_DIGITS = 15  # of an entry's number
_LINGER_SECONDS = 2.0  # a refused body is read and dropped this long, so that its sender sees the refusal
_OCTETS = b"application/octet-stream"
_OIP_BODIES = frozenset({b"application/json", _OCTETS, b""})  # stock clients announce no media type
_NAMED_BODIES = frozenset({b"application/json", ARROW})


class _Gone(Exception):
    """The caller hung up before the request was complete."""


@dataclass(frozen=True, slots=True)
class _Request:
    head: Head
    receive: _Receive
    received: Received
    source: str  # the caller's address
    times: Times | None
    media: bytes  # of the body
    admitted: Admitted | None


class App:
    """The ASGI application of one project's channel; what speaks another protocol than HTTP asks it, too."""

    metadata: ClassVar[dict[str, Any]] = {"name": "sealwright", "version": "1", "extensions": ["binary_tensor_data"]}
    """Of the server, as the Open Inference Protocol tells it."""

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
        watching: Watching,
        log: EventLog,
        platform: Platform | None = None,
    ) -> None:
        """`platform`: who lets callers in, where this process stands in a container of theirs; only its addresses answer then."""
        self.project, self._timing, self._platform = project, timing_scope(project), platform
        self._limits, self._holder, self._tokens, self._decisions = limits, holder, tokens, decisions
        self._guard, self._refusals, self._budgets, self._log = guard, refusals, budgets, log
        self._watching = watching
        self._decider = Decider(decisions, usage, budgets, most_waiting=limits.waiting)
        self.draining = False
        routes = self._routes() if platform is None else self._platform_routes(platform)
        self.reception = Reception(project, hosts, tokens, routes, platform=platform)
        guard.lane = PredictionLane(self.reception, self._decider, budgets, self._begun, self.refusal_of)

    @property
    def routes(self) -> tuple[Route, ...]:
        """The whole table."""
        return self.reception.table.routes

    def _routes(self) -> list[Route]:
        model = "/v2/models/{model}"
        version = model + "/versions/{version}"
        return [
            Route("GET", "/v2/health/live", Permission.OPEN, self._live),
            Route("GET", "/v2/health/ready", Permission.OPEN, self._ready),
            Route("GET", "/v2", Permission.PREDICT, self._server),
            Route("GET", model, Permission.PREDICT, self._model),
            Route("GET", model + "/ready", Permission.PREDICT, self._model_ready),
            Route("POST", model + "/infer", Permission.PREDICT, self._infer, _OIP_BODIES, binary=True),
            Route("GET", version, Permission.PREDICT, self._model),
            Route("GET", version + "/ready", Permission.PREDICT, self._model_ready),
            Route("POST", version + "/infer", Permission.PREDICT, self._infer, _OIP_BODIES, binary=True),
            Route("POST", "/v1/models/{model}/predict", Permission.PREDICT, self._predict, _NAMED_BODIES),
            Route("GET", "/v1/models/{model}/openapi.json", Permission.PREDICT, self._openapi),
            Route("GET", "/v1/models/{model}/proofs/{entry}", Permission.PREDICT, self._proof),
        ]

    def _platform_routes(self, platform: Platform) -> list[Route]:
        """Nothing but what the platform's contract asks for: its callers show nothing of ours."""
        routes = [
            Route("GET", platform.health, Permission.OPEN, self._ready),
            Route("POST", platform.ask, Permission.PLATFORM, self._predict, platform.bodies),
        ]
        if platform.description:
            routes.append(Route("GET", platform.description, Permission.PLATFORM, self._openapi))
        return routes

    async def __call__(self, scope: MutableMapping[str, Any], receive: _Receive, send: _Send) -> None:
        if scope["type"] != "http":
            raise OperationFailed("Only HTTP is answered here.")
        try:
            told = await self._answer(scope, receive)
            await _respond(send, told.status, told.media, told.body, told.headers)
        except _Gone:
            return
        except Exception as error:  # noqa: BLE001 - the last line: nothing of it may reach the caller
            refusal, instance = self.refusal_of(error, _source_of(scope))
            await _respond(
                send,
                refusal.status,
                _PROBLEM,
                problem_body(refusal, instance=instance, oip=scope["path"].startswith("/v2")),
                refusal.headers,
                linger=receive if refusal.closes else None,
            )

    def refusal_of(self, error: BaseException, source: str) -> tuple[HttpRefusal, str]:
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

    async def _answer(self, scope: MutableMapping[str, Any], receive: _Receive) -> Reply:
        head = read_head(scope["headers"], hosts=self.reception.hosts, most_body=self._limits.body_bytes)
        times = Times() if head.timing else None
        shown = scope.get("state", {}).get("thumbprint", "")
        received = self.reception.receive(scope["method"], scope["raw_path"], head.authorization, shown)
        route = received.match.route
        media = head.need(route.takes, binary=route.binary) if scope["method"] == "POST" else b""
        if times is not None:
            times.mark("access")
            times = times if self._timing in received.caller.scopes else None
        request = _Request(head, receive, received, _source_of(scope), times, media, None)
        if route.permission is Permission.OPEN:
            found: Reply = await route.handler(request)
            return found

        async def answered(admitted: Admitted) -> Reply:
            told: Reply = await route.handler(replace(request, admitted=admitted))
            return told

        told = await self.within_budget(received.caller, answered)
        return told if times is None else told._replace(headers=(*told.headers, times.header()))

    async def within_budget(self, caller: Caller, answer: Callable[[Admitted], Awaitable[Reply]]) -> Reply:
        """Answer a caller who is known, as far as their budgets go; what is left of them is told either way."""
        budgets = self._budgets
        admitted = budgets.enter(caller, 1) or await budgets.ask(caller, 1)
        try:
            told = await answer(admitted)
        except HttpRefusal as refusal:
            if not isinstance(refusal, LimitReached):  # it has them
                refusal.headers = (*refusal.headers, *budgets.headers(admitted))
            raise
        else:
            return told._replace(headers=(*told.headers, *budgets.headers(admitted)))
        finally:
            budgets.leave(admitted)

    # The handlers, in the order of the table.

    async def _live(self, _request: _Request) -> Reply:
        return Reply(b'{"live":true}')

    async def _ready(self, _request: _Request) -> Reply:
        return Reply(b'{"ready":false}', status=503) if self.not_ready() else Reply(b'{"ready":true}')

    async def _server(self, _request: _Request) -> Reply:
        return Reply(msgspec.json.encode(self.metadata))

    async def _model(self, request: _Request) -> Reply:
        served = self._served_to(request.received)
        return Reply(msgspec.json.encode(served.oip.metadata(served.number)))

    async def _model_ready(self, request: _Request) -> Reply:
        self._served_to(request.received)
        reason = self.not_ready()
        told = {"name": self.project, "ready": not reason, "reason": reason}
        return Reply(msgspec.json.encode(told), status=503 if reason else 200)

    async def _infer(self, request: _Request) -> Reply:
        length = request.head.json_length
        if length is not None:
            return await self._decide(request, lambda served: OipBinary(served.oip, length))
        if request.media == _OCTETS:
            raise UnsupportedBody("Without Inference-Header-Content-Length only application/json is read here.")
        return await self._decide(request)

    async def _predict(self, request: _Request) -> Reply:
        form = form_asked(request.media, request.head.accept, csv=self._platform is not None)
        return await self._decide(request, None if form is None else lambda served: form.of(served.named))

    async def _openapi(self, request: _Request) -> Reply:
        served = self._served_to(request.received)
        return Reply(served.openapi if self._platform is None else self._platform.described(served.openapi))

    async def _proof(self, request: _Request) -> Reply:
        entry = request.received.match.values["entry"]
        if not entry.isdecimal() or len(entry) > _MOST_DIGITS:
            raise NoSuchRoute
        proof = await asyncio.to_thread(self._decisions.proof, int(entry))
        return Reply(msgspec.json.encode({"entry": int(entry), "proof": proof.decode()}))

    async def _decide(self, request: _Request, protocol_of: Callable[[Served], AskedOf] | None = None) -> Reply:
        body = await _body(request)
        if request.times is not None:
            request.times.mark("body")
        inquiry = self._begun(
            request.received,
            body,
            source=request.source,
            done=asyncio.get_running_loop().create_future(),
            protocol_of=protocol_of,
            person=request.head.person,
            gpc=request.head.gpc,
            times=request.times,
            admitted=request.admitted,
        )
        return await self.decide(inquiry)

    async def decide(self, inquiry: Inquiry) -> Reply:
        """The one way to an answer, whatever the address and the protocol. Raises as `Decider.decide`."""
        return await self._decider.decide(inquiry)

    def _begun(
        self,
        received: Received,
        body: bytes,
        *,
        source: str,
        done: Any,
        protocol_of: Callable[[Served], AskedOf] | None = None,
        **more: Any,
    ) -> Inquiry:
        """The inquiry of a request for a prediction; its address says in which protocol, unless the caller of this does."""
        named = received.match.route.handler == self._predict
        return self.inquiry(
            received.match.values.get("version", ""),
            body,
            protocol_of=protocol_of or (_named_of if named else _oip_of),
            caller=received.caller,
            source=source,
            done=done,
            **more,
        )

    def inquiry(
        self, version: str, body: bytes, *, protocol_of: Callable[[Served], AskedOf], person: str = "", **more: Any
    ) -> Inquiry:
        """A request begun: for the version that was named, else for the arm that this person falls to.

        Raises
        ------
        NoSuchRoute, NotReady
        """
        arms = self._holder.arms()
        served = arms.numbered(version) if version else arms.choose(person, body)
        if served is None:
            raise NoSuchRoute
        inquiry = Inquiry(
            served=served, protocol=protocol_of(served), body=body, person=person, named=bool(version), **more
        )
        if arms.several:
            self._watching.watch(inquiry, arms.shadows)
        return inquiry

    def _served_to(self, received: Received) -> Served:
        return self.served(received.match.values.get("version", ""))

    def served(self, version: str) -> Served:
        """The model that answers now, of this version ("" for the champion). Raises `NoSuchRoute`, `NotReady`."""
        arms = self._holder.arms()
        served = arms.numbered(version) if version else arms.champion
        if served is None:
            raise NoSuchRoute
        return served

    def not_ready(self) -> str:
        """Why no traffic should come here now, or ""."""
        if self.draining:
            return "draining"
        return self._holder.not_ready() or self._tokens.not_ready() or self._decisions.not_ready()


def _named_of(served: Served) -> AskedOf:
    return served.named


def _oip_of(served: Served) -> AskedOf:
    return served.oip


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
