"""One column of a contract that stands alone: a `ColumnSpec` with a few rules more.

Answers: which values may a column hold, how long, how often?
Does not answer: how columns go together. That is `model`.
"""

from typing import Any

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr, field_validator, model_validator

from sealwright.data.column_spec import ColumnSpec
from sealwright.kernel import MissingExtra

__all__ = ["ContractColumn", "pattern_fault"]

_MOST_VALUES = 1000
_LONGEST_PATTERN = 2000
_RANGED = {"integer", "number", "date"}
_LISTED = {*_RANGED, "text"}

Value = StrictInt | StrictFloat | StrictStr


class ContractColumn(ColumnSpec):
    """What one column must keep. Everything a project may say of a column, and a few rules more."""

    required: StrictBool = Field(default=True, description="Whether the column must be there at all.")
    unique: StrictBool = Field(
        default=False, description="Whether no value may occur twice. Empty cells are not compared."
    )
    above: Value | None = Field(default=None, description="Every value is greater than this: a number or a date.")
    below: Value | None = Field(default=None, description="Every value is smaller than this: a number or a date.")
    one_of: tuple[Value, ...] | None = Field(
        default=None,
        max_length=_MOST_VALUES,
        description="The numbers, dates or texts allowed; for a category: categories.",
    )
    none_of: tuple[Value, ...] = Field(
        default=(), max_length=_MOST_VALUES, description="Numbers, dates or texts that are refused."
    )
    pattern: StrictStr | None = Field(
        default=None,
        min_length=1,
        max_length=_LONGEST_PATTERN,
        description="RE2 pattern that must be found in a text; write ^…$ for the whole of it.",
    )
    min_length: StrictInt | None = Field(default=None, ge=0, description="Fewest characters of a text.")
    max_length: StrictInt | None = Field(default=None, ge=0, description="Most characters of a text.")
    at_most_share: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Largest share of rows that may break a rule of this column. Set, the column is judged by it alone.",
    )

    @model_validator(mode="before")
    @classmethod
    def _text_is_no_feature(cls, value: Any) -> Any:
        """Roles belong to a project; a text without one is simply kept."""
        if isinstance(value, dict) and value.get("type") == "text" and "role" not in value:
            return {**value, "role": "identifier"}
        return value

    @field_validator("pattern")
    @classmethod
    def _readable_pattern(cls, value: str | None) -> str | None:
        if value is not None and (fault := pattern_fault(value)):
            raise ValueError(fault)
        return value

    @model_validator(mode="after")
    def _rules_fit_the_type(self) -> "ContractColumn":
        for name in ("above", "below"):
            if getattr(self, name) is not None and self.type not in _RANGED:
                raise ValueError(f"`{name}` belongs to integer, number and date; a {self.type} has none")
        if (self.one_of is not None or self.none_of) and self.type not in _LISTED:
            raise ValueError(
                "`one_of` and `none_of` belong to integer, number, date and text; a category has categories"
            )
        if self.one_of == ():
            raise ValueError("`one_of` allows nothing; name at least one value")
        texts = [name for name in ("pattern", "min_length", "max_length") if getattr(self, name) is not None]
        if texts and self.type != "text":
            raise ValueError(f"`{texts[0]}` belongs to type: text; a {self.type} has none")
        if self.min_length is not None and self.max_length is not None and self.min_length > self.max_length:
            raise ValueError("`min_length` is larger than `max_length`")
        self.open_bounds  # noqa: B018 - raises where a bound cannot be read
        self.listed(self.one_of or ())
        self.listed(self.none_of)
        return self

    @property
    def open_bounds(self) -> tuple[float | None, float | None]:
        """`above` and `below` as numbers; a date as days since 1970-01-01."""
        return self._bound("above", self.above), self._bound("below", self.below)

    def listed(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """Values of `one_of` or `none_of` as the type holds them; dates as days."""
        if self.type == "text":
            if not all(isinstance(value, str) for value in values):
                raise ValueError("a text is listed in quotes, exactly as it stands in the data")
            return values
        return tuple(self._bound("one_of or none_of", value) for value in values)

    def plain(self) -> dict[str, Any]:
        """The column as plain values, without what is default anyway."""
        used = self.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"type", "role"})
        usual = "identifier" if self.type == "text" else "feature"
        return {"type": self.type, **used, **({} if self.role == usual else {"role": self.role})}


def pattern_fault(pattern: str) -> str:
    """Why RE2 does not read a pattern; empty if it does. RE2 needs time in proportion to the text, for any pattern."""
    try:
        import pyarrow as pa
        import pyarrow.compute as pc
    except ModuleNotFoundError:
        raise MissingExtra("Checking a pattern", "build") from None
    try:
        pc.match_substring_regex(pa.array([""]), pattern)
    except (pa.ArrowInvalid, UnicodeEncodeError) as error:
        said = str(error).partition("regular expression:")[2].strip() or "it cannot be read"
        return f"RE2 does not know this pattern: {said[:200]}. It has no look-around and no back-references"
    return ""
