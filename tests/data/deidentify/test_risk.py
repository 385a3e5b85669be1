"""The risk that stays: numbers a person can check by hand, and what is said beside them."""

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.data.deidentify import ASSUMED, STILL_PERSONAL, risk_of
from sealwright.data.deidentify.population import chance_of_a_match, pitman_uniques, zayatz_uniques
from sealwright.kernel import InvalidInput

# Ten rows in classes of 1, 1, 2 and 6.
TEN = pa.table({"a": ["p", "q", *["r"] * 8], "b": [1, 1, 2, 2, *[3] * 6]})


def test_risks_of_ten_rows_by_hand() -> None:
    found = risk_of(TEN, ["a", "b"])
    assert found.prosecutor_highest == 1.0
    assert found.prosecutor_average == pytest.approx(4 / 10)  # classes over rows
    assert found.marketer == pytest.approx(4 / 10)
    assert found.rows_at_high_risk == pytest.approx(4 / 10)  # 1/1, 1/1, 1/2, 1/2 are above 0.2
    assert found.unique_in_sample == pytest.approx(2 / 10)
    assert found.journalist_highest is None
    assert found.unique_in_population is None
    without_a, without_b = found.contributions["a"], found.contributions["b"]
    assert (without_a.k, without_a.unique_rows, without_a.unique_rows_avoided) == (2, 0, 2)
    assert (without_b.k, without_b.unique_rows, without_b.unique_rows_avoided) == (1, 2, 0)


def test_with_a_register_a_match_is_less_sure() -> None:
    found = risk_of(TEN, ["a", "b"], population=100)
    one = 0.1 / 0.9 * math.log(10)  # E[1/F] of a class of one: p / (1 - p) log(1 / p)
    assert found.journalist_highest == pytest.approx(one)
    assert found.journalist_highest is not None
    assert found.marketer < found.journalist_highest < found.prosecutor_highest


@pytest.mark.parametrize("p", [1e-6, 0.001, 0.0625, 0.3, 0.5, 0.51, 0.9, 0.999])
def test_the_chance_of_a_match_is_the_integral(p: float) -> None:
    from scipy.integrate import quad

    for f in (1, 2, 3, 29, 30, 31, 103, 5000):
        wanted, _ = quad(lambda s, f=f: p * math.exp(-f * s) / (p + (1 - p) * math.exp(-s)), 0, 60 / f, limit=500)
        assert chance_of_a_match(np.array([f]), p)[0] == pytest.approx(wanted, rel=1e-6), f


def test_the_chance_of_a_match_is_the_mean_over_the_negative_binomial() -> None:
    p, f = 0.1, 2
    series = sum(math.comb(size - 1, f - 1) * p**f * (1 - p) ** (size - f) / size for size in range(f, 2000))
    assert chance_of_a_match(np.array([f]), p)[0] == pytest.approx(series)


def test_the_whole_population_is_no_sample() -> None:
    found = risk_of(TEN, ["a", "b"], population=10)
    assert found.journalist_highest == found.prosecutor_highest
    assert found.marketer == pytest.approx(found.prosecutor_average)
    assert found.unique_in_population_zayatz == pytest.approx(0.2)
    with pytest.raises(InvalidInput, match="cannot be smaller than the 10 rows"):
        risk_of(TEN, ["a", "b"], population=9)


def test_zayatz_by_hand() -> None:
    """Classes 1, 1, 2: spread 2/3 and 1/3; p = 1/2. A class of 1 shows one row with 1/2, of 2 with 2 * 1/2 * 1/2."""
    by_hand = 2 / 4 * (2 / 3 * 0.5) / (2 / 3 * 0.5 + 1 / 3 * 0.5)
    assert zayatz_uniques(np.array([1, 1, 2]), 8) == pytest.approx(by_hand)
    assert zayatz_uniques(np.array([2, 3]), 50) == 0.0


def test_both_estimates_find_the_uniques_of_a_population_that_was_made() -> None:
    """A skewed population of 200,000, one row in ten drawn; the truth is known."""
    draw = np.random.default_rng(20260101)
    people = np.minimum(draw.zipf(1.3, 200_000), 10**9)
    sample = draw.choice(people, 20_000, replace=False)
    _, sizes = np.unique(sample, return_counts=True)
    values, world = np.unique(people, return_counts=True)
    alone = set(values[world == 1].tolist())
    truth = sum(one in alone for one in sample.tolist()) / len(sample)
    pitman = pitman_uniques(sizes, 200_000)
    assert pitman is not None
    assert pitman == pytest.approx(truth, rel=0.25)
    assert zayatz_uniques(sizes, 200_000) == pytest.approx(truth, rel=0.6)  # coarser, as its literature says


def test_where_all_are_alone_one_estimate_has_nothing_to_say() -> None:
    assert pitman_uniques(np.ones(50, dtype=np.int64), 1000) is None
    assert pitman_uniques(np.array([3, 4]), 1000) == 0.0


@given(st.lists(st.integers(1, 500), min_size=1, max_size=30), st.floats(1e-6, 1.0))
def test_a_larger_class_is_never_easier_to_match(sizes: list[int], fraction: float) -> None:
    chance = chance_of_a_match(np.array(sorted(sizes), dtype=np.int64), fraction)
    assert (np.diff(chance) <= 1e-12).all()
    assert (chance > 0).all()
    assert (chance <= 1 / np.array(sorted(sizes)) + 1e-12).all()


def test_what_is_assumed_is_said_and_nothing_is_promised() -> None:
    said = " ".join([*ASSUMED, STILL_PERSONAL, str(risk_of(TEN, ["a"]).to_json())]).lower()
    assert "anonym" not in said
    assert "recital 26" in said
    assert "taken to be unknown to the attacker. that may be wrong" in said
