"""The trees inside an estimator, read by shap: scikit-learn, XGBoost, LightGBM and what else it knows.

shap is imported on first use, for reading only. Its own values for trees against background rows take a hundred times as long
on deep trees, and it reads categories of scikit-learn's histogram boosting as numbers without a word (shap issue 3436), which
only adding up finds out: `explaining.attribution` does.
"""

import warnings
from typing import Any

import numpy as np

from sealwright.assurance.unexplained import CannotExplain

__all__ = ["estimator_trees"]


def estimator_trees(model: Any) -> dict[str, Any]:
    """Trees in the dictionary form of shap, with "input_dtype", the type in which they compare.

    Raises
    ------
    CannotExplain
        shap is not installed, does not know the model, or its trees ask for categories.
    """
    try:
        import shap  # takes seconds to import
    except ModuleNotFoundError:
        raise CannotExplain(
            "its trees are read by shap, which is not installed: pip install 'sealwright[assure]'"
        ) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read = shap.TreeExplainer(model, model_output="raw").model
    except Exception as error:  # shap raises whatever it met  # noqa: BLE001
        raise CannotExplain(f"shap reads no trees in it: {' '.join(str(error).split())[:120]}") from None
    kinds = getattr(read, "threshold_types", None)
    if kinds is not None and np.any(np.asarray(kinds) > 0):  # -1 marks leaves of LightGBM
        raise CannotExplain("its trees ask for categories")
    trees = []
    for place in range(len(read.num_nodes)):
        here = slice(0, int(read.num_nodes[place]))
        trees.append(
            {
                "children_left": read.children_left[place, here],
                "children_right": read.children_right[place, here],
                "children_default": read.children_default[place, here],
                "features": read.features[place, here],
                "thresholds": np.asarray(read.thresholds[place, here], dtype=np.float64),
                "values": np.asarray(read.values[place, here], dtype=np.float64),
            }
        )
    base = np.broadcast_to(np.asarray(read.base_offset, dtype=np.float64).ravel(), (trees[0]["values"].shape[1],))
    return {"trees": trees, "base_offset": base, "input_dtype": read.input_dtype}
