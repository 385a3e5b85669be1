"""A contract as a Great Expectations suite: JSON of version 1, as `ExpectationSuite(**suite)` takes it.

Answers: which expectations give the same verdict on the same data frame?
Does not answer: which data source they run on. That is said where the suite is used.
"""

import json
from collections.abc import Iterator
from typing import Any

from sealwright.data.column_spec import LARGEST_INTEGER
from sealwright.data.contracts.carried import Exported, unsaid_of
from sealwright.data.contracts.column import ContractColumn
from sealwright.data.contracts.model import Contract, RowRule
from sealwright.data.contracts.patterns import for_python

__all__ = ["expectations_from_contract"]

_INTEGERS = [f"{sign}{size}" for sign in ("int", "uint", "Int", "UInt") for size in (8, 16, 32, 64)]
_TYPES = {
    "integer": [*_INTEGERS, "int", "INTEGER", "BIGINT", "SMALLINT", "TINYINT"],
    "number": [*_INTEGERS, "int", "float", "float32", "float64", "Float32", "Float64", "FLOAT", "DOUBLE", "REAL",
               "DOUBLE_PRECISION", "DECIMAL", "NUMERIC", "INTEGER", "BIGINT"],
    "boolean": ["bool", "boolean", "BOOLEAN"],
}  # fmt: skip
_LARGEST = 1.7976931348623157e308
_PAIRS = {"at_least": (False, True), "above": (False, False), "at_most": (True, True), "below": (True, False)}

Expectation = dict[str, Any]


def expectations_from_contract(contract: Contract, *, name: str = "contract") -> Exported:
    """The suite, and what of the contract is not in it."""
    left_out: list[str] = []
    notes: list[str] = []
    found = list(_of_the_table(contract, left_out))
    for column in contract.checked:
        found += _of_a_column(column, contract.columns[column], left_out, notes)
    left_out += unsaid_of(contract)
    suite = {
        "name": name,
        "expectations": [{"type": kind, "kwargs": kwargs, "meta": {}} for kind, kwargs in found],
        "meta": {"made_by": "sealwright", "contract": contract.digest},
    }
    return Exported(
        text=json.dumps(suite, indent=2, ensure_ascii=False) + "\n",
        left_out=tuple(left_out),
        notes=tuple(dict.fromkeys(notes)),
    )


def _of_the_table(contract: Contract, left_out: list[str]) -> Iterator[tuple[str, Expectation]]:
    names = list(contract.columns)
    whole = all(column.required for column in contract.columns.values())
    if contract.other_columns == "refused" and whole and contract.ordered:
        yield "expect_table_columns_to_match_ordered_list", {"column_list": names}
    elif contract.other_columns == "refused" and whole:
        yield "expect_table_columns_to_match_set", {"column_set": names, "exact_match": True}
    elif contract.other_columns == "refused":
        left_out.append("the table: other columns are refused; a suite cannot say so where columns may be missing")
    if contract.ordered and not (whole and contract.other_columns == "refused"):
        left_out.append("the table: the order of the columns, where not all of them are known")
    if contract.rows.min is not None or contract.rows.max is not None:
        yield "expect_table_row_count_to_be_between", _both(contract.rows.min, contract.rows.max)
    for key in contract.unique:
        kwargs = {"column_list": list(key), "ignore_row_if": "any_value_is_missing"}
        yield (
            ("expect_compound_columns_to_be_unique", kwargs)
            if len(key) > 1
            else ("expect_column_values_to_be_unique", {"column": key[0]})
        )
    for rule in contract.rules:
        yield from _pair(rule, left_out)
    if contract.at_most_share:
        left_out.append(f"the table: at_most_share {contract.at_most_share} of rows; `mostly` is of one expectation")


def _pair(rule: RowRule, left_out: list[str]) -> Iterator[tuple[str, Expectation]]:
    missing = {"ignore_row_if": "either_value_is_missing"}
    if rule.comparison in _PAIRS:
        turned, or_equal = _PAIRS[rule.comparison]
        first, second = (rule.other, rule.column) if turned else (rule.column, rule.other)
        kwargs = {"column_A": first, "column_B": second, "or_equal": or_equal, **missing}
        yield "expect_column_pair_values_a_to_be_greater_than_b", kwargs
    elif rule.comparison == "equal_to":
        yield "expect_column_pair_values_to_be_equal", {"column_A": rule.column, "column_B": rule.other, **missing}
    else:
        left_out.append(f"the rule {rule.column} {rule.comparison} {rule.other}")


