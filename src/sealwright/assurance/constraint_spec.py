"""The `assurance.constraints` section: what somebody could change about a row, in which direction, and at what price.

Answers: which changed rows are possible at all?
Does not answer: which of them fool the model, or help a person; attacks and counterfactuals search among these.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["ChangeSpec"]

_Number = Annotated[float, Field(allow_inf_nan=False)]


class ChangeSpec(BaseModel):
    """How one feature may change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fixed: bool = Field(default=False, description="true: nobody can change it, such as an age or a past default.")
    direction: Literal["up", "down"] | None = Field(
        None, description="A number that can only rise (a duration already begun) or only fall."
    )
    least: _Number | None = Field(None, description="Lowest reachable number; left out: the contract's, else observed.")
    most: _Number | None = Field(None, description="Highest reachable number; left out: the contract's, else observed.")
    whole: bool | None = Field(
        None, description="Whether a number stays whole; left out: if the contract or every row learned from says so."
    )
    categories: tuple[str, ...] | None = Field(
        None, min_length=1, max_length=1000, description="Categories that can be reached; left out: every known one."
    )
    cost: float = Field(
        1.0,
        gt=0,
        le=1e6,
        description="Price of moving a number by one standard deviation, or of switching a category once.",
    )

    @model_validator(mode="after")
    def _ends_in_order(self) -> Self:
        if self.least is not None and self.most is not None and self.least > self.most:
            raise ValueError(f"least {self.least:g} is larger than most {self.most:g}")
        return self
