"""Asking a signer: one connection, and signers that speak over it as if they held the key.

Answers: how does code that wants a `Signer` get one whose key is in another process?
Does not answer: where the connection comes from. `link` finds or starts a signer; a server inherits a connection.
"""

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Sequence
from typing import NoReturn, TypeVar

from sealwright.kernel import SealwrightError, VerificationFailed
from sealwright.trust.notes import Descent
from sealwright.trust.public_keys import PublicKey, Signer
from sealwright.trust.signing.errors import SignerRefused, SignerUnavailable
from sealwright.trust.signing.messages import (
    MOST_BYTES,
    PREFIX,
    Adopt,
    Behind,
    Done,
    Failed,
    Hello,
    Narrow,
    No,
    Ready,
    Renew,
    Renewed,
    Reply,
    Request,
    Sign,
    Signature,
    SignHead,
    Step,
    StepAfter,
    Take,
    encode,
    read_reply,
)

__all__ = ["HeadIsBehind", "Line", "RemoteSigner", "adopt", "narrow", "ready", "renew", "step_after", "take"]

_MOST_REPLY = 1 << 20
_ANSWER_SECONDS = 30.0
_R = TypeVar("_R", bound=Reply)


class Line:
    """One connection to a signer. Safe to use from many threads; not from a forked process."""

    def __init__(self, connected: socket.socket, *, patience: float = _ANSWER_SECONDS) -> None:
        connected.settimeout(patience)
        self._socket: socket.socket | None = connected
        self._alone = threading.Lock()
        self._process = os.getpid()

    def ask(self, request: Request, wanted: type[_R], *, beside: int | None = None) -> _R:
        """The reply, which must be of one kind. `beside`: a descriptor to hand over with it.

        Raises
        ------
        SignerRefused
            The signer refuses.
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

    def close(self) -> None:
        """Hang up. A signer that was started for this line ends."""
        with self._alone:
            self._drop()

    @property
    def usable(self) -> bool:
        """False once it was closed or broke, or in a process it was not made in."""
        return self._socket is not None and os.getpid() == self._process

    def _exchange(self, data: bytes, beside: int | None) -> Reply:
        if self._socket is None or os.getpid() != self._process:
            raise SignerUnavailable("There is no connection to the signer. Nothing was signed.")
        try:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # a signer that could not start said why
                sent = 0 if beside is None else socket.send_fds(self._socket, [data], [beside])
                self._socket.sendall(data[sent:])
            size = int.from_bytes(self._exactly(PREFIX), "big")
            reply = read_reply(self._exactly(size)) if 0 < size <= _MOST_REPLY else None
        except (OSError, EOFError) as error:
            self._drop()
            why = "did not answer in time" if isinstance(error, TimeoutError) else "is gone"
            raise SignerUnavailable(f"The signer {why}. Nothing was signed; try again.") from None
        if reply is None:
            self._drop()
            raise SignerUnavailable("What answers is not a signer of this version. Nothing was signed.")
        return reply

    def _exactly(self, count: int) -> bytes:
        assert self._socket is not None
        data = bytearray()
        while len(data) < count:
            chunk = self._socket.recv(count - len(data))
            if not chunk:
                raise EOFError
            data += chunk
        return bytes(data)

    def _drop(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
            self._socket = None


class HeadIsBehind(Exception):
    """The signer's newest head has `size` leaves; prove from there."""

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(size)


