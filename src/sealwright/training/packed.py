"""Features of many rows at once, in the form that crosses the pipe: numbers, and codes into lists of texts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.kernel import InvalidInput

__all__ = ["Packed", "bytes_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """`levels[j][codes[i, j]]` is the text of row i in string column j; "" is a missing one."""

    numbers: NDArray[np.float32]  # shape (rows, number columns), NaN where missing
    codes: NDArray[np.int32]  # shape (rows, string columns)
    levels: tuple[tuple[str, ...], ...]
    groups: NDArray[np.int32] | None = None  # shape (rows,): whose rows they are, to learn by and never to predict with

    @property
    def rows(self) -> int:
        return int(self.numbers.shape[0])

    def take(self, rows: NDArray[np.intp]) -> "Packed":
        """The named rows, in that order, with the same levels."""
        groups = None if self.groups is None else self.groups[rows]
        return Packed(numbers=self.numbers[rows], codes=self.codes[rows], levels=self.levels, groups=groups)

    def strings(self) -> NDArray[np.object_]:
        """The texts themselves, shape (rows, string columns)."""
        result = np.empty(self.codes.shape, dtype=object)
        for place, words in enumerate(self.levels):
            result[:, place] = np.array([*words, ""], dtype=object)[self.codes[:, place]]
        return result

    def to_wire(self, name: str) -> tuple[dict[str, Any], dict[str, memoryview]]:
        """Description and bodies for a frame."""
        described = {
            "rows": self.rows,
            "numbers": self.numbers.shape[1],
            "levels": [list(words) for words in self.levels],
        }
        groups = {} if self.groups is None else {f"{name}.groups": bytes_of(self.groups, "<i4")}
        return described, {
            f"{name}.numbers": bytes_of(self.numbers, "<f4"),
            f"{name}.codes": bytes_of(self.codes, "<i4"),
            **groups,
        }

    @classmethod
    def from_wire(cls, name: str, described: Mapping[str, Any], bodies: Mapping[str, bytearray]) -> "Packed":
        """What `to_wire` wrote."""
        rows, levels = int(described["rows"]), tuple(tuple(words) for words in described["levels"])
        numbers = np.frombuffer(bodies[f"{name}.numbers"], dtype="<f4").reshape(rows, int(described["numbers"]))
        codes = np.frombuffer(bodies[f"{name}.codes"], dtype="<i4").reshape(rows, len(levels))
        for place, words in enumerate(levels):
            if rows and not 0 <= int(codes[:, place].min()) <= int(codes[:, place].max()) < len(words):
                raise InvalidInput("A code points outside its list of texts.")
        groups = np.frombuffer(bodies[f"{name}.groups"], dtype="<i4") if f"{name}.groups" in bodies else None
        return cls(numbers=numbers, codes=codes, levels=levels, groups=groups)


def bytes_of(array: NDArray[Any], kind: str) -> memoryview:
    """The bytes of an array in C order, as numbers of `kind`, without a copy where none is needed."""
    return np.ascontiguousarray(array, dtype=kind).data.cast("B") if array.size else memoryview(b"")
