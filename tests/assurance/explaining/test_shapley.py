"""Contributions add up to the answers, whatever the model, and a method that does not is never believed."""

import math
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shap
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor

import sealwright as sw
from sealwright.assurance.adapters.estimator_trees import estimator_trees
from sealwright.assurance.adapters.onnx_ensemble import onnx_trees
from sealwright.assurance.case_making import make_case
from sealwright.assurance.checks.explanation.shapley import CHECK
from sealwright.assurance.elsewhere.held import judged_things
from sealwright.assurance.explaining.attribution import background_of, explain_rows, explained
from sealwright.assurance.explaining.model import additivity_error
from sealwright.assurance.explaining.subsets import every_subset, some_orders
from sealwright.assurance.explaining.tree_shapley import tree_shapley
from sealwright.assurance.explaining.trees import tree_attributions
from sealwright.assurance.unexplained import CannotExplain


def _brute_force(ask: Any, row: np.ndarray, background: np.ndarray) -> np.ndarray:
    """The definition, word for word."""
    d = row.size

    def value(known: tuple[int, ...]) -> float:
        mixed = background.copy()
        mixed[:, list(known)] = row[list(known)]
        return float(ask(mixed).mean())

    phi = np.zeros(d)
    for feature in range(d):
        others = [one for one in range(d) if one != feature]
        for size in range(d):
            weight = math.factorial(size) * math.factorial(d - size - 1) / math.factorial(d)
            for known in combinations(others, size):
                phi[feature] += weight * (value((*known, feature)) - value(known))
    return phi


def test_e1_a_linear_model_has_coefficient_times_distance_from_the_mean(numeric_case: Any) -> None:
    data = load_diabetes()
    model = LinearRegression().fit(data.data, data.target)
    columns = {name: data.data[:, place] for place, name in enumerate(data.feature_names)}
    spec = {"explanation": {"rows": 442, "background": 442}}
    case = numeric_case(columns, data.target, model.predict, **spec)
    found = explained(case)
    assert not isinstance(found, str)
    assert found.found.method.startswith("closed form")
    seen = found.rows.numbers.astype(np.float64)
    expected = model.coef_ * (seen - seen.mean(axis=0))
    assert np.abs(found.found.phi[:, 0] - expected).max() < 1e-4  # the columns are held in single precision
    means = dict(zip(data.feature_names, np.abs(found.found.phi[:, 0]).mean(axis=0), strict=True))
    assert (means["s1"], means["s5"], means["bmi"]) == pytest.approx((29.601, 29.099, 19.940), abs=2e-3)


def test_e1_holds_to_nine_digits_where_the_model_takes_doubles() -> None:
    data = load_diabetes()
    model = LinearRegression().fit(data.data, data.target)
    spec = {"explanation": {"background": 442}}
    found = sw.explain(model, data.data[:30], learned_from=(data.data, data.target), task="regression", settings=spec)
    oracle = shap.LinearExplainer(model, shap.maskers.Independent(data.data, max_samples=442))(data.data[:30]).values
    for row, one in enumerate(found):
        phi = {item.feature: item.phi for item in one.contributions}
        assert [phi[f"x{place}"] for place in range(10)] == pytest.approx(list(oracle[row]), abs=1e-9)


def test_e2_boosting_sums_to_its_decision_function() -> None:
    data = load_breast_cancer()
    model = HistGradientBoostingClassifier(random_state=0, max_iter=50).fit(data.data, data.target)
    phi, base = tree_shapley(estimator_trees(model), data.data[:50], data.data, np.arange(30), 30)
    assert np.abs(base + phi.sum(axis=2)[:, 0] - model.decision_function(data.data)).max() < 1e-6
    found = sw.explain(model, data.data[:20], learned_from=(data.data, data.target))
    assert {one.method for one in found} == {"interventional Tree SHAP, all columns of a feature as one player"}
    for one, raw in zip(found, model.decision_function(data.data[:20]), strict=True):
        assert one.base + sum(item.phi for item in one.contributions) == pytest.approx(raw, abs=1e-6)


def test_e2_the_same_features_lead_as_published() -> None:
    data = load_breast_cancer()
    model = HistGradientBoostingClassifier(random_state=0, max_iter=50).fit(data.data, data.target)
    published = shap.TreeExplainer(model)(data.data, check_additivity=False).values
    means = np.abs(published).mean(axis=0)
    names = list(data.feature_names)
    top = [names[place] for place in np.argsort(-means)[:3]]
    assert top == ["worst perimeter", "worst area", "worst concave points"]
    assert np.sort(means)[::-1][:3] == pytest.approx([1.434, 0.941, 0.648], abs=0.02)


