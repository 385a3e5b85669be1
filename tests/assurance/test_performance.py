"""Performance findings agree with scikit-learn, on our own predictions and on real models."""

import numpy as np
import pytest
from sklearn import metrics

from sealwright.assurance import OnnxPredictor, pack, read_interface


def _predictions(trained) -> np.ndarray:
    interface = read_interface(trained.interface)
    return OnnxPredictor(trained.model, interface).predict(pack(trained.test, interface))


def test_two_classes_agree_with_scikit_learn(german) -> None:
    outputs, classes = _predictions(german), german.interface["classes"]
    truth = np.array(german.test["outcome"].to_pylist()) == "good"
    p = outputs[:, classes.index("good")]
    chosen = p >= 0.5
    expected = {
        "roc_auc": metrics.roc_auc_score(truth, p),
        "pr_auc": metrics.average_precision_score(truth, p),
        "accuracy": metrics.accuracy_score(truth, chosen),
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, chosen),
        "precision": metrics.precision_score(truth, chosen),
        "recall": metrics.recall_score(truth, chosen),
        "f1": metrics.f1_score(truth, chosen),
        "brier": metrics.brier_score_loss(truth, p),
        "log_loss": metrics.log_loss(truth, p),
        "baseline_score": truth.mean(),
        "gain_over_baseline": metrics.accuracy_score(truth, chosen) - truth.mean(),
    }
    judged = german.judge("performance")
    for name, value in expected.items():
        found = judged.one(f"performance.{name}")
        assert found.value == pytest.approx(value, abs=1e-6), name
        assert found.low <= found.value <= found.high, name
        assert found.low < found.high, name


def test_three_classes_agree_with_scikit_learn(wine) -> None:
    outputs, classes = _predictions(wine), wine.interface["classes"]
    outputs = outputs / outputs.sum(axis=1, keepdims=True)  # float32 sums miss 1 by a little
    truth = np.array(wine.test["outcome"].to_pylist())
    chosen = np.array(classes)[outputs.argmax(axis=1)]
    expected = {
        "roc_auc": metrics.roc_auc_score(truth, outputs, multi_class="ovr", labels=classes),
        "accuracy": metrics.accuracy_score(truth, chosen),
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, chosen),
        "macro_f1": metrics.f1_score(truth, chosen, average="macro"),
        "log_loss": metrics.log_loss(truth, outputs, labels=classes),
    }
    judged = wine.judge("performance")
    for name, value in expected.items():
        found = judged.one(f"performance.{name}")
        assert found.value == pytest.approx(value, abs=1e-6), name
        assert found.low <= found.value <= found.high, name
    matrix = judged.figure("performance.confusion")
    assert np.array_equal([row.y for row in matrix.series], metrics.confusion_matrix(truth, chosen, labels=classes))


def test_numbers_agree_with_scikit_learn(diabetes) -> None:
    outputs = _predictions(diabetes)
    truth = diabetes.test["outcome"].to_numpy()
    learned = diabetes.train["outcome"].to_numpy()
    expected = {
        "r2": metrics.r2_score(truth, outputs),
        "mae": metrics.mean_absolute_error(truth, outputs),
        "rmse": metrics.root_mean_squared_error(truth, outputs),
        "baseline_score": metrics.root_mean_squared_error(truth, np.full_like(truth, learned.mean())),
    }
    judged = diabetes.judge("performance")
    for name, value in expected.items():
        assert judged.one(f"performance.{name}").value == pytest.approx(value, rel=1e-6), name
    for name in ("r2", "mae", "rmse", "gain_over_baseline", "overfit_gap"):
        found = judged.one(f"performance.{name}")
        assert found.low < found.value < found.high, name
    left = {item.check for item in judged["performance"].not_performed if item.applicable}
    assert left == {"performance.resampled_score", "performance.learning_curve"}  # these train, at full depth


def _naive_calibration_error(p: np.ndarray, truth: np.ndarray) -> float:
    total = 0.0
    for low in np.arange(10) / 10:
        inside = (p >= low) & ((p < low + 0.1) | ((low == 0.9) & (p == 1)))
        if inside.any():
            total += inside.mean() * abs(p[inside].mean() - truth[inside].mean())
    return total


