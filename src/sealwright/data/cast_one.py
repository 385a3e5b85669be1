"""One value, typed by a hand instead of read from a file, under the same contract as every other cell."""

from typing import Any

import pyarrow as pa

from sealwright.data.cast import cast_column
from sealwright.data.cells import REASONS
from sealwright.data.column_spec import ColumnSpec
from sealwright.data.names import shown
from sealwright.kernel import InvalidInput

__all__ = ["cast_cell"]


def cast_cell(text: str, column: ColumnSpec, name: str) -> Any:
    """The value as the snapshot holds it; None where the text is empty and the column may be.

    Raises
    ------
    InvalidInput
        The contract refuses it. The value itself is not repeated.
    """
    cast = cast_column(pa.array([text or None], pa.string()), column)
    if cast.problems:
        why = "; ".join(REASONS[code] for code in cast.problems)
        raise InvalidInput(f"The new value of {shown(name)} may not stand there: {why}.")
    return cast.values[0].as_py()
