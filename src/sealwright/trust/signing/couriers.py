"""The signer's side of its couriers: which one is asked, how long it is waited for, and what is believed of its answer.

Answers: how is something signed by a key elsewhere, in time, or refused with the reason?
Does not answer: may it be signed? The rules of the branch were asked before.

One courier for each home of keys. Every signature is verified here, against the key that the trust root lists. A home that did
not answer is left alone for a few seconds, so that whoever asks meanwhile is refused at once. A PIN that was wrong is not tried again
before its file changes: a token locks itself after a few. A secret that was replaced is read anew.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import msgspec

from sealwright.kernel import SealwrightError
from sealwright.trust.backends.errors import BackendLied, BackendRefused, BackendUnavailable
from sealwright.trust.backends.place import KeyHome, KeyPlace
from sealwright.trust.backends.verified_signer import VerifiedSigner
from sealwright.trust.public_keys import PublicKey, Signer
from sealwright.trust.signing.courier import (
    Failure,
    Made,
    MakePair,
    Open,
    Question,
    ShowPublic,
    Signed,
    SignWith,
    receive,
    send,
)

__all__ = ["Couriers", "PlacedSigner"]

_REPLIES: "msgspec.msgpack.Decoder[Made | Signed | Failure]" = msgspec.msgpack.Decoder(Made | Signed | Failure)
_R = TypeVar("_R", Made, Signed)
_START_SECONDS = 15.0  # to load a library and connect, on a busy machine
_MORE_SECONDS = 1.0  # past a call's own limit: then the courier itself hangs
_LEFT_ALONE = 5.0  # seconds, at most
_GONE = ()


class PlacedSigner(VerifiedSigner):
    """A signer whose key is elsewhere. `place` says where."""

    __slots__ = ("place",)

    def __init__(
        self, place: KeyPlace, public: PublicKey, ask: Callable[[bytes], bytes], *, beside: tuple[Signer, ...] = ()
    ) -> None:
        super().__init__(public, ask, where=f"What holds the key ({place.home.described()})", beside=beside)
        self.place = place

    def with_beside(self, *beside: Signer) -> "PlacedSigner":
        """The same signer, whose statements `beside` sign, too."""
        return PlacedSigner(self.place, self._public, self._ask, beside=beside)


class Couriers:
    """Every courier of one signer. Safe to use from many threads."""

    def __init__(self, dispatcher: socket.socket | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`dispatcher`: the line of `courier.part_dispatcher`; None where there is no way to a key elsewhere."""
        self._dispatcher, self._clock = dispatcher, clock
        self._alone, self._asking = threading.Lock(), threading.Lock()
        self._known: dict[bytes, _Way] = {}

    def signer(self, place: KeyPlace, public: PublicKey) -> PlacedSigner:
        """The signer of a key elsewhere; asks for nothing yet."""

        def ask(data: bytes) -> bytes:
            return self._way(place.home).ask(SignWith(name=place.name, pem=public.pem, data=data), Signed).signature

        return PlacedSigner(place, public, ask)

    def make(self, home: KeyHome, name: str, algorithm: str) -> PublicKey:
        """Have a new key pair made; its public half.

        Raises
        ------
        BackendUnavailable, BackendRefused, BackendLied
            It is not.
        """
        return _public(self._way(home).ask(MakePair(name=name, algorithm=algorithm), Made))

    def public(self, home: KeyHome, name: str, key: PublicKey | None = None) -> PublicKey:
        """The public half of a pair that is there, and is `key` where that is given. Raises as `make`."""
        return _public(self._way(home).ask(ShowPublic(name=name, pem=key.pem if key is not None else ""), Made))

    def _way(self, home: KeyHome) -> "_Way":
        with self._alone:
            if home.id not in self._known:
                self._known[home.id] = _Way(home, self._new_line, self._clock)
            return self._known[home.id]

    def _new_line(self) -> socket.socket:
        """A line to a new courier."""
        if self._dispatcher is None:
            raise BackendUnavailable("This process has no way to keys in devices and services.")
        with self._asking:
            self._dispatcher.settimeout(_START_SECONDS)
            try:
                self._dispatcher.sendall(b"\1")
                _, handed, _, _ = socket.recv_fds(self._dispatcher, 1, 1)
            except OSError:
                handed = []
        if not handed:
            raise BackendUnavailable("No courier can be had for a key elsewhere any more. Start the signer again.")
        return socket.socket(fileno=handed[0])


