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
from sealwright.serving.budgets.budgets import Admitted
from sealwright.serving.budgets.reached import LimitReached
from sealwright.serving.channel import Channel
from sealwright.serving.channels import Channels
from sealwright.serving.config import Limits
from sealwright.serving.platforms import Platform
from sealwright.serving.problems import (
    BodyIncomplete,
    BodyTooLarge,
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
from sealwright.serving.served import Served
from sealwright.serving.timing import Times
from sealwright.serving.tokens import Caller, TokenCheck
from sealwright.serving.transport.admission import Head, read_head
from sealwright.serving.transport.connection import ConnectionGuard
from sealwright.serving.transport.events import EventLog

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
    channel: Channel | None  # of the model it is about
    admitted: Admitted | None


class App:
    """The ASGI application of one server; what speaks another protocol than HTTP asks it, too."""

    metadata: ClassVar[dict[str, Any]] = {"name": "sealwright", "version": "1", "extensions": ["binary_tensor_data"]}
    """Of the server, as the Open Inference Protocol tells it."""

    def __init__(
        self,
        *,
        hosts: list[str],
        limits: Limits,
        channels: Channels,
        tokens: TokenCheck,
        guard: ConnectionGuard,
        refusals: Refusals,
        log: EventLog,
        platform: Platform | None = None,
    ) -> None:
        """`platform`: who lets callers in, where this process stands in a container of theirs; only its addresses answer then."""
        self._limits, self.channels, self._tokens, self._platform = limits, channels, tokens, platform
        self._guard, self._refusals, self._log = guard, refusals, log
        self.draining = False
        routes = self._routes() if platform is None else self._platform_routes(platform)
        self.reception = Reception(channels.projects, hosts, tokens, routes, platform=platform)
        guard.lane = PredictionLane(self.reception, channels, self.refusal_of)

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
            Route("GET", "/v1/models", Permission.PREDICT, self._models),
            Route("GET", model, Permission.PREDICT, self._model),
            Route("GET", model + "/ready", Permission.PREDICT, self._model_ready),
            Route(
                "POST", model + "/infer", Permission.PREDICT, self._infer, _OIP_BODIES, binary=True, asked_as=_oip_of
            ),
            Route("GET", version, Permission.PREDICT, self._model),
            Route("GET", version + "/ready", Permission.PREDICT, self._model_ready),
            Route(
                "POST", version + "/infer", Permission.PREDICT, self._infer, _OIP_BODIES, binary=True, asked_as=_oip_of
            ),
            Route(
                "POST",
                "/v1/models/{model}/predict",
                Permission.PREDICT,
                self._predict,
                _NAMED_BODIES,
                asked_as=_named_of,
            ),
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
        request = _Request(head, receive, received, _source_of(scope), times, media, None, None)
        if route.permission is Permission.OPEN:
            found: Reply = await route.handler(request)
            return found

        async def answered(channel: Channel, admitted: Admitted) -> Reply:
            shown = times if channel.timing in received.caller.scopes else None
            let_in = replace(request, channel=channel, times=shown, admitted=admitted)
            told: Reply = await route.handler(let_in)
            return told if shown is None else told._replace(headers=(*told.headers, shown.header()))

        return await self.within_budget(received.model, received.caller, answered)

    async def within_budget(
        self, model: str, caller: Caller, answer: Callable[[Channel, Admitted], Awaitable[Reply]]
    ) -> Reply:
        """Answer a caller who may ask this model, as far as their budgets go; what is left of them is told either way."""
        channel = await self.channels.of(model)
        channel.under_way += 1  # from the very step in which it was found open
        try:
            return await self._paid(channel, caller, answer)
        finally:
            channel.under_way -= 1

    async def _paid(
        self, channel: Channel, caller: Caller, answer: Callable[[Channel, Admitted], Awaitable[Reply]]
    ) -> Reply:
        budgets = channel.budgets
        admitted = budgets.enter(caller, 1) or await budgets.ask(caller, 1)
        try:
            told = await answer(channel, admitted)
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

    async def _models(self, request: _Request) -> Reply:
        """The models this caller may ask, and whether they answer."""
        told = [
            {"name": model, "ready": not (why := self.not_ready(model)), "reason": why}
            for model in self.reception.may_ask(request.received.caller)
        ]
        return Reply(msgspec.json.encode({"models": told}))

    async def _model(self, request: _Request) -> Reply:
        served = _served_to(request)
        return Reply(msgspec.json.encode(served.oip.metadata(served.number)))

    async def _model_ready(self, request: _Request) -> Reply:
        _served_to(request)
        reason = self.not_ready(request.received.model)
        told = {"name": request.received.model, "ready": not reason, "reason": reason}
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
        served = _served_to(request)
        return Reply(served.openapi if self._platform is None else self._platform.described(served.openapi))

    async def _proof(self, request: _Request) -> Reply:
        entry = request.received.match.values["entry"]
        if not entry.isdecimal() or len(entry) > _MOST_DIGITS:
            raise NoSuchRoute
        proof = await asyncio.to_thread(_channel_of(request).decisions.proof, int(entry))
        return Reply(msgspec.json.encode({"entry": int(entry), "proof": proof.decode()}))

    async def _decide(self, request: _Request, protocol_of: Callable[[Served], AskedOf] | None = None) -> Reply:
        channel = _channel_of(request)
        if (request.head.length or 0) > channel.model.body_bytes:
            raise BodyTooLarge
        body = await _body(request)
        if request.times is not None:
            request.times.mark("body")
        match = request.received.match
        inquiry = channel.inquiry(
            match.values.get("version", ""),
            body,
            protocol_of or match.route.asked_as or _named_of,
            request.received.caller,
            request.source,
            asyncio.get_running_loop().create_future(),
            person=request.head.person,
            gpc=request.head.gpc,
            times=request.times,
            admitted=request.admitted,
        )
        return await channel.decider.decide(inquiry)

    def not_ready(self, model: str = "") -> str:
        """Why no traffic should come here now, or "". Of a server with several models, without one of them being named: what
        concerns all of them, so that one that is bad takes none of the others with it."""
        if self.draining:
            return "draining"
        channels = self.channels
        alone = "" if channels.several else next(iter(channels.projects))
        of_model = channels.not_ready(model or alone) if model or alone else ""
        return of_model or self._tokens.not_ready()


def _channel_of(request: _Request) -> Channel:
    assert request.channel is not None, "only a request about no model has none"
    return request.channel


def _served_to(request: _Request) -> Served:
    return _channel_of(request).served(request.received.match.values.get("version", ""))


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