def test_e3_every_subset_is_the_definition_and_trees_agree(rng: np.random.Generator) -> None:
    X, y = load_diabetes(return_X_y=True)
    X = X[:, :4]
    model = DecisionTreeRegressor(max_depth=4, random_state=0).fit(X, y)
    row, background = X[7], X[:40]
    published = [-2.242468, 0, -7.377220, 27.784815]
    assert _brute_force(model.predict, row, background) == pytest.approx(published, abs=1e-4)
    phi, base = every_subset(lambda rows: model.predict(rows)[:, None], X[7:8], background)
    assert phi[0, 0] == pytest.approx(_brute_force(model.predict, row, background), abs=1e-10)
    assert base[0] == pytest.approx(model.predict(background).mean(), abs=1e-10)
    held = X.astype(np.float32).astype(np.float64)  # as the tree compares
    by_trees, _ = tree_shapley(estimator_trees(model), held[:40], held[7:8], np.arange(4), 4)
    assert by_trees[0, 0] == pytest.approx(phi[0, 0], abs=1e-9)
    explainer = shap.TreeExplainer(model, background, feature_perturbation="interventional")
    assert explainer.shap_values(X[7:8])[0] == pytest.approx(phi[0, 0], abs=5e-5)
    drawn, _ = some_orders(lambda rows: model.predict(rows)[:, None], X[7:8], background, 200, rng)
    assert drawn[0, 0] == pytest.approx(phi[0, 0], abs=1.0)
    assert drawn.sum() + base[0] == pytest.approx(float(model.predict(X[7:8])[0]), abs=1e-9)


def _held(model: Any, X: Any, y: Any) -> Any:
    """A case of a model made elsewhere."""
    said = {"explanation": {"rows": 40}}
    things = judged_things(
        model, X, y, groups=None, learned_from=(X, y), task=None, positive=None, classes=None, settings=said
    )
    parts = [things[name] for name in ("predictor", "test", "train", "interface", "spec", "groups")]
    return make_case(*parts, 7, None)


def _with_categories() -> tuple[Any, pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    n = 600
    kinds = np.array(list("abcdefgh"))
    frame = pd.DataFrame(
        {"kind": rng.choice(kinds, n), "other": rng.choice(kinds[:5], n), "x": rng.normal(size=n)}
    ).astype({"kind": "category", "other": "category"})
    effect = dict(zip(kinds, rng.permutation(np.linspace(-3, 3, 8)), strict=True))
    raw = frame["kind"].map(effect).astype(float).to_numpy() + frame["x"].to_numpy()
    y = (rng.random(n) < 1 / (1 + np.exp(-raw))).astype(int)
    model = HistGradientBoostingClassifier(categorical_features="from_dtype", random_state=0, max_iter=40)
    return model.fit(frame, y), frame, y


def test_e4_native_categories_are_explained_by_a_method_that_adds_up() -> None:
    model, frame, y = _with_categories()
    found = explained(_held(model, frame, y))
    assert not isinstance(found, str)
    assert found.error < 1e-6
    assert found.refused[-1].method == "Tree SHAP"
    assert "every subset" in found.found.method
    assert np.argmax(found.found.importance().mean(axis=0)) == 1  # numbers first: x, kind, other


def test_e4_what_shap_says_of_native_categories_is_caught_by_adding_up() -> None:
    rng = np.random.default_rng(0)
    codes, x = rng.integers(0, 8, 600).astype(float), rng.normal(size=600)
    effect = rng.permutation(np.linspace(-3, 3, 8))
    y = np.where(rng.random(600) < 1 / (1 + np.exp(-effect[codes.astype(int)] - x)), "yes", "no")
    X = np.column_stack([codes, x])
    model = HistGradientBoostingClassifier(categorical_features=[0], random_state=0, max_iter=40).fit(X, y)
    found = explained(_held(model, X, y))
    assert not isinstance(found, str)
    assert found.error < 1e-6
    refused = found.refused[-1]
    assert refused.method == "Tree SHAP"
    assert "miss the model's answers" in refused.why
    (finding,) = (one for one in CHECK.run(_held(model, X, y), rng).findings if one.check.endswith("method_error"))
    assert "refused: " in finding.note
    assert "Tree SHAP, its sums miss the model's answers" in finding.note


def test_trees_in_a_graph_are_explained_as_shap_explains_them(diabetes: Any, case_of: Any) -> None:
    case = case_of(diabetes)
    trees = onnx_trees(diabetes.model)
    rows = case.test.features.take(np.arange(25))
    seen = trees.matrix({"numbers": rows.numbers})
    behind = trees.matrix({"numbers": case.train.features.numbers[:30]})
    ours, base = tree_shapley(trees.model, behind, seen, np.arange(10), 10)
    explainer = shap.TreeExplainer(trees.model, behind, feature_perturbation="interventional", model_output="raw")
    assert ours[:, 0] == pytest.approx(explainer.shap_values(seen, check_additivity=False), abs=1e-6)
    assert base == pytest.approx(explainer.expected_value, abs=1e-6)


def test_categories_of_one_column_are_one_player(german: Any, case_of: Any) -> None:
    case = case_of(german, explanation={"background": 20})
    rows, background = case.test.features.take(np.arange(2)), background_of(case, "explaining/background")
    found = explain_rows(case, rows, background)
    assert "one player" in found.found.method
    from sealwright.assurance.explaining.coded import coded_by

    coded = coded_by(background, rows)

    def ask(matrix: np.ndarray) -> np.ndarray:
        chance = case.predict(coded.features(matrix))[:, [1]]
        return np.log(chance / (1 - chance))

    rng = np.random.default_rng(5)
    drawn, _ = some_orders(ask, coded.matrix(rows), coded.matrix(background), 300, rng)
    assert np.abs(drawn - found.found.phi).max() < 0.03
    assert np.corrcoef(drawn.ravel(), found.found.phi.ravel())[0, 1] > 0.999


@pytest.mark.parametrize("name", ["german", "wine", "diabetes"])
def test_contributions_add_up_for_every_task(request: pytest.FixtureRequest, case_of: Any, name: str) -> None:
    found = explained(case_of(request.getfixturevalue(name)))
    assert not isinstance(found, str)
    assert found.error < 1e-6


def test_wrong_contributions_do_not_pass_for_right_ones(german: Any, case_of: Any) -> None:
    from dataclasses import replace

    case = case_of(german)
    found = explained(case)
    assert not isinstance(found, str)
    outputs = case.test.outputs[found.places]
    wrong = found.found.phi.copy()
    wrong[3, 0, 2] += 0.01
    assert additivity_error(found.found, outputs) < 1e-6
    assert additivity_error(replace(found.found, phi=wrong), outputs) > 1e-4


def test_a_forest_of_probabilities_is_explained_on_their_scale() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    model = RandomForestClassifier(20, random_state=0).fit(X, np.where(y == 1, "benign", "malign"))
    (one,) = sw.explain(model, X[3], learned_from=(X, np.where(y == 1, "benign", "malign")), positive="benign")
    assert (one.unit, one.outcome) == ("probability", "benign")
    assert one.base + sum(item.phi for item in one.contributions) == pytest.approx(one.answer, abs=1e-6)


def test_a_black_box_is_explained_within_its_budget_of_queries(numeric_case: Any) -> None:
    rng = np.random.default_rng(1)
    columns = {f"x{place}": rng.normal(size=300) for place in range(20)}
    asked = []

    def answer(numbers: np.ndarray) -> np.ndarray:
        asked.append(len(numbers))
        return np.tanh(numbers[:, 0] * numbers[:, 1]) + numbers[:, 2]

    case = numeric_case(columns, rng.normal(size=300), answer, explanation={"queries": 50_000})
    before = sum(asked)
    found = explained(case)
    assert not isinstance(found, str)
    assert found.queries <= 50_000
    assert sum(asked) - before < 50_000 + 25_000  # the closed form is tried first: (n + background) for each feature
    top = np.argsort(-found.found.importance().mean(axis=0))[:3]
    assert set(top.tolist()) == {0, 1, 2}
    assert found.found.importance().mean(axis=0)[3:].max() == 0


def test_a_graph_without_trees_is_not_read_as_trees(wine: Any, case_of: Any) -> None:
    case = case_of(wine)
    rows = case.test.features
    with pytest.raises(CannotExplain, match="0 tree ensembles"):
        tree_attributions(case, rows, rows, case.test.outputs)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5))
