"""A pandera schema as a contract: read as data, from the YAML or JSON that pandera writes; its code never runs.

Answers: which of its rules can a contract say, and which not?
Does not answer: what a check made of Python code tests. pandera does not write those out; they are named as left out.
Types are compared by meaning: a column of int32 is an integer, as one of int64 is.
"""

import ast
import re
from collections.abc import Callable, Mapping
from typing import Any

from sealwright.data.column_spec import ColumnType
from sealwright.data.contracts.carried import ColumnDraft, Imported
from sealwright.data.contracts.model import Contract
from sealwright.kernel import InvalidInput

__all__ = ["contract_from_pandera", "looks_like_pandera"]

_TYPES: tuple[tuple[str, ColumnType], ...] = (
    (r"u?int(8|16|32|64)?|integer", "integer"),
    (r"float(16|32|64)?|double|number|decimal(\(.*\))?", "number"),
    (r"bool|boolean", "boolean"),
    (r"str|string(\[\w*\])?|utf8|object|category|categorical(\(.*\))?", "text"),
    (r"date", "date"),
)
_MOMENTS = re.compile(r"(?i)datetime.*|timestamp.*")
_ENUM = re.compile(r"Enum\(categories=(\[.*\])\)")
_COLUMN_WORDS = {"title", "description", "name", "metadata", "default", "report_duplicates", "drop_invalid_rows"}
_COLUMN_KEYS = {"dtype", "nullable", "unique", "required", "coerce", "regex", "checks"} | _COLUMN_WORDS
_OPTIONS = {
    "check_name",
    "ignore_na",
    "raise_warning",
    "n_failure_cases",
    "groupby",
    "groups",
    "error",
    "name",
    "options",
}

Stats = Mapping[str, Any]
Reader = Callable[[ColumnDraft, Stats], None]


def looks_like_pandera(said: Any) -> bool:
    """Whether a document is a serialised pandera schema."""
    if not isinstance(said, Mapping) or not isinstance(said.get("columns"), (Mapping, list)):
        return False
    return "schema_type" in said


def contract_from_pandera(said: Mapping[str, Any]) -> Imported:
    """Read the document that `schema.to_yaml()` or `schema.to_json()` writes, of the pandas or the polars API.

    Raises
    ------
    InvalidInput
        It is no such document, or it has no column a contract could name.
    """
    if not looks_like_pandera(said):
        raise InvalidInput("This is no pandera schema. Give what schema.to_yaml() or schema.to_json() writes.")
    left_out: list[str] = []
    notes = ["types are compared by meaning: int32 and int64 are both integers, and texts are read where they fit"]
    if "version" in said:
        notes.append("the schema is written in full (minimal=False), where checks made of code leave no trace")
    columns: dict[str, Any] = {}
    by_pattern = False
    for name, column in _columns(said["columns"]):
        if not isinstance(name, str) or not isinstance(column, Mapping):
            left_out.append(f"{name}: a column whose name is no text")
        elif column.get("regex"):
            by_pattern = True
            left_out.append(f"{name}: a pattern for names of columns")
        else:
            draft = _column(name, column, polars=said.get("api") == "polars" or "polars" in str(said["schema_type"]))
            columns[name] = draft.finish()
            left_out += draft.left_out
            notes += draft.notes
    if not columns:
        raise InvalidInput("The pandera schema names no column, so there is nothing a contract could say.")
    rest = _of_the_table(said, by_pattern, left_out)
    contract = Contract(columns=columns, **rest)
    if any(column.unique and column.nullable for column in columns.values()):
        notes.append("unique: empty cells are not compared here; pandera counts a second one as repeated")
    return Imported(contract=contract, left_out=tuple(left_out), notes=tuple(notes))


def _columns(said: Any) -> list[tuple[Any, Any]]:
    if isinstance(said, Mapping):
        return list(said.items())
    return [(one.get("name"), one) for one in said if isinstance(one, Mapping)]


def _column(name: str, said: Mapping[str, Any], *, polars: bool) -> ColumnDraft:
    draft = ColumnDraft(
        name=name,
        nullable=bool(said.get("nullable", False)),
        unique=bool(said.get("unique", False)),
        required=bool(said.get("required", True)),
    )
    _read_type(draft, said.get("dtype"))
    for word in ("title", "description", "metadata"):
        if said.get(word):
            draft.leave_out(f"its {word}; write it as a comment")
    for word, what in (("default", "a default for empty cells"), ("drop_invalid_rows", "dropping of bad rows")):
        if said.get(word):
            draft.leave_out(f"{what}; a check changes nothing")
    if "checks" in said and said["checks"] is None and "regex" not in said:  # written in full, null means nothing
        draft.leave_out("a check that pandera could not write out")
    for check, stats in _checks(said):
        _read_check(draft, check, stats, polars=polars)
    return draft


def _read_type(draft: ColumnDraft, dtype: Any) -> None:
    text = str(dtype or "")
    listed = _ENUM.fullmatch(text)
    if not text:
        return
    if listed and (values := _literal(listed[1])):
        draft.type = "text"
        draft.allow(values)
    elif _MOMENTS.fullmatch(text):
        draft.type = "text"
        draft.leave_out(
            f"type {text}: a contract knows days, not times of day. If it holds days only, write type: date"
        )
    else:
        known = [kind for shape, kind in _TYPES if re.fullmatch(shape, text, re.IGNORECASE)]
        draft.type = known[0] if known else "text"
        if not known:
            draft.leave_out(f"type {text[:60]}")


