"""Take records out of a ledger without breaking it: the entry and every proof stay, what was attached is gone.

Answers: how is a person's decision record erased from an append-only log, and how is one moved that is kept elsewhere?
Does not answer: which records are theirs. Whoever can open them says so.

The bytes are overwritten where they are, in the length they had, so a process may go on appending meanwhile. A copy in a
backup, or on a disk that writes elsewhere (SSD, snapshots), survives this.
"""

import os
from collections.abc import Collection
from pathlib import Path

from sealwright.kernel import InvalidInput, NotFound
from sealwright.trust.ledger_cache import TreeCache
from sealwright.trust.ledger_entry import ERASED, MOVED, is_erased
from sealwright.trust.ledger_file import LedgerPaths, LedgerUnavailable, lines_of

__all__ = ["erase_attachments", "release_attachments"]


def erase_attachments(folder: Path, indexes: Collection[int]) -> int:
    """Overwrite what is attached to these entries, durably; returns how many attachments there still were.

    Parameters
    ----------
    folder : Path
        The ledger's folder.
    indexes : collection of int
        Places of entries.

    Raises
    ------
    NotFound
        The ledger has no such entry, or it never had an attachment.
    LedgerUnavailable
        The file cannot be written.
    """
    wanted, path = set(indexes), LedgerPaths(folder).entries
    places: list[tuple[int, int]] = []  # where an attachment starts, and how long it is
    at = 0
    for index, line in enumerate(lines_of(path)):
        if index in wanted:
            text, tab, tail = line.rstrip(b"\n").partition(b"\t")
            if not tab or len(tail) < len(ERASED):
                raise NotFound(f"Entry {index} of the ledger has nothing attached that could be erased.")
            wanted.remove(index)
            if not is_erased(tail):
                places.append((at + len(text) + 1, len(tail)))
        at += len(line)
    if wanted:
        raise NotFound(f"The ledger has no entry {min(wanted)}.")
    _overwrite(path, places)
    return len(places)


def release_attachments(folder: Path, first: int, after: int, where: str) -> int:
    """Overwrite what is attached to the entries from `first` to before `after`, durably, with where it went.

    Parameters
    ----------
    where : str
        The name of the place: letters, digits, "-" and "_".

    Returns
    -------
    int
        How many attachments there still were. What was erased stays erased.

    Raises
    ------
    LedgerUnavailable
        The file cannot be written.
    """
    path, word = LedgerPaths(folder).entries, MOVED + where.encode()
    if not is_erased(word):
        raise InvalidInput(f"{where!r} is not the name of a place: use letters, digits, - and _.")
    places: list[tuple[int, int]] = []
    at, done = _start_of(folder, first)
    for index, line in enumerate(lines_of(path, at), done):
        if index == after:
            break
        text, tab, tail = line.rstrip(b"\n").partition(b"\t")
        if index >= first and tab and len(tail) >= len(word) and not is_erased(tail):
            places.append((at + len(text) + 1, len(tail)))
        at += len(line)
    _overwrite(path, places, word)
    return len(places)


def _start_of(folder: Path, index: int) -> tuple[int, int]:
    """A place at or before the entry, from where to look for it: byte and index."""
    cache = TreeCache(LedgerPaths(folder).cache, write=False)
    try:
        return (cache.offset(index), index) if cache.covers(index + 1) else (0, 0)
    finally:
        cache.close()


def _overwrite(path: Path, places: list[tuple[int, int]], word: bytes = ERASED) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            for start, length in places:
                os.pwrite(handle, word + b"." * (length - len(word)), start)
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise LedgerUnavailable(f"Cannot erase in {path}: {error.strerror}. Try again when that is mended.") from None
