"""Cells of a change log: any value as JSON text, and back to exactly the same value.

Answers: how is an old or new cell written down so that undoing gives it back bit for bit?
Does not answer: which cells changed.
"""

import datetime as dt
import json
import math
from typing import Any

import pyarrow as pa

__all__ = ["array_of", "read_cell", "read_row", "write_cell", "write_row"]

_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def write_cell(value: Any) -> str:
    """One value as JSON: dates as texts like 2026-11-22, numbers that are not finite by name."""
    return json.dumps(_plain(value), ensure_ascii=False)


def read_cell(text: str, kind: Any) -> Any:
    """The value of an Arrow type that `write_cell` wrote."""
    return _typed(json.loads(text), kind)


def write_row(row: dict[str, Any]) -> str:
    """A whole row as a JSON object."""
    return json.dumps({name: _plain(value) for name, value in row.items()}, ensure_ascii=False)


def read_row(text: str, schema: Any) -> dict[str, Any]:
    """The row of an Arrow schema that `write_row` wrote."""
    cells = json.loads(text)
    return {field.name: _typed(cells[field.name], field.type) for field in schema}


def array_of(values: list[Any], kind: Any) -> Any:
    """Values as an Arrow array of a type."""
    return pa.array(values, kind)


def _plain(value: Any) -> Any:
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _typed(value: Any, kind: Any) -> Any:
    if value is None:
        return None
    if pa.types.is_date32(kind):
        return dt.date.fromisoformat(value)
    if pa.types.is_floating(kind):
        return _NOT_FINITE[value] if isinstance(value, str) else float(value)
    return value
