"""The `assurance.explanation` section: how many rows are explained, against what, and at which expense.

Answers: what may an explanation cost, and from when on is it refused?
Does not answer: is an explanation good enough; the policy decides that.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["ExplanationSpec"]

_Share = Annotated[float, Field(gt=0, le=1)]


class ExplanationSpec(BaseModel):
    """How much is explained, and which explanations are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: int = Field(200, ge=20, le=10_000, description="Most test rows that get Shapley values.")
    background: int = Field(
        100, ge=10, le=1_000, description="Training rows that stand for an unknown value in Shapley values."
    )
    queries: int = Field(
        200_000,
        ge=1_000,
        le=100_000_000,
        description="Most rows a model is asked about for Shapley values where it cannot be read; fewer rows are explained then.",
    )
    together: _Share = Field(
        0.7, description="Association (correlation, its ratio, or Cramer's V) from which features count as one block."
    )
    local_rows: int = Field(30, ge=10, le=1_000, description="Test rows that get a local surrogate.")
    local_fidelity: float = Field(
        0.5, ge=0, le=1, description="Weighted R squared on fresh rows below which a local surrogate is refused."
    )
    counterfactual_rows: int = Field(
        100, ge=10, le=5_000, description="Unfavourably decided test rows for which a change is searched."
    )
    counterfactual_budget: float = Field(
        3.0,
        gt=0,
        le=1e6,
        description="Highest price of a change that counts, in the prices of `assurance.constraints`.",
    )
    prototypes: int = Field(5, ge=1, le=20, description="Training rows that stand for each decided outcome.")
