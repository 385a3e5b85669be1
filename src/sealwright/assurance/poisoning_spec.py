"""What an attacker who writes training rows, or asks the model, may spend: `assurance.poisoning`, `assurance.extraction`.

Answers: how many rows, which shares, how many questions?
Does not answer: how much harm is too much. `stress.breaks_at` draws that line, and the policy decides.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

__all__ = ["ExtractionSpec", "PoisoningSpec"]

_Share = Annotated[float, Field(gt=0, le=0.5)]
_Count = Annotated[int, Field(ge=1, le=10_000)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PoisoningSpec(_Section):
    """How much of the training rows an attacker changes. All of it trains models anew, at `depth: full` only."""

    rows: int = Field(5_000, ge=100, le=1_000_000, description="Most training rows a model is trained anew on.")
    repeats: int = Field(3, ge=1, le=50, description="Times each poison is drawn anew.")
    labels: tuple[_Share, ...] = Field(
        (0.01, 0.05, 0.1, 0.2, 0.4),
        min_length=1,
        max_length=10,
        description="Shares of training labels that are false.",
    )
    labels_at: _Share = Field(0.05, description="The share of false labels whose effect becomes a finding.")
    chosen: int = Field(20, ge=5, le=500, description="Test rows an attacker wants to turn, one after the other.")
    copies: tuple[_Count, ...] = Field(
        (1, 3, 10), min_length=1, max_length=10, description="Near copies of a chosen row with a false label."
    )
    planted: tuple[_Share, ...] = Field(
        (0.005, 0.01, 0.02, 0.05),
        min_length=1,
        max_length=10,
        description="Shares of training rows with a planted trigger.",
    )
    planted_at: _Share = Field(0.02, description="The share of planted rows whose effect becomes a finding.")
    removed: tuple[_Share, ...] = Field(
        (0.01, 0.02, 0.05), min_length=1, max_length=10, description="Shares of training rows that are taken away."
    )
    removed_at: _Share = Field(0.02, description="The share of removed rows whose effect becomes a finding.")
    models: int = Field(
        19, ge=9, le=199, description="Models like the judged one it is compared with in the search for a backdoor."
    )

    @field_validator("labels", "copies", "planted", "removed")
    @classmethod
    def _budgets_ascend(cls, budgets: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(sorted(set(budgets)))


class ExtractionSpec(_Section):
    """How many questions somebody asks who wants a copy of the model."""

    queries: tuple[Annotated[int, Field(ge=20, le=1_000_000)], ...] = Field(
        (100, 300, 1_000, 3_000, 10_000),
        min_length=1,
        max_length=10,
        description="Questions asked. Those beyond 1,000 only at `depth: full`.",
    )

    @field_validator("queries")
    @classmethod
    def _budgets_ascend(cls, budgets: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(budgets)))
