"""Areas agree with scikit-learn, and their uncertainty with DeLong's formula and with the jackknife."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, precision_recall_curve, r2_score, roc_auc_score

from sealwright.assurance.interface import read_interface
from sealwright.assurance.intervals import on_logit_scale
from sealwright.assurance.ranking import gain_at, gain_curve, pr_curve, precision_area, roc_area, roc_curve
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
    assert precision_area(truth, score).value == pytest.approx(average_precision_score(truth, score))


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


def test_the_error_of_average_precision_is_that_of_the_jackknife(rng: np.random.Generator) -> None:
    truth = rng.random(400) < 0.3
    score = np.round(truth + rng.normal(size=400), 1)
    area = precision_area(truth, score)
    expected = _jackknife_error(lambda rows: average_precision_score(truth[rows], score[rows]), 400)
    assert area.error == pytest.approx(expected, rel=0.03)
    assert area.influence.mean() == pytest.approx(0, abs=1e-12)


@given(ranked_rows(), st.floats(0.05, 1))
def test_the_gain_takes_a_tie_at_the_cut_in_part(rows: tuple[np.ndarray, np.ndarray], share: float) -> None:
    truth, score = rows
    found = gain_at(truth, score, share)
    at, curve = gain_curve(truth, score, most_points=20_001)
    assert found.value == pytest.approx(np.interp(share, at, curve), abs=1e-3)
    assert gain_at(truth, np.zeros(truth.size), share).value == pytest.approx(share)
    assert gain_at(truth, score, 1.0).value == pytest.approx(1)


def test_the_intervals_of_gain_and_average_precision_hold_as_often_as_they_say() -> None:
    rng = np.random.default_rng(5)

    def draw(n: int) -> tuple[np.ndarray, np.ndarray]:
        truth = rng.random(n) < 0.25
        return truth, 1.3 * truth + rng.normal(size=n)

    whole = draw(400_000)
    true = gain_at(*whole, 0.2).value, precision_area(*whole).value
    held = np.zeros(2)
    for _ in range(600):
        truth, score = draw(300)
        for place, area in enumerate((gain_at(truth, score, 0.2), precision_area(truth, score))):
            low, high = on_logit_scale(area.value, area.error, int(truth.sum()), 0.95)
            held[place] += low <= true[place] <= high
    assert (held / 600 > 0.92).all(), held / 600
    assert (held / 600 < 0.98).all(), held / 600


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
