"""Names for made-up rows that no person can have.

Answers: what stands in an identifier of a row that is nobody's?
Does not answer: which row it was learned from. None: it was learned from all of them.
"""

import pyarrow as pa

from sealwright.data.diversity.contract import ColumnLike
from sealwright.data.names import shown
from sealwright.kernel import InvalidInput

__all__ = ["PREFIX", "fresh"]

PREFIX = "synthetic-"


def fresh(name: str, column: ColumnLike, kind: pa.DataType, numbers: range, *, tag: str, subject: bool) -> pa.Array:
    """Values of an identifier column for made-up rows.

    Parameters
    ----------
    numbers : range
        The numbers of the rows, from 1; each making goes on where the last one ended.
    tag : str
        A few letters that tell one making from another.
    subject : bool
        It names the person a row is about, so it must not be empty.

    Returns
    -------
    pa.Array
        Texts "synthetic-<tag>-<number>"; nothing where the contract allows it; else negative numbers.

    Raises
    ------
    InvalidInput
        The contract leaves no value that could not be mistaken for a real one.
    """
    if column.type == "text":
        return pa.array([f"{PREFIX}{tag}-{number}" for number in numbers], kind)
    if column.nullable and not subject:
        return pa.nulls(len(numbers), kind)
    if not numbers:
        return pa.nulls(0, kind)
    low, _ = column.bounds
    if column.type in {"integer", "number"} and (low is None or low <= -numbers[-1]):
        return pa.array([-number for number in numbers], pa.int64()).cast(kind)
    raise InvalidInput(
        f"Every value that {shown(name)} may have could be a real person's, so a made-up row cannot be told apart by it.\n"
        "Set nullable: true, or make it text, or (a number) allow negative values."
    )
