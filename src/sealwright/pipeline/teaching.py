"""How assurance may train models like the one it judges: the project's recipe with the parameters that were found.

Your own code is not among them: it runs in confinement only, and a hundred confined trainings would take hours.
"""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from sealwright.assurance import FunctionPredictor, Predictor, Teach
from sealwright.pipeline.project import Project
from sealwright.training import HardeningSpec, PrivacySpec, learn_anew

__all__ = ["teach_from", "teach_of"]


def teach_of(*, project: Project, interface: Mapping[str, Any], parameters: Mapping[str, Any]) -> Teach | None:
    """The project's recipe as something to train with; None for your own code."""
    training = project.spec.training
    if training.own_code:
        return None
    return teach_from(
        {
            "recipe": training.recipe,
            "parameters": dict(parameters),
            "interface": dict(interface),
            "mitigated": training.mitigation is not None,
            "privacy": training.privacy.model_dump(mode="json") if training.privacy else None,
            "hardening": training.hardening.model_dump(mode="json") if training.hardening else None,
        }
    )


def teach_from(told: Mapping[str, Any]) -> Teach:
    """One of our recipes, named with its parameters and the interface: plain data, which a worker is handed as it is."""
    interface, recipe, parameters = told["interface"], told["recipe"], told["parameters"]
    privacy = PrivacySpec.model_validate(told["privacy"]) if told.get("privacy") else None
    hardening = HardeningSpec.model_validate(told["hardening"]) if told.get("hardening") else None

    def learn(table: pa.Table, seed: int) -> Predictor:
        answers = learn_anew(table, interface, recipe, parameters, seed, hardening, privacy)
        return FunctionPredictor(lambda features: answers(features.numbers, features.strings))

    without = ", without its mitigation" if told.get("mitigated") else ""
    return Teach(words=f"the recipe {recipe} with the parameters of the model{without}", learn=learn, told=told)
