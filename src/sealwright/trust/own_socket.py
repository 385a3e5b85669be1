"""Sockets by which programs of one machine find each other, in a folder only their owner can change.

Answers: is the socket in this folder ours, and who is at the other end?
Does not answer: what is said over it. The folder is 0700 (or passed through, 0711), the socket 0600 or open, and the kernel says who
is at either end (SO_PEERCRED).
"""

import os
import socket
import stat
import struct
from pathlib import Path

from sealwright.kernel import Conflict, OperationFailed, Refused

__all__ = ["SocketUnsafe", "connect_in", "listen_in", "open_folder", "peer_of"]

_PATIENCE = 5.0


class SocketUnsafe(Refused):
    """A socket, its folder or who answers is not as it must be; `word` says which."""

    code = "socket.unsafe"

    def __init__(self, word: str, message: str) -> None:
        self.word = word  # "folder" or "owner"
        super().__init__(message)


def listen_in(place: int, name: str, folder: Path, mode: int = 0o600) -> socket.socket:
    """A listening socket in an opened folder; one that a dead process left is put away.

    Raises
    ------
    Conflict
        Somebody answers there.
    OperationFailed
        It cannot be made.
    """
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        try:
            os.stat(name, dir_fd=place, follow_symlinks=False)
        except FileNotFoundError:
            pass
        else:
            if _answers(place, name):
                raise Conflict(f"Another process answers at {folder / name} already. Stop that one first.")
            os.unlink(name, dir_fd=place)
        listening.bind(_path(place, name))
        os.chmod(_path(place, name), mode)  # noqa: PTH101 - in the folder that was checked
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise OperationFailed(f"Cannot listen at {folder / name}: {error.strerror}.") from None
    except Conflict:
        listening.close()
        raise
    return listening


def connect_in(folder: Path, name: str, owner: int, *, open_to_pass: bool = False) -> socket.socket | None:
    """A connection to who listens in `folder`; None if nobody does (a socket left by a dead process included).

    Raises
    ------
    SocketUnsafe
        "folder": others can put something there. "owner": the socket, or who answers, is somebody else's.
    """
    if not os.path.lexists(folder / name):
        return None
    place = open_folder(folder, owner, open_to_pass=open_to_pass)
    try:
        found = os.stat(name, dir_fd=place, follow_symlinks=False)
        if not stat.S_ISSOCK(found.st_mode) or found.st_uid != owner:
            raise SocketUnsafe("owner", f"{folder / name} is not a socket of user {owner}. Somebody else put it there.")
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        line.settimeout(_PATIENCE)
        try:
            line.connect(_path(place, name))
        except (ConnectionRefusedError, FileNotFoundError):
            line.close()
            return None
        except OSError:
            line.close()
            raise
        user = peer_of(line)[1]
        if user != owner:
            line.close()
            raise SocketUnsafe("owner", f"User {user} answers at {folder / name}, not user {owner}.")
        return line
    finally:
        os.close(place)


def open_folder(folder: Path, owner: int, *, open_to_pass: bool = False) -> int:
    """A descriptor of a folder which only its owner may change, and, but for passing through, enter.

    Raises
    ------
    SocketUnsafe
        "folder".
    """
    place = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    found = os.fstat(place)
    if found.st_uid != owner or found.st_mode & (0o066 if open_to_pass else 0o077):
        os.close(place)
        raise SocketUnsafe(
            "folder",
            f"{folder} is not safe for a socket: it must belong to user {owner} and be closed to others.\n"
            f"Look at who made it; then: chmod {'711' if open_to_pass else '700'} {folder}",
        )
    return place


def peer_of(line: socket.socket) -> tuple[int, int]:
    """Process and user id of who is at the other end, as the kernel recorded them when it connected."""
    process, user, _ = struct.unpack("3i", line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return process, user


def _answers(place: int, name: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as tried:
        tried.settimeout(_PATIENCE)
        try:
            tried.connect(_path(place, name))
        except OSError:
            return False
        return True


def _path(place: int, name: str) -> str:
    """The socket by the folder's descriptor: nobody swaps the folder in between, and no path is too long."""
    return f"/proc/self/fd/{place}/{name}"
