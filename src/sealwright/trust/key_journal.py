"""Several key files changed together: all of them, whatever happens in between.

What shall be written is put into one file first. From then on it will happen: whoever opens the keys next writes what a
crash left out. Before that file is there, nothing has happened.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from pathlib import Path

from sealwright.kernel import (
    SealwrightError,
    VerificationFailed,
    canonical_json,
    fsync_folder,
    read_limited,
    strict_json,
    write_atomically,
)

__all__ = ["begin_changes", "finish_changes"]

_JOURNAL = "changes.journal"
_MOST_BYTES = 64 << 20
_NAMES = re.compile(r"trust\.json|trust-chain\.json|[a-z-]+\.v[1-9][0-9]{0,5}\.json|\.\./key-revocations\.json")


def begin_changes(folder: Path, files: Mapping[str, bytes]) -> None:
    """Make it certain that `files` (name -> content) will be written in `folder`."""
    told = {name: base64.b64encode(data).decode() for name, data in files.items()}
    write_atomically(folder / _JOURNAL, canonical_json(told))


def finish_changes(folder: Path) -> None:
    """Write what was begun, if anything was. Doing it twice is as doing it once.

    Raises
    ------
    VerificationFailed
        The journal is not one of ours.
    """
    journal = folder / _JOURNAL
    if not journal.exists():
        return
    for name, data in _read(journal).items():
        write_atomically(folder / name, data, mode=0o644 if name.startswith("../") else 0o600)
    journal.unlink()
    fsync_folder(folder)


def _read(journal: Path) -> dict[str, bytes]:
    try:
        told = strict_json(read_limited(journal, _MOST_BYTES), what=_JOURNAL, most_bytes=_MOST_BYTES)
        if isinstance(told, dict) and all(_NAMES.fullmatch(name) for name in told):
            return {name: base64.b64decode(text, validate=True) for name, text in told.items()}
    except (SealwrightError, binascii.Error, TypeError):
        pass
    raise VerificationFailed(
        "keys/changes.journal is not as we wrote it. Restore the whole keys folder from one backup.",
        link=f"keys/{_JOURNAL}",
    )
