"""A file that holds a secret is read only if nobody else can read or replace it."""

import os
import stat
from pathlib import Path

from sealwright.trust.errors import KeyFileUnsafe

__all__ = ["read_private"]


def read_private(path: Path, most_bytes: int, *, what: str, secret: bool = True) -> bytes:
    """Up to `most_bytes` + 1 bytes of `path`, so that the caller sees when there are more.

    Parameters
    ----------
    what : str
        What it is called in an error, e.g. "The key file".
    secret : bool
        False: others may read it, but not change it.

    Raises
    ------
    KeyFileUnsafe
        Missing, a link, not a regular file, not ours, or open to others.
    """
    low = what[0].lower() + what[1:]
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise KeyFileUnsafe(
            f"There is no {low.removeprefix('the ')} at {path}.\nGive the right path, or restore it from your backup."
        ) from None
    except OSError as error:
        raise KeyFileUnsafe(
            f"{what} {path} cannot be opened: {error.strerror}. It must be a plain file, not a link."
        ) from None
    try:
        _check(os.fstat(handle), path, what, 0o077 if secret else 0o022)
        return os.read(handle, most_bytes + 1)
    finally:
        os.close(handle)


def _check(found: os.stat_result, path: Path, what: str, closed: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise KeyFileUnsafe(f"{what} {path} is not a regular file.")
    if found.st_uid != os.geteuid():
        raise KeyFileUnsafe(
            f"{what} {path} belongs to another user (uid {found.st_uid}); it must be ours (uid {os.geteuid()})."
        )
    if found.st_mode & closed:
        done = "read" if closed == 0o077 else "changed"
        raise KeyFileUnsafe(
            f"{what} {path} can be {done} by others (mode {found.st_mode & 0o777:o}).\nClose it with: chmod 600 {path}"
        )
