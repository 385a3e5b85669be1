"""The methods of the gRPC service: from a call to the application that HTTP asks, too.

Answers: which method is it, may this caller call it (asked before any of its message is taken), and what is it answered? Access,
contract, model, record and receipt are the application's, so a call is held to all that a request is held to. One table says what a
method asks of its caller; what is not in it does not exist. Reflection is not offered.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from sealwright.serving.budgets.budgets import Admitted
from sealwright.serving.channel import Channel
from sealwright.serving.grpc.calls import PREFIX, CallHead, CallRefused
from sealwright.serving.grpc.connection import GrpcConnection, LetIn
from sealwright.serving.grpc.messages import message_class
from sealwright.serving.grpc.protocol import GrpcProtocol, named_in, parsed, version_in
from sealwright.serving.problems import BodyTooLarge, Forbidden
from sealwright.serving.reply import Reply
from sealwright.serving.routes import Permission
from sealwright.serving.tokens import Caller
from sealwright.serving.transport.admission import Head, read_head

if TYPE_CHECKING:
    from sealwright.serving.app import App

__all__ = ["GrpcService"]

_OIP = "/inference.GRPCInferenceService/"
_HEALTH = "/grpc.health.v1.Health/Check"  # what orchestrators probe, https://github.com/grpc/grpc/blob/master/doc/health-checking.md
_SERVING, _NOT_SERVING = b"\x08\x01", b"\x08\x02"
_MOST_OPEN = 1024  # bytes of a message from anybody; such a message is empty, or names a service

_NOBODY = Caller("", "", frozenset())


class _Asked(NamedTuple):
    """A call whose caller may make it."""

    head: Head
    caller: Caller
    peer: GrpcConnection
    message: bytes = b""
    channel: Channel | None = None  # of the model it is about
    admitted: Admitted | None = None  # by the caller's budgets
    seconds: float | None = None  # how long they wait


_Method = Callable[[_Asked], Awaitable[Reply]]


class GrpcService:
    """Answers calls for one application."""

    def __init__(self, app: "App") -> None:
        self._app = app
        self.methods: dict[str, tuple[Permission, _Method]] = {
            _OIP + "ServerLive": (Permission.OPEN, self._live),
            _OIP + "ServerReady": (Permission.OPEN, self._ready),
            _HEALTH: (Permission.OPEN, self._health),
            _OIP + "ServerMetadata": (Permission.PREDICT, self._server),
            _OIP + "ModelMetadata": (Permission.PREDICT, self._model),
            _OIP + "ModelReady": (Permission.PREDICT, self._model_ready),
            _OIP + "ModelInfer": (Permission.PREDICT, self._infer),
        }

    def answer(self, call: CallHead, peer: GrpcConnection) -> LetIn:
        """What answers this call, asked before its message comes: the method, once its caller is known.

        Raises
        ------
        HttpRefusal
        """
        reception = self._app.reception
        head = read_head(call.headers, hosts=reception.hosts, most_body=PREFIX + peer.most_bytes)
        permission, method = self.methods.get(call.path, (None, None))
        if permission is None or method is None:
            raise CallRefused("There is no such method.", 405)
        if permission is Permission.OPEN:
            return LetIn(partial(self._answered, method, _Asked(head, _NOBODY, peer)), _MOST_OPEN)
        caller = reception.caller(head.authorization, peer.thumbprint)
        reception.asked_for(caller, "")  # who may ask no model need not send a message
        asked = _Asked(head, caller, peer, seconds=call.seconds)
        return LetIn(partial(self._answered, method, asked), peer.most_bytes)

    async def _answered(self, method: _Method, asked: _Asked, message: bytes) -> Reply:
        """The answer's message, and headers for it. Raises `HttpRefusal`."""
        if asked.head.length not in (None, PREFIX + len(message)):
            raise CallRefused("The message is not as long as announced.")
        asked = asked._replace(message=message)
        if asked.caller is _NOBODY:
            return await method(asked)
        named = "" if method == self._server else named_in(message)
        return await self._app.within_budget(
            self._app.reception.asked_for(asked.caller, named),
            asked.caller,
            lambda channel, admitted: method(asked._replace(channel=channel, admitted=admitted)),
        )

    async def _live(self, asked: "_Asked") -> Reply:
        parsed("ServerLiveRequest", asked.message)
        return _told("ServerLiveResponse", live=True)

    async def _ready(self, asked: "_Asked") -> Reply:
        parsed("ServerReadyRequest", asked.message)
        return _told("ServerReadyResponse", ready=not self._app.not_ready())

    async def _health(self, _asked: "_Asked") -> Reply:
        return Reply(_NOT_SERVING if self._app.not_ready() else _SERVING)

    async def _server(self, asked: "_Asked") -> Reply:
        parsed("ServerMetadataRequest", asked.message)
        return _told("ServerMetadataResponse", **self._app.metadata)

    async def _model(self, asked: "_Asked") -> Reply:
        found, channel = parsed("ModelMetadataRequest", asked.message), _channel_of(asked)
        _hold_to(channel, found.name)
        served = channel.served(found.version)
        return _told("ModelMetadataResponse", **served.oip.metadata(served.number))

    async def _model_ready(self, asked: "_Asked") -> Reply:
        found, channel = parsed("ModelReadyRequest", asked.message), _channel_of(asked)
        _hold_to(channel, found.name)
        channel.served(found.version)
        return _told("ModelReadyResponse", ready=not self._app.not_ready(channel.project))

    async def _infer(self, asked: "_Asked") -> Reply:
        channel = _channel_of(asked)
        if len(asked.message) > channel.model.body_bytes:
            raise BodyTooLarge
        inquiry = channel.inquiry(
            version_in(asked.message),
            asked.message,
            protocol_of=lambda served: GrpcProtocol(served.oip, project=channel.project, number=served.number),
            caller=asked.caller,
            source=asked.peer.source,
            done=asyncio.get_running_loop().create_future(),
            person=asked.head.person,
            gpc=asked.head.gpc,
            admitted=asked.admitted,
            seconds=asked.seconds,
        )
        return await channel.decider.decide(inquiry)


def _channel_of(asked: "_Asked") -> Channel:
    assert asked.channel is not None, "only a call about no model has none"
    return asked.channel


def _hold_to(channel: Channel, name: str) -> None:
    """A message that names two models was let in for one of them. The same words whether another project's model exists."""
    if name != channel.project:
        raise Forbidden(reason="auth.scope")


def _told(message: str, /, **fields: object) -> Reply:
    return Reply(message_class(message)(**fields).SerializeToString())
