"""Asking a signer: one connection, and each thing that is asked over it.

Answers: what comes back, or why does nothing?
Does not answer: where the connection comes from. `link` finds or starts a signer; a server inherits a connection.
"""

import contextlib
import os
import socket
import struct
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from sealwright.kernel import SealwrightError, VerificationFailed
from sealwright.trust.backends.errors import BACKEND_ERRORS
from sealwright.trust.public_keys import PublicKey
from sealwright.trust.signing.errors import SignerRefused, SignerUnavailable
from sealwright.trust.signing.messages import (
    MOST_BYTES,
    PREFIX,
    Adopt,
    Behind,
    Done,
    Failed,
    Hello,
    Join,
    Look,
    Looked,
    Narrow,
    No,
    Ready,
    Renew,
    Renewed,
    Reply,
    Request,
    Step,
    StepAfter,
    Take,
    encode,
    read_reply,
)

__all__ = ["HeadIsBehind", "Line", "adopt", "join", "look", "narrow", "ready", "renew", "step_after", "take"]

_MOST_REPLY = 1 << 20
_CHUNK = 64 << 10
_ANSWER_SECONDS = 30.0
_R = TypeVar("_R", bound=Reply)


class Line:
    """One connection to a signer. Safe to use from many threads; not from a forked process."""

    def __init__(self, connected: socket.socket, *, patience: float = _ANSWER_SECONDS) -> None:
        _have_patience(connected, patience)
        self._socket: socket.socket | None = connected
        self._alone = threading.Lock()
        self._process = os.getpid()

    def ask(self, request: Request, wanted: type[_R], *, beside: int | None = None) -> _R:
        """The reply, which must be of one kind. `beside`: a descriptor to hand over with it.

        Raises
        ------
        SignerRefused
            The signer refuses.
        BackendUnavailable, BackendRefused, BackendLied
            The key is elsewhere, and nothing is signed there.
        SignerUnavailable
            It is gone, or did not answer in time; the connection is of no more use.
        HeadIsBehind
            For a tree head: the signer wants a proof from another one.
        """
        data = encode(request)
        if len(data) > MOST_BYTES + PREFIX:
            raise SignerRefused("request.too_large", f"The signer takes {MOST_BYTES >> 20} MB at once; this is more.")
        with self._alone:
            reply = self._exchange(data, beside)
        if not isinstance(reply, wanted):
            raise _refusal(reply)
        return reply

    def begin(self, request: Request, wanted: type[_R]) -> Callable[[], _R]:
        """Ask, and go on; what is returned waits for the reply. It must be called, since nobody else asks meanwhile.

        Both raise as `ask`.
        """
        data = encode(request)
        self._alone.acquire()
        try:
            self._send(data, None)
        except BaseException:
            self._alone.release()
            raise

        def end() -> _R:
            try:
                reply = self._reply()
            finally:
                self._alone.release()
            if not isinstance(reply, wanted):
                raise _refusal(reply)
            return reply

        return end

    def close(self) -> None:
        """Hang up. A signer that was started for this line ends."""
        with self._alone:
            self._drop()

    @property
    def usable(self) -> bool:
        """False once it was closed or broke, or in a process it was not made in."""
        return self._socket is not None and os.getpid() == self._process

    def _exchange(self, data: bytes, beside: int | None) -> Reply:
        self._send(data, beside)
        return self._reply()

    def _send(self, data: bytes, beside: int | None) -> None:
        if self._socket is None or os.getpid() != self._process:
            raise SignerUnavailable("There is no connection to the signer. Nothing was signed.")
        try:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # a signer that could not start said why
                sent = 0 if beside is None else socket.send_fds(self._socket, [data], [beside])
                self._socket.sendall(data[sent:])
        except OSError as error:
            raise self._gone(error) from None

    def _reply(self) -> Reply:
        try:
            reply = read_reply(body) if (body := self._body()) else None
        except (OSError, EOFError) as error:
            raise self._gone(error) from None
        if reply is None:
            self._drop()
            raise SignerUnavailable("What answers is not a signer of this version. Nothing was signed.")
        return reply

    def _gone(self, error: Exception) -> SignerUnavailable:
        self._drop()
        why = "did not answer in time" if isinstance(error, TimeoutError | BlockingIOError) else "is gone"
        return SignerUnavailable(f"The signer {why}. Nothing was signed; try again.")

    def _body(self) -> bytes:
        """The next message, as a rule at one read; b"" where that is no message of ours. Nothing comes unasked, so nothing
        may stand after it."""
        assert self._socket is not None
        data, whole = b"", PREFIX
        while len(data) < whole:
            chunk = self._socket.recv(_CHUNK)
            if not chunk:
                raise EOFError
            data += chunk
            if len(data) >= PREFIX:
                whole = PREFIX + int.from_bytes(data[:PREFIX], "big")
                if whole > PREFIX + _MOST_REPLY:
                    return b""
        return data[PREFIX:] if len(data) == whole else b""

    def _drop(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
            self._socket = None


def _have_patience(connected: socket.socket, seconds: float) -> None:
    """Have the kernel keep the time: Python's own timeouts ask it twice for each message whether there is one."""
    connected.settimeout(None)
    limit = struct.pack("ll", int(seconds), int(seconds % 1 * 1e6))
    for side in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        connected.setsockopt(socket.SOL_SOCKET, side, limit)


class HeadIsBehind(Exception):
    """The signer's newest head has `size` leaves; prove from there."""

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(size)


def _refusal(reply: Reply) -> Exception:
    """What a reply of another kind than the one that was hoped for is raised as."""
    if isinstance(reply, No):
        kind = next((one for one in BACKEND_ERRORS if one.code == reply.reason), None)
        return kind(reply.message) if kind is not None else SignerRefused(reply.reason, reply.message, at=reply.at)
    if isinstance(reply, Behind):
        return HeadIsBehind(reply.size)
    if isinstance(reply, Failed):
        return _as_error(reply)
    return SignerUnavailable("The signer answered another question than the one it was asked. Nothing was signed.")


def _as_error(reply: Failed) -> SealwrightError:
    """Why a signer could not start, as the error it was there."""
    from sealwright.kernel import NotFound, Refused
    from sealwright.trust.errors import KeyFileUnsafe, WrongUnlock

    if reply.code == VerificationFailed.code:
        return VerificationFailed(reply.message, link=reply.link)
    kinds: dict[str, type[SealwrightError]] = {
        kind.code: kind for kind in (NotFound, Refused, WrongUnlock, KeyFileUnsafe)
    }
    return kinds.get(reply.code, SignerUnavailable)(reply.message)


def ready(line: Line) -> Ready:
    """What the signer at the other end holds."""
    return line.ask(Hello(), Ready)


def narrow(line: Line, origins: Sequence[str]) -> None:
    """Leave this connection nothing but heads of these logs."""
    line.ask(Narrow(origins=list(origins)), Done)


def adopt(line: Line, theirs: socket.socket, origins: Sequence[str]) -> None:
    """Have the signer serve `theirs`, narrowed to these logs."""
    line.ask(Adopt(origins=list(origins)), Done, beside=theirs.fileno())


def join(line: Line, theirs: socket.socket) -> None:
    """Have the signer serve `theirs`, as wide as `line`."""
    line.ask(Join(), Done, beside=theirs.fileno())


def renew(line: Line, branch: str, at: str = "") -> tuple[PublicKey, int, str]:
    """Have the signer make a new key: its public half, the number of the trust root that will list it, and where it is.

    `at` is the place file of the device or service it goes to, as the signer finds it; empty: it is kept in a file.
    """
    made = line.ask(Renew(branch=branch, at=at), Renewed)
    return PublicKey.from_pem(made.pem), made.number, made.place


def look(line: Line, *, ask: bool) -> Looked:
    """Where the signer's keys elsewhere are, and, if `ask`, what is wrong with them there."""
    return line.ask(Look(ask=ask), Looked)


def take(line: Line, key: PublicKey) -> None:
    """Have the signer put a key to use that it made."""
    line.ask(Take(key=key.key_id), Done)


def step_after(line: Line, number: int) -> tuple[bytes, bytes] | None:
    """The signed step to the trust root after `number`, with the newest list of revoked keys; None if there is none."""
    found = line.ask(StepAfter(number=number), Step)
    return (found.link, found.key_list) if found.link else None
