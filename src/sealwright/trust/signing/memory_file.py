"""What signers remember, in files: one writer at a time, whichever process they run in."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from sealwright.kernel import InvalidInput, private_folder, read_limited, write_atomically
from sealwright.trust.signing.errors import SignerRefused

__all__ = ["MemoryFile", "alone", "open_locked"]

_PATIENCE = 2.0  # seconds; a change takes one wait for the disk
_LOOK_AGAIN = 0.001

_T = TypeVar("_T", bound=msgspec.Struct)


class MemoryFile(Generic[_T]):
    """A JSON file `NAME.json` in a private folder, changed as a whole, beside its lock."""

    def __init__(self, folder: Path, name: str, of: type[_T], *, most_bytes: int, danger: str) -> None:
        """`of` has a field `format`, 1, and a default for every other; `danger`: what a broken file could let pass."""
        self._folder, self._name, self._of = folder, name, of
        self._decoder = msgspec.json.Decoder(of)
        self._most_bytes, self._danger = most_bytes, danger

    @contextmanager
    def change(self) -> Iterator[_T]:
        """What is remembered, to be changed inside the block: on disk when it ends; an exception changes nothing.

        Raises
        ------
        SignerRefused
            "memory.broken": the file is not as we wrote it. "memory.busy": another signer holds it.
        """
        lock = open_locked(private_folder(self._folder) / f"{self._name}.lock")
        try:
            with alone(lock):
                kept = self.read()
                before = msgspec.json.encode(kept)
                yield kept
                after = msgspec.json.encode(kept)
                if after != before:
                    write_atomically(self._path, msgspec.json.format(after))
        finally:
            os.close(lock)

    def read(self) -> _T:
        """What is remembered; where there is no file, nothing is. Raises as `change`."""
        path = self._path
        if not path.exists() and not path.is_symlink():
            return self._of()
        try:
            found: Any = self._decoder.decode(read_limited(path, self._most_bytes))
        except (msgspec.MsgspecError, UnicodeDecodeError, InvalidInput):
            found = None
        if found is None or found.format != 1:
            raise SignerRefused(
                "memory.broken",
                f"keys/signed/{self._name}.json is not as the signer wrote it, so {self._danger}.\n"
                "Restore it from the newest backup of the keys folder.",
            )
        return found  # type: ignore[no-any-return]

    @property
    def _path(self) -> Path:
        return self._folder / f"{self._name}.json"


@contextmanager
def alone(handle: int) -> Iterator[None]:
    """Hold the lock on an open file while inside.

    Raises
    ------
    SignerRefused
        "memory.busy": another signer holds it for longer than any change takes.
    """
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() >= until:
                raise SignerRefused(
                    "memory.busy", "Another signer holds the memory of this log or of the releases. Try again."
                ) from None
            time.sleep(_LOOK_AGAIN)
    try:
        yield
    finally:
        fcntl.flock(handle, fcntl.LOCK_UN)


def open_locked(path: str | os.PathLike[str]) -> int:
    """Open a memory file, made 0600 if there is none."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
