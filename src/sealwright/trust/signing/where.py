"""Where the signer of a keys folder listens, and a connection to it.

Answers: is there a signer that stands for this folder, beside it or elsewhere, and is it safe to ask?
Does not answer: what is asked over the connection (`client`), or how a signer is started (`starting`, `standing`).
Apart from both, so that a server which only asks loads nothing of the signer's own side.
"""

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import msgspec

from sealwright.kernel import InvalidInput, VerificationFailed, read_limited
from sealwright.trust.own_socket import SocketUnsafe, connect_in
from sealwright.trust.signing.errors import SignerRefused

__all__ = [
    "ELSEWHERE",
    "SOCKET",
    "Elsewhere",
    "as_signers",
    "connect_standing",
    "find_standing",
    "read_elsewhere",
    "socket_folder",
]

SOCKET = "signer.sock"
ELSEWHERE = "signer.json"


def find_standing(keys: Path) -> socket.socket | None:
    """A connection to the signer that stands for this keys folder, beside it or elsewhere; None if none answers."""
    elsewhere = read_elsewhere(keys)
    if elsewhere is None:
        return connect_standing(socket_folder(keys))
    return connect_standing(Path(elsewhere.folder), elsewhere.user)


def socket_folder(keys: Path) -> Path:
    """Where the signer of a keys folder listens: <home>/run, beside <home>/keys."""
    return keys.resolve().parent / "run"


def connect_standing(folder: Path, owner: int | None = None) -> socket.socket | None:
    """A connection to the signer that listens in `folder`; None if none does (a socket left by a dead one included).

    Parameters
    ----------
    owner : int, optional
        The user the signer runs as; left out: this process's own.

    Raises
    ------
    SignerRefused
        "signer.folder": others can put something there. "signer.owner": the socket, or who answers, is somebody else's.
    """
    wanted = os.geteuid() if owner is None else owner
    with as_signers():
        return connect_in(folder, SOCKET, wanted, open_to_pass=owner is not None)


class Elsewhere(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """keys/signer.json: the signing keys are not here. The signer listens in `folder`, and runs as `user`."""

    format: int = 1
    folder: str
    user: int


_DECODER = msgspec.json.Decoder(Elsewhere)


def read_elsewhere(keys: Path) -> Elsewhere | None:
    """Where the signer of this keys folder is, if its keys were parted from it; None if they are here.

    Raises
    ------
    VerificationFailed
        The file is not in form.
    """
    path = keys / ELSEWHERE
    if not os.path.lexists(path):
        return None
    try:
        found = _DECODER.decode(read_limited(path, 1 << 14))
    except (msgspec.MsgspecError, UnicodeDecodeError, InvalidInput):
        found = None
    if found is None or found.format != 1 or not Path(found.folder).is_absolute():
        raise VerificationFailed(f"{path} does not say where the signer is. Restore it.", link=f"keys/{ELSEWHERE}")
    return found


@contextlib.contextmanager
def as_signers() -> Iterator[None]:
    """What is not safe about a socket, as a refusal of the signer."""
    try:
        yield
    except SocketUnsafe as unsafe:
        raise SignerRefused(f"signer.{unsafe.word}", str(unsafe)) from None
