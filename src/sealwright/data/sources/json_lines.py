"""JSON lines: one flat object a line, streamed. Cells keep their JSON types.

Answers: which rows does the file hold, and which lines are no rows?
Stated handling: columns are the keys of the first rows (up to 10,000 rows or 4 MiB) and those that `keys` names; a
missing key is a missing value, as null is; blank lines are no rows. A line that is no JSON, no object, has a key twice or
a key nobody knows, or holds an object or a list where other rows have a value, is handed on as rejected.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec

from sealwright.data.errors import SourceUnreadable
from sealwright.data.names import check_column_names
from sealwright.data.source_spec import FileSource, S3Source
from sealwright.data.sources.json_rows import RowDecoder
from sealwright.data.sources.model import SourceBatch, SourceSpec, Transport
from sealwright.data.sources.stored import Stored
from sealwright.data.sources.text_bytes import BLOCK, TextBytes

__all__ = ["JsonLinesFile"]

_LOOK_ROWS = 10_000
_CHUNK = 2 << 20


class JsonLinesFile:
    """One file of JSON lines. Opening it reads the keys of the first rows; `batches` reads it from the start each time."""

    kind = "jsonl"
    decimal = "."

    def __init__(self, stored: Stored, said: FileSource | S3Source, spec: SourceSpec) -> None:
        self._stored, self._said, self.spec = stored, said, spec
        self.name = stored.name
        self.notes: tuple[str, ...] = ()
        self.share = 0.0
        self._digest = ""
        with self._open() as stream:
            first = self._first_rows(stream)
        kinds = _kinds(first)
        names = [*kinds, *(name for name in said.keys if name not in kinds)]
        self.columns = check_column_names(names, what=self.name)
        self.unreadable: Mapping[str, str] = {name: kind for name, kind in kinds.items() if kind}

    @property
    def transport(self) -> Transport:
        return self._stored.transport

    @property
    def digest(self) -> str:
        if not self._digest:
            with self._open() as stream:
                self._digest = stream.finish()
        return self._digest

    def batches(self, only: Collection[str] | None = None) -> Iterator[SourceBatch]:
        wanted = [name for name in self.columns if (name not in self.unreadable if only is None else name in only)]
        refused = [f"{name} ({self.unreadable[name]})" for name in wanted if name in self.unreadable]
        if refused:
            raise SourceUnreadable(
                f"{self.name} has columns of a kind that is not read: {', '.join(refused[:10])}.\n"
                "Flatten them, or set role: ignore in the contract."
            )
        decoder, seen = RowDecoder(self.columns, wanted), 0
        with self._open() as stream:
            for lines in self._lines(stream):
                yield decoder.batch(lines, seen)
                seen += len(lines)
                self.share = stream.share
            self._digest = stream.finish()
        self.share = 1.0

    def _open(self) -> TextBytes:
        packed = self.name.lower().endswith(".gz")
        return TextBytes(self._stored, what="JSON lines", encoding=self._said.encoding, packed=packed)

    def _first_rows(self, stream: TextBytes) -> list[dict[str, Any]]:
        head = stream.peek(BLOCK)
        lines = head.split(b"\n") if len(head) < BLOCK else head.split(b"\n")[:-1]
        if not lines:
            raise self._too_long(0)
        if not head.strip():
            raise SourceUnreadable(f"{self.name} has no rows. There is nothing to learn from.")
        rows = [row for line in _filled(lines)[:_LOOK_ROWS] if isinstance(row := _any_json(line), dict)]
        if rows:
            return rows
        hint = "one array; write each of its objects" if head.lstrip().startswith(b"[") else "another format; write"
        raise SourceUnreadable(
            f"None of the first lines of {self.name} is a JSON object, so these are no JSON lines but {hint}"
            ' on a line of its own, such as {"age": 44, "sex": "f"}'
        )

    def _lines(self, stream: TextBytes) -> Iterator[list[bytes]]:
        """Lines that are not blank, as many at a time as fit in a few blocks."""
        rest, seen = b"", 0
        while chunk := stream.read(_CHUNK):
            block = rest + chunk
            end = block.rfind(b"\n") + 1
            rest = block[end:]
            if len(rest) > BLOCK:
                raise self._too_long(seen + len(_filled(block[:end].split(b"\n"))))
            if lines := _filled(block[:end].split(b"\n")):
                seen += len(lines)
                yield lines
        if lines := _filled([rest]):
            yield lines

    def _too_long(self, seen: int) -> SourceUnreadable:
        return SourceUnreadable(
            f"After data row {seen:,}, {self.name} has a line longer than {BLOCK:,} bytes.\n"
            "JSON lines have one object a line; a file that is one JSON array must be written anew, an object a line."
        )


def _filled(lines: list[bytes]) -> list[bytes]:
    return [line for line in lines if line and not line.isspace()]


def _any_json(line: bytes) -> Any:
    try:
        return msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError):
        return None


def _kinds(rows: list[dict[str, Any]]) -> dict[str, str]:
    """Keys in the order they come, each with "" or, where it holds nothing but nested values, their kind."""
    found: dict[str, set[str]] = {}
    for row in rows:
        for key, cell in row.items():
            kinds = found.setdefault(key, set())
            if cell is not None:
                kinds.add("object" if isinstance(cell, dict) else "list" if isinstance(cell, list) else "")
    return {key: "" if "" in kinds else " or ".join(sorted(kinds)) for key, kinds in found.items()}
