"""A new key that encrypts reaches the servers that run, before anything is sealed with it.

Answers: how does a server that holds one derived key and no keyring get the next one, and how one that opened a keyring by a
passphrase it did not keep?
Does not answer: who may rotate. The verb that calls `hand_over` asked.

Whoever rotates connects to each server's socket in <home>/run/keys, which only the workspace's user can enter; the kernel says who is
at either end. The server says what it holds. It is given the next version sealed under the one it has, so neither a stranger's
key is taken up nor is ours given to somebody who does not hold the one before. Nothing of it is written anywhere.

What was handed over waits until the rotation is on disk, and is used from then on (`sealing_branches`): so no program ever meets
something sealed with a key that it cannot have. Who was not reached goes on with the version it has.
"""

import contextlib
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Protocol, TypeVar

import msgspec
from msgspec import Meta

from sealwright.kernel import SealwrightError, VerificationFailed, private_folder
from sealwright.trust.own_socket import connect_in, listen_in, open_folder, peer_of
from sealwright.trust.sealing import derive_key, open_sealed, seal
from sealwright.trust.sealing_branches import Handed

__all__ = ["Holds", "KeyInbox", "NextKeys", "Reached", "hand_over", "opened_offer", "sealed_offer"]

_ENDING = ".sock"
_PREFIX, _MOST_BYTES = 4, 4096
_PATIENCE = 5.0  # seconds; a server looks once a second
_SPELL = 1.0  # for everything a caller says to a server, which has other things to look at
_KEY, _DIGEST = 32, 32
_T = TypeVar("_T")


class Holds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a server says first: by branch the version it has, and what its keys are derived for; "": the branch itself."""

    workspace: str
    versions: dict[str, int]
    purpose: str = ""


class Offer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The version after the one it has."""

    branch: Annotated[str, Meta(max_length=32)]
    version: Annotated[int, Meta(ge=2, le=1_000_000)]
    sealed: bytes


class Taken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether it was."""

    taken: bool


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """Which servers have the new version now, and which listen and do not have it."""

    taken: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()


class NextKeys(Protocol):
    """Where offers come from: a keyring."""

    def sealed_next(self, branch: str, version: int, purpose: str) -> bytes:
        """A version of a branch, or what is derived from it for `purpose`, sealed under the version before."""


class KeyInbox:
    """A server's end: listens from the moment it is made, and is looked at by the server's own loop."""

    def __init__(
        self, home: Path, name: str, holds: Callable[[], Holds], take: Callable[[str, int, bytes], None]
    ) -> None:
        """`take` gets branch, version and the sealed key of each offer; what it raises is an offer not taken.

        Raises
        ------
        Refused, Conflict, OperationFailed
            The folder is open to others, or another process of this name listens.
        """
        folder = _folder(home)
        with contextlib.suppress(FileExistsError):
            folder.parent.mkdir(mode=0o700)  # a signer may stand there, which lets callers pass through
        private_folder(folder)
        self._name, self._holds, self._take = f"{name}{_ENDING}", holds, take
        self._place = open_folder(folder, os.geteuid())
        try:
            self._listening = listen_in(self._place, self._name, folder)
        except BaseException:
            os.close(self._place)
            raise
        self._listening.settimeout(0)

    def look(self) -> None:
        """Answer one caller if one waits. Never raises for what a caller says."""
        try:
            line, _ = self._listening.accept()
        except OSError:
            return
        with contextlib.closing(line), contextlib.suppress(OSError):
            if peer_of(line)[1] == os.geteuid():
                self._answer(line)

    def close(self) -> None:
        """Listen no more."""
        with contextlib.suppress(OSError):
            os.unlink(self._name, dir_fd=self._place)
        os.close(self._place)
        self._listening.close()

    def _answer(self, line: socket.socket) -> None:
        end = time.monotonic() + _SPELL
        line.settimeout(_SPELL)
        _say(line, self._holds())
        while (offer := _hear(line, Offer, end)) is not None:
            taken = False
            with contextlib.suppress(SealwrightError):
                self._take(offer.branch, offer.version, offer.sealed)
                taken = True
            _say(line, Taken(taken=taken))


def hand_over(home: Path, workspace: str, branch: str, version: int, keys: NextKeys) -> Reached:
    """Give version `version` of a branch to every server of a workspace that holds an earlier one. Never raises: who could not
    be reached goes on with the version it has."""
    taken: list[str] = []
    missed: list[str] = []
    folder = _folder(home)
    for path in sorted(folder.glob(f"*{_ENDING}")):
        try:
            line = connect_in(folder, path.name, os.geteuid())
            if line is None:
                continue  # left by a process that died
            with contextlib.closing(line):
                line.settimeout(_PATIENCE)
                followed = _give(line, workspace, branch, version, keys)
        except (OSError, SealwrightError):
            followed = False
        if followed is not None:
            (taken if followed else missed).append(path.name.removesuffix(_ENDING))
    return Reached(taken=tuple(taken), missed=tuple(missed))


def sealed_offer(before: bytes, handed: Handed, workspace: str, branch: str) -> bytes:
    """A version for whoever holds `before`: the one before it, derived for the same purpose."""
    return seal(_handing_key(before), handed.key + handed.file, aad=_place(workspace, branch, handed.version))


def opened_offer(before: bytes, sealed: bytes, workspace: str, branch: str, version: int) -> Handed:
    """The version in an offer.

    Raises
    ------
    VerificationFailed
        It comes from somebody who does not hold `before`, or is for another place.
    """
    found = open_sealed(_handing_key(before), sealed, aad=_place(workspace, branch, version))
    if len(found) != _KEY + _DIGEST:
        raise VerificationFailed("What was handed over is not a key.")
    return Handed(version, found[:_KEY], found[_KEY:])


def _give(line: socket.socket, workspace: str, branch: str, version: int, keys: NextKeys) -> bool | None:
    """Whether the server at the other end has the version now; None if it does not use that branch."""
    holds = _hear(line, Holds, time.monotonic() + _PATIENCE)
    if holds is None:
        return False
    if holds.workspace != workspace or branch not in holds.versions:
        return None
    for number in range(holds.versions[branch] + 1, version + 1):
        _say(line, Offer(branch=branch, version=number, sealed=keys.sealed_next(branch, number, holds.purpose)))
        answer = _hear(line, Taken, time.monotonic() + _PATIENCE)
        if answer is None or not answer.taken:
            return False
    return True


def _folder(home: Path) -> Path:
    return home.resolve() / "run" / "keys"


def _handing_key(before: bytes) -> bytes:
    return derive_key(before, info=b"sealwright hand over v1")


def _place(workspace: str, branch: str, version: int) -> bytes:
    return f"sealwright hand over/{workspace}/{branch}/{version}".encode()


def _say(line: socket.socket, message: msgspec.Struct) -> None:
    body = msgspec.msgpack.encode(message)
    line.sendall(len(body).to_bytes(_PREFIX, "big") + body)


def _hear(line: socket.socket, kind: type[_T], end: float) -> _T | None:
    """The next message; None where there is none until `end`, or another than the one that is awaited."""
    size = int.from_bytes(_exactly(line, _PREFIX, end), "big")
    if not 0 < size <= _MOST_BYTES:
        return None
    with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):
        return msgspec.msgpack.decode(_exactly(line, size, end), type=kind)
    return None


def _exactly(line: socket.socket, count: int, end: float) -> bytes:
    data = b""
    while len(data) < count:
        left = end - time.monotonic()
        if left <= 0:
            return b""
        line.settimeout(left)
        chunk = line.recv(count - len(data))
        if not chunk:
            return b""
        data += chunk
    return data
