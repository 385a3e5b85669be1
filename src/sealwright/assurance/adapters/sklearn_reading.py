"""A model of an array of numbers opened up: linear models, trees, forests and boosted trees, with a scaler in front or not.

Linear models, trees and forests are read from scikit-learn's own attributes; boosted trees, of XGBoost and LightGBM
too, through shap.
"""

from typing import Any

import numpy as np

from sealwright.assurance.adapters.estimator_trees import estimator_trees
from sealwright.assurance.adapters.leaves import leaves_of
from sealwright.assurance.certified.reading import Reading
from sealwright.assurance.unexplained import CannotExplain
from sealwright.registry import Linear, Link, Source, Unreadable

__all__ = ["read_sklearn"]

_LINEAR = {"LogisticRegression", "LinearRegression", "Ridge"}
_FORESTS = {"RandomForestClassifier", "ExtraTreesClassifier", "RandomForestRegressor", "ExtraTreesRegressor"}
_TREES = {"DecisionTreeClassifier", "DecisionTreeRegressor"}
_BOOSTED = {
    "GradientBoostingClassifier",
    "GradientBoostingRegressor",
    "HistGradientBoostingClassifier",
    "HistGradientBoostingRegressor",
    "LGBMClassifier",
    "LGBMRegressor",
    "XGBClassifier",
    "XGBRegressor",
}
_MAKERS = ("sklearn.", "lightgbm.", "xgboost.")


def read_sklearn(model: Any, task: str, order: list[int] | None) -> Reading:
    """Read a fitted estimator, or a pipeline of scalers that ends in one.

    Parameters
    ----------
    order : list of int or None
        Where each class of the interface stands among the model's own.

    Raises
    ------
    Unreadable
        It is of no kind that is read here.
    """
    steps = [step for _, step in model.steps] if type(model).__name__ == "Pipeline" else [model]
    final, kind = steps[-1], type(steps[-1]).__name__
    if not type(final).__module__.startswith(_MAKERS) or kind not in _LINEAR | _FORESTS | _TREES | _BOOSTED:
        raise Unreadable(f"a {kind} is not opened up here")
    columns = tuple(Source(kind="number", place=place) for place in range(int(model.n_features_in_)))
    for step in steps[:-1]:
        columns = _scaled(step, columns)
    links: tuple[Link, ...] = ("value",) if task == "regression" else ("softmax", "logistic", "shares")
    if kind in _BOOSTED:
        core = leaves_of(_boosted(final, order), len(columns))
        return Reading(words=f"{core.first.size} boosted trees", columns=columns, core=core, links=links)
    if kind in _LINEAR:
        weights, start = np.atleast_2d(final.coef_).T, np.atleast_1d(final.intercept_)
        if weights.shape[1] == 1 and order == [1, 0]:
            weights, start = -weights, -start
        elif weights.shape[1] > 1 and order is not None:
            weights, start = weights[:, order], start[order]
        return Reading(
            words="a linear function", columns=columns, core=Linear(weights=weights, constant=start), links=links
        )
    trees = [one.tree_ for one in final.estimators_] if kind in _FORESTS else [final.tree_]
    told = [_told(tree, task, order, 1 / len(trees)) for tree in trees]
    core = leaves_of({"trees": told, "base_offset": np.zeros(told[0]["values"].shape[1])}, len(columns))
    words = f"{len(trees)} trees" if len(trees) > 1 else "one tree"
    return Reading(words=words, columns=columns, core=core, links=links)


def _scaled(step: Any, columns: tuple[Source, ...]) -> tuple[Source, ...]:
    kind, width = type(step).__name__, len(columns)
    if kind == "StandardScaler":
        centre = step.mean_ if step.with_mean else np.zeros(width)
        factor = 1 / step.scale_ if step.with_std else np.ones(width)
    elif kind == "MinMaxScaler" and not step.clip:
        factor = step.scale_
        centre = -step.min_ / factor
    else:
        raise Unreadable(f"a {kind} in front of the model is not opened up here")
    if any((one.centre, one.factor) != (0.0, 1.0) for one in columns):
        raise Unreadable("two scalers in a row are not opened up here")
    return tuple(
        Source(kind="number", place=place, centre=float(c), factor=float(f))
        for place, (c, f) in enumerate(zip(centre, factor, strict=True))
    )


def _boosted(model: Any, order: list[int] | None) -> dict[str, Any]:
    """Trees that add up to log-odds, one score for two classes, as `leaves_of` takes them."""
    try:
        read = estimator_trees(model)
    except CannotExplain as why:
        raise Unreadable(str(why)) from None
    width = read["base_offset"].size
    turned = -1.0 if width == 1 and order == [1, 0] else 1.0
    places = list(range(width)) if width == 1 or order is None else order
    trees = [tree | {"values": turned * tree["values"][:, places]} for tree in read["trees"]]
    return {"trees": trees, "base_offset": turned * read["base_offset"][places]}


def _told(tree: Any, task: str, order: list[int] | None, share: float) -> dict[str, Any]:
    """One tree as `leaves_of` takes it."""
    left, right = tree.children_left, tree.children_right
    to_left = getattr(tree, "missing_go_to_left", np.zeros(tree.node_count, dtype=np.uint8)).astype(np.bool_)
    values = tree.value[:, 0, :]
    scores = values[:, :1] if task == "regression" else (values / values.sum(axis=1, keepdims=True))[:, order]
    return {
        "children_left": left,
        "children_right": right,
        "children_default": np.where(to_left, left, right),
        "features": tree.feature,
        "thresholds": tree.threshold,
        "values": scores * share,
    }
