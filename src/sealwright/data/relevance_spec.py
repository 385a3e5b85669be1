"""The `data.relevance` block of a project file: how old data may be for its purpose.

Answers: which column says when a row was collected, from when on is a row too old, and the whole of it stale?
Does not answer: what the age is. That is measured.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictStr, model_validator

from sealwright.data.terms import SPAN

__all__ = ["Period", "RelevanceSpec"]

Period = Literal["month", "quarter", "year"]


def _span(text: str) -> str:
    if not SPAN.fullmatch(text):
        raise ValueError("write a span like 30 days, 6 months or 2 years")
    return text


Span = Annotated[StrictStr, AfterValidator(_span)]


class RelevanceSpec(BaseModel):
    """Age of the data against the purpose, and the periods it was collected in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    date: StrictStr = Field(description="The column of type date that says when a row was collected.")
    stale_after: Span | None = Field(
        default=None,
        description="How old the newest row may be, e.g. 90 days. Older data is stale: ingest and training stop (exit 3).",
    )
    oldest: Span | None = Field(
        default=None,
        description="How old a row may be and still tell of today, e.g. 5 years. Older rows are a finding.",
    )
    at_most_older: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Largest share of rows older than `oldest`, 0 to 1. More stops ingest and training (exit 3).",
    )
    periods: Period = Field(
        default="quarter", description="Spans of the calendar that are compared: month, quarter, year."
    )
    smallest_period: int = Field(
        default=200, ge=30, le=1_000_000, description="Periods with fewer rows are not compared."
    )

    @model_validator(mode="after")
    def _limits_agree(self) -> "RelevanceSpec":
        if self.at_most_older is not None and self.oldest is None:
            raise ValueError("`at_most_older` is a share of rows older than `oldest`; set that as well")
        return self
