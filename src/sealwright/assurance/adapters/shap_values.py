"""Shapley values of trees by shap.

shap is imported on first use. Its own additivity check is switched off, since it passes on wrong values (shap issue 3436):
`explaining.attribution` checks every row itself.
"""

import warnings
from typing import Any

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.explaining.model import CannotExplain

__all__ = ["tree_values"]


def tree_values(model: Any, background: Floats, matrix: Floats) -> tuple[Floats, Floats]:
    """Interventional Shapley values of trees on their raw scale: phi (n, outputs, columns) and base (outputs,).

    Parameters
    ----------
    model : object
        An estimator shap knows, or trees in its dictionary form.

    Raises
    ------
    CannotExplain
        shap cannot read it.
    """
    import shap  # takes seconds to import

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            explainer = shap.TreeExplainer(
                model, data=background, feature_perturbation="interventional", model_output="raw"
            )
            found = np.asarray(explainer.shap_values(matrix, check_additivity=False), dtype=np.float64)
    except Exception as error:  # shap raises whatever it met  # noqa: BLE001
        raise CannotExplain(f"shap cannot read it: {' '.join(str(error).split())[:120]}") from None
    phi = found[:, None, :] if found.ndim == 2 else found.transpose(0, 2, 1)
    return phi, np.atleast_1d(np.asarray(explainer.expected_value, dtype=np.float64))

