"""How certainty about single rows is judged: the `assurance.uncertainty` section.

Answers: which share of outcomes must sets and intervals contain, and which error may accepted rows have?
Does not answer: who decides the rows that are not accepted. The project's review does.
"""

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["UncertaintySpec"]


class UncertaintySpec(BaseModel):
    """Conformal sets and intervals, and abstention."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    coverage: float = Field(
        0.9, ge=0.5, le=0.99, description="Share of true outcomes that sets and intervals are built to contain."
    )
    splits: int = Field(
        20, ge=1, le=500, description="Times the test rows are halved anew, each half calibrating for the other."
    )
    target_error: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Classes: share of wrong decisions that is tolerable among accepted rows. Left out: half of the"
        " share with every row accepted.",
    )
