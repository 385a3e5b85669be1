"""Any model on any rows: the same numbers as its own library gives, and a clear word where something does not fit."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from skl2onnx import to_onnx
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.metrics import mean_absolute_error, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sealwright.assurance import SuiteResult, UnusablePredictions, judge
from sealwright.kernel import InvalidInput

GERMAN = Path(__file__).parents[3] / "examples/german-credit/german_credit.csv"
PERFORMANCE = {"suites": ["performance"], "bootstrap": 200}
X, Y = load_breast_cancer(return_X_y=True)
LEARN, TEST = slice(0, 300), slice(300, None)


def value(results: Sequence[SuiteResult], check: str) -> float:
    (found,) = [one for result in results for one in result.findings if one.check == check]
    return found.value


def why(results: Sequence[SuiteResult], check: str) -> str:
    return next(one.why for result in results for one in result.not_performed if one.check == check)


@pytest.fixture(scope="module")
def scaled() -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)).fit(X[LEARN], Y[LEARN])


def german() -> tuple[pd.DataFrame, pd.Series]:
    frame = pd.read_csv(GERMAN).drop(columns="applicant_id")
    return frame.drop(columns="outcome"), frame["outcome"]


def test_an_estimator_on_an_array_has_the_score_its_library_gives(scaled: Any) -> None:
    results = judge(scaled, X[TEST], Y[TEST], settings=PERFORMANCE)
    wanted = roc_auc_score(Y[TEST], scaled.predict_proba(X[TEST])[:, 1])
    assert value(results, "performance.roc_auc") == pytest.approx(wanted, abs=1e-9)
    assert results[0].model is None


def test_an_estimator_on_a_frame_with_categories_has_the_score_its_library_gives() -> None:
    rows, truth = german()
    rows = rows.astype(dict.fromkeys(rows.select_dtypes(exclude="number"), "category"))
    model = HistGradientBoostingClassifier(categorical_features="from_dtype", max_iter=20, random_state=0)
    model.fit(rows[:700], truth[:700])
    results = judge(model, rows[700:], truth[700:], positive="good", settings=PERFORMANCE)
    wanted = roc_auc_score(truth[700:] == "good", model.predict_proba(rows[700:])[:, 1])
    assert value(results, "performance.roc_auc") == pytest.approx(wanted, abs=1e-9)


def test_thresholds_of_trees_are_not_blurred_by_rounding() -> None:
    """Packages take 32-bit numbers; a tree that was trained on 64 bits is asked in 64 bits."""
    rng = np.random.default_rng(0)
    rows = 1e8 + rng.integers(0, 10, (400, 1)).astype(float)  # ten values that 32 bits see as two
    truth = (rows[:, 0] % 2).astype(int)
    model = RandomForestClassifier(20, random_state=0).fit(rows, truth)
    trees = HistGradientBoostingClassifier(max_iter=30, random_state=0).fit(rows, truth)
    assert value(judge(trees, rows, truth, settings=PERFORMANCE), "performance.accuracy") == trees.score(rows, truth)
    assert trees.score(rows, truth) > 0.95
    assert value(judge(model, rows, truth, settings=PERFORMANCE), "performance.accuracy") == model.score(rows, truth)


def test_several_classes_in_the_models_own_order() -> None:
    rows, truth = load_wine(return_X_y=True)
    names = np.array(["barbera", "grignolino", "barolo"])[truth]
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows[::2], names[::2])
    results = judge(model, rows[1::2], names[1::2], settings=PERFORMANCE)
    assert results[0].task == "multiclass"
    assert value(results, "performance.accuracy") == pytest.approx(model.score(rows[1::2], names[1::2]))


def test_a_regressor_says_what_it_is() -> None:
    rows, truth = load_diabetes(return_X_y=True)
    model = Ridge().fit(rows[:300], truth[:300])
    results = judge(model, rows[300:], truth[300:], settings=PERFORMANCE)
    assert results[0].task == "regression"
    wanted = mean_absolute_error(truth[300:], model.predict(rows[300:]))
    assert value(results, "performance.mae") == pytest.approx(wanted)


@pytest.mark.parametrize("classes", [None, [0, 1]])
def test_a_function_of_the_rows_may_give_one_probability_or_one_a_class(scaled: Any, classes: list[int] | None) -> None:
    both = judge(scaled.predict_proba, X[TEST], Y[TEST], settings=PERFORMANCE, classes=classes)
    one = judge(lambda rows: scaled.predict_proba(rows)[:, 1], X[TEST], Y[TEST], settings=PERFORMANCE)
    assert value(both, "performance.roc_auc") == value(one, "performance.roc_auc")


def test_outcomes_are_the_same_written_as_whole_numbers_fractions_or_words(scaled: Any) -> None:
    found = {
        value(judge(scaled, X[TEST], truth, settings=PERFORMANCE), "performance.accuracy")
        for truth in (Y[TEST], Y[TEST].astype(float), Y[TEST].astype(str), list(Y[TEST]), pd.Series(Y[TEST]))
    }
    assert len(found) == 1


@pytest.mark.parametrize("zipmap", [True, False])
def test_an_onnx_file_of_somebody_else_by_path_or_bytes(scaled: Any, tmp_path: Path, *, zipmap: bool) -> None:
    made = to_onnx(scaled, X[:1].astype(np.float32), options={"zipmap": zipmap})
    (tmp_path / "model.onnx").write_bytes(made.SerializeToString())
    wanted = roc_auc_score(Y[TEST], scaled.predict_proba(X[TEST])[:, 1])
    for model in (tmp_path / "model.onnx", str(tmp_path / "model.onnx"), made.SerializeToString()):
        results = judge(model, X[TEST], Y[TEST], settings=PERFORMANCE)
        assert value(results, "performance.roc_auc") == pytest.approx(wanted, abs=1e-3)
        assert str(results[0].model).startswith("sha256:")


def test_an_onnx_file_with_an_input_for_each_column() -> None:
    rows, truth = german()
    words = [name for name in rows if rows[name].dtype == object]
    model = make_pipeline(
        make_column_transformer((OneHotEncoder(handle_unknown="ignore"), words), remainder=StandardScaler()),
        LogisticRegression(max_iter=500),
    ).fit(rows[:700], truth[:700])
    file = to_onnx(model, rows[:1].astype({name: np.float32 for name in rows if name not in words}))
    results = judge(file.SerializeToString(), rows[700:], truth[700:], positive="good", settings=PERFORMANCE)
    wanted = roc_auc_score(truth[700:] == "good", model.predict_proba(rows[700:])[:, 1])
    assert value(results, "performance.roc_auc") == pytest.approx(wanted, abs=1e-3)


def test_a_torch_module_gives_logits_unless_its_last_layer_says_otherwise() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed: modules of torch were not judged")
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(30, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1))
    rows = ((X - X.mean(0)) / X.std(0)).astype(np.float32)
    with torch.no_grad():
        chance = torch.sigmoid(net(torch.as_tensor(rows[TEST]))).double().numpy()[:, 0]
    for model in (net, torch.nn.Sequential(*net, torch.nn.Sigmoid())):
        results = judge(model, rows[TEST], Y[TEST], settings=PERFORMANCE)
        assert value(results, "performance.roc_auc") == pytest.approx(roc_auc_score(Y[TEST], chance), abs=1e-9)
    two = torch.nn.Sequential(torch.nn.Linear(30, 2))
    found = judge(two, rows[TEST], Y[TEST], settings=PERFORMANCE)
    with torch.no_grad():
        both = torch.softmax(two(torch.as_tensor(rows[TEST])), -1).double().numpy()
    assert value(found, "performance.accuracy") == pytest.approx(float((both.argmax(1) == Y[TEST]).mean()))


# --- groups, and the rows it learned from


def test_groups_beside_the_rows_are_compared_and_never_reach_the_model(scaled: Any) -> None:
    side = np.where(X[TEST][:, 0] > 13, "large", "small")
    settings = {"suites": ["fairness"], "bootstrap": 200}
    for groups in ({"size": side}, pd.DataFrame({"size": side}), pd.Series(side, name="size")):
        (result,) = judge(scaled, X[TEST], Y[TEST], groups=groups, settings=settings)
        gap = next(one for one in result.findings if one.check == "fairness.selection_gap")
        assert gap.group is not None
        assert gap.group.attribute == "size"
    chosen = scaled.predict(X[TEST])
    assert gap.value == pytest.approx(abs(chosen[side == "large"].mean() - chosen[side == "small"].mean()))


def test_what_compares_with_the_rows_learned_from_is_done_only_where_they_are_given(scaled: Any) -> None:
    settings = {"suites": ["quality", "performance"], "bootstrap": 200}
    alone = judge(scaled, X[TEST], Y[TEST], settings=settings)
    assert "were not given" in why(alone, "quality.overlap_share")
    assert "were not given" in why(alone, "performance.overfit_gap")
    assert alone[0].rows["train"] == alone[0].rows["train_judged"] == 0
    sides = {"side": np.where(X[TEST][:, 0] > 13, "large", "small")}
    beside = judge(
        scaled, X[TEST], Y[TEST], groups=sides, learned_from=(X[LEARN], Y[LEARN]), settings={"suites": ["fairness"]}
    )
    assert "is not known" in why(beside, "fairness.representation_gap")
    assert value(beside, "fairness.proxy_auc") > 0.95, "the first column gives the side away"
    known = judge(scaled, X[TEST], Y[TEST], learned_from=(X[LEARN], Y[LEARN]), settings=settings)
    assert value(known, "quality.overlap_share") == 0
    leaky = judge(scaled, X[TEST], Y[TEST], learned_from=(X, Y), settings=settings)
    assert value(leaky, "quality.overlap_share") == 1


def test_every_suite_runs_without_the_rows_learned_from() -> None:
    rows, truth = german()
    words = [name for name in rows if rows[name].dtype == object]
    model = make_pipeline(
        make_column_transformer((OneHotEncoder(handle_unknown="ignore"), words), remainder="passthrough"),
        RandomForestClassifier(10, random_state=0),
    ).fit(rows[:700], truth[:700])
    quick = {"bootstrap": 200, "budget": {"repeats": 2, "robustness_rows": 100, "explanation_rows": 200}}
    results = judge(model, rows[700:], truth[700:], groups=["sex", "age"], settings=quick)
    some = {"suites": ["fairness", "slices"]}
    again = judge(model, rows[700:], truth[700:], groups=["sex", "age"], settings=quick | some)
    assert [one.suite for one in results] == [
        "quality",
        "performance",
        "fairness",
        "robustness",
        "stress",
        "slices",
        "uncertainty",
        "privacy",
        "explanation",
    ]
    assert all(one.findings for one in results if one.suite != "privacy")  # which compares with the rows learned from
    assert [one.findings for one in results if one.suite in some["suites"]] == [one.findings for one in again]


# --- what does not fit


def failing(_rows: NDArray[Any]) -> NDArray[Any]:
    raise RuntimeError("out of cheese")


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda m: judge(m, X[TEST], Y[:5]), InvalidInput, "269 rows and 5 outcomes"),
        (lambda m: judge(m, X[TEST], [None, *Y[TEST][1:]]), InvalidInput, "1 of 269 rows have no outcome"),
        (
            lambda m: judge(m, X[TEST], Y[TEST] + 3),
            InvalidInput,
            "rows have the outcomes 3, 4; the model knows 0, 1",
        ),
        (lambda m: judge(m, X[TEST], Y[TEST], positive="yes"), InvalidInput, "none of the outcomes 0, 1"),
        (lambda m: judge(m, X[TEST], Y[TEST], task="clustering"), InvalidInput, "A task is one of"),
        (lambda m: judge(m, X[TEST], Y[TEST], groups=["sex"]), InvalidInput, "no column sex"),
        (lambda m: judge(m, X[TEST], Y[TEST], groups={"sex": ["f"]}), InvalidInput, "one entry for each of the 269"),
        (lambda m: judge(m, X[TEST], Y[TEST], settings={"colour": 1}), InvalidInput, "settings cannot be used: colour"),
        (lambda m: judge(m, X[TEST][:, :3], Y[TEST], settings=PERFORMANCE), UnusablePredictions, "failed on 269 rows"),
        (lambda m: judge(m, X[TEST], Y[TEST], learned_from=(X[:, :2], Y)), InvalidInput, "do not have the columns"),
        (lambda _: judge(failing, X[TEST], Y[TEST]), UnusablePredictions, "RuntimeError: out of cheese"),
        (lambda _: judge(RidgeClassifier().fit(X, Y), X[TEST], Y[TEST]), InvalidInput, "not how sure"),
        (lambda _: judge(object(), X[TEST], Y[TEST]), InvalidInput, "cannot be asked"),
        (lambda _: judge(b"no onnx", X[TEST], Y[TEST]), InvalidInput, "cannot be opened"),
        (lambda _: judge("/nowhere/model.onnx", X[TEST], Y[TEST]), Exception, "nowhere"),
        (lambda _: judge(lambda r: np.full(len(r), 7.0), X[TEST], Y[TEST]), UnusablePredictions, "not probabilities"),
    ],
)
def test_what_does_not_fit_is_said_in_words(
    scaled: Any, make: Callable[[Any], Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        make(scaled)


def test_a_regression_forest_is_judged_with_every_suite() -> None:
    rows, truth = load_diabetes(return_X_y=True, as_frame=True)
    model = RandomForestRegressor(10, random_state=0).fit(rows[:300], truth[:300])
    quick = {"bootstrap": 200, "budget": {"repeats": 2, "robustness_rows": 100, "explanation_rows": 200}}
    results = judge(model, rows[300:], truth[300:], groups=["sex"], settings=quick)
    assert all(one.task == "regression" for one in results)
    assert all(one.findings for one in results if one.suite != "privacy")
