"""Encrypted part files of a snapshot, written as rows arrive.

Answers: how do any number of rows become files of a bounded size, in bounded memory, hashed as they are written?
Does not answer: when they become visible. That is `draft`: these files lie in a folder nobody reads yet.
"""

import contextlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from sealwright.data import content, encryption
from sealwright.data.content import ContentDigest
from sealwright.data.formats import PartFile
from sealwright.kernel import Sha256

__all__ = ["PART_BYTES", "PartWriter"]

GROUP_BYTES = 32 << 20
PART_BYTES = 128 << 20
"""Uncompressed bytes after which a new file begins: what a reader must hold in memory at once."""


class PartWriter:
    """Writes files `<stem>-00001.parquet`, … into a folder; no file if there are no rows.

    A file ends only where a block of the content digest ends, so each file has its own blocks.
    """

    def __init__(
        self,
        folder: Path,
        stem: str,
        schema: Any,
        key_names: Mapping[str, str],
        keys: Mapping[str, bytes],
        *,
        seal: Callable[[Any], Any] | None = None,
        part_bytes: int = PART_BYTES,
        first: int = 1,
    ) -> None:
        """`schema`: of the rows handed in. `key_names`: physical column to key; `seal`: from such rows to physical ones."""
        self._folder, self._stem, self._part_bytes, self._first = folder, stem, part_bytes, first
        self._key_names, self._keys = dict(key_names), keys
        self._seal_now = True
        self._seal = seal or (lambda batch: batch.rename_columns(list(self._key_names)))
        self.content = ContentDigest(schema)
        self._files: list[PartFile] = []
        self._waiting: list[Any] = []
        self._waiting_rows = self._waiting_bytes = 0
        self._sink: _HashingSink | None = None
        self._writer: Any = None
        self._rows = self._bytes = self._blocks = 0

    def write(self, batch: Any, sealed: Any = None) -> None:
        """Take in rows; they are written when a row group is full.

        Parameters
        ----------
        batch : pa.RecordBatch
            Rows of the schema.
        sealed : pa.RecordBatch, optional
            The same rows as they lay in a file before; left out: they are sealed now.
        """
        start = 0
        while start < batch.num_rows:
            part = batch.slice(start, min(batch.num_rows - start, self.content.room))
            self.content.update(part)
            self._waiting.append(part if sealed is None else sealed.slice(start, part.num_rows))
            self._seal_now = sealed is None
            self._waiting_rows += part.num_rows
            self._waiting_bytes += part.nbytes
            start += part.num_rows
            at_end = self.content.room == content.BLOCK_ROWS
            if at_end or self._waiting_bytes >= GROUP_BYTES:
                self._write_group()
            if at_end and self._bytes >= self._part_bytes:
                self._end_part()

    def close(self) -> tuple[PartFile, ...]:
        """Write what waits, make everything durable, and list the files."""
        self._write_group()
        self.content.end_block()
        self._end_part()
        return tuple(self._files)

    def abort(self) -> None:
        """Let go of an unfinished file without writing another byte."""
        if self._sink is not None:
            self._sink.discard()
        with contextlib.suppress(Exception):
            if self._writer is not None:
                self._writer.close()
        self._sink = self._writer = None

    def _write_group(self) -> None:
        if not self._waiting:
            return
        rows = pa.Table.from_batches(self._waiting).combine_chunks().to_batches()[0]
        group = pa.Table.from_batches([self._seal(rows) if self._seal_now else rows])
        if self._writer is None:
            name = f"{self._stem}-{len(self._files) + self._first:05}.parquet"
            self._sink = _HashingSink(self._folder / name)
            self._writer = encryption.encrypted_writer(self._sink, group.schema, self._key_names, self._keys)
        self._writer.write_table(group, row_group_size=group.num_rows)
        self._rows += self._waiting_rows
        self._bytes += self._waiting_bytes
        self._waiting, self._waiting_rows, self._waiting_bytes = [], 0, 0

    def _end_part(self) -> None:
        if self._writer is None or self._sink is None:
            return
        self._writer.close()
        size, digest = self._sink.finish()
        blocks = tuple(self.content.blocks[self._blocks :])
        name = self._sink.path.name
        self._files.append(PartFile(name=name, size=size, digest=digest, rows=self._rows, blocks=blocks))
        self._sink = self._writer = None
        self._rows = self._bytes = 0
        self._blocks = len(self.content.blocks)


class _HashingSink:
    """A new private file that knows the digest of what went into it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        self._stream = os.fdopen(handle, "wb", buffering=1 << 20)
        self._hash = Sha256()
        self._size = 0
        self._discarding = False

    @property
    def closed(self) -> bool:
        return self._stream.closed

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._size

    def write(self, data: Any) -> int:
        if not self._discarding:
            self._stream.write(data)
            self._hash.update(data)
            self._size += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing to do before `finish`."""

    def close(self) -> None:
        """Left to `finish`: the Parquet writer closes its sink, we still have to sync it."""

    def finish(self) -> tuple[int, str]:
        """Make the file durable; its size and digest."""
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()
        return self._size, self._hash.digest()

    def discard(self) -> None:
        self._discarding = True
        with contextlib.suppress(OSError):
            self._stream.close()
