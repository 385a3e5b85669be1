"""What the privacy suite is told: how hard to attack, which guarantee is claimed, which canaries were planted.

Answers: `assurance.leakage`, `assurance.claimed_privacy`, `assurance.canaries`.
Does not answer: how much leakage is acceptable. The policy decides that.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

__all__ = ["CanarySpec", "ClaimedPrivacy", "LeakageSpec"]

_PLACE = "{}"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LeakageSpec(_Section):
    """How hard the model is attacked. More of each finds more and takes longer."""

    rows: int = Field(
        10_000,
        ge=100,
        le=1_000_000,
        description="Most training rows, and as many test rows, whose membership is guessed.",
    )
    shadows: int = Field(
        64,
        ge=8,
        le=1_024,
        multiple_of=2,
        description="Models trained to attack this one, at full depth; an even number.",
    )
    shadow_rows: int = Field(
        10_000,
        ge=100,
        le=1_000_000,
        description="Most training rows, and most test rows, the shadow models learn from.",
    )
    exposed_at: float = Field(
        0.8,
        gt=0.5,
        lt=1,
        description="A training row counts as exposed if the confidence in it tells models that learned from it from"
        " models that did not with at least this area under the ROC curve; 0.5 is chance.",
    )
    starts: int = Field(40, ge=10, le=1_000, description="Inputs searched for each class by inversion.")
    rounds: int = Field(40, ge=1, le=10_000, description="Queries for each of them.")


class ClaimedPrivacy(_Section):
    """A guarantee of differential privacy that the attacks are held against."""

    epsilon: float = Field(gt=0, le=1_000, description="The claimed epsilon.")
    delta: float = Field(0.0, ge=0, lt=1, description="The delta it holds with; 0: a pure guarantee.")


class CanarySpec(_Section):
    """A made-up text that was planted in one training row to see whether the model remembers it. Never a real secret."""

    name: str = Field(min_length=1, max_length=60, pattern=r"[A-Za-z0-9 _.-]+", description="What reports call it.")
    column: str = Field(min_length=1, description="The text feature that holds it.")
    text: str = Field(
        max_length=10_000, description='The whole text, with {} where the random part stands: "my code is {}".'
    )
    secret: str = Field(
        min_length=1,
        max_length=200,
        description="The random part as planted. Others of the same shape (digit for digit, letter for letter) are drawn"
        " to compare with.",
    )
    outcome: str = Field(description="The outcome of the row it was planted in.")
    candidates: int = Field(1_000, ge=50, le=100_000, description="Random parts to compare with.")

    @field_validator("outcome", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)

    @model_validator(mode="after")
    def _one_place(self) -> "CanarySpec":
        if self.text.count(_PLACE) != 1:
            raise ValueError("the text of a canary holds {} once, where its random part stands")
        if not any(letter.isalnum() for letter in self.secret):
            raise ValueError(
                "the random part of a canary needs letters or digits, else there is nothing to compare with"
            )
        return self

    def filled(self, part: str) -> str:
        """The text with `part` in its place."""
        return self.text.replace(_PLACE, part)


Canaries = Annotated[tuple[CanarySpec, ...], Field(max_length=50)]
