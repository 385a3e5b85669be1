"""One table as an Arrow IPC stream: a schema, one record batch, the end."""

import struct
from collections.abc import Mapping, Sequence

import numpy as np

from sealwright.serving.arrow.flat import Fields, FlatWriter

__all__ = ["write_stream"]

_V5, _SCHEMA, _BATCH = 4, 1, 3
_UTF8, _FLOAT, _DOUBLE = 5, 3, 2
_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"


def write_stream(columns: Mapping[str, Sequence[str] | Sequence[float]], metadata: Mapping[str, str]) -> bytes:
    """Columns of text or of float64, none of them with nulls and all of one length, and the schema's metadata."""
    rows = len(next(iter(columns.values())))
    fields: list[Fields] = []
    buffers: list[bytes] = []
    for name, values in columns.items():
        text = isinstance(values[0], str)
        kind: Fields = {} if text else {0: ("h", _DOUBLE)}
        fields.append({0: name, 1: ("B", 0), 2: ("B", _UTF8 if text else _FLOAT), 3: kind, 5: []})
        buffers += [b"", *(_text(values) if text else (np.asarray(values, dtype="<f8").tobytes(),))]  # type: ignore[arg-type]
    places, body = [], bytearray()
    for data in buffers:
        places.append(struct.pack("<qq", len(body), len(data)))
        body += data + bytes(-len(data) % 8)
    told = [{0: key, 1: value} for key, value in metadata.items()]
    batch: Fields = {
        0: ("q", rows),
        1: (len(columns), struct.pack("<qq", rows, 0) * len(columns)),
        2: (len(places), b"".join(places)),
    }
    schema = _message(_SCHEMA, {0: ("h", 0), 1: fields, 2: told}, b"")
    return schema + _message(_BATCH, batch, bytes(body)) + _END


def _message(kind: int, head: Fields, body: bytes) -> bytes:
    data = FlatWriter().finished({0: ("h", _V5), 1: ("B", kind), 2: head, 3: ("q", len(body))})
    return struct.pack("<Ii", 0xFFFFFFFF, len(data)) + data + body


def _text(values: Sequence[str]) -> tuple[bytes, bytes]:
    data = [value.encode() for value in values]
    ends = np.concatenate([[0], np.cumsum([len(one) for one in data])])
    return ends.astype("<i4").tobytes(), b"".join(data)
