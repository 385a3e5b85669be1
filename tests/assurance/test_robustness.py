"""Disturbed rows: what the model does with them is counted, and a fragile model is found."""

import numpy as np
import pyarrow as pa
import pytest

from sealwright.assurance import AssuranceSpec, Features, run_suites
from sealwright.assurance.case import Case
from sealwright.assurance.checks.robustness import category_swap, missing, noise, unseen_category

_CHECKS = {check.CHECK.name: check for check in (noise, missing, category_swap, unseen_category)}


def _case(trained) -> Case:
    from sealwright.assurance.case_making import make_case
    from sealwright.assurance.interface import read_interface
    from sealwright.assurance.service import predictor_of

    interface, spec = read_interface(trained.interface), AssuranceSpec()
    return make_case(predictor_of(trained.model, interface), trained.test, trained.train, interface, spec, (), 1, None)


def test_noise_keeps_to_the_contract(german, rng: np.random.Generator) -> None:
    case = _case(german)
    before = case.test.features
    after = noise._noisy(case, before, 0.5, rng)
    assert np.array_equal(after.strings, before.strings)
    assert np.array_equal(after.numbers, np.round(after.numbers))
    for place, item in enumerate(case.interface.numbers):
        assert after.numbers[:, place].min() >= item.least
        assert after.numbers[:, place].max() <= item.most
    assert np.mean(after.numbers != before.numbers) > 0.3


def test_a_swap_is_always_to_another_known_category(german, rng: np.random.Generator) -> None:
    case = _case(german)
    before = case.test.features
    after = category_swap._swapped(case, before, 1.0, rng)
    assert (after.strings != before.strings).all()
    for place, item in enumerate(case.interface.strings):
        assert set(after.strings[:, place]) <= set(item.categories)


def test_the_asked_share_of_cells_is_disturbed(german, rng: np.random.Generator) -> None:
    case = _case(german)
    before = case.test.features
    emptied = missing._emptied(case, before, 0.25, rng)
    assert np.isnan(emptied.numbers).mean() == pytest.approx(0.25, abs=0.04)
    assert (emptied.strings == "").mean() == pytest.approx(0.25, abs=0.04)
    replaced = unseen_category._replaced(case, before, 0.25, rng)
    known = {value for item in case.interface.strings for value in item.categories}
    assert np.mean([value not in known for value in replaced.strings.ravel()]) == pytest.approx(0.25, abs=0.04)


def test_every_disturbance_gives_a_number_and_a_curve(german) -> None:
    judged = german.judge("robustness")
    for name in _CHECKS:
        flips = judged.one(f"{name}_flip_share")
        assert 0 < flips.value < 0.5
        assert flips.low <= flips.value <= flips.high
        assert judged.one(f"{name}_no_answer_share").value == 0
        drop = judged.one(f"{name}_score_drop")
        assert drop.low <= drop.value <= drop.high
        moved, score = judged.figure(name).series
        assert moved.x == (0.0, 0.05, 0.1, 0.25, 0.5)
        assert moved.y[0] == 0
        assert moved.y[-1] > moved.y[1]
        assert score.y[0] == pytest.approx(german.judge("performance").one("performance.roc_auc").value)
        assert flips.value == moved.y[2]


def test_a_model_that_hangs_on_a_hair_is_found(scored, rng: np.random.Generator) -> None:
    truth = rng.random(300) < 0.5
    steady = scored(truth, np.where(truth, 0.9, 0.1) + rng.normal(0, 0.01, 300)).judge("robustness")
    assert steady.one("robustness.noise_flip_share").value == 0
    sharp = scored(truth, rng.normal(0.5, 0.01, 300)).judge("robustness")
    assert sharp.one("robustness.noise_flip_share").low > 0.01


def test_a_model_without_answer_for_empty_cells_is_found(wine) -> None:
    judged = wine.judge("robustness")
    lost = judged.one("robustness.missing_no_answer_share")
    assert lost.low > 0.5
    assert judged.one("robustness.missing_flip_share").value == lost.value
    assert "no answer" in judged.why("robustness.missing_score_drop")
    assert "13 of 13 features may not be empty" in lost.note
    assert judged.why("robustness.category_swap_flip_share") == "the model takes no categories"


def test_a_model_that_fails_on_disturbed_rows_has_not_answered(german) -> None:
    def brittle(features: Features) -> np.ndarray:
        if (features.strings == unseen_category._UNSEEN).any():
            return np.zeros((1, 7))
        p = np.clip(features.numbers[:, 0] / 80, 0, 1)
        return np.column_stack([1 - p, p])

    judged = german.with_(model=brittle).judge("robustness")
    assert judged.one("robustness.unseen_category_no_answer_share").value == 1
    assert judged.one("robustness.unseen_category_flip_share").value == 1
    assert judged.one("robustness.noise_no_answer_share").value == 0


def test_predicted_numbers_shift_instead_of_flipping(diabetes) -> None:
    judged = diabetes.judge("robustness")
    shift = judged.one("robustness.noise_shift")
    assert 0 < shift.low <= shift.value <= shift.high
    assert shift.unit == "sd of the target"
    flips = next(item for item in judged["robustness"].not_performed if item.check == "robustness.noise_flip_share")
    assert not flips.applicable


def test_booleans_are_swapped_not_blurred(rng: np.random.Generator) -> None:
    flag = rng.random(200) < 0.5
    table = pa.table({"flag": flag, "outcome": np.where(flag, "yes", "no")})
    interface = {
        "format": 1,
        "task": "binary",
        "target": "outcome",
        "classes": ["no", "yes"],
        "positive": "yes",
        "numbers": [{"name": "flag", "type": "boolean", "nullable": False}],
    }

    def model(features: Features) -> np.ndarray:
        return np.column_stack([1 - features.numbers[:, 0], features.numbers[:, 0]])

    (result,) = run_suites(["robustness"], model, table, table, interface, AssuranceSpec(bootstrap=200), (), 1)
    assert result.find("robustness.category_swap_flip_share")[0].value == pytest.approx(0.1, abs=0.03)
    assert {item.why for item in result.not_performed if item.check == "robustness.noise_flip_share"} == {
        "the model takes no numbers"
    }


def test_the_reported_strength_is_always_measured(german) -> None:
    judged = german.judge("robustness", spec={"noise": [0.3], "reported_at": 0.2})
    assert judged.figure("robustness.noise").series[0].x == (0.0, 0.2, 0.3)
    assert "0.2 standard deviations" in judged.one("robustness.noise_flip_share").definition
