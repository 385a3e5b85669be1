"""The `data.quality` block of a project file: where a finding begins, and what is not looked at.

Answers: from which share on is missing, near-constant or rare worth a finding?
Does not answer: what the law or the policy wants. Findings inform; the gate decides on evidence.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["CHECKS", "CheckName", "QualitySpec"]

CheckName = Literal[
    "outside_contract",
    "missing_values",
    "exact_duplicates",
    "near_duplicates",
    "outliers",
    "odd_rows",
    "inconsistent_categories",
    "numbers_as_text",
    "placeholder_values",
    "date_formats",
    "constant_columns",
    "leaking_columns",
    "label_errors",
    "class_imbalance",
    "train_test_overlap",
]
CHECKS: tuple[CheckName, ...] = CheckName.__args__  # type: ignore[attr-defined]
"""Every check, in the order they run. The names are stable; findings are called `quality.<name>`."""


class QualitySpec(BaseModel):
    """Thresholds of the quality examination. The defaults suit most tables."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    skip: tuple[CheckName, ...] = Field(
        default=(), max_length=len(CHECKS), description="Checks not to run. The report says that they were left out."
    )
    missing_share: float = Field(
        default=0.05, gt=0, le=1, description="Share of empty cells from which a column gets a finding, 0 to 1."
    )
    near_constant_share: float = Field(
        default=0.995, gt=0.5, le=1, description="Share of one value from which a column counts as nearly constant."
    )
    similar_cells: float = Field(
        default=0.9, ge=0.5, lt=1, description="Share of equal cells from which two rows can be near copies, 0.5 to 1."
    )
    leak_score: float = Field(
        default=0.98,
        gt=0.5,
        le=1,
        description="ROC area (classes) or R squared (numbers) that one column alone may not reach.",
    )
    smallest_class_share: float = Field(
        default=0.1, ge=0, lt=0.5, description="Share of rows below which the rarest class gets a finding."
    )
    model_rows: int = Field(
        default=30_000,
        ge=1_000,
        le=1_000_000,
        description="Rows drawn to fit the models of label_errors and odd_rows; every row is then scored.",
    )
    rows_named: int = Field(default=20, ge=1, le=1000, description="How many row numbers a finding names at most.")
