"""Fairness findings agree with fairlearn and with published numbers, and a planted injustice is found."""

import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from sealwright.kernel import InvalidInput

_TRUTH = [int(c) for c in "011110101000111111"]
_CHOSEN = [int(c) for c in "001011100111100110"]
_GROUP = list("bbabbcccaacabccbcc")
_TINY_GROUPS = {"smallest_group": 2, "smallest_part": 1, "groups": ["group"]}
_RATES = {
    "a": {"true_positive_rate": 0.5, "false_positive_rate": 1.0, "selection_rate": 0.75},
    "b": {"true_positive_rate": 0.6, "false_positive_rate": 0.0, "selection_rate": 0.5},
    "c": {"true_positive_rate": 0.4, "false_positive_rate": 2 / 3, "selection_rate": 0.5},
}


def test_the_worked_example_of_the_fairlearn_guide(scored) -> None:
    """Reference F1: user guide of fairlearn, "Common fairness metrics"."""
    judged = scored(_TRUTH, _CHOSEN, {"group": _GROUP}).judge("fairness", spec=_TINY_GROUPS)
    for level, rates in _RATES.items():
        for name, expected in rates.items():
            found = judged.one(f"fairness.{name}", attribute="group", level=level)
            assert found.value == pytest.approx(expected, abs=1e-6)
            assert found.low <= found.value <= found.high
    assert judged.one("fairness.selection_rate", attribute="group", level="c").n == 8
    assert judged.one("fairness.selection_gap").value == pytest.approx(0.25, abs=1e-6)
    assert judged.one("fairness.impact_ratio").value == pytest.approx(0.666667, abs=1e-6)
    assert judged.one("fairness.equalised_odds_gap").value == pytest.approx(1.0, abs=1e-6)
    assert judged.one("fairness.equal_opportunity_gap").value == pytest.approx(0.2, abs=1e-6)


@pytest.fixture(scope="module")
def german_rows() -> pa.Table:
    return pa.csv.read_csv(Path(__file__).parents[2] / "examples/german-credit/german_credit.csv")


def test_german_credit_by_sex_has_the_published_rates(scored, german_rows: pa.Table) -> None:
    """Reference F3b: good outcomes male 0.723188 (690), female 0.648387 (310), difference -0.074801.

    Copies of this file with a scrambled column give +0.018700: a wrong join of a sensitive column shows here.
    """
    good = [value == "good" for value in german_rows["outcome"].to_pylist()]
    sex = german_rows["sex"].to_pylist()
    judged = scored(good, np.array(good, dtype=float), {"sex": sex}).judge("fairness", groups=["sex"])
    male, female = (judged.one("fairness.selection_rate", attribute="sex", level=level) for level in ("male", "female"))
    assert (male.n, female.n) == (690, 310)
    assert male.value == pytest.approx(0.723188, abs=1e-6)
    assert female.value == pytest.approx(0.648387, abs=1e-6)
    gap = judged.one("fairness.selection_gap")
    assert gap.value == pytest.approx(0.074801, abs=1e-6)
    assert gap.note.startswith("highest: male; lowest: female")


def test_german_credit_by_age_has_the_published_gap(scored, german_rows: pa.Table) -> None:
    """Reference F3: all rows, age >= 25 against younger: difference -0.128550, ratio 0.821248."""
    good = [value == "good" for value in german_rows["outcome"].to_pylist()]
    rows = scored(good, np.array(good, dtype=float), {"age": german_rows["age"].to_pylist()})
    judged = rows.judge("fairness", spec={"groups": [{"age": [25]}]})
    assert judged.one("fairness.selection_gap").value == pytest.approx(0.128550, abs=1e-6)
    assert judged.one("fairness.impact_ratio").value == pytest.approx(0.821248, abs=1e-6)
    assert {f.group.level for f in judged["fairness"].find("fairness.selection_rate")} == {"under 25", "25 and over"}


