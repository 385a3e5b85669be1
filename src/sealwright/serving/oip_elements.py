"""The elements of one Open Inference Protocol tensor, in each way they may arrive: JSON, raw bytes, typed lists.

Answers: what are these rows x width elements, in row-major order? Does not answer: may they stand there; the contract does.

Every length is checked before it is used: raw data holds exactly the announced elements, no byte less, none left over.
In text elements each has its own length in front (four bytes, little endian). NaN means missing, because raw data has no null.
"""

import struct
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from sealwright.serving.columns import ColumnRefused

__all__ = ["DATATYPES", "FLOATS", "INTEGERS", "Elements", "json_elements", "raw_elements", "raw_text"]

INTEGERS = frozenset({"INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"})
FLOATS = frozenset({"FP32", "FP64"})
DATATYPES = INTEGERS | FLOATS | {"BOOL", "BYTES"}

Elements = Sequence[Any] | NDArray[Any]

_FLAT: dict[str, msgspec.json.Decoder[Any]] = (
    dict.fromkeys(INTEGERS, msgspec.json.Decoder(list[int | None]))
    | dict.fromkeys(FLOATS, msgspec.json.Decoder(list[float | None]))
    | {"BOOL": msgspec.json.Decoder(list[bool | None]), "BYTES": msgspec.json.Decoder(list[str | None])}
)
_NESTED: dict[str, msgspec.json.Decoder[Any]] = (
    dict.fromkeys(INTEGERS, msgspec.json.Decoder(list[list[int | None]]))
    | dict.fromkeys(FLOATS, msgspec.json.Decoder(list[list[float | None]]))
    | {"BOOL": msgspec.json.Decoder(list[list[bool | None]]), "BYTES": msgspec.json.Decoder(list[list[str | None]])}
)
_RAW = {
    "BOOL": "<u1", "INT8": "<i1", "INT16": "<i2", "INT32": "<i4", "INT64": "<i8",
    "UINT8": "<u1", "UINT16": "<u2", "UINT32": "<u4", "UINT64": "<u8", "FP32": "<f4", "FP64": "<f8",
}  # fmt: skip
_SIZE = struct.Struct("<I")


def json_elements(data: msgspec.Raw, datatype: str, rows: int, width: int) -> list[Any]:
    """The elements of a "data" member, which may be flat or one list per row.

    Raises
    ------
    ColumnRefused
        Elements of another type, or not rows x width of them.
    """
    nested = bytes(data)[1:65].lstrip(b" \t\r\n").startswith(b"[")
    try:
        if nested:
            lines = _NESTED[datatype].decode(data)
            if any(len(line) != width for line in lines):
                raise ColumnRefused("wrong_length", f"Expected {width} elements in each row.")
            flat: list[Any] = [value for line in lines for value in line]
        else:
            flat = _FLAT[datatype].decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise ColumnRefused("wrong_type", f"Expected a list of {datatype} elements.") from None
    return counted(flat, rows, width)


def raw_elements(data: bytes, datatype: str, rows: int, width: int) -> Elements:
    """The elements of raw data, little endian.

    Raises
    ------
    ColumnRefused
        Not exactly rows x width elements, text that is not UTF-8, or a boolean that is neither 0 nor 1.
    """
    count = rows * width
    if datatype == "BYTES":
        return _texts(data, count)
    found = np.dtype(_RAW[datatype])
    if len(data) != count * found.itemsize:
        raise ColumnRefused("wrong_length", f"Expected {count * found.itemsize} bytes.")
    values: NDArray[Any] = np.frombuffer(data, dtype=found)
    if datatype == "BOOL":
        if values.size and values.max() > 1:
            raise ColumnRefused("wrong_type", "Expected 0 or 1 in each byte.", at=int(np.argmax(values > 1)) // width)
        values = values.astype(np.bool_)
    return values


def raw_text(texts: Sequence[str]) -> bytes:
    """Text elements as raw data."""
    encoded = {text: text.encode() for text in set(texts)}
    framed = {text: _SIZE.pack(len(data)) + data for text, data in encoded.items()}
    return b"".join(map(framed.__getitem__, texts))


def counted(flat: list[Any], rows: int, width: int) -> list[Any]:
    """The same elements, if they are as many as announced. Raises `ColumnRefused`."""
    if len(flat) != rows * width:
        raise ColumnRefused("wrong_length", f"Expected {rows * width} elements; found {len(flat)}.")
    return flat


def decoded(found: Sequence[bytes]) -> list[str]:
    """Text of bytes, each different one decoded once. Raises `ColumnRefused` for what is not UTF-8."""
    try:
        words = {word: word.decode() for word in set(found)}
    except UnicodeDecodeError:
        raise ColumnRefused("wrong_type", "Expected UTF-8 text.") from None
    return list(map(words.__getitem__, found))


def _texts(data: bytes, count: int) -> list[str]:
    found: list[bytes] = []
    at, end = 0, len(data)
    while at + 4 <= end and len(found) < count:
        (size,) = _SIZE.unpack_from(data, at)
        found.append(data[at + 4 : at + 4 + size])
        at += 4 + size  # past the end where more is announced than is there
    if at != end or len(found) != count:
        raise ColumnRefused("wrong_length", f"Expected exactly {count} elements.")
    return decoded(found)
