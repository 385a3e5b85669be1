"""What the model must bear: `assurance.stress` and `assurance.expectations`.

Answers: how strong is each stress, from which effect on is the model called broken, and which changes of a
row must leave its answer alone or move it one way only?
Does not answer: may a model that breaks go live? The policy decides that.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

__all__ = ["BreaksAt", "Expectation", "StressSpec"]

_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Share = Annotated[float, Field(gt=0, le=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BreaksAt(_Section):
    """Effects from which on the model counts as broken. Whichever is passed first decides."""

    score_drop: _Positive = Field(0.05, description="Lost headline score: area under the ROC curve, or R squared.")
    flip_share: _Share = Field(0.1, description="Share of decisions that change (classes).")
    shift: _Positive = Field(0.25, description="Mean distance predictions move, in sd of the target (numbers).")
    no_answer_share: float = Field(0.05, ge=0, le=1, description="Share of rows without a finite answer.")
    error_rise: _Positive = Field(
        0.05, description="Rise of the error under drift or other base rates: a share (classes), or sd of the target."
    )
    calibration_gap: _Share = Field(
        0.1, description="Distance between the mean stated probability and the share that comes true."
    )


class StressSpec(_Section):
    """How hard the model is pressed. Shares of cells and of noise stand under `missing` and `noise`."""

    breaks_at: BreaksAt = Field(BreaksAt(), description="Effects from which on the model counts as broken.")
    shares: tuple[_Share, ...] = Field(
        (0.01, 0.05, 0.1, 0.25, 0.5, 1.0),
        min_length=1,
        max_length=20,
        description="Shares of rows with a mistaken unit or swapped columns.",
    )
    unit_factor: float = Field(
        1_000, gt=1, le=1e9, description="A mistaken unit multiplies or divides a number by this."
    )
    beyond: tuple[_Positive, ...] = Field(
        (0.1, 1.0, 10.0, 1e6, 1e30),
        min_length=1,
        max_length=20,
        description="How far a number lies outside what was seen in training, in widths of that range.",
    )
    rounding: tuple[_Share, ...] = Field(
        (1e-6, 1e-4, 1e-3, 1e-2, 1e-1),
        min_length=1,
        max_length=20,
        description="Relative size of the step numbers are rounded to; 0.001 keeps three digits.",
    )
    odds: tuple[Annotated[float, Field(gt=1, le=1e6)], ...] = Field(
        (1.5, 2.0, 4.0, 10.0),
        min_length=1,
        max_length=20,
        description="Factors by which the odds of a class become higher, and lower.",
    )
    drift: tuple[Annotated[float, Field(gt=0, le=3)], ...] = Field(
        (0.25, 0.5, 1.0), min_length=1, max_length=20, description="How far a feature's mean drifts, in its sd."
    )
    huge_batch: int = Field(
        20_000, ge=1_000, le=10_000_000, description="Rows of the one large batch that must be answered as singly."
    )

    @field_validator("shares", "beyond", "rounding", "odds", "drift")
    @classmethod
    def _strengths_ascend(cls, strengths: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(sorted(set(strengths)))


class Expectation(_Section):
    """One thing that must hold for every row, whatever its true outcome (a metamorphic relation).

    same: changing the column leaves the decision, and moves the score by no more than `tolerance`.
    rises, falls: raising the column never moves the score the other way by more than `tolerance`.
    """

    column: str = Field(min_length=1, description="The feature that is changed, all others as they are.")
    expect: Literal["same", "rises", "falls"] = Field(description="What the score does when the column is raised.")
    by: _Positive | None = Field(
        None,
        description="How far a number is moved: up and down for `same`, up otherwise. Left out: a standard deviation"
        " of the training rows. Categories are changed to each other level.",
    )
    tolerance: float = Field(
        0.01, ge=0, description="Move of the score that is forgiven: of a probability, or in units of the target."
    )

    @model_validator(mode="after")
    def _a_move_is_finite(self) -> Self:
        if self.by is not None and self.by > 1e30:
            raise ValueError("by is a distance in units of the column, at most 1e30")
        return self

    @property
    def words(self) -> str:
        """What is asked, without the column: same, tolerance 0.01."""
        by = "" if self.by is None else f" by {self.by:.10g}"
        return f"{self.expect}{by}, tolerance {self.tolerance:.10g}"
