"""A changed row is possible or it is not, and what a change costs never depends on the attack that made it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.assurance import AssuranceSpec, Features
from sealwright.assurance.case_making import make_case
from sealwright.assurance.constraints.making import constraints_of
from sealwright.assurance.constraints.model import Constraints
from sealwright.assurance.interface import read_interface
from sealwright.assurance.predictor import FunctionPredictor
from sealwright.kernel import InvalidInput

Possible = Callable[..., Constraints]


def _rules(**changed: Any) -> Constraints:
    """age fixed, debt only up and whole, income 0 to 100, red/green/blue exclusive, job a or b."""
    columns = ("age", "debt", "income", "red", "green", "blue", "job")
    given = {
        "names": columns,
        "fixed": np.array([True, False, False, False, False, False, False]),
        "price": np.array([1.0, 1.0, 2.0, 1.0, 1.0, 1.0, 3.0]),
        "least": np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
        "most": np.array([99.0, 50.0, 100.0, 1.0, 1.0, 1.0]),
        "whole": np.array([True, True, False, True, True, True]),
        "rises": np.array([False, True, False, False, False, False]),
        "falls": np.zeros(6, dtype=bool),
        "scale": np.array([10.0, 5.0, 20.0, 0.5, 0.5, 0.5]),
        "levels": (("a", "b"),),
        "exclusive": ((3, 4, 5),),
    }
    return Constraints(**(given | changed))


def _features(rows: list[list[float]], jobs: list[str]) -> Features:
    return Features(
        numbers=np.array(rows, dtype=np.float32).reshape(len(rows), 6),
        strings=np.array(jobs, dtype=object).reshape(-1, 1),
    )


_ROW = st.tuples(st.integers(0, 99), st.integers(0, 50), st.floats(0, 100, width=32), st.sampled_from([0, 1, 2])).map(
    lambda row: [row[0], row[1], row[2], *(float(place == row[3]) for place in range(3))]
)
_WISH = st.lists(st.floats(-1e6, 1e6, width=32), min_size=6, max_size=6)
_JOB = st.sampled_from(["a", "b"])


@given(st.lists(st.tuples(_ROW, _WISH, _JOB, st.sampled_from(["a", "b", "c", ""])), min_size=1, max_size=8))
def test_whatever_is_wished_for_the_nearest_row_is_possible_and_stays_put(
    rows: list[tuple[list[float], list[float], str, str]],
) -> None:
    rules = _rules()
    original = _features([row for row, _, _, _ in rows], [job for _, _, job, _ in rows])
    wanted = _features([wish for _, wish, _, _ in rows], [job for _, _, _, job in rows])
    nearest = rules.project(original, wanted)
    again = rules.project(original, nearest)
    assert np.array_equal(nearest.numbers, again.numbers)
    assert rules.allowed(original, nearest).all()
    assert (nearest.numbers[:, 0] == original.numbers[:, 0]).all()  # fixed
    assert (nearest.numbers[:, 1] >= original.numbers[:, 1]).all()  # only up
    assert (nearest.numbers[:, 1] == np.round(nearest.numbers[:, 1])).all()
    assert (nearest.numbers[:, 3:].sum(axis=1) == 1).all()  # exactly one colour
    assert set(nearest.strings[:, 0]) <= {"a", "b"}


@given(
    st.floats(0, 100, width=32),
    st.floats(-200, 200, width=32),
    st.floats(-1, 60, width=32),
    st.floats(60, 101, width=32),
)
def test_a_number_that_should_be_whole_and_was_not_goes_to_a_whole_one_on_its_way_or_stays(
    before: float, wish: float, least: float, most: float
) -> None:
    """Rows and ends of ranges break the rule that numbers are whole; what is made from them keeps it."""
    rules = _rules(least=np.array([0, 0, least, 0, 0, 0.0]), most=np.array([99, 50, most, 1, 1, 1.0]))
    rules = replace(rules, whole=np.array([True, True, True, True, True, True]))
    original, wanted = (_features([[30, 10, number, 1, 0, 0]], ["a"]) for number in (before, wish))
    nearest = rules.project(original, wanted)
    found = float(nearest.numbers[0, 2])
    assert rules.allowed(original, nearest).all()
    assert found == original.numbers[0, 2] or found == round(found)
    assert min(before, wish) - 1e-6 <= found <= max(before, wish) + 1e-6


@given(st.lists(st.tuples(_ROW, _WISH, _JOB), min_size=1, max_size=5), st.floats(0.01, 3), st.floats(1, 3))
def test_a_larger_budget_reaches_at_least_as_far(
    rows: list[tuple[list[float], list[float], str]], budget: float, factor: float
) -> None:
    rules = _rules()
    original = _features([row for row, _, _ in rows], [job for _, _, job in rows])
    low, high = rules.box(original, budget)
    lower, higher = rules.box(original, budget * factor)
    assert (lower <= low).all()
    assert (higher >= high).all()
    assert ((high - low)[:, 2] <= 2 * budget * 20 / 2 + 1e-9).all()  # budget × scale / price to each side


def test_an_unchanged_row_costs_nothing_and_a_switched_category_its_price() -> None:
    rules = _rules()
    row = _features([[30, 10, 50, 1, 0, 0]], ["a"])
    changed = _features([[30, 15, 40, 1, 0, 0]], ["b"])
    assert rules.cost(row, row).tolist() == [0.0]
    assert rules.costs(row, changed).tolist() == [[0, 1.0, 1.0, 0, 0, 0, 3.0]]


def test_a_missing_number_stays_missing_and_none_becomes_missing() -> None:
    rules = _rules()
    row = _features([[30, 10, np.nan, 1, 0, 0]], ["a"])
    wanted = _features([[30, np.nan, 70, 1, 0, 0]], ["a"])
    nearest = rules.project(row, wanted)
    assert np.isnan(nearest.numbers[0, 2])
    assert nearest.numbers[0, 1] == 10
    assert not rules.allowed(row, wanted).any()


def test_one_colour_gives_way_to_another_and_a_fixed_colour_holds_both() -> None:
    row = _features([[30, 10, 50, 1, 0, 0]], ["a"])
    wanted = _features([[30, 10, 50, 0.2, 0.9, 0]], ["a"])
    assert _rules().project(row, wanted).numbers[0, 3:].tolist() == [0, 1, 0]
    held = _rules(fixed=np.array([True, False, False, True, False, False, False]))
    assert held.project(row, wanted).numbers[0, 3:].tolist() == [1, 0, 0]


def _case(german: Any, **spec: Any) -> Any:
    return make_case(
        FunctionPredictor(lambda features: np.full((len(features), 2), 0.5)),
        german.test,
        german.train,
        read_interface(german.interface),
        AssuranceSpec.model_validate(spec),
        ["age"],
        7,
        None,
    )


def test_what_the_project_does_not_say_contract_and_rows_do(german: Any) -> None:
    case = _case(german, constraints={"amount_dm": {"direction": "down", "most": 9000, "cost": 2}})
    rules = constraints_of(case)
    place = case.interface.names.index("amount_dm")
    assert rules.falls[place]
    assert rules.most[place] == 9000
    assert rules.price[place] == 2
    assert rules.whole[place]  # every amount learned from is whole
    amounts = german.train.column("amount_dm").to_numpy()
    assert rules.least[place] == case.interface.numbers[place].least == 250
    assert rules.scale[place] == pytest.approx(amounts.std())


def test_a_column_whose_groups_are_compared_cannot_change(german: Any) -> None:
    case = _case(german)
    rules = constraints_of(case)
    assert "age" in case.interface.names
    assert rules.fixed[case.interface.names.index("age")]
    assert rules.movable


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"constraints": {"shoe": {"fixed": True}}}, "no feature of the model"),
        ({"constraints": {"purpose": {"direction": "up"}}}, "neither a range nor a direction"),
        ({"exclusive": [["amount_dm", "shoe"]]}, "no number of the model"),
        ({"exclusive": [["amount_dm", "duration_months"]]}, "exactly one is 1"),
    ],
)
def test_a_constraint_that_fits_nothing_is_refused(german: Any, spec: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        constraints_of(_case(german, **spec))


def test_a_range_upside_down_is_refused_when_it_is_read() -> None:
    with pytest.raises(ValueError, match="larger than most"):
        AssuranceSpec.model_validate({"constraints": {"a": {"least": 2, "most": 1}}})
