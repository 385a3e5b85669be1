"""The finer performance findings: agreement with scikit-learn and scipy, intervals that hold, faults that are named."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn import metrics
from sklearn.linear_model import LogisticRegression, Ridge

from sealwright.assurance import OnnxPredictor, pack, read_interface
from sealwright.assurance.intervals import f_beta_interval
from sealwright.assurance.linear import fit_logistic, fit_ridge
from sealwright.assurance.paired import bootstrap_p, mcnemar, normal_p
from sealwright.assurance.tables import correlation, correlation_interval, redrawn
from sealwright.kernel import InvalidInput

_STATLOG = {"bad": {"good": 5.0}, "good": {"bad": 1.0}}  # the costs published with German credit (Hofmann 1994)


def _outputs(trained) -> np.ndarray:
    interface = read_interface(trained.interface)
    return OnnxPredictor(trained.model, interface).predict(pack(trained.test, interface))


def test_two_classes_agree_with_scikit_learn_in_detail(german) -> None:
    p = _outputs(german)[:, german.interface["classes"].index("good")]
    truth = np.array(german.test["outcome"].to_pylist()) == "good"
    chosen = p >= 0.5
    cost = np.where(truth & ~chosen, 1.0, np.where(~truth & chosen, 5.0, 0.0)).mean()
    expected = {
        "f_beta": metrics.fbeta_score(truth, chosen, beta=3),
        "specificity": metrics.recall_score(~truth, ~chosen),
        "matthews_correlation": metrics.matthews_corrcoef(truth, chosen),
        "brier_uncertainty": truth.mean() * (1 - truth.mean()),
        "mean_cost": cost,
    }
    judged = german.judge("performance", spec={"beta": 3, "costs": _STATLOG})
    for name, value in expected.items():
        found = judged.one(f"performance.{name}")
        assert found.value == pytest.approx(value, abs=1e-6), name
        assert found.low < found.value < found.high, name
    parts = {
        name: judged.one(f"performance.brier_{name}").value for name in ("reliability", "resolution", "uncertainty")
    }
    total = parts["reliability"] - parts["resolution"] + parts["uncertainty"]
    assert total == pytest.approx(metrics.brier_score_loss(truth, p), abs=1e-9)


def test_three_classes_agree_with_scikit_learn_in_detail(wine) -> None:
    outputs, classes = _outputs(wine), wine.interface["classes"]
    truth = np.array(wine.test["outcome"].to_pylist())
    chosen = np.array(classes)[outputs.argmax(axis=1)]
    judged = wine.judge("performance")
    hot = truth[:, None] == np.array(classes)
    expected = {
        "macro_precision": metrics.precision_score(truth, chosen, average="macro"),
        "weighted_precision": metrics.precision_score(truth, chosen, average="weighted"),
        "weighted_f1": metrics.f1_score(truth, chosen, average="weighted"),
        "matthews_correlation": metrics.matthews_corrcoef(truth, chosen),
        "pr_auc": metrics.average_precision_score(hot, outputs, average="macro"),
        "brier": ((outputs - hot) ** 2).sum(axis=1).mean() / 2,
    }
    for name, value in expected.items():
        found = judged.one(f"performance.{name}")
        assert found.value == pytest.approx(value, abs=1e-6), name
        assert found.low <= found.value <= found.high, name
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(truth, chosen, labels=classes)
    for place, name in enumerate(classes):
        about = {"attribute": "outcome", "level": name}
        assert judged.one("performance.class_precision", **about).value == pytest.approx(precision[place])
        assert judged.one("performance.class_recall", **about).value == pytest.approx(recall[place])
        assert judged.one("performance.class_f1", **about).value == pytest.approx(f1[place])
        area = metrics.roc_auc_score(hot[:, place], outputs[:, place])
        assert judged.one("performance.class_roc_auc", **about).value == pytest.approx(area)


def test_a_class_nobody_has_and_nobody_is_given_is_said(wine) -> None:
    absent = wine.with_(interface=wine.interface | {"classes": [*wine.interface["classes"], "zinfandel"]})
    model = lambda features: np.column_stack([np.tile([0.4, 0.3, 0.3], (len(features), 1)), np.zeros(len(features))])  # noqa: E731
    judged = absent.with_(model=model).judge("performance")
    about = {"attribute": "outcome", "level": "zinfandel"}
    assert judged.why("performance.class_recall", **about) == "no test row is of this class"
    assert "none was decided" in judged.why("performance.class_f1", **about)
    assert judged.one("performance.matthews_correlation").value == 0


@given(st.lists(st.integers(0, 30), min_size=4, max_size=4), st.integers(0, 2**32))
def test_turning_truth_or_decision_around_turns_the_correlation_around(cells: list[int], seed: int) -> None:
    table = np.array(cells, dtype=np.int64).reshape(2, 2)
    if table.sum() == 0:
        return
    value = correlation(table[None].astype(float))[0]
    assert correlation(table[None, ::-1].astype(float))[0] == pytest.approx(-value)
    assert correlation(table[None, ::-1, ::-1].astype(float))[0] == pytest.approx(value)
    assert -1 <= value <= 1
    low, high = correlation_interval(table, 200, 0.95, np.random.default_rng(seed))
    assert -1 <= low <= value <= high <= 1
    assert low < high


def test_intervals_from_tables_hold_as_often_as_they_say() -> None:
    rng = np.random.default_rng(3)
    chances = np.array([[0.5, 0.1], [0.12, 0.28]])
    prices = np.array([[0.0, 1.0], [5.0, 0.0]])
    true = {
        "correlation": correlation(chances[None])[0],
        "f_beta": 5 * 0.28 / (5 * 0.28 + 4 * 0.12 + 0.1),
        "cost": float((chances * prices).sum()),
    }
    held = dict.fromkeys(true, 0)
    for _ in range(500):
        table = rng.multinomial(120, chances.ravel()).reshape(2, 2)
        cost = np.quantile((redrawn(table, 400, rng) * prices).sum(axis=(1, 2)) / 120, [0.025, 0.975])
        found = {
            "correlation": correlation_interval(table, 400, 0.95, rng),
            "f_beta": f_beta_interval(int(table[1, 1]), int(table[1, 0]), int(table[0, 1]), 2.0, 0.95)[1],
            "cost": cost,
        }
        for name, (low, high) in found.items():
            held[name] += low <= true[name] <= high
    for name, times in held.items():
        assert 0.92 <= times / 500 <= 0.98, (name, times)


@given(st.integers(0, 400), st.integers(0, 400))
def test_mcnemar_is_the_binomial_test(b: int, c: int) -> None:
    exact, mid = mcnemar(b, c)
    if b + c:
        assert exact == pytest.approx(binomtest(b, b + c).pvalue, abs=1e-12)
    assert 0 <= mid <= exact <= 1
    assert mcnemar(c, b) == (exact, mid)


def test_mcnemar_keeps_to_its_figures_for_the_published_example() -> None:
    exact, mid = mcnemar(1, 7)  # Fagerland, Lydersen & Laake 2013, table 1: airway hyper-responsiveness
    assert (round(exact, 4), round(mid, 4)) == (0.0703, 0.0391)


def test_a_p_value_needs_a_difference(rng: np.random.Generator) -> None:
    assert normal_p(0, 0) == 1
    assert normal_p(1.959964, 1) == pytest.approx(0.05, abs=1e-6)
    drawn = rng.normal(0.3, 1, 20_000)
    assert bootstrap_p(1.96, drawn) == pytest.approx(0.05, abs=0.01)
    assert bootstrap_p(9.0, drawn) == pytest.approx(1 / 20_001)


def test_the_simple_models_are_those_of_scikit_learn(rng: np.random.Generator) -> None:
    X = rng.normal(size=(300, 6))
    y = X[:, 0] + 0.5 * X[:, 1] + rng.logistic(size=300) > 0.4
    weights, constant = fit_logistic(X, y, 1.0)
    known = LogisticRegression(tol=1e-10, max_iter=10_000).fit(X, y)
    assert weights == pytest.approx(known.coef_[0], abs=1e-5)
    assert constant == pytest.approx(known.intercept_[0], abs=1e-5)
    values = X @ np.arange(6.0) + rng.normal(size=300)
    weights, constant = fit_ridge(X, values, 2.0)
    known = Ridge(alpha=2.0).fit(X, values)
    assert weights == pytest.approx(known.coef_)
    assert constant == pytest.approx(known.intercept_)


def test_perfectly_separated_rows_still_have_a_simple_model() -> None:
    X = np.linspace(-1, 1, 40)[:, None]
    weights, _ = fit_logistic(X, X[:, 0] > 0, 1.0)
    assert 1 < weights[0] < 10


@pytest.mark.parametrize(("name", "words"), [("german", "logistic"), ("wine", "each class"), ("diabetes", "ridge")])
def test_every_task_has_a_simple_model_to_beat(request, name: str, words: str) -> None:
    judged = request.getfixturevalue(name).judge("performance")
    score, gain = judged.one("performance.simple_model_score"), judged.one("performance.gain_over_simple_model")
    assert words in score.definition
    assert score.value > (0.4 if name == "diabetes" else 0.7)
    assert gain.low <= gain.value <= gain.high
    assert "p " in gain.note
    if name == "german":
        assert 0.74 < score.value < 0.84  # its usual range on these rows
        error = (gain.high - gain.low) / 2 / 1.959964
        assert f"p = {normal_p(gain.value, error):.2g} (DeLong" in gain.note


def test_a_model_worse_than_a_line_is_told_so(scored, guessed, rng: np.random.Generator) -> None:
    score = rng.random(600)
    upside_down = scored(rng.random(600) < score, 1 - score).with_(
        model=lambda f: np.column_stack([1 - np.abs(f.numbers[:, 0] - 0.5), np.abs(f.numbers[:, 0] - 0.5)])
    )
    judged = upside_down.judge("performance")
    assert judged.one("performance.gain_over_simple_model").note.startswith("worse than a logistic")
    assert judged.one("performance.underfit_gap").note.startswith("underfits: even on the rows it learned from, a logi")
    x = rng.normal(size=400)
    flat = guessed(2 * x + rng.normal(size=400), x).with_(model=lambda f: np.zeros(len(f)))
    assert flat.judge("performance").one("performance.gain_over_simple_model").note.startswith("worse than a ridge")


def test_the_version_before_is_compared_with_on_the_same_rows(german, diabetes) -> None:
    constant = lambda features: np.tile([0.3, 0.7], (len(features), 1))  # noqa: E731
    alone = german.judge("performance")
    assert "no earlier version" in alone.why("performance.gain_over_previous")
    judged = german.judge("performance", previous=constant)
    gain = judged.one("performance.gain_over_previous")
    assert gain.value == pytest.approx(alone.one("performance.roc_auc").value - 0.5)
    assert gain.low > 0
    assert gain.note.startswith("better than the previous version; p < 0.0001 (DeLong")
    same = german.judge("performance", previous=german.model)
    assert (
        same.one("performance.gain_over_previous").value,
        same.one("performance.decisions_over_previous").value,
    ) == (0, 0)
    assert "p = 1 (DeLong" in same.one("performance.gain_over_previous").note
    assert judged["performance"].settings_digest != same["performance"].settings_digest
    numbers = diabetes.judge("performance", previous=lambda features: np.full(len(features), 150.0))
    assert numbers.one("performance.gain_over_previous").low > 0


def test_two_equally_good_models_are_seldom_told_apart(scored) -> None:
    alarms = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        score = rng.random(300)
        noise = np.clip(score + rng.normal(0, 0.02, 300), 0, 1)
        found = scored(rng.random(300) < score, noise).judge("performance", spec={"bootstrap": 200})
        gain = found.one("performance.gain_over_simple_model")  # a rising line ranks as its feature does
        alarms += not gain.low <= 0 <= gain.high
    assert alarms == 0


def test_over_and_underfitting_are_said_in_words(german, scored, rng: np.random.Generator) -> None:
    assert german.judge("performance").one("performance.overfit_gap").note.startswith("overfits: new rows take")
    honest = scored(rng.random(300) < 0.5, rng.random(300)).judge("performance")
    assert honest.one("performance.overfit_gap").note.startswith("no sign of overfitting")
    assert "no better than chance" in honest.one("performance.underfit_gap").note
    score = rng.random(500)
    sound = scored(rng.random(500) < score, score).judge("performance").one("performance.underfit_gap")
    assert sound.note.startswith("no sign of underfitting")


def test_lift_and_gain_of_a_perfect_and_of_a_blind_ranking(scored, rng: np.random.Generator) -> None:
    truth = np.arange(1000) < 200
    perfect = scored(truth, np.where(truth, 0.9, 0.1)).judge("performance")
    assert (perfect.one("performance.lift").value, perfect.one("performance.gain").value) == pytest.approx((5, 0.5))
    blind = scored(truth, rng.random(1000)).judge("performance", spec={"top_share": 0.3})
    lift = blind.one("performance.lift")
    assert lift.low < 1 < lift.high
    assert blind.one("performance.gain").value == pytest.approx(0.3 * lift.value)
    curves = perfect.figure("performance.gain")
    assert [series.name for series in curves.series] == ["model", "best there is", "blind"]
    assert curves.series[0].y == curves.series[1].y


def test_the_cheapest_threshold_is_found_and_costs_are_compared_with_deciding_alike(scored) -> None:
    rng = np.random.default_rng(4)
    score = rng.random(4000)
    rows = scored(rng.random(4000) < score, score)  # the probabilities are true
    judged = rows.judge("performance", spec={"costs": {"yes": {"no": 9.0}, "no": {"yes": 1.0}}})
    note = judged.one("performance.mean_cost").note
    cheapest = float(note.partition("cheapest on these rows is ")[2].split()[0])
    assert cheapest == pytest.approx(0.1, abs=0.06)
    assert note.endswith("true probabilities would call for 0.1")
    saving = judged.one("performance.cost_saving")
    assert saving.note == "cheapest decision for all training rows: yes"
    assert saving.high < 0  # at one half, nine times too bold
    better = rows.judge("performance", spec={"threshold": 0.1, "costs": {"yes": {"no": 9.0}, "no": {"yes": 1.0}}})
    assert better.one("performance.cost_saving").low > 0
    assert len(better.figure("performance.cost").series[0].x) == 100


def test_the_curve_of_costs_passes_through_the_mean_cost_even_with_ties(scored, rng: np.random.Generator) -> None:
    score = rng.integers(0, 5, 200) / 4  # many rows exactly at the threshold
    judged = scored(rng.random(200) < score, score).judge("performance", spec={"costs": {"yes": {"no": 2, "yes": -3}}})
    curve = judged.figure("performance.cost").series[0]
    assert curve.y[curve.x.index(0.5)] == pytest.approx(judged.one("performance.mean_cost").value)


def test_one_row_says_nothing_about_a_correlation(rng: np.random.Generator) -> None:
    assert correlation_interval(np.array([[1, 0], [0, 0]]), 200, 0.95, rng) == (-1.0, 1.0)


def test_without_costs_nothing_is_made_up_and_strange_costs_are_refused(scored, guessed) -> None:
    rows = scored([0, 1] * 30, np.linspace(0, 1, 60))
    assert "assurance.costs" in rows.judge("performance").why("performance.mean_cost")
    with pytest.raises(InvalidInput, match="'maybe', which is none of the outcomes no, yes"):
        rows.judge("performance", spec={"costs": {"maybe": {"no": 1}}})
    with pytest.raises(InvalidInput, match="predicts numbers"):
        guessed(np.arange(40.0), np.arange(40.0)).judge("performance", spec={"costs": {"a": {"b": 1}}})


def test_a_quantile_is_judged_as_one(guessed, rng: np.random.Generator) -> None:
    x = rng.normal(size=2000)
    truth = x + rng.normal(size=2000)
    upper = guessed(truth, x + 1.2815516)  # the 0.9 quantile of a standard normal
    judged = upper.judge("performance", spec={"quantile": 0.9})
    loss = judged.one("performance.pinball_loss")
    guess = np.asarray(x + 1.2815516, dtype=np.float32)
    assert loss.value == pytest.approx(metrics.mean_pinball_loss(truth, guess, alpha=0.9), rel=1e-6)
    assert judged.one("performance.quantile_coverage").note == "as the quantile promises, within chance"
    constant = metrics.d2_pinball_score(truth, guess, alpha=0.9)
    assert judged.one("performance.pinball_gain").value == pytest.approx(constant, abs=1e-3)
    median = upper.judge("performance").one("performance.quantile_coverage")
    assert median.note.startswith("predictions are too high")
    assert median.value == pytest.approx(0.9, abs=0.03)


def test_reliability_is_small_for_honest_probabilities_and_large_for_boasts(scored) -> None:
    rng = np.random.default_rng(8)
    p = rng.random(3000)
    truth = rng.random(3000) < p
    honest = scored(truth, p).judge("performance").one("performance.brier_reliability")
    boast = scored(truth, np.where(p > 0.5, 0.99, 0.01)).judge("performance").one("performance.brier_reliability")
    assert honest.low < 2 * float(honest.note.partition("about ")[2].split()[0])
    assert boast.low > 0.03 > honest.high


def test_other_names_for_the_classes_change_nothing_but_names(scored) -> None:
    rng = np.random.default_rng(2)
    score = rng.random(200)
    rows = scored(rng.random(200) < score, score)
    costs = {"yes": {"no": 3.0}, "no": {"yes": 1.0}}
    names = {"no": "zero", "yes": "alpha"}

    def renamed(table):
        column = [names[value] for value in table["outcome"].to_pylist()]
        return table.set_column(1, "outcome", [column])

    other = rows.with_(
        interface=rows.interface | {"classes": ["zero", "alpha"], "positive": "alpha"},
        train=renamed(rows.train),
        test=renamed(rows.test),
    )
    first = rows.judge("performance", spec={"costs": costs})
    second = other.judge("performance", spec={"costs": {"alpha": {"zero": 3.0}, "zero": {"alpha": 1.0}}})
    for check in ("matthews_correlation", "mean_cost", "cost_saving", "gain", "lift", "simple_model_score", "f_beta"):
        one, two = (judged.one(f"performance.{check}") for judged in (first, second))
        assert (one.value, one.low, one.high) == pytest.approx((two.value, two.low, two.high), abs=1e-9), check
