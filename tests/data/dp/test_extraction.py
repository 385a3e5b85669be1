"""Taking one person away changes at most so many rows of what a mechanism sees, and nobody else's."""

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from dp_asking import named, plan
from hypothesis import given
from hypothesis import strategies as st

from sealwright.data.dp import bounded_rows, extract

rows = st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 100)), max_size=60)


def seen(data: list[tuple[str, int]], most: int) -> Counter[int]:
    table = pa.table(
        {
            "person": pa.array([who for who, _ in data], pa.string()),
            "age": pa.array([age for _, age in data], pa.int64()),
        }
    )
    return Counter(extract(table, plan("mean", column="age"), rows=most, subject="person", named=named).tolist())


@given(rows, st.integers(1, 4))
def test_one_person_more_or_less_changes_at_most_their_rows(data: list[tuple[str, int]], most: int) -> None:
    whole = seen(data, most)
    for person in {who for who, _ in data}:
        without = seen([one for one in data if one[0] != person], most)
        assert without <= whole, "taking a person away changed which rows of others are seen"
        assert sum((whole - without).values()) <= most


@given(rows, st.integers(1, 4))
def test_nobody_has_more_rows_than_the_bound_and_nobody_loses_rows_below_it(
    data: list[tuple[str, int]], most: int
) -> None:
    persons = pa.chunked_array([pa.array([who for who, _ in data], pa.string())])
    keep = bounded_rows(persons, most, named)
    before, after = (
        Counter(who for who, _ in data),
        Counter(who for (who, _), kept in zip(data, keep, strict=True) if kept),
    )
    assert after == Counter({who: min(count, most) for who, count in before.items()})


def test_the_choice_is_the_same_every_time_and_not_always_the_first_rows() -> None:
    persons = pa.chunked_array([pa.array([f"p{place % 50}" for place in range(500)])])
    keep = bounded_rows(persons, 2, named)
    assert np.array_equal(keep, bounded_rows(persons, 2, named))
    assert keep.sum() == 100
    assert 0 < keep[:100].sum() < 60, "the choice prefers early rows"
    assert not np.array_equal(keep, bounded_rows(persons, 2, lambda text: named(text + "another key")))


def test_persons_may_be_numbers_and_come_in_pieces() -> None:
    persons = pa.chunked_array([pa.array([7, 7, 8]), pa.array([7, 9])])
    assert bounded_rows(persons, 1, named).sum() == 3


@pytest.mark.parametrize(
    ("kind", "more", "want"),
    [
        ("count", {}, [0, 0, 0, 0]),
        ("count", {"where": (("fits", "true"),)}, [0, 0]),
        ("count", {"where": (("fits", "false"), ("colour", "green"))}, [0]),
        ("mean", {"column": "age"}, [-100, 100, 0]),
        ("mean", {"column": "age", "lower": "20", "upper": "60"}, [-40, 40, 20]),
        ("mean", {"column": "fits"}, [1, -1, -1, 1]),
        ("histogram", {"column": "colour"}, [0, 1, 2, 0]),
        ("histogram", {"column": "maybe"}, [0, 2, 1, 2]),
        ("histogram", {"column": "fits"}, [1, 0, 0, 1]),
        ("histogram", {"column": "age", "edges": ("10", "50", "100")}, [2, 1, 1, 3]),
        ("histogram", {"column": "since", "edges": ("2015-01-01", "2015-06-01")}, [0, 1, 0, 0]),
        ("quantile", {"column": "age", "at": 0.5, "lower": "10"}, [10, 100, 50]),
    ],
)
def test_rows_become_whole_numbers_one_by_one(kind: str, more: dict[str, Any], want: list[float]) -> None:
    import datetime as dt

    table = pa.table(
        {
            "age": pa.array([0, 100, 50, None], pa.int64()),
            "colour": ["red", "green", "blue", "red"],
            "maybe": pa.array(["a", None, "b", None]),
            "fits": [True, False, False, True],
            "since": [dt.date(2015, 1, 1), dt.date(2015, 9, 1), dt.date(2015, 6, 1), dt.date(2015, 5, 31)],
        }
    )
    got = extract(table, plan(kind, **more), rows=1, subject=None, named=named)
    assert sorted(got.tolist()) == sorted(want)


def test_a_value_beyond_the_bounds_counts_as_the_bound() -> None:
    table = pa.table({"height": [2.0, 1e9, -1e9, float("nan"), float("inf")]})
    planned = plan("mean", column="height")
    got = extract(table, planned, rows=1, subject=None, named=named)
    assert got.tolist() == [planned.steps // 2, planned.steps, -planned.steps]


@given(st.floats(-1, 3))
def test_the_grid_moves_a_value_by_less_than_a_millionth_of_the_range(value: float) -> None:
    planned = plan("mean", column="height")
    (step,) = extract(pa.table({"height": [value]}), planned, rows=1, subject=None, named=named).tolist()
    back = 1 + step * (planned.upper - planned.lower) / (2 * planned.steps)
    assert abs(back - value) <= 4e-6


def test_no_rows_are_rows_too() -> None:
    empty = pa.table({"person": pa.array([], pa.string()), "age": pa.array([], pa.int64())})
    for kind, more in (("count", {}), ("mean", {"column": "age"}), ("histogram", {"column": "age"})):
        assert len(extract(empty, plan(kind, **more), rows=2, subject="person", named=named)) == 0
