"""How hard a model is attacked: the `assurance.attacks` section.

Answers: how many rows, how many questions for each, and how much may a change cost?
Does not answer: which changes are possible, and what they cost; `assurance.constraints` says that.
"""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

__all__ = ["AttackSpec"]

_Cost = Annotated[float, Field(gt=0, le=1_000)]


class AttackSpec(BaseModel):
    """Budgets of the attacks on single rows. Costs add up over the features changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: int = Field(200, ge=20, le=100_000, description="Most test rows to attack.")
    queries: int = Field(150, ge=20, le=100_000, description="Most questions put to the model for one row.")
    budgets: tuple[_Cost, ...] = Field(
        (0.25, 0.5, 1.0, 2.0),
        min_length=1,
        max_length=20,
        description="What a change may cost: 1 moves one number by one standard deviation, or switches one category.",
    )
    reported_budget: _Cost = Field(1.0, description="The budget whose effect becomes a finding; one of `budgets`.")
    moved_by: float = Field(
        0.5, gt=0, le=100, description="Regression: a prediction counts as moved beyond this, in sd of the target."
    )
    long_rows: int = Field(
        30, ge=20, le=10_000, description="At full depth: rows for each attack that searches long (all but FGSM, PGD)."
    )
    long_queries: int = Field(
        2_000,
        ge=100,
        le=1_000_000,
        description="At full depth: about how many questions such an attack asks for a row.",
    )

    @field_validator("budgets")
    @classmethod
    def _budgets_ascend(cls, budgets: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(sorted(set(budgets)))

    @model_validator(mode="after")
    def _the_reported_budget_is_tried(self) -> Self:
        if self.reported_budget not in self.budgets:
            listed = ", ".join(f"{one:g}" for one in self.budgets)
            raise ValueError(f"reported_budget {self.reported_budget:g} is none of the budgets {listed}")
        return self
