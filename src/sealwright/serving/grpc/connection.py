"""One HTTP/2 connection of gRPC clients, which cannot be held open for nothing and cannot ask for more than it may.

Answers: which call came, whole; and how does its answer get out? Does not answer: may its sender make it, which is asked before any of its
message is taken, and what is it answered; `service` does.

Own, because the servers there are cannot keep what `transport` promises (docs/adr): TLS 1.3 alone, revocation lists, certificates renewed
while it runs, caps on connections. Small, because gRPC needs little: unary calls, no push, no priorities, no trailers of callers.

What is bounded: connections and connections of one client (with HTTP, by the same guard); calls at once; headers; one frame; bytes of all
calls not answered yet (the connection's window); frames that carry no call (pings, resets, empty data, settings) between two answers,
so that no flood of them costs more than it did its sender; and time in every phase.
"""

import asyncio
import contextlib
import struct
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from sealwright.serving.grpc import frames
from sealwright.serving.grpc.calls import (
    CallHead,
    CallRefused,
    block_of_refusal,
    call_head,
    framed,
    message_in,
    told_ok,
)
from sealwright.serving.grpc.frames import Fault, Frame, Http2Refused, frame, next_frame, unpadded
from sealwright.serving.grpc.hpack import HeaderDecoder, HeadersRefused
from sealwright.serving.grpc.outgoing import Outgoing
from sealwright.serving.problems import HttpRefusal
from sealwright.serving.reply import Reply
from sealwright.serving.transport.connection import ConnectionGuard
from sealwright.trust import certificate_thumbprint

__all__ = ["Answerer", "GrpcConnection", "LetIn"]

MOST_CALLS = 64  # at once on one connection
_MOST_IDLE_FRAMES = 512  # that carry no call; an answered call pays for some
_PAID_BY_A_CALL = 16  # clients need about four
_MOST_HELD = 4  # bodies of the largest size, of all calls that are not whole yet
_MOST_CONTINUATIONS = 8
_GOODBYE_SECONDS = 1.0
_SETTINGS_CALLS, _SETTINGS_WINDOW, _SETTINGS_HEADERS = 3, 4, 6
_FIRST_WINDOW = 65_535
_LARGEST_WINDOW = (1 << 31) - 1


class LetIn(NamedTuple):
    """A call whose sender may make it. `answer`: from its message to the answer's message and headers; raises `HttpRefusal`."""

    answer: Callable[[bytes], Awaitable[Reply]]
    most_bytes: int  # of its message


Answerer = Callable[[CallHead, "GrpcConnection"], LetIn]
"""From a call's head, and who sends it, to what answers its message; raises `HttpRefusal` for a sender who may not make it."""


class _Call:
    """One stream: its head, what answers it, what came of its body, its deadline, and what works on it."""

    __slots__ = ("body", "deadline", "head", "let_in", "task")

    def __init__(self, head: CallHead, deadline: float) -> None:
        self.head, self.deadline = head, deadline
        self.let_in: LetIn | None = None  # None: its sender is turned away
        self.body = bytearray()
        self.task: asyncio.Task[None] | None = None


