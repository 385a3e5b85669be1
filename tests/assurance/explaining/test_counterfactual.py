"""A change that is offered is possible, leads where it says, and is cheap; the search always ends."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealwright.assurance import Features
from sealwright.assurance.checks.explanation.counterfactuals import CHECK
from sealwright.assurance.constraints.making import constraints_of
from sealwright.assurance.constraints.model import Constraints
from sealwright.assurance.explaining.counterfactual import cheapest_changes
from sealwright.assurance.explaining.wanted import score_for


def _rules(d: int, fixed: tuple[int, ...] = (), falls: tuple[int, ...] = ()) -> Constraints:
    places = np.arange(d)
    return Constraints(
        names=tuple(f"x{place}" for place in places),
        fixed=np.isin(places, fixed),
        price=np.ones(d),
        least=np.full(d, -4.0),
        most=np.full(d, 4.0),
        whole=np.zeros(d, dtype=bool),
        rises=np.zeros(d, dtype=bool),
        falls=np.isin(places, falls),
        scale=np.ones(d),
        levels=(),
        exclusive=(),
    )


def _numbers(matrix: np.ndarray) -> Features:
    return Features(numbers=matrix, strings=np.empty((len(matrix), 0), dtype=object))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_every_change_is_allowed_and_reaches_the_decision(seed: int) -> None:
    rng = np.random.default_rng(seed)
    d = 4
    weights, bend = rng.normal(size=d), rng.normal(size=d)
    rows = _numbers(rng.normal(size=(20, d)))

    def score(features: Features) -> np.ndarray:
        return features.numbers @ weights + np.sin(3 * features.numbers @ bend) - 1.0

    rules = _rules(d, fixed=(0,), falls=(1,))
    lines = np.flatnonzero(score(rows) < 0)
    if not lines.size:
        return
    wrong = rows.take(lines)
    found = cheapest_changes(score, rules, wrong, rows, most=3.0)
    assert (score(found.rows)[found.found] >= 0).all()
    assert rules.allowed(wrong, found.rows).all()
    assert (found.cost[found.found] <= 3.0 + 1e-9).all()
    assert np.isinf(found.cost[~found.found]).all()
    assert np.array_equal(found.rows.numbers[:, 0], wrong.numbers[:, 0])
    assert (found.rows.numbers[:, 1] <= wrong.numbers[:, 1]).all()
    again = cheapest_changes(score, rules, wrong, rows, most=3.0)
    assert np.array_equal(found.rows.numbers, again.rows.numbers)


def test_a_linear_model_is_changed_nearly_as_cheaply_as_possible(rng: np.random.Generator) -> None:
    weights = np.array([1.0, 0.6, 0.3, -0.8])
    rows = _numbers(rng.normal(size=(200, 4)))

    def score(features: Features) -> np.ndarray:
        return features.numbers @ weights - 1.0

    wrong = rows.take(np.flatnonzero(score(rows) < 0))
    found = cheapest_changes(score, _rules(4), wrong, rows)
    # the best bargain is x0: one standard deviation buys most; its range is far enough for every row but a few
    best = -score(wrong) / weights[0]
    reach = 4.0 - wrong.numbers[:, 0]
    plain = best <= reach
    assert found.found.all()
    assert plain.mean() > 0.9
    assert (found.cost[plain] >= best[plain] - 1e-9).all()
    assert np.quantile(found.cost[plain] / best[plain], 0.9) < 1.1


def test_where_nothing_may_move_nothing_is_found_and_the_search_ends() -> None:
    rows = _numbers(np.zeros((5, 3)))
    found = cheapest_changes(lambda f: f.numbers.sum(axis=1) - 1.0, _rules(3, fixed=(0, 1, 2)), rows, rows)
    assert not found.found.any()
    assert found.queries < 100
    never = cheapest_changes(lambda f: np.full(len(f), -1.0), _rules(3), rows, rows)
    assert not never.found.any()
    assert never.queries < 1_000
    silent = cheapest_changes(lambda f: np.full(len(f), np.nan), _rules(3), rows, rows)
    assert not silent.found.any()


def test_german_applicants_are_told_a_possible_change(german: Any, case_of: Any, rng: np.random.Generator) -> None:
    case = case_of(german, groups=["sex", "age"], constraints={"purpose": {"fixed": True}})
    found = {one.check: one for one in CHECK.run(case, rng).findings}
    assert found["explanation.counterfactual_share"].value > 0.9
    assert 0 < found["explanation.counterfactual_cost"].value < 2
    refused = np.flatnonzero(case.decisions != case.favourable)[:20]
    rows, rules = case.test.features.take(refused), constraints_of(case)
    each = cheapest_changes(score_for(case, case.favourable), rules, rows, case.train.features)
    assert (case.decide(case.predict(each.rows))[each.found] == case.favourable).all()
    assert rules.allowed(rows, each.rows).all()
    fixed = [case.interface.names.index(name) for name in ("age", "purpose")]
    assert not each.changed[:, fixed].any()


def test_a_group_that_is_asked_for_more_is_found(numeric_case: Any) -> None:
    gaps, equal = [], []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        group = np.repeat([0.0, 1.0], 100)
        x = rng.normal(-1.5, 0.3, 200)
        for penalty, kept in ((1.0, gaps), (0.0, equal)):

            def answer(numbers: np.ndarray, penalty: float = penalty) -> np.ndarray:
                return 1 / (1 + np.exp(-(numbers[:, 0] - penalty * numbers[:, 1])))

            outcome = np.where(rng.random(200) < 0.5, "yes", "no")
            columns = {"x": x, "group": group}
            case = numeric_case(
                columns,
                outcome,
                answer,
                groups=["group"],
                constraints={"x": {"most": 5.0}, "group": {"fixed": True}},
                explanation={"counterfactual_budget": 10},
            )
            (gap,) = (one for one in CHECK.run(case, rng).findings if one.check == "explanation.recourse_gap")
            kept.append(gap.low > 0)
    assert sum(gaps) == 20
    assert sum(equal) <= 3


def test_without_an_outcome_to_hope_for_nothing_is_said(wine: Any, case_of: Any, rng: np.random.Generator) -> None:
    outcome = CHECK.run(case_of(wine), rng)
    assert {item.why for item in outcome.not_performed} == {
        "no outcome to hope for: name one under assurance.favourable"
    }


@pytest.mark.parametrize("wanted", ["barolo", "barbera"])
def test_of_many_outcomes_the_wanted_one_is_reached(wine: Any, case_of: Any, wanted: str) -> None:
    case = case_of(wine, favourable=wanted)
    goal = case.interface.classes.index(wanted)
    lines = np.flatnonzero(case.decisions != goal)[:10]
    found = cheapest_changes(
        score_for(case, goal), constraints_of(case), case.test.features.take(lines), case.train.features
    )
    assert found.found.all()
    assert (case.decide(case.predict(found.rows)) == goal).all()
