"""A Great Expectations suite as a contract: the JSON of an expectation suite, read as data.

Answers: which of its expectations can a contract say, and which not?
Does not answer: statistics of a column (means, quantiles, drift). Those are no rules about rows; they are left out by name.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sealwright.data.column_spec import ColumnType
from sealwright.data.contracts.carried import ColumnDraft, Imported
from sealwright.data.contracts.model import Contract
from sealwright.kernel import InvalidInput

__all__ = ["contract_from_expectations", "looks_like_expectations"]

_TYPES: Mapping[ColumnType, frozenset[str]] = {
    "integer": frozenset(
        [
            "int",
            "integer",
            "bigint",
            "smallint",
            "tinyint",
            "int2",
            "int4",
            "int8",
            "int16",
            "int32",
            "int64",
            "uint8",
            "uint16",
            "uint32",
            "uint64",
            "long",
            "integertype",
            "longtype",
            "shorttype",
            "bytetype",
        ]
    ),
    "number": frozenset(
        [
            "float",
            "double",
            "number",
            "numeric",
            "decimal",
            "real",
            "float16",
            "float32",
            "float64",
            "double_precision",
            "floattype",
            "doubletype",
            "decimaltype",
        ]
    ),
    "boolean": frozenset(["bool", "bool_", "boolean", "booleantype"]),
    "text": frozenset(["str", "string", "object", "varchar", "text", "char", "nvarchar", "stringtype", "category"]),
    "date": frozenset(["date", "date32", "datetype"]),
}

_OF_WHOLE_COLUMNS = {
    "expect_column_to_exist",
    "expect_column_values_to_be_of_type",
    "expect_column_values_to_be_in_type_list",
}

Kwargs = Mapping[str, Any]


class _Suite:
    """What was read so far."""

    def __init__(self) -> None:
        self.columns: dict[str, ColumnDraft] = {}
        self.table: dict[str, Any] = {"other_columns": "allowed", "unique": [], "rules": [], "rows": {}}
        self.order: list[str] | None = None
        self.left_out: list[str] = []
        self.notes: list[str] = []

    def column(self, name: Any) -> ColumnDraft:
        """The column of this name. It may be empty until an expectation says otherwise, as in a suite."""
        return self.columns.setdefault(str(name), ColumnDraft(name=str(name), nullable=True))


def looks_like_expectations(said: Any) -> bool:
    """Whether a document is an expectation suite."""
    return isinstance(said, Mapping) and isinstance(said.get("expectations"), list)


def contract_from_expectations(said: Mapping[str, Any]) -> Imported:
    """Read an expectation suite, of version 1 (`type`) or older (`expectation_type`).

    Raises
    ------
    InvalidInput
        It is no suite, or it says nothing about any column.
    """
    if not looks_like_expectations(said):
        raise InvalidInput("This is no expectation suite. Give the JSON file that Great Expectations keeps of it.")
    suite = _Suite()
    for place, one in enumerate(said["expectations"], start=1):
        kind = one.get("type") or one.get("expectation_type") if isinstance(one, Mapping) else None
        kwargs = one.get("kwargs") if isinstance(one, Mapping) else None
        if not isinstance(kind, str) or not isinstance(kwargs, Mapping):
            suite.left_out.append(f"expectation {place}: it names no type")
        else:
            _read(suite, kind, kwargs, str(one.get("severity") or "critical"))
    if not suite.columns:
        raise InvalidInput("The suite says nothing about any column, so there is nothing a contract could say.")
    ordered = [name for name in suite.order or () if name in suite.columns]
    names = [*ordered, *(name for name in suite.columns if name not in ordered)]
    columns = {name: suite.columns[name].finish() for name in names}
    for draft in suite.columns.values():
        suite.left_out += draft.left_out
        suite.notes += draft.notes
    contract = Contract.model_validate({"columns": columns, **suite.table, **_rules(suite, columns)})
    return Imported(contract=contract, left_out=tuple(suite.left_out), notes=tuple(dict.fromkeys(suite.notes)))


def _read(suite: _Suite, kind: str, kwargs: Kwargs, severity: str) -> None:
    if severity in {"warning", "info"}:
        suite.left_out.append(f"{_where(kwargs)}: {kind}, which only warns (severity {severity})")
    elif kwargs.get("row_condition"):
        suite.left_out.append(f"{_where(kwargs)}: {kind} for some rows only (row_condition)")
    elif kind in _OF_COLUMNS and kwargs.get("column") is not None:
        draft = suite.column(kwargs["column"])
        _OF_COLUMNS[kind](draft, kwargs)
        if kind not in _OF_WHOLE_COLUMNS:
            _mostly(draft, kwargs, suite)
    elif kind in _OF_TABLES:
        _OF_TABLES[kind](suite, kwargs)
        if _share(kwargs):
            suite.notes.append(f"{kind}: `mostly` {kwargs['mostly']} is not taken over; all rows must keep it")
    else:
        suite.left_out.append(f"{_where(kwargs)}: {kind}")


def _where(kwargs: Kwargs) -> str:
    return str(kwargs.get("column") or kwargs.get("column_A") or "the table")


def _share(kwargs: Kwargs) -> float:
    mostly = kwargs.get("mostly")
    known = isinstance(mostly, (int, float)) and not isinstance(mostly, bool)
    return round(1 - mostly, 12) if known and 0 <= mostly < 1 else 0.0  # type: ignore[operator]


def _mostly(draft: ColumnDraft, kwargs: Kwargs, suite: _Suite) -> None:
    """`mostly` becomes the column's own limit. Where its expectations differ, the strictest counts."""
    share = _share(kwargs)
    known = draft.at_most_share
    draft.at_most_share = share if known is None else min(known, share)
    if known is not None and known != share:
        suite.notes.append(f"{draft.name}: its expectations have different `mostly`; the strictest counts for all")
    if share:
        suite.notes.append("mostly: the share is taken of all rows here, of the cells that are not empty there")


