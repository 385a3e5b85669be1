"""An estimator somebody holds, trained anew on other rows: a clone of it, its settings as they are.

Answers: how is a model like this one made?
Does not answer: for a module, a function or a file, which do not say how they were trained.
"""

from typing import Any

import numpy as np
import pyarrow as pa

from sealwright.assurance.elsewhere.given_model import GivenModel, Native
from sealwright.assurance.features import pack, true_classes, true_values
from sealwright.assurance.interface import Interface
from sealwright.assurance.predictor import Predictor
from sealwright.assurance.spec import class_text
from sealwright.assurance.teaching import Teach

__all__ = ["given_teaching"]


def given_teaching(model: Any, rows: Native, interface: Interface) -> Teach | None:
    """How clones of a scikit-learn estimator are trained; None for anything else."""
    if not (hasattr(model, "fit") and hasattr(model, "get_params")):
        return None
    own = getattr(model, "classes_", None)
    outcomes = None if own is None else np.asarray(own)

    def learn(table: pa.Table, seed: int) -> Predictor:
        from sklearn.base import clone  # the model is one of scikit-learn's, so it is there

        fresh = clone(model)
        if "random_state" in fresh.get_params():
            fresh.set_params(random_state=seed % 2**32)
        features = rows.native(pack(table, interface))
        if interface.task == "regression":
            fresh.fit(features, true_values(table, interface))
        else:
            places = true_classes(table, interface)
            fresh.fit(features, places if outcomes is None else outcomes[_order(outcomes, interface)[places]])
        return GivenModel(fresh, rows, interface.task, interface.classes)

    return Teach(words=f"a clone of this {type(model).__name__}", learn=learn)


def _order(outcomes: Any, interface: Interface) -> Any:
    """Where each class of the interface stands among the model's own."""
    own = [class_text(one) for one in outcomes.tolist()]
    return np.array([own.index(name) for name in interface.classes])
