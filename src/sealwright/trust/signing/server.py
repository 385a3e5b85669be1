"""The signer's loop: many connections, one thread, one request at a time.

Answers: how do many callers share one signer without one of them holding up, filling up or ending it for the others?
Bounded messages, a bounded number of connections and of bytes in flight, a deadline for whoever begins a message and
does not end it. Whoever announces more than may be sent is disconnected before it is read. What has to wait for a device or service
waits in a lane of its own.
"""

import contextlib
import os
import selectors
import socket
import time
from collections.abc import Callable

from sealwright.trust.signing.errors import SignerRefused
from sealwright.trust.signing.lanes import Lanes
from sealwright.trust.signing.messages import (
    MOST_BYTES,
    MOST_BYTES_OF_PREDICT,
    PREFIX,
    Adopt,
    Done,
    Join,
    Narrow,
    No,
    Reply,
    Request,
    encode,
    read_request,
)
from sealwright.trust.signing.service import CONTROL, Door, SigningService

__all__ = ["SignerServer"]

_CHUNK = 1 << 16  # four times as much is taken from the system anew for each read, which costs as much as a signature
_MOST_CONNECTIONS = 512
_MOST_WAITING = 64 << 20  # bytes of unfinished messages, all connections together
_PATIENCE = 10.0  # seconds to finish a message that was begun, or to take an answer
_TICK = 1.0


class _Connection:
    """One caller: what it may ask, what it has sent, what it has not yet taken."""

    def __init__(self, line: socket.socket, door: Door) -> None:
        line.settimeout(0)
        self.line, self.door = line, door
        self.given = bytearray()
        self.owed = b""
        self.since = 0.0  # when an unfinished message or answer began; 0: nothing is unfinished
        self.handed: list[int] = []  # descriptors that came along and were not yet taken
        self.waits = False  # for an answer that is made in a lane; nothing is read meanwhile

    @property
    def most(self) -> int:
        return MOST_BYTES if self.door == CONTROL else MOST_BYTES_OF_PREDICT

    def close(self) -> None:
        for descriptor in self.handed:
            os.close(descriptor)
        self.handed.clear()
        self.line.close()


