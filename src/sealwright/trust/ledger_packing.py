"""Packing the beginning of a ledger, from which everything attached has been taken.

Answers: how far may entries.log be packed, and is it done once, whatever ends this process in between?
Does not answer: how a packed part is read. `ledger_packed` says so.

It takes away no entry and no proof, and a process may go on appending meanwhile. One process packs at a time: whoever calls sees to that.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from sealwright.trust.ledger_entry import is_erased
from sealwright.trust.ledger_file import LedgerPaths, LedgerUnavailable, lines_of
from sealwright.trust.ledger_packed import Packed, PackedWriter, can_punch, punch

__all__ = ["Packing", "pack_entries"]

_LEAST = 256 << 10  # bytes; below this the file system gives back little
_MOST = 64 << 20  # bytes of entries.log in one packed file


@dataclass(frozen=True, slots=True, kw_only=True)
class Packing:
    """How far the ledger is packed."""

    packed: int  # bytes of entries.log
    takes: int  # bytes of the packed files
    possible: bool  # False: this file system cannot give back the middle of a file


class _Place(msgspec.Struct):
    i: int


_place = msgspec.json.Decoder(_Place).decode


def pack_entries(folder: Path, after: int, *, least: int = _LEAST) -> Packing:
    """Pack the entries before `after`, up to the first that still has something attached; give their place back.

    Parameters
    ----------
    least : int
        Bytes there must be, else nothing is done yet.

    Raises
    ------
    LedgerUnavailable
        The disk failed. Nothing is lost, and the next call goes on.
    VerificationFailed
        A packed file is missing or damaged.
    """
    paths, packed = LedgerPaths(folder), Packed(folder)
    try:
        if not can_punch(folder):
            return Packing(packed=0, takes=0, possible=False)
        while _pack(folder, paths.entries, packed.end, after, least):
            packed.look()
        _give_back(paths.entries, packed.end)
    except (OSError, msgspec.MsgspecError) as error:
        raise LedgerUnavailable(
            f"The ledger in {folder} could not be packed: {error}. Nothing of it is lost."
        ) from None
    takes = sum(path.stat().st_size for path in packed.folder.iterdir()) if packed.end else 0
    return Packing(packed=packed.end, takes=takes, possible=True)


def _pack(folder: Path, entries: Path, start: int, after: int, least: int) -> bool:
    """One more packed file; whether there was enough for it."""
    made = PackedWriter(folder, start)
    try:
        for line in lines_of(entries, start):
            text, tab, tail = line.rstrip(b"\n").partition(b"\t")
            if not line.endswith(b"\n") or made.size >= _MOST or (tab and not is_erased(tail)):
                break
            if _place(text).i >= after:
                break
            made.add(line)
        if made.size < max(least, 1):
            return False
        made.keep()
    finally:
        made.drop()
    return True


def _give_back(entries: Path, end: int) -> None:
    """Make the hole, unless it is there."""
    handle = os.open(entries, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        first = end
        with suppress(OSError):  # where there is nothing but a hole
            first = os.lseek(handle, 0, os.SEEK_DATA)
        if first < end - end % os.fstat(handle).st_blksize:
            punch(handle, end)
            os.fsync(handle)
    finally:
        os.close(handle)
