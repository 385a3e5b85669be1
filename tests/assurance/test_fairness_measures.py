"""Every further measure of fairness agrees with scikit-learn, scipy or a published number, and obeys its laws."""

import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics
from sklearn.neighbors import NearestNeighbors

from sealwright.assurance.distributions import cells_of, kolmogorov_smirnov, permuted, wasserstein
from sealwright.assurance.recognition import alone, dealt, recognised
from sealwright.assurance.strata import common_difference, strata_of
from sealwright.kernel import InvalidInput


def _rows(rng: np.random.Generator, n: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    group = rng.choice(["a", "b", "c"], n, p=[0.5, 0.3, 0.2])
    truth = rng.random(n) < np.where(group == "a", 0.6, 0.4)
    return truth, np.clip(0.5 * truth + rng.normal(0.25, 0.3, n), 0, 1).astype(np.float32).astype(float), group


def test_german_credit_has_the_published_gap_in_its_training_labels(scored) -> None:
    """Reference F2: tutorial of AIF360 on German credit, age >= 25, its own training rows: -0.169905."""
    rows = pa.csv.read_csv(Path(__file__).parents[2] / "examples/german-credit/german_credit.csv")
    order = np.random.RandomState(0).permutation(1000)
    good = np.array([value == "good" for value in rows["outcome"].to_pylist()])
    built = scored(good, good.astype(float), {"age": rows["age"].to_pylist()}).test
    train, test = built.take(pa.array(order[:700])), built.take(pa.array(order[700:]))
    judged = (
        scored(good, good.astype(float))
        .with_(train=train, test=test)
        .judge("fairness", spec={"groups": [{"age": [25]}]})
    )
    found = judged.one("fairness.label_gap")
    assert (found.value, found.n) == (pytest.approx(0.169905, abs=1e-6), 700)
    assert found.note.startswith("highest: 25 and over; lowest: under 25")


def test_a_scrambled_sensitive_column_is_noticed(scored) -> None:
    """Reference F3b: rightly joined -0.074801; the much-copied scrambled column, which keeps its totals, gives +0.018700."""
    rows = pa.csv.read_csv(Path(__file__).parents[2] / "examples/german-credit/german_credit.csv")
    good = np.array([value == "good" for value in rows["outcome"].to_pylist()])
    sex = np.array(rows["sex"].to_pylist())
    right = scored(good, good.astype(float), {"sex": sex}).judge("fairness", groups=["sex"]).one("fairness.label_gap")
    mixed = np.random.default_rng(0).permutation(sex)
    wrong = scored(good, good.astype(float), {"sex": mixed}).judge("fairness", groups=["sex"]).one("fairness.label_gap")
    assert right.value == pytest.approx(0.074801, abs=1e-6)
    assert right.low > 0
    assert wrong.low == 0


@pytest.mark.parametrize("seed", range(3))
def test_rates_agree_with_scikit_learn_and_fairlearn(scored, seed: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from fairlearn import metrics as fairlearn
    truth, score, group = _rows(np.random.default_rng(seed))
    judged = scored(truth, score, {"group": group}).judge("fairness", groups=["group"])
    chosen = score >= 0.5
    precisions = {level: metrics.precision_score(truth[group == level], chosen[group == level]) for level in "abc"}
    for level, value in precisions.items():
        found = judged.one("fairness.positive_predictive_value", attribute="group", level=level)
        assert found.value == pytest.approx(value)
    gap = judged.one("fairness.predictive_parity_gap")
    assert gap.value == pytest.approx(max(precisions.values()) - min(precisions.values()))
    frame = fairlearn.MetricFrame(
        metrics={
            "false_negative_rate_gap": fairlearn.false_negative_rate,
            "false_positive_rate_gap": fairlearn.false_positive_rate,
        },
        y_true=truth,
        y_pred=chosen,
        sensitive_features=group,
    )
    for name, value in frame.difference().items():
        assert judged.one(f"fairness.{name}").value == pytest.approx(value)


@pytest.mark.parametrize("seed", range(3))
def test_calibration_within_groups_is_what_its_definition_says(scored, seed: int) -> None:
    truth, score, group = _rows(np.random.default_rng(seed))
    judged = scored(truth, score, {"group": group}).judge("fairness", groups=["group"])
    errors, biases = {}, {}
    for level in "abc":
        p, y = score[group == level], truth[group == level]
        bins = np.minimum((p * 10).astype(int), 9)
        errors[level] = sum(abs((p - y)[bins == b].sum()) for b in range(10)) / p.size
        biases[level] = p.mean() - y.mean()
        error = judged.one("fairness.calibration_error", attribute="group", level=level)
        assert error.value == pytest.approx(errors[level])
        assert judged.one("fairness.score_bias", attribute="group", level=level).value == pytest.approx(biases[level])
    assert judged.one("fairness.calibration_gap").value == pytest.approx(np.ptp(list(errors.values())))
    assert judged.one("fairness.score_bias_gap").value == pytest.approx(np.ptp(list(biases.values())))
    assert {line.name for line in judged.figure("fairness.reliability.group").series} == set("abc")


@pytest.mark.parametrize("decimals", [2, 12])
def test_distances_between_scores_are_those_of_scipy(scored, rng: np.random.Generator, decimals: int) -> None:
    truth, score, group = _rows(rng)
    score = np.round(score, decimals).astype(np.float32).astype(float)
    judged = scored(truth, score, {"group": group}).judge("fairness", groups=["group"])
    pairs = [(score[group == a], score[group == b]) for a, b in ("ab", "ac", "bc")]
    expected = max(stats.ks_2samp(*pair).statistic for pair in pairs)
    assert judged.one("fairness.score_ks_gap").value == pytest.approx(expected)
    expected = max(stats.wasserstein_distance(*pair) for pair in pairs)
    assert judged.one("fairness.score_wasserstein_gap").value == pytest.approx(expected)


def test_permutation_p_agrees_with_scipy(rng: np.random.Generator) -> None:
    groups = [rng.normal(0, 1, 60), rng.normal(0.5, 1, 90)]
    cells = cells_of(groups)

    def tall(counts: np.ndarray) -> np.ndarray:
        below = np.cumsum(counts, axis=2) / counts.sum(axis=2, keepdims=True)
        return np.abs(below[:, 0] - below[:, 1]).max(axis=1)[:, None]

    ours = permuted(cells, tall, 4000, rng)[0]
    assert ours == pytest.approx(stats.ks_2samp(*groups, method="exact").pvalue, abs=0.01)


@given(st.integers(0, 2**16), st.floats(0, 1))
def test_distances_grow_with_the_shift_and_never_pass_it(seed: int, shift: float) -> None:
    rng = np.random.default_rng(seed)
    values = rng.random(40)
    assert wasserstein([values, values + shift])[0] == pytest.approx(shift)
    assert 0 <= kolmogorov_smirnov([values, values + shift])[0] <= 1
    assert kolmogorov_smirnov([values, values])[0] == 0


def test_exposure_is_the_discount_of_scikit_learn(scored, rng: np.random.Generator) -> None:
    truth, score, group = _rows(rng)
    score = np.round(score, 1)  # many ties
    judged = scored(truth, score, {"group": group}).judge("fairness", groups=["group"])
    seen = {g: metrics.dcg_score([(group == g).astype(float)], [score]) / (group == g).sum() for g in "abc"}
    overall = metrics.dcg_score([np.ones(400)], [score]) / 400
    gap = judged.one("fairness.exposure_gap")
    assert gap.value == pytest.approx((max(seen.values()) - min(seen.values())) / overall, rel=1e-5)


def test_shares_of_the_top_are_counted(scored, rng: np.random.Generator) -> None:
    score = rng.permutation(np.arange(200) / 200).astype(np.float32)
    group = np.where(score > 0.6, "a", np.where(rng.random(200) < 0.3, "a", "b"))
    judged = scored(rng.random(200) < 0.5, score, {"group": group}).judge(
        "fairness", groups=["group"], spec={"top": 0.25}
    )
    ratios = [judged.one("fairness.top_share_ratio", attribute="group", level=level).value for level in "ab"]
    assert ratios == pytest.approx([200 / (group == "a").sum(), 0])
    assert judged.one("fairness.top_share_gap").value == pytest.approx(ratios[0])
    assert judged.one("fairness.top_share_ratio", attribute="group", level="b").high > 0.1


def test_consistency_is_that_of_nearest_neighbours(diabetes, scored, rng: np.random.Generator) -> None:
    score = rng.random(300).astype(np.float32).astype(float)
    judged = scored(score > 0.4, score, {"group": rng.choice(["a", "b"], 300)}).judge("fairness", groups=["group"])
    near = NearestNeighbors(n_neighbors=6).fit(score[:, None]).kneighbors(score[:, None])[1][:, 1:]
    chosen = score >= 0.5
    expected = 1 - np.abs(chosen - chosen[near].mean(axis=1)).mean()
    assert judged.one("fairness.individual_consistency").value == pytest.approx(expected)
    assert diabetes.judge("fairness", groups=["sex"]).one("fairness.individual_distance").value < 1


def test_equal_rows_are_neighbours_in_equal_parts(scored) -> None:
    scores = [0.2] * 30 + [0.8] * 30
    judged = scored([0, 1] * 30, scores, {"group": ["a", "b"] * 30}).judge("fairness", groups=["group"])
    assert judged.one("fairness.individual_consistency").value == 1


def test_crossed_groups_are_tested_as_scipy_tests_them(scored, rng: np.random.Generator) -> None:
    sex, age = rng.choice(["f", "m"], 500), rng.choice(["old", "young"], 500)
    wronged = (sex == "f") & (age == "young")
    truth = rng.random(500) < 0.6
    score = np.where(wronged & (rng.random(500) < 0.3), 0.1, 0.2 + 0.6 * truth)
    judged = scored(truth, score, {"sex": sex, "age": age}).judge("fairness", groups=["sex", "age"])
    found = judged.one("fairness.crossed_selection_gap", attribute="sex × age")
    chosen = score >= 0.5
    p_values = []
    for kind in (np.ones(500, dtype=bool), truth):
        for one in ("f", "m"):
            for other in ("old", "young"):
                inside = (sex == one) & (age == other)
                table = [[(chosen & part & kind).sum(), (~chosen & part & kind).sum()] for part in (inside, ~inside)]
                p_values.append(stats.fisher_exact(table, alternative="less").pvalue)
    adjusted = stats.false_discovery_control(p_values)
    assert found.value == pytest.approx(chosen[~wronged].mean() - chosen[wronged].mean())
    assert f"adjusted p = {adjusted[1]:.2g} " in found.note
    assert found.note.startswith("worst off: f × young")
    assert judged.one("fairness.crossed_groups_worse_off").value == (adjusted[:4] <= 0.05).sum()


def test_one_attribute_or_depth_one_leaves_nothing_to_cross(scored, rng: np.random.Generator) -> None:
    truth, score, group = _rows(rng)
    rows = scored(
        truth, score, {"group": group, "side": rng.choice(["l", "r"], 400), "day": rng.choice(["x", "y"], 400)}
    )
    assert "only one attribute" in rows.judge("fairness", groups=["group"]).why("fairness.crossed_groups_worse_off")
    flat = rows.judge("fairness", groups=["group", "side"], spec={"crossed": 1})
    assert "assurance.crossed is 1" in flat.why("fairness.crossed_groups_worse_off")
    deep = rows.judge("fairness", groups=["group", "side", "day"], spec={"crossed": 3})
    named = {found.group.attribute for found in deep["fairness"].find("fairness.crossed_selection_gap")}
    assert named == {"group × side", "group × day", "side × day", "group × side × day"}


@st.composite
def two_groups(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    rows = np.array(draw(st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)), min_size=1, max_size=6))).T
    return np.array([[draw(st.integers(0, int(n))) for n in line] for line in rows]), rows


