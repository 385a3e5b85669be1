"""A snapshot in the making: a hidden, locked folder that becomes visible in one rename, or vanishes.

A process that dies leaves its draft behind, encrypted and invisible; the next ingest sees that nobody holds
its lock, and removes it.
"""

import contextlib
import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from sealwright.kernel import OperationFailed, fsync_folder, private_folder

__all__ = ["draft_folder", "publish"]

_PREFIX = ".draft-"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextlib.contextmanager
def draft_folder(snapshots: Path) -> Iterator[Path]:
    """A fresh private folder inside `snapshots`, gone at the end unless it was published.

    Raises
    ------
    OperationFailed
        The disk is full, or cannot be written.
    """
    private_folder(snapshots)
    with _held(snapshots):  # so that nobody sweeps a draft in the moment before it is locked
        _sweep(snapshots)
        draft = private_folder(snapshots / f"{_PREFIX}{secrets.token_hex(8)}")
        lock = _lock(draft)
    try:
        yield draft
    except OSError as error:
        what = "The disk is full" if error.errno in _FULL else f"The snapshot could not be written ({error.strerror})"
        raise OperationFailed(f"{what}: {snapshots}.\nNothing was kept. Make room there and ingest again.") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        os.close(lock)


def publish(draft: Path, final: Path) -> bool:
    """Make a finished draft visible as `final`. False if somebody else published the same content first."""
    fsync_folder(draft)
    try:
        draft.rename(final)
    except OSError as error:
        if error.errno in {errno.EEXIST, errno.ENOTEMPTY}:
            return False
        raise
    fsync_folder(final.parent)
    return True


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _lock(folder: Path) -> int:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return handle


def _sweep(snapshots: Path) -> None:
    """Remove drafts whose process is gone."""
    for left in snapshots.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            os.close(_lock(left))
            shutil.rmtree(left, ignore_errors=True)
