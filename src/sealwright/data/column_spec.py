"""One column of the contract: its type, its range, how sensitive it is, what it is used for.

Answers: what may a cell of this column be, and who may read it?
Does not answer: how columns belong together. That is `spec`.
"""

import math
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    field_validator,
    model_validator,
)

from sealwright.data.dates import day_number
from sealwright.data.names import printable

__all__ = ["ColumnSpec", "ColumnType", "DataClass", "LARGEST_INTEGER", "MOST_CATEGORIES", "Role"]

ColumnType = Literal["integer", "number", "category", "boolean", "date", "text"]
DataClass = Literal["public", "internal", "confidential", "personal", "special"]
Role = Literal["feature", "target", "identifier", "sensitive", "ignore"]

LARGEST_INTEGER = 2**53
"""Beyond this, neighbouring integers are one and the same double."""
MOST_CATEGORIES = 1000

_RANGED = {"integer", "number", "date"}


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class ColumnSpec(_Section):
    """What one column may hold, how sensitive it is, and what it is used for."""

    type: ColumnType = Field(
        description="integer (whole, within ±2^53), number (finite double), category (one of `categories`),"
        " boolean (true, false, 1, 0), date (2026-11-22), text (anything; never given to a model)."
    )
    nullable: StrictBool = Field(
        default=False, description="Whether a cell may be empty. An empty field is a missing value, for every type."
    )
    nulls: tuple[StrictStr, ...] = Field(
        default=(), max_length=20, description="Words that mean missing besides the empty field, e.g. [NA, '?']."
    )
    min: StrictInt | StrictFloat | StrictStr | None = Field(
        default=None, description="Smallest value allowed: a number, or a date such as 2015-01-01."
    )
    max: StrictInt | StrictFloat | StrictStr | None = Field(
        default=None, description="Largest value allowed: a number, or a date such as 2015-12-31."
    )
    categories: tuple[StrictStr, ...] | None = Field(
        default=None, description="The values a category may have, exactly as written in the data. Others are refused."
    )
    data_class: DataClass = Field(
        default="internal",
        alias="class",
        description="How sensitive the column is. Each class is encrypted under its own key."
        " special: data such as health, origin or belief that the law protects most.",
    )
    role: Role = Field(
        default="feature",
        description="feature (given to the model), target, identifier (kept, not given), sensitive (kept to compare"
        " groups, not given), ignore (not read into the snapshot at all).",
    )
    not_personal: StrictStr | None = Field(
        default=None,
        min_length=8,
        max_length=500,
        exclude_if=lambda value: value is None,
        description="Why the column holds no data about persons, where the scanner takes it for such:"
        " sealwright data scan. Part of the contract, so the statement is signed with it.",
    )

    @field_validator("categories", "nulls", mode="before")
    @classmethod
    def _whole_numbers_as_text(cls, value: Any) -> Any:
        """`[1, 2]` means the texts 1 and 2; true, false and 1.0 have several spellings and must be quoted."""
        if not isinstance(value, (list, tuple)):
            return value
        for item in value:
            if isinstance(item, (bool, float)):
                raise ValueError(f"write the value {item!r} in quotes, exactly as it stands in the data")
        return tuple(str(item) if isinstance(item, int) else item for item in value)

    @field_validator("categories")
    @classmethod
    def _usable_categories(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is None:
            return None
        if not 1 <= len(value) <= MOST_CATEGORIES:
            raise ValueError(f"list 1 to {MOST_CATEGORIES:,} categories; got {len(value):,}")
        if len(set(value)) != len(value):
            raise ValueError("a category is listed twice")
        if "" in value:
            raise ValueError("the empty text is a missing value, never a category; set nullable: true instead")
        if not all(printable(item) and len(item) <= 500 for item in value):
            raise ValueError("a category holds control characters or is longer than 500 characters")
        return value

    @model_validator(mode="after")
    def _parts_agree(self) -> "ColumnSpec":
        if (self.type == "category") != (self.categories is not None):
            raise ValueError("`categories` belongs to type: category, and is needed there")
        if set(self.nulls) & set(self.categories or ()):
            raise ValueError("a word cannot be both in `nulls` and in `categories`")
        if self.nulls and not self.nullable:
            raise ValueError("`nulls` names words for missing values; set nullable: true as well")
        if self.type == "text" and self.role not in {"identifier", "ignore"}:
            raise ValueError("text cannot be given to a model or compared; set role: ignore or role: identifier")
        if self.type == "date" and self.role == "target":
            raise ValueError("a date cannot be the target")
        if self.not_personal is not None and self.data_class in {"personal", "special"}:
            raise ValueError(
                f"`not_personal` says it is no personal data, class: {self.data_class} that it is; keep one"
            )
        least, most = self.bounds
        if least is not None and most is not None and least > most:
            raise ValueError("`min` is larger than `max`")
        return self

    def plain(self) -> dict[str, Any]:
        """The column as plain values: what a person needs to read, without unused parts."""
        always = {"type", "nullable", "data_class", "role"}
        used = self.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude=always)
        return {"type": self.type, "nullable": self.nullable, **used, "class": self.data_class, "role": self.role}

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """`min` and `max` as numbers; a date as days since 1970-01-01."""
        return self._bound("min", self.min), self._bound("max", self.max)

    def _bound(self, name: str, value: float | str | None) -> float | None:
        if value is None:
            return None
        if self.type not in _RANGED:
            raise ValueError(f"`{name}` belongs to integer, number and date; a {self.type} has none")
        if self.type == "date":
            days = day_number(value) if isinstance(value, str) else None
            if days is None:
                raise ValueError(f"`{name}` of a date is written like 2015-01-31")
            return days
        if isinstance(value, str) or not math.isfinite(value):
            raise ValueError(f"`{name}` must be a finite number")
        whole = isinstance(value, int) or (self.type == "integer" and value == int(value))
        if (self.type == "integer" and not whole) or (whole and abs(value) > LARGEST_INTEGER):
            raise ValueError(f"`{name}` must be within ±2^53, and whole for an integer")
        return value
