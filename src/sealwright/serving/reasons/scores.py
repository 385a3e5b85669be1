"""From the sums inside a model to its answers, and which sum stands for which class.

Answers: what are the probabilities of these sums, which sum is explained, and in which unit?
Does not answer: whether a model was read rightly. `explainer` holds both against the model, for each row.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sealwright.registry import Linear, Link, Trees
from sealwright.serving.reasons.model import Unit

__all__ = ["CLOSE", "answers_of", "one_sum", "unit_of"]

Floats = NDArray[np.float64]
CLOSE = 1e-4  # how far sums may be from scores, and probabilities from the model's own, in units of each


def one_sum(core: Linear | Trees, link: Link) -> Linear | Trees:
    """Of two classes told by two sums, the difference for the second class: its log-odds, or its share."""
    if isinstance(core, Linear):
        if core.weights.shape[1] != 2 or link == "value":
            return core
        pair = np.array([-1.0, 1.0]) if link == "softmax" else np.array([0.0, 1.0])
        return Linear(weights=(core.weights @ pair)[:, None], constant=np.array([core.constant @ pair]))
    base = np.asarray(core.model["base_offset"], dtype=np.float64).reshape(-1)
    if base.size != 2 or link == "value":
        return core
    pair = np.array([-1.0, 1.0]) if link == "softmax" else np.array([0.0, 1.0])
    trees = [{**tree, "values": (tree["values"] @ pair)[:, None]} for tree in core.model["trees"]]
    return replace(core, model={**core.model, "trees": trees, "base_offset": np.array([base @ pair])})


def answers_of(scores: Floats, link: Link, classes: int) -> Floats:
    """Probabilities (n, classes), or values (n, 1), of sums of shape (n, scores)."""
    if link == "value":
        return scores
    if scores.shape[1] == 1 and classes == 2:
        second = scores[:, 0] if link == "shares" else _logistic(scores[:, 0])
        return np.column_stack([1 - second, second])
    if link == "softmax":
        raised = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True))
    return _logistic(scores) if link == "logistic" else scores


def unit_of(link: Link, scores: int) -> Unit:
    """What one unit of a contribution is. Sums before a softmax of several classes are no log-odds of one of them."""
    if link == "value":
        return "value"
    if link == "shares":
        return "share"
    return "log-odds" if scores == 1 else "score"


def _logistic(x: Floats) -> Floats:
    small = np.exp(-np.abs(x))  # never overflows
    return np.asarray(np.where(x >= 0, 1 / (1 + small), small / (1 + small)))
