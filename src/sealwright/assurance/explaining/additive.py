"""Shapley values of a model that adds up its features, in closed form, from answers alone.

Where f(x) = c + sum of g_i(x_i) on some scale, every definition of a Shapley value gives g_i(x_i) minus the mean of g_i over
the background: for a linear model coefficient times (x - mean) (Lundberg & Lee 2017, corollary 1). Each g_i is read off by
varying one feature of one reference row. That the model does add up is not assumed: the caller checks every row.
"""

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.explaining.model import Attributions
from sealwright.assurance.explaining.scale import Link, linked
from sealwright.assurance.features import Features
from sealwright.assurance.unexplained import CannotExplain

__all__ = ["additive_attributions"]


def additive_attributions(case: Case, rows: Features, background: Features, link: Link) -> Attributions:
    """Closed-form Shapley values on the scale of `link`.

    Raises
    ------
    CannotExplain
        An answer is infinite on that scale.
    """
    names, place = case.interface.names, case.positive if case.task == "binary" else 0
    both, n = _joined(rows, background), len(rows)
    outputs = linked(case.predict(both), link, place)
    if not np.isfinite(outputs).all():
        raise CannotExplain("some answers are infinite on the log-odds scale")
    middle = int(np.argmin(np.abs(outputs - np.median(outputs, axis=0)).sum(axis=1)))
    reference = both.take(np.full(len(both), middle))
    phi = np.empty((n, outputs.shape[1], len(names)))
    for feature in range(len(names)):
        moved = linked(case.predict(reference.with_column(feature, both.column(feature))), link, place)
        if not np.isfinite(moved).all():
            raise CannotExplain("some answers are infinite on the log-odds scale")
        phi[:, :, feature] = moved[:n] - moved[n:].mean(axis=0)
    outcomes = (place,) if link == "logit" else tuple(range(outputs.shape[1]))
    base = outputs[n:].mean(axis=0)
    words = "closed form of a model that adds up its features"
    return Attributions(phi=phi, base=base, link=link, outcomes=outcomes, method=words)


def _joined(one: Features, other: Features) -> Features:
    return Features(
        numbers=np.concatenate([one.numbers, other.numbers]), strings=np.concatenate([one.strings, other.strings])
    )
