"""What the signer must not forget about releases: the highest pointer of each place, and every revoked package.

Kept in one file beside the keys, written before anything is signed. Without it an older release could be signed again
as if it were new.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from sealwright.kernel import InvalidInput, private_folder, read_limited, write_atomically
from sealwright.trust.signing.errors import SignerRefused
from sealwright.trust.signing.memory_file import alone, open_locked

__all__ = ["ReleaseMemory", "Released"]

_MOST_BYTES = 16 << 20


class Released(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The newest pointer signed for one place."""

    sequence: int
    statement: str


class Kept(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The file."""

    format: int = 1
    pointers: dict[str, Released] = {}
    revoked: tuple[str, ...] = ()


_DECODER = msgspec.json.Decoder(Kept)


class ReleaseMemory:
    """The file `releases.json` in a private folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def change(self) -> Iterator[Kept]:
        """What is remembered, to be changed inside the block: on disk when it ends; an exception changes nothing.

        Raises
        ------
        SignerRefused
            "memory.broken": the file is not as we wrote it. "memory.busy": another signer holds it.
        """
        path = private_folder(self._folder) / "releases.json"
        lock = open_locked(self._folder / "releases.lock")
        try:
            with alone(lock):
                kept = self._read(path)
                before = msgspec.json.encode(kept)
                yield kept
                after = msgspec.json.encode(kept)
                if after != before:
                    write_atomically(path, msgspec.json.format(after))
        finally:
            os.close(lock)

    def _read(self, path: Path) -> Kept:
        if not path.exists() and not path.is_symlink():
            return Kept()
        try:
            found = _DECODER.decode(read_limited(path, _MOST_BYTES))
        except (msgspec.MsgspecError, UnicodeDecodeError, InvalidInput):
            found = Kept(format=0)
        if found.format != 1:
            raise SignerRefused(
                "memory.broken",
                "keys/signed/releases.json is not as the signer wrote it, so an older release could not be told from "
                "the newest.\nRestore it from the newest backup of the keys folder.",
            )
        return found
