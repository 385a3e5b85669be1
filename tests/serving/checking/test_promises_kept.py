"""Corrections, sets, intervals and thresholds keep what they say, on rows they were not learned from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import beta

from sealwright.assurance.conformal import conformal_quantile
from sealwright.kernel import InvalidInput
from sealwright.serving.answer_spec import COVERAGES
from sealwright.serving.checking.accepting import accepted_of, threshold_for, upper_end
from sealwright.serving.checking.calibrating import calibrated, calibration_of
from sealwright.serving.checking.conformal import conformal_of, sets_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def _rows(n: int, seed: int, *, sharpened: float = 1.0, classes: int = 2) -> tuple[Floats, Ints]:
    """Stated probabilities and outcomes; with `sharpened` over 1 the model is surer than it should be."""
    rng = np.random.default_rng(seed)
    logs = rng.normal(size=(n, classes)) * 1.5
    true = np.exp(logs) / np.exp(logs).sum(axis=1, keepdims=True)
    stated = np.exp(logs * sharpened) / np.exp(logs * sharpened).sum(axis=1, keepdims=True)
    truth = (true.cumsum(axis=1) < rng.random(n)[:, None]).sum(axis=1)
    return stated, np.minimum(truth, classes - 1)


def _brier(probabilities: Floats, truth: Ints) -> float:
    hit = np.eye(probabilities.shape[1])[truth]
    return float(((probabilities - hit) ** 2).sum(axis=1).mean())


@pytest.mark.parametrize(("kind", "classes"), [("platt", 2), ("isotonic", 2), ("platt", 4)])
def test_a_model_too_sure_of_itself_is_corrected_on_rows_it_was_not_learned_from(kind: str, classes: int) -> None:
    learned = calibration_of(*_rows(3000, 1, sharpened=3, classes=classes))
    assert learned is not None
    stated, truth = _rows(3000, 2, sharpened=3, classes=classes)
    corrected = calibrated(stated, learned, kind)
    assert _brier(corrected, truth) < _brier(stated, truth) - 0.02
    assert np.allclose(corrected.sum(axis=1), 1)
    told = learned.brier_platt if kind == "platt" else learned.brier_isotonic
    assert told == pytest.approx(_brier(corrected, truth), abs=0.03)  # what the document says of itself
    assert learned.brier > learned.brier_platt


@given(shares=st.lists(st.floats(0, 1), min_size=2, max_size=30), kind=st.sampled_from(["platt", "isotonic"]))
def test_a_correction_never_turns_the_order_of_two_rows(shares: list[float], kind: str) -> None:
    stated = np.array([[1 - share, share] for share in sorted(shares)])
    corrected = calibrated(stated, _CORRECTION, kind)[:, 1]
    assert (np.diff(corrected) >= -1e-12).all()
    assert ((corrected >= 0) & (corrected <= 1)).all()


_FOUND = calibration_of(*_rows(500, 3, sharpened=2))
assert _FOUND is not None
_CORRECTION = _FOUND


def test_a_well_calibrated_model_is_left_nearly_alone() -> None:
    learned = calibration_of(*_rows(5000, 4))
    assert learned is not None
    assert learned.slope == pytest.approx(1, abs=0.1)
    assert learned.shift == pytest.approx(0, abs=0.1)


def test_few_rows_correct_nothing() -> None:
    assert calibration_of(*_rows(99, 1)) is None


@pytest.mark.parametrize("coverage", COVERAGES)
def test_sets_hold_the_truth_as_often_as_they_say(coverage: float) -> None:
    stated, truth = _rows(4000, 5, classes=3)
    limit = conformal_of(1 - stated[np.arange(4000), truth], COVERAGES).limits[f"{coverage:g}"]
    assert limit is not None
    stated, truth = _rows(4000, 6, classes=3)
    held = sets_of(stated, limit)[np.arange(4000), truth].mean()
    assert held == pytest.approx(coverage, abs=0.025)


@given(scores=st.lists(st.floats(0, 1), min_size=1, max_size=60), coverage=st.sampled_from(COVERAGES))
def test_the_limit_is_the_one_the_assurance_judges_by(scores: list[float], coverage: float) -> None:
    ours = conformal_of(np.array(scores), COVERAGES).limits[f"{coverage:g}"]
    theirs = conformal_quantile(np.array(scores), coverage)
    assert (np.inf if ours is None else ours) == theirs


@given(rows=st.integers(1, 400), share=st.floats(0, 1), miss=st.floats(1e-4, 0.2))
def test_the_upper_end_is_that_of_clopper_and_pearson(rows: int, share: float, miss: float) -> None:
    wrong = int(rows * share)
    exact = 1.0 if wrong == rows else beta.ppf(1 - miss, wrong + 1, rows - wrong)
    assert upper_end(wrong, rows, miss) == pytest.approx(exact, abs=1e-6)


def test_the_error_among_told_labels_is_kept_and_the_set_of_one_class_does_not_keep_it() -> None:
    """Coverage of 90 % is not 10 % error among labels that are told because their set has one class."""
    stated, truth = _rows(4000, 7)
    confidence, wrong = stated.max(axis=1), stated.argmax(axis=1) != truth
    limit = conformal_of(1 - stated[np.arange(4000), truth], COVERAGES).limits["0.9"]
    assert limit is not None
    alone = sets_of(stated, limit).sum(axis=1) == 1
    assert wrong[alone].mean() > 0.105
    found = threshold_for(accepted_of(confidence, wrong, 2), 0.1)
    stated, truth = _rows(40_000, 8)
    told = stated.max(axis=1) >= found.confidence
    assert (stated.argmax(axis=1) != truth)[told].mean() <= 0.1
    assert told.mean() > 0.3


def test_the_bound_holds_in_more_runs_than_it_has_to() -> None:
    population, truth_of_all = _rows(100_000, 9)
    sure, wrong_of_all = population.max(axis=1), population.argmax(axis=1) != truth_of_all
    broken = 0
    for seed in range(100):
        rows = np.random.default_rng(seed).integers(0, 100_000, 1000)
        found = threshold_for(accepted_of(sure[rows], wrong_of_all[rows], 2), 0.15)
        broken += wrong_of_all[sure >= found.confidence].mean() > 0.15
    assert broken <= 5


def test_an_error_that_no_confidence_keeps_is_said_with_the_lowest_there_is() -> None:
    stated, truth = _rows(200, 10)
    counted = accepted_of(stated.max(axis=1), stated.argmax(axis=1) != truth, 2)
    with pytest.raises(InvalidInput, match=r"no confidence keeps the error among told labels at 0\.001; the lowest"):
        threshold_for(counted, 0.001)
