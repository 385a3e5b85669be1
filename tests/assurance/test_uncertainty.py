"""Sets and intervals hold the truth as often as promised, agree with MAPIE, and abstention is told without flattery."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from sklearn.linear_model import LinearRegression, LogisticRegression

from sealwright.assurance.conformal import (
    adaptive_scores,
    conformal_quantile,
    halves,
    least_ambiguous_scores,
    quantile_ends,
    sets,
)
from sealwright.assurance.selective import risk_coverage


def _three_classes(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    x = rng.normal(size=(n, 2))
    return x, (x @ [[1.0, -1.0, 0.2], [0.3, 0.8, -1.0]] + rng.gumbel(size=(n, 3))).argmax(axis=1)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["lac", "aps"])
def test_sets_are_those_of_mapie(form: str, rng: np.random.Generator) -> None:
    """MAPIE's adaptive sets with the last label are ours with nothing taken off; its lots come from its own seed."""
    from mapie.classification import SplitConformalClassifier

    model = LogisticRegression().fit(*_three_classes(rng, 300))
    (x, y), (new, _) = _three_classes(rng, 211), _three_classes(rng, 400)
    mapie = SplitConformalClassifier(
        model, confidence_level=0.85, conformity_score=form, prefit=True, random_state=3
    ).conformalize(x, y)
    known, stated = model.predict_proba(x), model.predict_proba(new)
    if form == "lac":
        theirs = mapie.predict_set(new)[1][:, :, 0]
        limit = conformal_quantile(least_ambiguous_scores(known)[np.arange(211), y], 0.85)
        ours = least_ambiguous_scores(stated) <= limit
    else:
        theirs = mapie.predict_set(new, conformity_score_params={"include_last_label": True})[1][:, :, 0]
        lots = 1 - np.random.RandomState(3).uniform(size=211)
        limit = conformal_quantile(adaptive_scores(known, lots)[np.arange(211), y], 0.85)
        ours = adaptive_scores(stated, np.zeros(400)) < limit
    assert np.array_equal(theirs, ours)


@pytest.mark.slow
def test_intervals_are_those_of_mapie(rng: np.random.Generator) -> None:
    from mapie.regression import SplitConformalRegressor

    x = rng.normal(size=(500, 3))
    y = x @ [1.0, 2.0, -1.0] + rng.normal(size=500)
    model = LinearRegression().fit(x[:200], y[:200])
    mapie = SplitConformalRegressor(model, confidence_level=0.9, conformity_score="absolute", prefit=True)
    _, ends = mapie.conformalize(x[200:333], y[200:333]).predict_interval(x[333:])
    limit = conformal_quantile(np.abs(model.predict(x[200:333]) - y[200:333]), 0.9)
    guess = model.predict(x[333:])
    assert np.allclose(ends[:, 0, 0], guess - limit)
    assert np.allclose(ends[:, 1, 0], guess + limit)


def test_the_quantile_is_the_finite_sample_one() -> None:
    scores = np.arange(1.0, 20.0)
    assert conformal_quantile(scores, 0.9) == 18.0  # ceil(20 * 0.9) = 18, and not 19 by a rounding error
    assert conformal_quantile(scores, 0.91) == 19.0
    assert conformal_quantile(scores[:8], 0.9) == np.inf  # eight rows cannot promise nine in ten
    assert conformal_quantile(scores[:9], 0.9) == 9.0


@given(st.integers(0, 2**32), st.integers(20, 60), st.sampled_from([0.6, 0.8, 0.9]))
@settings(max_examples=15, deadline=None)
def test_a_new_row_is_covered_as_often_as_promised(seed: int, n: int, coverage: float) -> None:
    """Over many draws of n calibrating rows and one new one; a promise of k / (n + 1) kept to within binomial chance."""
    rng = np.random.default_rng(seed)
    draws = 4000
    scores = rng.normal(size=(draws, n + 1))
    limits = np.array([conformal_quantile(row, coverage) for row in scores[:, :n]])
    held = int((scores[:, n] <= limits).sum())
    promised = np.ceil((n + 1) * coverage - 1e-9) / (n + 1)
    assert coverage <= promised <= coverage + 1 / (n + 1)
    low, high = binom.ppf([1e-7, 1 - 1e-7], draws, promised)
    assert low <= held <= high


