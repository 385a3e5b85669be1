"""`training.hardening`: what makes a model of ours harder to fool, at the price of some accuracy.

Answers: which recipes against disturbed, hostile or odd rows are used, and how strongly?
Does not answer: whether they help; `assurance` measures that, before and after.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["AdversarialSpec", "HardeningSpec", "SmoothingSpec"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AdversarialSpec(_Section):
    """Training rows are moved to where the model errs, and learned again."""

    budget: Annotated[
        float, Field(gt=0, le=3, description="How far each number may be moved, in its standard deviation.")
    ] = 0.25
    rounds: Annotated[int, Field(ge=1, le=10, strict=True, description="Times rows are moved and learned again.")] = 2
    fixed: Annotated[
        tuple[str, ...], Field(max_length=1_000, description="Number columns nobody can move, such as age.")
    ] = ()


class SmoothingSpec(_Section):
    """Noise while training, and answers averaged over the same few noisy copies of every row."""

    noise: Annotated[float, Field(gt=0, le=2, description="Noise on each number, in its standard deviation.")] = 0.1
    copies: Annotated[int, Field(ge=1, le=20, strict=True, description="Noisy copies of every training row.")] = 4
    offsets: Annotated[
        int, Field(ge=2, le=64, multiple_of=2, strict=True, description="Noisy copies an answer is averaged over.")
    ] = 8


class HardeningSpec(_Section):
    """Recipes that may be combined. Each ends inside the ONNX graph, and parity is measured as always."""

    adversarial: Annotated[AdversarialSpec | None, Field(description="Learn from rows moved to where it errs.")] = None
    ensemble: Annotated[
        int,
        Field(ge=1, le=20, strict=True, description="Models on resampled rows whose answers are averaged; 1: none."),
    ] = 1
    smoothing: Annotated[SmoothingSpec | None, Field(description="Average over noisy copies of every row.")] = None
    sanitise: Annotated[
        float | None,
        Field(
            ge=0,
            le=0.1,
            description="Numbers are clipped to the training rows without this share at either end (0: to the range"
            " seen), and categories training never saw count as missing. Left out: nothing is clipped.",
        ),
    ] = None
    monotone: Annotated[
        dict[str, Literal["up", "down"]],
        Field(
            max_length=1_000,
            description="Numbers that may move the positive class (or the predicted number) one way only, such as"
            " {income: up}.",
        ),
    ] = {}
