"""Take records out of a ledger without breaking it: the entry and every proof stay, what was attached is gone.

Answers: how is a person's decision record erased from an append-only log?
Does not answer: which records are theirs. Whoever can open them says so.

The bytes are overwritten where they are, in the length they had, so a process may go on appending meanwhile. A copy in a
backup, or on a disk that writes elsewhere (SSD, snapshots), survives this.
"""

import os
from collections.abc import Collection
from pathlib import Path

from sealwright.kernel import NotFound
from sealwright.trust.ledger_entry import ERASED, is_erased
from sealwright.trust.ledger_file import LedgerPaths, LedgerUnavailable, lines_of

__all__ = ["erase_attachments"]


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


def _overwrite(path: Path, places: list[tuple[int, int]]) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            for start, length in places:
                os.pwrite(handle, ERASED + b"." * (length - len(ERASED)), start)
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise LedgerUnavailable(f"Cannot erase in {path}: {error.strerror}. Try again when that is mended.") from None
