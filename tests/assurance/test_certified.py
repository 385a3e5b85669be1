"""A proof holds against everything that is tried, is exact where it says so, and is not claimed where nothing is known."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits

from sealwright.assurance import AssuranceSpec, Features
from sealwright.assurance.adapters.onnx import OnnxPredictor
from sealwright.assurance.case import Case
from sealwright.assurance.case_making import make_case
from sealwright.assurance.certified.certificate import Certificate, certify
from sealwright.assurance.constraints.making import constraints_of
from sealwright.assurance.elsewhere.given_model import GivenModel
from sealwright.assurance.elsewhere.given_rows import given_rows
from sealwright.assurance.evasion.search import search
from sealwright.assurance.goal import goal_of
from sealwright.assurance.interface import Interface, NumberInput, read_interface
from sealwright.assurance.service import predictor_of
from sealwright.registry import Unreadable
from sealwright.training import RECIPES
from sealwright.training.adapters.estimators import fit
from sealwright.training.adapters.onnx_export import export
from sealwright.training.packing import pack, read_shape, target_of
from sealwright.training.recipes import parameters_of

from .conftest import Trained, interface_of, number, to_bytes

BUDGETS = (0.1, 0.5, 1.0, 2.5)


def _case(trained: Any, **spec: Any) -> Case:
    interface = read_interface(trained.interface)
    predictor = predictor_of(trained.model, interface)
    asked = AssuranceSpec.model_validate(spec)
    return make_case(predictor, trained.test, trained.train, interface, asked, (), 1, None)


def _recipe(trained: Any, recipe: str) -> Any:
    """The same rows under one of our own recipes, as the pipeline exports it."""
    shape = read_shape(trained.interface)
    task, rows = trained.interface["task"], pack(trained.train, shape)
    parameters = {one.name: one.default for one in parameters_of(recipe, task, rows.rows)}
    parameters |= {"trees": 15} if recipe != "logistic" else {}
    target = target_of(trained.train, shape)
    with threadpool_limits(limits=1):  # so few rows are not worth starting threads for
        fitted = fit(recipe, task, rows, target, classes=len(shape.classes), parameters=parameters, seed=1)
    return trained.with_(model=export(fitted, len(shape.numbers), len(shape.strings)))


def _with_gaps(trained: Any) -> Any:
    """The same rows with every ninth number missing."""

    def emptied(table: pa.Table) -> pa.Table:
        for place, item in enumerate(trained.interface["numbers"]):
            values = table[item["name"]].to_numpy().astype(float)
            gone = (np.arange(values.size) + place) % 9 == 0
            table = table.set_column(table.column_names.index(item["name"]), item["name"], pa.array(values, mask=gone))
        return table

    numbers = [item | {"nullable": True, "type": "number"} for item in trained.interface["numbers"]]
    return trained.with_(
        train=emptied(trained.train),
        test=emptied(trained.test),
        interface=trained.interface | {"numbers": numbers},
    )


def _tried(case: Case, certificate: Certificate, each: bool, rng: np.random.Generator) -> int:
    """Ask the model about many possible rows within each budget; how many turned one that was said to hold."""
    goal, rules = goal_of(case, 60, np.random.default_rng(0)), constraints_of(case)
    wrong = 0
    for place, budget in enumerate(BUDGETS):
        low, high = rules.box(goal.original, budget)
        for _ in range(12):
            numbers = goal.original.numbers.astype(np.float64)
            kind = rng.random(numbers.shape)
            wish = np.where(
                kind < 0.4,
                np.where(rng.random(numbers.shape) < 0.5, low, high),
                rng.uniform(np.nan_to_num(low), np.nan_to_num(high)),
            )
            keep = rng.random(numbers.shape) < rng.random()
            numbers = np.where(keep, numbers, wish)
            strings = goal.original.strings.copy()
            for column, levels in enumerate(rules.levels):
                hit = rng.random(len(goal)) < rng.random() / 2
                strings[hit, column] = rng.choice(np.array(levels, dtype=object), hit.sum())
            wanted = Features(numbers=numbers.astype(goal.original.numbers.dtype), strings=strings)
            changed = rules.project(goal.original, wanted)
            costs = rules.costs(goal.original, changed)
            within = (costs.max(axis=1) if each else costs.sum(axis=1)) <= budget
            turned = goal.reached(goal.ask(changed, np.arange(len(goal))))
            wrong += int((turned & within & certificate.holds[place]).sum())
    return wrong


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("name", ["german", "wine", "diabetes"])
def test_our_recipes_are_read_and_what_is_proven_holds(
    request: Any, name: str, recipe: str, gaps: bool, rng: np.random.Generator
) -> None:
    rows = request.getfixturevalue(name)
    trained = _recipe(_with_gaps(rows) if gaps else rows, recipe)
    case = _case(trained)
    goal, rules = goal_of(case, 60, np.random.default_rng(0)), constraints_of(case)
    for each in (False, True):
        found = certify(goal, rules, BUDGETS, each=each)
        assert isinstance(found, Certificate), found
        assert ("linear" in found.words) == (recipe == "logistic")
        assert (np.diff(found.holds.mean(axis=1)) <= 0).all()
        assert found.holds[0].mean() > 0.2
        assert _tried(case, found, each, rng) == 0
    found = certify(goal, rules, BUDGETS)
    flips = search(goal, rules, BUDGETS, 100, case.train.features.strings, rng)
    assert not any((flips.turned(budget) & holds).any() for budget, holds in zip(BUDGETS, found.holds, strict=True))


def test_a_linear_model_of_numbers_is_turned_exactly_where_no_proof_is(wine: Any, rng: np.random.Generator) -> None:
    case = _case(wine)
    goal, rules = goal_of(case, 200, rng), constraints_of(case)
    proven = certify(goal, rules, BUDGETS)
    flips = search(goal, rules, BUDGETS, 400, case.train.features.strings, rng)
    assert isinstance(proven, Certificate)
    for place, budget in enumerate(BUDGETS[:3]):
        assert (proven.holds[place] == ~flips.turned(budget)).all()


def test_with_a_budget_for_each_number_the_proof_is_the_closed_form(wine: Any, rng: np.random.Generator) -> None:
    """min over |x' - x| <= reach of w·x' + b is w·x + b - Σ |w| reach, here within the range seen in training."""
    case = _case(wine)
    goal, rules = goal_of(case, 200, rng), constraints_of(case)
    proven = certify(goal, rules, (0.3,), each=True)
    assert isinstance(case.model, OnnxPredictor)
    linear = case.model.opened()
    x = goal.original.numbers.astype(np.float64)
    low, high = rules.box(goal.original, 0.3)
    factor = np.array([one.factor for one in linear.columns])
    scores = linear.scores(goal.original)
    worst = np.full(len(goal), np.inf)
    for other in range(3):
        w = (linear.core.weights[:, goal.decided] - linear.core.weights[:, [other]]).T * factor
        lead = scores[np.arange(len(goal)), goal.decided] - scores[:, other]
        lead = lead + np.where(w > 0, w * (low - x), w * (high - x)).sum(axis=1)
        worst = np.where(goal.decided == other, worst, np.minimum(worst, lead))
    assert isinstance(proven, Certificate)
    clear = np.abs(worst) > 1e-3
    assert clear.sum() > 60
    assert (proven.holds[0] == (worst > 0))[clear].all()


def test_one_tree_is_turned_exactly_where_no_proof_is(rng: np.random.Generator) -> None:
    """For one tree the bound is the true least cost: the corner of the nearest leaf is a witness."""
    X = rng.normal(size=(300, 3)).astype(np.float32)
    y = (X[:, 0] + X[:, 1] * X[:, 2] > 0).astype(int)
    forest = RandomForestClassifier(1, max_leaf_nodes=12, bootstrap=False, random_state=0).fit(X, y)
    trained = _numbers(forest, X, y)
    case = _case(trained)
    goal, rules = goal_of(case, 100, rng), constraints_of(case)
    proven = certify(goal, rules, BUDGETS)
    assert isinstance(proven, Certificate)
    core = case.model.opened().core  # type: ignore[attr-defined]
    for place, budget in enumerate(BUDGETS):
        turned = np.zeros(len(goal), dtype=bool)
        for leaf in range(len(core.scores)):
            numbers = goal.original.numbers.copy()
            for at in np.flatnonzero(core.leaf == leaf):
                column = core.column[at]
                value = numbers[:, column]
                inside = np.where(value > core.high[at], np.float32(core.high[at]), value)
                above = np.nextafter(np.float32(core.low[at]), np.float32(np.inf))
                numbers[:, column] = np.where(inside <= core.low[at], above, inside)
            changed = rules.project(goal.original, goal.original.with_numbers(numbers))
            cheap = rules.cost(goal.original, changed) <= budget
            turned |= cheap & goal.reached(goal.ask(changed, np.arange(len(goal))))
        assert (proven.holds[place] == ~turned).all()


def _numbers(model: Any, X: np.ndarray, y: np.ndarray) -> Any:
    names = [f"x{place}" for place in range(X.shape[1])]
    table = pa.table(dict(zip(names, X.T, strict=True)) | {"outcome": np.where(y == 1, "yes", "no")})
    interface = interface_of("binary", [number(name) for name in names], [], ["no", "yes"], "yes")
    return Trained(to_bytes(model, X.shape[1], 0), interface, table, table)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.15, 0.85), st.booleans())
def test_whatever_the_model_no_possible_row_contradicts_a_proof(seed: int, threshold: float, trees: bool) -> None:
    rng = np.random.default_rng(seed)
    X = np.round(rng.normal(size=(120, 3)) * rng.uniform(0.5, 20, 3), 1).astype(np.float32)
    y = (X @ rng.normal(size=3) + rng.normal(size=120) > 0).astype(int)
    if len(set(y)) < 2:
        return
    model = RandomForestClassifier(5, max_depth=4, random_state=seed) if trees else LogisticRegression(C=0.5)
    case = _case(_numbers(model.fit(X, y), X, y), threshold=threshold)
    goal, rules = goal_of(case, 60, np.random.default_rng(0)), constraints_of(case)
    for each in (False, True):
        found = certify(goal, rules, BUDGETS, each=each)
        assert isinstance(found, Certificate), found
        assert _tried(case, found, each, rng) == 0


def test_no_bound_is_claimed_for_a_function(scored: Any) -> None:
    judged = scored([0, 1] * 30, [0.2, 0.8] * 30).judge("robustness")
    assert "no bound is known" in judged.why("robustness.certified_accuracy")


def test_a_graph_that_mixes_columns_is_not_read(wine: Any) -> None:
    X = np.column_stack([wine.train[item["name"]].to_numpy() for item in wine.interface["numbers"]])
    mixed = make_pipeline(PCA(4), LogisticRegression(max_iter=2000)).fit(X, wine.train["outcome"].to_numpy(False))
    trained = wine.with_(model=to_bytes(mixed, X.shape[1], 0))
    case = _case(trained)
    with pytest.raises(Unreadable):
        case.model.opened()  # type: ignore[attr-defined]
    said = certify(goal_of(case, 50, np.random.default_rng(0)), constraints_of(case), BUDGETS)
    assert isinstance(said, str)
    assert "no bound is known for this model" in said


def test_a_reading_that_does_not_give_the_models_answers_proves_nothing(german: Any) -> None:
    """The graph of one model must not vouch for another."""
    case = _case(german)
    other = _case(_recipe(german, "boosting")).model
    goal, rules = goal_of(case, 60, np.random.default_rng(0)), constraints_of(case)
    case.model.opened = other.opened  # type: ignore[attr-defined]
    said = certify(goal, rules, BUDGETS)
    assert isinstance(said, str)
    assert "does not give the answers" in said


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(max_iter=500),
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)),
        make_pipeline(MinMaxScaler(), RandomForestClassifier(8, max_depth=5, random_state=0)),
        DecisionTreeClassifier(max_depth=5, random_state=0),
        HistGradientBoostingClassifier(max_iter=8, random_state=0),
    ],
    ids=["linear", "scaled", "forest", "tree", "boosting"],
)
@pytest.mark.parametrize("classes", [("no", "yes"), ("yes", "no"), ("a", "b", "c")], ids=len)
def test_an_estimator_that_is_held_is_opened_and_what_is_proven_holds(
    model: Any, classes: tuple[str, ...], rng: np.random.Generator
) -> None:
    X = rng.normal(size=(200, 4)) * [1, 5, 0.2, 30]
    score = X[:, 0] + X[:, 1] / 5 + rng.normal(size=200) / 2
    y = np.array(sorted(classes), dtype=object)[np.digitize(score, [-0.5, 0.7])[:] % len(classes)]
    fitted = clone(model).fit(X, y)
    rows = given_rows(X)
    task = "binary" if len(classes) == 2 else "multiclass"
    interface = Interface(
        task=task,
        target="outcome",
        classes=classes,
        positive="yes" if task == "binary" else None,
        numbers=tuple(NumberInput(name=n, type="number", nullable=True, least=None, most=None) for n in rows.numbers),
        strings=(),
        precision="float64",
    )
    table = rows.table.append_column("outcome", pa.array(y.tolist()))
    predictor = GivenModel(fitted, rows, task, classes)
    case = make_case(predictor, table, None, interface, AssuranceSpec(), (), 1, None)
    goal, rules = goal_of(case, 60, np.random.default_rng(0)), constraints_of(case)
    for each in (False, True):
        found = certify(goal, rules, BUDGETS, each=each)
        assert isinstance(found, Certificate), found
        assert found.holds[0].any()
        assert _tried(case, found, each, rng) == 0


def test_an_older_boosting_that_is_held_is_opened_in_either_order_of_classes(rng: np.random.Generator) -> None:
    X = rng.normal(size=(150, 3)).astype(np.float32)
    y = np.where(X[:, 0] > 0, "yes", "no")
    model = GradientBoostingClassifier(n_estimators=5, max_depth=2, random_state=0).fit(X, y)
    for classes in (("no", "yes"), ("yes", "no")):
        held = GivenModel(model, given_rows(X), "binary", classes)
        reading = held.opened()
        features = Features(numbers=X, strings=np.empty((150, 0), dtype=object))
        said = reading.answers(reading.scores(features), "logistic", 2)
        assert np.abs(said - held.predict(features)).max() < 1e-6


def test_what_is_held_and_of_no_kind_that_is_read_says_so(rng: np.random.Generator) -> None:
    X = rng.normal(size=(80, 2))
    model = GaussianNB().fit(X, X[:, 0] > 0)
    with pytest.raises(Unreadable, match="a GaussianNB is not opened up here"):
        GivenModel(model, given_rows(X), "binary", ("false", "true")).opened()
