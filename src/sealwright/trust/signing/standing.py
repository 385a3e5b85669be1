"""A signer that stands by itself, and the socket by which commands of the same machine find it.

Answers: is the socket in this folder our signer's, and who is it that connected? (`own_socket`)
Where signer and callers are different users, keys/callers.json names them, the folder may be passed through
(0711) and the socket be connected to by all: then the kernel's word is what counts.
"""

import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path

import msgspec

from sealwright.kernel import InvalidInput, read_limited
from sealwright.trust.own_socket import listen_in, open_folder, peer_of
from sealwright.trust.signing.courier import part_dispatcher
from sealwright.trust.signing.couriers import Couriers
from sealwright.trust.signing.hygiene import guard_memory, shut_doors
from sealwright.trust.signing.server import SignerServer
from sealwright.trust.signing.service import CONTROL, PREDICT, Door, SigningService
from sealwright.trust.signing.vault import open_vault
from sealwright.trust.signing.where import SOCKET, as_signers, socket_folder
from sealwright.trust.unlock import Unlock

__all__ = ["Callers", "read_callers", "stand_signer"]

_CALLERS = "callers.json"


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
    with as_signers():
        place = open_folder(folder, os.geteuid(), open_to_pass=callers.others)
    try:
        listening = listen_in(place, SOCKET, folder, 0o666 if callers.others else 0o600)
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
