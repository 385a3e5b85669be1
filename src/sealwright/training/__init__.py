"""Training in confinement: from rows to an ONNX model and the evidence of how it was made.

Answers: which model do these rows give, by which recipe and search, and does its ONNX form agree with the framework?
Does not answer: is the model good enough or fair; that is `assurance`. Names load on first use.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sealwright.training.anew import Answers, learn_anew
    from sealwright.training.errors import ModelUnusable, RecipeFailed, TrainingLimit, UntrainableData
    from sealwright.training.hardening_spec import HardeningSpec
    from sealwright.training.mitigation_spec import AT_ONE_HALF, BINARY_ONLY, LINEAR_ONLY, METHODS, MitigationSpec
    from sealwright.training.model import PARITY_LIMIT, Parity, TrainingResult
    from sealwright.training.privacy_spec import PRIVATE_RECIPES, PrivacySpec
    from sealwright.training.private_recipes import refuse_missing, refuse_unfit
    from sealwright.training.provenance import BUILD_TYPE, PROVENANCE, provenance_predicate
    from sealwright.training.recipe_code import digest_of_code, files_of_recipe, our_code
    from sealwright.training.service import train
    from sealwright.training.spec import RECIPES, LimitsSpec, SearchSpec, TrainingSpec
    from sealwright.training.training_data import TrainingData

__all__ = [
    "AT_ONE_HALF",
    "Answers",
    "BINARY_ONLY",
    "BUILD_TYPE",
    "LINEAR_ONLY",
    "HardeningSpec",
    "LimitsSpec",
    "METHODS",
    "MitigationSpec",
    "ModelUnusable",
    "PARITY_LIMIT",
    "PRIVATE_RECIPES",
    "PROVENANCE",
    "Parity",
    "PrivacySpec",
    "RECIPES",
    "RecipeFailed",
    "SearchSpec",
    "TrainingData",
    "TrainingLimit",
    "TrainingResult",
    "TrainingSpec",
    "UntrainableData",
    "digest_of_code",
    "files_of_recipe",
    "learn_anew",
    "our_code",
    "provenance_predicate",
    "refuse_missing",
    "refuse_unfit",
    "train",
]

_HOMES = {
    "anew": ("Answers", "learn_anew"),
    "errors": ("ModelUnusable", "RecipeFailed", "TrainingLimit", "UntrainableData"),
    "hardening_spec": ("HardeningSpec",),
    "mitigation_spec": ("AT_ONE_HALF", "BINARY_ONLY", "LINEAR_ONLY", "METHODS", "MitigationSpec"),
    "model": ("PARITY_LIMIT", "Parity", "TrainingResult"),
    "privacy_spec": ("PRIVATE_RECIPES", "PrivacySpec"),
    "private_recipes": ("refuse_missing", "refuse_unfit"),
    "provenance": ("BUILD_TYPE", "PROVENANCE", "provenance_predicate"),
    "recipe_code": ("digest_of_code", "files_of_recipe", "our_code"),
    "service": ("train",),
    "spec": ("RECIPES", "LimitsSpec", "SearchSpec", "TrainingSpec"),
    "training_data": ("TrainingData",),
}
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(name)
    return getattr(importlib.import_module(f"sealwright.training.{_MODULE_OF[name]}"), name)  # noqa: TID251 (lazy door)