def _type(draft: ColumnDraft, kwargs: Kwargs) -> None:
    names = kwargs.get("type_list") or [kwargs.get("type_")]
    plain = {str(name).lower().split(".")[-1].split("(")[0].split("[")[0] for name in names}
    kinds = {kind for kind, known in _TYPES.items() if plain & known}
    if not kinds or not plain:
        draft.leave_out(f"type {', '.join(sorted(plain))[:80]}")
    elif kinds <= {"integer", "number"}:
        whole = plain & _TYPES["integer"] and (kinds == {"integer"} or kwargs.get("sealwright_type") == "integer")
        draft.type = "integer" if whole else "number"
    elif len(kinds) == 1:
        draft.type = kinds.pop()
    else:
        draft.leave_out(f"a choice of types, {', '.join(sorted(plain))[:80]}")


def _between(draft: ColumnDraft, kwargs: Kwargs) -> None:
    draft.end("above" if kwargs.get("strict_min") else "min", kwargs.get("min_value"))
    draft.end("below" if kwargs.get("strict_max") else "max", kwargs.get("max_value"))


def _lengths(draft: ColumnDraft, kwargs: Kwargs) -> None:
    least, most = kwargs.get("min_value"), kwargs.get("max_value")
    if isinstance(least, (int, float)):
        least = int(least) + (1 if kwargs.get("strict_min") else 0)
    if isinstance(most, (int, float)):
        most = int(most) - (1 if kwargs.get("strict_max") else 0)
    draft.lengths(least, most)


def _not_null(draft: ColumnDraft, _kwargs: Kwargs) -> None:
    draft.nullable = False


def _unique(draft: ColumnDraft, _kwargs: Kwargs) -> None:
    draft.unique = True


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else []


