"""The signer's couriers: processes without a key of ours that ask devices and services, so that the signer need not.

Answers: how does a process without network, and without the code of a device's maker in it, sign with a key elsewhere?
Does not answer: what is asked of which courier, and whether the answer is believed. `couriers` does that, in the signer.

A dispatcher is parted from the signer before that has read anything secret, and makes a courier when it is asked for
one: for a home of keys each, also while the signer runs and can make no process any more. A courier knows three questions: make a key
pair, show a public half, sign this. It reads the PIN or token itself. It ends with the signer; a device that hangs ends it, too.
"""

import contextlib
import gc
import os
import signal
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import msgspec
from msgspec import Meta

from sealwright.kernel import SealwrightError
from sealwright.trust.backends.errors import BackendUnavailable, SecretRefused
from sealwright.trust.backends.place import KeyHome
from sealwright.trust.backends.port import KeyBackend
from sealwright.trust.public_keys import PublicKey, Signer
from sealwright.trust.signing.hygiene import guard_memory, shut_doors

__all__ = [
    "MOST_BYTES",
    "Failure",
    "Made",
    "MakePair",
    "Open",
    "Question",
    "ShowPublic",
    "SignWith",
    "Signed",
    "dispatch",
    "part_dispatcher",
    "receive",
    "send",
]

MOST_BYTES = 17 << 20  # what the signer takes at once, and a little

NETWORK = ("bind", "connect", "semget", "shmget", "socket", "socketpair")
"""Calls a courier needs that the signer has no use for: services, name servers, and the daemons of makers of devices."""

_T = TypeVar("_T")
_Name = Annotated[str, Meta(max_length=200)]
_HANGS = 5.0  # seconds past its deadline after which the kernel ends a courier


class _Message(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """One value, with its kind in it."""


class Open(_Message, frozen=True):
    """The first question: the home of keys that all others are about."""

    home: KeyHome


class MakePair(_Message, frozen=True):
    """Make a key pair; answered with its public half."""

    name: _Name
    algorithm: str


class ShowPublic(_Message, frozen=True):
    """The public half of a pair that is there, and is `pem`, unless that is empty."""

    name: _Name
    pem: str = ""


class SignWith(_Message, frozen=True):
    """The signature over `data` by the pair called `name`, whose public half is `pem`."""

    name: _Name
    pem: str
    data: bytes


class Made(_Message, frozen=True):
    """A public half; empty where the question was whether the home can be opened."""

    pem: str = ""


class Signed(_Message, frozen=True):
    """What claims to be the signature."""

    signature: bytes


class Failure(_Message, frozen=True):
    """An error's code and sentence. `secret`: the PIN was wrong, and must not be tried again."""

    code: str
    message: str
    secret: bool = False


Question = Open | MakePair | ShowPublic | SignWith
Answer = Made | Signed | Failure

_ENCODER = msgspec.msgpack.Encoder()
_QUESTIONS: msgspec.msgpack.Decoder[Question] = msgspec.msgpack.Decoder(Question)


def part_dispatcher() -> socket.socket:
    """Part a dispatcher from this process, which has read nothing secret yet and has one thread; a line to it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    if os.fork() == 0:
        _become(dispatch, theirs)
    theirs.close()
    return ours


def dispatch(line: socket.socket) -> NoReturn:
    """Be the dispatcher: for each byte that comes, a new courier, and a line to it in return. Ends with the line."""
    guard_memory()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends with the signer, which may still have something to sign
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        while line.recv(1):
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
            if os.fork() == 0:
                _become(_carry, theirs)
            theirs.close()
            socket.send_fds(line, [b"\1"], [ours.fileno()])
            ours.close()
    except OSError:
        pass
    os._exit(0)


def send(line: socket.socket, message: Question | Answer) -> None:
    """One message, its length in front."""
    body = _ENCODER.encode(message)
    line.sendall(struct.pack(">I", len(body)) + body)


def receive(line: socket.socket, read: Callable[[bytes], _T]) -> _T:
    """One message, decoded by `read`.

    Raises
    ------
    EOFError, OSError, msgspec.MsgspecError
        The other end is gone, late, or says something else.
    """
    (size,) = struct.unpack(">I", _exactly(line, 4))
    if size > MOST_BYTES:
        raise EOFError
    return read(_exactly(line, size))


def _exactly(line: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        chunk = line.recv(min(count - len(data), 1 << 20))
        if not chunk:
            raise EOFError
        data += chunk
    return bytes(data)


def _become(other: Callable[[socket.socket], NoReturn], line: socket.socket) -> NoReturn:
    """Be something else from here on, in a process that was just made; on no account what made it."""
    try:
        _alone(line)
        other(line)
    finally:
        os._exit(1)


def _alone(line: socket.socket) -> None:
    """Keep nothing of the process this was parted from but the line."""
    gc.freeze()  # what it left in memory is not tidied up: its sockets have numbers that are ours by now
    for number in [int(path.name) for path in Path("/proc/self/fd").iterdir()]:
        if number > 2 and number != line.fileno():
            with contextlib.suppress(OSError):  # that of the list itself is gone
                os.close(number)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    os.close(nothing)


def _carry(line: socket.socket) -> NoReturn:
    """Be a courier, until the line ends."""
    shut_doors(allowed=NETWORK)
    try:
        first = receive(line, _QUESTIONS.decode)
        if isinstance(first, Open):
            _serve(line, first.home)
    except (OSError, EOFError, msgspec.MsgspecError):
        pass
    os._exit(0)  # also where a thread still waits for a device


def _serve(line: socket.socket, home: KeyHome) -> None:
    os.environ.clear()
    os.environ.update({"PATH": os.defpath, "LANG": "C.UTF-8", **home.variables})
    try:
        backend = home.open()
    except Exception as error:  # noqa: BLE001 - told to the signer; none may pass unworded
        send(line, _failure(error))
        return
    send(line, Made())
    signers: dict[tuple[str, str], Signer] = {}
    while True:
        asked = receive(line, _QUESTIONS.decode)
        signal.setitimer(signal.ITIMER_REAL, home.seconds + _HANGS)
        try:
            said = _answer(backend, signers, asked)
        except Exception as error:  # noqa: BLE001 - as above
            said = _failure(error)
        signal.setitimer(signal.ITIMER_REAL, 0)
        send(line, said)


def _answer(backend: KeyBackend, signers: dict[tuple[str, str], Signer], asked: Question) -> Answer:
    if isinstance(asked, MakePair):
        return Made(pem=backend.make_signing_key(asked.name, asked.algorithm).public().pem)
    if isinstance(asked, ShowPublic):
        wanted = PublicKey.from_pem(asked.pem) if asked.pem else None
        return Made(pem=backend.signer(asked.name, wanted).public().pem)
    if isinstance(asked, SignWith):
        known = signers.get((asked.name, asked.pem))
        if known is None:
            known = backend.signer(asked.name, PublicKey.from_pem(asked.pem))
            signers[asked.name, asked.pem] = known
        return Signed(signature=known.sign(asked.data))
    return Failure(code="input.invalid", message="A courier goes to one home of keys.")


def _failure(error: Exception) -> Failure:
    if isinstance(error, SealwrightError):
        return Failure(code=error.code, message=str(error), secret=isinstance(error, SecretRefused))
    return Failure(code=BackendUnavailable.code, message=f"A fault in the courier: {type(error).__name__}.")
