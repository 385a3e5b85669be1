"""An install without the extra `assure`: what needs it is not performed and says which, and everything else is."""

import sys

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

import sealwright as sw

_EXTRA = (
    "fairlearn",
    "interpret",
    "interpret.glassbox",
    "numba",
    "shap",
    "typst",
)  # pyarrow has looked for pandas already


@pytest.fixture
def lean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _EXTRA:
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.usefixtures("lean")
def test_a_model_is_judged_at_full_depth_without_the_libraries_of_the_extra(rng: np.random.Generator) -> None:
    X = rng.normal(size=(90, 2))
    truth = (X[:, 0] > 0).astype(int)
    few = {"rows": 30, "long_rows": 30, "long_queries": 100, "queries": 20}
    found = sw.assess(
        HistGradientBoostingClassifier(max_iter=3).fit(X, truth),
        X,
        truth,
        learned_from=(X, truth),
        settings={"depth": "full", "suites": ["robustness", "explanation"], "attacks": few},
    )
    why = {one.check: one.why for result in found.results for one in result.not_performed}
    for check in ("robustness.certified_accuracy", "robustness.leaf_hops_flip_share", "explanation.glassbox_gain"):
        assert "sealwright[assure]" in why[check], check
    assert 0 <= found.value("robustness.evasion_robust_accuracy") <= 1
    assert len(found.find("explanation.importance")) == 2
    assert len(found.find("explanation.shapley_importance")) == 2
