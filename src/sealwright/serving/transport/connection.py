"""One HTTP connection that cannot be held open for nothing.

uvicorn's httptools protocol, with what it leaves out: heads that are read one way only (`head.py`), a limit on
their size, a deadline for every phase (nothing sent, headers, body, answer not taken), a cap on connections, and
refusals that are problem documents. One sweep twice a second looks at all deadlines, so a request costs no timer.

A usual prediction that came whole is not given to the parser at all: a lane of the application's own (`QuickLane`) takes
it from the connection's bytes and writes the answer back. What is unusual about a request, it leaves alone.

The parser is given whole heads and exactly the bytes of their bodies. Where it and we would disagree about where a
request ends, the connection does.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from sealwright.serving.problems import AnswerTooLate, BadRequest, BodyIncomplete, HttpRefusal, problem_body
from sealwright.serving.transport.head import could_become_a_head, measured_head
from sealwright.serving.transport.limits import TransportLimits
from sealwright.trust import certificate_thumbprint

__all__ = ["ConnectionGuard", "guarded_protocol"]

_SWEEP_SECONDS = 0.5
_REFUSED_SECONDS = 1.0  # for a peer to take a refusal before the connection is cut
_FRESH_SECONDS = 1.0  # for a connection that came while the server was leaving to send its request
_MOST_HELD = 64 << 10  # bytes read ahead of an answer
_LAST = b"\r\nconnection: close\r\n"
_QUIET, _HEADERS, _BODY, _ANSWER, _CLOSING = range(5)


class HeadersTooLarge(HttpRefusal):
    """The header block is larger than this server reads."""

    code, status, title, closes = "http.headers_too_large", 431, "The request headers are too large", True


class Guarded(Protocol):
    """A connection as its guard sees it."""

    @property
    def deadline(self) -> float:
        """Loop time at which `expire` is due."""

    def expire(self) -> None:
        """End what has lasted too long."""

    def farewell(self) -> None:
        """Tell the peer that this connection ends soon: with the next answer, or in so many words."""


class QuickLane(Protocol):
    """Answers usual requests without a parser between."""

    def take(self, data: bytes, end: int, connection: "GuardedConnection") -> int:
        """Take the request at the beginning of `data`, whose head ends at `end`; returns where it ends, or 0: not mine.

        Whoever takes one calls `connection.answer` once, at once or later.
        """


class ConnectionGuard:
    """All open connections of one server, whatever they speak, and the sweep that ends the overdue ones."""

    def __init__(self, limits: TransportLimits) -> None:
        self.limits = limits
        self.refused: Counter[int] = Counter()  # by status, for the log
        self.lane: QuickLane | None = None
        self.draining = False  # every answer from now on is the last on its connection, and says so
        self._open: set[Guarded] = set()
        self._clients: Counter[str] = Counter()

    def admit(self, connection: Guarded, client: str) -> bool:
        """Count a new connection, or say that there are too many."""
        if len(self._open) >= self.limits.connections or self._clients[client] >= self.limits.connections_per_client:
            return False
        self._open.add(connection)
        self._clients[client] += 1
        return True

    def forget(self, connection: Guarded, client: str) -> None:
        """A connection has ended."""
        if connection in self._open:
            self._open.discard(connection)
            self._clients[client] -= 1
            if not self._clients[client]:
                del self._clients[client]

    @property
    def open(self) -> int:
        """How many connections there are."""
        return len(self._open)

    def drain(self) -> None:
        """From now on answers say that they are the last ones on their connections."""
        self.draining = True
        for connection in tuple(self._open):
            connection.farewell()

    async def sweep(self) -> None:
        """End overdue connections until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            now = loop.time()
            for connection in [c for c in self._open if c.deadline < now]:
                connection.expire()


def guarded_protocol(guard: ConnectionGuard) -> type[HttpToolsProtocol]:
    """The protocol class uvicorn is to use, bound to one guard."""

    class Bound(GuardedConnection):
        _guard = guard

    return Bound


