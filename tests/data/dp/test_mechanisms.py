"""The noise is as large as promised, and what it hides stays hidden.

Bounds are fixed and generous: a right mechanism fails one of these about once in 100,000 runs.
"""

import math
from collections import Counter
from collections.abc import Callable
from statistics import fmean

import numpy as np
import pyarrow as pa
import pytest
from dp_asking import named, plan

from sealwright.data.dp import Released, extract, laplace_within, mechanism_for, rank_within

Draw = Callable[..., Released]
FIVE = pa.table({"age": [10, 20, 30, 40, 50], "fits": [True, True, False, False, False]})
DRAWS = 3000


def draws(
    table: pa.Table, kind: str, epsilon: str, *, rows: int = 1, count: int = DRAWS, **more: object
) -> list[Released]:
    planned = plan(kind, epsilon, **more)
    values = extract(table, planned, rows=1, subject=None, named=named)
    mechanism = mechanism_for(planned, rows)
    return [mechanism(values) for _ in range(count)]


@pytest.mark.parametrize(("epsilon", "rows"), [("1", 1), ("0.5", 1), ("1", 3)])
def test_the_noise_of_a_count_is_discrete_laplace_of_the_promised_scale(epsilon: str, rows: int) -> None:
    scale = rows / float(epsilon)
    off = [int(one.value or 0) - 5 for one in draws(FIVE, "count", epsilon, rows=rows)]
    p = math.exp(-1 / scale)
    mean_size = 2 * p / (1 - p * p)  # E|Z| of P(Z = z) = (1 - p) / (1 + p) p^|z|
    assert abs(fmean(map(abs, off)) / mean_size - 1) < 0.12
    assert abs(fmean(off)) < 0.12 * scale * math.sqrt(2)
    assert abs(off.count(0) / DRAWS - (1 - p) / (1 + p)) < 0.045


def test_the_odds_of_any_answer_differ_by_at_most_e_to_the_epsilon_between_neighbours() -> None:
    """The promise itself, on counts that differ in one row: a smoke test, up to sampling error."""
    one = Counter(one.value for one in draws(FIVE, "count", "0.5", count=5000))
    less = Counter(one.value for one in draws(FIVE.slice(1), "count", "0.5", count=5000))
    compared = [value for value in one | less if min(one[value], less[value]) >= 60]
    assert len(compared) >= 8
    for value in compared:
        error = 5 * math.sqrt(1 / one[value] + 1 / less[value])
        assert abs(math.log(one[value] / less[value])) <= 0.5 + error


def test_twice_the_epsilon_is_half_the_noise_and_it_shows() -> None:
    spread = {epsilon: np.std([one.value for one in draws(FIVE, "count", epsilon)]) for epsilon in ("0.1", "0.2")}
    assert 1.7 < spread["0.1"] / spread["0.2"] < 2.3


def test_the_declared_accuracy_holds_as_often_as_it_says() -> None:
    counts = draws(FIVE, "count", "0.3")
    assert sum(abs(int(one.value or 0) - 5) <= (one.within or 0) for one in counts) / DRAWS > 0.925
    exact = {"false": 3, "true": 2}
    cells = draws(FIVE, "histogram", "0.3", column="fits")
    at_once = [max(abs(cell.count - exact[cell.label]) for cell in one.cells) <= (one.all_within or 0) for one in cells]
    assert sum(at_once) / DRAWS > 0.925
    many = pa.table({"age": list(range(101)) * 20})
    means = draws(many, "mean", "1", column="age", count=1000)
    covered = [one.interval.lower <= 50 <= one.interval.upper for one in means if one.interval]
    assert len(covered) == 1000
    assert sum(covered) / 1000 > 0.93
    quantiles = draws(many, "quantile", "0.5", column="age", at=0.25, count=1000)
    below = [abs(float(one.value or 0) * 20 + 10 - 505) <= (one.rank_within or 0) + 10 for one in quantiles]
    assert sum(below) / 1000 > 0.93


