"""Lines of JSON as columns, each cell in its own JSON type: text, number or boolean.

Answers: which of these lines are rows, what do their cells hold, and why are the others none?
Does not answer: whether a type fits the contract. That is `cast`.
Good lines are decoded by msgspec alone. What it lets pass and we do not (a key twice, a number that vanishes to zero)
shows in sums over all lines of a block: a line has as many colons as keys, besides those inside texts. Only where the
sum does not come out are the lines read once more, one by one, with care.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import UNSET

from sealwright.data.sources.columnar import readable_type
from sealwright.data.sources.model import RejectedRow, SourceBatch

__all__ = ["RowDecoder"]

_TINY = (re.compile(rb"e-0*[1-9][0-9]{2}"), re.compile(rb"E-0*[1-9][0-9]{2}"))  # may be too close to zero for a double
_MOST_DIGITS = 400  # of a whole number; a longer one stays text, which no contract takes for a number


class RowDecoder:
    """Decodes lines whose objects have no other keys than `columns`.

    Parameters
    ----------
    columns : sequence of str
        All keys a line may have.
    wanted : collection of str
        Those whose cells are read; the others are skipped over.
    """

    def __init__(self, columns: Sequence[str], wanted: Collection[str]) -> None:
        self._names = [name for name in columns if name in wanted]
        self._fields = {name: f"f{place}" for place, name in enumerate(columns)}
        self._skipped = [name for name in columns if name not in wanted]
        self._escaped = any(c in name for name in columns for c in '"\\')  # msgspec takes no such names
        shape = [
            (self._fields[name], Any if name in wanted else msgspec.Raw, msgspec.field(default=UNSET, name=name))
            for name in columns
            if not self._escaped
        ]
        self._row: Any = msgspec.defstruct("Row", shape, forbid_unknown_fields=True, gc=False)
        self._decode: Callable[[bytes], Any] = msgspec.json.Decoder(self._row).decode
        if self._escaped:
            plain = [(field, Any, UNSET) for field in self._fields.values()]
            self._row = msgspec.defstruct("Row", plain, gc=False)

    def batch(self, lines: list[bytes], before: int) -> SourceBatch:
        """The lines as a batch; `before`: rows that stood before them."""
        found = _Read(before, lines)
        arrays = None if self._escaped else self._quickly(found)
        if arrays is None:
            found.take(map(self._carefully, lines))
            arrays, _ = self._arrays(found)
        batch = pa.RecordBatch.from_arrays(arrays, names=self._names)
        return SourceBatch(batch, np.array(found.places, np.int64) + before + 1, tuple(found.rejected()))

    def _quickly(self, found: "_Read") -> list[Any] | None:
        """Decoded by msgspec; lines it refuses are read with care. None where lines may hold what it overlooks."""
        lines = found.lines
        try:
            found.take(map(self._decode, lines))
        except (msgspec.DecodeError, RecursionError):
            found.take(self._quick_or_careful(line) for line in lines)
        arrays, missing = self._arrays(found)
        block = b"\n".join(lines[place] for place in found.places)
        if b"\\u003" in block or b"0" * 300 in block or any(tiny.search(block) for tiny in _TINY):
            return None
        return arrays if self._colons_come_out(block.count(b":"), found, arrays, missing) else None

    def _quick_or_careful(self, line: bytes) -> Any:
        try:
            return self._decode(line)
        except (msgspec.DecodeError, RecursionError):
            return self._carefully(line)

    def _colons_come_out(self, colons: int, found: "_Read", arrays: list[Any], missing: int) -> bool:
        """Whether the lines have as many colons as lines without a key twice must have."""
        cells = [self._cells(found, name) for name in self._skipped]
        given = [len(column) - column.count(UNSET) for column in cells]
        due = len(found.rows) * len(arrays) - missing + sum(given)
        if colons == due:
            return True
        due += sum(bytes(cell).count(b":") for column in cells for cell in column if cell is not UNSET)
        due += sum(
            pc.sum(pc.count_substring(array, ":")).as_py() or 0 for array in arrays if pa.types.is_string(array.type)
        )
        return colons == due and not any(":" in name for name in self._fields)

    def _carefully(self, line: bytes) -> Any:
        """The row, or the reason why there is none. Numbers that a double would change stay text."""
        try:
            value = json.loads(
                line,
                object_pairs_hook=_Object,
                parse_constant=_no_constant,
                parse_float=_exact_number,
                parse_int=_exact_number,
            )
            msgspec.json.encode(value)  # half a surrogate pair is no text
        except RecursionError:
            return "nested_too_deep"
        except (ValueError, msgspec.MsgspecError):
            return "not_json"
        if not isinstance(value, _Object):
            return "not_an_object"
        if value.twins:
            return "repeated_key"
        if not value.keys() <= self._fields.keys():
            return "unknown_key"
        cells = {name: {} if isinstance(cell, _Object) else cell for name, cell in value.items()}
        return self._row(**{self._fields[name]: cell for name, cell in cells.items()})

    def _arrays(self, found: "_Read") -> tuple[list[Any], int]:
        """One array for each wanted column, and how many keys are missing; rows with a nested cell are rejected first."""
        arrays, missing = [], 0
        for name in self._names:
            cells = self._cells(found, name)
            array = _array(cells)
            if array is None and type(UNSET) in set(map(type, cells)):
                missing += cells.count(UNSET)
                cells = [None if cell is UNSET else cell for cell in cells]
                array = _array(cells)
            if array is None and {dict, list} & set(map(type, cells)):
                found.reject_nested(name, cells)
                return self._arrays(found)
            arrays.append(_texts(cells) if array is None else array)
        return arrays, missing

    def _cells(self, found: "_Read", name: str) -> list[Any]:
        return list(map(attrgetter(self._fields[name]), found.rows))


class _Read:
    """Lines of a block, divided into rows and others."""

    def __init__(self, before: int, lines: list[bytes]) -> None:
        self.lines = lines
        self._before = before
        self.rows: list[Any] = []
        self.places: list[int] = []  # in `lines`, of each row
        self._reasons: dict[int, tuple[str, str]] = {}  # place -> reason and column

    def take(self, decoded: Iterable[Any]) -> None:
        """Rows, or reasons (texts) in the place of rows."""
        self.rows = list(decoded)
        self.places, self._reasons = list(range(len(self.rows))), {}
        if str in set(map(type, self.rows)):
            self._reasons = {place: (row, "") for place, row in enumerate(self.rows) if type(row) is str}
            self._keep([type(row) is not str for row in self.rows])

    def reject_nested(self, column: str, cells: list[Any]) -> None:
        nested = [type(cell) in (dict, list) for cell in cells]
        self._reasons |= {
            place: ("nested_value", column) for place, out in zip(self.places, nested, strict=True) if out
        }
        self._keep([not out for out in nested])

    def rejected(self) -> Iterator[RejectedRow]:
        for place, (reason, column) in sorted(self._reasons.items()):
            text = self.lines[place].decode().removesuffix("\r")
            yield RejectedRow(self._before + place + 1, text, reason, column)

    def _keep(self, stays: list[bool]) -> None:
        self.rows = [row for row, stay in zip(self.rows, stays, strict=True) if stay]
        self.places = [place for place, stay in zip(self.places, stays, strict=True) if stay]


def _array(cells: list[Any]) -> Any:
    """Cells as Arrow, if they have one type and none is nested or missing."""
    try:
        array = pa.array(cells)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        return None
    return array if readable_type(array.type) else None


def _texts(cells: list[Any]) -> Any:
    """Each cell as the text Arrow makes of its type, so that it is judged alike whatever stands beside it."""
    floats = [place for place, cell in enumerate(cells) if type(cell) is float]
    written = pc.cast(pa.array([cells[place] for place in floats], pa.float64()), pa.string()).to_pylist()
    as_text = {True: "true", False: "false"}
    texts = [None if cell is None else as_text[cell] if type(cell) is bool else str(cell) for cell in cells]
    for place, text in zip(floats, written, strict=True):
        texts[place] = text
    return pa.array(texts, pa.string())


class _Object(dict[str, Any]):
    """An object that knows whether a key stood in it twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.twins = len(self) != len(pairs)


def _no_constant(word: str) -> Any:
    raise ValueError(word)


def _exact_number(text: str) -> int | float | str:
    """The number; one that overflows, vanishes or has hundreds of digits stays as it is written."""
    if text.lstrip("-").isdigit():
        return int(text) if len(text) <= _MOST_DIGITS else text
    value = float(text)
    mantissa = re.split("[eE]", text)[0]
    vanished = value == 0.0 and re.search("[1-9]", mantissa) is not None
    return text if vanished or value in {float("inf"), float("-inf")} else value
