"""Shapley values of tree models that can be read: an estimator, or the trees inside an ONNX graph.

The trees see an encoded matrix, several columns of which may come from one feature; they are one player. Summing the values
of such columns, as is usual, gives something else wherever a tree asks about two of them.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.explaining.columns import owners_of
from sealwright.assurance.explaining.model import Attributions, additivity_error
from sealwright.assurance.explaining.scale import Link
from sealwright.assurance.explaining.tree_shapley import tree_shapley
from sealwright.assurance.features import Features
from sealwright.assurance.predictor import Inside
from sealwright.assurance.unexplained import CannotExplain

__all__ = ["tree_attributions"]

_MOST_CELLS = 50_000_000  # of the encoded matrices: wider encodings are left to methods that need none
_MOST_LEAVES = 100_000
_WORDS = "interventional Tree SHAP, all columns of a feature as one player"


def tree_attributions(case: Case, rows: Features, background: Features, outputs: Floats) -> Attributions:
    """Shapley values on the scale on which the trees add up, chosen by which one leads to the answers `outputs`.

    Raises
    ------
    CannotExplain
        The model cannot be read, or is not made of trees.
    """
    inside = getattr(case.model, "inside", None)
    if inside is None:
        raise CannotExplain("the model is a black box")
    model, matrix = _opened(inside)
    seen, behind = matrix(rows), matrix(background)
    if seen.shape[1] * (len(rows) + len(background)) > _MOST_CELLS:
        raise CannotExplain(f"its encoding has {seen.shape[1]:,} columns")
    owners = owners_of(matrix, _both(rows, background), len(case.interface.names))
    leaves = sum(int((tree["children_left"] < 0).sum()) for tree in model["trees"])
    if leaves > _MOST_LEAVES:
        raise CannotExplain(f"its trees have {leaves:,} leaves")
    phi, base = tree_shapley(model, behind, seen, owners, len(case.interface.names))
    return min(
        _readings(case, phi, base, inside.order),
        key=lambda found: additivity_error(found, outputs),
        default=None,
    ) or _unreadable(phi)


def _opened(inside: Inside) -> tuple[Any, Callable[[Features], Floats]]:
    if inside.kind == "onnx":
        from sealwright.assurance.adapters.onnx_ensemble import onnx_trees  # only for ONNX models

        trees = onnx_trees(inside.model)
        return trees.model, lambda rows: trees.matrix(inside.given(rows))
    from sealwright.assurance.adapters.estimator_trees import estimator_trees  # takes seconds to import

    steps = getattr(inside.model, "steps", None)
    model = estimator_trees(inside.model if steps is None else steps[-1][1])
    before = inside.model[:-1] if steps is not None and len(steps) > 1 else None

    def matrix(rows: Features) -> Floats:
        given = inside.given(rows)
        return _dense(given if before is None else before.transform(given), model["input_dtype"])

    return model, matrix


def _dense(made: Any, kind: Any) -> Floats:
    """A matrix rounded as the trees round it."""
    try:
        return np.asarray(made.toarray() if hasattr(made, "toarray") else made, dtype=kind).astype(np.float64)
    except (TypeError, ValueError):
        raise CannotExplain("the model takes words, not a matrix of numbers") from None


def _readings(case: Case, phi: Floats, base: Floats, order: tuple[int, ...] | None) -> list[Attributions]:
    """What the raw sums could mean: values, log-odds of the second class, or one sum for each class."""
    if case.task == "regression":
        return [_reading(phi, base, "identity", (0,))] if base.size == 1 else []
    classes = len(case.interface.classes)
    if base.size == classes:
        turned = list(order or range(classes))
        links: tuple[Link, ...] = ("identity", "softmax")
        return [_reading(phi[:, turned], base[turned], link, tuple(range(classes))) for link in links]
    if base.size != 1 or classes != 2:
        return []
    second = (order or (0, 1)).index(1)
    sign = 1.0 if second == case.positive else -1.0
    return [
        _reading(sign * phi, sign * base, "logit", (case.positive,)),
        _reading(sign * phi, base if sign > 0 else 1 - base, "identity", (case.positive,)),
    ]


def _reading(phi: Floats, base: Floats, link: Link, outcomes: tuple[int, ...]) -> Attributions:
    return Attributions(phi=phi, base=base, link=link, outcomes=outcomes, method=_WORDS)


def _unreadable(phi: Floats) -> Attributions:
    raise CannotExplain(f"its trees give {phi.shape[1]} sums, which fit no answer of this model")


def _both(one: Features, other: Features) -> Features:
    return Features(
        numbers=np.concatenate([one.numbers, other.numbers]), strings=np.concatenate([one.strings, other.strings])
    )
