"""The output of a scoring: lines of JSON while it runs, a file of the kind that was asked for when it is whole.

Answers: how do answers get to disk so that a kill at any moment costs nothing, in memory that does not grow with the file?
Does not answer: what is on record. Lines are written after the ledger has taken their batch.

While it runs, `OUT.part` grows: each line is the exact answer that was recorded. At the end it is moved into place, or written as CSV,
Parquet or Arrow and then moved: a half file under the final name would be taken for a whole one.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sealwright.kernel import InvalidInput, OperationFailed, fsync_folder
from sealwright.pipeline.scoring_job import Job
from sealwright.pipeline.scoring_tables import Sheet, write_arrow, write_csv, write_parquet

__all__ = ["Lines", "finish_output", "refuse_kind"]

_WRITERS = {".csv": write_csv, ".parquet": write_parquet, ".arrow": write_arrow}
_LINES = ".jsonl"


def refuse_kind(out: Path) -> None:
    """Refuse an output whose name does not say what it shall be.

    Raises
    ------
    InvalidInput
    """
    if out.suffix not in {_LINES, *_WRITERS}:
        raise InvalidInput(f"The output {out.name} ends in none of: {', '.join([_LINES, *_WRITERS])}.")


class Lines:
    """The growing part of an output."""

    def __init__(self, out: Path, size: int) -> None:
        """Open it; what stands behind `size` bytes was being written when it was cut off, and goes.

        Raises
        ------
        OperationFailed
            It cannot be opened, or is shorter than that.
        """
        self.path = part_of(out)
        with _told(self.path):
            self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            found = os.fstat(self._handle).st_size
            if found > size:
                os.truncate(self._handle, size)
        if found < size:
            self.close()
            raise OperationFailed(
                f"{self.path} is shorter than what was written to it: something else changed it. Begin anew with --anew."
            )
        self.size = size

    def append(self, lines: Sequence[bytes]) -> int:
        """Write lines, durably; returns how long the file is then.

        Raises
        ------
        OperationFailed
            The disk is full or read-only; the next run goes on from what was whole.
        """
        data = memoryview(b"\n".join([*lines, b""]))
        with _told(self.path):
            written = 0
            while written < len(data):  # a disk that fills takes a part first
                written += os.pwrite(self._handle, data[written:], self.size + written)
            os.fsync(self._handle)
        self.size += len(data)
        return self.size

    def close(self) -> None:
        os.close(self._handle)


def part_of(out: Path) -> Path:
    """Where lines are until the output is whole."""
    return out.with_name(f"{out.name}.part")


def finish_output(out: Path, job: Job) -> None:
    """Make the output of its lines. Doing it twice does it once.

    Raises
    ------
    OperationFailed
        The disk is full or read-only; the next run goes on.
    """
    part = part_of(out)
    if not part.exists():
        return  # an earlier run came this far
    writer = _WRITERS.get(out.suffix)
    with _told(out):
        if writer is None:
            part.rename(out)
        else:
            draft = out.with_name(f".{out.name}.draft")
            with part.open("rb") as lines, _private(draft) as stream:
                writer(stream, lines, Sheet.of(job))
            draft.rename(out)
        fsync_folder(out.parent)
        part.unlink(missing_ok=True)


@contextmanager
def _private(path: Path) -> Iterator[BinaryIO]:
    """A new file that only its owner reads, on disk at the end; gone where something goes wrong."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OperationFailed(
            f"Cannot write {path}: {error.strerror}. What is on record stays; when that is mended, the same command goes on."
        ) from None
