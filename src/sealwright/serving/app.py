"""The application: from an ASGI request to an answer whose decision is on disk.

Answers: in which order is a request looked at? Framing and host, size, route, token, scope, body,
contract, model, durable record, and only then the answer. Whatever fails becomes one problem document.
Does not answer: how long a connection may take; its deadlines stand in `connection.py`.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

import msgspec

from sealwright.kernel import OperationFailed, new_id
from sealwright.serving.config import Limits
from sealwright.serving.deciding import Decider
from sealwright.serving.decisions import DecisionLog
from sealwright.serving.holder import Holder, Served
from sealwright.serving.inquiry import Inquiry
from sealwright.serving.places import predict_scope, timing_scope
from sealwright.serving.problems import (
    BodyIncomplete,
    Forbidden,
    HttpRefusal,
    InternalFault,
    NoSuchRoute,
    problem_body,
)
from sealwright.serving.protocol_named import NamedProtocol
from sealwright.serving.protocol_oip import OipProtocol
from sealwright.serving.refusals import Refusals
from sealwright.serving.routes import Match, Permission, Route, RouteTable
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

_JSON = b"application/json"
_PROBLEM = b"application/problem+json"
_ALWAYS = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
_MOST_DIGITS = 15  # of an entry's number
_LINGER_SECONDS = 2.0  # a refused body is read and dropped this long, so that its sender sees the refusal
_NOBODY = Caller("", "", frozenset())


class _Gone(Exception):
    """The caller hung up before the request was complete."""


@dataclass(frozen=True, slots=True)
class _Request:
    head: Head
    receive: _Receive
    caller: Caller
    source: str  # the caller's address
    values: dict[str, str]
    times: Times | None


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
        watching: Watching,
        log: EventLog,
    ) -> None:
        self._project, self._scope, self._timing = project, predict_scope(project), timing_scope(project)
        self._hosts = frozenset(host.lower().encode() for host in hosts)
        self._limits, self._holder, self._tokens, self._decisions = limits, holder, tokens, decisions
        self._guard, self._refusals, self._log = guard, refusals, log
        self._watching = watching
        self._decider = Decider(decisions, usage, most_waiting=limits.waiting)
        self.draining = False
        model = "/v2/models/{model}"
        version = model + "/versions/{version}"
        self.table = RouteTable(
            [
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
        )
        # Found once: the address nearly every request goes to.
        self._usual = {
            (route.method, path): Match(route, {"model": project})
            for route in self.table.routes
            if route.path.count("{") == route.path.count("{model}")
            for path in [route.path.replace("{model}", project)]
        }

    async def __call__(self, scope: MutableMapping[str, Any], receive: _Receive, send: _Send) -> None:
        if scope["type"] != "http":
            raise OperationFailed("Only HTTP is answered here.")
        try:
            status, body, times = await self._answer(scope, receive)
            await _respond(send, status, _JSON, body, () if times is None else (times.header(),))
        except _Gone:
            return
        except HttpRefusal as refusal:
            if refusal.reason:
                self._refusals.add(refusal.reason, _source_of(scope))
            await self._refuse(refusal, receive, send)
        except Exception as error:  # noqa: BLE001 - the last line: nothing of it may reach the caller
            fault = new_id("flt")
            self._log.fault(fault, error)
            await self._refuse(InternalFault("Quote the id when you report this."), receive, send, instance=fault)

    async def _answer(self, scope: MutableMapping[str, Any], receive: _Receive) -> tuple[int, bytes, Times | None]:
        head = read_head(scope["headers"], hosts=self._hosts, most_body=self._limits.body_bytes)
        times = Times() if head.timing else None
        method, path = scope["method"], scope["raw_path"].decode("latin-1")
        match = self._usual.get((method, path)) or self.table.find(method, path)
        caller = _NOBODY
        if match.route.permission is not Permission.OPEN:
            shown = scope.get("state", {}).get("thumbprint", "")
            caller = self._tokens.caller(head.authorization, shown)
            if self._scope not in caller.scopes or match.values.get("model", self._project) != self._project:
                raise Forbidden(reason="auth.scope")  # the same words whether another project's model exists or not
        if method == "POST":
            head.need_json()
        if times is not None:
            times.mark("access")
            times = times if self._timing in caller.scopes else None
        request = _Request(head, receive, caller, _source_of(scope), match.values, times)
        status, body = await match.route.handler(request)
        return status, body, times

    async def _refuse(self, refusal: HttpRefusal, receive: _Receive, send: _Send, *, instance: str = "") -> None:
        self._guard.refused[refusal.status] += 1
        body = problem_body(refusal, instance=instance)
        await _respond(
            send, refusal.status, _PROBLEM, body, refusal.headers, linger=receive if refusal.closes else None
        )

    # The handlers, in the order of the table.

    async def _live(self, _request: _Request) -> tuple[int, bytes]:
        return 200, b'{"live":true}'

    async def _ready(self, _request: _Request) -> tuple[int, bytes]:
        return (200, b'{"ready":true}') if self._not_ready() == "" else (503, b'{"ready":false}')

    async def _server(self, _request: _Request) -> tuple[int, bytes]:
        return 200, msgspec.json.encode({"name": "sealwright", "version": "1", "extensions": []})

    async def _model(self, request: _Request) -> tuple[int, bytes]:
        served = self._served(request)
        return 200, msgspec.json.encode(served.oip.metadata(served.number))

    async def _model_ready(self, request: _Request) -> tuple[int, bytes]:
        self._served(request)
        reason = self._not_ready()
        return (200 if not reason else 503), msgspec.json.encode(
            {"name": self._project, "ready": not reason, "reason": reason}
        )

    async def _infer(self, request: _Request) -> tuple[int, bytes]:
        return await self._decide(request, lambda served: served.oip)

    async def _predict(self, request: _Request) -> tuple[int, bytes]:
        return await self._decide(request, lambda served: served.named)

    async def _openapi(self, request: _Request) -> tuple[int, bytes]:
        return 200, self._served(request).openapi

    async def _proof(self, request: _Request) -> tuple[int, bytes]:
        entry = request.values["entry"]
        if not entry.isdecimal() or len(entry) > _MOST_DIGITS:
            raise NoSuchRoute
        proof = await asyncio.to_thread(self._decisions.proof, int(entry))
        return 200, msgspec.json.encode({"entry": int(entry), "proof": proof.decode()})

    async def _decide(
        self, request: _Request, protocol_of: Callable[[Served], NamedProtocol | OipProtocol]
    ) -> tuple[int, bytes]:
        body = await _body(request)
        if request.times is not None:
            request.times.mark("body")
        arms = self._holder.arms()
        version = request.values.get("version", "")
        served = arms.numbered(version) if version else arms.choose(request.head.person, body)
        if served is None:
            raise NoSuchRoute
        inquiry = Inquiry(
            served=served,
            protocol=protocol_of(served),
            body=body,
            caller=request.caller,
            source=request.source,
            done=asyncio.get_running_loop().create_future(),
            person=request.head.person,
            gpc=request.head.gpc,
            times=request.times,
            named=bool(version),
        )
        if arms.several:
            self._watching.watch(inquiry, arms.shadows)
        return 200, await self._decider.decide(inquiry)

    def _served(self, request: _Request) -> Served:
        served = self._holder.serving()
        if request.values.get("version", str(served.number)) != str(served.number):
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
