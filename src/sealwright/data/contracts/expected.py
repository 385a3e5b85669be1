"""What a rule of a contract asks for, in words a person reads beside a count."""

from sealwright.data.contracts.column import ContractColumn
from sealwright.data.contracts.model import RowRule

__all__ = ["expected_of", "expected_of_pair"]

_TYPES = {
    "integer": "a whole number within ±2^53",
    "number": "a finite number",
    "category": "one of the categories",
    "boolean": "true, false, 1 or 0",
    "date": "a date such as 2026-11-22",
    "text": "a text",
}
_SHOWN = 6


def expected_of(rule: str, column: ContractColumn) -> str:
    """What a column's rule asks for."""
    match rule:
        case "null_not_allowed":
            return "no empty cell"
        case "below_min":
            return f"at least {column.min}"
        case "above_max":
            return f"at most {column.max}"
        case "not_above":
            return f"more than {column.above}"
        case "not_below":
            return f"less than {column.below}"
        case "not_in_categories":
            return f"one of {_some(column.categories or ())}"
        case "not_one_of":
            return f"one of {_some(column.one_of or ())}"
        case "one_of_refused":
            return f"none of {_some(column.none_of)}"
        case "pattern_not_found":
            return f"the pattern {column.pattern}"
        case "too_short":
            return f"at least {column.min_length} characters"
        case "too_long":
            return f"at most {column.max_length} characters"
        case "repeated":
            return "every value once"
        case _:
            return _TYPES[column.type]


def expected_of_pair(rule: RowRule) -> str:
    """What a row rule asks for: "end at least start"."""
    return f"{rule.column} {rule.comparison.replace('_', ' ')} {rule.other}"


def _some(values: tuple[object, ...]) -> str:
    more = f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
    return ", ".join(map(str, values[:_SHOWN])) + more
