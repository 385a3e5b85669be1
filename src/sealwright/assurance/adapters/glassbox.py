"""An explainable boosting machine of the rows learned from (Lou et al. 2013; Nori et al. 2019), by interpret-core.

The library is imported on first use and runs in this process, on one thread, from one seed.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.features import Features
from sealwright.assurance.interface import Interface
from sealwright.kernel import MissingExtra

__all__ = ["GlassBox", "train_glassbox"]

_BAGS = 4  # the library's 14 narrow its bands, which nobody reads here


@dataclass(frozen=True, slots=True)
class GlassBox:
    """A sum of one curve for each feature, and of a few tables for two features."""

    model: Any
    classes: int  # 0 for numbers
    present: NDArray[np.int64]  # class positions it has seen

    def predict(self, features: Features) -> Floats:
        """Probabilities (n, classes), or values (n,)."""
        rows = _mixed(features)
        if not self.classes:
            return np.asarray(self.model.predict(rows), dtype=np.float64)
        chances = np.zeros((len(features), self.classes))
        chances[:, self.present] = self.model.predict_proba(rows)
        return chances

    def terms(self, features: Features) -> tuple[Floats, Floats]:
        """What each term adds, (n, terms) or (n, terms, classes), and the intercept: together the raw score."""
        return np.asarray(self.model.eval_terms(_mixed(features))), np.asarray(self.model.intercept_)

    def raw(self, features: Features) -> Floats:
        """The score the terms add up to: values, or log-odds."""
        ask = self.model.decision_function if self.classes else self.model.predict
        return np.asarray(ask(_mixed(features)), dtype=np.float64)


def train_glassbox(
    features: Features, truth: NDArray[Any], interface: Interface, seed: int, interactions: int
) -> GlassBox:
    """Train on rows and their outcomes (class positions, or values); the same rows and seed give the same model.

    Raises
    ------
    MissingExtra
        interpret-core is not installed.
    """
    try:
        from interpret.glassbox import (  # takes seconds to import
            ExplainableBoostingClassifier,
            ExplainableBoostingRegressor,
        )
    except ModuleNotFoundError:
        raise MissingExtra("The glass-box model", "assure") from None

    kind = ExplainableBoostingRegressor if interface.task == "regression" else ExplainableBoostingClassifier
    classes = len(interface.classes)
    model = kind(
        feature_types=["continuous"] * len(interface.numbers) + ["nominal"] * len(interface.strings),
        outer_bags=_BAGS,
        interactions=0 if classes > 2 else interactions,  # the library has none for more classes
        n_jobs=1,
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(_mixed(features), truth)
    present = np.unique(truth).astype(np.int64) if classes else np.zeros(0, dtype=np.int64)
    return GlassBox(model, classes, present)


def _mixed(features: Features) -> NDArray[Any]:
    """Numbers and texts side by side, as the library takes them."""
    split = features.numbers.shape[1]
    rows = np.empty((len(features), split + features.strings.shape[1]), dtype=object)
    rows[:, :split] = np.where(np.isinf(features.numbers), np.nan, features.numbers.astype(np.float64))
    rows[:, split:] = features.strings
    return rows if features.strings.shape[1] else rows.astype(np.float64)
