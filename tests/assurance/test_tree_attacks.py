"""Trees seen from inside: joined they give the same sums and tighter bounds; hopped through they are turned."""

import logging
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import MinMaxScaler
from sklearn.tree import DecisionTreeClassifier

from sealwright.assurance import AssuranceSpec, Features
from sealwright.assurance.adapters.leaves import leaves_of
from sealwright.assurance.adapters.sklearn_reading import read_sklearn
from sealwright.assurance.case import Case
from sealwright.assurance.case_making import make_case
from sealwright.assurance.certified import certificate
from sealwright.assurance.certified.certificate import Certificate, certify
from sealwright.assurance.certified.joining import joined
from sealwright.assurance.certified.reading import Leaves, Reading
from sealwright.assurance.checks.robustness import leaf_hops as check
from sealwright.assurance.constraints.making import constraints_of
from sealwright.assurance.evasion.flips import hold_the_laws
from sealwright.assurance.evasion.leaf_hops import leaf_hops
from sealwright.assurance.evasion.search import search
from sealwright.assurance.goal import goal_of
from sealwright.assurance.interface import read_interface
from sealwright.assurance.service import predictor_of
from sealwright.registry import Source

from .conftest import case_of

BUDGETS = (0.1, 0.25, 0.5, 1.0, 2.0)


def _gapped(rng: np.random.Generator, n: int = 200, width: int = 3) -> np.ndarray:
    X = np.round(rng.normal(size=(n, width)), 1)
    return np.where(rng.random(X.shape) < 0.1, np.nan, X)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([40, 200, 100_000]))
