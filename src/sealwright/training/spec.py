"""The `training:` section of a project file.

Answers: which recipe, how it is searched, and how much it may use?
Does not answer: what a recipe does. `recipes` holds ours; your own code is named "module:function".
"""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from sealwright.training.hardening_spec import HardeningSpec
from sealwright.training.mitigation_spec import LINEAR_ONLY, MitigationSpec
from sealwright.training.privacy_spec import PRIVATE_RECIPES, PrivacySpec

__all__ = ["LimitsSpec", "RECIPES", "SearchSpec", "TrainingSpec"]

RECIPES = ("logistic", "forest", "boosting")
_ONLY_PRIVATE = tuple(name for name in PRIVATE_RECIPES if name not in RECIPES)
_OWN_CODE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*:[A-Za-z_][A-Za-z0-9_]*")
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
_MOST_SEED = 2**31 - 1

Metric = Literal["roc_auc", "log_loss", "average_precision", "accuracy", "balanced_accuracy", "rmse", "mae", "r2"]


class SearchSpec(BaseModel):
    """How parameters are looked for, by cross-validation. The same seed gives the same trials."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    trials: Annotated[
        int,
        Field(ge=0, le=1000, strict=True, description="Settings to try. 0 trains once, with the recipe's defaults."),
    ] = 20
    seconds: Annotated[
        float,
        Field(
            gt=0,
            le=86_400,
            description="Time after which the search stops early. If that happens the report says so, because"
            " a faster machine would then try more settings and may find others.",
        ),
    ] = 60
    metric: Annotated[
        Metric | None,
        Field(
            description="What to search for. Left out: roc_auc (binary), log_loss (several classes), rmse (numbers)."
        ),
    ] = None


class LimitsSpec(BaseModel):
    """What one training may use. Reaching a limit ends it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    memory_mb: Annotated[int, Field(ge=256, le=1 << 22, strict=True, description="Memory, in MB.")] = 4096
    seconds: Annotated[float, Field(gt=0, le=604_800, description="Time from start to end, in seconds.")] = 600
    scratch_mb: Annotated[int, Field(ge=1, le=1 << 20, strict=True, description="Temporary files, in MB.")] = 256


class TrainingSpec(BaseModel):
    """How the model is made."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    recipe: Annotated[
        str,
        Field(
            max_length=200,
            description="logistic (for a number as target: ridge regression), forest, boosting, or your own code as"
            " my_module:train, a Python file in the project folder. With `privacy`: logistic, naive_bayes, forest, network.",
        ),
    ] = "boosting"
    seed: Annotated[int, Field(ge=0, le=_MOST_SEED, strict=True, description="Same seed, same model.")] = 20260101
    search: Annotated[SearchSpec, Field(description="How parameters are looked for.")] = SearchSpec()
    folds: Annotated[int, Field(ge=2, le=20, strict=True, description="Parts for cross-validation.")] = 5
    params: Annotated[
        dict[str, bool | int | float | str],
        Field(description="Parameters held fixed instead of searched; for your own code: passed on as data.params."),
    ] = {}
    files: Annotated[
        tuple[str, ...],
        Field(
            max_length=100,
            description="Files of the project folder your own code needs besides Python files, such as word lists."
            " Data files are not among them on purpose: your code gets the training rows, never the hold-out.",
        ),
    ] = ()
    mitigation: MitigationSpec | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="What is done in training so that groups fare more alike. Left out: nothing. Compare the ways first:"
        " sealwright compare --what fairness.",
    )
    hardening: Annotated[
        HardeningSpec | None, Field(description="What makes a model of our recipes harder to fool. Left out: nothing.")
    ] = None
    limits: Annotated[LimitsSpec, Field(description="Memory and time.")] = LimitsSpec()
    confinement: Annotated[
        Literal["reported", "required"],
        Field(
            description="reported: where the kernel cannot confine the training fully, train and file what is missing."
            " required: refuse to train there."
        ),
    ] = "reported"
    privacy: Annotated[
        PrivacySpec | None,
        Field(
            exclude_if=lambda value: value is None,
            description="Train with differential privacy, such as {epsilon: 1, delta: 1e-6}. Left out: without.",
        ),
    ] = None

    @field_validator("recipe")
    @classmethod
    def _known_recipe(cls, value: str) -> str:
        if value in (*RECIPES, *_ONLY_PRIVATE) or _OWN_CODE.fullmatch(value):
            return value
        raise ValueError(
            f"use one of {', '.join(RECIPES)}, with privacy also {', '.join(_ONLY_PRIVATE)}, or your own code as my_module:train"
        )

    @field_validator("params")
    @classmethod
    def _named_params(cls, value: dict[str, Any]) -> dict[str, Any]:
        if any(not name.isidentifier() or len(name) > 64 for name in value) or len(value) > 100:
            raise ValueError("parameters are at most 100 plain names")
        if any(isinstance(item, str) and len(item) > 1000 for item in value.values()):
            raise ValueError("a text parameter has at most 1,000 characters")
        return value

    @field_validator("files")
    @classmethod
    def _files_inside(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for path in value:
            if not _FILE.fullmatch(path) or len(path) > 200:
                raise ValueError(f"{path[:80]!r} is not a plain path inside the project folder, such as words/stop.txt")
        return value

    @model_validator(mode="after")
    def _mitigation_fits_the_recipe(self) -> "TrainingSpec":
        if self.mitigation is None:
            return self
        if self.own_code:
            raise ValueError(
                "mitigation works with our recipes; your own code gets no groups. Mitigate in your code, or use"
                f" {', '.join(RECIPES)}"
            )
        if self.mitigation.method in LINEAR_ONLY and self.recipe != "logistic":
            raise ValueError(
                f"mitigation.method {self.mitigation.method} works with recipe: logistic; it changes the weights of a line,"
                f" and {self.recipe} has none"
            )
        return self

    @model_validator(mode="after")
    def _hardening_is_for_our_recipes(self) -> Self:
        if self.hardening is not None and self.own_code:
            raise ValueError(f"hardening is for {', '.join(RECIPES)}; your own code hardens its model itself")
        asked = [name for name in ("mitigation", "hardening", "privacy") if getattr(self, name) is not None]
        if len(asked) > 1:
            raise ValueError(f"{' and '.join(asked)} are not combined yet: keep one of them")
        return self

    @model_validator(mode="after")
    def _recipe_fits_privacy(self) -> Self:
        if self.privacy is not None and self.recipe not in PRIVATE_RECIPES:
            raise ValueError(
                f"{self.recipe} cannot be trained with differential privacy here; recipes that can: {', '.join(PRIVATE_RECIPES)}"
            )
        if self.privacy is None and self.recipe in _ONLY_PRIVATE:
            raise ValueError(f"{self.recipe} is trained with differential privacy only: add privacy: {{epsilon: 1}}")
        return self

    @property
    def own_code(self) -> bool:
        """Whether the recipe is the user's."""
        return ":" in self.recipe