@pytest.mark.parametrize("seed", range(4))
def test_every_rate_and_gap_is_that_of_fairlearn(scored, seed: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from fairlearn import metrics as fairlearn
    rng = np.random.default_rng(seed)
    n = 400
    group = rng.choice(["a", "b", "c"], n, p=[0.5, 0.3, 0.2])
    truth = rng.random(n) < np.where(group == "a", 0.6, 0.4)
    score = np.clip(0.5 * truth + rng.normal(0.25, 0.3, n), 0, 1)
    judged = scored(truth, score, {"group": group}).judge("fairness", groups=["group"])
    chosen = score >= 0.5
    options = {"y_true": truth, "y_pred": chosen, "sensitive_features": group}
    expected = {
        "selection_gap": fairlearn.demographic_parity_difference(**options),
        "impact_ratio": fairlearn.demographic_parity_ratio(**options),
        "equalised_odds_gap": fairlearn.equalized_odds_difference(**options),
        "equal_opportunity_gap": fairlearn.equal_opportunity_difference(**options),
    }
    for name, value in expected.items():
        assert judged.one(f"fairness.{name}").value == pytest.approx(value), name
    frame = fairlearn.MetricFrame(
        metrics={
            "selection_rate": fairlearn.selection_rate,
            "true_positive_rate": fairlearn.true_positive_rate,
            "false_positive_rate": fairlearn.false_positive_rate,
            "accuracy": lambda y_true, y_pred: np.mean(y_true == y_pred),
        },
        **options,
    )
    for name, column in frame.by_group.items():
        for level, value in column.items():
            assert judged.one(f"fairness.{name}", attribute="group", level=level).value == pytest.approx(value)
    assert judged.one("fairness.accuracy_gap").value == pytest.approx(frame.difference()["accuracy"])


def _two_groups(rng: np.random.Generator, flipped: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    group = np.repeat(["north", "south"], 300)
    truth = rng.random(600) < 0.5
    score = np.clip(np.where(truth, 0.8, 0.2) + rng.normal(0, 0.15, 600), 0, 1)
    return truth, np.where((group == "south") & flipped, 1 - score, score), group


def test_a_group_whose_answers_are_flipped_is_found(scored, rng: np.random.Generator) -> None:
    truth, score, group = _two_groups(rng, flipped=True)
    judged = scored(truth, score, {"group": group}).judge("fairness", groups=["group"])
    for name in ("accuracy_gap", "equal_opportunity_gap", "equalised_odds_gap"):
        assert judged.one(f"fairness.{name}").low > 0.8, name
    assert judged.one("fairness.accuracy_gap").note == "highest: north; lowest: south"


def test_an_even_handed_model_is_not_accused(scored, rng: np.random.Generator) -> None:
    truth, score, group = _two_groups(rng, flipped=False)
    judged = scored(truth, score, {"group": group}).judge("fairness", groups=["group"])
    for name in ("selection_gap", "accuracy_gap", "equal_opportunity_gap", "equalised_odds_gap"):
        assert judged.one(f"fairness.{name}").low == 0, name


def test_small_groups_are_listed_not_hidden(scored, rng: np.random.Generator) -> None:
    group = ["many"] * 100 + ["more"] * 100 + ["few"] * 5
    truth = rng.random(205) < 0.5
    judged = scored(truth, rng.random(205), {"group": group}).judge("fairness", groups=["group"])
    for name in ("selection_rate", "true_positive_rate", "false_positive_rate", "accuracy"):
        assert "5 test rows" in judged.why(f"fairness.{name}", attribute="group", level="few")
    gap = judged.one("fairness.selection_gap")
    assert gap.n == 200
    assert gap.note.endswith("not judged, too few rows: few")
    left_out = judged.one("fairness.rows_not_judged_share", attribute="group")
    assert left_out.value == pytest.approx(5 / 205)
    assert "few (5)" in left_out.note


def test_a_comparison_needs_two_groups(scored, rng: np.random.Generator) -> None:
    group = ["many"] * 100 + ["few"] * 5
    judged = scored(rng.random(105) < 0.5, rng.random(105), {"group": group}).judge("fairness", groups=["group"])
    for name in ("selection_gap", "impact_ratio", "equal_opportunity_gap", "equalised_odds_gap", "accuracy_gap"):
        assert judged.why(f"fairness.{name}", attribute="group").startswith("1 of 2 groups")


def test_a_rate_over_too_few_rows_is_not_given(scored) -> None:
    truth = [1] * 35 + [0] * 5 + [1, 0] * 40
    group = ["a"] * 40 + ["b"] * 80
    judged = scored(truth, np.linspace(0, 1, 120), {"group": group}).judge("fairness", groups=["group"])
    assert "5 rows" in judged.why("fairness.false_positive_rate", attribute="group", level="a")
    assert judged.one("fairness.true_positive_rate", attribute="group", level="a").n == 35
    assert "both true outcomes" in judged.why("fairness.equalised_odds_gap", attribute="group")
    assert judged.one("fairness.equal_opportunity_gap").n == 75


def test_nobody_chosen_has_no_ratio(scored, rng: np.random.Generator) -> None:
    judged = scored(rng.random(80) < 0.5, np.zeros(80), {"group": ["a", "b"] * 40}).judge("fairness", groups=["group"])
    assert "no row of any group" in judged.why("fairness.impact_ratio", attribute="group")
    assert judged.one("fairness.selection_gap").value == 0


def test_the_favourable_outcome_can_be_the_other_one(scored, rng: np.random.Generator) -> None:
    truth, score, group = _two_groups(rng, flipped=False)
    rows = scored(truth, np.where(group == "south", 0.7 * score, score), {"group": group})
    usual, other = (rows.judge("fairness", groups=["group"], spec=spec) for spec in ({}, {"favourable": "no"}))
    rates = [j.one("fairness.selection_rate", attribute="group", level="south").value for j in (usual, other)]
    assert sum(rates) == pytest.approx(1)
    gaps = [j.one("fairness.selection_gap").value for j in (usual, other)]
    assert gaps[0] == pytest.approx(gaps[1])


def test_without_groups_everything_says_so(scored) -> None:
    judged = scored([0, 1] * 20, [0.1, 0.9] * 20).judge("fairness")
    assert not judged["fairness"].findings
    assert "no groups are declared" in judged.why("fairness.selection_gap")


def test_a_group_nobody_has_is_refused(scored) -> None:
    with pytest.raises(InvalidInput, match="names caste, which the data does not have"):
        scored([0, 1] * 20, [0.1, 0.9] * 20).judge("fairness", spec={"groups": ["caste"]})


def test_a_column_that_is_different_for_everybody_makes_no_groups(scored) -> None:
    names = [f"person {place}" for place in range(200)]
    judged = scored([0, 1] * 100, [0.1, 0.9] * 100, {"name": names}).judge("fairness", groups=["name"])
    assert "200 different values" in judged.why("fairness.selection_gap", attribute="name")
    assert "person" not in str(judged["fairness"].to_json())


def test_numbers_are_cut_and_missing_values_are_a_group(scored, rng: np.random.Generator) -> None:
    age = [None if place % 4 == 0 else float(rng.integers(18, 80)) for place in range(400)]
    rows = scored(rng.random(400) < 0.5, rng.random(400), {"age": age})
    declared = rows.judge("fairness", spec={"groups": [{"age": [25, 40, 60]}]})
    levels = [f.group.level for f in declared["fairness"].find("fairness.selection_rate")]
    assert levels == ["under 25", "25 to under 40", "40 to under 60", "60 and over", "(missing)"]
    guessed = rows.judge("fairness", groups=["age"])
    assert len(guessed["fairness"].find("fairness.selection_rate")) == 5
    assert "quarters of the training data" in guessed.one("fairness.rows_not_judged_share", attribute="age").note


def test_cut_points_for_words_are_refused(scored) -> None:
    with pytest.raises(InvalidInput, match="cut points for group"):
        scored([0, 1] * 20, [0.1, 0.9] * 20, {"group": ["a", "b"] * 20}).judge(
            "fairness", spec={"groups": [{"group": [1]}]}
        )


def test_three_classes_compare_every_class(wine) -> None:
    judged = wine.judge("fairness", groups=["cellar"])
    assert "name it under assurance.favourable" in judged.why("fairness.selection_gap")
    gap = judged.one("fairness.class_rate_gap", attribute="cellar")
    assert gap.low <= gap.value <= gap.high
    named = wine.judge("fairness", groups=["cellar"], spec={"favourable": "barolo"})
    assert named.one("fairness.selection_gap", attribute="cellar").value <= gap.value


def test_predicted_numbers_compare_means_and_errors(guessed, rng: np.random.Generator) -> None:
    group = np.repeat(["a", "b"], 200)
    truth = rng.normal(100, 10, 400)
    guesses = truth + rng.normal(0, np.where(group == "a", 1, 8)) + np.where(group == "b", 20, 0)
    judged = guessed(truth, guesses, {"group": group}).judge("fairness", groups=["group"])
    spread = truth.std()
    means = [guesses[group == name].mean() for name in "ab"]
    errors = [np.abs(guesses - truth)[group == name].mean() for name in "ab"]
    assert judged.one("fairness.mean_prediction_gap").value == pytest.approx(abs(np.diff(means)[0]) / spread)
    assert judged.one("fairness.error_gap").value == pytest.approx(abs(np.diff(errors)[0]) / spread)
    assert judged.one("fairness.error_gap").low > 1
    assert judged.one("fairness.mean_error", attribute="group", level="b").value == pytest.approx(errors[1])
    assert not any(item.applicable for item in judged["fairness"].not_performed)