def test_the_calibration_error_is_the_textbook_one_and_does_not_accuse_an_honest_model(scored) -> None:
    accused, shown = 0, []
    for seed in range(80):
        rng = np.random.default_rng(seed)
        p = rng.integers(0, 256, 300) / 256
        truth = rng.random(300) < p  # these probabilities are true
        found = scored(truth, p).judge("performance").one("performance.calibration_error")
        assert found.value == pytest.approx(_naive_calibration_error(p, truth))
        assert found.low <= found.value <= found.high
        accused += found.low > 0
        shown.append(found.value)
    assert accused <= 6  # one in forty is expected
    by_chance = float(found.note.partition("about ")[2].split()[0])
    assert by_chance == pytest.approx(np.mean(shown), rel=0.1)


def test_a_boastful_model_is_found_out(scored, rng: np.random.Generator) -> None:
    truth = rng.random(2000) < 0.5
    boast = np.where(rng.random(2000) < 0.7, truth, ~truth)  # right in 70 %, and always sure
    found = scored(truth, np.where(boast, 0.99, 0.01)).judge("performance").one("performance.calibration_error")
    assert found.value == pytest.approx(0.29, abs=0.03)
    assert found.low > 0.2


def test_a_useless_model_does_not_beat_the_simplest_guess(scored, rng: np.random.Generator) -> None:
    judged = scored(rng.random(400) < 0.7, rng.random(400)).judge("performance")
    area = judged.one("performance.roc_auc")
    assert area.low < 0.5 < area.high
    assert judged.one("performance.gain_over_baseline").high < 0
    assert judged.one("performance.distinct_predictions").value > 300


def test_a_constant_model_is_named_and_judged(scored) -> None:
    judged = scored([0, 1, 1, 1] * 20, np.full(80, 0.8)).judge("performance", "robustness", "explanation")
    found = judged.one("performance.distinct_predictions")
    assert (found.value, found.note) == (1, "the model gives every row the same prediction")
    assert judged.one("performance.roc_auc").value == 0.5
    assert judged.one("performance.gain_over_baseline").value == 0
    assert judged.one("robustness.noise_score_drop").value == 0


def test_nothing_decided_positive_leaves_precision_undefined(scored, rng: np.random.Generator) -> None:
    judged = scored(rng.random(100) < 0.3, rng.random(100) * 0.4).judge("performance")
    assert judged.why("performance.precision") == "no row was decided positive"
    assert judged.one("performance.recall").value == 0
    assert judged.one("performance.f1").value == 0


@pytest.mark.parametrize("only", [0, 1])
def test_one_outcome_in_the_test_rows_is_said_not_guessed(scored, only: int) -> None:
    rows = scored([only] * 60, np.linspace(0, 1, 60))
    judged = rows.judge("quality", "performance", "robustness", "explanation")
    for check in ("performance.roc_auc", "performance.pr_auc", "performance.overfit_gap", "explanation.importance"):
        assert "one single outcome" in judged.why(check)
    assert "one single outcome" in judged.why("performance.balanced_accuracy")
    assert "one single outcome" in judged.why("robustness.noise_score_drop")
    assert judged.one("performance.accuracy").n == 60
    assert judged.one("robustness.noise_flip_share").n == 60


def test_a_memorising_model_shows_a_gap(german, scored, rng: np.random.Generator) -> None:
    gap = german.judge("performance").one("performance.overfit_gap")
    assert gap.low > 0.1
    honest = scored(rng.random(300) < 0.5, rng.random(300)).judge("performance").one("performance.overfit_gap")
    assert honest.low < 0 < honest.high


def test_the_threshold_of_the_project_decides(scored, rng: np.random.Generator) -> None:
    truth, score = rng.random(200) < 0.5, rng.random(200)
    found = scored(truth, score).judge("performance", spec={"threshold": 0.8}).one("performance.accuracy")
    assert found.value == pytest.approx(np.mean((score >= 0.8) == truth))


def test_a_target_that_never_varies_leaves_r_squared_undefined(guessed, rng: np.random.Generator) -> None:
    judged = guessed(np.full(50, 3.0), rng.normal(3, 1, 50)).judge("performance", "fairness", "robustness")
    assert "the same in every test row" in judged.why("performance.r2")
    assert "training mean" in judged.why("performance.gain_over_baseline")
    assert judged.one("performance.mae").value > 0


def test_large_numbers_do_not_cancel(guessed, rng: np.random.Generator) -> None:
    truth = 1e9 + rng.normal(0, 1, 400)
    judged = guessed(truth - 1e9, truth - 1e9 + rng.normal(0, 0.5, 400)).judge("performance")
    shifted = guessed(truth, np.full(400, 1e9)).judge("performance")
    assert judged.one("performance.r2").value == pytest.approx(0.75, abs=0.08)
    assert abs(shifted.one("performance.r2").value) < 0.02
