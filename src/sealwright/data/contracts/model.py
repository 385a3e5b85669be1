"""A contract that stands alone: what any table must keep, with no project and no target around it.

Answers: which columns, which values, which keys, how many rows; and how many may break it?
Does not answer: whether a table keeps it. That is `checking`; guessing a first one is `drafting`.
A column is a `ColumnSpec` with a few rules more; a contract of columns alone means the same here and in a project.
"""

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    field_validator,
    model_validator,
)

from sealwright.data.contracts.column import ContractColumn
from sealwright.data.names import check_column_names, nearest, shown
from sealwright.data.source_spec import FileSource
from sealwright.kernel import SealwrightError, canonical_json, digest_of

__all__ = ["COMPARISONS", "Contract", "CsvReading", "RowLimits", "RowRule"]

COMPARISONS = {
    "at_least": ">=",
    "above": ">",
    "at_most": "<=",
    "below": "<",
    "equal_to": "=",
    "different_from": "≠",
}
"""What a row rule may ask of two columns, and how it is written short."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class RowRule(_Section):
    """Two columns compared in every row: {column: end, at_least: start}. A row where one is empty is not compared."""

    column: StrictStr
    at_least: StrictStr | None = None
    above: StrictStr | None = None
    at_most: StrictStr | None = None
    below: StrictStr | None = None
    equal_to: StrictStr | None = None
    different_from: StrictStr | None = None

    @model_validator(mode="after")
    def _one_comparison(self) -> "RowRule":
        said = [name for name in COMPARISONS if getattr(self, name) is not None]
        if len(said) != 1:
            raise ValueError(f"a rule makes exactly one comparison: {', '.join(COMPARISONS)}")
        if self.other == self.column:
            raise ValueError("a rule compares two different columns")
        return self

    @property
    def comparison(self) -> str:
        """A key of `COMPARISONS`."""
        return next(name for name in COMPARISONS if getattr(self, name) is not None)

    @property
    def other(self) -> str:
        """The column compared with."""
        return str(getattr(self, self.comparison))


class RowLimits(_Section):
    """How many rows the table may have."""

    min: StrictInt | None = Field(default=None, ge=0)
    max: StrictInt | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _in_order(self) -> "RowLimits":
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("`min` is larger than `max`")
        return self


class CsvReading(_Section):
    """How a CSV file under this contract is written, where that cannot be found from the file."""

    encoding: Literal["utf-8", "utf-16", "latin-1", "cp1252"] = "utf-8"
    delimiter: Literal[",", ";", "\t", "|"] | None = None
    decimal: Literal[".", ","] = "."

    def of(self, file: str) -> str | FileSource:
        """A file as the room's sources name it."""
        said = self.model_dump(exclude_defaults=True)
        return FileSource(file=file, **said) if said else file


class Contract(_Section):
    """What a table must keep. Unknown keys are refused."""

    columns: dict[StrictStr, ContractColumn] = Field(min_length=1, description="The columns by name.")
    other_columns: Literal["refused", "allowed"] = Field(
        default="refused", description="Whether the table may have columns that are not named here."
    )
    ordered: StrictBool = Field(default=False, description="Whether the columns must come in this order.")
    unique: tuple[tuple[StrictStr, ...], ...] = Field(
        default=(), description="Columns whose values together may not repeat: [a, b], or several such keys."
    )
    rules: tuple[RowRule, ...] = Field(default=(), description="Comparisons of two columns in every row.")
    rows: RowLimits = Field(default=RowLimits(), description="Fewest and most rows: {min: 1, max: 1000000}.")
    at_most_share: float = Field(
        default=0.0, ge=0, le=1, description="Largest share of rows that may break the contract, 0 to 1."
    )
    csv: CsvReading = Field(default=CsvReading(), description="Encoding, delimiter and decimal mark of CSV files.")

    @field_validator("unique", mode="before")
    @classmethod
    def _one_key_or_several(cls, value: Any) -> Any:
        """`[a, b]` is one key of two columns."""
        if isinstance(value, (list, tuple)) and value and all(isinstance(item, str) for item in value):
            return (tuple(value),)
        return value

    @model_validator(mode="after")
    def _parts_agree(self) -> "Contract":
        try:
            check_column_names(tuple(self.columns), what="columns")
        except SealwrightError as error:
            raise ValueError(str(error)) from None
        for key in self.unique:
            if not key or len(set(key)) != len(key):
                raise ValueError("a key in `unique` names at least one column, each once")
        for name in (*(name for key in self.unique for name in key), *self._compared()):
            if name not in self.columns:
                raise ValueError(f"{shown(name)} is not among the columns.{nearest(name, self.columns)}")
            if self.columns[name].role == "ignore":
                raise ValueError(f"{shown(name)} has role: ignore, so it cannot be part of a key or rule")
        for rule in self.rules:
            self._comparable(rule)
        return self

    @property
    def checked(self) -> tuple[str, ...]:
        """Names of the columns that are looked at, in order: all but those with role ignore."""
        return tuple(name for name, column in self.columns.items() if column.role != "ignore")

    @property
    def digest(self) -> str:
        """Digest of what the contract says, however it is written."""
        return digest_of(canonical_json({"format": 1, **self.plain()}))

    def plain(self) -> dict[str, Any]:
        """The contract as plain YAML or JSON values, in reading order, without what is default anyway."""
        said = self.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"columns", "rules"})
        rules = [rule.model_dump(mode="json", exclude_none=True) for rule in self.rules]
        return {
            "columns": {name: column.plain() for name, column in self.columns.items()},
            **said,
            **({"rules": rules} if rules else {}),
        }

    def _compared(self) -> Iterator[str]:
        for rule in self.rules:
            yield from (rule.column, rule.other)

    def _comparable(self, rule: RowRule) -> None:
        kinds = {_kind(self.columns[name].type) for name in (rule.column, rule.other)}
        ordered = rule.comparison not in {"equal_to", "different_from"}
        if len(kinds) > 1 or (ordered and kinds & {"text", "boolean"}):
            raise ValueError(
                f"{shown(rule.column)} and {shown(rule.other)} cannot be compared by `{rule.comparison}`: two numbers or"
                " two dates can; two texts or two booleans only by equal_to and different_from"
            )


def _kind(type_: str) -> str:
    """Types that compare with each other have one kind."""
    return {"integer": "number", "category": "text"}.get(type_, type_)
