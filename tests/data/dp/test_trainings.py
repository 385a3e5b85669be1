"""A private training costs its epsilon and delta beside the releases of the same dataset, and never less."""

import dataclasses
import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.data.dp import (
    Account,
    Book,
    Limit,
    PrivacyBookBroken,
    PrivacyBudgetChanged,
    PrivacyBudgetSpent,
    Protection,
    Spend,
    Spent,
    Training,
    counted,
    left,
    refuse_if_spent,
    refuse_trainings,
    standing,
    total,
    training_entry,
    training_of,
    within,
)
from sealwright.data.dp.composition import exact
from sealwright.trust import LedgerEntry

from dp_asking import query  # isort: skip

ROW = Protection(unit="row", rows=1)


def training(epsilon: float = 1.0, delta: float = 1e-5, rows: int = 1) -> Training:
    return training_of("naive_bayes", "run_1", ("age", "town"), epsilon=epsilon, delta=delta, rows=rows)


def account(*spends: tuple[str, int, float]) -> Account:
    made = [
        Spend(
            entry=place,
            at="2026-01-01T00:00:00.000Z",
            actor="ada",
            project="p",
            release=f"r{place}",
            kind=kind,
            columns=(),
            epsilon=epsilon,
            delta=delta,
        )
        for place, (kind, epsilon, delta) in enumerate(spends)
    ]
    return Account(projects={"p"}, units={"row"} if made else set(), spends=made)


# --- what one costs


@given(st.floats(0.001, 100), st.floats(1e-12, 1e-3))
def test_for_one_row_it_costs_what_was_asked_for_and_at_most_a_millionth_more(epsilon: float, delta: float) -> None:
    one = training(epsilon, delta)
    asked = Decimal(repr(epsilon)) * 1_000_000
    assert asked <= one.epsilon < asked + 1
    assert one.delta == delta


@given(st.floats(0.001, 3), st.floats(1e-12, 1e-6), st.integers(2, 8))
def test_for_several_rows_of_one_person_it_costs_what_stepping_from_row_to_row_does(
    epsilon: float, delta: float, rows: int
) -> None:
    one = training(epsilon, delta, rows)
    reached = 0.0
    for _ in range(rows):  # P(S) <= e^epsilon Q(S) + delta, taken once more
        reached = reached * math.exp(epsilon) + delta
    assert one.epsilon >= rows * epsilon * 1e6 * (1 - 1e-12)
    assert min(1.0, reached) * (1 - 1e-9) <= one.delta <= min(1.0, reached * (1 + 1e-4) + 1e-30)


def test_a_person_with_ever_so_many_rows_has_no_guarantee_left() -> None:
    assert training(8.0, 1e-5, 100).delta == 1.0
    assert training(0.01, 1e-3, 9000).delta == 1.0


# --- what they cost together


amounts = st.tuples(st.integers(1, 2_000_000), st.sampled_from([0.0, 1e-6, 1e-5]))
limits = st.builds(
    Limit,
    epsilon=st.integers(1, 6_000_000),
    delta=st.sampled_from([0.0, 1e-6]),
    training_delta=st.sampled_from([0.0, 1e-6, 3e-5]),
)


@given(limits, st.lists(amounts, max_size=40))
def test_whatever_is_asked_in_whatever_order_neither_sum_passes_its_limit(
    limit: Limit, asked: list[tuple[int, float]]
) -> None:
    spent = Spent()
    for epsilon, delta in asked:
        if within(spent, epsilon, limit, delta):
            spent = spent.and_also(epsilon, delta)
    assert total(spent, limit.delta) <= limit.epsilon
    assert spent.delta <= Fraction(Decimal(repr(limit.training_delta)))


def test_three_times_a_hundred_thousandth_is_three_and_no_hair_more() -> None:
    limit = Limit(epsilon=10_000_000, training_delta=3e-5)  # as floats, the three add up to 3.0000000000000004e-05
    spent = Spent.of([100_000] * 2, [1e-5] * 2)
    assert within(spent, 100_000, limit, 1e-5)
    assert not within(spent.and_also(100_000, 1e-5), 100_000, limit, 1e-300)


def test_trainings_and_releases_spend_one_epsilon() -> None:
    limit = Limit(epsilon=5_000_000, training_delta=1e-5)
    known = account(("count", 3_000_000, 0.0), ("training", 1_500_000, 1e-5))
    assert left(known.spent, limit) == 500_000
    with pytest.raises(PrivacyBudgetSpent, match=r"0\.5 is left of 5 .* 4\.5 was spent in 1 release and 1 training\."):
        refuse_if_spent(known, limit, query("count", "0.6"), "row")
    said = standing(known, limit)
    assert (said["spent"], said["releases"], said["trainings"]) == ("4.5", 1, 1)
    assert (said["training_delta"], said["training_delta_spent"]) == (1e-5, 1e-5)


