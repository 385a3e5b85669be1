"""A signer that stands by itself, and the socket by which commands of the same machine find it.

Answers: is the socket in this folder our signer's, and who is it that connected?
The folder is entered by its owner only (0700), the socket is 0600, and the kernel says who is at either end
(SO_PEERCRED). Where signer and callers are different users, keys/callers.json names them, the folder may be passed through
(0711) and the socket be connected to by all: then the kernel's word is what counts.
"""

import contextlib
import os
import signal
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import msgspec

from sealwright.kernel import Conflict, InvalidInput, OperationFailed, read_limited
from sealwright.trust.signing.courier import part_dispatcher
from sealwright.trust.signing.couriers import Couriers
from sealwright.trust.signing.errors import SignerRefused
from sealwright.trust.signing.hygiene import guard_memory, shut_doors
from sealwright.trust.signing.server import SignerServer, peer_of
from sealwright.trust.signing.service import CONTROL, PREDICT, Door, SigningService
from sealwright.trust.signing.vault import open_vault
from sealwright.trust.unlock import Unlock

__all__ = ["SOCKET", "Callers", "connect_standing", "read_callers", "socket_folder", "stand_signer"]

SOCKET = "signer.sock"
_CALLERS = "callers.json"
_PATIENCE = 5.0


class Callers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """keys/callers.json beside the signer's keys: which other users may connect, and for what."""

    format: int = 1
    control: tuple[int, ...] = ()
    predict: tuple[int, ...] = ()  # they say once which log they are for

    @property
    def others(self) -> bool:
        return bool(self.control or self.predict)

    def door(self, user: int) -> Door | None:
        """What a user's connections may ask for; None: nothing."""
        if user == os.geteuid() or user in self.control:
            return CONTROL
        return PREDICT if user in self.predict else None


_DECODER = msgspec.json.Decoder(Callers)


def read_callers(keys: Path) -> Callers:
    """The callers named beside the keys; only ourselves where nobody is named.

    Raises
    ------
    InvalidInput
        The file is not in form.
    """
    path = keys / _CALLERS
    if not path.exists() and not path.is_symlink():
        return Callers()
    try:
        found = _DECODER.decode(read_limited(path, 1 << 16))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        found = Callers(format=0)
    if found.format != 1:
        raise InvalidInput(f'{path} is not as expected: {{"format": 1, "control": [uid, …], "predict": [uid, …]}}.')
    return found


def socket_folder(keys: Path) -> Path:
    """Where the signer of a keys folder listens: <home>/run, beside <home>/keys."""
    return keys.resolve().parent / "run"


def stand_signer(keys: Path, unlock: Callable[[], Unlock], *, ready: Callable[[Path], None]) -> None:
    """Open the signing keys in `keys` and sign for who connects, until SIGTERM or SIGINT.

    Parameters
    ----------
    unlock : callable
        What opens them; asked for when the processes were parted from this one that must not know it.
    ready : callable
        Called once with the path of the socket, when callers are answered.

    Raises
    ------
    Conflict
        A signer answers there already.
    SignerRefused
        The folder of the socket is not ours alone.
    NotFound, WrongUnlock, KeyFileUnsafe, VerificationFailed
        As `open_vault`.
    """
    guard_memory()
    os.umask(0o077)
    couriers = Couriers(part_dispatcher())
    vault, callers, folder = open_vault(keys, unlock(), couriers), read_callers(keys), socket_folder(keys)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if callers.others:
        folder.chmod(0o711)
    place = _open_folder(folder, os.geteuid(), open_to_pass=callers.others)
    try:
        listening = _listen(place, folder, 0o666 if callers.others else 0o600)
        server = SignerServer(
            SigningService(vault), listening=listening, admit=lambda line: callers.door(peer_of(line)[1])
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: server.stop())
        shut_doors()
        ready(folder / SOCKET)
        server.run()
        os.unlink(SOCKET, dir_fd=place)
    finally:
        os.close(place)


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
    if not os.path.lexists(folder / SOCKET):
        return None
    wanted = os.geteuid() if owner is None else owner
    place = _open_folder(folder, wanted, open_to_pass=owner is not None)
    try:
        found = os.stat(SOCKET, dir_fd=place, follow_symlinks=False)
        if not stat.S_ISSOCK(found.st_mode) or found.st_uid != wanted:
            raise SignerRefused(
                "signer.owner", f"{folder / SOCKET} is not a socket of user {wanted}. Somebody else put it there."
            )
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        line.settimeout(_PATIENCE)
        try:
            line.connect(_path(place))
        except (ConnectionRefusedError, FileNotFoundError):
            line.close()
            return None
        except OSError:
            line.close()
            raise
        user = peer_of(line)[1]
        if user != wanted:
            line.close()
            raise SignerRefused("signer.owner", f"User {user} answers at {folder / SOCKET}, not user {wanted}.")
        return line
    finally:
        os.close(place)


def _open_folder(folder: Path, owner: int, *, open_to_pass: bool) -> int:
    """The folder, which only its owner may change, and, but for passing through, enter."""
    place = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    found = os.fstat(place)
    if found.st_uid != owner or found.st_mode & (0o066 if open_to_pass else 0o077):
        os.close(place)
        raise SignerRefused(
            "signer.folder",
            f"{folder} is not safe for the signer's socket: it must belong to user {owner} and be closed to others.\n"
            f"Look at who made it; then: chmod {'711' if open_to_pass else '700'} {folder}",
        )
    return place


def _listen(place: int, folder: Path, mode: int) -> socket.socket:
    """A listening socket in the folder; one that a dead signer left is put away."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if os.path.lexists(folder / SOCKET):
            if _answers(place):
                raise Conflict(f"A signer answers at {folder / SOCKET} already. Stop that one first.")
            os.unlink(SOCKET, dir_fd=place)
        listening.bind(_path(place))
        os.chmod(_path(place), mode)  # noqa: PTH101 - in the folder that was checked
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise OperationFailed(f"Cannot listen at {folder / SOCKET}: {error.strerror}.") from None
    except Conflict:
        listening.close()
        raise
    return listening


def _answers(place: int) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as tried:
        tried.settimeout(_PATIENCE)
        try:
            tried.connect(_path(place))
        except OSError:
            return False
        return True


def _path(place: int) -> str:
    """The socket by the folder's descriptor: nobody swaps the folder in between, and no path is too long."""
    return f"/proc/self/fd/{place}/{SOCKET}"
