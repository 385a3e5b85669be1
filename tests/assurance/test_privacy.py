"""What a model gives away: attacks are counted right, keep their budgets, and say when they cannot tell."""

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import beta
from sklearn.metrics import roc_auc_score

from sealwright.assurance import AssuranceSpec, Features, canary_exposure, run_suites
from sealwright.assurance.case_making import generator_for, make_case
from sealwright.assurance.checks.privacy import attribute_inference
from sealwright.assurance.interface import read_interface
from sealwright.assurance.leakage.epsilon import epsilon_of, epsilon_shown
from sealwright.assurance.leakage.exposure import exposure_of, like
from sealwright.assurance.leakage.inversion import random_rows, searched
from sealwright.assurance.leakage.membership import (
    Scores,
    area,
    confidences,
    fewest_others,
    found_at,
    roc_points,
    threshold_accuracy,
)
from sealwright.assurance.leakage.shadows import exposures, halves, offline_scores, online_scores
from sealwright.assurance.predictor import FunctionPredictor
from sealwright.kernel import InvalidInput

from .conftest import interface_of, number


def _scores(members: int = 400, others: int = 400, apart: float = 1.0, seed: int = 0) -> Scores:
    rng = np.random.default_rng(seed)
    return Scores(members=rng.normal(apart, 1, members), others=rng.normal(0, 1, others))


# --- membership, the quick way


def test_the_rule_based_attack_is_right_as_often_as_the_identity_says(german, wine) -> None:
    for trained in (german, wine):
        judged = trained.judge("privacy")
        gap, rule = judged.one("privacy.generalisation_gap"), judged.one("privacy.membership_rule_accuracy")
        assert rule.value == pytest.approx((1 + gap.value) / 2, abs=1e-9)  # research P2


def test_the_rule_counts_members_decided_rightly_and_others_decided_wrongly(scored) -> None:
    rows = scored([True] * 60 + [False] * 60, [0.9] * 100 + [0.1] * 20)
    judged = rows.judge("privacy")  # test and training rows are the same, so nothing is told apart
    assert judged.one("privacy.membership_rule_accuracy").value == 0.5
    assert judged.one("privacy.membership_auc").value == 0.5


def test_the_area_is_that_of_scikit_learn() -> None:
    scores = _scores(apart=0.4)
    truth = np.repeat([1, 0], 400)
    expected = roc_auc_score(truth, np.concatenate([scores.members, scores.others]))
    assert area(scores, 0.95)[0] == pytest.approx(expected, abs=1e-12)


def test_how_sure_a_model_is_is_the_log_odds_of_the_truth() -> None:
    outputs = np.array([[0.2, 0.8], [0.9, 0.1], [1.0, 0.0], [np.nan, np.nan]])
    found = confidences("binary", np.array([1, 1, 0, 0]), outputs)
    assert found[:2] == pytest.approx([math.log(4), -math.log(9)])
    assert found[2] == pytest.approx(math.log(0.9999 / 0.0001))  # kept from infinity
    assert found[3] == found.min()
    assert confidences("regression", np.array([1.0, 2.0]), np.array([3.0, 2.0])).tolist() == [-2.0, 0.0]


def test_few_false_alarms_cannot_be_shown_with_few_rows(german) -> None:
    judged = german.judge("privacy")
    assert "takes 368" in judged.why("privacy.membership_tpr_at_1_pct_fpr")
    assert "takes 3,688" in judged.why("privacy.membership_tpr_at_0_1_pct_fpr")
    for rate, n in ((0.01, 368), (0.001, 3688)):
        assert fewest_others(rate, 0.95) == n
        assert beta.ppf(0.975, 1, n) <= rate < beta.ppf(0.975, 1, n - 1)


def test_members_found_are_counted_at_the_threshold_that_keeps_the_rate() -> None:
    scores = _scores(1000, 1000, apart=2.0)
    value, (low, high) = found_at(scores, 0.01, 0.95)
    cut = np.sort(scores.others)[-11]  # ten of a thousand lie above
    assert value == (scores.members > cut).mean()
    assert low < value < high
    assert found_at(_scores(1000, 367), 0.01, 0.95) is None


