"""The `serving.rollout:` section of a project file: in which steps a new version takes over, and what it must keep to.

Answers: which parts, how long each, and which limits decide about the next one?
Does not answer: whether they were kept. They are frozen with the charter, before there are results to choose them by.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["FairnessLimit", "MetricLimit", "RolloutLimits", "RolloutSpec"]

_STRICT = ConfigDict(extra="forbid", frozen=True)
_Share = Annotated[float, Field(ge=0, le=1)]


class FairnessLimit(BaseModel):
    """Selection rates by a column of the request."""

    model_config = _STRICT

    column: Annotated[
        str, Field(min_length=1, max_length=200, description="A column of the request that tells the group.")
    ]
    favourable: Annotated[str, Field(min_length=1, max_length=200, description="The label that is good for a person.")]
    at_least: Annotated[
        float, Field(gt=0, le=1, description="Lowest ratio of the smallest to the largest selection rate.")
    ] = 0.8


class MetricLimit(BaseModel):
    """What the organisation reports back about decisions."""

    model_config = _STRICT

    name: Annotated[str, Field(min_length=1, max_length=80, description="What is reported, such as repaid.")]
    better: Annotated[Literal["higher", "lower"], Field(description="In which direction it is better.")] = "higher"
    margin: Annotated[float, Field(ge=0, description="How much worse it may be, in its own unit.")] = 0.0


class RolloutLimits(BaseModel):
    """What the new version must keep to, beside the champion."""

    model_config = _STRICT

    errors: Annotated[_Share, Field(description="Most failed requests beyond the champion's, as a share.")] = 0.01
    latency_ratio: Annotated[
        float, Field(gt=0, le=100, description="Longest 95th percentile of times, as a multiple of the champion's.")
    ] = 1.5
    psi: Annotated[float, Field(gt=0, le=10, description="Largest population stability index between the scores.")] = (
        0.25
    )
    ks: Annotated[_Share, Field(description="Largest Kolmogorov-Smirnov distance between the scores.")] = 0.3
    agreement: Annotated[
        _Share | None, Field(description="For a shadow: lowest share of rows with the champion's label.")
    ] = None
    fairness: Annotated[FairnessLimit | None, Field(description="Selection rates by group.")] = None
    metric: Annotated[MetricLimit | None, Field(description="A business metric, tested sequentially.")] = None


class RolloutSpec(BaseModel):
    """How a new version takes over. Unknown keys are refused."""

    model_config = _STRICT

    steps: Annotated[
        tuple[Annotated[float, Field(ge=0.01, le=100)], ...],
        Field(
            min_length=1, max_length=20, description="Parts of the requests in percent, rising; the last is held too."
        ),
    ] = (1.0, 5.0, 25.0, 50.0, 100.0)
    minutes: Annotated[float, Field(gt=0, le=43_200, description="Least time of each step.")] = 30.0
    most_minutes: Annotated[
        float, Field(gt=0, le=43_200, description="A step that cannot be judged in this time goes back.")
    ] = 1_440.0
    least_requests: Annotated[
        int, Field(ge=1, description="Fewest answers of the new version before a step is judged.")
    ] = 500
    planned_requests: Annotated[
        int,
        Field(ge=10, description="Requests at which the sequential tests shall be sharpest; fixed before the start."),
    ] = 20_000
    confidence: Annotated[float, Field(ge=0.5, lt=1, description="Of every interval.")] = 0.95
    limits: RolloutLimits = RolloutLimits()

    @model_validator(mode="after")
    def _rising(self) -> "RolloutSpec":
        if any(later <= earlier for earlier, later in zip(self.steps, self.steps[1:], strict=False)):
            raise ValueError("steps must rise: whoever has the new version keeps it")
        if self.steps[0] >= 100:
            raise ValueError("the first step must leave the champion a part, to be compared with")
        if self.most_minutes < self.minutes:
            raise ValueError("most_minutes must not be less than minutes")
        return self
