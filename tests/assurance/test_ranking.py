"""Areas agree with scikit-learn, and their uncertainty with DeLong's formula and with the jackknife."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, precision_recall_curve, r2_score, roc_auc_score

from sealwright.assurance.interface import read_interface
from sealwright.assurance.ranking import average_precision, pr_curve, precision_replicates, roc_area, roc_curve
from sealwright.assurance.scores import headline, paired_drop


@st.composite
def ranked_rows(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Truth with both classes, and scores with many ties."""
    n = draw(st.integers(4, 60))
    truth = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    truth[:2] = True, False
    score = np.array(draw(st.lists(st.integers(0, 8), min_size=n, max_size=n))) / 8
    return truth, score


@given(ranked_rows())
def test_areas_are_those_of_scikit_learn(rows: tuple[np.ndarray, np.ndarray]) -> None:
    truth, score = rows
    area = roc_area(truth, score)
    assert area is not None
    assert area.value == pytest.approx(roc_auc_score(truth, score))
    assert average_precision(truth, score) == pytest.approx(average_precision_score(truth, score))


@given(ranked_rows())
def test_the_order_of_rows_and_any_rising_scale_leave_the_area_alone(rows: tuple[np.ndarray, np.ndarray]) -> None:
    truth, score = rows
    turned = roc_area(truth[::-1], np.exp(3 * score[::-1]))
    assert turned is not None
    assert turned.value == pytest.approx(roc_area(truth, score).value)
    assert roc_area(~truth, -score).value == pytest.approx(turned.value)


@given(ranked_rows())
def test_the_error_is_that_of_delong(rows: tuple[np.ndarray, np.ndarray]) -> None:
    truth, score = rows
    above, below = score[truth], score[~truth]
    wins = (above[:, None] > below) + 0.5 * (above[:, None] == below)
    m, k = wins.shape
    if min(m, k) < 2:
        return
    variance = wins.mean(axis=1).var(ddof=1) / m + wins.mean(axis=0).var(ddof=1) / k
    assert roc_area(truth, score).error == pytest.approx(np.sqrt(variance))


def test_one_class_has_no_area() -> None:
    assert roc_area(np.array([True, True]), np.array([0.1, 0.2])) is None


@given(ranked_rows(), st.integers(0, 2**32))
def test_a_resample_counts_rows_as_weights(rows: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    truth, score = rows
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(truth.size, np.full(truth.size, 1 / truth.size), size=5).astype(float)
    counts[:, 0] += 1  # keep a positive in every resample
    found = precision_replicates(truth, score, counts)
    expected = [average_precision_score(truth, score, sample_weight=weights) for weights in counts]
    assert np.allclose(found, expected)


def test_curves_keep_their_ends_and_stay_small(rng: np.random.Generator) -> None:
    truth = rng.random(5000) < 0.3
    score = truth + rng.normal(size=5000)
    fpr, tpr = roc_curve(truth, score, most_points=100)
    assert fpr.size <= 100
    assert (fpr[0], tpr[0], fpr[-1], tpr[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(tpr, fpr) == pytest.approx(roc_auc_score(truth, score), abs=2e-3)
    recall, precision = pr_curve(truth, score, most_points=100)
    known = precision_recall_curve(truth, score)
    assert recall.size <= 100
    assert recall[-1] == 1
    assert precision[-1] == pytest.approx(known[0][0])


_REGRESSION = {"format": 1, "task": "regression", "target": "y", "numbers": [{"name": "x", "type": "number"}]}
_CLASSES = _REGRESSION | {"task": "multiclass", "classes": ["a", "b", "c"]}


def _jackknife_error(statistic, n: int) -> float:
    left_out = np.array([statistic(np.delete(np.arange(n), row)) for row in range(n)])
    return float(np.sqrt((n - 1) / n * np.sum((left_out - left_out.mean()) ** 2)))


def test_r_squared_and_its_error(rng: np.random.Generator) -> None:
    interface = read_interface(_REGRESSION)
    truth = rng.normal(50, 10, size=300)
    outputs = truth + rng.normal(0, 6, size=300)
    score = headline(interface, truth, outputs)
    assert score.value == pytest.approx(r2_score(truth, outputs))
    expected = _jackknife_error(lambda rows: r2_score(truth[rows], outputs[rows]), 300)
    assert score.error == pytest.approx(expected, rel=0.03)
    assert headline(interface, np.full(5, 2.0), np.arange(5.0)) is None


def test_the_area_of_three_classes_and_its_error(rng: np.random.Generator) -> None:
    interface = read_interface(_CLASSES)
    truth = rng.integers(0, 3, size=300)
    raw = rng.normal(size=(300, 3)) + 1.2 * np.eye(3)[truth]
    outputs = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    score = headline(interface, truth, outputs)
    assert score.value == pytest.approx(roc_auc_score(truth, outputs, multi_class="ovr"))
    expected = _jackknife_error(lambda rows: headline(interface, truth[rows], outputs[rows]).value, 300)
    assert score.error == pytest.approx(expected, rel=0.03)


def test_a_paired_drop_is_surer_than_two_scores_apart(rng: np.random.Generator) -> None:
    interface = read_interface(_REGRESSION)
    truth = rng.normal(size=400)
    outputs = truth + rng.normal(0, 0.5, size=400)
    before = headline(interface, truth, outputs)
    after = [headline(interface, truth, outputs + rng.normal(0, 0.1, size=400)) for _ in range(4)]
    drop, (low, high) = paired_drop(before, after, 0.95)
    assert low <= drop <= high
    assert high - low < 2 * 1.96 * before.error
    assert paired_drop(before, [before, before], 0.95) == (0.0, (0.0, 0.0))
