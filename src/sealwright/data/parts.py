"""Encrypted part files of a snapshot, written as rows arrive.

Answers: how do any number of rows become files of a bounded size, in bounded memory, hashed as they are written?
Does not answer: when they become visible. That is `draft`: these files lie in a folder nobody reads yet.
"""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from sealwright.data import encryption
from sealwright.data.formats import PartFile
from sealwright.kernel import Sha256
from sealwright.trust import Keyring

__all__ = ["PART_BYTES", "PartWriter"]

GROUP_ROWS = 65_536
GROUP_BYTES = 32 << 20
PART_BYTES = 128 << 20
"""Uncompressed bytes after which a new file begins: what a reader must hold in memory at once."""


class PartWriter:
    """Writes files `<stem>-00001.parquet`, … into a folder; no file if there are no rows."""

    def __init__(
        self,
        folder: Path,
        stem: str,
        schema: Any,
        key_names: Sequence[str],
        keyring: Keyring,
        *,
        part_bytes: int = PART_BYTES,
    ) -> None:
        self._folder, self._stem, self._keyring, self._part_bytes = folder, stem, keyring, part_bytes
        physical = [encryption.physical(place) for place in range(len(schema))]
        self._schema = pa.schema(
            [pa.field(name, field.type, nullable=field.nullable) for name, field in zip(physical, schema, strict=True)]
        )
        self._key_names = dict(zip(physical, key_names, strict=True))
        self._files: list[PartFile] = []
        self._waiting: list[Any] = []
        self._waiting_rows = self._waiting_bytes = 0
        self._sink: _HashingSink | None = None
        self._writer: Any = None
        self._rows = self._bytes = 0

    def write(self, batch: Any) -> None:
        """Take in rows; they are written when a row group is full."""
        if not batch.num_rows:
            return
        self._waiting.append(batch.rename_columns(self._schema.names))
        self._waiting_rows += batch.num_rows
        self._waiting_bytes += batch.nbytes
        if self._waiting_rows >= GROUP_ROWS or self._waiting_bytes >= GROUP_BYTES:
            self._write_group()

    def close(self) -> tuple[PartFile, ...]:
        """Write what waits, make everything durable, and list the files."""
        self._write_group()
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
        if self._writer is None:
            name = f"{self._stem}-{len(self._files) + 1:05}.parquet"
            self._sink = _HashingSink(self._folder / name)
            self._writer = encryption.encrypted_writer(self._sink, self._schema, self._key_names, self._keyring)
        group = pa.Table.from_batches(self._waiting, schema=self._schema)
        self._writer.write_table(group, row_group_size=group.num_rows)
        self._rows += self._waiting_rows
        self._bytes += self._waiting_bytes
        self._waiting, self._waiting_rows, self._waiting_bytes = [], 0, 0
        if self._bytes >= self._part_bytes:
            self._end_part()

    def _end_part(self) -> None:
        if self._writer is None or self._sink is None:
            return
        self._writer.close()
        size, digest = self._sink.finish()
        self._files.append(PartFile(name=self._sink.path.name, size=size, digest=digest, rows=self._rows))
        self._sink = self._writer = None
        self._rows = self._bytes = 0


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
