"""What releases cost together never exceeds the budget, whatever is asked in whatever order."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.data.dp import Limit, Spent, left, total, within
from sealwright.data.privacy_budget import PrivacyBudgetSpec, epsilon_text, millionths

amounts = st.integers(1, 3_000_000)
limits = st.builds(Limit, epsilon=st.integers(1, 10_000_000), delta=st.sampled_from([0.0, 1e-9, 1e-6, 1e-4]))


@given(limits, st.lists(amounts, max_size=60))
def test_granting_what_fits_never_exceeds_the_budget(limit: Limit, asked: list[int]) -> None:
    granted: list[int] = []
    for epsilon in asked:
        if within(Spent.of(granted), epsilon, limit):
            granted.append(epsilon)
    spent = Spent.of(granted)
    rho = sum((one / 1e6) ** 2 / 2 for one in granted)
    by_rho = rho + 2 * math.sqrt(rho * math.log(1 / limit.delta)) if limit.delta else math.inf  # a looser bound
    assert sum(granted) <= limit.epsilon or total(spent, limit.delta) <= by_rho * 1e6 * (1 + 1e-9)
    assert total(spent, limit.delta) <= limit.epsilon


@given(limits, st.lists(amounts, max_size=20))
def test_what_is_left_can_be_asked_for_and_not_a_millionth_more(limit: Limit, before: list[int]) -> None:
    spent = Spent.of(before)
    rest = left(spent, limit)
    assert rest == 0 or within(spent, rest, limit)
    assert not within(spent, rest + 1, limit)


@given(st.lists(amounts, max_size=20), amounts, st.sampled_from([0.0, 1e-6]))
def test_a_release_never_makes_the_total_smaller(before: list[int], one: int, delta: float) -> None:
    spent = Spent.of(before)
    assert spent.and_also(one) == Spent.of([*before, one])
    assert total(spent, delta) <= total(spent.and_also(one), delta)


def test_tenths_add_up_exactly() -> None:
    limit = Limit(epsilon=millionths(2.0))
    assert left(Spent.of([millionths(0.1)] * 19), limit) == millionths(0.1)
    assert left(Spent.of([millionths(0.1)] * 20), limit) == 0


def test_the_rho_sum_is_that_of_opendp() -> None:
    """Ours looks at fewer orders: it may charge a little more, never less."""
    import opendp.prelude as dp

    dp.enable_features("contrib")
    space = dp.atom_domain(T="i64"), dp.absolute_distance(T="i64")
    for rho, delta in ((0.5, 1e-6), (0.01, 1e-9), (0.0005, 1e-5)):
        gaussian = dp.m.make_gaussian(*space, scale=math.sqrt(1 / (2 * rho)))
        theirs = dp.c.make_zCDP_to_approxDP(gaussian).map(1).epsilon(delta)
        ours = total(Spent(epsilon=10**12, squares=round(rho * 2e12)), delta) / 1e6
        assert theirs * (1 - 1e-9) <= ours <= theirs * 1.01


def test_many_small_releases_cost_less_together_with_a_delta() -> None:
    spent = Spent.of([millionths(0.01)] * 1000)
    assert total(spent, 0.0) == millionths(10)
    assert millionths(1.2) < total(spent, 1e-6) < millionths(1.5)


@given(st.integers(1, 100_000_000))
def test_an_amount_is_read_back_as_it_was_written(amount: int) -> None:
    assert millionths(epsilon_text(amount)) == amount


@pytest.mark.parametrize("wrong", ["0", "-1", "0.0000001", "101", "nan", "inf", "a lot", "", "1e400"])
def test_an_epsilon_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="epsilon is"):
        millionths(wrong)


@pytest.mark.parametrize(
    ("said", "subject", "match"),
    [
        ({"epsilon": 1.0, "unit": "person"}, None, "data.subject"),
        ({"epsilon": 1.0, "most_rows_per_person": 3}, None, "data.subject"),
        ({"epsilon": 1.0, "unit": "row"}, "id", "is a person"),
    ],
)
def test_a_unit_that_does_not_fit_the_subject_is_refused(said: dict[str, object], subject: str, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        PrivacyBudgetSpec.model_validate(said).refuse_unit(subject)


@pytest.mark.parametrize(
    "said", [{}, {"epsilon": 0}, {"epsilon": True}, {"epsilon": 1, "delta": 0.5}, {"epsilon": 1, "seed": 3}]
)
def test_a_budget_that_says_nothing_usable_is_refused(said: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        PrivacyBudgetSpec.model_validate(said)