_OF_COLUMNS: Mapping[str, Callable[[ColumnDraft, Kwargs], None]] = {
    "expect_column_to_exist": lambda _draft, _kwargs: None,
    "expect_column_values_to_not_be_null": _not_null,
    "expect_column_values_to_be_of_type": _type,
    "expect_column_values_to_be_in_type_list": _type,
    "expect_column_values_to_be_between": _between,
    "expect_column_values_to_be_in_set": lambda draft, kwargs: draft.allow(_listed(kwargs.get("value_set"))),
    "expect_column_values_to_not_be_in_set": lambda draft, kwargs: draft.refused.extend(
        _listed(kwargs.get("value_set"))
    ),
    "expect_column_values_to_match_regex": lambda draft, kwargs: draft.match(str(kwargs.get("regex"))),
    "expect_column_value_lengths_to_be_between": _lengths,
    "expect_column_value_lengths_to_equal": lambda draft, kwargs: draft.lengths(
        kwargs.get("value"), kwargs.get("value")
    ),
    "expect_column_values_to_be_unique": _unique,
}


def _rows(suite: _Suite, kwargs: Kwargs) -> None:
    least, most = kwargs.get("min_value"), kwargs.get("max_value")
    exact = kwargs.get("value")
    limits = {"min": least if exact is None else exact, "max": most if exact is None else exact}
    suite.table["rows"] = {name: int(value) for name, value in limits.items() if value is not None}


def _ordered(suite: _Suite, kwargs: Kwargs) -> None:
    suite.order = [str(name) for name in _listed(kwargs.get("column_list"))]
    suite.table |= {"ordered": True, "other_columns": "refused"}
    for name in suite.order:
        suite.column(name)


def _set(suite: _Suite, kwargs: Kwargs) -> None:
    if kwargs.get("exact_match") is not False:
        suite.table["other_columns"] = "refused"
    for name in _listed(kwargs.get("column_set")):
        suite.column(name)


def _key(suite: _Suite, kwargs: Kwargs) -> None:
    key = [str(name) for name in _listed(kwargs.get("column_list"))]
    for name in key:
        suite.column(name)
    suite.table["unique"].append(key)
    if kwargs.get("ignore_row_if", "all_values_are_missing") != "any_value_is_missing":
        suite.notes.append(f"unique {', '.join(key)}: a row with an empty part of the key is not compared here")


def _pair(comparison: str) -> Callable[[_Suite, Kwargs], None]:
    def read(suite: _Suite, kwargs: Kwargs) -> None:
        first, second = str(kwargs.get("column_A")), str(kwargs.get("column_B"))
        said = "at_least" if comparison == "above" and kwargs.get("or_equal") else comparison
        suite.column(first)
        suite.column(second)
        suite.table["rules"].append({"column": first, said: second})
        if kwargs.get("ignore_row_if") == "never":
            suite.notes.append(f"{first} and {second}: a row where one is empty is not compared here")

    return read


_OF_TABLES: Mapping[str, Callable[[_Suite, Kwargs], None]] = {
    "expect_table_row_count_to_be_between": _rows,
    "expect_table_row_count_to_equal": _rows,
    "expect_table_columns_to_match_ordered_list": _ordered,
    "expect_table_columns_to_match_set": _set,
    "expect_compound_columns_to_be_unique": _key,
    "expect_column_pair_values_a_to_be_greater_than_b": _pair("above"),
    "expect_column_pair_values_to_be_equal": _pair("equal_to"),
}


def _rules(suite: _Suite, columns: Mapping[str, Any]) -> dict[str, Any]:
    """The comparisons of two columns whose types can be compared."""
    kept = []
    for rule in suite.table["rules"]:
        said = next(name for name in rule if name != "column")
        kinds = {columns[name].type for name in (rule["column"], rule[said])}
        numbers, same = kinds <= {"integer", "number"}, len(kinds) == 1
        if numbers or kinds == {"date"} or (said == "equal_to" and (same or kinds <= {"text", "category"})):
            kept.append(rule)
        else:
            suite.left_out.append(f"{rule['column']} {said} {rule[said]}: their types are not named, or do not compare")
    return {"rules": kept}