@pytest.mark.slow
def test_the_interval_of_members_found_covers_the_truth() -> None:
    truth = 0.5 * math.erfc((2.3263478740 - 1.5) / math.sqrt(2))  # normal scores 1.5 apart, at 1 %
    inside = [
        low <= truth <= high
        for seed in range(300)
        for _, (low, high) in [found_at(_scores(500, 500, apart=1.5, seed=seed), 0.01, 0.95)]
    ]
    assert np.mean(inside) >= 0.95


def test_the_threshold_attack_gains_nothing_by_choosing_its_threshold() -> None:
    rng = np.random.default_rng(1)
    found = [threshold_accuracy(_scores(60, 60, apart=0.0, seed=seed), 0.95, rng)[0] for seed in range(200)]
    assert abs(np.mean(found) - 0.5) < 0.01


def test_the_curve_runs_over_logarithms_of_both_rates(german) -> None:
    figure = german.judge("privacy").figure("privacy.membership_roc")
    attack, guess = figure.series
    assert max(attack.x) == 0.0
    assert min(attack.x) == pytest.approx(math.log10(1 / 250))
    assert all(a <= b for a, b in zip(attack.y, attack.y[1:], strict=False))
    assert guess.x == guess.y
    fpr, tpr = roc_points(_scores())
    assert (tpr > 0).all()
    assert (fpr > 0).all()


def test_without_training_rows_nothing_is_attacked(german) -> None:
    small = german.with_(train=german.train.slice(0, 25)).judge("privacy")
    assert "30 or more" in small.why("privacy.membership_auc")
    assert "30 or more" in small.why("privacy.epsilon_lower_bound")


# --- epsilon


def test_an_epsilon_is_the_logarithm_of_how_much_better_an_attack_is() -> None:
    assert float(epsilon_of(0.5, 0.05, 0.0)) == pytest.approx(math.log(10))
    assert float(epsilon_of(0.5, 0.05, 0.1)) == pytest.approx(math.log(8))
    assert float(epsilon_of(0.1, 0.5, 0.0)) == 0.0
    assert float(epsilon_of(0.0, 0.5, 0.1)) == 0.0


@given(st.floats(0, 1), st.floats(0.001, 1), st.floats(0, 0.1), st.floats(0, 0.1))
def test_a_larger_delta_never_shows_a_larger_epsilon(tpr: float, fpr: float, delta: float, more: float) -> None:
    assert float(epsilon_of(tpr, fpr, delta + more)) <= float(epsilon_of(tpr, fpr, delta))


@settings(max_examples=25, deadline=None)
@given(st.floats(0.2, 3.0), st.floats(1.0, 4.0), st.integers(0, 1000))
def test_more_noise_never_raises_the_epsilon_that_is_shown(apart: float, factor: float, seed: int) -> None:
    """The same attack on the same secret, hidden in more noise: distances shrink, and so does what is shown."""
    few, many = (
        np.mean(
            [
                epsilon_shown(_scores(apart=one, seed=seed + k), 0.0, 0.95, np.random.default_rng(k)).value
                for k in range(3)
            ]
        )
        for one in (apart, apart / factor)
    )
    assert many <= few + 0.35  # three judgements each, so chance is left in both


@pytest.mark.slow
def test_the_epsilon_shown_stays_below_the_true_one() -> None:
    """Randomised response: a score of two values that keeps epsilon ln 3 exactly (research D5)."""
    rng, over = np.random.default_rng(5), 0
    for _ in range(300):
        scores = Scores(members=(rng.random(500) < 0.75).astype(float), others=(rng.random(500) < 0.25).astype(float))
        over += epsilon_shown(scores, 0.0, 0.95, rng).value > math.log(3)
    assert over <= 15  # 5 in 100 at most