class RemoteSigner:
    """A signer whose key is in the signer process. Implements `Signer`; checking a signature needs no process."""

    __slots__ = ("_branch", "_known", "_line", "_public", "_second", "_shown", "_tell", "_with")

    def __init__(
        self,
        branch: str,
        public: PublicKey,
        line: Callable[[], Line],
        *,
        second: Sequence[PublicKey] = (),
        shown: bytes = b"",
        tell: Callable[[str, SignerRefused], None] = lambda *_: None,
    ) -> None:
        """`second`: the keys that sign beside it, as the signer is asked for them. `tell` hears of every refusal, by
        branch, before the caller does."""
        self._branch, self._public, self._line, self._shown, self._tell = branch, public, line, shown, tell
        self._second = tuple(second)
        self._with: tuple[Signer, ...] = tuple(_Beside(self, place, key) for place, key in enumerate(self._second))
        self._known: set[str] = set()  # logs whose published head this signer was shown

    @property
    def key_id(self) -> str:
        return self._public.key_id

    @property
    def algorithm(self) -> str:
        return self._public.algorithm

    @property
    def beside(self) -> tuple[Signer, ...]:
        """Who signs every statement besides, in the same process."""
        return self._with

    @property
    def second(self) -> tuple[PublicKey, ...]:
        """The keys of `beside`."""
        return self._second

    def public(self) -> PublicKey:
        """The key to check signatures with, as the trust root lists it."""
        return self._public

    def sign(self, data: bytes) -> bytes:
        """The signature over `data`, if it is something this branch signs.

        Raises
        ------
        SignerRefused, SignerUnavailable
            It is not; or there is no signer.
        """
        return self.sign_together(data)[0]

    def sign_together(self, data: bytes) -> tuple[bytes, ...]:
        """The signature over `data`, then those of `beside`: one request, judged once. Raises as `sign`."""
        if self._branch in ("checkpoints", "decision-checkpoints"):
            return (self.sign_head(data, Descent(size=0, note=b"", path_from=lambda _: [])),)
        keys = [self.key_id, *(one.key_id for one in self._second)]
        asked = Sign(branch=self._branch, keys=keys, data=data, shown=self._shown)
        try:
            reply = self._line().ask(asked, Signature)
        except SignerRefused as refused:
            self._tell(self._branch, refused)
            raise
        if len(reply.beside) != len(self._second):
            raise SignerUnavailable("The signer gave another number of signatures than it was asked for.")
        return (reply.signature, *reply.beside)

    def showing(self, evidence: bytes) -> "RemoteSigner":
        """The same signer, which shows `evidence` with everything it asks for: the gate's decision, for a pointer."""
        return RemoteSigner(
            self._branch, self._public, self._line, second=self._second, shown=evidence, tell=self._tell
        )

    def with_key(self, key: PublicKey) -> "RemoteSigner":
        """The same way to the signer, with another key of the branch: the one in use after a rotation."""
        return RemoteSigner(self._branch, key, self._line, second=key.beside, shown=self._shown, tell=self._tell)

    def sign_head(self, data: bytes, descent: Descent) -> bytes:
        """The signature over a tree head (a note text) that descends from what was signed before.

        Raises
        ------
        SignerRefused, SignerUnavailable
            It does not; or there is no signer.
        """
        origin = data.partition(b"\n")[0].decode("ascii", "replace")
        line, since = self._line(), descent.size
        note = b"" if origin in self._known else descent.note
        for _ in range(3):  # the published head may be behind what was signed just before a crash
            path = list(descent.path_from(since))
            asked = SignHead(branch=self._branch, key=self.key_id, data=data, since=since, path=path, note=note)
            try:
                signature = line.ask(asked, Signature).signature
            except HeadIsBehind as behind:
                since, note = behind.size, descent.note
                continue
            self._known.add(origin)
            return signature
        raise SignerRefused("checkpoint.contradicts", f"The log {origin[:120]} grows under two hands at once.")

    def __repr__(self) -> str:
        return f"RemoteSigner({self._branch}, {self.key_id[:16]}…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A signer is bound to its process's connection; open the keyring where it is needed.")


class _Beside:
    """A signer that signs beside another one, for who wants its signature alone. Implements `Signer`."""

    __slots__ = ("_first", "_place", "_public")

    beside: tuple[Signer, ...] = ()

    def __init__(self, first: RemoteSigner, place: int, public: PublicKey) -> None:
        self._first, self._place, self._public = first, place, public

    @property
    def key_id(self) -> str:
        return self._public.key_id

    @property
    def algorithm(self) -> str:
        return self._public.algorithm

    def public(self) -> PublicKey:
        """As `RemoteSigner.public`."""
        return self._public

    def sign(self, data: bytes) -> bytes:
        """As `RemoteSigner.sign`: what the first would not sign, this does not sign either."""
        return self._first.sign_together(data)[1 + self._place]

    def sign_together(self, data: bytes) -> tuple[bytes, ...]:
        """As `sign`."""
        return (self.sign(data),)


def _refusal(reply: Reply) -> Exception:
    """What a reply of another kind than the one that was hoped for is raised as."""
    if isinstance(reply, No):
        return SignerRefused(reply.reason, reply.message, at=reply.at)
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


def narrow(line: Line, origin: str) -> None:
    """Leave this connection nothing but heads of one log."""
    line.ask(Narrow(origin=origin), Done)


def adopt(line: Line, theirs: socket.socket, origin: str) -> None:
    """Have the signer serve `theirs`, narrowed to one log."""
    line.ask(Adopt(origin=origin), Done, beside=theirs.fileno())


def renew(line: Line, branch: str) -> tuple[PublicKey, int]:
    """Have the signer make a new key: its public half, and the number of the trust root that will list it."""
    made = line.ask(Renew(branch=branch), Renewed)
    return PublicKey.from_pem(made.pem), made.number


def take(line: Line, key: PublicKey) -> None:
    """Have the signer put a key to use that it made."""
    line.ask(Take(key=key.key_id), Done)


def step_after(line: Line, number: int) -> tuple[bytes, bytes] | None:
    """The signed step to the trust root after `number`, with the newest list of revoked keys; None if there is none."""
    found = line.ask(StepAfter(number=number), Step)
    return (found.link, found.key_list) if found.link else None
