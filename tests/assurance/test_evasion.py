"""A search for cheap changes finds the ones that were planted, finds none where there are none, and obeys its laws."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sealwright.assurance import AssuranceSpec, Features
from sealwright.assurance.case import Case
from sealwright.assurance.case_making import make_case
from sealwright.assurance.constraints.making import constraints_of
from sealwright.assurance.evasion.flips import Flips, hold_the_laws
from sealwright.assurance.evasion.search import search
from sealwright.assurance.goal import Goal, goal_of
from sealwright.assurance.interface import read_interface
from sealwright.assurance.predictor import FunctionPredictor

from .conftest import Trained, interface_of, number

BUDGETS = (0.25, 0.5, 1.0, 2.0)


def _mixed(n: int, seed: int, score: Callable[[np.ndarray, np.ndarray], np.ndarray], **more: Any) -> Trained:
    """Three numbers and a category; the model answers with a score of them, the truth follows it but for some noise."""
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(n, 3))
    words = rng.choice(np.array(["a", "b", "c"], dtype=object), n)

    def model(features: Features) -> np.ndarray:
        p = np.clip(score(features.numbers.astype(np.float64), features.strings[:, 0]), 0, 1)
        return np.column_stack([1 - p, p])

    chance = np.clip(score(numbers, words), 0, 1)
    yes = np.where(rng.random(n) < 0.1, rng.random(n) < 0.5, chance >= 0.5)
    columns = {f"x{place}": numbers[:, place] for place in range(3)}
    table = pa.table(columns | {"word": list(words), "outcome": np.where(yes, "yes", "no")})
    texts = [{"name": "word", "type": "category", "nullable": False, "categories": ["a", "b", "c"]}]
    interface = interface_of("binary", [number(name) for name in columns], texts, ["no", "yes"], "yes")
    return Trained(model, interface, table, table)


def _case(trained: Trained, **spec: Any) -> Case:
    interface, asked = read_interface(trained.interface), AssuranceSpec.model_validate(spec)
    predictor = FunctionPredictor(trained.model)
    return make_case(predictor, trained.test, trained.train, interface, asked, (), 1, None)


def _searched(case: Case, queries: int = 150, rows: int = 200) -> tuple[Goal, Flips]:
    rng = np.random.default_rng(3)
    goal = goal_of(case, rows, rng)
    return goal, search(goal, constraints_of(case), BUDGETS, queries, case.train.features.strings, rng)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["up", "down", None]), st.booleans(), st.integers(20, 300))
@example(147, "up", False, 20)  # a number that should be whole and was not, and the end of its range neither
def test_whatever_the_model_and_the_constraints_the_laws_hold(
    seed: int, direction: str | None, fixed: bool, queries: int
) -> None:
    rng = np.random.default_rng(seed)
    w, bump, odd = rng.normal(size=3), rng.normal(size=3), rng.random() < 0.3

    def score(numbers: np.ndarray, words: np.ndarray) -> np.ndarray:
        s = numbers @ w + (words == "a") * bump[0] + np.sin(3 * numbers[:, 0]) * bump[1]
        s = np.where(odd & (numbers[:, 1] > 1.2), np.nan, s)  # a model that has no answer for some rows
        return 1 / (1 + np.exp(-s))

    trained = _mixed(60, seed, lambda numbers, words: np.nan_to_num(score(numbers, words), nan=0.5))
    said = {"x0": {"direction": direction}, "x1": {"fixed": fixed}, "word": {"cost": 0.5}, "x2": {"whole": True}}
    case = _case(trained, constraints=said)
    rules = constraints_of(case)
    case = replace(case, predictor=FunctionPredictor(lambda rows: _two(score(rows.numbers, rows.strings[:, 0]))))
    goal, flips = _searched(replace(case), queries, 60)
    hold_the_laws(goal, rules, flips, BUDGETS, None)
    assert np.allclose(flips.cost[flips.found], rules.cost(goal.original, flips.changed)[flips.found])
    assert flips.queries <= max(20, queries) * len(goal)
    robust = [(goal.right & ~flips.turned(budget)).mean() for budget in BUDGETS]
    assert robust == sorted(robust, reverse=True)
    assert robust[0] <= goal.right.mean()


def _two(p: np.ndarray) -> np.ndarray:
    return np.column_stack([1 - p, p])


def test_a_contradicted_law_is_our_mistake_and_said_so() -> None:
    case = _case(_mixed(80, 1, lambda numbers, _words: 0.5 + 0.3 * numbers[:, 0]))
    goal, flips = _searched(case)
    rules = constraints_of(case)
    assert flips.found.any()
    with pytest.raises(AssertionError, match="a bound excludes it"):
        hold_the_laws(goal, rules, flips, BUDGETS, np.ones((4, len(goal)), dtype=bool))
    rising = np.zeros((4, len(goal)), dtype=bool)
    rising[2] = ~flips.found
    if rising.any():
        with pytest.raises(AssertionError, match="not for a smaller one"):
            hold_the_laws(goal, rules, flips, BUDGETS, rising)
    unmoved = replace(flips, changed=goal.original)
    with pytest.raises(AssertionError, match="does not turn when it is asked again"):
        hold_the_laws(goal, rules, unmoved, BUDGETS, None)
    still = replace(rules, fixed=np.ones(4, dtype=bool))
    with pytest.raises(AssertionError, match="do not allow"):
        hold_the_laws(goal, still, flips, BUDGETS, None)


def test_the_cheapest_change_of_one_decisive_number_is_found_to_the_digit_t64() -> None:
    trained = _mixed(150, 4, lambda numbers, _words: 0.5 + 0.2 * numbers[:, 0])
    case = _case(trained)
    goal, flips = _searched(case)
    x = goal.original.numbers[:, 0].astype(float)
    least = np.abs(x) / constraints_of(case).scale[0]
    found = flips.found
    assert found[least < 2].mean() > 0.95
    assert (flips.cost[found] >= least[found] - 1e-6).all()
    assert np.median(flips.cost[found] - least[found]) < 0.05


def test_a_turn_that_takes_a_number_and_a_category_together_is_found() -> None:
    def both(numbers: np.ndarray, words: np.ndarray) -> np.ndarray:
        return 0.3 + 0.15 * (words == "a") + 0.15 * np.clip(numbers[:, 0], -1, 1)

    goal, flips = _searched(_case(_mixed(150, 5, both)))
    low = (goal.original.strings[:, 0] != "a") & (goal.original.numbers[:, 0] < 0) & (goal.decided == 0)
    near = low & (goal.original.numbers[:, 0] > -0.5)
    turned = flips.turned(2.0)
    assert turned[near].mean() > 0.9
    assert (flips.changed.strings[near & turned, 0] == "a").all()
    assert not flips.turned(0.5)[low].any()


def test_a_model_that_leans_on_one_easily_changed_feature_is_flagged_and_a_steady_one_is_not_t64() -> None:
    """Power and false alarms over ten draws of rows, as written in docs/explanation/robustness.md."""
    flagged, alarms = 0, 0
    for seed in range(10):
        leaning = _mixed(200, seed, lambda numbers, _words: 0.5 + 0.45 * np.tanh(8 * numbers[:, 0]))
        found = leaning.judge("robustness", spec={"constraints": {"x0": {"cost": 0.2}}})
        flagged += found.one("robustness.evasion_robust_accuracy").high < 0.5
        steady = _mixed(200, seed, lambda _numbers, words: 0.5 + 0.02 * (words == "a") + 0.4 * (words != "c") - 0.2)
        fixed = {"word": {"fixed": True}}
        held = steady.judge("robustness", spec={"constraints": fixed})
        alarms += held.one("robustness.evasion_robust_accuracy").high < 0.5
    assert (flagged, alarms) == (10, 0)


def test_german_credit_in_numbers(german: Trained) -> None:
    judged = german.judge("robustness")
    robust = judged.one("robustness.evasion_robust_accuracy")
    proven = judged.one("robustness.certified_accuracy")
    each = judged.one("robustness.certified_accuracy_each")
    assert each.value <= proven.value <= robust.value < german.judge("performance").one("performance.accuracy").value
    assert judged.one("robustness.evasion_refused_share").value == 0  # possible rows keep to the contract
    asked = judged.one("robustness.evasion_queries")
    assert 0 < asked.value <= 150 * 200
    assert f"{int(asked.value):,} questions" in robust.note
    cost = judged.one("robustness.evasion_mean_cost")
    assert 0 < cost.low < cost.value < cost.high < 2
    attacked, bound = judged.figure("robustness.evasion").series
    assert attacked.x == (0.0, *BUDGETS)
    assert list(attacked.y) == sorted(attacked.y, reverse=True)
    assert all(b <= a for a, b in zip(attacked.y, bound.y, strict=True))
    assert attacked.y[3] == robust.value


def test_a_prediction_counts_as_moved_beyond_its_limit(diabetes: Trained) -> None:
    small, large = (
        diabetes.judge("robustness", spec={"attacks": {"moved_by": by}}).one("robustness.evasion_moved_share").value
        for by in (0.2, 1.0)
    )
    assert small > large


def test_where_nothing_can_change_nothing_is_claimed(scored: Any) -> None:
    rows = scored([0, 1] * 40, [0.2, 0.8] * 40)
    judged = rows.judge("robustness", spec={"constraints": {"score": {"fixed": True}}})
    assert "no row can be changed" in judged.why("robustness.evasion_robust_accuracy")
    few = scored([0, 1] * 10, [0.2, 0.8] * 10).judge("robustness")
    assert "at least 30" in few.why("robustness.evasion_robust_accuracy")


def test_a_row_that_cannot_be_turned_has_no_cost(scored: Any) -> None:
    rows = scored([0, 1] * 40, [0.2, 0.8] * 40).with_(model=lambda features: np.tile([0.9, 0.1], (len(features), 1)))
    judged = rows.judge("robustness")
    assert judged.one("robustness.evasion_robust_accuracy").value == 0.5
    assert "no possible change was found" in judged.why("robustness.evasion_mean_cost")


def test_what_transfers_from_a_stand_in_is_counted(german: Trained) -> None:
    from sealwright.assurance.case_making import generator_for
    from sealwright.assurance.checks.robustness import transfer
    from sealwright.assurance.service import predictor_of

    interface = read_interface(german.interface)
    predictor = predictor_of(german.model, interface)
    case = make_case(predictor, german.test, german.train, interface, AssuranceSpec(), (), 1, None)
    outcome = transfer.CHECK.run(case, generator_for(1, "transfer"))
    said = {finding.check: finding for finding in outcome.findings}
    judged = german.judge("robustness").one("robustness.evasion_flip_share")
    assert 0.1 < said["robustness.transfer_flip_share"].value <= judged.value + 0.05
    assert said["robustness.transfer_queries"].value < 40 * 200
    assert (
        "stand-in trained on the model's answers for 750 training rows" in said["robustness.transfer_flip_share"].note
    )


@pytest.mark.parametrize(
    ("attacks", "said"),
    [({"reported_budget": 0.7}, "none of the budgets"), ({"budgets": [0]}, "greater than 0"), ({"rows": 3}, "20")],
)
def test_attacks_that_make_no_sense_are_refused(attacks: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        AssuranceSpec.model_validate({"attacks": attacks})
