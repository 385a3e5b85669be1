"""The `data.clean` block of a project file: the steps that make the cleaned snapshot, in order.

Answers: what is to be changed, by which rule, in which columns?
Does not answer: which cells that turns out to be. Fitting and applying the recipe says so, cell by cell.
Every step keeps the contract: it may not write a value the contract refuses, nor touch the column that names the person.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from sealwright.data.dates import day_number
from sealwright.data.names import nearest, shown

__all__ = [
    "CleanStep",
    "DropDuplicates",
    "DropMissing",
    "DropNearDuplicates",
    "DropRows",
    "FillMissing",
    "Limit",
    "MapValues",
    "NullValues",
    "OneSpelling",
    "check_steps",
    "read_value",
]

Value = StrictBool | StrictInt | StrictFloat | StrictStr
Columns = Annotated[tuple[StrictStr, ...], Field(min_length=1, max_length=4096)]
_RANGED = {"integer", "number", "date"}


class Column(Protocol):
    """What a step must know of a column: a `ColumnSpec`."""

    @property
    def type(self) -> str: ...
    @property
    def nullable(self) -> bool: ...
    @property
    def role(self) -> str: ...
    @property
    def categories(self) -> tuple[str, ...] | None: ...
    @property
    def bounds(self) -> tuple[float | None, float | None]: ...


class _Step(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @property
    def touches(self) -> tuple[str, ...]:
        """The columns whose cells it may change."""
        return ()

    @property
    def looks_at(self) -> tuple[str, ...]:
        """The columns it names."""
        return self.touches

    def fault(self, columns: Mapping[str, Column]) -> str:  # noqa: ARG002 - steps that can be wrong look at it
        """Why the step cannot keep this contract, or nothing."""
        return ""


class OneSpelling(_Step):
    """Spellings that differ in case, spaces, width or look-alike letters become the most frequent one of them."""

    do: Literal["one_spelling"] = Field(description="Which kind of step this is: one_spelling.")
    columns: Columns = Field(description="Columns of type category.")

    @property
    def touches(self) -> tuple[str, ...]:
        return self.columns

    def fault(self, columns: Mapping[str, Column]) -> str:
        return next((f"{shown(n)} is no category" for n in self.columns if columns[n].type != "category"), "")


class MapValues(_Step):
    """Values become others, as listed."""

    do: Literal["map_values"] = Field(description="Which kind of step this is: map_values.")
    column: StrictStr = Field(description="A column of type category, integer or boolean.")
    values: dict[StrictStr, StrictStr] = Field(
        min_length=1, max_length=1000, description="Old value: new value, both as text; the new one is in the contract."
    )

    @property
    def touches(self) -> tuple[str, ...]:
        return (self.column,)

    def fault(self, columns: Mapping[str, Column]) -> str:
        column = columns[self.column]
        if column.type not in {"category", "integer", "boolean"}:
            return f"{shown(self.column)} is a {column.type}; values of category, integer and boolean can be mapped"
        return next((why for value in self.values.values() if (why := _refused(column, read_value(column, value)))), "")


class NullValues(_Step):
    """Values that stand for missing become missing."""

    do: Literal["null_values"] = Field(description="Which kind of step this is: null_values.")
    columns: Columns = Field(description="Columns that may be empty (nullable: true).")
    values: tuple[Value, ...] = Field(
        min_length=1, max_length=1000, description="The placeholders: numbers, texts, or dates like 1900-01-01."
    )

    @property
    def touches(self) -> tuple[str, ...]:
        return self.columns

    def fault(self, columns: Mapping[str, Column]) -> str:
        return next(
            (f"{shown(n)} may not be empty; set nullable: true" for n in self.columns if not columns[n].nullable), ""
        )


class Limit(_Step):
    """Values outside a range are moved to its end, made missing, or their rows taken out."""

    do: Literal["limit"] = Field(description="Which kind of step this is: limit.")
    column: StrictStr = Field(description="A column of numbers or dates.")
    at_least: StrictInt | StrictFloat | StrictStr | None = Field(default=None, description="Smallest value that stays.")
    at_most: StrictInt | StrictFloat | StrictStr | None = Field(default=None, description="Largest value that stays.")
    otherwise: Literal["clip", "missing", "drop"] = Field(
        description="clip: moved to the nearer end; missing: made empty; drop: the row is taken out."
    )

    @property
    def touches(self) -> tuple[str, ...]:
        return () if self.otherwise == "drop" else (self.column,)

    @property
    def looks_at(self) -> tuple[str, ...]:
        return (self.column,)

    def fault(self, columns: Mapping[str, Column]) -> str:
        column = columns[self.column]
        if column.type not in _RANGED:
            return f"{shown(self.column)} is a {column.type}; only numbers and dates have a range"
        ends = [end for end in (self.at_least, self.at_most) if end is not None]
        if not ends:
            return "say at_least, at_most or both"
        read = [read_value(column, end) for end in ends]
        if any(end is None for end in read):
            return f"at_least and at_most of {shown(self.column)} are values of its type, {column.type}"
        if len(read) == 2 and read[0] > read[1]:
            return "at_least is larger than at_most"
        if self.otherwise == "missing" and not column.nullable:
            return f"{shown(self.column)} may not be empty; set nullable: true"
        if self.otherwise == "clip":
            return next((why for end in read if (why := _refused(column, end))), "")
        return ""


class FillMissing(_Step):
    """Empty cells are filled: with a value, or with one computed from the rows there are."""

    do: Literal["fill_missing"] = Field(description="Which kind of step this is: fill_missing.")
    columns: Columns = Field(description="The columns whose empty cells are filled.")
    by: Literal["median", "mean", "mode", "value"] = Field(
        description="median (a value that occurs), mean (numbers only), mode (the most frequent), or a fixed value."
    )
    value: Value | None = Field(default=None, description="With by: value, the value.")

    @property
    def touches(self) -> tuple[str, ...]:
        return self.columns

    def fault(self, columns: Mapping[str, Column]) -> str:
        if (self.value is None) == (self.by == "value"):
            return "value belongs to by: value, and is needed there"
        for name in self.columns:
            column = columns[name]
            if column.role == "target":
                return f"{shown(name)} is the target; an outcome is never made up"
            if self.by == "median" and column.type not in _RANGED:
                return f"{shown(name)} is a {column.type} and has no median"
            if self.by == "mean" and column.type != "number":
                return f"{shown(name)} is a {column.type}; only type: number has a mean that it can hold"
            if self.by == "value" and (why := _refused(column, read_value(column, self.value))):
                return why
        return ""


class DropMissing(_Step):
    """Rows are taken out that are empty in any of these columns."""

    do: Literal["drop_missing"] = Field(description="Which kind of step this is: drop_missing.")
    columns: Columns = Field(description="Columns that must be known.")

    @property
    def touches(self) -> tuple[str, ...]:
        return ()

    @property
    def looks_at(self) -> tuple[str, ...]:
        return self.columns


class DropDuplicates(_Step):
    """Rows are taken out that repeat an earlier row in every column but the identifiers."""

    do: Literal["drop_duplicates"] = Field(description="Which kind of step this is: drop_duplicates.")


class DropNearDuplicates(_Step):
    """Rows are taken out that are almost equal to an earlier row (as quality.near_duplicates finds them)."""

    do: Literal["drop_near_duplicates"] = Field(description="Which kind of step this is: drop_near_duplicates.")
    similar_cells: float = Field(default=0.9, ge=0.5, lt=1, description="Smallest share of equal cells, 0.5 to 1.")


class DropRows(_Step):
    """Rows are taken out that a person looked at and found wrong, each named by the key of its content."""

    do: Literal["drop_rows"] = Field(description="Which kind of step this is: drop_rows.")
    keys: tuple[Annotated[StrictStr, Field(pattern=r"^[0-9a-f]{16}$")], ...] = Field(
        min_length=1, max_length=100_000, description="Keys of rows, as `row_digests` gives them: 16 hex digits."
    )
    why: StrictStr = Field(min_length=3, max_length=500, description="Why these rows are taken out.")


CleanStep = Annotated[
    OneSpelling
    | MapValues
    | NullValues
    | Limit
    | FillMissing
    | DropMissing
    | DropDuplicates
    | DropNearDuplicates
    | DropRows,
    Field(discriminator="do"),
]
"""One step of a recipe."""


def check_steps(steps: tuple[CleanStep, ...], columns: Mapping[str, Column], subject: str | None) -> None:
    """Refuse a recipe that does not fit the contract.

    Raises
    ------
    ValueError
        A step names a column that is not kept, changes the column that names the person, or writes what the contract
        refuses. All reasons at once.
    """
    kept = {name: column for name, column in columns.items() if column.role != "ignore"}
    faults = []
    for place, step in enumerate(steps, start=1):
        unknown = [name for name in step.looks_at if name not in kept]
        if unknown:
            why = f"{shown(unknown[0])} is not a column that is kept.{nearest(unknown[0], kept)}"
        elif subject is not None and subject in step.touches:
            why = f"{shown(subject)} names the person a row is about and is never changed"
        else:
            why = step.fault(kept)
        if why:
            faults.append(f"step {place} ({step.do}): {why}")
    if faults:
        raise ValueError("; ".join(faults))


def read_value(column: Column, value: Any) -> Any:
    """A value as the column holds it (a date as days since 1970-01-01), or None if it cannot."""
    match column.type:
        case "boolean":
            known = {"true": True, "false": False}
            return value if isinstance(value, bool) else known.get(value) if isinstance(value, str) else None
        case "integer":
            return _whole(value)
        case "number":
            return None if isinstance(value, (bool, str)) else float(value)
        case "date":
            return day_number(value) if isinstance(value, str) else None
        case _:
            return value if isinstance(value, str) else None


def _whole(value: Any) -> int | None:
    if isinstance(value, str):
        return int(value) if value.lstrip("-").isdecimal() else None
    return int(value) if not isinstance(value, bool) and value == int(value) else None


def _refused(column: Column, value: Any) -> str:
    """Why the contract does not allow a value (as `read_value` gives it), or nothing."""
    if value is None:
        return f"a {column.type} column cannot hold that value"
    if column.type == "category" and value not in (column.categories or ()):
        return f"{str(value)[:60]!r} is not among the categories of the contract"
    least, most = column.bounds
    if (least is not None and value < least) or (most is not None and value > most):
        return "the value lies outside min and max of the contract"
    return ""