@given(st.integers(0, 2**32), st.floats(0.5, 0.95), st.floats(0.5, 0.95))
@settings(max_examples=30, deadline=None)
def test_asking_for_more_coverage_never_shrinks_a_set(seed: int, one: float, other: float) -> None:
    rng = np.random.default_rng(seed)
    stated = rng.dirichlet(np.ones(4), 80)
    truth = rng.integers(0, 4, 80)
    for scores in (least_ambiguous_scores(stated), adaptive_scores(stated, rng.random(80))):
        small, large = (
            sets(scores, truth, level, halves(80, 3, np.random.default_rng(1))) for level in sorted((one, other))
        )
        assert (small.size <= large.size).all()
        assert (small.covered <= large.covered).all()


def test_adaptive_scores_of_uniform_lots_are_uniform_where_probabilities_are_true(rng: np.random.Generator) -> None:
    stated = rng.dirichlet(np.ones(5), 20_000)
    truth = (stated.cumsum(axis=1) > rng.random((20_000, 1))).argmax(axis=1)
    true = adaptive_scores(stated, rng.random(20_000))[np.arange(20_000), truth]
    assert np.allclose(np.quantile(true, [0.1, 0.5, 0.9]), [0.1, 0.5, 0.9], atol=0.02)
    first = adaptive_scores(np.array([[0.5, 0.3, 0.2]]), np.ones(1))
    assert np.allclose(first, [[0.5, 0.8, 1.0]])


def test_the_ends_of_a_quantile_enclose_it_as_often_as_they_say(rng: np.random.Generator) -> None:
    drawn = rng.random((2000, 150))
    held = [low <= 0.9 <= high for low, high in (quantile_ends(row, 0.9, 0.95) for row in drawn)]
    assert 0.93 <= np.mean(held) <= 0.99


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=2, max_size=30))
def test_the_area_is_the_mean_risk_over_all_orders_of_equally_sure_rows(rows: list[tuple[int, bool]]) -> None:
    sure = np.array([float(one) for one, _ in rows])
    wrong = np.array([two for _, two in rows])
    curve = risk_coverage(sure, wrong)
    expected = 0.0
    for k in range(1, len(rows) + 1):
        level = np.sort(sure)[::-1][k - 1]
        above, tied = sure > level, sure == level
        expected += (wrong[above].sum() + (k - above.sum()) * wrong[tied].mean()) / k
    assert np.isclose(curve.area, expected / len(rows))
    assert np.isclose(curve.risks[-1], wrong.mean())
    mixed = np.random.default_rng(0).permutation(len(rows))
    again = risk_coverage(sure[mixed], wrong[mixed])
    assert np.isclose(again.area, curve.area)
    assert np.isclose(again.area_error, curve.area_error)


def test_confidence_that_says_nothing_leaves_the_error_as_it_is_and_perfect_confidence_removes_it() -> None:
    wrong = np.arange(200) % 4 == 0
    assert np.allclose(risk_coverage(np.zeros(200), wrong).risks, 0.25)
    perfect = risk_coverage(-wrong.astype(float), wrong)
    assert perfect.accepted(0.75) == (150, 0.0)
    assert np.isclose(perfect.area, 0.25 + 0.75 * np.log(0.75), atol=0.01)  # e + (1 - e) ln(1 - e)


@pytest.mark.slow
def test_the_error_of_the_area_is_its_spread_over_new_rows(rng: np.random.Generator) -> None:
    areas, errors = [], []
    for _ in range(400):
        sure = rng.random(400).round(2)
        curve = risk_coverage(sure, rng.random(400) < 0.5 * (1 - sure))
        areas.append(curve.area)
        errors.append(curve.area_error)
    assert 0.9 < np.mean(errors) / np.std(areas) < 1.1


def test_a_model_is_told_where_it_is_sure(german, diabetes) -> None:
    judged = german.judge("uncertainty", groups=["sex", "age"])
    for form in ("", "adaptive_"):
        found = judged.one(f"uncertainty.{form}coverage")
        assert found.low <= 0.9 <= found.high
        assert 1 <= judged.one(f"uncertainty.{form}set_size").value <= 2
        assert judged.one(f"uncertainty.{form}coverage_gap", attribute="sex").low == 0.0
    assert judged.one("uncertainty.error_at_80").value < judged.one("uncertainty.error_at_90").value
    area = judged.one("uncertainty.aurc")
    assert area.low < area.value < area.high < 0.228  # what guessing which rows are wrong would give
    within = judged.one("uncertainty.share_within_target")
    assert "half of that of all rows" in within.definition
    assert within.low <= within.value <= within.high
    assert len(judged.figure("uncertainty.risk_coverage").series[0].x) <= 100
    numbers = diabetes.judge("uncertainty", groups=["sex"])
    assert numbers.one("uncertainty.interval_width").value > 0
    assert "there is no such thing for a regression" in numbers.why("uncertainty.aurc")


