"""What the contract says about the features: ranges and categories, all that private training may know beforehand.

Answers: into which bounds does every row fall, whoever is in the data?
Does not answer: whether whoever wrote the contract looked at the data for it; the record of a private training says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.kernel import InvalidInput
from sealwright.training.encoding import Encoding, TextEncoding
from sealwright.training.packed import Packed

__all__ = ["Declared", "bounded_matrix", "declared_encoding", "read_declared"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """Features as declared, in the order of the interface."""

    numbers: tuple[tuple[float, float, bool], ...]  # lowest, highest, may be missing
    strings: tuple[tuple[str, ...], ...]  # every value, "" where it may be missing

    @property
    def columns(self) -> int:
        return len(self.numbers) + len(self.strings)


def read_declared(interface: Mapping[str, Any]) -> Declared:
    """Ranges and categories of an interface document.

    Raises
    ------
    InvalidInput
        A number has no range, or a category no list of values; names every such column.
    """
    numbers: list[tuple[float, float, bool]] = []
    strings: list[tuple[str, ...]] = []
    open_ended = []
    for item in interface.get("numbers") or ():
        yes_or_no = item.get("type") == "boolean"
        least, most = (0.0, 1.0) if yes_or_no else (item.get("min"), item.get("max"))
        if least is None or most is None:
            open_ended.append(f"{item['name']} (min, max)")
            continue
        numbers.append((float(least), float(most), bool(item.get("nullable", True))))
    for item in interface.get("strings") or ():
        values = tuple(str(value) for value in item.get("categories") or ())
        if not values:
            open_ended.append(f"{item['name']} (categories)")
            continue
        strings.append((*values, "") if item.get("nullable", True) and "" not in values else values)
    if open_ended:
        raise InvalidInput(
            "Private training takes ranges and categories from the contract only, since learning them from the rows would"
            f" give rows away. These columns have none: {', '.join(open_ended[:20])}.\n"
            "Declare them in the data section from what the columns can hold, not from what is in them."
        )
    return Declared(numbers=tuple(numbers), strings=tuple(strings))


def declared_encoding(declared: Declared) -> Encoding:
    """An encoding that no row had a part in: numbers from -1 to 1 over their range, 0 and a flag if missing; a 0/1 column a value."""
    ends = np.array([(low, high) for low, high, _ in declared.numbers], dtype=np.float64).reshape(-1, 2)
    middle = ends.mean(axis=1).astype(np.float32)
    half = (ends[:, 1] - ends[:, 0]) / 2
    return Encoding(
        style="scaled",
        fill=middle,
        empty=(),
        flagged=tuple(place for place, (_, _, missing) in enumerate(declared.numbers) if missing),
        centre=middle,
        factor=np.divide(1.0, half, out=np.zeros_like(half), where=half > 0).astype(np.float32),
        texts=tuple(TextEncoding(one_hot=True, words=values) for values in declared.strings),
    )


def bounded_matrix(encoding: Encoding, packed: Packed) -> NDArray[np.float64]:
    """Rows as the model sees them, shape (rows, width), with numbers held to -1 and 1 whatever the rows hold.

    Each column of the contract contributes at most 1 to the squared length of a row.
    """
    matrix = encoding.transform(packed).astype(np.float64)
    numbers = encoding.fill.size
    matrix[:, :numbers] = np.clip(matrix[:, :numbers], -1.0, 1.0)
    return matrix
