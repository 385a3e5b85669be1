"""One column of a guessed contract: its type, what it may hold, how sensitive it is, what it is for, and why."""

from typing import Any

from sealwright.data.column_spec import ColumnSpec, ColumnType, DataClass, Role
from sealwright.data.dates import day_number
from sealwright.data.hints import (
    Hint,
    looks_like_identifier,
    looks_personal,
    looks_predicted,
    personal_content,
    protected_attribute,
)
from sealwright.data.personal.model import KINDS
from sealwright.data.profile import ColumnProfile

__all__ = ["describe_values", "infer_column", "unreadable_column"]

_FLOAT32_EXACT = 2**24  # whole numbers beyond are rounded in a float32
_MOSTLY = 0.5  # share of cells from which on a column is what its cells hold
_FEW_CODES = 20  # whole numbers with so few different values may be codes

Reasons = tuple[str, ...]


def infer_column(profile: ColumnProfile, *, census: bool, unnamed: bool) -> tuple[ColumnSpec, Reasons]:
    """Guess the contract of a column that is not the target."""
    hint = protected_attribute(profile.name, profile.categories if profile.type == "category" else (), census=census)
    kind, values = describe_values(profile)
    if hint and not hint.keep_as_feature and _few_codes(profile, kind):
        kind = "category"
        values = f"category: {len(profile.categories)} codes written as whole numbers"
    role, data_class, why = _role(profile, kind, hint, unnamed=unnamed)
    if kind == "text" and role == "feature":
        role, why = "ignore", (*why, "free text is not given to models in this release, so it is left out")
    limits, said = _limits(profile, kind, role)
    missing, null_reason = _missing(profile)
    spec = ColumnSpec.model_validate({"type": kind, **missing, **limits, "class": data_class, "role": role})
    return spec, (values, *null_reason, *said, *why)


def unreadable_column(kind: str) -> tuple[ColumnSpec, Reasons]:
    """A column of nested or binary values."""
    return ColumnSpec(type="text", nullable=True, role="ignore"), (f"its type {kind} is not read, so it is left out",)


def describe_values(profile: ColumnProfile) -> tuple[ColumnType, str]:
    """The type, and the fact it rests on."""
    count = f"{profile.rows - profile.missing:,}"
    match profile.type:
        case "integer" if profile.written_with_point:
            said = f"integer: all {count} values are whole numbers, though some are written like 3.0"
        case "integer":
            said = f"integer: all {count} values are whole numbers"
        case "number":
            said = f"number: all {count} values are numbers"
        case "boolean":
            said = f"boolean: all {count} values are true or false"
        case "date":
            said = f"date: all {count} values are days of the calendar"
        case "category":
            said = f"category: {len(profile.categories)} different values in {count} cells"
        case "text" if profile.leading_zeros:
            said = "text: digits with leading zeros are a code, not a number"
        case _:
            said = (
                f"text: too many different values for a category in {count} cells"
                if profile.present
                else "text: no value"
            )
    return profile.type, said


def _few_codes(profile: ColumnProfile, kind: ColumnType) -> bool:
    return kind == "integer" and profile.labels is not None and len(profile.labels) <= _FEW_CODES


def _role(
    profile: ColumnProfile, kind: ColumnType, hint: Hint | None, *, unnamed: bool
) -> tuple[Role, DataClass, Reasons]:
    if not profile.present:
        return "ignore", "internal", ("every cell is empty, so it is left out",)
    if profile.constant:
        return "ignore", "internal", ("every row has the same value, so it is left out",)
    if looks_predicted(profile.name):
        why = "the name says that another model made it; a new model would copy that one, so it is left out"
        return "ignore", "internal", (why,)
    if why := _identifier(profile, kind, unnamed=unnamed):
        return "identifier", "personal", (why, "identifiers are kept to find a row again and not given to the model")
    if looks_personal(profile.name) and kind in {"text", "date"}:
        return "identifier", "personal", ("the name says that it identifies a person, so it is not given to the model",)
    if hint is None:
        return _by_content(profile, kind)
    if hint.keep_as_feature or kind in {"date", "number", "text"}:
        return (
            "feature",
            hint.data_class,
            (f"class {hint.data_class}: {hint.reason}", "decide whether the model may see it"),
        )
    advice = "sensitive: kept to compare groups, not given to the model"
    return "sensitive", hint.data_class, (f"class {hint.data_class}: {hint.reason}", advice)


def _by_content(profile: ColumnProfile, kind: ColumnType) -> tuple[Role, DataClass, Reasons]:
    """What the cells say where the name says nothing."""
    if kind not in {"category", "text"}:
        return "feature", "internal", ()
    cells = profile.some or tuple(profile.distinct or ())
    found = personal_content(cells, profile.name)
    if found is None:
        return "feature", "internal", ()
    what = f"class personal: the cells hold {KINDS[found.kind].about}, in {found.share:.0%} of those looked at"
    if kind == "text" and found.share >= _MOSTLY:
        return "identifier", "personal", (what, "so it is not given to the model")
    return "feature", "personal", (what, *(() if kind == "text" else ("decide whether the model may see it",)))


def _identifier(profile: ColumnProfile, kind: ColumnType, *, unnamed: bool) -> str:
    """Why the column is a key of rows, or nothing."""
    named = looks_like_identifier(profile.name)
    many = profile.distinct is None or len(profile.distinct) > profile.present / 2
    if kind in {"number", "boolean", "date"} or profile.present < 2:
        return ""
    if profile.unique and (named or unnamed):
        return f"identifier: every value is different, and {'it has no name' if unnamed else 'the name says so'}"
    if profile.unique and kind == "integer" and profile.steady and profile.rows >= 20:
        return "identifier: it counts the rows"
    if profile.unique and kind in {"text", "category"} and profile.rows >= 20:
        return "identifier: every value is different"
    if named and many and kind == "text":
        return "identifier: the name says so, and most values are different"
    if looks_personal(profile.name) and many:
        return "identifier: the name says that it identifies a person"
    return ""


def _limits(profile: ColumnProfile, kind: ColumnType, role: Role) -> tuple[dict[str, Any], Reasons]:
    """Range or categories, as observed."""
    if kind == "category":
        return {"categories": profile.categories}, ()
    if role in {"identifier", "ignore"} or kind not in {"integer", "number", "date"}:
        return {}, ()
    if kind == "date":
        first = profile.least.isoformat()
        assert day_number(first) is not None
        return {"min": first}, (f"first day observed: {first}; no last day, since new rows are later",)
    said = [
        f"range: {profile.least:,} to {profile.most:,} as observed; widen it if other values can be right, they are refused"
    ]
    if kind == "integer" and max(abs(profile.least), abs(profile.most)) > _FLOAT32_EXACT:
        said.append("whole numbers beyond 16,777,216 are rounded inside the model (float32)")
    return {"min": profile.least, "max": profile.most}, tuple(said)


def _missing(profile: ColumnProfile) -> tuple[dict[str, Any], Reasons]:
    """Whether cells may be empty, and by which words."""
    if not profile.missing:
        return {"nullable": False}, ()
    words = profile.missing_words
    if words:
        said = f"missing in {profile.missing:,} of {profile.rows:,} rows, also written {', '.join(words)}"
        return {"nullable": True, "nulls": words}, (said,)
    return {"nullable": True}, (f"empty in {profile.empty:,} of {profile.rows:,} rows",)
