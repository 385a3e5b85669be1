"""A mark outside the database: up to which ledger entry the registry's rows were known to be on disk.

Answers: was a row that is missing now there before? Then the database is an old copy. Or was it
never written, because the program ended between ledger and database? Then it is written now.
Does not answer: is the ledger itself an old copy? The mark names the leaf of its entry, so a ledger
cut or replaced below the mark is noticed; one restored together with this file is not. What sees
that is the memory of each serving process, and a checkpoint kept elsewhere.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sealwright.kernel import (
    SealwrightError,
    VerificationFailed,
    canonical_json,
    hex_of,
    private_folder,
    read_limited,
    strict_json,
    write_atomically,
)

__all__ = ["HighWater", "Mark"]

_MARK, _LOCK = "_high-water.json", "_lock"  # no project can have such a name
_LINK = "pointers/_high-water.json"


@dataclass(frozen=True, slots=True)
class Mark:
    """The last registry entry known to be in the database: its place, and the digest of its leaf."""

    entry: int
    leaf: str


class HighWater:
    """The mark in the pointers folder, and the lock under which it moves."""

    def __init__(self, pointers: Path) -> None:
        self._folder = pointers

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only one, among threads and processes, who changes this registry."""
        private_folder(self._folder)
        handle = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def read(self) -> Mark | None:
        """The mark, or None if nothing was ever marked.

        Raises
        ------
        VerificationFailed
            The file is not one we wrote.
        """
        path = self._folder / _MARK
        if not path.exists() and not path.is_symlink():
            return None
        try:
            value = strict_json(read_limited(path, 4096), what=_LINK)
            if set(value) != {"format", "entry", "leaf"} or value["format"] != 1 or type(value["entry"]) is not int:
                raise VerificationFailed("other fields", link=_LINK)
            hex_of(value["leaf"])
        except (SealwrightError, TypeError) as error:
            raise VerificationFailed(
                f"{_LINK} cannot be read: {error}\nRestore it from the newest backup; do not delete it.", link=_LINK
            ) from None
        return Mark(value["entry"], value["leaf"])

    def move(self, mark: Mark) -> None:
        """Raise the mark. Call it only after the database has committed."""
        write_atomically(self._folder / _MARK, canonical_json({"format": 1, "entry": mark.entry, "leaf": mark.leaf}))
