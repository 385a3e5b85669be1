"""The `data.diversity` block of a project file: whose share in the data is looked at, and against whom it is held.

Answers: which attributes, how deep their intersections, which reference population and where its figures come from,
how few rows are too few?
Does not answer: what the data shows. That is `measuring`.
"""

import math
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictFloat,
    StrictInt,
    field_validator,
    model_validator,
)

from sealwright.data.names import nearest, shown

__all__ = ["CROSS", "DiversitySpec", "ReferenceSpec", "band_labels"]

CROSS = " x "
"""Between the attributes of an intersection, and between their levels: "sex x age", "female x under 26"."""

_MOST_ATTRIBUTES = 12
_MOST_LEVELS = 10_000
_WHOLE = 0.02  # shares are often published rounded; a sum within this of 1 is brought to 1


def _readable(text: str) -> str:
    stripped = " ".join(text.split())
    if not stripped:
        raise ValueError("say it in words; this text is empty")
    if any(unicodedata.category(c) in {"Cc", "Cf", "Co", "Cs"} for c in stripped):
        raise ValueError("this text holds invisible control characters; type it again")
    return stripped


Prose = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_readable)]
_Amount = StrictInt | StrictFloat


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReferenceSpec(_Section):
    """The population the data should look like: shares or counts written here, or a file of counts."""

    source: Prose = Field(description="Where the figures come from: the statistic, table and place.")
    date: str = Field(
        pattern=r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$",
        description="What day, month or year they are of, e.g. 2024-12-31.",
    )
    shares: dict[str, dict[str, _Amount]] | None = Field(
        default=None,
        description='By attribute, or by attributes crossed ("sex x age"): each group and its share, or its number of'
        ' people. Crossed groups are written "female x under 26".',
    )
    file: str | None = Field(
        default=None,
        min_length=1,
        description="CSV or Parquet file, relative to the project folder, with a column per attribute and one of counts.",
    )
    count: str | None = Field(default=None, min_length=1, description="The file's column with the number of people.")

    @field_validator("date", mode="before")
    @classmethod
    def _year_or_day(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @model_validator(mode="after")
    def _one_of_both(self) -> "ReferenceSpec":
        if (self.shares is None) == (self.file is None) or (self.file is None) != (self.count is None):
            raise ValueError("give either `shares`, or `file` and `count`")
        for name, groups in (self.shares or {}).items():
            _check_amounts(name, groups)
        return self


class DiversitySpec(_Section):
    """How the people in the data are compared with those it is about."""

    attributes: tuple[str | dict[str, tuple[float, ...]], ...] = Field(
        min_length=1,
        max_length=_MOST_ATTRIBUTES,
        description="Columns whose groups are counted: a name, or a name with ascending cut points such as"
        " {age: [26, 40, 60]}. The notation of assurance.groups.",
    )
    reference: ReferenceSpec | None = Field(
        default=None, description="The population the data should look like. Without it, only too few rows are found."
    )
    depth: int = Field(2, ge=1, le=3, description="How many attributes are crossed at once, 1 to 3.")
    at_least: int = Field(
        30,
        ge=1,
        le=10_000_000,
        description="Fewest rows of a group. Below 30, a rate measured in it is uncertain by more than 18 points.",
    )
    under: float = Field(
        0.8,
        gt=0,
        le=1,
        description="A group whose share is less than this part of its reference share is under-represented, if chance"
        " does not explain it. 0.8 is the four-fifths rule of selection rates, borrowed.",
    )
    why: Prose | None = Field(
        default=None, description="Why these limits fit this purpose; wanted by whoever reads the report."
    )
    false_discovery: float = Field(
        0.05, gt=0, le=0.2, description="Expected share of false alarms among the groups called under-represented."
    )
    confidence: float = Field(0.95, ge=0.8, le=0.999, description="Confidence of every interval.")
    least_shown: int = Field(
        5,
        ge=1,
        le=1000,
        description="Smaller counts of groups by columns of class special are kept out of everything that is shown.",
    )

    @field_validator("attributes")
    @classmethod
    def _usable_attributes(cls, attributes: Any) -> Any:
        seen: set[str] = set()
        for name, cuts in _named(attributes):
            if name in seen:
                raise ValueError(f"{name} is named twice")
            if CROSS in name:
                raise ValueError(f"{shown(name)} holds {CROSS!r}, which is written between crossed attributes")
            seen.add(name)
            if cuts is not None and (
                not 1 <= len(cuts) <= 20 or not all(map(math.isfinite, cuts)) or any(a >= b for a, b in pairwise(cuts))
            ):
                raise ValueError(f"the cut points of {name} must be 1 to 20 ascending numbers")
        return attributes

    @model_validator(mode="after")
    def _reference_is_of_the_attributes(self) -> "DiversitySpec":
        for name in self.reference.shares if self.reference is not None and self.reference.shares else ():
            parts = name.split(CROSS)
            unknown = [part for part in parts if part not in self.cut_points()]
            if unknown:
                raise ValueError(
                    f"the reference names {shown(unknown[0])}, which is not among the attributes."
                    f"{nearest(unknown[0], self.cut_points())}"
                )
            if len(set(parts)) != len(parts) or len(parts) > self.depth:
                raise ValueError(
                    f"the reference {shown(name)} must cross different attributes, at most {self.depth} (see `depth`)"
                )
        return self

    def cut_points(self) -> dict[str, tuple[float, ...] | None]:
        """The attributes with their cut points, in order; None where the values themselves are the groups."""
        return dict(_named(self.attributes))

    def refuse_unknown(self, columns: Collection[str]) -> None:
        """Refuse attributes that are none of these columns.

        Raises
        ------
        ValueError
            Names the first, and the nearest column.
        """
        for name in self.cut_points():
            if name not in columns:
                raise ValueError(
                    f"data.diversity names {shown(name)}, which is not among the columns.{nearest(name, columns)}"
                )


def band_labels(cuts: tuple[float, ...]) -> tuple[str, ...]:
    """The names of the bands between cut points: "under 26", "26 to under 40", "40 and over"."""
    ends = [f"{cut:g}" for cut in cuts]
    return (f"under {ends[0]}", *(f"{a} to under {b}" for a, b in pairwise(ends)), f"{ends[-1]} and over")


def _named(
    attributes: tuple[str | dict[str, tuple[float, ...]], ...],
) -> Iterator[tuple[str, tuple[float, ...] | None]]:
    for entry in attributes:
        if isinstance(entry, str):
            yield entry, None
            continue
        if len(entry) != 1:
            raise ValueError("one entry names one column: write - age: [26, 40, 60]")
        yield from entry.items()


def _check_amounts(name: str, groups: Mapping[str, float]) -> None:
    if not 2 <= len(groups) <= _MOST_LEVELS:
        raise ValueError(f"the reference of {shown(name)} needs 2 to {_MOST_LEVELS:,} groups")
    values = list(groups.values())
    if not all(math.isfinite(value) and value >= 0 for value in values):
        raise ValueError(f"the reference of {shown(name)} needs finite numbers of zero or more")
    total = math.fsum(values)
    if abs(total - 1) > _WHOLE and not (total > 1 and all(float(value).is_integer() for value in values)):
        raise ValueError(
            f"the shares of {shown(name)} add up to {total:g}; they must add up to 1, or be whole numbers of people"
        )
    parts = {len(re.split(re.escape(CROSS), group)) for group in groups}
    if parts != {len(name.split(CROSS))}:
        raise ValueError(f"each group of {shown(name)} needs a level for each attribute, with {CROSS!r} between them")