# --- refusals


def test_a_refusal_gives_every_reason_at_once_and_what_to_do() -> None:
    known = account(("count", 800_000, 0.0))
    with pytest.raises(PrivacyBudgetSpent) as refused:
        refuse_trainings(known, Limit(epsilon=1_000_000), [training(2.0, 1e-5)], "row")
    words = str(refused.value)
    assert "The training of naive_bayes (run_1) would cost epsilon 2; 0.2 is left of 1" in words
    assert "deltas of trainings to 1e-05 for this dataset; they may add up to 0" in words
    assert "Nothing was trained and nothing spent" in words
    assert "training_delta: 1.0e-05" in words
    assert "--set-epsilon" in words
    assert (refused.value.code, refused.value.exit_code) == ("data.privacy_budget_spent", 3)


def test_several_trainings_are_allowed_all_or_none() -> None:
    limit = Limit(epsilon=3_000_000, training_delta=2e-5)
    refuse_trainings(account(), limit, [training(1.0), training(2.0)], "row")
    with pytest.raises(PrivacyBudgetSpent, match=r"2 private trainings together would cost epsilon 3\.5; 3 is left"):
        refuse_trainings(account(), limit, [training(1.0), training(2.5)], "row")
    with pytest.raises(PrivacyBudgetSpent, match="to 3e-05 for this dataset; they may add up to 2e-05"):
        refuse_trainings(account(), limit, [training(0.5)] * 3, "row")


def test_rows_and_persons_are_not_added_up_for_trainings_either() -> None:
    known = account(("count", 100_000, 0.0))
    with pytest.raises(PrivacyBudgetChanged, match="protect each row, this one would protect each person"):
        refuse_trainings(known, Limit(epsilon=9_000_000, training_delta=1e-3), [training()], "person")


def test_a_budget_that_forgot_the_deltas_that_were_spent_allows_nothing_more() -> None:
    known, limit = account(("training", 100_000, 1e-5)), Limit(epsilon=9_000_000)
    assert left(known.spent, limit) == 0
    with pytest.raises(PrivacyBudgetSpent, match=r"does not hold already.*\n.*training_delta: 1\.0e-05"):
        refuse_if_spent(known, limit, query("count", "0.1"), "row")
    refuse_if_spent(known, Limit(epsilon=9_000_000, training_delta=1e-5), query("count", "0.1"), "row")


def test_the_stricter_limit_on_deltas_counts() -> None:
    one, two = Limit(epsilon=2, training_delta=1e-5), Limit(epsilon=3, training_delta=1e-6)
    assert one.no_more_than(two) == Limit(epsilon=2, training_delta=1e-6)
    assert one.asks_more_than(two)
    assert not Limit(epsilon=2, training_delta=1e-6).asks_more_than(two)


# --- as the ledger keeps it


def _entries(**change: Any) -> list[LedgerEntry]:
    from sealwright.data.dp import Fingerprint, dataset_entry

    made = [
        dataset_entry("s1", "p", ["project/p"], Fingerprint(columns=(), rows=()), actor="ada"),
        training_entry("s1", "p", training(2.0), ROW, release="training_1", delta=0.0, actor="ada"),
    ]
    return [
        LedgerEntry(
            index=place,
            at="2026-01-01T00:00:00.000Z",
            action=one.action,
            actor=one.actor,
            subject=one.subject,
            detail={**one.detail, **(change if place else {})},
            previous="",
            sealed=None,
            attachment=None,
            leaf=b"",
        )
        for place, one in enumerate(made)
    ]


def test_a_training_is_read_back_with_what_it_was_for() -> None:
    known = Book(_entries()).of_snapshot("s1")
    assert known is not None
    (spend,) = known.spends
    assert spend.training
    assert (spend.epsilon, spend.delta, spend.purpose) == (2_000_000, 1e-5, "naive_bayes, run_1")
    assert spend.columns == ("age", "town")
    assert known.spent.delta == exact(1e-5)
    assert counted(known) == "1 training"


@pytest.mark.parametrize(
    "change",
    [
        {"training_delta": "0"},
        {"training_delta": "-1e-5"},
        {"training_delta": "nan"},
        {"training_delta": "2"},
        {"training_delta": 1},
        {"training_delta": None},
        {"recipe": None, "kind": "training", "epsilon": "none"},
    ],
)
def test_a_training_whose_cost_cannot_be_read_stops_everything(change: dict[str, Any]) -> None:
    entries = _entries(**change)
    with pytest.raises(PrivacyBookBroken):
        Book(entries)
    kept = {name: value for name, value in entries[1].detail.items() if name != "training_delta"}
    with pytest.raises(PrivacyBookBroken):
        Book([entries[0], dataclasses.replace(entries[1], detail=kept)])