class GrpcConnection(asyncio.Protocol):
    """Speaks HTTP/2 with one client."""

    def __init__(
        self,
        guard: ConnectionGuard,
        answer: Answerer,
        refusal_of: Callable[[BaseException, str], tuple[HttpRefusal, str]],
        *,
        secured: bool,
    ) -> None:
        """`refusal_of`: what is told for an error of a call from an address, and the fault's id; counts it. `secured`: TLS, so HTTP/2 must have been agreed on."""
        self._guard, self._answer, self._refusal_of, self._secured = guard, answer, refusal_of, secured
        self.most_bytes = guard.limits.body_bytes
        self._data = bytearray()
        self._began = False  # the client's preface was read
        self._settled = False  # and its first settings
        self._calls: dict[int, _Call] = {}
        self._last = 0  # the newest stream
        self._block: tuple[Frame, bytearray, int] | None = (
            None  # a header block that is not whole yet, and how many parts it had
        )
        self._idle_frames = 0
        self._window = self._owed = 0  # bytes the client may still send, and may once we say so
        self._held = 0  # bytes of calls that are not whole yet
        self._unwanted: dict[int, int] = {}  # of calls turned away: bytes that may still be on their way
        self._closing = False
        self._decoder = HeaderDecoder(most_bytes=guard.limits.header_bytes)
        self._time = asyncio.get_running_loop().time
        self._quiet_until = 0.0
        self.source = self.thumbprint = ""

    # The connection as asyncio tells of it.

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        peer = transport.get_extra_info("peername")
        self.source = str(peer[0]) if peer else ""
        secured = transport.get_extra_info("ssl_object")
        agreed = secured is not None and secured.selected_alpn_protocol() == "h2"
        if (self._secured and not agreed) or not self._guard.admit(self, self.source):
            self._closing = True
            self._transport.abort()
            return
        certificate = secured.getpeercert(binary_form=True) if secured is not None else None
        self.thumbprint = certificate_thumbprint(certificate) if certificate else ""
        self._quiet_until = self._time() + self._guard.limits.header_seconds
        self._out = Outgoing(self._transport.write)
        self._greet()

    def connection_lost(self, _error: Exception | None) -> None:
        self._closing = True
        self._guard.forget(self, self.source)
        for call in self._calls.values():
            if call.task is not None:
                call.task.cancel()
        self._calls.clear()

    def pause_writing(self) -> None:
        """The client does not read: it is not read either."""
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        if not self._closing:
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return
        self._data += data
        try:
            self._read()
        except Http2Refused as refused:
            self._leave(refused.code)
        except HeadersRefused:
            self._leave(Fault.COMPRESSION)

    # Deadlines: the guard's sweep looks at `deadline` and calls `expire`.

    @property
    def deadline(self) -> float:
        """When something here has lasted too long."""
        if not self._calls:
            return self._quiet_until
        return min(call.deadline for call in self._calls.values())

    def expire(self) -> None:
        """End what has lasted too long: a call that does not come, an answer that is not taken, a connection without calls."""
        now = self._time()
        if self._closing:
            self._transport.abort()
        elif not self._calls:
            self._leave(Fault.NONE)
        for stream, call in list(self._calls.items()):
            if call.deadline >= now:
                continue
            if call.task is not None and call.task.done():
                self._leave(Fault.NONE, at_once=True)  # its answer is not taken
                return
            self._refuse(stream, CallRefused("The call did not arrive in time.", 408))

    def farewell(self) -> None:
        """Ask for no further calls; those that are on their way are still taken."""
        if not self._closing and self._quiet_until:
            self._transport.write(frame(frames.GOAWAY, 0, 0, struct.pack(">II", _LARGEST_WINDOW, Fault.NONE)))

    def drain(self) -> None:
        """Take no further calls; those under way are answered."""
        if not self._closing:
            self._transport.write(frame(frames.GOAWAY, 0, 0, struct.pack(">II", self._last, Fault.NONE)))
            self._quiet_until = 0.0  # closed by the next sweep once nothing is under way

    @property
    def busy(self) -> bool:
        return bool(self._calls)

    # Frames.

    def _greet(self) -> None:
        """Our settings, and a window for as much as one body and its frames."""
        limits = self._guard.limits
        self._window = self.most_bytes + 2 * _FIRST_WINDOW
        told = struct.pack(
            ">HIHIHI",
            _SETTINGS_CALLS,
            MOST_CALLS,
            _SETTINGS_WINDOW,
            self.most_bytes + _FIRST_WINDOW,
            _SETTINGS_HEADERS,
            limits.header_bytes,
        )
        grown = struct.pack(">I", self._window - _FIRST_WINDOW)
        self._transport.write(frame(frames.SETTINGS, 0, 0, told) + frame(frames.WINDOW_UPDATE, 0, 0, grown))

    def _read(self) -> None:
        at = 0
        if not self._began:
            begin = bytes(self._data[: len(frames.PREFACE)])
            if not frames.PREFACE.startswith(begin):
                raise Http2Refused(Fault.PROTOCOL)
            if len(begin) < len(frames.PREFACE):
                return
            self._began, at = True, len(frames.PREFACE)
        while not self._closing and (one := next_frame(self._data, at)) is not None:
            at += 9 + len(one.payload)
            if not self._settled and one.kind != frames.SETTINGS:
                raise Http2Refused(Fault.PROTOCOL)
            if self._block is not None and one.kind != frames.CONTINUATION:
                raise Http2Refused(Fault.PROTOCOL)
            self._take(one)
        del self._data[:at]

    def _take(self, one: Frame) -> None:
        if one.kind == frames.DATA:
            self._take_data(one)
            return
        if one.kind != frames.HEADERS:
            self._count_idle()
        match one.kind:
            case frames.HEADERS:
                if one.stream % 2 == 0 or one.stream <= self._last:
                    raise Http2Refused(Fault.PROTOCOL)
                skip = 5 if one.flags & frames.PRIORITIZED else 0
                self._take_block(one, bytearray(unpadded(one, skip)), 0)
            case frames.CONTINUATION:
                if self._block is None or self._block[0].stream != one.stream:
                    raise Http2Refused(Fault.PROTOCOL)
                first, block, parts = self._block
                self._take_block(
                    first._replace(flags=first.flags | one.flags & frames.END_HEADERS), block + one.payload, parts + 1
                )
            case frames.SETTINGS:
                self._take_settings(one)
            case frames.PING:
                if one.stream or len(one.payload) != 8:
                    raise Http2Refused(Fault.FRAME_SIZE)
                if not one.flags & frames.ACK:
                    self._transport.write(frame(frames.PING, frames.ACK, 0, one.payload))
            case frames.WINDOW_UPDATE:
                self._take_window(one)
            case frames.RST_STREAM:
                if not one.stream or one.stream > self._last or len(one.payload) != 4:
                    raise Http2Refused(Fault.PROTOCOL)
                self._end_call(one.stream, cancel=True)
            case frames.GOAWAY:
                self._quiet_until = 0.0
            case frames.PUSH_PROMISE:
                raise Http2Refused(Fault.PROTOCOL)
            case _:
                pass  # PRIORITY, and kinds we do not know, mean nothing here

    def _count_idle(self) -> None:
        self._idle_frames += 1
        if self._idle_frames > _MOST_IDLE_FRAMES:
            raise Http2Refused(Fault.ENHANCE_YOUR_CALM)

    def _take_settings(self, one: Frame) -> None:
        if one.stream or len(one.payload) % 6 or (one.flags & frames.ACK and one.payload):
            raise Http2Refused(Fault.FRAME_SIZE)
        self._settled = True
        if one.flags & frames.ACK:
            return
        for name, value in struct.iter_unpack(">HI", one.payload):
            if name == _SETTINGS_WINDOW:
                if value > _LARGEST_WINDOW:
                    raise Http2Refused(Fault.FLOW_CONTROL)
                self._out.first_window(value)
                self._sent()
        self._transport.write(frame(frames.SETTINGS, frames.ACK, 0))

    def _take_window(self, one: Frame) -> None:
        if len(one.payload) != 4:
            raise Http2Refused(Fault.FRAME_SIZE)
        more = int.from_bytes(one.payload, "big") & _LARGEST_WINDOW
        if not more or one.stream > self._last or not self._out.grow(one.stream, more):
            raise Http2Refused(Fault.FLOW_CONTROL)
        self._sent()

    def _take_block(self, first: Frame, block: bytearray, parts: int) -> None:
        """A header block, or a part of one."""
        if len(block) > self._guard.limits.header_bytes or parts > _MOST_CONTINUATIONS:
            raise Http2Refused(Fault.ENHANCE_YOUR_CALM)
        if not first.flags & frames.END_HEADERS:
            self._block = (first, block, parts)
            return
        self._block = None
        found = self._decoder.read(bytes(block))
        self._last = first.stream
        if len(self._calls) >= MOST_CALLS or not self._quiet_until:  # full, or leaving
            self._count_idle()
            self._transport.write(frame(frames.RST_STREAM, 0, first.stream, struct.pack(">I", Fault.REFUSED)))
            return
        self._begin_call(first, found)

    def _begin_call(self, first: Frame, found: Sequence[tuple[bytes, bytes]]) -> None:
        try:
            head = call_head(found)
            if first.flags & frames.END_STREAM:
                raise CallRefused("Expected one message.")
        except CallRefused as refusal:
            self._count_idle()
            self._refuse(first.stream, refusal)
            return
        self._out.open(first.stream)
        call = self._calls[first.stream] = _Call(head, self._time() + self._guard.limits.body_seconds)
        try:
            call.let_in = self._answer(head, self)
        except Exception as error:  # noqa: BLE001 - told as a refusal, or as a fault with an id
            self._turn_away(first.stream, error)

    def _turn_away(self, stream: int, error: Exception) -> None:
        """Refuse a call before its body is taken; not at once, so that in a flood of them it counts as a call until then."""
        self._unwanted[stream] = self.most_bytes
        if len(self._unwanted) > MOST_CALLS:
            del self._unwanted[next(iter(self._unwanted))]
        asyncio.get_running_loop().call_soon(self._tell_turned_away, stream, error)

    def _tell_turned_away(self, stream: int, error: Exception) -> None:
        if stream in self._calls:
            self._refuse(stream, error, whole=stream not in self._unwanted)

    def _take_data(self, one: Frame) -> None:
        size = len(one.payload)
        if not one.stream or one.stream > self._last:
            raise Http2Refused(Fault.PROTOCOL)
        self._window -= size
        if self._window < 0:
            raise Http2Refused(Fault.FLOW_CONTROL)
        self._give_back(size)
        payload = unpadded(one)
        last = bool(one.flags & frames.END_STREAM)
        if one.stream in self._unwanted:
            self._drop(one.stream, len(payload), last=last)
            return
        call = self._calls.get(one.stream)
        let_in = None if call is None or call.task is not None else call.let_in
        if (len(payload) < _SMALL and not last) or let_in is None:
            self._count_idle()
        if call is None or let_in is None:  # refused or cancelled meanwhile; or sent after its end
            return
        call.body += payload
        self._held += len(payload)
        try:
            if self._held > _MOST_HELD * self.most_bytes:
                raise CallRefused("Too many large calls come at once on this connection.", 429)
            message = message_in(call.body, let_in.most_bytes)
            if message is None and last:
                raise CallRefused("The message is cut off.")
        except CallRefused as refusal:
            self._count_idle()
            self._refuse(one.stream, refusal, whole=last)
            return
        if last and message is not None:
            self._start(one.stream, call, let_in, message)

    def _drop(self, stream: int, size: int, *, last: bool) -> None:
        """Data of a call that was turned away: no more of it than a body may have, and no flood of small frames."""
        left = self._unwanted.pop(stream) - size
        if not last:
            self._unwanted[stream] = left
        if left < 0 or (size < _SMALL and not last):
            self._count_idle()

    def _start(self, stream: int, call: _Call, let_in: LetIn, message: bytes) -> None:
        self._let_go(call)
        longest = self._guard.limits.answer_seconds
        seconds = longest if call.head.seconds is None else min(call.head.seconds, longest)
        call.deadline = self._time() + seconds + longest
        call.task = asyncio.get_running_loop().create_task(self._work(stream, call, let_in, message, seconds))

    async def _work(self, stream: int, call: _Call, let_in: LetIn, message: bytes, seconds: float) -> None:
        """Have a call answered, and send the answer."""
        try:
            async with asyncio.timeout(seconds):
                answer = await let_in.answer(message)
        except TimeoutError:
            self._refuse(stream, CallRefused("The answer did not come in the time the caller gave.", 504), whole=True)
        except Exception as error:  # noqa: BLE001 - told as a refusal, or as a fault with an id
            self._refuse(stream, error, whole=True)
        else:
            if stream in self._calls:
                self._idle_frames = max(0, self._idle_frames - _PAID_BY_A_CALL)
                call.deadline = self._time() + self._guard.limits.answer_seconds
                before, after = told_ok(answer.headers)
                self._out.send(stream, before, framed(answer.body), after)
                self._sent()

    def _sent(self) -> None:
        """Forget the calls whose answers are out."""
        for stream in self._out.finished():
            self._end_call(stream)

    def _refuse(self, stream: int, error: Exception, *, whole: bool = False) -> None:
        """End a call with a status and no answer; one that is not `whole` need not be sent to its end."""
        refusal, fault = self._refusal_of(error, self.source)
        self._end_call(stream)
        if not self._closing:
            told = frame(
                frames.HEADERS, frames.END_HEADERS | frames.END_STREAM, stream, block_of_refusal(refusal, fault)
            )
            rest = b"" if whole else frame(frames.RST_STREAM, 0, stream, struct.pack(">I", Fault.NONE))
            self._transport.write(told + rest)

    def _end_call(self, stream: int, *, cancel: bool = False) -> None:
        call = self._calls.pop(stream, None)
        self._out.drop(stream)
        if call is None:
            return
        self._let_go(call)
        if cancel and call.task is not None:
            call.task.cancel()
        if not self._calls and self._quiet_until:
            self._quiet_until = self._time() + self._guard.limits.idle_seconds

    def _let_go(self, call: _Call) -> None:
        self._held -= len(call.body)
        call.body = bytearray()

    def _give_back(self, size: int) -> None:
        """Let the client send as much again; told to it once half the window is used up."""
        self._owed += size
        if self._owed > _FIRST_WINDOW // 2 and not self._closing:
            self._transport.write(frame(frames.WINDOW_UPDATE, 0, 0, struct.pack(">I", self._owed)))
            self._window, self._owed = self._window + self._owed, 0

    def _leave(self, code: int, *, at_once: bool = False) -> None:
        """Say why, and close."""
        if self._closing:
            return
        self._closing = True
        self._quiet_until = self._time() + _GOODBYE_SECONDS
        with contextlib.suppress(OSError):
            self._transport.write(frame(frames.GOAWAY, 0, 0, struct.pack(">II", self._last, code)))
        for call in self._calls.values():
            if call.task is not None:
                call.task.cancel()
        self._calls.clear()
        if at_once:
            self._transport.abort()
        else:
            self._transport.close()


_SMALL = 256  # bytes of data in a frame that is not the last; smaller ones are no way to send a message
