"""Files that are either the old one or the new one, never half of each, and private by default."""

import contextlib
import os
import secrets
import stat
from pathlib import Path

from sealwright.kernel.errors import InvalidInput, Refused

__all__ = ["fsync_folder", "private_folder", "read_limited", "write_atomically"]


def private_folder(path: Path) -> Path:
    """Make `path` a folder only its owner can enter (0700), or accept one that is.

    Raises
    ------
    Refused
        It exists and others can read it, it is a symbolic link, or it belongs to somebody else.
    """
    with contextlib.suppress(FileExistsError):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700)
        fsync_folder(path.parent)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise Refused(f"{path} must be a folder, not a file or a link.")
    if found.st_uid != os.geteuid():
        raise Refused(f"{path} belongs to another user (uid {found.st_uid}). Choose another folder.")
    if found.st_mode & 0o077:
        raise Refused(
            f"{path} can be read by others (mode {found.st_mode & 0o777:o}).\nClose it with: chmod 700 {path}"
        )
    return path


def write_atomically(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Put `data` at `path` in one step: a crash or a full disk leaves the old file whole.

    Raises
    ------
    OSError
        The disk is full or read-only; the old file is untouched and no temporary file stays.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.draft")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise
    fsync_folder(path.parent)


def fsync_folder(path: Path) -> None:
    """Make renames and new names in a folder survive a power cut."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_limited(path: Path, most_bytes: int) -> bytes:
    """Read a regular file of at most `most_bytes`, without following a link.

    Raises
    ------
    InvalidInput
        It is a link, a device or a folder, it is larger, or it does not exist.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise InvalidInput(f"Cannot open {path}: {error.strerror}.") from None
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise InvalidInput(f"{path} is not a regular file.")
        if found.st_size > most_bytes:
            raise InvalidInput(f"{path} is {found.st_size:,} bytes; at most {most_bytes:,} are read.")
        with os.fdopen(handle, "rb", closefd=False) as stream:
            data = stream.read(most_bytes + 1)
    finally:
        os.close(handle)
    if len(data) > most_bytes:
        raise InvalidInput(f"{path} grew beyond {most_bytes:,} bytes while it was read.")
    return data
