"""Removing a snapshot from disk, with a receipt of what was removed.

Answers: which bytes were there, and are they gone?
Does not answer: may they go; `rules` decides, and `pipeline` enters the receipt into the ledger.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sealwright.kernel import OperationFailed, digest_of_file, fsync_folder, hex_of

__all__ = ["Dispose", "DisposalReceipt", "remove_snapshot"]

_STATEMENT = "statement.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class DisposalReceipt:
    """What was removed. Where an earlier try ended half-way, what was still there."""

    digest: str  # of the snapshot
    manifest: str  # digest of the signed manifest's file; empty where it was gone already
    files: int
    bytes: int
    keys: int  # keys destroyed with it

    def to_json(self) -> dict[str, Any]:
        return {"manifest": self.manifest, "files": self.files, "bytes": self.bytes, "keys": self.keys}


Dispose = Callable[[str], DisposalReceipt]
"""Removes the snapshot of a digest, and the keys only it needed. Doing it twice removes what is left."""


def remove_snapshot(digest: str, snapshots: Path) -> DisposalReceipt:
    """Remove the folder of a snapshot.

    It vanishes under its name first, so that nobody opens half of it; then its files are removed. A folder that an
    earlier try left under the other name is removed, too.

    Raises
    ------
    OperationFailed
        The machine refused; what is left is invisible to everybody and removed by the next try.
    """
    folder = snapshots / hex_of(digest)
    going = snapshots / f".{hex_of(digest)}.going"
    manifest, files, size = "", 0, 0
    try:
        if folder.is_dir() and not going.exists():
            os.rename(folder, going)  # noqa: PTH104 - in one step
            fsync_folder(snapshots)
        if going.is_dir():
            manifest = digest_of_file(going / _STATEMENT) if (going / _STATEMENT).is_file() else ""
            found = [path for path in going.iterdir() if path.is_file()]
            files, size = len(found), sum(path.stat().st_size for path in found)
            shutil.rmtree(going)
            fsync_folder(snapshots)
    except OSError as error:
        raise OperationFailed(
            f"The snapshot {digest[:19]}… could not be removed: {error.strerror}. Mend that, then run it again."
        ) from None
    return DisposalReceipt(digest=digest, manifest=manifest, files=files, bytes=size, keys=0)