def test_a_claim_is_held_against_the_attack(german) -> None:
    plain = german.judge("privacy")
    assert "no guarantee" in plain.why("privacy.epsilon_exceeded")
    claimed = german.judge("privacy", spec={"claimed_privacy": {"epsilon": 0.1}})
    shown = claimed.one("privacy.epsilon_lower_bound")
    assert claimed.one("privacy.epsilon_exceeded").value == pytest.approx(shown.value - 0.1)
    assert claimed.one("privacy.epsilon_exceeded").value > 0  # boosting kept no such promise
    assert german.judge("privacy", spec={"claimed_privacy": {"epsilon": 8}}).one("privacy.epsilon_exceeded").value < 0


# --- shadow models


def test_every_row_is_in_half_of_the_shadows_and_every_class_is_parted_evenly() -> None:
    rng = np.random.default_rng(0)
    strata = np.array([0] * 31 + [1] * 8)
    for _ in range(50):
        inside = halves(strata, rng)
        assert inside[strata == 0].sum() in (15, 16)
        assert inside[strata == 1].sum() == 4


def test_the_likelihood_ratio_is_that_of_two_normal_distributions() -> None:
    rng = np.random.default_rng(0)
    inside = np.array([rng.permutation(200) < 100 for _ in range(100)])
    inside = np.concatenate([inside, ~inside])
    scores = rng.normal(np.where(inside, 2.0, 0.0), 1.0)
    own = rng.normal(np.repeat([2.0, 0.0], 100), 1.0)
    exact = 2 * own - 2  # ln N(x; 2, 1) / N(x; 0, 1)
    assert np.corrcoef(online_scores(own, scores, inside), exact)[0, 1] > 0.98
    assert np.corrcoef(offline_scores(own, scores, inside), own)[0, 1] > 0.98


def test_exposure_is_the_area_between_shadows_that_learned_and_such_that_did_not() -> None:
    rng = np.random.default_rng(0)
    half = np.array([rng.permutation(6) < 3 for _ in range(10)])
    inside = np.concatenate([half, ~half])
    scores = rng.normal(size=(20, 6)) + inside * np.array([0, 0, 1, 1, 5, 5])
    found = exposures(scores, inside)
    assert found == pytest.approx([roc_auc_score(inside[:, k], scores[:, k]) for k in range(6)])
    assert found[4:].min() > 0.95


# --- attribute inference


def _parrot_case(parrot: bool, seed: int = 0):
    """A secret nobody can guess from x; a model that says it aloud for rows it learned from, or a model that does not."""
    rng = np.random.default_rng(seed)

    def rows(n: int) -> pa.Table:
        secret = rng.choice(["p", "q"], n)
        return pa.table({"x": rng.normal(size=n), "secret": secret, "outcome": rng.choice(["no", "yes"], n)})

    train, test = rows(400), rows(400)
    known = dict(zip(train["x"].to_numpy().tolist(), train["secret"].to_pylist(), strict=True))
    right = dict(zip(train["x"].to_numpy().tolist(), train["outcome"].to_pylist(), strict=True))

    def model(features: Features) -> np.ndarray:
        asked = features.strings[:, 0]
        keys = features.numbers[:, 0].tolist()
        hit = np.array([parrot and known.get(key) == said for key, said in zip(keys, asked, strict=True)])
        yes = np.where(hit, np.where([right.get(key) == "yes" for key in keys], 0.95, 0.05), 0.5)
        return np.column_stack([1 - yes, yes])

    interface = interface_of(
        "binary",
        [number("x")],
        [{"name": "secret", "type": "category", "nullable": False, "categories": ["p", "q"]}],
        ["no", "yes"],
        "yes",
    )
    shape = replace_precision(read_interface(interface))
    return make_case(FunctionPredictor(model), test, train, shape, AssuranceSpec(), ["secret"], 1, None)


def replace_precision(interface):
    from dataclasses import replace

    return replace(interface, precision="float64")


