"""What the signer must not forget about revoked keys: the newest list it signed, whole.

With it no program can have a list signed that takes a revocation back, the signer itself believes no gate's decision by a
key that was withdrawn, and the list can be signed anew when the key changes that signs it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from sealwright.kernel import InvalidInput, private_folder, read_limited, write_atomically
from sealwright.trust.signing.errors import SignerRefused
from sealwright.trust.signing.memory_file import alone, open_locked

__all__ = ["KeyMemory", "Listed"]

_MOST_BYTES = 4 << 20


class Listed(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The file: the payload of the newest list; empty where nothing was ever revoked."""

    format: int = 1
    payload: bytes = b""


_DECODER = msgspec.json.Decoder(Listed)


class KeyMemory:
    """The file `revoked-keys.json` in a private folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def change(self) -> Iterator[Listed]:
        """What is remembered, to be changed inside the block: on disk when it ends; an exception changes nothing.

        Raises
        ------
        SignerRefused
            "memory.broken": the file is not as we wrote it. "memory.busy": another signer holds it.
        """
        path = private_folder(self._folder) / "revoked-keys.json"
        lock = open_locked(self._folder / "revoked-keys.lock")
        try:
            with alone(lock):
                kept = self._read(path)
                before = kept.payload
                yield kept
                if kept.payload != before:
                    write_atomically(path, msgspec.json.encode(kept))
        finally:
            os.close(lock)

    def newest(self) -> bytes:
        """The payload of the newest list. Raises as `change`."""
        return self._read(self._folder / "revoked-keys.json").payload

    def _read(self, path: Path) -> Listed:
        if not path.exists() and not path.is_symlink():
            return Listed()
        try:
            found = _DECODER.decode(read_limited(path, _MOST_BYTES))
        except (msgspec.MsgspecError, UnicodeDecodeError, InvalidInput):
            found = Listed(format=0)
        if found.format != 1:
            raise SignerRefused(
                "memory.broken",
                "keys/signed/revoked-keys.json is not as the signer wrote it, so a revoked key could be let back in.\n"
                "Restore it from the newest backup of the keys folder.",
            )
        return found
