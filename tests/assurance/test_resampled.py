"""The way of training is judged by folds: the numbers are scikit-learn's, and the words fit planted faults."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score
from sklearn.tree import DecisionTreeClassifier

from sealwright.assurance import Data, leave_one_out_cost
from sealwright.assurance.elsewhere.judging import judge

_FULL = {"suites": ["performance"], "depth": "full", "bootstrap": 200}


def _rows(rng: np.random.Generator, n: int = 400, signal: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    y = (rng.random(n) < 0.5).astype(int)
    return rng.normal(size=(n, 4)) + signal * y[:, None] * [1, 0.5, 0, 0], y


def _judged(model, rng: np.random.Generator, rows=_rows, **spec):
    (x, y), (new, truth) = rows(rng), rows(rng)
    (result,) = judge(model.fit(x, y), new, truth, learned_from=(x, y), settings=_FULL | spec)
    return result


def test_the_score_of_the_folds_is_that_of_scikit_learn(rng: np.random.Generator) -> None:
    from sklearn.model_selection import cross_val_score

    x, y = _rows(rng)
    (result,) = judge(LogisticRegression().fit(x, y), *_rows(rng), learned_from=(x, y), settings=_FULL)
    (found,) = result.find("performance.resampled_score")
    expected = cross_val_score(LogisticRegression(), x, y, cv=5, scoring="roc_auc")
    assert found.value == pytest.approx(expected.mean(), abs=0.01)  # other folds of the same rows
    assert found.low < roc_auc_score(y, x[:, 0]) < found.high or found.low < found.value < found.high
    assert found.n == 400
    assert "hardly overfits" in found.note
    (curve,) = result.find("performance.learning_curve")
    assert curve.low < curve.value < curve.high
    (figure,) = [one for one in result.figures if one.name == "performance.learning_curve"]
    assert figure.series[0].x == (80.0, 160.0, 320.0)


def test_a_tree_that_learns_by_heart_is_said_to_overfit(rng: np.random.Generator) -> None:
    (found,) = _judged(DecisionTreeClassifier(random_state=0), rng).find("performance.resampled_score")
    assert found.note.startswith("overfits: left-out rows take")


def test_no_skill_is_called_so(rng: np.random.Generator) -> None:
    noise = lambda generator: _rows(generator, signal=0.0)  # noqa: E731
    (found,) = _judged(LogisticRegression(), rng, noise).find("performance.resampled_score")
    assert found.note.startswith("no skill that the folds agree on")


def test_a_curve_still_rising_says_that_more_rows_would_help() -> None:
    rng = np.random.default_rng(0)

    def rows(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        x = generator.normal(size=(400, 250))
        return x, x @ np.linspace(1, 2, 250) + generator.normal(size=400)

    result = _judged(Ridge(alpha=1e-3), rng, rows)
    (curve,) = result.find("performance.learning_curve")
    assert curve.low > 0
    assert curve.note.startswith("still rising")
    assert curve.unit == "R2"


def test_it_belongs_to_the_full_assessment_and_needs_the_way_of_training(german, rng: np.random.Generator) -> None:
    assert "depth: full" in german.judge("performance").why("performance.resampled_score")
    why = german.judge("performance", spec={"depth": "full"}).why("performance.learning_curve")
    assert "how this one is trained is not known" in why
    few = lambda generator: (generator.normal(size=(40, 4)), np.arange(40) % 20 == 0)  # noqa: E731
    result = _judged(LogisticRegression(), rng, few)
    (why,) = [one.why for one in result.not_performed if one.check == "performance.resampled_score"]
    assert "rows of the rarest class" in why


def test_the_cost_of_leaving_one_out_is_told_in_seconds(rng: np.random.Generator) -> None:
    x, y = _rows(rng, 200)
    ticks = iter([10.0, 10.5])
    assert leave_one_out_cost(LogisticRegression(), Data(X=x, y=y), lambda: next(ticks)) == (200, 100.0)
    fits, seconds = leave_one_out_cost(Ridge(), Data(X=x, y=y.astype(float)))
    assert fits == 1
    assert seconds < 5


def test_exact_intervals_are_clopper_pearsons_wherever_a_share_is_told(german) -> None:
    from scipy.stats import binomtest

    exact = german.judge("performance", "fairness", "slices", groups=["sex"], spec={"interval": "exact"})
    wilson = german.judge("performance", "fairness", "slices", groups=["sex"])
    for check in ("performance.accuracy", "performance.recall", "performance.specificity", "performance.precision"):
        found = exact.one(check)
        expected = binomtest(round(found.value * found.n), found.n).proportion_ci(0.95, method="exact")
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
        assert wilson.one(check).low > found.low
    women = exact.one("fairness.selection_rate", attribute="sex", level="female")
    expected = binomtest(round(women.value * women.n), women.n).proportion_ci(0.95, method="exact")
    assert (women.low, women.high) == pytest.approx((expected.low, expected.high))
    assert exact["performance"].settings_digest != wilson["performance"].settings_digest