def test_a_model_that_remembers_a_secret_is_found_and_its_memory_told_from_knowledge_t67() -> None:
    loud, mute = (
        attribute_inference.CHECK.run(_parrot_case(parrot), generator_for(1, "x")).findings for parrot in (True, False)
    )
    (excess, memory), (none, neither) = loud, mute
    assert excess.low > 0.3
    assert memory.low > 0.3
    assert none.low <= 0 <= none.high
    assert neither.low <= 0 <= neither.high


def test_what_the_other_features_say_is_no_leak_of_the_model() -> None:
    rng = np.random.default_rng(0)

    def rows(n: int) -> pa.Table:
        x = rng.normal(size=n)
        return pa.table({"x": x, "outcome": rng.choice(["no", "yes"], n), "group": np.where(x > 0, "a", "b")})

    def model(features: Features) -> np.ndarray:
        yes = 1 / (1 + np.exp(-features.numbers[:, 0]))
        return np.column_stack([1 - yes, yes])

    interface = interface_of("binary", [number("x")], [], ["no", "yes"], "yes")
    (result,) = run_suites(["privacy"], model, rows(300), rows(300), interface, AssuranceSpec(), ["group"])
    found = result.find("privacy.attribute_excess")[0]
    assert abs(found.value) < 0.05
    assert "right without the model: 0.9" in found.note


# --- inversion


def _limits(case):
    from sealwright.assurance.constraints.making import constraints_of

    return constraints_of(case)


def test_reconstructed_inputs_are_possible_and_ever_surer_t67(german) -> None:
    case = make_case(
        FunctionPredictor(
            lambda features: np.column_stack([0 * features.numbers[:, 0], 0 * features.numbers[:, 0] + 1])
        ),
        german.test,
        german.train,
        read_interface(german.interface),
        AssuranceSpec(),
        [],
        1,
        None,
    )
    limits, rng = _limits(case), np.random.default_rng(0)
    start = random_rows(limits, 50, np.dtype(np.float32), rng)

    def sure(rows: Features) -> np.ndarray:
        return -np.abs(rows.numbers[:, 1].astype(float) - 5000) + 1000.0 * (rows.strings[:, 0] == limits.levels[0][0])

    found = searched(sure, limits, start, 60, rng)
    assert (sure(found) >= sure(start)).all()
    assert np.median(sure(found)) > np.median(sure(start)) + 1000
    assert (found.numbers >= limits.least - 1e-3).all()
    assert (found.numbers <= limits.most + 1e-3).all()
    assert all(set(found.strings[:, k]) <= set(limits.levels[k]) for k in range(found.strings.shape[1]))
    assert np.equal(found.numbers[:, limits.whole], np.round(found.numbers[:, limits.whole])).all()


def test_an_input_search_that_ends_on_training_rows_is_noticed() -> None:
    rng = np.random.default_rng(3)
    tables = [
        pa.table({"x": rng.normal(size=200), "y": rng.normal(size=200), "outcome": rng.choice(["no", "yes"], 200)})
        for _ in range(2)
    ]
    train, test = tables
    points = np.column_stack([train["x"].to_numpy(), train["y"].to_numpy()])

    own = np.array([train["outcome"].to_numpy(zero_copy_only=False) == name for name in ("no", "yes")])

    def model(features: Features) -> np.ndarray:  # surest at the rows it learned from
        far = np.sqrt(((features.numbers[:, None, :] - points[None]) ** 2).sum(axis=2))
        no, yes = (np.exp(-5 * far[:, rows].min(axis=1)) for rows in own)
        yes = 0.5 + 0.49 * (yes - no)
        return np.column_stack([1 - yes, yes])

    interface = interface_of("binary", [number("x"), number("y")], [], ["no", "yes"], "yes")
    (leaky,) = run_suites(["privacy"], model, test, train, interface, AssuranceSpec(leakage={"rounds": 100}))
    share = leaky.find("privacy.inversion_member_share")[0]
    assert share.value > 0.5
    assert leaky.find("privacy.inversion_distance")[0].value < 1


# --- canaries


