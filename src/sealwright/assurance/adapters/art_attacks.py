"""Attacks of the Adversarial Robustness Toolbox, put to one row at a time in units of cost.

True labels are always given: without them ART takes the model's own answers, and a wrong one is "attacked" into being
right. ART takes no seed; numpy's global state is set from ours and put back. Two of its attacks start from a generator
nobody can seed, so they get their starting point from here.
"""

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.evasion.asked import Point
from sealwright.assurance.evasion.slopes import Slopes
from sealwright.assurance.features import Features

__all__ = ["boundary", "carlini", "fgsm", "hop_skip_jump", "pgd", "zoo"]

_STARTS = 100  # points drawn to find one that is already decided otherwise
_STEPS = 20
_BEYOND = np.array(
    [1.0, 1.02, 1.1, 1.25, 1.5, 2.0]
)  # an end on the boundary itself is lost when whole numbers are rounded


def fgsm(point: Point, slopes: Slopes, label: int, budgets: tuple[float, ...], _queries: int, _seed: int) -> None:
    """Fast gradient sign method (Goodfellow et al. 2015, arXiv:1412.6572), for each budget per feature."""
    from art.attacks.evasion import FastGradientMethod

    model = _white_box(point, slopes)
    for budget in budgets:
        _finally(point, FastGradientMethod(model, eps=budget), label)
        if point.turned:  # farther would not be cheaper
            return


def pgd(point: Point, slopes: Slopes, label: int, budgets: tuple[float, ...], _queries: int, _seed: int) -> None:
    """Projected gradient descent (Madry et al. 2018, arXiv:1706.06083), for each budget per feature."""
    from art.attacks.evasion.projected_gradient_descent.projected_gradient_descent_numpy import (
        ProjectedGradientDescentNumpy,
    )

    model = _white_box(point, slopes)
    for budget in budgets:
        attack = ProjectedGradientDescentNumpy(
            model, eps=budget, eps_step=2.5 * budget / _STEPS, max_iter=_STEPS, verbose=False
        )
        _finally(point, attack, label)
        if point.turned:
            return


def carlini(point: Point, slopes: Slopes, label: int, _budgets: tuple[float, ...], _queries: int, _seed: int) -> None:
    """Carlini and Wagner's attack for the shortest way (2017, arXiv:1608.04644), Euclidean in units of cost."""
    from art.attacks.evasion import CarliniL2Method

    attack = CarliniL2Method(
        _white_box(point, slopes),
        binary_search_steps=6,
        max_iter=30,
        learning_rate=0.05,
        initial_const=0.1,
        verbose=False,
    )
    _finally(point, attack, label)