@given(two_groups())
def test_a_common_difference_lies_between_those_of_the_strata(data: tuple[np.ndarray, np.ndarray]) -> None:
    hits, rows = data
    common = common_difference(hits, rows, 0.95)
    apart = hits[0] / rows[0] - hits[1] / rows[1]
    assert apart.min() - 1e-9 <= common.value <= apart.max() + 1e-9
    turned = common_difference(hits[::-1], rows[::-1], 0.95)
    assert turned.value == pytest.approx(-common.value)
    assert turned.interval == pytest.approx((-common.interval[1], -common.interval[0]))
    alone_in_a_stratum = common_difference(np.c_[hits, [3, 0]], np.c_[rows, [5, 0]], 0.95)
    assert alone_in_a_stratum == common


@given(two_groups())
def test_in_a_single_stratum_it_is_the_plain_difference_of_two_shares(data: tuple[np.ndarray, np.ndarray]) -> None:
    hits, rows = (part[:, :1] for part in data)
    common = common_difference(hits, rows, 0.95)
    one, other = (hits / rows)[:, 0]
    error = float(np.sqrt((np.array([one * (1 - one), other * (1 - other)]) / rows[:, 0]).sum()))
    assert common.value == pytest.approx(one - other)
    expected = max(-1.0, one - other - 1.959964 * error), min(1.0, one - other + 1.959964 * error)
    assert common.interval == pytest.approx(expected, abs=1e-6)