class _Way:
    """The way to one home: its courier, and why it is not asked at the moment."""

    def __init__(self, home: KeyHome, new_line: Callable[[], socket.socket], clock: Callable[[], float]) -> None:
        self._home, self._new_line, self._clock = home, new_line, clock
        self._alone = threading.Lock()
        self._line: socket.socket | None = None
        self._secret: tuple[int, ...] | None = None  # what tells its file apart, as the courier read it
        self._wrong: BackendRefused | None = None  # said of that secret
        self._left_until = 0.0

    def ask(self, question: Question, wanted: type[_R]) -> _R:
        """The answer, of the kind that is wanted.

        Raises
        ------
        BackendUnavailable, BackendRefused, BackendLied
            There is none.
        """
        with self._alone:
            secret = self._mark()
            if secret not in (self._secret, _GONE):  # one that was taken away is with the courier
                self._drop()
                self._secret, self._wrong, self._left_until = secret, None, 0.0
            if self._wrong is not None:
                raise BackendRefused(f"{self._wrong}\nIt is not tried again before {self._home.secret_file} changes.")
            if self._clock() < self._left_until:
                raise BackendUnavailable(
                    f"{self._home.described()} did not answer a moment ago, and is left alone for some seconds. "
                    "Nothing was signed by it."
                )
            try:
                if self._line is None:
                    self._line = self._new_line()
                    self._exchange(Open(home=self._home), Made, _START_SECONDS)
                return self._exchange(question, wanted, self._home.seconds + _MORE_SECONDS)
            except (BackendUnavailable, BackendRefused) as error:
                self._drop()  # a new one is asked next time: this one may hang, or know what is not so any more
                if isinstance(error, BackendUnavailable):
                    self._left_until = self._clock() + min(self._home.seconds, _LEFT_ALONE)
                raise

    def _exchange(self, question: Question, wanted: type[_R], seconds: float) -> _R:
        assert self._line is not None
        self._line.settimeout(seconds)
        try:
            send(self._line, question)
            said = receive(self._line, _REPLIES.decode)
        except (OSError, EOFError, msgspec.MsgspecError) as error:
            why = "did not answer in time" if isinstance(error, TimeoutError) else "ended"
            raise BackendUnavailable(
                f"The courier to {self._home.described()} {why}, so nothing was signed.\nTry again; look whether it can be reached."
            ) from None
        if isinstance(said, Failure):
            if said.secret:
                self._wrong = BackendRefused(said.message)
            raise _as_error(said)
        if not isinstance(said, wanted):
            raise BackendUnavailable("A courier answered another question than the one it was asked.")
        return said

    def _drop(self) -> None:
        if self._line is not None:
            with contextlib.suppress(OSError):
                self._line.close()
            self._line = None

    def _mark(self) -> tuple[int, ...] | None:
        path = self._home.secret_file
        try:
            found = None if path is None else path.stat()
        except OSError:
            return _GONE
        return None if found is None else (found.st_ino, found.st_mtime_ns, found.st_ctime_ns)


def _public(made: Made) -> PublicKey:
    try:
        return PublicKey.from_pem(made.pem)
    except SealwrightError:
        raise BackendLied("What was shown as a public key is none. It was not used.") from None


def _as_error(said: Failure) -> SealwrightError:
    kinds: tuple[type[SealwrightError], ...] = (BackendUnavailable, BackendLied)
    kind = next((one for one in kinds if one.code == said.code), BackendRefused)
    return kind(said.message)
