"""Training in confinement: from rows to an ONNX model and the evidence of how it was made.

Answers: which model do these rows give, by which recipe and search, and does its ONNX form agree with the framework?
Does not answer: is the model good enough or fair; that is `assurance`. Names load on first use.
"""

from typing import TYPE_CHECKING

from sealwright.kernel import front_door

if TYPE_CHECKING:
    from sealwright.training.anew import Answers as Answers
    from sealwright.training.anew import learn_anew as learn_anew
    from sealwright.training.errors import ModelUnusable as ModelUnusable
    from sealwright.training.errors import RecipeFailed as RecipeFailed
    from sealwright.training.errors import TrainingLimit as TrainingLimit
    from sealwright.training.errors import UntrainableData as UntrainableData
    from sealwright.training.hardening_spec import HardeningSpec as HardeningSpec
    from sealwright.training.mitigation_spec import AT_ONE_HALF as AT_ONE_HALF
    from sealwright.training.mitigation_spec import BINARY_ONLY as BINARY_ONLY
    from sealwright.training.mitigation_spec import LINEAR_ONLY as LINEAR_ONLY
    from sealwright.training.mitigation_spec import METHODS as METHODS
    from sealwright.training.mitigation_spec import MitigationSpec as MitigationSpec
    from sealwright.training.model import PARITY_LIMIT as PARITY_LIMIT
    from sealwright.training.model import Parity as Parity
    from sealwright.training.model import TrainingResult as TrainingResult
    from sealwright.training.privacy_spec import PRIVATE_RECIPES as PRIVATE_RECIPES
    from sealwright.training.privacy_spec import PrivacySpec as PrivacySpec
    from sealwright.training.private_recipes import refuse_missing as refuse_missing
    from sealwright.training.private_recipes import refuse_unfit as refuse_unfit
    from sealwright.training.provenance import BUILD_TYPE as BUILD_TYPE
    from sealwright.training.provenance import PROVENANCE as PROVENANCE
    from sealwright.training.provenance import provenance_predicate as provenance_predicate
    from sealwright.training.recipe_code import digest_of_code as digest_of_code
    from sealwright.training.recipe_code import files_of_recipe as files_of_recipe
    from sealwright.training.recipe_code import our_code as our_code
    from sealwright.training.service import train as train
    from sealwright.training.spec import RECIPES as RECIPES
    from sealwright.training.spec import LimitsSpec as LimitsSpec
    from sealwright.training.spec import SearchSpec as SearchSpec
    from sealwright.training.spec import TrainingSpec as TrainingSpec
    from sealwright.training.training_data import TrainingData as TrainingData
else:
    __getattr__, __dir__, __all__ = front_door(__name__)
