"""An Arrow IPC stream in memory, read to columns: https://arrow.apache.org/docs/format/Columnar.html.

Answers: which columns does this stream hold, with which values? Does not answer: may they stand there; the contract does.

Flat columns only: integers, floats, booleans, dates, text, and text by dictionary. Not read: compression (so nothing can unfold), nesting, deltas of
dictionaries, other byte orders. Every length in the stream is checked against the bytes that are there before it is used, and all text
together against the stream's size: its places may overlap.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sealwright.serving.arrow.arrays import Buffers, Column, Kind, StreamRefused, TextLeft, column_of, joined
from sealwright.serving.arrow.flat import FlatRefused, FlatTable, flat_root

__all__ = ["StreamRefused", "read_stream"]

_MOST_BATCHES = 256
_MOST_WORDS = 1 << 16  # of one dictionary; a client may send all of a large one with few rows
_MOST_TEXT = 2  # times the stream's size; writers name each byte once, or a little of it twice
_SCHEMA, _DICTIONARY, _BATCH = 1, 2, 3
_INT, _FLOAT, _BOOL, _DATE = 2, 3, 6, 8
_NAMED: dict[int, Kind] = {1: "null", 5: "text", 6: "bool", 20: "long text", 24: "viewed text"}
_CONTINUED = b"\xff\xff\xff\xff"


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    kind: Kind
    form: str  # of numbers, as numpy spells it
    dictionary: int | None  # its id, where the values are places in it


class _Message(NamedTuple):
    kind: int
    head: FlatTable
    body: memoryview


def read_stream(data: bytes, *, most_rows: int, most_columns: int) -> dict[str, Column]:
    """The columns by name, in their order.

    Raises
    ------
    StreamRefused
        Not such a stream, one that ends early or has bytes left, too many rows or columns or too much text, or types that are not read.
    """
    try:
        messages = _messages(data)
        first = next(messages, None)
        if first is None or first.kind != _SCHEMA:
            raise StreamRefused("It does not begin with a schema.")
        fields = _fields(first.head, most_columns)
        words: dict[int, NDArray[np.object_]] = {}
        text = TextLeft(_MOST_TEXT * len(data))
        parts: list[list[Column]] = []
        rows = 0
        for message in messages:
            if message.kind == _DICTIONARY:
                _take_dictionary(message, fields, words, text)
            elif message.kind == _BATCH:
                rows += _rows_of(message.head, most_rows - rows)
                parts.append(_columns(message, fields, words, text))
            else:
                raise StreamRefused("Only a schema, dictionaries and record batches are read.")
            if len(parts) > _MOST_BATCHES:
                raise StreamRefused(f"At most {_MOST_BATCHES} record batches are read.")
    except FlatRefused as refusal:
        raise StreamRefused(str(refusal)) from None
    if not rows:
        raise StreamRefused("It holds no rows.")
    return {field.name: joined([part[at] for part in parts]) for at, field in enumerate(fields)}


def _messages(data: bytes) -> Iterator[_Message]:
    """Each message and its body, to the end marker, which is the last of the data or is left out."""
    at = 0
    while at < len(data):
        if data[at : at + 4] != _CONTINUED or at + 8 > len(data):
            raise StreamRefused("A message does not begin as one.")
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8
        if size == 0:
            if at != len(data):
                raise StreamRefused("Bytes follow its end.")
            return
        if size > len(data) - at:
            raise StreamRefused("A message is announced longer than the data.")
        table = flat_root(data[at : at + size])
        at += size
        length, head = table.number(3, "q"), table.table(2)
        if head is None or not 0 <= length <= len(data) - at:
            raise StreamRefused("The body of a message is announced longer than the data.")
        yield _Message(table.number(1, "B"), head, memoryview(data)[at : at + length])
        at += length


def _fields(schema: FlatTable, most: int) -> list[_Field]:
    if schema.number(0, "h") != 0:
        raise StreamRefused("Only little-endian streams are read.")
    found = schema.tables(1)
    if len(found) > most:
        raise StreamRefused(f"At most {most} columns are read.")
    fields = [_field(one) for one in found]
    if len({field.name for field in fields}) != len(fields):
        raise StreamRefused("Two columns have the same name.")
    return fields


def _field(table: FlatTable) -> _Field:
    """A column's type, or of what its dictionary's places are."""
    if table.tables(5):
        raise StreamRefused("Nested columns are not read.")
    name, coded = table.text(0), table.table(4)
    kind, form = _type(table.number(2, "B"), table.table(3))
    if coded is None:
        return _Field(name, kind, form, None)
    if kind not in ("text", "long text", "viewed text"):
        raise StreamRefused("Only dictionaries of text are read.")
    index = coded.table(1)
    form = "<i4" if index is None else _type(_INT, index)[1]
    return _Field(name, kind, form, coded.number(0, "q"))


def _type(kind: int, found: FlatTable | None) -> tuple[Kind, str]:
    if kind in _NAMED:
        return _NAMED[kind], ""
    if kind == _INT and found is not None and found.number(0, "i") in (8, 16, 32, 64):
        return "number", f"<{'i' if found.number(1, 'B') else 'u'}{found.number(0, 'i') // 8}"
    if kind == _FLOAT and found is not None and found.number(0, "h") in (0, 1, 2):
        return "number", ("<f2", "<f4", "<f8")[found.number(0, "h")]
    if kind == _DATE and found is not None:
        return ("days", "<i4") if found.number(0, "h", 1) == 0 else ("milliseconds", "<i8")
    raise StreamRefused("A column's type is not read here: send numbers, booleans, dates or text.")


def _rows_of(batch: FlatTable, most: int) -> int:
    rows = batch.number(0, "q")
    if not 0 <= rows <= most:
        raise StreamRefused("It holds more rows than one request may.")
    return rows


def _columns(
    message: _Message, fields: list[_Field], words: dict[int, NDArray[np.object_]], text: TextLeft
) -> list[Column]:
    """The columns of one record batch, which use up its buffers."""
    buffers = _buffers(message, len(fields), text)
    columns = []
    for field in fields:
        if field.dictionary is None:
            columns.append(column_of(field.kind, field.form, buffers))
            continue
        places = column_of("number", field.form, buffers)
        known = words.get(field.dictionary)
        if known is None:
            raise StreamRefused("A dictionary is missing.")
        columns.append(_looked_up(places, known))
    buffers.all_used()
    return columns


def _buffers(message: _Message, fields: int, text: TextLeft) -> Buffers:
    batch = message.head
    if batch.table(3) is not None:
        raise StreamRefused("Compressed bodies are not read.")
    nodes = batch.longs(1, 2)
    rows = batch.number(0, "q")
    if len(nodes) != fields or any(length != rows for length, _ in nodes):
        raise StreamRefused("A record batch does not hold each column of the schema once and in full.")
    views = [one for (one,) in batch.longs(4)]
    return Buffers(rows, [nulls for _, nulls in nodes], batch.longs(2, 2), views, message.body, text)


def _take_dictionary(
    message: _Message, fields: list[_Field], words: dict[int, NDArray[np.object_]], text: TextLeft
) -> None:
    known, inner = message.head.number(0, "q"), message.head.table(1)
    kinds = [field.kind for field in fields if field.dictionary == known]
    if not kinds or inner is None or known in words or message.head.number(2, "B"):
        raise StreamRefused("A dictionary is unknown, repeated or a delta.")
    if not 0 <= inner.number(0, "q") <= _MOST_WORDS:
        raise StreamRefused(f"At most {_MOST_WORDS:,} words of one dictionary are read.")
    buffers = _buffers(_Message(_BATCH, inner, message.body), 1, text)
    column = column_of(kinds[0], "", buffers)
    buffers.all_used()
    if column.missing is not None:
        raise StreamRefused("A dictionary holds a null.")
    words[known] = np.array(column.values, dtype=object)


def _looked_up(places: Column, words: NDArray[np.object_]) -> Column:
    values = np.asarray(places.values)
    if places.missing is not None:
        values = np.where(places.missing, 0, values)
    if values.size and not (values.min() >= 0 and values.max() < len(words)):
        if places.missing is None or not places.missing.all():
            raise StreamRefused("A place in a dictionary does not exist.")
        return Column("text", [""] * len(values), places.missing)
    return Column("text", words[values].tolist(), places.missing)
