"""Bounds and cells are declared before a row is read, or nothing is planned."""

from typing import Any

import pytest
from dp_asking import plan

from sealwright.data.dp import BoundsMissing
from sealwright.kernel import InvalidInput


@pytest.mark.parametrize(("kind", "more"), [("mean", {}), ("quantile", {"at": 0.5}), ("histogram", {})])
@pytest.mark.parametrize(("column", "missing"), [("free", "no lower and no upper"), ("half", "no upper")])
def test_without_declared_bounds_nothing_is_planned(kind: str, more: dict[str, Any], column: str, missing: str) -> None:
    with pytest.raises(BoundsMissing, match="--upper VALUE") as refused:
        plan(kind, column=column, **more)
    assert f"declared {missing}" in str(refused.value).replace("has no declared", "declared no")


def test_the_request_may_bound_what_the_contract_does_not() -> None:
    assert plan("mean", column="free", lower="-2", upper="2.5").bounds == {"lower": -2.0, "upper": 2.5}
    assert plan("mean", column="half", upper="7").bounds == {"lower": 0.0, "upper": 7.0}
    assert plan("mean", column="age", lower="18").bounds == {"lower": 18.0, "upper": 100.0}


def test_the_cells_of_a_category_are_those_of_the_contract() -> None:
    assert plan("histogram", column="colour").labels == ("red", "green", "blue")
    assert plan("histogram", column="maybe").labels == ("a", "b", "(empty)")
    assert plan("histogram", column="fits").labels == ("false", "true")


def test_the_cells_of_a_number_lie_between_declared_edges() -> None:
    assert plan("histogram", column="age", bins=4).labels == (
        "0 to below 25",
        "25 to below 50",
        "50 to below 75",
        "75 to 100",
        "(empty)",
    )
    outside = plan("histogram", column="height", edges=("0", "1", "2"))
    assert outside.labels == ("0 to below 1", "1 to 2", "(outside)")
    dates = plan("histogram", column="since", edges=("2015-01-01", "2015-07-01", "2015-12-31"))
    assert dates.labels == ("2015-01-01 to below 2015-07-01", "2015-07-01 to 2015-12-31")
    assert dates.bounds["edges"] == ["2015-01-01", "2015-07-01", "2015-12-31"]


def test_a_quantile_of_whole_numbers_is_a_whole_number() -> None:
    assert plan("quantile", column="age", at=0.5).candidates == tuple(float(age) for age in range(101))
    assert len(plan("quantile", column="height", at=0.5).candidates) == 1001
    assert plan("quantile", column="since", at=0.5).bounds["lower"] == "2015-01-01"


@pytest.mark.parametrize(
    ("kind", "more", "match"),
    [
        ("count", {"column": "age"}, "count has no column"),
        ("mean", {}, "Name the column"),
        ("mean", {"column": "colour"}, "type category"),
        ("mean", {"column": "since"}, "type date"),
        ("mean", {"column": "person"}, "type text"),
        ("mean", {"column": "agee"}, "Did you mean 'age'"),
        ("mean", {"column": "age", "lower": "200"}, "below the upper"),
        ("mean", {"column": "age", "lower": "x"}, "give a number"),
        ("mean", {"column": "age", "lower": "nan"}, "give a number"),
        ("mean", {"column": "age", "bins": 3}, "takes no --bins"),
        ("mean", {"column": "fits", "lower": "0"}, "takes no --lower"),
        ("count", {"at": 0.5}, "takes no --at"),
        ("quantile", {"column": "age"}, "Say which quantile"),
        ("quantile", {"column": "age", "at": 1.0}, "Say which quantile"),
        ("quantile", {"column": "since", "at": 0.5, "lower": "1"}, "a date such as"),
        ("histogram", {"column": "age", "edges": ("5",)}, "at least two edges"),
        ("histogram", {"column": "age", "edges": ("5", "1")}, "rising order"),
        ("histogram", {"column": "age", "edges": ("1", "5"), "bins": 2}, "either the edges"),
        ("histogram", {"column": "age", "bins": 0}, "1 to 1,000"),
        ("histogram", {"column": "colour", "bins": 3}, "leave edges, bins and bounds out"),
        ("histogram", {"column": "person"}, "type text"),
        ("count", {"where": (("colour", "pink"),)}, "one of 'red'"),
        ("count", {"where": (("age", "4"),)}, "category or boolean"),
        ("count", {"where": (("nope", "4"),)}, "no column 'nope'"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_reason(kind: str, more: dict[str, Any], match: str) -> None:
    with pytest.raises(InvalidInput, match=match):
        plan(kind, **more)
