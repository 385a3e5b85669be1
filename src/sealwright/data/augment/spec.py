"""The `data.augment` block of a project file: for which groups rows are made up, how many, and how.

Answers: which method, which groups, how many rows, and when is a made-up row too close to a person?
Does not answer: whether it helps. That is measured, and a person decides.
"""

from collections.abc import Collection
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictStr, field_validator, model_validator

from sealwright.data.names import nearest, shown

__all__ = ["AugmentGroup", "AugmentSpec"]

_MOST_NEAR = 0.2  # a copula on the example data stays near 0.05, copies of a third of the rows reach 0.33
_MOST_FOUND = 0.6

_Level = Annotated[StrictStr, Field(min_length=1, max_length=500)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AugmentGroup(_Section):
    """One group that gets made-up rows."""

    where: dict[StrictStr, _Level] = Field(
        min_length=1,
        max_length=4,
        description="Who: columns and their level, e.g. {sex: female, age: under 26}. Bands are those of data.diversity;"
        " the target may be named, too.",
    )
    rows: int | None = Field(
        default=None, ge=1, le=10_000_000, description="How many rows of the group to make; instead of a share."
    )
    to: Literal["reference", "limit"] | None = Field(
        default=None,
        description="As many rows as bring the group to its reference share of the training rows, or to the limit under"
        " which it is under-represented (data.diversity.under times the reference).",
    )

    @field_validator("where", mode="before")
    @classmethod
    def _levels_as_text(cls, value: Any) -> Any:
        """`{employed: 1}` means the text 1, and true and false the levels of a boolean."""
        if not isinstance(value, dict):
            return value
        words = {True: "true", False: "false"}
        return {
            name: words[level] if isinstance(level, bool) else str(level) if isinstance(level, int) else level
            for name, level in value.items()
        }

    @model_validator(mode="after")
    def _an_amount(self) -> "AugmentGroup":
        if (self.rows is None) == (self.to is None):
            raise ValueError("give either `rows` or `to`")
        return self


class AugmentSpec(_Section):
    """How rows are made up for training. They are marked for ever and never used to test."""

    method: Literal["synthesiser", "smote"] = Field(
        description="synthesiser: draws new rows from what the group's columns look like and how they go together"
        " (Gaussian copula). smote: interpolates between real rows of the group that are neighbours."
    )
    groups: tuple[AugmentGroup, ...] = Field(min_length=1, max_length=50, description="Who gets rows, and how many.")
    seed: int = Field(20260101, ge=0, lt=2**63, description="The same seed, data and libraries make the same rows.")
    neighbours: int = Field(5, ge=1, le=50, description="smote: how many nearest rows to interpolate towards.")
    fewest: int = Field(
        20,
        ge=10,
        le=1_000_000,
        description="Fewest real rows to learn a group from. With fewer, what is made up is the same few people again.",
    )
    at_most: float = Field(
        3.0, gt=0, le=100, description="Most made-up rows for each real row of a group. Beyond that, collect instead."
    )
    folds: int = Field(4, ge=2, le=10, description="Parts the training rows are cut into to measure what is made up.")
    most_near: float = Field(
        _MOST_NEAR,
        ge=0.05,
        le=1,
        description="Largest share of made-up rows that may lie nearer to a training row than 95 of 100 strangers do."
        " By chance it is 0.05. More is refused as too close to real persons.",
    )
    most_found: float = Field(
        _MOST_FOUND,
        ge=0.5,
        le=1,
        description="Largest area (0.5: chance, 1: always) to which made-up rows may help to tell whom they were learned"
        " from; held against the lower end of its interval.",
    )
    why: str | None = Field(
        default=None, min_length=1, max_length=500, description="Why rows are made up here. Stands in the manifest."
    )

    @model_validator(mode="after")
    def _a_reason_for_less_protection(self) -> "AugmentSpec":
        if self.why is None and (self.most_near > _MOST_NEAR or self.most_found > _MOST_FOUND):
            raise ValueError(
                f"`most_near` above {_MOST_NEAR:g} and `most_found` above {_MOST_FOUND:g} let rows lie closer to real persons;"
                " say `why`"
            )
        return self

    def refuse_unknown(self, columns: Collection[str]) -> None:
        """Refuse groups by columns that are none of these.

        Raises
        ------
        ValueError
            Names the first, and the nearest column.
        """
        for group in self.groups:
            for name in group.where:
                if name not in columns:
                    raise ValueError(
                        f"data.augment names {shown(name)}, which is not among the columns.{nearest(name, columns)}"
                    )
