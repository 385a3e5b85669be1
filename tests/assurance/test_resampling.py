"""Training again and again: no row is on both sides, intervals hold, and closed forms are exact."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import LeaveOneOut as SklearnLeaveOneOut
from sklearn.model_selection import cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sealwright.assurance import (
    Data,
    TooCostly,
    compare_by_folds,
    cross_validate,
    grouped_folds,
    k_folds,
    learning_curve,
    leave_one_out,
    nested_cross_validate,
    repeated,
    stratified_folds,
    time_ordered_folds,
)
from sealwright.kernel import InvalidInput


def _classes(rng: np.random.Generator, n: int = 300, signal: float = 1.0) -> Data:
    y = rng.random(n) < 0.4
    return Data(X=rng.normal(size=(n, 4)) + signal * y[:, None] * [1, 0.5, 0, 0], y=y.astype(np.int64))


def _values(rng: np.random.Generator, n: int = 80) -> Data:
    X = rng.normal(size=(n, 5)) * [1, 10, 0.1, 1, 1] + 7
    return Data(X=X, y=X @ [1.0, 0.2, 3, 0, 0] + rng.normal(size=n))


@given(st.integers(4, 60), st.integers(2, 4), st.integers(0, 2**32))
def test_every_row_is_judged_once_and_never_by_a_model_that_learned_it(n: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    groups = np.arange(n) // 2 if n >= 2 * k else np.arange(n)
    classes = np.arange(n) % 2 if n >= 2 * k else np.zeros(n)
    for splits in (k_folds(n, k, rng), grouped_folds(groups, k, rng), stratified_folds(classes, k, rng)):
        assert sorted(np.concatenate([split.test for split in splits])) == list(range(n))
        for split in splits:
            assert not set(split.train) & set(split.test)
            assert split.train.size + split.test.size == n


@given(st.lists(st.integers(0, 3), min_size=40, max_size=80), st.integers(0, 2**32))
def test_every_fold_has_its_share_of_every_class(drawn: list[int], seed: int) -> None:
    classes = np.array([*drawn, *[0, 1, 2, 3] * 4])
    folds = stratified_folds(classes, 4, np.random.default_rng(seed))
    assert np.ptp([split.test.size for split in folds]) <= 1
    for split in folds:
        for name in range(4):
            assert abs(np.sum(classes[split.test] == name) - np.sum(classes == name) / 4) < 1


@given(st.lists(st.integers(0, 12), min_size=40, max_size=80), st.integers(0, 2**32))
def test_a_group_is_never_on_both_sides(drawn: list[int], seed: int) -> None:
    groups = np.array([*drawn, 0, 1, 2])
    for split in grouped_folds(groups, 3, np.random.default_rng(seed)):
        assert not set(groups[split.train]) & set(groups[split.test])


@given(st.integers(0, 2**32))
def test_other_names_for_classes_and_groups_give_the_same_folds(seed: int) -> None:
    codes = np.random.default_rng(seed).integers(0, 5, 90)
    names = np.array(["e", "b", "d", "a", "c"])[codes]
    for make in (stratified_folds, grouped_folds):
        by_code, by_name = (make(labels, 3, np.random.default_rng(1)) for labels in (codes, names))
        assert all(np.array_equal(a.test, b.test) for a, b in zip(by_code, by_name, strict=True))


@given(st.integers(0, 2**32), st.integers(0, 5))
def test_nothing_is_learned_from_the_future(seed: int, gap: int) -> None:
    times = np.random.default_rng(seed).integers(0, 40, 120)
    for split in time_ordered_folds(times, 3, gap):
        assert times[split.train].max() < times[split.test].min()


def test_what_cannot_be_split_is_refused_with_the_reason(rng: np.random.Generator) -> None:
    with pytest.raises(InvalidInput, match="2 to the 5 rows; got 6"):
        k_folds(5, 6, rng)
    with pytest.raises(InvalidInput, match="rows of the rarest class"):
        stratified_folds(np.array([0, 0, 0, 1]), 2, rng)
    with pytest.raises(InvalidInput, match="2 groups"):
        grouped_folds(np.array([0, 0, 1]), 3, rng)
    with pytest.raises(InvalidInput, match="cannot be cut into 4 parts"):
        time_ordered_folds(np.zeros(30), 3)
    with pytest.raises(InvalidInput, match="without some class"):
        data = Data(X=np.arange(6.0)[:, None], y=np.array([0, 1, 0, 1, 0, 2]))
        leave_one_out(DecisionTreeClassifier(), data)


def test_scores_are_those_of_scikit_learn(rng: np.random.Generator) -> None:
    data, model = _classes(rng), LogisticRegression()
    splits = stratified_folds(data.y, 5, rng)
    pairs = [(split.train, split.test) for split in splits]
    known = {"roc_auc": "roc_auc", "accuracy": "accuracy", "negative_log_loss": "neg_log_loss"}
    for ours, theirs in {**known, "negative_brier": "neg_brier_score"}.items():
        found = cross_validate(model, data, splits, ours)
        expected = cross_val_score(model, data.X, data.y, cv=pairs, scoring=theirs)
        assert found.scores == pytest.approx(expected), ours
    values = _values(rng)
    splits = k_folds(80, 4, rng)
    pairs = [(split.train, split.test) for split in splits]
    for ours, theirs in {
        "r2": "r2",
        "negative_mse": "neg_mean_squared_error",
        "negative_mae": "neg_mean_absolute_error",
    }.items():
        expected = cross_val_score(Ridge(), values.X, values.y, cv=pairs, scoring=theirs)
        assert cross_validate(Ridge(), values, splits, ours).scores == pytest.approx(expected), ours


def test_a_plain_function_trains_as_well_as_an_estimator(rng: np.random.Generator) -> None:
    data = _values(rng)

    def train(X: np.ndarray, y: np.ndarray):
        fitted = Ridge().fit(X, y)
        return fitted.predict

    splits = k_folds(80, 4, rng)
    assert cross_validate(train, data, splits, "r2") == cross_validate(Ridge(), data, splits, "r2")
    with pytest.raises(InvalidInput, match="cannot be trained"):
        cross_validate("ridge", data, splits, "r2")
    with pytest.raises(InvalidInput, match="no score 'gini'"):
        cross_validate(train, data, splits, "gini")


def test_the_corrected_interval_is_the_published_formula(rng: np.random.Generator) -> None:
    data = _values(rng)
    found = cross_validate(Ridge(), data, repeated(lambda: k_folds(80, 10, rng), 3), "negative_mse")
    spread = np.std(found.scores, ddof=1)
    half = 2.0452296 * spread * np.sqrt(1 / 30 + 8 / 72)  # t of 29 degrees of freedom, 0.975
    assert found.interval == pytest.approx((found.mean - half, found.mean + half), rel=1e-6)
    assert cross_validate(Ridge(), data, k_folds(80, 2, rng)[:1], "r2").interval is None


def test_two_equal_ways_of_training_are_seldom_told_apart() -> None:
    alarms = plain = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        data = Data(X=rng.normal(size=(60, 2)), y=rng.integers(0, 2, 60))
        splits = repeated(lambda r=rng: k_folds(60, 5, r), 3)
        one, two = (  # each looks at one column of pure noise: equally good by symmetry
            cross_validate(lambda X, y, c=c: _by_column(X, y, c), data, splits, "accuracy") for c in (0, 1)
        )
        apart, (low, high), p = compare_by_folds(one, two)
        assert low <= apart <= high
        assert (p < 0.05) == (not low <= 0 <= high)
        alarms += p < 0.05
        gaps = np.subtract(one.scores, two.scores)
        plain += abs(gaps.mean()) > 2.1448 * gaps.std(ddof=1) / np.sqrt(15)
    assert alarms <= 18  # 10 expected at 5 %
    assert plain > 2 * alarms  # the uncorrected test cries wolf


def _by_column(X: np.ndarray, y: np.ndarray, column: int):
    cut = np.median(X[:, column])
    above = y[X[:, column] > cut].mean() > 0.5
    return lambda rows: ((rows[:, column] > cut) == above).astype(np.int64)


def test_a_clear_difference_is_found(rng: np.random.Generator) -> None:
    data = _values(rng)
    splits = repeated(lambda: k_folds(80, 5, rng), 3)
    ridge, tree = (
        cross_validate(model, data, splits, "negative_mse")
        for model in (Ridge(), DecisionTreeRegressor(random_state=0))
    )
    apart, (low, _), p = compare_by_folds(ridge, tree)
    assert apart > low > 0
    assert p < 0.01
    with pytest.raises(InvalidInput, match="same splits"):
        compare_by_folds(ridge, cross_validate(Ridge(), data, splits[:3], "negative_mse"))


@pytest.mark.parametrize("model", [LinearRegression(), Ridge(alpha=3.0)])
def test_leave_one_out_of_a_line_is_exact_in_one_fit(model, rng: np.random.Generator) -> None:
    data = _values(rng)
    found = leave_one_out(model, data, most_fits=1)
    expected = cross_val_predict(model, data.X, data.y, cv=SklearnLeaveOneOut())
    assert found.outputs == pytest.approx(expected, rel=1e-9)
    assert found.loss == pytest.approx(np.mean((data.y - expected) ** 2))
    assert (found.fits, found.how) == (1, "exact, from one fit")
    assert found.interval[0] < found.loss < found.interval[1]


def test_leave_one_out_says_what_it_would_cost_and_why_it_is_not_exact(rng: np.random.Generator) -> None:
    data = _values(rng)
    scaled = make_pipeline(StandardScaler(), Ridge())
    with pytest.raises(
        TooCostly, match=r"train 80 models .* seconds by the time of one; the budget is 50(.|\n)*pipeline"
    ):
        leave_one_out(scaled, data, most_fits=50)
    with pytest.raises(TooCostly, match="Only least squares and ridge"):
        leave_one_out(Ridge(fit_intercept=False), data, most_fits=50)
    found = leave_one_out(scaled, data, most_fits=80)
    assert found.fits == 80
    assert found.outputs == pytest.approx(cross_val_predict(scaled, data.X, data.y, cv=SklearnLeaveOneOut()))


def test_a_row_that_alone_determines_a_weight_is_named(rng: np.random.Generator) -> None:
    X = np.column_stack([rng.normal(size=20), np.eye(20)[0]])
    with pytest.raises(InvalidInput, match="1 rows alone determine a weight"):
        leave_one_out(LinearRegression(), Data(X=X, y=rng.normal(size=20)))


def test_choosing_among_noise_is_not_rewarded_when_nested() -> None:
    nested, naive = [], []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        data = Data(X=rng.normal(size=(80, 15)), y=rng.integers(0, 2, 80))
        candidates = {str(c): lambda X, y, c=c: _by_column(X, y, c) for c in range(15)}
        outer = stratified_folds(data.y, 4, rng)
        naive.append(max(cross_validate(one, data, outer, "accuracy").mean for one in candidates.values()))
        found = nested_cross_validate(candidates, data, outer, lambda part, r=rng: k_folds(len(part), 3, r), "accuracy")
        assert len(found.chosen) == 4
        nested.append(found.result.mean)
    assert np.mean(naive) > 0.55
    assert abs(np.mean(nested) - 0.5) < 0.035


def test_the_better_candidate_is_chosen_and_scored(rng: np.random.Generator) -> None:
    data = _values(rng)
    outer = k_folds(80, 4, rng)
    found = nested_cross_validate(
        {"tree": DecisionTreeRegressor(random_state=0), "ridge": Ridge()},
        data,
        outer,
        lambda part: k_folds(len(part), 4, rng),
        "negative_mse",
    )
    assert found.chosen == ("ridge",) * 4
    assert found.result == cross_validate(Ridge(), data, outer, "negative_mse")


def test_a_learning_curve_tells_a_hungry_model_from_a_sated_one(rng: np.random.Generator) -> None:
    data = _values(rng, 1600)
    splits = k_folds(1600, 10, rng)
    clean = Data(X=data.X, y=data.X @ [1.0, 0.2, 3, 0, 0])
    hungry = learning_curve(DecisionTreeRegressor(random_state=0), clean, splits, "r2", rng)
    sated = learning_curve(LinearRegression(), data, splits, "r2", rng, shares=(0.5, 0.75, 1.0))
    assert hungry.sizes == (180, 360, 720, 1440)
    assert hungry.words.startswith("still rising")
    assert sated.words.startswith("flat")
    figure = hungry.figure("r2")
    assert [len(series.x) for series in figure.series] == [4, 4]
    with pytest.raises(InvalidInput, match="ascending"):
        learning_curve(Ridge(), data, splits, "r2", rng, shares=(1.0, 0.5))


def test_one_outcome_in_a_fold_is_said(rng: np.random.Generator) -> None:
    data = Data(X=rng.normal(size=(40, 1)), y=np.array([1] + [0] * 39))
    with pytest.raises(InvalidInput, match="undefined on split"):
        cross_validate(lambda _X, _y: lambda rows: rows[:, 0], data, k_folds(40, 4, rng), "roc_auc")