def test_efficiency_symmetry_and_dummy_hold_for_any_function(seed: int, d: int) -> None:
    rng = np.random.default_rng(seed)
    table = rng.normal(size=2**d)

    def ask(rows: np.ndarray) -> np.ndarray:
        return table[((rows > 0) @ (1 << np.arange(d))).astype(int)][:, None]

    rows, background = rng.normal(size=(2, d)), rng.normal(size=(3, d))
    phi, base = every_subset(ask, rows, background)
    assert base + phi.sum(axis=2) == pytest.approx(ask(rows), abs=1e-9)
    assert phi[0, 0] == pytest.approx(_brute_force(lambda x: ask(x)[:, 0], rows[0], background), abs=1e-9)
    wide = np.column_stack([rows, rng.normal(size=2)])
    behind = np.column_stack([background, rng.normal(size=3)])
    with_idle, _ = every_subset(lambda x: ask(x[:, :d]), wide, behind)
    assert with_idle[:, :, d] == pytest.approx(0, abs=1e-12)
    assert with_idle[:, :, :d] == pytest.approx(phi, abs=1e-9)


def test_a_leaking_feature_stands_at_the_top() -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(500, 8))
    y = (X[:, 0] + X[:, 1] + rng.normal(size=500) > 0).astype(int)
    X = np.column_stack([X, y + rng.normal(0, 0.05, 500)])
    model = HistGradientBoostingClassifier(random_state=0, max_iter=30).fit(X[:300], y[:300])
    found = CHECK.run(_held(model, X[300:], y[300:]), rng).findings
    ranked = [one for one in found if one.check == "explanation.shapley_importance"]
    assert ranked[0].group.attribute == "x8"
    assert ranked[0].low > 5 * ranked[1].value


def test_contributions_do_not_depend_on_the_order_of_rows(german: Any, case_of: Any) -> None:
    turned = german.with_(test=german.test.take(pa.array(np.arange(german.test.num_rows)[::-1])))
    first, second = (explained(case_of(one)) for one in (german, turned))
    assert np.array_equal(first.found.phi, second.found.phi)