def hop_skip_jump(
    point: Point, _slopes: Slopes | None, label: int, _budgets: tuple[float, ...], queries: int, seed: int
) -> Floats | None:
    """HopSkipJump (Chen et al. 2020, arXiv:1904.02144): only asks which class is decided. The last point, if any."""
    from art.attacks.evasion import HopSkipJump

    rounds = max(1, min(40, queries // 150))
    attack = HopSkipJump(
        _black_box(point),
        max_iter=rounds,
        max_eval=max(20, queries // rounds),
        init_eval=min(100, queries // 10),
        verbose=False,
    )
    return _from_start(point, attack, label, seed)


def boundary(
    point: Point, _slopes: Slopes | None, label: int, _budgets: tuple[float, ...], queries: int, seed: int
) -> Floats | None:
    """Boundary attack (Brendel et al. 2018, arXiv:1712.04248): walks along the boundary, only asking which class."""
    from art.attacks.evasion import BoundaryAttack

    attack = BoundaryAttack(
        _black_box(point), targeted=False, max_iter=max(1, queries // 40), num_trial=2, sample_size=10, verbose=False
    )
    return _from_start(point, attack, label, seed)


def zoo(point: Point, _slopes: Slopes | None, label: int, _budgets: tuple[float, ...], queries: int, seed: int) -> None:
    """Zeroth order optimisation (Chen et al. 2017, arXiv:1708.03999): guesses gradients from answers."""
    from art.attacks.evasion import ZooAttack

    attack = ZooAttack(
        _black_box(point),
        max_iter=max(5, queries // (6 * max(1, point.axes.size))),
        learning_rate=0.1,
        binary_search_steps=3,
        initial_const=1.0,
        use_resize=False,
        use_importance=False,
        nb_parallel=max(1, point.axes.size // 2),
        variable_h=0.05,
        verbose=False,
    )
    with _seeded(seed):
        _finally(point, attack, label)


def _finally(point: Point, attack: Any, label: int, **more: Any) -> Floats:
    """Run an attack from the origin and ask about the point it ends at."""
    start = np.zeros((1, point.axes.size), dtype=np.float32)
    with warnings.catch_warnings(), np.errstate(all="ignore"), _quiet():
        warnings.simplefilter("ignore")  # the library's own
        end: Floats = attack.generate(start, y=np.array([label]), **more)
    point.chances(end[0] * _BEYOND[:, None])
    return np.asarray(end[0])


def _from_start(point: Point, attack: Any, label: int, seed: int) -> Floats | None:
    rng = np.random.default_rng(seed)
    drawn = rng.uniform(point.low, point.high, size=(_STARTS, point.axes.size))
    other = np.flatnonzero(np.argmax(point.chances(drawn), axis=1) != label)
    if not other.size:
        return None
    with _seeded(seed):
        return _finally(point, attack, label, x_adv_init=drawn[other[:1]].astype(np.float32))


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    before = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(before)


@contextmanager
def _quiet() -> Iterator[None]:
    """Its log says of every row that could not be turned that the attack failed; a finding says so once."""
    log = logging.getLogger("art")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def _ends(point: Point) -> tuple[float, float]:
    return float(min(point.low.min(), -1e-3)), float(max(point.high.max(), 1e-3))


def _black_box(point: Point) -> Any:
    from art.estimators.classification import BlackBoxClassifier

    classes = len(point.tape.goal.case.interface.classes)
    ask: Callable[[Floats], Floats] = point.chances
    return BlackBoxClassifier(ask, (point.axes.size,), classes, clip_values=_ends(point))


def _white_box(point: Point, slopes: Slopes) -> Any:
    """A classifier of ART over our slopes. Its logits are those of the point itself, possible or not."""
    from art.estimators import BaseEstimator, LossGradientsMixin
    from art.estimators.classification import ClassifierMixin
    from art.estimators.classification.classifier import ClassGradientsMixin

    def looked(x: Floats) -> Features:
        """Every look inside counts as a question."""
        point.tape.queries += len(x)
        return point.wished(x)

    class WhiteBox(ClassGradientsMixin, ClassifierMixin, LossGradientsMixin, BaseEstimator):  # type: ignore[misc]
        """ART's interface also demands fit and save, which no attack calls; here they refuse."""

        def __init__(self) -> None:
            super().__init__(model=None, clip_values=_ends(point))
            self.nb_classes = len(point.tape.goal.case.interface.classes)

        @property
        def input_shape(self) -> tuple[int, ...]:
            return (point.axes.size,)

        def predict(self, x: Floats, batch_size: int = 128, **_more: Any) -> Floats:  # noqa: ARG002
            return slopes.logits(looked(x))

        def fit(self, x: Floats, y: Floats, **_more: Any) -> None:
            raise NotImplementedError("it is attacked, not trained")

        def save(self, filename: str, path: str | None = None) -> None:
            raise NotImplementedError("it is attacked, not kept")

        def class_gradient(self, x: Floats, label: Any = None, **_more: Any) -> Floats:
            every: Floats = slopes.jacobian(looked(x))[:, :, point.axes] * point.unit
            if label is None:
                return np.asarray(every, dtype=np.float32)
            which = np.broadcast_to(np.ravel(label), len(x))
            chosen: Floats = every[np.arange(len(x)), which][:, None]
            return chosen.astype(np.float32)  # as ART computes

        def loss_gradient(self, x: Floats, y: Floats, **_more: Any) -> Floats:
            """Of the cross-entropy, scaled to length one so that a sure model does not round it to zero."""
            rows = looked(x)
            logits = slopes.logits(rows)
            chances = np.exp(logits - logits.max(axis=1, keepdims=True))
            chances /= chances.sum(axis=1, keepdims=True)
            own = np.argmax(y, axis=1)
            pull = chances.copy()
            pull[np.arange(len(x)), own] = 0.0
            pull[np.arange(len(x)), own] = -pull.sum(axis=1)
            pull /= np.maximum(np.abs(pull).max(axis=1, keepdims=True), 1e-300)
            slope = np.einsum("nk,nkd->nd", pull, slopes.jacobian(rows)[:, :, point.axes] * point.unit)
            longest = np.abs(slope).max(axis=1, keepdims=True)
            return np.asarray(slope / np.where(longest > 0, longest, 1.0), dtype=np.float32)

    return WhiteBox()
