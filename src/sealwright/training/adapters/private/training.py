"""Training with differential privacy: from rows to a model, and from a job to ONNX with the record of its guarantee.

The noise of a training comes from the operating system and is not kept: a seed on record would let everybody subtract it.
So the same rows and seed do not give the same model, unlike all other trainings.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.training.adapters.private.forest import learn_forest
from sealwright.training.adapters.private.logistic import learn_logistic
from sealwright.training.adapters.private.made import Asked, Guarantee, Head, PrivateModel
from sealwright.training.adapters.private.naive_bayes import learn_naive_bayes
from sealwright.training.adapters.private.network import learn_network
from sealwright.training.declared import bounded_matrix, declared_encoding, read_declared
from sealwright.training.encoding import Encoding
from sealwright.training.job import Job, Made
from sealwright.training.packed import Packed
from sealwright.training.privacy_spec import PrivacySpec
from sealwright.training.private_recipes import private_parameters, refuse_unfit
from sealwright.training.recipes import Value
from sealwright.training.teachable import check_target

__all__ = ["fit_private", "train_private"]

_Learn = Callable[[Asked, Encoding], tuple[Head, Guarantee, dict[str, float]]]
_LEARN: dict[str, _Learn] = {
    "logistic": learn_logistic,
    "naive_bayes": learn_naive_bayes,
    "forest": learn_forest,
    "network": learn_network,
}
_COVERS = "what the model file says about any one training row"
_NOT_COVERED = (
    "ranges and categories of the contract, if they were taken from these rows",
    "the number of training rows and which classes there are",
    "the other statements about this model and its data, such as assurance, which are measured on the rows themselves",
    "the hold-out rows",
    "several rows of one person, who is protected as far as each of the rows is",
    "other models and statistics made from the same rows: their epsilons add up",
    "weaknesses of floating-point noise and of the generator it is drawn from (PCG64 or torch's, seeded by the system)",
)
_NOTES = (
    (
        "trained with differential privacy: nothing was searched (trials 0) and no cross-validation was made, since both look at"
        " the rows again and would cost privacy"
    ),
    "the noise is drawn from the operating system and not kept: training again gives another model",
)


def train_private(job: Job, progress: Callable[[str, float], None]) -> Made:
    """Train a private recipe.

    Raises
    ------
    UntrainableData, InvalidInput, MissingExtra
        The rows, the contract or what is installed do not allow it.
    """
    assert job.privacy is not None
    privacy = PrivacySpec.model_validate(job.privacy)
    notes = [*check_target(job.task, job.target, job.classes), *_NOTES]
    if privacy.delta * job.rows.rows >= 1:
        notes.append(f"a delta of {privacy.delta:g} with {job.rows.rows:,} rows lets a mechanism publish a whole row")
    progress("training with noise", 0.1)
    model = fit_private(
        job.recipe,
        job.task,
        job.rows,
        job.target,
        classes=len(job.classes),
        declared=job.declared,
        privacy=privacy,
        parameters=job.params,
        noise=np.random.default_rng(),
        seed=job.seed,
    )
    predictions = model.predict(job.holdout)
    progress("writing the model as ONNX", 0.96)
    return Made(
        model=model.export(len(job.number_names), len(job.string_names)),
        predictions=predictions,
        parameters=model.parameters,
        cv={},
        search=[],
        notes=notes,
        privacy=_record(privacy, model.guarantee),
    )


def fit_private(
    recipe: str,
    task: str,
    rows: Packed,
    target: NDArray[Any],
    *,
    classes: int,
    declared: Mapping[str, Any],
    privacy: PrivacySpec,
    parameters: Mapping[str, Value],
    noise: np.random.Generator,
    seed: int,
) -> PrivateModel:
    """Learn a private recipe from rows.

    Parameters
    ----------
    declared : mapping
        The interface document, for ranges and categories.
    noise : Generator
        Whoever knows its seed sees through the noise. A model that leaves the house gets a fresh one.

    Raises
    ------
    InvalidInput
        The target is a number, or a column has neither range nor categories.
    """
    refuse_unfit(recipe, task, declared, parameters)
    contract = read_declared(declared)
    encoding = declared_encoding(contract)
    known = private_parameters(recipe, parameters)
    asked = Asked(
        matrix=bounded_matrix(encoding, rows),
        target=target,
        classes=classes,
        columns=contract.columns,
        numbers=len(contract.numbers),
        epsilon=privacy.epsilon,
        delta=privacy.delta,
        clip=privacy.clip,
        parameters=known,
        noise=noise,
        seed=seed,
    )
    head, guarantee, chosen = _LEARN[recipe](asked, encoding)
    return PrivateModel(
        encoding=encoding, head=head, classes=classes, guarantee=guarantee, parameters={**known, **chosen}
    )


def _record(privacy: PrivacySpec, guarantee: Guarantee) -> dict[str, Any]:
    """The guarantee as it is filed."""
    return {
        "epsilon": privacy.epsilon,
        "delta": privacy.delta,
        **asdict(guarantee),
        "covers": _COVERS,
        "not_covered": list(_NOT_COVERED),
    }
