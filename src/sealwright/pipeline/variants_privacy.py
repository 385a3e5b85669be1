"""The project's model with differential privacy, at several epsilons, to be compared with it side by side.

Answers: which trainings show what privacy costs here?
Does not answer: which of them to choose. Nor is comparing free: each of these models spends its epsilon of the privacy budget.
"""

from sealwright.pipeline.project import Project
from sealwright.pipeline.variants import Variant
from sealwright.training import PRIVATE_RECIPES

__all__ = ["privacy_variants"]

_EPSILONS = (0.5, 1.0, 3.0, 8.0)
_DELTA = 1e-5


def privacy_variants(project: Project) -> tuple[Variant, ...]:
    """One way for each epsilon; () for a number as target, which no private recipe learns.

    The project's own recipe where it has a private form, else logistic regression.
    """
    if project.spec.data.task == "regression":
        return ()
    training = project.spec.training
    recipe = training.recipe if training.recipe in PRIVATE_RECIPES else "logistic"
    delta = training.privacy.delta if training.privacy is not None else _DELTA
    fixed = training.params if training.privacy is not None else {}
    return tuple(
        Variant(
            name=f"privacy-{epsilon:g}",
            words=f"{recipe} trained with differential privacy: epsilon {epsilon:g} for one row, delta {delta:g}.",
            training={"recipe": recipe, "params": dict(fixed), "privacy": {"epsilon": epsilon, "delta": delta}},
        )
        for epsilon in _EPSILONS
    )