def _literal(text: str) -> list[str]:
    """The texts of a list as Python shows it; nothing is executed."""
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return []
    return [one for one in found if isinstance(one, str)]


def _checks(said: Mapping[str, Any]) -> list[tuple[str, Stats]]:
    """Every check by name, from either way in which pandera writes them."""
    found: list[tuple[str, Any]] = []
    listed = said.get("checks")
    if isinstance(listed, Mapping):
        found += listed.items()
    elif isinstance(listed, list):
        for one in listed:
            options = one.get("options") if isinstance(one, Mapping) else None
            found.append((str((options or {}).get("check_name", "?")), one))
    found += [(key, value) for key, value in said.items() if key not in _COLUMN_KEYS]
    return [(name, _stats(value)) for name, value in found]


def _stats(value: Any) -> Stats:
    """The arguments of a check, its options beside them."""
    if not isinstance(value, Mapping):
        return {"value": value}
    options = value.get("options")
    return {**value, **(options if isinstance(options, Mapping) else {})}


def _read_check(draft: ColumnDraft, name: str, stats: Stats, *, polars: bool) -> None:
    reader = _READERS.get(name)
    if reader is None:
        draft.leave_out(f"the check {name}")
    elif stats.get("raise_warning"):
        draft.leave_out(f"the check {name}, which only warns")
    elif stats.get("groupby") or stats.get("groups"):
        draft.leave_out(f"the check {name} by groups")
    else:
        reader(draft, {**stats, "polars": polars})


def _only(stats: Stats, *names: str) -> Any:
    """The one argument of a check, under whichever of its names."""
    for name in (*names, "value"):
        if name in stats:
            return stats[name]
    return next((value for name, value in stats.items() if name not in _OPTIONS and name != "polars"), None)


def _in_range(draft: ColumnDraft, stats: Stats) -> None:
    draft.end("min" if stats.get("include_min", True) else "above", stats.get("min_value"))
    draft.end("max" if stats.get("include_max", True) else "below", stats.get("max_value"))


def _starts_like(draft: ColumnDraft, stats: Stats) -> None:
    """pandera looks for this one at the start of the text only."""
    pattern = str(_only(stats, "pattern"))
    if stats["polars"] or "|" not in pattern:
        draft.match(pattern if pattern.startswith("^") else f"^{pattern}")
    else:
        draft.match(f"^(?:{pattern})")


def _length(draft: ColumnDraft, stats: Stats) -> None:
    exact = stats.get("exact_value", stats.get("value"))
    least, most = stats.get("min_value"), stats.get("max_value")
    draft.lengths(least if exact is None else exact, most if exact is None else exact)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


_READERS: Mapping[str, Reader] = {
    "greater_than_or_equal_to": lambda draft, stats: draft.end("min", _only(stats, "min_value")),
    "less_than_or_equal_to": lambda draft, stats: draft.end("max", _only(stats, "max_value")),
    "greater_than": lambda draft, stats: draft.end("above", _only(stats, "min_value")),
    "less_than": lambda draft, stats: draft.end("below", _only(stats, "max_value")),
    "in_range": _in_range,
    "equal_to": lambda draft, stats: draft.allow([_only(stats)]),
    "not_equal_to": lambda draft, stats: draft.refused.append(_only(stats)),
    "isin": lambda draft, stats: draft.allow(_listed(_only(stats, "allowed_values"))),
    "notin": lambda draft, stats: draft.refused.extend(_listed(_only(stats, "forbidden_values"))),
    "str_matches": _starts_like,
    "str_contains": lambda draft, stats: draft.match(str(_only(stats, "pattern"))),
    "str_startswith": lambda draft, stats: draft.match("^" + re.escape(str(_only(stats, "string")))),
    "str_endswith": lambda draft, stats: draft.match(re.escape(str(_only(stats, "string"))) + "$"),
    "str_length": _length,
}
READ_CHECKS = frozenset(_READERS)
"""Checks of pandera that a contract can say."""


def _of_the_table(said: Mapping[str, Any], by_pattern: bool, left_out: list[str]) -> dict[str, Any]:
    """What the schema says of the table as a whole."""
    strict = said.get("strict", False)
    unique = said.get("unique") or []
    keys = (tuple([unique] if isinstance(unique, str) else unique),) if unique else ()
    if strict == "filter":
        left_out.append("strict: filter; a check changes nothing, other columns are allowed")
    if by_pattern and strict is True:
        left_out.append("strict: columns named by a pattern would be refused, so other columns are allowed")
    for name, _ in _checks({"checks": said.get("checks")}) if said.get("checks") else ():
        left_out.append(f"the table: the check {name}")
    rules = ("index", "multiindex", "dtype", "add_missing_columns", "drop_invalid_rows")
    words = ("title", "description", "name", "metadata")
    left_out += [f"the table: {name}" for name in rules if said.get(name)]
    left_out += [f"the table: its {name}; write it as a comment" for name in words if said.get(name)]
    return {
        "other_columns": "refused" if strict is True and not by_pattern else "allowed",
        "ordered": bool(said.get("ordered", False)),
        "unique": keys,
    }
