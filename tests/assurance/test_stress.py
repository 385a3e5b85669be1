"""Stress: each disturbance does what it says, a planted weakness is found, and the breaking point is where it was put."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import accuracy_score, precision_score

from sealwright.assurance import AssuranceSpec, Features, read_interface, run_suites
from sealwright.assurance.breaking import Reading, holds_up_to
from sealwright.assurance.case import Case
from sealwright.assurance.case_making import make_case
from sealwright.assurance.checks.stress import out_of_range, priors, rounding, swapped_columns, unit_mistake
from sealwright.assurance.intervals import exact_share
from sealwright.assurance.refusals import refused
from sealwright.assurance.service import predictor_of
from sealwright.assurance.weighting import effective_rows, tilted, weighted_mean

_KINDS = ("unit_mistake", "swapped_columns", "out_of_range", "rounding")


def _case(trained, **spec) -> Case:
    asked = AssuranceSpec.model_validate(spec)
    interface = read_interface(trained.interface)
    return make_case(predictor_of(trained.model, interface), trained.test, trained.train, interface, asked, (), 1, None)


def test_a_mistaken_unit_hits_the_asked_share_of_rows_in_one_number(german, rng: np.random.Generator) -> None:
    case = _case(german)
    before = case.test.features.numbers
    after = unit_mistake._mistaken(case, case.test.features, 0.25, rng).numbers
    assert ((after != before).sum(axis=1) <= 1).all()
    moved = before[after != before], after[after != before]
    assert set(moved[1]) <= {*(1000 * moved[0]), *np.round(moved[0] / 1000)}
    assert 0.15 < (after != before).any(axis=1).mean() <= 0.35


def test_swapped_columns_hold_each_others_values(german, wine, rng: np.random.Generator) -> None:
    for trained in (german, wine):
        case = _case(trained)
        after = swapped_columns._swapped(case, case.test.features, 1.0, rng)
        for old, new in ((case.test.features.numbers, after.numbers), (case.test.features.strings, after.strings)):
            assert ((new != old).sum(axis=1) <= 2).all()
            assert np.array_equal(np.sort(new.astype(str), axis=1), np.sort(old.astype(str), axis=1))


def test_numbers_out_of_range_lie_beyond_training_and_stay_finite(german, rng: np.random.Generator) -> None:
    case = _case(german)
    learned = case.train.features.numbers
    for strength in (0.1, 1e30):
        after = out_of_range._beyond(case, case.test.features, strength, rng).numbers
        beyond = (after < learned.min(axis=0)) | (after > learned.max(axis=0))
        assert beyond.any(axis=1).all()
        assert np.isfinite(after).all()


def test_rounding_moves_a_number_by_at_most_half_a_step(diabetes, rng: np.random.Generator) -> None:
    case = _case(diabetes)
    before = case.test.features.numbers.astype(np.float64)
    after = rounding._rounded(case, case.test.features, 0.01, rng).numbers.astype(np.float64)
    step = 0.01 * 10.0 ** np.floor(np.log10(np.abs(before)))
    assert (np.abs(after - before) <= 0.5001 * step + 1e-6 * np.abs(before)).all()
    assert (after != before).any()


@pytest.mark.parametrize("name", ["german", "wine", "diabetes"])
def test_every_stress_gives_a_number_a_curve_and_a_breaking_point(request, name: str) -> None:
    judged = request.getfixturevalue(name).judge("stress")
    moved = "shift" if name == "diabetes" else "flip_share"
    for kind in _KINDS:
        assert judged.one(f"stress.{kind}_{moved}").value >= 0
        point = judged.one(f"stress.{kind}_holds_up_to")
        assert point.low <= point.value <= point.high
        assert "breaks at" in point.note or "no limit is passed" in point.note
        assert len(judged.figure(f"stress.{kind}").series[0].x) >= 5
    assert judged.one("stress.drift_holds_up_to").value >= 0
    assert "refused when served" in judged.one("stress.out_of_range_refused_share").note


def test_the_contract_stops_what_the_server_would(german) -> None:
    case = _case(german)
    features, interface = case.test.features, case.interface
    assert not refused(features, interface).any()

    def with_first(value: float | str, place: int) -> bool:
        column = features.column(place).copy()
        column[0] = value
        out = refused(features.with_column(place, column), interface)
        assert not out[1:].any()
        return bool(out[0])

    width = len(interface.numbers)
    most = interface.numbers[0].most
    assert [with_first(value, 0) for value in (most, most + 1, np.nan, np.inf, most - 0.5)] == [False, *[True] * 4]
    assert [with_first(value, width) for value in (interface.strings[0].categories[1], "", "new")] == [
        False,
        True,
        True,
    ]


def test_a_model_that_trusts_any_unit_breaks_early_and_one_that_does_not_holds(
    scored, rng: np.random.Generator
) -> None:
    truth = rng.random(400) < 0.5
    rows = scored(truth, np.where(truth, 0.9, 0.1))  # a mistaken unit sends every score to 0 or 1
    spec = {"stress": {"breaks_at": {"score_drop": 1}}}
    point = rows.judge("stress", spec=spec).one("stress.unit_mistake_holds_up_to")
    assert point.value == 0.1  # half of the mistakes of a quarter of the rows flip: 12.5 % > 10 %
    assert "breaks at 0.25: decisions changed" in point.note
    deaf = rows.with_(model=lambda features: np.full((len(features), 2), 0.5))
    assert deaf.judge("stress").one("stress.unit_mistake_holds_up_to").value == 1.0


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 0.2)), min_size=1, max_size=8), st.floats(0.01, 0.9))
def test_a_stricter_limit_never_moves_the_breaking_point_up(effects, limit: float) -> None:
    def point(at: float) -> tuple[float, float, float]:
        readings = [
            (float(strength), [Reading(what="x", value=v, interval=(max(0, v - w), v + w), limit=at)])
            for strength, (v, w) in enumerate(effects, start=1)
        ]
        found = holds_up_to("stress.x_holds_up_to", "share", readings, 10)
        return found.low, found.value, found.high

    assert point(limit) <= point(limit + 0.1)
    expected = next((float(k) for k, (v, _) in enumerate(effects) if v > limit), float(len(effects)))
    assert point(limit)[1] == expected


def test_answers_do_not_depend_on_company_and_those_that_do_are_found(german, scored, rng: np.random.Generator) -> None:
    judged = german.judge("stress")
    assert judged.one("stress.batch_differing_share").value == 0
    assert judged.one("stress.batch_failures").value == 0

    def sociable(features: Features) -> np.ndarray:
        score = np.clip(features.numbers[:, 0] * 0.5 + 0.1 * (len(features) == 1), 0, 1)
        return np.column_stack([1 - score, score])

    rows = scored(rng.random(150) < 0.5, rng.random(150)).with_(model=sociable)
    share = rows.judge("stress").one("stress.batch_differing_share")
    assert share.value == 1
    assert share.note == "one row at a time"
    assert rows.judge("stress").one("stress.batch_largest_difference").value == pytest.approx(0.1)


def test_a_model_that_chokes_on_no_row_or_on_very_many_is_found(scored, rng: np.random.Generator) -> None:
    def delicate(features: Features) -> np.ndarray:
        if not 0 < len(features) <= 5_000:
            raise MemoryError("too many or too few")
        return np.column_stack([1 - features.numbers[:, 0], features.numbers[:, 0]])

    judged = scored(rng.random(150) < 0.5, rng.random(150)).with_(model=delicate).judge("stress")
    failures = judged.one("stress.batch_failures")
    assert failures.value == 2
    assert failures.note == "very many rows, no row"


def test_other_base_rates_are_those_of_weighted_metrics(german) -> None:
    case = _case(german)
    truth, decided = case.test.truth == case.positive, case.decisions == case.positive
    judged = german.judge("stress")
    errors = []
    for factor in (2.0, 0.5):
        weights = np.where(truth, factor, 1.0)
        errors.append(1 - accuracy_score(truth, decided, sample_weight=weights))
    rise = judged.one("stress.prior_shift_error_rise")
    assert rise.value == pytest.approx(max(errors) - np.mean(truth != decided))
    before = precision_score(truth, decided)
    after = precision_score(truth, decided, sample_weight=np.where(truth, 0.5, 1.0))
    drop = judged.one("stress.prior_shift_precision_drop")
    assert drop.value == pytest.approx(before - after)
    assert drop.low <= drop.value <= drop.high
    assert judged.one("stress.prior_shift_calibration_gap").value > 0.03


def test_the_interval_of_a_base_rate_shift_covers_it(scored) -> None:
    """Error rates 10 % and 30 % by class: at doubled odds of the second, the error rises by 0.2 / 6."""
    covered = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        truth = np.arange(400) % 2 == 1
        wrong = rng.random(400) < np.where(truth, 0.3, 0.1)
        case = _case(scored(truth, np.where(truth ^ wrong, 0.9, 0.1)))
        rise = priors.CHECK.run(case, rng).findings[0]
        covered += rise.low <= 0.2 * (2 / 3 - 1 / 2) <= rise.high
    assert covered >= 52  # P(fewer | 0.95, 60) < 0.005


@settings(deadline=None)
@given(st.integers(0, 2**32), st.floats(-1, 1))
def test_tilting_moves_the_mean_as_asked_and_costs_rows(seed: int, shift: float) -> None:
    values = np.random.default_rng(seed).exponential(size=300)
    weights = tilted(values, shift)
    if weights is None:
        return
    z = (values - values.mean()) / values.std()
    assert (weights * z).mean() == pytest.approx(shift, abs=1e-9)
    assert effective_rows(weights) <= 300 + 1e-9
    assert weighted_mean(values, weights).value == pytest.approx(np.average(values, weights=weights))


def test_what_cannot_drift_is_said() -> None:
    assert tilted(np.ones(20), 0.5) is None
    assert tilted(np.array([0.0, 1.0] * 10), 2.0) is None


def test_drift_toward_the_weak_side_is_found_and_named(scored, rng: np.random.Generator) -> None:
    score = rng.random(2000)
    truth = (score >= 0.5) ^ (rng.random(2000) < np.where(score > 0.7, 0.5, 0.05))
    rise = scored(truth, score).judge("stress").one("stress.drift_error_rise")
    assert rise.low > 0.03
    assert rise.note.startswith("higher score")


@given(st.integers(1, 400), st.data())
def test_the_exact_interval_is_that_of_scipy(n: int, data) -> None:
    k = data.draw(st.integers(0, n))
    told = stats.binomtest(k, n).proportion_ci(0.95, "exact")
    assert exact_share(k, n, 0.95) == pytest.approx((told.low, told.high), abs=1e-9)


def _expecting(trained, *expectations: dict, **spec):
    return trained.judge("stress", spec={"expectations": list(expectations)} | spec)


def _people(rng: np.random.Generator, liked: float, turn: float = np.inf):
    n = 600
    table = pa.table(
        {
            "income": rng.uniform(0, 10, n),
            "debt": rng.uniform(0, 10, n),
            "word": rng.choice(["a", "b", "c"], n),
            "outcome": rng.choice(["no", "yes"], n),
        }
    )
    interface = {
        "format": 1,
        "task": "binary",
        "target": "outcome",
        "classes": ["no", "yes"],
        "positive": "yes",
        "numbers": [{"name": "income", "type": "number"}, {"name": "debt", "type": "number"}],
        "strings": [{"name": "word", "type": "category", "categories": ["a", "b", "c"]}],
    }

    def model(features: Features) -> np.ndarray:
        income, debt = features.numbers[:, 0].astype(float), features.numbers[:, 1].astype(float)
        rising = np.where(income > turn, 2 * turn - income, income)
        logit = 0.3 * rising - 0.3 * debt + liked * (features.strings[:, 0] == "a")
        p = 1 / (1 + np.exp(-np.clip(logit, -30, 30)))
        return np.column_stack([1 - p, p])

    return table, interface, model


def _ask(made, *expectations: dict):
    table, interface, model = made
    spec = AssuranceSpec.model_validate({"bootstrap": 200, "expectations": list(expectations)})
    (result,) = run_suites(["stress"], model, table, table, interface, spec, (), 3)
    return result


def test_expectations_that_hold_are_never_violated(rng: np.random.Generator) -> None:
    result = _ask(
        _people(rng, 0.0),
        {"column": "word", "expect": "same"},
        {"column": "income", "expect": "rises"},
        {"column": "debt", "expect": "falls", "by": 1},
        {"column": "income", "expect": "same", "by": 0.001, "tolerance": 0.5},
    )
    same, direction = (result.find(f"stress.{name}_violation_share") for name in ("invariance", "direction"))
    assert [item.value for item in direction] == [0, 0]
    assert same[0].value == 0
    assert same[0].high < 0.01
    assert same[1].value < 0.01  # who stands at the threshold may flip
    assert same[0].group.to_json() == {"attribute": "word", "level": "same, tolerance 0.01"}


def test_a_word_that_should_not_matter_is_caught(rng: np.random.Generator) -> None:
    (found,) = _ask(_people(rng, 1.0), {"column": "word", "expect": "same"}).find("stress.invariance_violation_share")
    assert found.value > 0.95
    assert "the score moves by up to 0.24" in found.note


def test_a_turn_in_the_wrong_direction_is_caught_where_it_lies(rng: np.random.Generator) -> None:
    made = _people(rng, 0.0, turn=7.0)
    result = _ask(made, {"column": "income", "expect": "rises", "by": 1})
    (found,) = result.find("stress.direction_violation_share")
    income = made[0]["income"].to_numpy()
    assert found.value == pytest.approx(np.mean(income > 6.55), abs=0.03)
    assert found.low < found.value < found.high
    assert (
        _ask(_people(rng, 0.0), {"column": "income", "expect": "falls"})
        .find("stress.direction_violation_share")[0]
        .value
        > 0.95
    )


def test_expectations_that_mean_nothing_say_why(german, wine) -> None:
    judged = _expecting(
        german,
        {"column": "sex", "expect": "same"},
        {"column": "housing", "expect": "rises"},
        {"column": "age", "expect": "rises", "tolerance": 0.5},
    )
    reasons = {item.group.attribute: item for item in judged["stress"].not_performed if item.group}
    assert not reasons["sex"].applicable
    assert "does not take sex" in reasons["sex"].why
    assert "cannot be raised" in reasons["housing"].why
    lost = _expecting(wine, {"column": "alcohol", "expect": "rises"})
    assert "assurance.favourable" in lost.why(
        "stress.direction_violation_share", attribute="alcohol", level="rises, tolerance 0.01"
    )


def test_no_note_holds_a_row(german) -> None:
    judged = _expecting(german, {"column": "age", "expect": "same", "by": 5, "tolerance": 0.001})
    (found,) = judged["stress"].find("stress.invariance_violation_share")
    assert found.value > 0
    assert found.note.startswith("the score moves by up to")
    counts = found.note.rpartition(": ")[2].partition(" of ")
    assert not counts[2] or int(counts[2]) >= 30