def test_joined_trees_give_every_row_the_same_sum(seed: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    X = _gapped(rng)
    y = rng.integers(2, size=len(X))
    core = read_sklearn(RandomForestClassifier(5, max_depth=3, random_state=seed).fit(X, y), "binary", [0, 1]).core
    assert isinstance(core, Leaves)
    fewer = joined(core, most)
    assert len(fewer.scores) <= max(most, len(core.scores))
    if most == 100_000:  # room enough for one tree of all; with less it depends on how many leaves are reached
        assert fewer.first.size == 1
    rows = Features(numbers=_gapped(rng), strings=np.empty((200, 0), dtype=object))
    columns = tuple(Source(kind="number", place=place) for place in range(3))
    sums = [Reading(words="", columns=columns, core=one, links=("shares",)).scores(rows) for one in (core, fewer)]
    assert np.abs(sums[0] - sums[1]).max() < 1e-12


def test_leaves_that_contradict_each_other_are_not_joined() -> None:
    """Two stumps that ask the same: no row is low in one and high in the other."""
    stump = {
        "children_left": np.array([1, -1, -1]),
        "children_right": np.array([2, -1, -1]),
        "children_default": np.array([1, -1, -1]),
        "features": np.array([0, -1, -1]),
        "thresholds": np.array([0.5, 0, 0]),
        "values": np.array([[0.0], [-1.0], [1.0]]),
    }
    both = joined(leaves_of({"trees": [stump, stump], "base_offset": np.zeros(1)}, 1), 100)
    assert sorted(both.scores[:, 0]) == [-2.0, 2.0]


def _cancer(model: Any, **spec: Any) -> Case:
    X, y = load_breast_cancer(return_X_y=True)
    X = X.astype(np.float32)
    return case_of(model.fit(X[:400], y[:400]), X[400:], y[400:], **spec)


def test_joining_proves_more_and_never_less(monkeypatch: pytest.MonkeyPatch) -> None:
    case = _cancer(GradientBoostingClassifier(n_estimators=20, max_depth=3, random_state=0))
    goal, rules = goal_of(case, 80, np.random.default_rng(0)), constraints_of(case)
    proven = []
    for most in (0, 10_000):
        monkeypatch.setitem(certificate._MOST_LEAVES, "standard", most)
        found = certify(goal, rules, BUDGETS)
        assert isinstance(found, Certificate), found
        proven.append(found.holds)
    assert not (proven[0] & ~proven[1]).any()
    assert proven[1].sum() > 1.08 * proven[0].sum()


def test_the_bound_equals_that_of_the_robustness_toolbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clique verification with cliques of all trees, and of one. Classes are balanced, since the toolbox leaves out where
    boosting starts, and then proves rows that a change turns (1 of 60 at 0.05 with 8 trees of depth 3)."""
    from art.estimators.classification import SklearnClassifier
    from art.metrics import RobustnessVerificationTreeModelsCliqueMethod

    logging.getLogger("art").setLevel(logging.ERROR)
    X, y = load_breast_cancer(return_X_y=True)
    X = MinMaxScaler().fit_transform(X).astype(np.float32)
    taught = np.concatenate([np.flatnonzero(y == k)[:150] for k in (0, 1)])
    model = GradientBoostingClassifier(n_estimators=30, max_depth=4, random_state=0).fit(X[taught], y[taught])
    reaches = (0.01, 0.03, 0.05)
    free = {f"x{i}": {"least": -10, "most": 10, "cost": float(X[400:, i].astype(float).std())} for i in range(30)}
    case = case_of(model, X[400:], y[400:], constraints=free, attacks={"budgets": reaches, "reported_budget": 0.01})
    goal = goal_of(case, 60, np.random.default_rng(0))
    truth, rows = case.test.truth[goal.rows], goal.original.numbers.astype(np.float64)
    for most, clique in ((0, 1), (10**6, 8)):
        monkeypatch.setitem(certificate._MOST_LEAVES, "standard", most)
        found = certify(goal, constraints_of(case), reaches, each=True)
        assert isinstance(found, Certificate), found
        theirs = [
            1
            - RobustnessVerificationTreeModelsCliqueMethod(classifier=SklearnClassifier(model), verbose=False).verify(
                x=rows, y=truth, eps_init=reach, norm=np.inf, nb_search_steps=1, max_clique=clique, max_level=1
            )[1]
            for reach in reaches
        ]
        assert [float((goal.right & holds).mean()) for holds in found.holds] == pytest.approx(theirs, abs=1e-9)


def test_of_one_tree_the_hops_find_the_true_least_cost_and_the_toolbox_none_below() -> None:
    from art.attacks.evasion import DecisionTreeAttack
    from art.estimators.classification.scikitlearn import ScikitlearnDecisionTreeClassifier

    model = DecisionTreeClassifier(max_depth=5, random_state=0)
    case = _cancer(model)
    goal, rules = goal_of(case, 60, np.random.default_rng(0)), constraints_of(case)
    proven, flips = certify(goal, rules, BUDGETS), leaf_hops(goal, rules, BUDGETS, 2_000)
    assert isinstance(proven, Certificate)
    assert not isinstance(flips, str)
    for place, budget in enumerate(BUDGETS):
        assert (proven.holds[place] == ~flips.turned(budget))[goal.right].all()
    rows = goal.original.numbers.astype(np.float32)
    made = DecisionTreeAttack(ScikitlearnDecisionTreeClassifier(model), verbose=False).generate(rows)
    changed = rules.project(goal.original, goal.original.with_numbers(made.astype(goal.original.numbers.dtype)))
    turned = goal.right & goal.reached(goal.ask(changed, np.arange(len(goal))))
    cost = rules.cost(goal.original, changed)
    within = turned & (cost <= BUDGETS[-1])
    assert within.sum() >= 5
    assert (flips.cost[within] <= cost[within] * (1 + 1e-4)).all()


@pytest.mark.parametrize(
    "model",
    [
        RandomForestClassifier(10, max_depth=4, random_state=0),
        HistGradientBoostingClassifier(max_iter=20, random_state=0),
    ],
    ids=["forest", "boosting"],
)
def test_hops_turn_more_than_a_search_with_as_many_questions(model: Any) -> None:
    case = _cancer(model)
    goal, rules = goal_of(case, 60, np.random.default_rng(0)), constraints_of(case)
    seen = leaf_hops(goal, rules, BUDGETS, 2_000)
    assert not isinstance(seen, str)
    a_row = seen.queries // len(goal)
    asked = search(goal, rules, BUDGETS, a_row, np.empty((0, 0), dtype=object), np.random.default_rng(0))
    proven = certify(goal, rules, BUDGETS)
    assert isinstance(proven, Certificate)
    hold_the_laws(goal, rules, seen, BUDGETS, proven.holds)
    for budget in (0.25, 0.5, 1.0, 2.0):
        assert (goal.right & seen.turned(budget)).sum() > (goal.right & asked.turned(budget)).sum()


def test_hops_change_categories_and_keep_what_is_fixed(german: Any) -> None:
    spec = {"attacks": {"budgets": [1, 2], "reported_budget": 1}, "constraints": {"age": {"fixed": True}}}
    interface = read_interface(german.interface)
    asked = AssuranceSpec.model_validate(spec)
    case = make_case(predictor_of(german.model, interface), german.test, german.train, interface, asked, (), 1, None)
    goal, rules = goal_of(case, 30, np.random.default_rng(0)), constraints_of(case)
    flips = leaf_hops(goal, rules, (1.0, 2.0), 500)
    assert not isinstance(flips, str), flips
    assert flips.found.sum() > 5


def test_a_predicted_number_is_moved_in_both_directions() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3)).astype(np.float32)
    y = 3 * X[:, 0] + X[:, 1]
    model = HistGradientBoostingRegressor(max_iter=20, random_state=0).fit(X, y)
    case = case_of(model, X, y, task="regression")
    goal, rules = goal_of(case, 60, np.random.default_rng(0)), constraints_of(case)
    flips, proven = leaf_hops(goal, rules, BUDGETS, 1_000), certify(goal, rules, BUDGETS)
    assert not isinstance(flips, str), flips
    assert isinstance(proven, Certificate)
    hold_the_laws(goal, rules, flips, BUDGETS, proven.holds)
    moved = goal.ask(flips.changed, np.arange(len(goal)))[flips.found]
    assert flips.found.mean() > 0.9
    assert ((moved < 0).sum(axis=0) > 5).all()


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
def test_boosted_trees_of_others_are_read_or_refused_and_what_is_proven_holds(library: str, task: str) -> None:
    """With missing values. shap misreads the classes of XGBoost, which the comparison with its own answers finds out."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4)).astype(np.float32)
    X[rng.random(X.shape) < 0.05] = np.nan
    score = np.nan_to_num(X[:, 0] + X[:, 1] * X[:, 2])
    truth = score if task == "regression" else np.digitize(score, [0.0] if task == "binary" else [-0.5, 0.5])
    case = case_of(_boosted(library, task).fit(X, truth), X, truth, task=task)
    goal, rules = goal_of(case, 60, np.random.default_rng(0)), constraints_of(case)
    proven, flips = certify(goal, rules, BUDGETS), leaf_hops(goal, rules, BUDGETS, 300)
    if (library, task) == ("xgboost", "multiclass"):
        assert "does not give the answers" in str(proven)
        assert "do not give the answers" in str(flips)
        return
    assert isinstance(proven, Certificate), proven
    assert not isinstance(flips, str), flips
    assert proven.words.endswith("boosted trees")
    hold_the_laws(goal, rules, flips, BUDGETS, proven.holds)
    assert proven.holds[0].mean() > 0.5
    assert flips.turned(BUDGETS[-1]).mean() > 0.5


def _boosted(library: str, task: str) -> Any:
    kind = "Regressor" if task == "regression" else "Classifier"
    if library == "lightgbm":
        import lightgbm

        return getattr(lightgbm, f"LGBM{kind}")(n_estimators=12, num_leaves=6, verbose=-1, n_jobs=1)
    import xgboost

    return getattr(xgboost, f"XGB{kind}")(n_estimators=12, max_depth=3, n_jobs=1)


def test_without_trees_it_is_not_performed_and_says_why() -> None:
    outcome = check.CHECK.run(_cancer(LogisticRegression(max_iter=5000)), np.random.default_rng(0))
    assert {one.check for one in outcome.not_performed} >= {"robustness.leaf_hops_robust_accuracy"}
    assert "this model is linear" in outcome.not_performed[0].why
