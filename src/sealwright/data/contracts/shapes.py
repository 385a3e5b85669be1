"""Patterns that are a mere shape, as codes and numbers have: told from bytes, many cells at a time.

Answers: which cells surely match a pattern such as ^[A-Z]{2}[0-9]{6}$ or ^[a-z_]+$?
Does not answer: anything about the other cells. A cell that is not proven here is put to RE2, whose word counts.
Only shapes of ASCII letters, digits and signs are known: a row of classes of fixed length, or one class repeated.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sealwright.data.cells import Mask

__all__ = ["Shape", "not_matching", "shape_of"]

_MOST_BYTES = 64  # of a cell of fixed length; longer ones are rare, and RE2 is quick with them
_MOST_CLASSES = 8  # one bit each
_NAMED = {r"\d": "0123456789", r"\w": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"}
_ATOM = re.compile(
    r"(?P<class>\[[A-Za-z0-9_ .,:/@#%-]+\])"
    r"|(?P<named>\\[dw])"
    r"|\\(?P<escaped>[-.,:/@#%+*?|()\[\]{}^$\\_ ])"
    r"|(?P<plain>[A-Za-z0-9_ ,:/@#%-])"
)
_REPEAT = re.compile(r"\{(?P<least>[0-9]{1,3})(?:(?P<comma>,)(?P<most>[0-9]{1,3})?)?\}|(?P<sign>[+*])")


@dataclass(frozen=True, slots=True)
class Shape:
    """Which bytes may stand where."""

    bits: NDArray[np.uint8]  # shape (256,): the classes a byte belongs to, one bit each
    need: NDArray[np.uint8]  # the class that each place of a cell asks for; of one class repeated, that class
    least: int
    most: int | None  # None: as long as it likes

    @property
    def fixed(self) -> bool:
        """Whether every cell has one length, place by place."""
        return self.least == self.most == len(self.need)


def not_matching(values: Any, pattern: str) -> Mask:
    """Which cells of a text column do not match a pattern; empty cells are not among them.

    Parameters
    ----------
    values : pa.StringArray
    pattern : str
        Any RE2 pattern.
    """
    shape = shape_of(pattern)
    proven = None if shape is None else _proven(values, shape)
    if proven is None:
        return _by_re2(values, pattern)
    if proven.all():
        return np.zeros(len(values), dtype=np.bool_)
    open_ones = np.flatnonzero(~proven)
    result = np.zeros(len(values), dtype=np.bool_)
    result[open_ones] = _by_re2(values.take(pa.array(open_ones)), pattern)
    return result


@lru_cache(maxsize=256)
def shape_of(pattern: str) -> Shape | None:
    """The shape a pattern is, or None if it is more than one."""
    if not (pattern.startswith("^") and pattern.endswith("$")):
        return None
    atoms = list(_atoms(pattern[1:-1]))
    if not atoms or None in atoms:
        return None
    known = [atom for atom in atoms if atom is not None]
    classes = list(dict.fromkeys(allowed for allowed, _, _ in known))
    fixed = all(least == most for _, least, most in known)
    if len(classes) > _MOST_CLASSES or (not fixed and len(known) > 1):
        return None
    bits = np.zeros(256, dtype=np.uint8)
    for place, allowed in enumerate(classes):
        bits[list(allowed.encode())] |= 1 << place
    if not fixed:
        return Shape(bits, np.array([1], np.uint8), known[0][1], known[0][2])
    need = [1 << classes.index(allowed) for allowed, times, _ in known for _ in range(times)]
    if not 1 <= len(need) <= _MOST_BYTES:
        return None
    return Shape(bits, np.array(need, np.uint8), len(need), len(need))


def _atoms(text: str) -> Iterator[tuple[str, int, int | None] | None]:
    """Allowed characters with how often they come; None where the pattern is no mere shape."""
    place = 0
    while place < len(text):
        atom = _ATOM.match(text, place)
        if atom is None:
            yield None
            return
        repeat = _REPEAT.match(text, atom.end())
        place = repeat.end() if repeat else atom.end()
        yield (_characters(atom), *_times(repeat))


def _characters(atom: re.Match[str]) -> str:
    if atom["named"]:
        return _NAMED[atom["named"]]
    if not atom["class"]:
        return atom["escaped"] or atom["plain"]
    inside = atom["class"][1:-1]
    found: set[str] = set()
    for part in re.findall(r"(.)-(.)|(.)", inside):
        found |= set(map(chr, range(ord(part[0]), ord(part[1]) + 1))) if part[0] else {part[2]}
    return "".join(sorted(found))


def _times(repeat: re.Match[str] | None) -> tuple[int, int | None]:
    if repeat is None:
        return 1, 1
    if repeat["sign"]:
        return (1 if repeat["sign"] == "+" else 0), None
    least = int(repeat["least"])
    return least, (int(repeat["most"]) if repeat["most"] else None if repeat["comma"] else least)


def _proven(values: Any, shape: Shape) -> Mask | None:
    """Cells that surely match; None where no cell can be told."""
    if not len(values):
        return np.zeros(0, dtype=np.bool_)
    _, offsets, data = values.buffers()
    ends = np.frombuffer(offsets, dtype="<i4")[values.offset : values.offset + len(values) + 1]
    size = np.diff(ends)
    flat = np.frombuffer(data if data is not None else b"", dtype=np.uint8)[ends[0] : ends[-1]]
    if not shape.fixed:
        if not (shape.bits.take(flat) & 1).all():
            return None
        most = shape.most if shape.most is not None else np.iinfo(np.int32).max
        proven: Mask = np.logical_and(size >= shape.least, size <= most)
        return proven
    length = len(shape.need)
    right = np.asarray(size == length)
    if right.all():
        return _rows_proven(flat, shape)
    result = np.zeros(len(values), dtype=np.bool_)
    starts = (ends[:-1] - ends[0])[right]
    result[right] = _rows_proven(flat[starts[:, None] + np.arange(length)].reshape(-1), shape)
    return result


def _rows_proven(flat: NDArray[np.uint8], shape: Shape) -> Mask:
    """Cells of one length, laid out one after the other."""
    found = shape.bits.take(flat)
    need = np.tile(shape.need, len(flat) // len(shape.need))
    found &= need
    if found.all():
        return np.ones(len(need) // len(shape.need), dtype=np.bool_)
    return np.asarray(found.reshape(-1, len(shape.need)).all(axis=1))


def _by_re2(values: Any, pattern: str) -> Mask:
    found = pc.invert(pc.match_substring_regex(values, pattern))
    result: Mask = pc.fill_null(found, fill_value=False).to_numpy(zero_copy_only=False)
    return result
