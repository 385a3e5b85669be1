"""How assurance may train models like the one it judges: the project's recipe with the parameters that were found.

Your own code is not among them: it runs in confinement only, and a hundred confined trainings would take hours.
"""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from sealwright.assurance import FunctionPredictor, Predictor, Teach
from sealwright.pipeline.project import Project
from sealwright.training import learn_anew

__all__ = ["teach_of"]


def teach_of(*, project: Project, interface: Mapping[str, Any], parameters: Mapping[str, Any]) -> Teach | None:
    """The project's recipe as something to train with; None for your own code."""
    training = project.spec.training
    if training.own_code:
        return None

    def learn(table: pa.Table, seed: int) -> Predictor:
        answers = learn_anew(table, interface, training.recipe, parameters, seed, training.privacy)
        return FunctionPredictor(lambda features: answers(features.numbers, features.strings))

    return Teach(words=f"the recipe {training.recipe} with the parameters of the model", learn=learn)