def test_nineteen_of_twenty_common_intervals_hold_the_truth() -> None:
    rng = np.random.default_rng(0)
    base, rows = np.array([0.2, 0.4, 0.6, 0.7]), np.array([[20, 60, 40, 30], [50, 30, 40, 15]])
    held = 0
    for _ in range(2000):
        hits = rng.binomial(rows, np.stack([base + 0.1, base]))
        low, high = common_difference(hits, rows, 0.95).interval
        held += low <= 0.1 <= high
    assert 0.93 <= held / 2000 <= 0.97


def test_strata_are_bands_or_values_with_missing_apart(rng: np.random.Generator) -> None:
    codes, names = strata_of(np.append(rng.normal(size=100), np.nan))
    assert np.bincount(codes).tolist() == [20] * 5 + [1]
    assert names[-1] == "(missing)"
    codes, names = strata_of(np.array([0.0, 1.0, 1.0]))
    assert (codes.tolist(), names) == ([0, 1, 1], ("0", "1", "(missing)"))
    codes, names = strata_of(np.array([f"w{place % 30}" for place in range(300)] + ["w3", ""], dtype=object))
    assert (len(names), names[-1], names[0]) == (21, "(others)", "w3")
    assert (codes == 20).sum() == 302 - 19 * 10 - 11


