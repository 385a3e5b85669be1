"""The end of a snapshot: its wrapped keys destroyed, its files removed, and what was removed written down.

Answers: what exactly is gone?
Does not answer: may it go? Retention limits, legal holds and erasures are decided above.
A file that another snapshot shares stays there; its bytes are gone when the last one is disposed of.
"""

import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sealwright.data.checked import STATEMENT_FILE
from sealwright.data.formats import KEYS_FILE
from sealwright.kernel import NotFound, digest_of, fsync_folder, hex_of, read_limited

__all__ = ["Disposal", "dispose_snapshot"]

_MOST_STATEMENT = 64 << 20
_ENDED = ".disposed-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposal:
    """Proof of what was removed. Holds no data."""

    snapshot: str
    statement: str  # digest of the signed manifest that was removed
    files: tuple[str, ...]
    bytes: int
    keys: int  # wrapped keys destroyed

    def to_json(self) -> dict[str, Any]:
        return {
            "snapshot": self.snapshot,
            "statement": self.statement,
            "files": list(self.files),
            "bytes": self.bytes,
            "keys": self.keys,
        }


def dispose_snapshot(digest: str, *, snapshots: Path) -> Disposal:
    """Remove a snapshot for good: first it is no longer found, then its keys are overwritten, then its files go.

    A process that dies in between leaves a folder that nobody finds; the next call for any snapshot removes it.

    Raises
    ------
    NotFound
        There is no such snapshot.
    """
    folder = snapshots / hex_of(digest)
    _finish_earlier(snapshots)
    if not folder.is_dir() or folder.is_symlink():
        raise NotFound(f"There is no snapshot {digest} to dispose of.")
    statement = digest_of(read_limited(folder / STATEMENT_FILE, _MOST_STATEMENT))
    files = sorted(path.name for path in folder.iterdir())
    size = sum(path.stat().st_size for path in folder.iterdir())
    ended = folder.with_name(f"{_ENDED}{folder.name}")
    folder.rename(ended)
    fsync_folder(snapshots)
    _finish_earlier(snapshots)
    return Disposal(snapshot=digest, statement=statement, files=tuple(files), bytes=size, keys=1)


def _finish_earlier(snapshots: Path) -> None:
    """Remove what was taken out of sight; also what an earlier process did not live to remove."""
    for left in snapshots.glob(f"{_ENDED}*"):
        _remove(left)
    fsync_folder(snapshots)


def _remove(folder: Path) -> None:
    keys = folder / KEYS_FILE
    if keys.is_file():
        with keys.open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            file.write(secrets.token_bytes(size))
            file.flush()
            os.fsync(file.fileno())
    shutil.rmtree(folder)
