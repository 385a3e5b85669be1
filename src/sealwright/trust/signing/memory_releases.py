"""What the signer must not forget about releases: the highest pointer of each place, and every revoked package.

Kept in one file beside the keys, written before a signature leaves the signer. Without it an older release could be
signed again as if it were new.
"""

from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

from sealwright.trust.signing.memory_file import MemoryFile

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


class ReleaseMemory:
    """The file `releases.json` in a private folder."""

    def __init__(self, folder: Path) -> None:
        self._file = MemoryFile(
            folder,
            "releases",
            Kept,
            most_bytes=_MOST_BYTES,
            danger="an older release could not be told from the newest",
        )

    def change(self) -> AbstractContextManager[Kept]:
        """What is remembered, to be changed. As `MemoryFile.change`."""
        return self._file.change()
