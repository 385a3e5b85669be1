"""What a serving process must not forget: the newest pointer, revocation list and access list it has seen.

Kept in a file, written before a pointer is acted on, so that an older pointer stays refused after a
restart. It also remembers that a decision ledger was begun: a ledger or a state that has gone missing
is refused, not begun anew.
"""

import threading
from pathlib import Path
from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import Meta

from sealwright.kernel import VerificationFailed, read_limited, write_atomically

__all__ = ["Remembered", "ServingState", "StateFile"]

_MOST_BYTES = 4096
_LINK = "serving/state.json"


class ServingState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The highest of everything. Zero and "" before the first pointer."""

    format: Literal[1] = 1
    project: str
    channel: str
    sequence: Annotated[int, Meta(ge=0)] = 0
    pointer: str = ""  # digest of that pointer's statement
    revocations: Annotated[int, Meta(ge=0)] = 0
    access: Annotated[int, Meta(ge=0)] = 0  # sequence of the newest access list
    key_revocations: Annotated[int, Meta(ge=0)] = 0
    ledger_begun: bool = False


_DECODER = msgspec.json.Decoder(ServingState)


class Remembered(Protocol):
    """The state as those use it who must not forget: the file itself, or the way to the process that has it."""

    @property
    def now(self) -> ServingState: ...
    def change(self, **changes: int | str | bool) -> None: ...


class StateFile:
    """The state on disk and in memory; they differ never for longer than one write."""

    def __init__(self, path: Path, project: str, channel: str) -> None:
        """Read the state, or begin one.

        Raises
        ------
        VerificationFailed
            The file is not a state of this project and channel.
        """
        self._path, self._lock = path, threading.Lock()
        self.existed = path.exists()
        self.now = self._read(project, channel) if self.existed else ServingState(project=project, channel=channel)

    def change(self, **changes: int | str | bool) -> None:
        """Write a newer state; durable when this returns.

        Raises
        ------
        OSError
            The disk is full or read-only; the old state stands.
        """
        with self._lock:  # pointer and access list are watched by two threads
            newer = msgspec.structs.replace(self.now, **changes)
            if newer != self.now or not self.existed:
                write_atomically(self._path, msgspec.json.format(msgspec.json.encode(newer)))
                self.now, self.existed = newer, True

    def _read(self, project: str, channel: str) -> ServingState:
        try:
            found = _DECODER.decode(read_limited(self._path, _MOST_BYTES))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise VerificationFailed(
                f"{self._path} cannot be read, so an older release could not be told from the newest.\n"
                "Restore it from a backup of this machine.",
                link=_LINK,
            ) from None
        if (found.project, found.channel) != (project, channel):
            raise VerificationFailed(f"{self._path} belongs to another project or channel.", link=_LINK)
        return found