def test_clipping_and_noise_hide_an_outlier() -> None:
    """Somebody with a fortune moves the mean no more than somebody at the bound."""
    usual = pa.table({"height": [1.0] * 50})
    rich = pa.table({"height": [1.0] * 49 + [1e12]})
    at_bound = pa.table({"height": [1.0] * 49 + [3.0]})
    means = {
        name: fmean(float(one.value or 0) for one in draws(table, "mean", "2", column="height", count=800))
        for name, table in (("usual", usual), ("rich", rich), ("at bound", at_bound))
    }
    assert abs(means["rich"] - means["at bound"]) < 0.03
    assert abs(means["rich"] - means["usual"]) < 0.08


def test_more_rows_of_a_person_cost_more_noise() -> None:
    one, three = (draws(FIVE, "histogram", "1", column="fits", rows=rows, count=1)[0] for rows in (1, 3))
    assert three.noise["scale"] == pytest.approx(3 * one.noise["scale"])
    assert (three.within or 0) > (one.within or 0)


@pytest.mark.parametrize("epsilon", ["0.1", "0.3", "0.7", "0.000002", "0.333333", "99.999999"])
@pytest.mark.parametrize("rows", [1, 3, 7])
def test_opendps_own_map_says_that_no_chain_costs_more_than_asked(
    epsilon: str, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sealwright.data.dp import mechanisms

    built = []
    sized = mechanisms._sized

    def remember(build: object, rows: int, amount: int, sensitivity: float) -> object:
        chain, scale = sized(build, rows, amount, sensitivity)  # type: ignore[arg-type]
        built.append(chain.map(rows))
        return chain, scale

    monkeypatch.setattr(mechanisms, "_sized", remember)
    for kind, more in (
        ("count", {}),
        ("mean", {"column": "age"}),
        ("histogram", {"column": "colour"}),
        ("quantile", {"column": "age", "at": 0.9}),
    ):
        built.clear()
        mechanism_for(plan(kind, epsilon, **more), rows)
        assert 0.99 * float(epsilon) <= sum(built) <= float(epsilon) * (1 + 1e-12)
        assert all(one <= float(epsilon) for one in built)


def test_a_mean_says_how_its_epsilon_was_split(draw: Draw) -> None:
    released = draw(FIVE, "mean", "0.3", column="age")
    assert released.noise["split"] == {"sum": "0.15", "count": "0.15"}
    assert released.noise["sensitivity"] == {"sum": 100, "count": 1}
    assert 0 <= float(released.value or 0) <= 100


def test_an_answer_over_no_rows_is_an_answer(draw: Draw) -> None:
    nothing = FIVE.slice(0, 0)
    assert 0 <= float(draw(nothing, "mean", column="age").value or 0) <= 100
    assert draw(nothing, "quantile", column="age", at=0.5).value in range(101)
    assert len(draw(nothing, "histogram", column="fits").cells) == 2
    assert isinstance(draw(nothing, "count").value, int)


def test_two_releases_of_the_same_number_differ(draw: Draw) -> None:
    """There is no seed: whoever asks twice sees two noises, and pays twice."""
    assert len({draw(FIVE, "count", "0.01").value for _ in range(20)}) > 10


@pytest.mark.parametrize("scale", [0.3, 1.0, 2.5, 10.0, 400.0, 4e6])
def test_the_bound_on_laplace_noise_is_the_smallest_that_holds(scale: float) -> None:
    p = math.exp(-1 / scale)

    def beyond(k: int) -> float:
        return 2 * p ** (k + 1) / (1 + p)

    within = laplace_within(scale, 0.95)
    assert beyond(within) <= 0.05 * (1 + 1e-9)
    assert within == 0 or beyond(within - 1) > 0.05 * (1 - 1e-9)
    assert laplace_within(scale, 0.95, 10) >= within


def test_the_bound_agrees_with_opendps() -> None:
    import opendp.prelude as dp

    for scale in (1.0, 10.0, 123.4):
        theirs = dp.discrete_laplacian_scale_to_accuracy(scale, 0.05)
        assert abs(laplace_within(scale, 0.95) - theirs) <= 1
    assert rank_within(10.0, 101, 0.95) == math.ceil(10 * math.log(101 / 0.05))
