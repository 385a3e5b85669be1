"""The files of a ledger: append only, one writer, and nothing half written that stays.

entries.log      one line per entry (ledger_entry)
checkpoints.log  every signed checkpoint, each followed by an empty line
checkpoint       the newest one, for those who only want that; at most a second behind
lock             held by the one process that writes
cache/           derived, may be deleted (ledger_cache)
packed/          what entries.log begins with, compressed, where it has a hole (ledger_packed)
"""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sealwright.kernel import Conflict, NotFound, OperationFailed, VerificationFailed
from sealwright.trust.ledger_entry import MOST_LINE_BYTES
from sealwright.trust.ledger_packed import open_entries

__all__ = [
    "AppendFile",
    "CheckpointTail",
    "LedgerInUse",
    "LedgerPaths",
    "LedgerUnavailable",
    "checkpoint_records",
    "hold_lock",
    "lines_of",
    "read_checkpoint_tail",
]

_TAIL_BYTES = 4 << 20  # checkpoints.log is made durable every second; no machine writes this much of it in between
_RECORD = re.compile(rb"((?:[^\n\x00]+\n){3,}\n(?:\xe2\x80\x94 [^\n\x00]+\n)+)\n")


class LedgerUnavailable(OperationFailed):
    """The ledger cannot record now: disk full, read-only, an I/O error. What was asked for was not acknowledged."""

    code = "ledger.unavailable"


class LedgerInUse(Conflict):
    """Another process writes this ledger."""

    code = "ledger.in_use"


@dataclass(frozen=True, slots=True)
class LedgerPaths:
    """Where things are in a ledger's folder."""

    folder: Path

    @property
    def entries(self) -> Path:
        return self.folder / "entries.log"

    @property
    def checkpoints(self) -> Path:
        return self.folder / "checkpoints.log"

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint"

    @property
    def journal(self) -> Path:
        return self.folder / "journal"

    @property
    def lock(self) -> Path:
        return self.folder / "lock"

    @property
    def cache(self) -> Path:
        return self.folder / "cache"


def hold_lock(path: Path) -> int:
    """Take the writer's lock; give the descriptor that holds it. The kernel frees it when the process ends.

    Raises
    ------
    LedgerInUse
        Another process holds it.
    LedgerUnavailable
        The folder cannot be written.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise LedgerUnavailable(f"Cannot write in the ledger's folder {path.parent}: {error.strerror}.") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise LedgerInUse(
            f"Another process is writing the ledger in {path.parent}. Only one may; stop it, or ask it to record this."
        ) from None
    return handle


class AppendFile:
    """A file that only grows. `end` is how far it is whole; a failed append is cut back to there."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | (os.O_CREAT if create else 0)
        try:
            self._handle = os.open(path, flags, 0o600)
        except FileNotFoundError:
            raise NotFound(f"{path} does not exist: there is no ledger here.") from None
        except OSError as error:
            raise LedgerUnavailable(f"Cannot open {path} for writing: {error.strerror}.") from None
        self.path = path
        self.end = os.fstat(self._handle).st_size
        self.whole = True  # False: something after `end` could not be cut off

    def append(self, data: bytes) -> None:
        """Write all of `data`, or none of it.

        Raises
        ------
        OSError
            It could not be written; what was written of it was cut off, or `whole` is False.
        """
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._handle, rest) :]
        except OSError:
            self.whole = False
            with suppress(OSError):
                self.cut(self.end)
            raise
        self.end += len(data)

    def cut(self, end: int) -> None:
        """Take away everything after `end`. Where that fails nothing may be appended: `whole` is False."""
        self.end, self.whole = end, False
        os.ftruncate(self._handle, end)
        self.whole = True

    def sync(self) -> None:
        """Return when what was appended would survive a power cut."""
        os.fdatasync(self._handle)

    def stat(self) -> os.stat_result:
        return os.fstat(self._handle)

    def close(self) -> None:
        os.close(self._handle)


def lines_of(path: Path, start: int = 0, *, buffer: int = 1 << 20) -> Iterator[bytes]:
    """Lines with their newline from byte `start`; the last may lack it. A line longer than any entry ends the reading.

    Raises
    ------
    VerificationFailed
        The file is missing.
    """
    try:
        stream = open_entries(path, buffer=buffer)
    except FileNotFoundError:
        raise VerificationFailed(f"{path} is missing: this is not a whole ledger.", link=path.name) from None
    with stream:
        stream.seek(start)
        while line := stream.readline(MOST_LINE_BYTES):
            yield line
            if not line.endswith(b"\n"):
                return


@dataclass(frozen=True, slots=True)
class CheckpointTail:
    """The end of checkpoints.log: the newest record, and how far the file is whole."""

    last: bytes | None
    whole: int  # bytes from the start that are records without a gap
    cut: bytes  # what stands after that: the unfinished end of a crash, usually nothing


def read_checkpoint_tail(path: Path) -> CheckpointTail:
    """Read the end of checkpoints.log without reading all of it.

    Raises
    ------
    VerificationFailed
        Something that is no checkpoint stands between two checkpoints; a gap of zero bytes, as a power cut may leave
        in what was not yet durable, counts as the end instead.
    """
    try:
        with path.open("rb") as stream:
            base = max(0, stream.seek(0, os.SEEK_END) - _TAIL_BYTES)
            stream.seek(base)
            data = stream.read()
    except FileNotFoundError:
        return CheckpointTail(None, 0, b"")
    last, whole, gap = None, None, False
    at = 0
    for found in _RECORD.finditer(data):
        if found.start() != at and not (base and last is None):
            if b"\0" not in data[at : found.start()]:
                raise VerificationFailed(
                    f"{path} holds something other than checkpoints after byte {base + at}. Restore it from a backup.",
                    link=path.name,
                )
            whole, gap = (at if whole is None else whole), True
        last, at = found.group(1), found.end()
    end = at if not gap or whole is None else whole
    return CheckpointTail(last, base + end, data[end:])


def checkpoint_records(data: bytes) -> tuple[list[bytes], int]:
    """All checkpoints of a checkpoints.log and how many bytes of an unfinished record follow.

    Raises
    ------
    VerificationFailed
        Something that is no checkpoint stands between two of them.
    """
    records: list[bytes] = []
    at = 0
    for found in _RECORD.finditer(data):
        if found.start() != at:
            raise VerificationFailed(
                f"checkpoints.log holds something other than checkpoints after checkpoint {len(records)}.",
                link=f"checkpoints.log, record {len(records)}",
            )
        records.append(found.group(1))
        at = found.end()
    return records, len(data) - at
