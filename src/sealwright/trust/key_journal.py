"""Several key files changed together: all of them, whatever happens in between.

What shall be written is put into one file first. From then on it will happen: whoever opens the keys next writes what a
crash left out. Before that file is there, nothing has happened. Who changes or finishes holds a lock: of two, the slower
one must not write what the quicker one has replaced since.
"""

import base64
import binascii
import fcntl
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sealwright.kernel import (
    SealwrightError,
    VerificationFailed,
    canonical_json,
    fsync_folder,
    read_limited,
    strict_json,
    write_atomically,
)

__all__ = ["changing", "finish_changes", "steady"]

T = TypeVar("T")

_JOURNAL = "changes.journal"
_LOCK = "changes.lock"
_MOST_BYTES = 64 << 20
_NAMES = re.compile(
    r"trust\.json|trust\.seal\.json|trust-chain\.json|[a-z-]+\.v[1-9][0-9]{0,5}\.json|\.\./key-revocations\.json"
)


class Changes:
    """The right to change the key files of one folder, held while inside `changing`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def make(self, files: Mapping[str, bytes]) -> None:
        """Write `files` (name -> content): from some moment on certainly all of them, until then none."""
        told = {name: base64.b64encode(data).decode() for name, data in files.items()}
        write_atomically(self._folder / _JOURNAL, canonical_json(told))
        self.finish()

    def finish(self) -> None:
        """Write what was begun, if anything was. Doing it twice is as doing it once."""
        journal = self._folder / _JOURNAL
        if not journal.exists():
            return
        for name, data in _read(journal).items():
            write_atomically(self._folder / name, data, mode=0o644 if name.startswith("../") else 0o600)
        journal.unlink()
        fsync_folder(self._folder)


@contextmanager
def changing(folder: Path) -> Iterator[Changes]:
    """Hold the folder's lock; what a crash left unfinished is finished first.

    Raises
    ------
    VerificationFailed
        The journal is not one of ours.
    """
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        changes = Changes(folder)
        changes.finish()
        yield changes
    finally:
        os.close(lock)


def finish_changes(folder: Path) -> None:
    """Write what was begun in `folder`, if anything was.

    Raises
    ------
    VerificationFailed
        The journal is not one of ours.
    """
    if (folder / _JOURNAL).exists():
        with changing(folder):
            pass


def steady(folder: Path, read: Callable[[], T]) -> T:
    """The result of `read`, which looks at several files: once more, if it failed and somebody may have been changing them."""
    try:
        return read()
    except VerificationFailed:
        if not (folder / _LOCK).exists():
            raise
        with changing(folder):
            return read()


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