class GuardedConnection(HttpToolsProtocol):
    """A connection that knows its phase and its deadline (loop time, seconds)."""

    _guard: ConnectionGuard

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.deadline: float = float("inf")
        self._phase = _QUIET
        self._in_body = False  # as the parser sees it
        self._begun = b""  # of a head that is not whole yet
        self._left = 0  # bytes of body still to come, as the head announced them
        self._last = False  # close after the answer under way
        self._quick = False  # a request was taken by the lane and is not answered yet
        self._stalled = False  # it was answered, and the peer does not take the answer
        self._held = b""  # what came meanwhile
        self._fresh = False  # it was made when the end had begun, so nothing was answered on it yet
        self.thumbprint = ""  # of the certificate it showed
        self.source = ""  # the peer's address
        self._time: Callable[[], float] = self.loop.time

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.source = self.client[0] if self.client else ""
        tls = transport.get_extra_info("ssl_object")
        shown = tls.getpeercert(binary_form=True) if tls is not None else None
        if shown is not None:
            self.app_state = {"client_certificate": shown}  # DER; verified against CA and revocation list
        if not self._guard.admit(self, self.source):
            transport.abort()  # over the cap nothing is spent on politeness
            return
        secured = transport.get_extra_info("ssl_object")
        certificate = secured.getpeercert(binary_form=True) if secured is not None else None
        if certificate:
            self.thumbprint = certificate_thumbprint(certificate)
            self.app_state["thumbprint"] = self.thumbprint  # what requests see as scope["state"]
        self._fresh = self._guard.draining
        self._enter(_QUIET, self._guard.limits.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._guard.forget(self, self.source)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._phase == _CLOSING or self.parser is None:
            return
        self._unset_keepalive_if_required()
        if self._held:
            data, self._held = self._held + data, b""
        try:
            while data and self._phase != _CLOSING:
                if self._busy():
                    self._hold(data)
                    return
                data = self._body(data) if self._left else self._head(data)
        except HttpRefusal as refusal:
            self._refuse(refusal)
        except httptools.HttpParserUpgrade:
            self._refuse(BadRequest("Protocol upgrades are not offered."))
        except httptools.HttpParserError:
            self._refuse(BadRequest())

    def _head(self, data: bytes) -> bytes:
        """Read one head, if it is whole, and what is there of its body; returns what came after."""
        if self._begun:
            data = self._begun + data
        end = data.find(b"\r\n\r\n") + 4
        if (end if end > 3 else len(data)) > self._guard.limits.header_bytes:
            raise HeadersTooLarge
        if end == 3:
            if not could_become_a_head(data):
                raise BadRequest
            if not self._begun and self._idle():
                self._enter(_HEADERS, self._guard.limits.header_seconds)
            self._begun = data
            return b""
        self._begun = b""
        lane = self._guard.lane
        if lane is not None and self._idle():
            self._quick = True
            self._enter(_ANSWER, self._guard.limits.answer_seconds)
            taken = lane.take(data, end, self)
            if taken:
                return data[taken:]
            self._quick = False
        end += measured_head(data[:end])  # to the end of the body
        part = data[:end]
        self._left = end - len(part)
        return self._fed(part, data)

    def _body(self, data: bytes) -> bytes:
        """Read more of a body; returns what came after it."""
        part = data[: self._left]
        self._left -= len(part)
        return self._fed(part, data)

    def _fed(self, part: bytes, data: bytes) -> bytes:
        """Give the parser the beginning `part` of `data`; returns the rest."""
        self.parser.feed_data(part)
        if self._in_body != (self._left > 0):
            raise BadRequest  # it takes the request to end elsewhere
        return data[len(part) :]

    def on_headers_complete(self) -> None:
        self._in_body = True
        self._enter(_BODY, self._guard.limits.body_seconds)
        super().on_headers_complete()
        if self._guard.draining:
            self.farewell()

    def on_message_complete(self) -> None:
        self._in_body = False
        super().on_message_complete()
        if self.cycle.response_complete:
            self._enter(_QUIET, self._guard.limits.idle_seconds)
        else:
            self._enter(_ANSWER, self._guard.limits.answer_seconds)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._enter(_CLOSING, self._guard.limits.answer_seconds)  # the answer may still be on its way
        elif self.pipeline or not self.cycle.response_complete:
            self._enter(_ANSWER, self._guard.limits.answer_seconds)
        elif self._phase != _BODY:  # an early refusal leaves the body's own deadline standing
            self._enter(_QUIET, self._guard.limits.idle_seconds)
        if len(self._held) > _MOST_HELD:
            self.flow.pause_reading()  # which the parser's side has just ended
        self._go_on()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stalled:
            self._stalled = False
            self._enter(_QUIET, self._guard.limits.idle_seconds)
        self._go_on()

    def farewell(self) -> None:
        """As `Guarded.farewell`. A peer that is told so sends its next request elsewhere; one that finds itself cut off may have lost one."""
        if not self._idle():
            self.cycle.keep_alive = False  # the answer says `connection: close`

    def shutdown(self) -> None:
        if self._quick or self._begun:  # a request is under way, or begins
            self._last = True
            return
        if self._fresh and self._idle() and self._phase == _QUIET:  # its first request is on its way
            self._enter(_QUIET, _FRESH_SECONDS)
            return
        super().shutdown()
        if self.transport.is_closing():
            self._enter(_CLOSING, _REFUSED_SECONDS)

    def expire(self) -> None:
        """The deadline of the present phase has passed."""
        answered = self._phase == _BODY and self.cycle.response_started  # refused early, body still coming
        if self._phase in (_HEADERS, _BODY) and not self.pipeline and not answered:
            self._refuse(BodyIncomplete())
        elif self._phase == _ANSWER and self._owes():
            self._refuse(AnswerTooLate())
        elif self._phase in (_QUIET, _HEADERS, _BODY) and not self.pipeline and not self.flow.write_paused:
            self.transport.close()
            self._enter(_CLOSING, _REFUSED_SECONDS)
        else:
            self.transport.abort()
            self._enter(_CLOSING, _REFUSED_SECONDS)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's text names the server's parser
        self._refuse(BadRequest())

    def answer(self, response: bytes, *, close: bool) -> None:
        """The whole response to the request that the lane took."""
        self._quick = False
        if self.transport.is_closing():
            return
        if (self._last or self._guard.draining) and not close:
            response, close = response.replace(b"\r\n", _LAST, 1), True
        self.transport.write(response)
        if close:
            self.transport.close()
            self._enter(_CLOSING, self._guard.limits.answer_seconds)
            return
        if self.flow.write_paused:  # nothing more is read before the peer takes it, or its time is over
            self._stalled = True
            return
        self._enter(_QUIET, self._guard.limits.idle_seconds)
        self._go_on()

    def _busy(self) -> bool:
        """A whole request is under way, or its answer is: what comes now is the next one's."""
        if self._quick or self._stalled or (self.flow.write_paused and self._idle()):
            return True
        return not self._left and not self._in_body and not self._idle()

    def _hold(self, data: bytes) -> None:
        """Keep what a caller sends who does not wait for answers; not much of it."""
        self._held = data
        if len(data) > _MOST_HELD:
            self.flow.pause_reading()

    def _go_on(self) -> None:
        """Read what was held, after whatever is going on now."""
        if self._held:
            self.loop.call_soon(self._read_held)

    def _read_held(self) -> None:
        """Go on with what was held; more is read only when that is nearly used up, or each answer would let in more than it used."""
        if self._held and not self.transport.is_closing():
            self.data_received(b"")
            if len(self._held) <= _MOST_HELD:
                self.flow.resume_reading()

    def _owes(self) -> bool:
        """Nothing of the answer under way has been written, and the peer would take it."""
        if self._stalled or self.flow.write_paused:
            return False
        return self._quick or (not self._idle() and not self.cycle.response_started)

    def _idle(self) -> bool:
        """No request is being answered."""
        cycle: RequestResponseCycle | None = self.cycle  # None before the first request, whatever uvicorn's types say
        return cycle is None or cycle.response_complete

    def _enter(self, phase: int, seconds: float) -> None:
        self._phase = phase
        self.deadline = self._time() + seconds

    def _refuse(self, refusal: HttpRefusal) -> None:
        """Write a problem past the application, end the request it may be busy with, and close."""
        self._guard.refused[refusal.status] += 1
        if not self._idle():
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if not self.transport.is_closing():
            self.transport.write(_raw_refusal(refusal))
            self.transport.close()
        self._enter(_CLOSING, _REFUSED_SECONDS)


def _raw_refusal(refusal: HttpRefusal) -> bytes:
    body = problem_body(refusal)
    head = (
        f"HTTP/1.1 {refusal.status} Refused\r\ncontent-type: application/problem+json\r\n"
        f"content-length: {len(body)}\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body