def _of_a_column(
    name: str, column: ContractColumn, left_out: list[str], notes: list[str]
) -> Iterator[tuple[str, Expectation]]:
    if not column.required:
        left_out.append(f"{name}: required: false; every expectation of it fails where the column is missing")
    about: Expectation = {"column": name}
    if column.at_most_share:
        about["mostly"] = 1 - column.at_most_share
        if column.nullable:
            notes.append("mostly: the share is taken of all rows here, of the cells that are not empty there")
    if column.required:
        yield "expect_column_to_exist", {"column": name}
    if not column.nullable:
        yield "expect_column_values_to_not_be_null", about
    if column.unique:
        yield "expect_column_values_to_be_unique", about
    yield from ((kind, {**about, **kwargs}) for kind, kwargs in _type(column, notes))
    yield from ((kind, {**about, **kwargs}) for kind, kwargs in _values(column))
    yield from ((kind, {**about, **kwargs}) for kind, kwargs in _text(name, column, left_out, notes))
    if column.nulls:
        left_out.append(f"{name}: nulls")
    if column.type == "date":
        left_out += [f"{name}: {key}; lists of dates" for key in ("one_of", "none_of") if getattr(column, key)]


def _type(column: ContractColumn, notes: list[str]) -> Iterator[tuple[str, Expectation]]:
    if column.type not in _TYPES:
        if column.type == "date":
            notes.append(
                "dates: no type is written, and bounds are compared with Python dates; convert datetime64 columns"
            )
        return
    names = list(_TYPES[column.type])
    if column.type == "integer" and column.nullable:
        names += ["float64", "float"]
        notes.append("integers that may be empty: pandas keeps them as doubles, so doubles are accepted there")
    notes.append(
        "types: Great Expectations compares how pandas keeps a column, not what its values mean: 7.0 is no integer"
    )
    yield "expect_column_values_to_be_in_type_list", {"type_list": names}


def _values(column: ContractColumn) -> Iterator[tuple[str, Expectation]]:
    listed = column.categories if column.type == "category" else column.one_of
    if listed is not None and column.type != "date":
        yield "expect_column_values_to_be_in_set", {"value_set": list(listed)}
    if column.none_of and column.type != "date":
        yield "expect_column_values_to_not_be_in_set", {"value_set": list(column.none_of)}
    for least, most, strict in _ends(column):
        kwargs = _both(least, most)
        kwargs |= {f"strict_{end}": True for end in ("min", "max") if strict and f"{end}_value" in kwargs}
        if kwargs:
            yield "expect_column_values_to_be_between", kwargs


def _ends(column: ContractColumn) -> Iterator[tuple[Any, Any, bool]]:
    least, most = column.min, column.max
    if column.type in {"integer", "number"}:  # with the bounds that the type itself has
        limit = LARGEST_INTEGER if column.type == "integer" else _LARGEST
        least = -limit if least is None and column.above is None else least
        most = limit if most is None and column.below is None else most
    yield least, most, False
    yield column.above, column.below, True


def _text(
    name: str, column: ContractColumn, left_out: list[str], notes: list[str]
) -> Iterator[tuple[str, Expectation]]:
    if column.type != "text":
        return
    least = column.min_length or 0
    if not column.nullable:
        least = max(least, 1)  # the empty text is a missing value
    elif column.pattern or column.min_length or column.one_of:
        notes.append("empty texts: they count as missing here, as texts there; write them as null")
    if least or column.max_length is not None:
        yield "expect_column_value_lengths_to_be_between", _both(least or None, column.max_length)
    if column.pattern is not None:
        pattern, difference = for_python(column.pattern)
        if pattern is None:
            left_out.append(f"{name}: the pattern {column.pattern}: {difference}")
        else:
            yield "expect_column_values_to_match_regex", {"regex": pattern}
        if pattern is not None and difference:
            notes.append(f"{name}: the pattern is read by Python there: {difference}")


def _both(least: Any, most: Any) -> Expectation:
    ends = {"min_value": least, "max_value": most}
    return {name: value for name, value in ends.items() if value is not None}
