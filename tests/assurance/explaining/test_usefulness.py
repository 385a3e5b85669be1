"""Explanations that say nothing are found out, and curves, lines and prototypes are held against what is known."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealwright.assurance import Features
from sealwright.assurance.checks.explanation.glassbox import CHECK as GLASSBOX
from sealwright.assurance.checks.explanation.prototypes import CHECK as PROTOTYPES
from sealwright.assurance.checks.explanation.surrogate import CHECK as SURROGATE
from sealwright.assurance.explaining.association import associations, blocks
from sealwright.assurance.explaining.coded import coded_by
from sealwright.assurance.explaining.effects import accumulated, centred_alike, heterogeneity, individual_curves
from sealwright.assurance.explaining.local import asked, neighbourhood_of
from sealwright.assurance.explaining.prototypes import choose_prototypes
from sealwright.assurance.explaining.surrogate import local_surrogate
from sealwright.assurance.explaining.usefulness import agreement, deletion
from sealwright.assurance.intervals import mean_interval


def _numbers(matrix: np.ndarray) -> Features:
    return Features(numbers=matrix, strings=np.empty((len(matrix), 0), dtype=object))


def test_useless_attributions_score_nothing_and_true_ones_do() -> None:
    weights = np.array([3.0, 2.0, 1.0, 0.5, 0, 0, 0, 0, 0, 0])
    found, alarms, useless = 0, 0, []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        rows, background = _numbers(rng.normal(size=(60, 10))), _numbers(rng.normal(size=(60, 10)))

        def ask(features: Features) -> np.ndarray:
            return 1 / (1 + np.exp(-(features.numbers @ weights)))[:, None]

        coded = coded_by(background, rows)
        true = deletion(ask, coded, rows, background, np.abs(rows.numbers * weights), rng)
        nothing = deletion(ask, coded, rows, background, rng.random((60, 10)), rng)
        found += mean_interval(true.gains, 0.95)[1][0] > 0
        value, (low, _) = mean_interval(nothing.gains, 0.95)
        alarms += low > 0
        useless.append(value)
    assert found == 60
    assert alarms <= 5  # at 2.5 %, 1.5 are expected of 60
    assert abs(np.mean(useless)) < 0.02


def test_rank_agreement_of_the_same_is_one_and_of_the_opposite_minus_one(rng: np.random.Generator) -> None:
    phi = rng.normal(size=(5, 2, 4))
    assert agreement(phi, 3 * phi) == pytest.approx(1)
    assert agreement(phi, -phi) == pytest.approx(-1)
    assert agreement(np.zeros((1, 1, 3)), np.zeros((1, 1, 3)))[0] == 1


def test_ale_and_ice_of_a_linear_model_are_its_coefficient(rng: np.random.Generator) -> None:
    rows = _numbers(rng.normal(size=(400, 3)))
    grid = np.linspace(-1.5, 1.5, 13)

    def ask(features: Features) -> np.ndarray:
        return features.numbers @ np.array([2.0, -1.0, 0.5])

    for place, slope in enumerate((2.0, -1.0, 0.5)):
        effects = accumulated(ask, rows, place, grid)
        curves = individual_curves(ask, rows, place, grid)
        assert np.diff(effects) / np.diff(grid) == pytest.approx(slope, abs=1e-9)
        assert np.diff(curves.mean(axis=0)) / np.diff(grid) == pytest.approx(slope, abs=1e-9)
        assert heterogeneity(curves) == pytest.approx(0, abs=1e-12)
        assert centred_alike(curves.mean(axis=0), effects) == pytest.approx(0, abs=1e-9)


def test_rows_that_go_opposite_ways_are_not_hidden_by_their_mean(rng: np.random.Generator) -> None:
    rows = _numbers(np.column_stack([rng.normal(size=400), np.repeat([-1.0, 1.0], 200)]))
    curves = individual_curves(lambda f: f.numbers[:, 0] * f.numbers[:, 1], rows, 0, np.linspace(-1, 1, 9))
    assert heterogeneity(curves) > 0.99


def test_partial_dependence_on_impossible_rows_is_told_from_accumulated_effects(rng: np.random.Generator) -> None:
    # Apley & Zhu 2020, section 2: where two numbers move together, a model is free where no row lies
    x = rng.uniform(size=600)
    rows = _numbers(np.column_stack([x, x + rng.normal(0, 0.02, 600)]))

    def ask(features: Features) -> np.ndarray:
        a, b = features.numbers.T
        return a + 10 * np.maximum(0, np.abs(a - b) - 0.2) * (a > 0.5)

    grid = np.linspace(0.05, 0.95, 19)
    effects = accumulated(ask, rows, 0, grid)
    assert np.diff(effects) / np.diff(grid) == pytest.approx(1.0, abs=0.05)
    assert centred_alike(individual_curves(ask, rows, 0, grid).mean(axis=0), effects) > 0.5


def test_a_local_line_around_a_linear_model_is_that_model(numeric_case: Any, rng: np.random.Generator) -> None:
    columns = {name: rng.normal(0, scale, 300) for name, scale in (("a", 1.0), ("b", 10.0), ("c", 1.0))}
    weights = np.array([2.0, 0.3, 0.0])
    case = numeric_case(columns, rng.normal(size=300), lambda numbers: numbers @ weights)
    around = neighbourhood_of(case, rng)
    row = around.coded.matrix(case.test.features.take(np.array([5])))[0]
    found = local_surrogate(asked(case), around, row, rng)
    scales = np.array([columns[name].std() for name in columns])
    assert found.fidelity > 0.995
    assert found.effects == pytest.approx(weights * scales, abs=0.15)
    assert {one.value for one in SURROGATE.run(case, rng).findings if one.check.endswith("refused_share")} == {0.0}


def test_a_local_line_through_what_no_line_follows_is_refused(numeric_case: Any, rng: np.random.Generator) -> None:
    columns = {name: rng.normal(size=300) for name in "abc"}

    def answer(numbers: np.ndarray) -> np.ndarray:
        return np.sign(np.sin(40 * numbers[:, 0]) * np.sin(40 * numbers[:, 1]))

    case = numeric_case(columns, rng.normal(size=300), answer)
    found = {one.check: one.value for one in SURROGATE.run(case, rng).findings}
    assert found["explanation.local_refused_share"] == 1
    assert found["explanation.local_fidelity"] < 0.1


def test_prototypes_of_three_heaps_are_one_in_each() -> None:
    rng = np.random.default_rng(2)
    points = np.concatenate([rng.normal(at, 0.1, (40, 2)) for at in (0, 5, 10)])
    apart = np.abs(points[:, None] - points[None]).mean(axis=2)
    one = choose_prototypes(apart, np.zeros(120, dtype=np.int64), 3, 4)
    assert sorted(int(row) // 40 for row in one.rows) == [0, 1, 2]
    assert not set(one.rows.tolist()) & set(one.criticisms.tolist())
    each = choose_prototypes(apart, np.repeat([0, 1, 1], 40), 1, 0)
    assert each.outcomes.tolist() == [0, 1]


def test_prototypes_cover_what_follows_distance(numeric_case: Any, rng: np.random.Generator) -> None:
    x = np.concatenate([rng.normal(-3, 1, 150), rng.normal(3, 1, 150)])
    outcome = np.where(x > 0, "yes", "no")
    case = numeric_case({"x": x, "noise": rng.normal(size=300)}, outcome, lambda n: (n[:, 0] > 0) * 0.8 + 0.1)
    found = {one.check: one for one in PROTOTYPES.run(case, rng).findings}
    assert found["explanation.prototype_coverage"].value > 0.97


def test_what_is_filed_of_prototypes_holds_no_row(german: Any, case_of: Any, rng: np.random.Generator) -> None:
    outcome = PROTOTYPES.run(case_of(german), rng)
    assert {finding.group for finding in outcome.findings} == {None}
    assert max(len(series.x) for figure in outcome.figures for series in figure.series) <= 20


def test_features_that_move_together_form_blocks_whatever_they_are(rng: np.random.Generator) -> None:
    n = 500
    a, kind = rng.normal(size=n), rng.choice(list("xyz"), n).astype(object)
    follows = np.array([{"x": 0.0, "y": 5.0, "z": 9.0}[one] for one in kind]) + rng.normal(0, 0.5, n)
    twin = np.where(rng.random(n) < 0.95, kind, "x").astype(object)
    features = Features(
        numbers=np.column_stack([a, a + rng.normal(0, 0.2, n), follows, rng.normal(size=n)]),
        strings=np.column_stack([kind, twin, rng.choice(list("pq"), n).astype(object)]),
    )
    together = associations(features)
    assert np.allclose(together, together.T)
    assert blocks(together, 0.7) == [[0, 1], [2, 4, 5]]
    assert together[6].max() < 0.2


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_chance_alone_shows_no_association(seed: int) -> None:
    rng = np.random.default_rng(seed)
    features = Features(
        numbers=rng.normal(size=(300, 2)), strings=rng.choice(list("abcdefgh"), (300, 2)).astype(object)
    )
    assert associations(features).max() < 0.35
    assert blocks(associations(features), 0.7) == []


@pytest.mark.slow
def test_e5_a_glass_box_is_the_sum_of_its_terms(german: Any, case_of: Any) -> None:
    from sealwright.assurance.adapters.glassbox import train_glassbox

    case = case_of(german)
    some = slice(0, 200)
    features, truth = case.train.features.take(some), case.train.truth[some]
    model, again = (train_glassbox(features, truth, case.interface, 3, 0) for _ in range(2))
    terms, intercept = model.terms(case.test.features)
    assert np.abs(terms.sum(axis=1) + intercept - model.raw(case.test.features)).max() < 1e-9
    assert np.array_equal(model.predict(case.test.features), again.predict(case.test.features))


@pytest.mark.slow
def test_a_black_box_no_better_than_a_sum_is_told_to_give_way(numeric_case: Any, rng: np.random.Generator) -> None:
    columns = {name: rng.normal(size=300) for name in "ab"}
    chance = 1 / (1 + np.exp(-2 * columns["a"] - columns["b"]))
    outcome = np.where(rng.random(300) < chance, "yes", "no")
    case = numeric_case(columns, outcome, lambda n: 1 / (1 + np.exp(-1.5 * n[:, 0] - n[:, 1])))
    found = {one.check: one for one in GLASSBOX.run(case, rng).findings}
    assert found["explanation.glassbox_gain"].note.split(";")[0].endswith("prefer it")
    assert found["explanation.glassbox_gain"].value == pytest.approx(0, abs=0.05)