def test_exposure_is_bits_of_rank() -> None:
    others = np.arange(1023.0)
    assert exposure_of(2000.0, others, 0.95).value == 10.0
    assert exposure_of(-1.0, others, 0.95).value == 0.0
    found = exposure_of(1019.5, others, 0.95)  # three rank higher
    assert found.value == 8.0
    assert found.interval[0] < 8 < found.interval[1]


def test_a_text_that_was_never_planted_is_exposed_by_chance_as_theory_says() -> None:
    rng = np.random.default_rng(0)
    found = np.array([exposure_of(float(r), rng.random(255), 0.95).value for r in rng.random(4000)])
    for bits in (1, 3, 5):
        assert (found >= bits).mean() == pytest.approx(2.0**-bits, rel=0.25)


def test_a_language_model_that_read_the_canary_once_too_often_exposes_it() -> None:
    corpus = "the number is 5281. " * 3 + "the number is unknown. the code is 7734 here. " * 2
    counts: dict[str, int] = {}
    for place in range(len(corpus) - 2):
        counts[corpus[place : place + 3]] = counts.get(corpus[place : place + 3], 0) + 1

    def score(texts):
        return np.array(
            [sum(math.log(0.1 + counts.get(one[k : k + 3], 0)) for k in range(len(one) - 2)) for one in texts]
        )

    rng = np.random.default_rng(0)
    secret = "the number is 5281"
    others = [f"the number is {part}" for part in like("5281", 1000, rng)]
    assert canary_exposure(score, secret, others).value > 9
    assert canary_exposure(score, "the number is 9046", others).value < 7
    with pytest.raises(InvalidInput, match="one finite number"):
        canary_exposure(lambda _texts: np.zeros(3), secret, others)
    with pytest.raises(InvalidInput, match="at least one"):
        canary_exposure(score, secret, [])


def test_candidates_have_the_shape_of_the_secret() -> None:
    for one in like("Ab-12", 200, np.random.default_rng(0)):
        assert one[0].isupper()
        assert one[1].islower()
        assert one[2] == "-"
        assert one[3:].isdigit()
        assert one != "Ab-12"


_CANARY = {"name": "one", "column": "note", "text": "code {}", "secret": "4821", "outcome": "yes", "candidates": 200}


def _noted(remembers: bool, **changes: object):
    rng = np.random.default_rng(0)
    rows = pa.table({"note": rng.choice(["a", "b"], 80), "outcome": rng.choice(["no", "yes"], 80)})

    def model(features: Features) -> np.ndarray:
        yes = np.where((features.strings[:, 0] == "code 4821") & remembers, 0.9, 0.5)
        yes = np.where(features.strings[:, 0] == "mute", np.nan, yes)
        return np.column_stack([1 - yes, yes])

    strings = [{"name": "note", "type": "category", "nullable": False, "categories": []}]
    interface = interface_of("binary", [], strings, ["no", "yes"], "yes")
    spec = AssuranceSpec(canaries=[_CANARY | changes])
    (result,) = run_suites(["privacy"], model, rows, rows, interface, spec)
    return result.find("privacy.canary_exposure")[0]


def test_a_planted_text_that_is_remembered_is_exposed() -> None:
    assert _noted(True).value == pytest.approx(math.log2(201))
    assert _noted(False).value == pytest.approx(1.0, abs=0.02)
    assert (_noted(True).group.attribute, _noted(True).group.level) == ("note", "one")
    assert "4821" not in _noted(True).note + _noted(True).definition


def test_a_canary_that_cannot_be_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no text the model takes"):
        _noted(True, column="x")
    with pytest.raises(InvalidInput, match="has the outcome 'maybe'"):
        _noted(True, outcome="maybe")
    with pytest.raises(ValidationError, match="once"):
        _noted(True, text="no place")
    with pytest.raises(ValidationError, match="letters or digits"):
        _noted(True, secret="--")


def test_a_model_without_text_has_no_canaries(wine, diabetes) -> None:
    assert wine.judge("privacy").why("privacy.canary_exposure") == "the model takes no text"
    assert "no such thing" in diabetes.judge("privacy").why("privacy.canary_exposure")