class SignerServer:
    """Answers connections until there are none, or, with a listening socket, until it is stopped."""

    def __init__(
        self,
        service: SigningService,
        *,
        listening: socket.socket | None = None,
        admit: Callable[[socket.socket], Door | None] | None = None,
    ) -> None:
        """`admit` says what a new connection may ask for; None: nothing, and it is closed without a word."""
        self._service, self._listening, self._admit = service, listening, admit
        self._chooser = selectors.DefaultSelector()
        self._connections: set[_Connection] = set()
        self._stopped = False
        self._lanes: Lanes[_Connection] = Lanes(service)
        self._chooser.register(self._lanes.bell, selectors.EVENT_READ, self._lanes)
        if listening is not None:
            listening.settimeout(0)
            self._chooser.register(listening, selectors.EVENT_READ, None)

    def add(self, line: socket.socket, door: Door) -> None:
        """Serve one more connection."""
        connection = _Connection(line, door)
        self._connections.add(connection)
        self._chooser.register(line, selectors.EVENT_READ, connection)

    def stop(self) -> None:
        """End the loop after the request at hand."""
        self._stopped = True

    def run(self) -> None:
        """Serve. Returns when stopped, or when the last connection is gone and nothing listens for more."""
        while not self._stopped and (self._connections or self._listening is not None):
            timeout = _TICK if any(one.since for one in self._connections) or self._listening is not None else None
            for key, _ in self._chooser.select(timeout):
                if key.data is None:
                    self._welcome()
                elif key.data is self._lanes:
                    self._hand_out()
                elif key.data in self._connections:
                    self._attend(key.data)
            self._end_the_slow()
        self._finish()
        for connection in list(self._connections):
            self._end(connection)
        self._chooser.close()

    def _finish(self) -> None:
        """Give those their answer who wait for one in a lane, as far as it comes in time."""
        until = time.monotonic() + _PATIENCE
        while self._lanes.waiting and time.monotonic() < until:
            time.sleep(0.01)
            self._hand_out()

    def _welcome(self) -> None:
        assert self._listening is not None
        assert self._admit is not None
        with contextlib.suppress(OSError):
            line, _ = self._listening.accept()
            door = self._admit(line) if len(self._connections) < _MOST_CONNECTIONS else None
            if door is None:
                line.close()
            else:
                self.add(line, door)

    def _attend(self, connection: _Connection) -> None:
        """Give what is owed, else take what came and answer one request of it."""
        try:
            if connection.owed:
                self._give(connection)
            elif not self._take(connection):
                self._end(connection)
                return
            if not connection.owed:
                self._answer(connection)
        except OSError:
            self._end(connection)

    def _take(self, connection: _Connection) -> bool:
        """Read some bytes; False when the caller is gone or sends more than may wait."""
        try:
            data, descriptors, _, _ = socket.recv_fds(connection.line, _CHUNK, 2)
        except BlockingIOError:
            return True
        connection.handed += descriptors
        connection.given += data
        return bool(data) and len(connection.handed) <= 1 and self._waiting() <= _MOST_WAITING

    def _waiting(self) -> int:
        return sum(len(one.given) for one in self._connections) + self._lanes.bytes

    def _answer(self, connection: _Connection) -> None:
        """Answer the first whole message, if there is one. The next waits for the next turn, so that others have theirs."""
        given = connection.given
        size = _size(given)
        if size > connection.most or (len(given) >= PREFIX and not size):
            self._end(connection)
            return
        if not _whole(given):
            self._mark(connection, unfinished=bool(given))
            return
        asked = read_request(bytes(memoryview(given)[PREFIX : PREFIX + size]))
        del given[: PREFIX + size]
        connection.since = 0.0
        reply = self._reply(connection, asked, size)
        if reply is None:
            connection.waits = True
            self._chooser.unregister(connection.line)
            return
        connection.owed = encode(reply)
        self._give(connection)

    def _hand_out(self) -> None:
        """Give whoever waited what a lane answered."""
        for connection, reply in self._lanes.answered():
            connection.waits = False
            if connection in self._connections:
                self._chooser.register(connection.line, selectors.EVENT_READ, connection)
                connection.owed = encode(reply)
                try:
                    self._give(connection)
                except OSError:
                    self._end(connection)

    def _reply(self, connection: _Connection, asked: Request | None, size: int) -> Reply | None:
        """The answer; None: a lane will give it."""
        try:
            if asked is None:
                raise SignerRefused("request.malformed", "This is not a request that the signer knows.")
            if isinstance(asked, Adopt | Join):
                return self._adopt(connection, asked)
            if connection.handed:
                raise SignerRefused("request.descriptor", "A descriptor came along that this request has no use for.")
            if isinstance(asked, Narrow):
                self._service.check_predict(asked.origins)
                connection.door = connection.door.narrowed(asked.origins)
                return Done()
        except SignerRefused as error:
            return No(reason=error.reason, message=str(error), at=error.at)
        finally:
            for descriptor in connection.handed:
                os.close(descriptor)
            connection.handed.clear()
        lane = self._service.lane_of(connection.door, asked)
        if lane is None:
            return self._service.answer(connection.door, asked)
        self._lanes.put(lane, connection, connection.door, asked, size)
        return None

    def _adopt(self, connection: _Connection, asked: Adopt | Join) -> Reply:
        """Serve the socket that came along; one that is adopted is narrowed from its first word on."""
        if connection.door != CONTROL:
            raise SignerRefused("role.not_allowed", "Only a connection of role 'control' brings another one.")
        if isinstance(asked, Adopt):
            self._service.check_predict(asked.origins)
        if not connection.handed or len(self._connections) >= _MOST_CONNECTIONS:
            raise SignerRefused("request.descriptor", "No socket came along, or there are too many already.")
        descriptor = connection.handed.pop()
        try:
            line = socket.socket(fileno=descriptor)
        except OSError:
            os.close(descriptor)
            raise SignerRefused("request.descriptor", "What came along is not a socket.") from None
        if line.family != socket.AF_UNIX or line.type != socket.SOCK_STREAM:
            line.close()
            raise SignerRefused("request.descriptor", "What came along is not a Unix stream socket.")
        self.add(line, CONTROL.narrowed(asked.origins) if isinstance(asked, Adopt) else CONTROL)
        return Done()

    def _give(self, connection: _Connection) -> None:
        """Send what the caller takes without waiting."""
        with contextlib.suppress(BlockingIOError):
            sent = connection.line.send(connection.owed)
            connection.owed = connection.owed[sent:]
        self._mark(connection, unfinished=bool(connection.owed or connection.given))
        again = bool(connection.owed) or _whole(connection.given)  # a writable socket gives the next turn at once
        wanted = selectors.EVENT_WRITE if again else selectors.EVENT_READ
        if self._chooser.get_key(connection.line).events != wanted:
            self._chooser.modify(connection.line, wanted, connection)

    def _mark(self, connection: _Connection, *, unfinished: bool) -> None:
        """Keep the time since when something is unfinished."""
        if not unfinished:
            connection.since = 0.0
        elif not connection.since:
            connection.since = time.monotonic()

    def _end_the_slow(self) -> None:
        late = time.monotonic() - _PATIENCE
        for connection in [one for one in self._connections if 0.0 < one.since < late]:
            self._end(connection)

    def _end(self, connection: _Connection) -> None:
        if connection in self._connections:
            self._connections.discard(connection)
            if not connection.waits:
                self._chooser.unregister(connection.line)
            connection.close()


def _size(given: bytearray) -> int:
    return int.from_bytes(given[:PREFIX], "big") if len(given) >= PREFIX else 0


def _whole(given: bytearray) -> bool:
    return len(given) >= PREFIX + _size(given) > PREFIX
