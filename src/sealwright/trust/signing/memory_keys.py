"""What the signer must not forget about revoked keys: the newest list it signed, whole.

With it no program can have a list signed that takes a revocation back, the signer itself believes no gate's decision by a
key that was withdrawn, and the list can be signed anew when the key changes that signs it.
"""

from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

from sealwright.trust.signing.memory_file import MemoryFile

__all__ = ["KeyMemory", "Listed"]

_MOST_BYTES = 4 << 20


class Listed(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The file: the payload of the newest list; empty where nothing was ever revoked."""

    format: int = 1
    payload: bytes = b""


class KeyMemory:
    """The file `revoked-keys.json` in a private folder."""

    def __init__(self, folder: Path) -> None:
        self._file = MemoryFile(
            folder,
            "revoked-keys",
            Listed,
            most_bytes=_MOST_BYTES,
            danger="a revoked key could be let back in",
        )

    def change(self) -> AbstractContextManager[Listed]:
        """What is remembered, to be changed. As `MemoryFile.change`."""
        return self._file.change()

    def newest(self) -> bytes:
        """The payload of the newest list. Raises as `change`."""
        return self._file.read().payload
