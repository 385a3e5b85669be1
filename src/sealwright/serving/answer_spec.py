"""The part of `serving:` that says what may leave with an answer, and when there is none.

Answers: what happens to odd values, how precise is an answer, when does the model abstain, which promises come with it?
Does not answer: who sees more or less than the usual. Scopes do (`disclosure`).

It is sealed into the package (`answering.json`), so a change needs a new version, which the gate judges like any other.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

__all__ = ["COVERAGES", "AnswerSpec", "OutputSpec"]

COVERAGES = (0.8, 0.9, 0.95, 0.99)
"""Coverages whose quantiles are kept at training."""

_Share = Annotated[float, Field(gt=0, lt=1)]


class OutputSpec(BaseModel):
    """How much of an answer callers are told whose scopes lift nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    digits: Annotated[
        int | None,
        Field(ge=1, le=6, description="Decimals of a probability; significant digits of a predicted number."),
    ] = None
    classes: Annotated[
        int | None, Field(ge=1, le=1000, description="How many classes get a probability: the likeliest ones.")
    ] = None
    labels_only: Annotated[bool, Field(description="true: the label and nothing else.")] = False

    @property
    def plain(self) -> bool:
        """Nothing is held back."""
        return self.digits is None and self.classes is None and not self.labels_only


def _kept_if_set(default: Any) -> dict[str, Any]:
    return {"exclude_if": lambda value: value == default}


class AnswerSpec(BaseModel):
    """What `ServingSpec` says about answers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    out_of_range: Annotated[
        Literal["refuse", "clip", "abstain"],
        Field(
            description="What happens to a value outside the range or categories of the data contract. refuse: 422, no answer. "
            "clip: the nearest bound is used, an unknown category counts as missing where that is allowed, and the answer "
            "marks it. abstain: the row is marked and gets no label."
        ),
    ] = "refuse"
    output: Annotated[OutputSpec, Field(description="How much callers are told.", **_kept_if_set(OutputSpec()))] = (
        OutputSpec()
    )
    abstain_below: Annotated[
        _Share | dict[str, _Share] | None,
        Field(
            description="No label where its probability is below this; one number, or one for each class named.",
            **_kept_if_set(None),
        ),
    ] = None
    abstain_error: Annotated[
        _Share | None,
        Field(
            description="Share of wrong labels that is tolerable among those told. The confidence it takes is learned from rows "
            "kept apart, and holds with 95 % confidence for rows like them.",
            **_kept_if_set(None),
        ),
    ] = None
    abstain_ambiguous: Annotated[
        bool,
        Field(
            description="true: no label where the set of classes that remain possible is not exactly one.",
            **_kept_if_set(default=False),
        ),
    ] = False
    abstain_above_ood: Annotated[
        Annotated[float, Field(ge=0.5, lt=1)] | None,
        Field(
            description="No answer for a row more unusual than this share of the rows learned from, such as 0.995.",
            **_kept_if_set(None),
        ),
    ] = None
    tell_ood: Annotated[
        bool,
        Field(
            description="true: every answer says how unusual its row is: the share of rows learned from that are less so.",
            **_kept_if_set(default=False),
        ),
    ] = False
    calibrate: Annotated[
        Literal["platt", "isotonic"] | None,
        Field(
            description="Probabilities corrected by a rising curve learned from rows kept apart, told beside the model's own.",
            **_kept_if_set(None),
        ),
    ] = None
    coverage: Annotated[
        float,
        Field(
            description="Share of true outcomes that sets and intervals hold: 0.8, 0.9, 0.95 or 0.99.",
            json_schema_extra={"enum": list(COVERAGES)},
            **_kept_if_set(0.9),
        ),
    ] = 0.9

    @field_validator("coverage")
    @classmethod
    def _learned_coverage(cls, coverage: float) -> float:
        if coverage not in COVERAGES:
            raise ValueError(f"quantiles are kept for {', '.join(f'{one:g}' for one in COVERAGES)}; take one of these")
        return coverage

    @model_validator(mode="after")
    def _labels_alone_have_no_digits(self) -> "AnswerSpec":
        if self.output.labels_only and (self.output.digits is not None or self.output.classes is not None):
            raise ValueError("output: labels_only tells no probabilities, so digits and classes say nothing beside it")
        return self
