"""FlatBuffers, as far as the messages of Arrow IPC need them: https://flatbuffers.dev/internals.

Every offset that was sent is checked before it is followed, so hostile bytes end in `FlatRefused` and in nothing else.
The writer puts parents before children and each field in eight bytes of its own: larger than need be, and simple to see right.
"""

import struct
from dataclasses import dataclass

from sealwright.kernel import SealwrightError

__all__ = ["FlatRefused", "FlatTable", "FlatWriter", "flat_root"]

_MOST_ELEMENTS = 1 << 16  # of one vector


class FlatRefused(SealwrightError):
    """An offset leads out of the data, or a vector is longer than it."""

    code = "arrow.flat_refused"


@dataclass(frozen=True, slots=True)
class FlatTable:
    """A table inside `data`; fields are named by their number in the schema."""

    data: bytes
    at: int
    fields: tuple[int, ...]  # offset of each from `at`; 0 where it is absent

    def number(self, field: int, form: str, otherwise: int = 0) -> int:
        """A scalar; `form` is a letter of `struct`."""
        at = self._place(field)
        return otherwise if not at else _unpack(form, self.data, at)

    def table(self, field: int) -> "FlatTable | None":
        at = self._place(field)
        return None if not at else _table(self.data, at + _unpack("I", self.data, at))

    def tables(self, field: int) -> list["FlatTable"]:
        start, count = self._vector(field, 4)
        places = range(start, start + 4 * count, 4)
        return [_table(self.data, at + _unpack("I", self.data, at)) for at in places]

    def text(self, field: int) -> str:
        start, count = self._vector(field, 1)
        try:
            return self.data[start : start + count].decode()
        except UnicodeDecodeError:
            raise FlatRefused("A name is not UTF-8.") from None

    def longs(self, field: int, each: int = 1) -> list[tuple[int, ...]]:
        """A vector of 64-bit numbers, or of structs of `each` of them."""
        start, count = self._vector(field, 8 * each)
        return list(struct.iter_unpack(f"<{each}q", self.data[start : start + 8 * each * count]))

    def _place(self, field: int) -> int:
        offset = self.fields[field] if field < len(self.fields) else 0
        return self.at + offset if offset else 0

    def _vector(self, field: int, width: int) -> tuple[int, int]:
        """Where its elements begin, and how many there are."""
        at = self._place(field)
        if not at:
            return 0, 0
        start = at + _unpack("I", self.data, at)
        count = _unpack("I", self.data, start)
        if count > _MOST_ELEMENTS or start + 4 + count * width > len(self.data):
            raise FlatRefused("A vector is longer than the data.")
        return start + 4, count


def flat_root(data: bytes) -> FlatTable:
    """The table that the data begins with.

    Raises
    ------
    FlatRefused
        An offset leads out of the data.
    """
    return _table(data, _unpack("I", data, 0))


def _table(data: bytes, at: int) -> FlatTable:
    back = at - _unpack("i", data, at)
    size = _unpack("H", data, back)
    if size < 4 or size % 2 or size > 256 or back + size > len(data):
        raise FlatRefused("A table has no usable list of its fields.")
    return FlatTable(data, at, struct.unpack_from(f"<{size // 2 - 2}H", data, back + 4))


def _unpack(form: str, data: bytes, at: int) -> int:
    if not 0 <= at <= len(data) - struct.calcsize(f"<{form}"):
        raise FlatRefused("An offset leads out of the data.")
    found: int = struct.unpack_from(f"<{form}", data, at)[0]
    return found


Fields = dict[int, object]


class FlatWriter:
    """Writes one table with everything under it.

    A field is a scalar `(form, number)`, a string, a list of tables, a table (dict), or the bytes of a vector of 64-bit numbers
    with their count in front `(count, bytes)`.
    """

    def __init__(self) -> None:
        self._data = bytearray(8)

    def finished(self, fields: Fields) -> bytes:
        """The data, padded to eight bytes."""
        self._point(0, self._table(fields))
        self._pad(8)
        return bytes(self._data)

    def _table(self, fields: Fields) -> int:
        count = max(fields, default=-1) + 1
        places = [8 + 8 * at if at in fields else 0 for at in range(count)]
        self._pad(8)
        listed = len(self._data)
        self._data += struct.pack(f"<HH{count}H", 4 + 2 * count, 8 + 8 * count, *places)
        self._pad(8)
        at = len(self._data)
        self._data += struct.pack("<i", at - listed) + bytes(4 + 8 * count)
        for field, value in fields.items():
            self._field(at + 8 + 8 * field, value)
        return at

    def _field(self, place: int, value: object) -> None:
        match value:
            case (str(form), int(number)):
                struct.pack_into(f"<{form}", self._data, place, number)
            case str():
                text = value.encode()
                self._point(place, self._begin_vector(4, len(text)))
                self._data += text + b"\0"
            case dict():
                self._point(place, self._table(value))
            case (int(count), bytes(numbers)):
                self._point(place, self._begin_vector(8, count))
                self._data += numbers
            case list():
                start = self._begin_vector(4, len(value))
                self._point(place, start)
                self._data += bytes(4 * len(value))
                for nth, fields in enumerate(value):
                    self._point(start + 4 + 4 * nth, self._table(fields))
            case _:
                raise TypeError(f"no way to write {type(value).__name__}")

    def _begin_vector(self, aligned: int, count: int) -> int:
        while (len(self._data) + 4) % aligned:
            self._data.append(0)
        self._data += struct.pack("<I", count)
        return len(self._data) - 4

    def _point(self, place: int, to: int) -> None:
        struct.pack_into("<I", self._data, place, to - place)

    def _pad(self, width: int) -> None:
        self._data += bytes(-len(self._data) % width)
