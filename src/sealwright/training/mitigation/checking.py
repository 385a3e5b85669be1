"""Does the mitigation fit the task, the features and the groups? Said before anything is trained."""

from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.kernel import InvalidInput, MissingExtra
from sealwright.training.errors import UntrainableData
from sealwright.training.mitigation.groups import GroupKey
from sealwright.training.mitigation_spec import BINARY_ONLY, MitigationSpec
from sealwright.training.packing import Shape

__all__ = ["check_mitigation"]


def check_mitigation(
    spec: MitigationSpec, shape: Shape, key: GroupKey, groups: NDArray[np.int32], target: NDArray[Any]
) -> None:
    """Return if the method can be carried out.

    Raises
    ------
    InvalidInput
        The method does not fit the task, or asks for groups that the model does not get.
    UntrainableData
        A group lacks an outcome that the constraint compares.
    MissingExtra
        What the method needs is not installed.
    """
    if spec.method == "exponentiated_gradient" and find_spec("fairlearn") is None:
        raise MissingExtra("training.mitigation.method exponentiated_gradient", "assure")
    if spec.method in BINARY_ONLY and shape.task != "binary":
        raise InvalidInput(
            f"training.mitigation.method {spec.method} is for two classes; this target is {shape.task}.\n"
            "Use reweighing or resampling, or decorrelate with recipe: logistic."
        )
    features = {*shape.numbers, *shape.strings}
    hidden = [one.name for one in key.attributes if one.name not in features]
    if spec.method == "thresholds" and hidden:
        raise InvalidInput(
            f"The method thresholds decides by group, so the model must be told {', '.join(hidden)}, which is no feature.\n"
            "Use another method: all others ask for the group in training only."
        )
    if spec.method != "exponentiated_gradient" or spec.constraint == "demographic_parity":
        return
    positive = shape.classes.index(str(shape.positive))
    for group, name in enumerate(key.names):
        outcomes = set(np.unique(target[groups == group] == positive).tolist())
        if True not in outcomes or (spec.constraint == "equalised_odds" and len(outcomes) < 2):
            raise UntrainableData(
                f"In the group {name} no training row has an outcome that {spec.constraint} compares.\n"
                "Use constraint: demographic_parity, or groups with more rows."
            )
