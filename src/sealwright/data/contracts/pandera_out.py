"""A contract as a pandera schema: the YAML that `pandera.io.from_yaml` reads, for pandas data frames.

Answers: which pandera schema gives the same verdict on the same data frame?
Does not answer: how many rows may break it. pandera knows no such limit; it is named as left out.
Columns are coerced, so that types are read there by meaning, as here.
"""

from collections.abc import Iterator
from typing import Any

import yaml

from sealwright.data.column_spec import LARGEST_INTEGER
from sealwright.data.contracts.carried import Exported, unsaid_of
from sealwright.data.contracts.column import ContractColumn
from sealwright.data.contracts.model import Contract
from sealwright.data.contracts.patterns import for_python

__all__ = ["pandera_from_contract"]

_DTYPES = {
    "integer": "Int64",
    "number": "float64",
    "category": "str",
    "boolean": "boolean",
    "date": "date",
    "text": "str",
}
_LARGEST = 1.7976931348623157e308


def pandera_from_contract(contract: Contract) -> Exported:
    """The schema, and what of the contract is not in it."""
    left_out: list[str] = []
    notes: list[str] = []
    columns = {name: _column(name, contract.columns[name], left_out, notes) for name in contract.checked}
    schema: dict[str, Any] = {"schema_type": "dataframe", "api": "pandas", "columns": columns}
    if contract.other_columns == "refused" and len(columns) == len(contract.columns):
        schema["strict"] = True
    elif contract.other_columns == "refused":
        left_out.append("the table: other columns are refused; columns with role: ignore could not be told from them")
    if contract.ordered:
        schema["ordered"] = True
    keys = list(contract.unique)
    if keys:
        schema["unique"] = list(keys.pop(0))
        if any(contract.columns[name].nullable for name in schema["unique"]):
            notes.append("unique: pandera compares empty cells too")
    left_out += [f"the table: {what}" for what in (*_more_keys(keys), *_of_the_table(contract))]
    left_out += unsaid_of(contract)
    return Exported(
        text=yaml.safe_dump(schema, sort_keys=False, allow_unicode=True, width=118),
        left_out=tuple(left_out),
        notes=tuple(dict.fromkeys(notes)),
    )


def _more_keys(keys: list[tuple[str, ...]]) -> Iterator[str]:
    yield from (f"unique: {', '.join(key)}; pandera knows one key only" for key in keys)


def _of_the_table(contract: Contract) -> Iterator[str]:
    for rule in contract.rules:
        yield f"the rule {rule.column} {rule.comparison} {rule.other}"
    for name in ("min", "max"):
        if getattr(contract.rows, name) is not None:
            yield f"rows {name} {getattr(contract.rows, name)}"
    if contract.at_most_share:
        yield f"at_most_share {contract.at_most_share}: pandera lets no row pass"


def _column(name: str, column: ContractColumn, left_out: list[str], notes: list[str]) -> dict[str, Any]:
    said: dict[str, Any] = {"dtype": _DTYPES[column.type], "coerce": True}
    said |= {key: True for key in ("nullable", "unique") if getattr(column, key)}
    if not column.required:
        said["required"] = False
    said |= _range(column)
    listed = column.categories if column.type == "category" else column.one_of
    if listed is not None:
        said["isin"] = [_plain(value, column) for value in listed]
    if column.none_of:
        said["notin"] = [_plain(value, column) for value in column.none_of]
    said |= _text(name, column, left_out, notes)
    left_out += [f"{name}: {key}" for key in ("nulls", "at_most_share") if getattr(column, key)]
    if column.type == "date":
        notes.append("dates: pandas knows the years 1678 to 2261 only, and a time of day is cut off there, not refused")
    if column.type == "boolean":
        notes.append("booleans: pandas does not read the words true and false in a column of texts")
    if column.unique and column.nullable:
        notes.append("unique: pandera counts a second empty cell as repeated; it is not compared here")
    return said


def _range(column: ContractColumn) -> dict[str, Any]:
    """Bounds, with those that the type itself has."""
    if column.type not in {"integer", "number", "date"}:
        return {}
    type_ends: tuple[Any, Any] = {"integer": (-LARGEST_INTEGER, LARGEST_INTEGER), "number": (-_LARGEST, _LARGEST)}.get(
        column.type, (None, None)
    )
    least = column.min if column.min is not None or column.above is not None else type_ends[0]
    most = column.max if column.max is not None or column.below is not None else type_ends[1]
    ends = {
        "greater_than_or_equal_to": least,
        "greater_than": column.above,
        "less_than_or_equal_to": most,
        "less_than": column.below,
    }
    return {name: _plain(value, column) for name, value in ends.items() if value is not None}


def _text(name: str, column: ContractColumn, left_out: list[str], notes: list[str]) -> dict[str, Any]:
    if column.type != "text":
        return {}
    said: dict[str, Any] = {}
    least = column.min_length or 0
    if not column.nullable:
        least = max(least, 1)  # the empty text is a missing value
    elif column.pattern or column.min_length or column.one_of:
        notes.append("empty texts: they count as missing here, as texts there; write them as null")
    if least or column.max_length is not None:
        ends = {"min_value": least or None, "max_value": column.max_length}
        said["str_length"] = {end: value for end, value in ends.items() if value is not None}
    if column.pattern is not None:
        pattern, difference = for_python(column.pattern)
        if pattern is None:
            left_out.append(f"{name}: the pattern {column.pattern}: {difference}")
        else:
            said["str_contains"] = pattern
        if pattern is not None and difference:
            notes.append(f"{name}: the pattern is read by Python there: {difference}")
    return said


def _plain(value: Any, column: ContractColumn) -> Any:
    """A value as YAML: days unquoted, so that pandera compares days."""
    if column.type == "date":
        import datetime as dt

        return dt.date.fromisoformat(value)
    return float(value) if column.type == "number" else value
