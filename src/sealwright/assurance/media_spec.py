"""How documents and images are pressed and explained: `assurance.text` and `assurance.images`.

Answers: how many words or how much of a picture changes, how many queries an attacker has, how many rows are explained?
Does not answer: from which effect on a model is broken; that stands under `assurance.stress.breaks_at`.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

__all__ = ["ImageSpec", "TextSpec"]

_Share = Annotated[float, Field(gt=0, le=1)]
_Strengths = Annotated[tuple[_Share, ...], Field(min_length=1, max_length=20)]
_PAIRS = (
    ("he", "she"),
    ("him", "her"),
    ("his", "her"),
    ("himself", "herself"),
    ("man", "woman"),
    ("men", "women"),
    ("boy", "girl"),
    ("father", "mother"),
    ("son", "daughter"),
    ("brother", "sister"),
    ("husband", "wife"),
    ("mr", "mrs"),
    ("male", "female"),
    ("gentleman", "lady"),
)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TextSpec(_Section):
    """Documents: what is done to their words."""

    shares: _Strengths = Field((0.05, 0.1, 0.2, 0.4), description="Shares of the words of a document that change.")
    reported_at: _Share = Field(0.1, description="The share of words whose effect becomes a finding.")
    documents: int = Field(
        300, ge=20, le=100_000, description="Most documents to change, and most to remove words from, per check."
    )
    synonyms: dict[str, tuple[str, ...]] = Field(
        {}, max_length=10_000, description="Words that may stand for a word, besides the built-in English ones."
    )
    english: bool = Field(default=True, description="Whether the small built-in list of English synonyms is used.")
    identity_pairs: tuple[tuple[str, str], ...] = Field(
        _PAIRS, max_length=1_000, description="Words that name a person of one group and of another: [[he, she]]."
    )
    attacked: int = Field(100, ge=20, le=10_000, description="Most documents to attack.")
    queries: int = Field(100, ge=10, le=100_000, description="Most questions an attacker may ask about one document.")
    explained: int = Field(
        2_000,
        ge=100,
        le=1_000_000,
        description="About how many versions of a document a model is asked about when `sw.explain` explains it. An eighth as"
        " many different words can be told apart.",
    )
    smallest_count: int = Field(
        10, ge=10, description="Fewest documents a word must stand in to be named, so that no word of one person is."
    )

    @field_validator("shares")
    @classmethod
    def _ascend(cls, shares: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(sorted(set(shares)))

    @field_validator("synonyms")
    @classmethod
    def _single_words(cls, synonyms: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        return {word.lower(): tuple(one for one in others if one) for word, others in synonyms.items()}

    @field_validator("identity_pairs")
    @classmethod
    def _two_words(cls, pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        if any(not a or not b or a.lower() == b.lower() for a, b in pairs):
            raise ValueError("an identity pair is two different words: [he, she]")
        return tuple((a.lower(), b.lower()) for a, b in pairs)


class ImageSpec(_Section):
    """Images: what is done to their pixels, which range from 0 to 1."""

    noise: _Strengths = Field((0.02, 0.05, 0.1, 0.2), description="Standard deviation of normal noise on every pixel.")
    blur: _Strengths = Field((0.01, 0.03, 0.06, 0.12), description="Standard deviation of a blur, in shorter sides.")
    brightness: _Strengths = Field((0.05, 0.1, 0.2, 0.4), description="By how much every pixel is lighter, or darker.")
    contrast: _Strengths = Field((0.1, 0.25, 0.5, 0.75), description="Share of the contrast that is lost.")
    occlusion: _Strengths = Field((0.02, 0.05, 0.1, 0.25), description="Share of the image a grey square covers.")
    rotation: Annotated[tuple[Annotated[float, Field(gt=0, le=180)], ...], Field(min_length=1, max_length=20)] = Field(
        (2.0, 5.0, 10.0, 20.0), description="Degrees of rotation, either way."
    )
    shift: _Strengths = Field((0.03, 0.06, 0.12, 0.25), description="How far the image moves, in sides.")
    compression: _Strengths = Field(
        (0.05, 0.1, 0.2, 0.4), description="Step to which each 8 x 8 block's cosine coefficients are rounded."
    )
    images: int = Field(200, ge=20, le=100_000, description="Most images to change, per disturbance.")
    attacked: int = Field(100, ge=20, le=10_000, description="Most images to attack.")
    epsilons: _Strengths = Field(
        (2 / 255, 4 / 255, 8 / 255, 16 / 255, 32 / 255), description="How far an attacker may move every pixel."
    )
    reported_at: _Share = Field(8 / 255, description="How far an attacker may move a pixel for the finding.")
    steps: int = Field(20, ge=1, le=1_000, description="Steps of the projected gradient attack.")
    queries: int = Field(200, ge=10, le=100_000, description="Questions the attack without gradients may ask an image.")
    explained: int = Field(50, ge=10, le=10_000, description="Most images to explain.")

    @field_validator(
        "noise", "blur", "brightness", "contrast", "occlusion", "rotation", "shift", "compression", "epsilons"
    )
    @classmethod
    def _ascend(cls, strengths: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(sorted(set(strengths)))
