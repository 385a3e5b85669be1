"""The methods one column may go through. None adds noise: numbers with noise are released under a privacy budget instead.

Answers: what may a recipe ask of a column?
Does not answer: what a method does to cells (`methods`), or to what the column may hold (`contract`).
"""

import math
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr, model_validator

__all__ = [
    "Generalise",
    "GeneraliseStep",
    "MaskText",
    "Pseudonym",
    "Redact",
    "Round",
    "Section",
    "ShiftDates",
    "Step",
    "Suppress",
]

Number = StrictInt | StrictFloat


class Section(BaseModel):
    """What a file may say in one place. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Pseudonym(Section):
    """A name in place of the value: the same value has the same name, and only the workspace's key makes it."""

    method: Literal["pseudonym"]
    prefix: Annotated[StrictStr, Field(max_length=20, pattern=r"^[A-Za-z0-9_-]*$")] = Field(
        default="", description="What every name begins with, e.g. p_."
    )
    length: StrictInt = Field(default=32, ge=16, le=64, description="Hex digits of a name after the prefix, 16 to 64.")
    domain: StrictStr | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="Columns of one domain give the same value the same name, so that they can be joined."
        " Left out: the name of the column.",
    )


class Suppress(Section):
    """The column is left out."""

    method: Literal["suppress"]


class Redact(Section):
    """The column stays, every cell is empty."""

    method: Literal["redact"]


class Generalise(Section):
    """Something coarser in place of the value. One of bands, edges, part, prefix, zip3, groups; or top and bottom alone."""

    bands: Number | None = Field(default=None, gt=0, description="Width of the bands of a number, e.g. 10.")
    edges: tuple[Number, ...] | None = Field(
        default=None, min_length=1, max_length=500, description="Where bands of a number begin, e.g. [18, 30, 65]."
    )
    part: Literal["month", "quarter", "year"] | None = Field(
        default=None, description="What stays of a date. month and quarter: their first day; year: a whole number."
    )
    prefix: StrictInt | None = Field(default=None, ge=1, le=20, description="How many first characters stay.")
    zip3: StrictBool = Field(
        default=False,
        description="US postcodes to three digits, and 000 where fewer than 20,001 people live (census of 2000).",
    )
    groups: dict[StrictStr, tuple[StrictStr, ...]] | None = Field(
        default=None,
        min_length=1,
        max_length=1000,
        description="Each category and the groups it belongs to, from near to far.",
    )
    depth: StrictInt = Field(default=1, ge=1, le=10, description="Which of the groups is taken: 1 is the nearest.")
    top: Number | None = Field(default=None, description="This and everything above becomes one value, e.g. 90.")
    bottom: Number | None = Field(default=None, description="Everything below becomes one value.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [name for name in ("bands", "edges", "part", "prefix", "groups") if getattr(self, name) is not None]
        ways += ["zip3"] if self.zip3 else []
        capped = self.top is not None or self.bottom is not None
        if len(ways) > 1 or (not ways and not capped):
            raise ValueError("say one of bands, edges, part, prefix, zip3, groups; or top and bottom alone")
        if capped and ways and ways != ["bands"]:
            raise ValueError(f"`top` and `bottom` go with bands or stand alone, not with {ways[0]}")
        if self.depth > 1 and self.groups is None:
            raise ValueError("`depth` belongs to groups")
        self._check_numbers()
        if self.groups is not None and any(len(path) < self.depth for path in self.groups.values()):
            raise ValueError(f"a category has fewer than {self.depth} groups, so `depth` cannot be {self.depth}")
        return self

    def _check_numbers(self) -> None:
        edges = self.edges or ()
        numbers = [self.bands, self.top, self.bottom, *edges]
        if not all(one is None or math.isfinite(one) for one in numbers):
            raise ValueError("bands, edges, top and bottom are finite numbers")
        if any(a >= b for a, b in pairwise(edges)):
            raise ValueError("`edges` must rise")
        if self.top is not None and self.bottom is not None and self.bottom >= self.top:
            raise ValueError("`bottom` must be below `top`")

    def words(self) -> str:
        """What it does, for a report. Holds no cell: widths and counts only."""
        ends = [f"{self.top:g} and above as one value"] if self.top is not None else []
        ends += [f"below {self.bottom:g} as one value"] if self.bottom is not None else []
        if self.bands is not None:
            return ", ".join([f"bands of {self.bands:g}", *ends])
        if self.edges is not None:
            return f"{len(self.edges) + 1} bands"
        if self.part is not None:
            return f"the {self.part} of the date"
        if self.prefix is not None:
            return f"the first {self.prefix} characters"
        if self.zip3:
            return "the first three digits of the US postcode, 000 for small areas"
        if self.groups is not None:
            return f"groups of level {self.depth}"
        return ", ".join(ends)


class GeneraliseStep(Generalise):
    """Something coarser in place of the value."""

    method: Literal["generalise"]


class ShiftDates(Section):
    """All dates of one person move by the same number of days, so that intervals stay. Needs the subject column."""

    method: Literal["shift_dates"]
    days: StrictInt = Field(ge=1, le=3650, description="Dates move by at most this many days, back or forth.")


class MaskText(Section):
    """What the scanner takes for personal in a text is replaced. It misses some; see its declared recall."""

    method: Literal["mask_text"]


class Round(Section):
    """A number is rounded to a multiple of `to`."""

    method: Literal["round"]
    to: Number = Field(gt=0, description="E.g. 1000 for thousands.")


Step = Annotated[
    Pseudonym | Suppress | Redact | GeneraliseStep | ShiftDates | MaskText | Round, Field(discriminator="method")
]