def test_a_declared_reason_is_the_one_looked_into(german) -> None:
    found = german.judge("fairness", groups=["sex"], spec={"legitimate": "housing"}).one("fairness.conditional_gap")
    assert "strata of housing;" in found.note
    assert {
        line.name for line in german.judge("fairness", groups=["sex"]).figure("fairness.conditional.sex").series
    } == {
        "female",
        "male",
    }
    with pytest.raises(InvalidInput, match="'charm', which is no feature of the model"):
        german.judge("fairness", groups=["sex"], spec={"legitimate": "charm"})


def test_the_two_parts_of_a_gap_add_up_to_it(scored) -> None:
    for seed in range(3):
        truth, score, group = _rows(np.random.default_rng(seed))
        judged = scored(truth, score, {"group": group}).judge("fairness", groups=["group"])
        parts = [judged.one(f"fairness.gap_from_{name}").value for name in ("base_rates", "error_rates")]
        assert sum(parts) == pytest.approx(judged.one("fairness.selection_gap").value)


def test_a_perfect_model_passes_base_rates_on_and_adds_nothing(scored, rng: np.random.Generator) -> None:
    truth, _, group = _rows(rng)
    judged = scored(truth, truth.astype(float), {"group": group}).judge("fairness", groups=["group"])
    assert judged.one("fairness.gap_from_error_rates").value == 0
    assert judged.one("fairness.gap_from_base_rates").value == pytest.approx(judged.one("fairness.label_gap").value)


def test_flipping_counts_decisions_that_turn_and_says_which_way(scored, rng: np.random.Generator) -> None:
    score = rng.random(300)
    rows = scored(score > 0.5, score)
    table = rows.test.append_column("sex", pa.array(rng.choice(["f", "m"], 300)))
    strings = [{"name": "sex", "type": "category", "nullable": False, "categories": ["f", "m"]}]

    def biased(features) -> np.ndarray:
        p = np.clip(features.numbers[:, 0] - 0.2 * (features.strings[:, 0] == "f"), 0, 1).astype(float)
        return np.column_stack([1 - p, p])

    with_sex = rows.with_(model=biased, test=table, train=table, interface=rows.interface | {"strings": strings})
    found = with_sex.judge("fairness", groups=["sex"]).one("fairness.flip_share", attribute="sex")
    turned = (score >= 0.5) & (score < 0.7)
    assert found.value == pytest.approx(turned.mean(), abs=1e-6)
    assert "if all were m" in found.note.split(", for")[0]
    blind = (
        with_sex.with_(model=rows.model).judge("fairness", groups=["sex"]).one("fairness.flip_share", attribute="sex")
    )
    assert blind.value == 0


def test_what_the_model_does_not_take_cannot_be_flipped(german, diabetes) -> None:
    judged = german.judge("fairness", groups=["sex", "age"])
    assert "the model takes no sex" in judged.why("fairness.flip_share", attribute="sex")
    assert judged.one("fairness.flip_share", attribute="age").value > 0
    assert diabetes.judge("fairness", groups=["sex"]).one("fairness.flip_shift", attribute="sex").value >= 0


