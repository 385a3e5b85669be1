"""Rules between columns: what must hold within one row, besides what each column must keep by itself.

Answers: which comparisons must hold, under which conditions?
Does not answer: what happens to a row that breaks one. Ingest sets it aside; a served model refuses it or gives no label.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr, model_validator

from sealwright.data.column_spec import ColumnSpec
from sealwright.data.dates import day_number
from sealwright.data.names import nearest, printable, shown

__all__ = ["Comparison", "RuleSpec", "check_rules"]

_NUMBERS = ("integer", "number")


class Comparison(BaseModel):
    """A column against a value or another column. Where one of them is empty, it is neither true nor false."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    column: StrictStr = Field(description="The column whose cell is compared.")
    sign: Literal["<", "<=", ">", ">=", "==", "!="] = Field(
        alias="is", description="How: <, <=, >, >=, ==, !=. Categories and true or false: == and != only."
    )
    value: StrictBool | StrictInt | StrictFloat | StrictStr | None = Field(
        default=None, description="With which value: a number, a category, true or false, or a date such as 2026-11-22."
    )
    other: StrictStr | None = Field(default=None, description="Or with which column of the same kind.")

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.value is None) == (self.other is None):
            raise ValueError(f"{self.column}: say either `value` or `other`")
        return self


class RuleSpec(BaseModel):
    """What must hold in every row: all of `then`, where all of `when` are true."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: StrictStr = Field(
        pattern=r"^[a-z][a-z0-9_]{0,63}$",
        description="Stable name, given where a row breaks it, e.g. ends_after_start.",
    )
    when: tuple[Comparison, ...] = Field(
        default=(), max_length=10, description="Conditions; left out, the rule is for every row."
    )
    then: tuple[Comparison, ...] = Field(
        min_length=1, max_length=10, description="What must hold in such a row; all of it."
    )
    text: StrictStr = Field(
        default="", max_length=300, description="The rule in one sentence, as callers read it; else the comparisons."
    )

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        return (*self.when, *self.then)

    @property
    def columns(self) -> frozenset[str]:
        """Every column it looks at."""
        return frozenset(name for one in self.comparisons for name in (one.column, one.other) if name is not None)

    def plain(self) -> dict[str, Any]:
        """As packages carry it."""
        told: dict[str, Any] = {"name": self.name, "then": [_plain(one) for one in self.then]}
        if self.when:
            told["when"] = [_plain(one) for one in self.when]
        return told | ({"text": self.text} if self.text else {})


def check_rules(rules: tuple[RuleSpec, ...], columns: Mapping[str, ColumnSpec]) -> None:
    """Refuse rules that name no column, or compare what cannot be compared.

    Raises
    ------
    ValueError
        With the rule and what is wrong.
    """
    names = [rule.name for rule in rules]
    if len(set(names)) != len(names):
        raise ValueError("rules: two have the same name")
    for rule in rules:
        if rule.text and not printable(rule.text):
            raise ValueError(f"rules: the text of {rule.name} stands on one line, in printable characters")
        for problem in (problem for one in rule.comparisons for problem in _problems(one, columns)):
            raise ValueError(f"rules: {rule.name}: {problem}")


def _problems(one: Comparison, columns: Mapping[str, ColumnSpec]) -> Iterator[str]:
    for name in (one.column, one.other):
        if name is not None and (name not in columns or columns[name].role == "ignore"):
            yield f"{shown(name)} is not a column that is kept.{nearest(name, columns)}"
            return
    column = columns[one.column]
    ordered = column.type in (*_NUMBERS, "date")
    if not ordered and one.sign not in ("==", "!="):
        yield f"{shown(one.column)} is {column.type}, which has no order; use == or !="
    if one.other is not None and _kind(columns[one.other]) != _kind(column):
        yield f"{shown(one.column)} and {shown(one.other)} are of different kinds"
    if one.other is None and not _fits(column, one.value):
        yield f"the value for {shown(one.column)} is not one that column can hold"


def _kind(column: ColumnSpec) -> str:
    return "number" if column.type in _NUMBERS else column.type


def _fits(column: ColumnSpec, value: object) -> bool:
    match column.type:
        case "boolean":
            return isinstance(value, bool)
        case "integer" | "number":
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        case "date":
            return isinstance(value, str) and day_number(value) is not None
        case "category":
            return value in (column.categories or ())
        case _:
            return isinstance(value, str)


def _plain(one: Comparison) -> dict[str, Any]:
    compared = {"other": one.other} if one.other is not None else {"value": one.value}
    return {"column": one.column, "sign": one.sign, **compared}
