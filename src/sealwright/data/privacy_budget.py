"""The `data.privacy_budget` section: how much published numbers and private models may say about one person, or one row.

Answers: which budget does the project file ask for, and whom does it protect?
Does not answer: what is left of it, or whether it counts. The ledger says that (`data.dp`).
"""

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt, field_validator, model_validator

__all__ = ["LARGEST_DELTA", "LARGEST_EPSILON", "MILLIONTHS", "PrivacyBudgetSpec", "Unit", "epsilon_text", "millionths"]

Unit = Literal["person", "row"]

MILLIONTHS = 1_000_000
LARGEST_EPSILON = 100
"""Far beyond any use: at 10 the guarantee says nearly nothing."""
LARGEST_DELTA = 1e-3
"""A promise that may fail for one person in a thousand is none for them."""


def millionths(epsilon: float | str) -> int:
    """An epsilon as a whole number of millionths, so that sums of spends are exact.

    Raises
    ------
    ValueError
        Not a number above 0 and up to 100 with at most six decimals.
    """
    try:
        scaled = Decimal(str(epsilon)) * MILLIONTHS
        whole = int(scaled)
    except (ArithmeticError, ValueError):
        raise ValueError(f"epsilon is a number such as 0.5; got {str(epsilon)[:40]!r}") from None
    if whole != scaled or not 0 < whole <= LARGEST_EPSILON * MILLIONTHS:
        raise ValueError(f"epsilon is above 0, at most {LARGEST_EPSILON}, with at most six decimals; got {epsilon}")
    return whole


def epsilon_text(amount: int) -> str:
    """Millionths as people and ledgers write them: 100000 is "0.1", 2000000 is "2"."""
    whole, rest = divmod(amount, MILLIONTHS)
    return f"{whole}.{rest:06}".rstrip("0").rstrip(".")


class PrivacyBudgetSpec(BaseModel):
    """What all releases of numbers about this dataset, and all private trainings on it, may cost together."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epsilon: StrictInt | StrictFloat = Field(
        description="The most all releases and private trainings together may say about one person or row, e.g. 1.0. Smaller"
        " protects more. Fixed when it is first drawn on; more needs a reason on record (sealwright data budget)."
    )
    delta: float = Field(
        default=0.0,
        ge=0,
        le=LARGEST_DELTA,
        description="0: costs are added up (pure differential privacy). Above 0, e.g. 1e-6: many small releases cost less"
        " together (zCDP), with this probability that the promise does not hold. Well below 1 / number of persons.",
    )
    training_delta: float = Field(
        default=0.0,
        ge=0,
        le=LARGEST_DELTA,
        exclude_if=lambda value: value == 0,
        description="What the deltas of private trainings (training.privacy) may add up to, e.g. 1.0e-5; on top of delta."
        " 0: no model is trained privately.",
    )
    unit: Unit | None = Field(
        default=None,
        description="Whom it protects: person where data.subject is declared, else row. It need not be said;"
        " a unit that does not fit is refused.",
    )
    most_rows_per_person: StrictInt = Field(
        default=1,
        ge=1,
        le=10_000,
        description="At most so many rows of one person are counted or learned from; the others are left out."
        " The noise of a number, and the cost of a private training, grow with it.",
    )

    @field_validator("epsilon")
    @classmethod
    def _exact(cls, value: float) -> float:
        millionths(value)
        return value

    @model_validator(mode="after")
    def _parts_agree(self) -> "PrivacyBudgetSpec":
        if self.unit == "row" and self.most_rows_per_person != 1:
            raise ValueError("most_rows_per_person belongs to unit: person; a row is one row")
        return self

    def refuse_unit(self, subject: str | None) -> None:
        """Raise ValueError where the unit or the rows per person do not fit the contract's subject."""
        if subject is None and (self.unit == "person" or self.most_rows_per_person != 1):
            raise ValueError(
                "privacy_budget protects persons only where data.subject names the column that identifies them;"
                " declare it, or leave unit and most_rows_per_person out"
            )
        if subject is not None and self.unit == "row":
            raise ValueError(
                "privacy_budget: data.subject is declared, so what is protected is a person; leave unit: row out"
            )