def test_a_group_whose_promise_is_broken_is_found(scored, rng: np.random.Generator) -> None:
    """Group b gets its outcome by coin where the model claims 95 %: covered as the average row it is not."""
    n = 1500
    b = rng.random(n) < 0.3
    yes = rng.random(n) < 0.5
    stated = np.where(b, rng.choice([0.05, 0.95], n), np.where(yes, 0.95, 0.05) * 1.0)
    rows = scored(yes, stated + rng.random(n) * 0.01, {"group": np.where(b, "b", "a")})
    judged = rows.judge("uncertainty", groups=["group"])
    gap = judged.one("uncertainty.coverage_gap", attribute="group")
    assert gap.low > 0.2
    assert gap.note.endswith("lowest: b")
    assert 0.85 < judged.one("uncertainty.coverage").value < 0.95


def test_abstention_that_falls_on_one_group_is_found(scored, rng: np.random.Generator) -> None:
    n = 600
    b = np.arange(n) % 5 == 0
    yes = rng.random(n) < 0.5
    stated = np.where(b, 0.5 + 0.01 * rng.random(n), np.where(yes, 0.9, 0.1))
    judged = scored(yes, stated, {"group": np.where(b, "b", "a")}).judge("uncertainty", groups=["group"])
    assert judged.one("uncertainty.acceptance_gap", attribute="group").low > 0.8
    assert judged.one("uncertainty.group_acceptance", attribute="group", level="b").value < 0.1
    assert judged.one("uncertainty.error_at_80").value == 0


def test_the_wider_errors_of_one_part_widen_its_intervals_only(guessed, rng: np.random.Generator) -> None:
    """Errors are ten times as large where the prediction is large; one width covers these rows far too rarely."""
    guess = rng.random(1200)
    large = guess > 0.7
    truth = guess + rng.normal(size=1200) * np.where(large, 1.0, 0.1)
    rows = guessed(truth, guess, {"part": np.where(large, "large", "small")})
    judged = rows.judge("uncertainty", groups=["part"])
    alike = judged.one("uncertainty.coverage_gap", attribute="part")
    fitted = judged.one("uncertainty.adaptive_coverage_gap", attribute="part")
    assert alike.low > 0.2
    assert fitted.value < alike.value - 0.1


def test_a_stated_target_and_threshold_are_heeded(scored, rng: np.random.Generator) -> None:
    stated = rng.random(800)
    rows = scored(rng.random(800) < stated, stated)
    asked = {"threshold": 0.3, "uncertainty": {"target_error": 0.1}}
    judged = rows.judge("uncertainty", spec=asked)
    within, sure = judged.one("uncertainty.share_within_target"), judged.one("uncertainty.confidence_for_target")
    assert 0.05 < within.value < 0.6
    assert "at most 0.1;" in within.definition
    accepted = np.where(stated >= 0.3, (stated - 0.3) / 0.7, (0.3 - stated) / 0.3) >= sure.value
    assert abs(accepted.mean() - within.value) < 0.01


def test_few_rows_are_not_judged(scored, guessed, rng: np.random.Generator) -> None:
    rows = scored(rng.random(60) < 0.5, rng.random(60))
    assert "need 100" in rows.judge("uncertainty").why("uncertainty.coverage")
    numbers = guessed(rng.random(300), rng.random(300))
    asked = {"uncertainty": {"coverage": 0.99}}
    assert "need 400" in numbers.judge("uncertainty", spec=asked).why("uncertainty.interval_width")
    assert "20 test rows" in scored([0, 1] * 10, [0.1, 0.9] * 10).judge("uncertainty").why("uncertainty.aurc")


def test_many_rows_take_fewer_splits(scored, rng: np.random.Generator) -> None:
    stated = rng.random(40_000)
    judged = scored(rng.random(40_000) < stated, stated).judge("uncertainty")
    assert judged.one("uncertainty.coverage").note.startswith("5 random halvings")