def test_training_shares_are_held_against_what_is_declared(scored) -> None:
    rows = scored([0, 1] * 100, [0.1, 0.9] * 100, {"sex": ["f"] * 40 + ["m"] * 160})
    declared = rows.judge("fairness", groups=["sex"], spec={"reference": {"sex": {"f": 0.5, "m": 0.5}}})
    gap = declared.one("fairness.representation_gap")
    assert gap.value == pytest.approx(0.3)
    assert gap.low > 0.2
    assert gap.note.startswith("farthest off: f, too rare")
    undeclared = rows.judge("fairness", groups=["sex"]).one("fairness.representation_gap")
    assert (undeclared.value, undeclared.low) == (0, 0)
    assert "no reference is declared" in undeclared.note
    with pytest.raises(InvalidInput, match="reference gives shares for caste"):
        rows.judge("fairness", groups=["sex"], spec={"reference": {"caste": {"x": 1.0}}})


def test_recognition_is_measured_as_scikit_learn_does(rng: np.random.Generator) -> None:
    codes = rng.integers(0, 3, 600)
    column = codes + rng.normal(0, 1, 600)
    guesses = alone(column, codes, dealt(codes, rng))
    found = recognised(codes, guesses)
    expected = [metrics.roc_auc_score(codes == place, guesses[:, place]) for place in range(3)]
    assert found.value == pytest.approx(np.mean(expected))
    assert found.clearest == int(np.argmax(expected))
    none = recognised(codes, alone(rng.permutation(column), codes, dealt(codes, rng)))
    assert abs(none.value - 0.5) < 4 * none.error


def test_proxies_of_real_data_are_named_with_intervals(german) -> None:
    judged = german.judge("fairness", groups=["sex"])
    found, single = judged.one("fairness.proxy_auc"), judged.one("fairness.strongest_proxy_auc")
    assert 0.5 < found.low < found.value < 0.9
    assert single.value <= found.value
    assert single.note.startswith("strongest: age 0.6")
    assert judged.figure("fairness.proxies.sex").series[0].x[0] == "age"


def test_ratios_and_residuals_are_those_of_the_rows(guessed, rng: np.random.Generator) -> None:
    group = np.repeat(["a", "b"], 150)
    truth = rng.normal(0, 1, 300).astype(np.float32).astype(float)
    guesses = (truth + rng.normal(0.1, np.where(group == "a", 0.3, 0.6))).astype(np.float32).astype(float)
    judged = guessed(truth, guesses, {"group": group}).judge("fairness", groups=["group"])
    errors = [metrics.mean_absolute_error(truth[group == g], guesses[group == g]) for g in "ab"]
    assert judged.one("fairness.error_ratio").value == pytest.approx(errors[0] / errors[1])
    assert judged.one("fairness.error_ratio").note.startswith("highest: b; lowest: a")
    means = [(guesses - truth)[group == g].mean() / truth.std() for g in "ab"]
    assert judged.one("fairness.mean_residual", attribute="group", level="a").value == pytest.approx(means[0])
    assert judged.one("fairness.mean_residual_gap").value == pytest.approx(abs(means[0] - means[1]))


@settings(max_examples=6)
@given(st.integers(0, 2**16))
def test_renaming_the_groups_changes_nothing_but_names(scored, seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth, score, group = _rows(rng, 160)
    chosen = score >= 0.5
    assume(
        len({(chosen[group == g].mean(), (group == g).sum()) for g in "abc"}) == 3
    )  # which of two equals is no matter
    first, second = (
        scored(truth, score, {"group": names}).judge("fairness", groups=["group"])
        for names in (group, np.array(["z", "y", "x"])[np.searchsorted(["a", "b", "c"], group)])
    )
    asked = {found.check for found in first["fairness"].findings if found.group and found.group.level is None}
    asked -= {"fairness.proxy_auc", "fairness.strongest_proxy_auc"}  # folds follow the order of rows
    for name in sorted(asked):
        one, other = (judged.one(name) for judged in (first, second))
        assert (one.value, one.n) == (pytest.approx(other.value), other.n), name
        assert (one.low, one.high) == (pytest.approx(other.low), pytest.approx(other.high)), name


def test_nothing_is_called_a_legal_test(german) -> None:
    for found in german.judge("fairness", groups=["sex", "age"])["fairness"].findings:
        words = (found.definition + found.note).lower()
        assert "four-fifths" not in words
        assert "80%" not in words
        assert "illegal" not in words
        assert "legal" not in words.replace("not a legal test", "")
