"""The `training.privacy` section: how much a trained model may say about any one training row.

Answers: which guarantee is asked for?
Does not answer: what it costs in usefulness; `docs/explanation/privacy-leakage.md` has that measured.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["PRIVATE_RECIPES", "PrivacySpec"]

PRIVATE_RECIPES = ("logistic", "naive_bayes", "forest", "network")
"""Recipes that can be trained with differential privacy, for two or more classes; boosting and own code cannot."""


class PrivacySpec(BaseModel):
    """Differential privacy of one row. With it nothing is searched and no cross-validation is made: both would cost."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epsilon: Annotated[
        float,
        Field(gt=0.001, le=100, description="How much any one row may change what is learned; 1 is strict, 8 loose."),
    ]
    delta: Annotated[
        float,
        Field(
            gt=0, le=1e-3, description="Chance that the guarantee fails; well below one divided by the number of rows."
        ),
    ] = 1e-5
    clip: Annotated[
        float,
        Field(gt=0, le=1e3, description="network: most that one row may move the weights in a step (gradient norm)."),
    ] = 1.0
