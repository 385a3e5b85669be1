"""Who draws from the counters of a file, and who of them is no more.

Answers: which processes that drew have ended, however they ended?
Each keeps a lock on a file of its own; the kernel frees it with the process. The number of a process would say less: it may be
another's by now, and means nothing to a container beside. Whoever cannot be told counts as alive, until what it drew lapses.
"""

import fcntl
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from sealwright.kernel import private_folder

__all__ = ["Holders"]


class Holders:
    """The locks beside one counters file."""

    def __init__(self, folder: Path, own: str) -> None:
        """Take the lock of `own`.

        Raises
        ------
        Refused
            Others can enter the folder.
        OSError
            It cannot be taken.
        """
        self._folder, self._own = private_folder(folder), own
        unnamed = folder / f".{own}"  # nobody looks at it before it is locked
        handle = os.open(unnamed, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unnamed.rename(folder / own)
        self._lock: int | None = handle

    def dead(self) -> list[str]:
        """Holders whose process has ended without giving back. They are named until `forget`."""
        others = (path for path in self._folder.iterdir() if path.name != self._own and path.name[0] != ".")
        return [path.name for path in others if _is_free(path)]

    def forget(self, holders: Iterable[str]) -> None:
        """What these held was settled."""
        for name in holders:
            with suppress(OSError):  # somebody else forgot it
                (self._folder / name).unlink()

    def close(self) -> None:
        """Let go; what was held has been given back before. Closing twice does nothing."""
        if self._lock is not None:
            self.forget([self._own])
            os.close(self._lock)
            self._lock = None


def _is_free(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True
