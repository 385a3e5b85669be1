"""A cell arrives exactly, or is set aside with a reason. Nothing is rounded, guessed or cut."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealwright.data.cast import cast_column
from sealwright.data.cells import REASONS
from sealwright.data.column_spec import ColumnSpec


def judged(cell: Any, kind: Any = None, decimal: str = ".", **column: Any) -> Any:
    """The value of one cell, or the reasons against it. Neighbours of another shape force the slow path, too."""
    found = []
    for cells in ([cell], [cell, cell]):
        array = pa.array(cells, kind) if kind is not None else pa.array(cells, pa.string())
        cast = cast_column(array, ColumnSpec.model_validate({"role": "feature", **column}), decimal=decimal)
        assert set(cast.problems) <= set(REASONS)
        assert all(mask.any() for mask in cast.problems.values())
        found.append(sorted(cast.problems) if cast.problems else cast.values[0].as_py())
    assert found[0] == found[1]
    return found[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", 7),
        ("-7", -7),
        ("+7", 7),
        (" 7\t", 7),
        ("007", 7),
        ("7.0", 7),
        ("7.", 7),
        ("-0", 0),
        ("9007199254740992", 2**53),
        ("-9007199254740992", -(2**53)),
        ("9007199254740993", ["beyond_2_53"]),
        ("-9007199254740993", ["beyond_2_53"]),
        ("9223372036854775807", ["beyond_2_53"]),
        ("-9223372036854775808", ["beyond_2_53"]),
        ("9" * 400, ["beyond_2_53"]),
        ("7.5", ["not_an_integer"]),
        ("7e1", ["not_an_integer"]),
        ("0x10", ["not_an_integer"]),
        ("1,000", ["not_an_integer"]),
        ("1_000", ["not_an_integer"]),
        ("٧", ["not_an_integer"]),
        ("seven", ["not_an_integer"]),
        ("", ["null_not_allowed"]),
        (None, ["null_not_allowed"]),
    ],
)
def test_integers(text: str | None, expected: Any) -> None:
    assert judged(text, type="integer") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.1", 0.1),
        ("1", 1.0),
        ("+1.5", 1.5),
        (" .5 ", 0.5),
        ("5.", 5.0),
        ("1e-3", 0.001),
        ("-2E+3", -2000.0),
        ("0e99999", 0.0),
        ("1e308", 1e308),
        ("1e30", 1e30),
        ("9007199254740992", 2.0**53),
        ("0009007199254740992", 2.0**53),
        ("9007199254740993", ["beyond_2_53"]),
        ("12345678901234567890", ["beyond_2_53"]),
        ("NaN", ["not_finite"]),
        ("-inf", ["not_finite"]),
        ("Infinity", ["not_finite"]),
        ("1e999", ["beyond_double"]),
        ("-1e999", ["beyond_double"]),
        ("1e-999", ["beyond_double"]),
        ("1,5", ["not_a_number"]),
        ("1.5.2", ["not_a_number"]),
        ("$5", ["not_a_number"]),
        ("0x1p3", ["not_a_number"]),
        ("1e", ["not_a_number"]),
        (".", ["not_a_number"]),
        ("", ["null_not_allowed"]),
    ],
)
def test_numbers(text: str, expected: Any) -> None:
    assert judged(text, type="number") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1,5", 1.5), ("-0,25", -0.25), ("2", 2.0), ("1.5", ["not_a_number"]), ("1.000,5", ["not_a_number"])],
)
def test_numbers_with_decimal_commas(text: str, expected: Any) -> None:
    assert judged(text, type="number", decimal=",") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true", True),
        ("FALSE", False),
        ("1", True),
        ("0", False),
        (" True ", True),
        ("yes", ["not_a_boolean"]),
        ("2", ["not_a_boolean"]),
    ],
)
def test_booleans(text: str, expected: Any) -> None:
    assert judged(text, type="boolean") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2016-02-29", dt.date(2016, 2, 29)),
        ("0001-01-01", dt.date(1, 1, 1)),
        ("9999-12-31", dt.date(9999, 12, 31)),
        ("2016-02-29 00:00:00", dt.date(2016, 2, 29)),
        ("2016-02-29T00:00", dt.date(2016, 2, 29)),
        ("2016-02-29 00:00:00.000", dt.date(2016, 2, 29)),
        ("2016-02-29 10:30:00", ["has_time_of_day"]),
        ("2015-02-29", ["not_a_date"]),
        ("2015-02-29 00:00", ["not_a_date"]),
        ("2015-13-01", ["not_a_date"]),
        ("2015-00-10", ["not_a_date"]),
        ("1900-02-29", ["not_a_date"]),
        ("0000-01-01", ["not_a_date"]),
        ("31/12/2015", ["not_a_date"]),
        ("20151231", ["not_a_date"]),
        ("2015-1-1", ["not_a_date"]),
    ],
)
def test_dates(text: str, expected: Any) -> None:
    assert judged(text, type="date") == expected


def test_a_category_is_matched_exactly() -> None:
    column = {"type": "category", "categories": ["good", "bad"]}
    assert judged("good", **column) == "good"
    for other in ("Good", " good", "good ", "GOOD", "g\u043e\u043ed"):
        assert judged(other, **column) == ["not_in_categories"]


def test_words_for_missing_are_missing_only_where_the_contract_says_so() -> None:
    assert judged("NA", type="integer", nullable=True, nulls=["NA"]) is None
    assert judged("na", type="integer", nullable=True, nulls=["NA"]) == ["not_an_integer"]
    assert judged("NA", type="integer", nullable=True) == ["not_an_integer"]
    assert judged("", type="category", categories=["a"], nullable=True) is None


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ({"type": "integer", "min": 18}, "17", "below_min"),
        ({"type": "integer", "max": 99}, "100", "above_max"),
        ({"type": "number", "min": 0.5}, "0.4999", "below_min"),
        ({"type": "date", "min": "2015-01-02"}, "2015-01-01", "below_min"),
        ({"type": "date", "max": "2015-01-02"}, "2015-01-03", "above_max"),
    ],
)
def test_values_out_of_range_are_set_aside_and_the_ends_are_inside(column: Any, cell: str, reason: str) -> None:
    assert judged(cell, **column) == [reason]
    end = str(column.get("min", column.get("max")))
    assert not isinstance(judged(end, **column), list)


@pytest.mark.parametrize(
    ("cell", "kind", "column", "expected"),
    [
        (7.0, pa.float64(), "integer", 7),
        (7.5, pa.float64(), "integer", ["not_an_integer"]),
        (float("nan"), pa.float64(), "integer", ["not_finite"]),
        (float("inf"), pa.float64(), "number", ["not_finite"]),
        (float("nan"), pa.float32(), "number", ["not_finite"]),
        (2.0**54, pa.float64(), "integer", ["beyond_2_53"]),
        (2.0**54, pa.float64(), "number", 2.0**54),
        (2**53 + 1, pa.int64(), "number", ["beyond_2_53"]),
        (-(2**63), pa.int64(), "integer", ["beyond_2_53"]),
        (2**64 - 1, pa.uint64(), "integer", ["beyond_2_53"]),
        (255, pa.uint8(), "number", 255.0),
        (Decimal("2.50"), pa.decimal128(10, 2), "number", 2.5),
        (Decimal("2.00"), pa.decimal128(10, 2), "integer", 2),
        (Decimal("2.50"), pa.decimal128(10, 2), "integer", ["not_an_integer"]),
        (True, pa.bool_(), "boolean", True),
        (True, pa.bool_(), "integer", ["not_an_integer"]),
        (True, pa.bool_(), "number", ["not_a_number"]),
        (1, pa.int8(), "boolean", True),
        (2, pa.int8(), "boolean", ["not_a_boolean"]),
        (0.5, pa.float64(), "boolean", ["not_a_boolean"]),
        (dt.date(2015, 1, 1), pa.date32(), "date", dt.date(2015, 1, 1)),
        (dt.datetime(2015, 1, 1), pa.timestamp("ns"), "date", dt.date(2015, 1, 1)),  # noqa: DTZ001
        (dt.datetime(2015, 1, 1, 5), pa.timestamp("s"), "date", ["has_time_of_day"]),  # noqa: DTZ001
        (dt.datetime(2015, 1, 1, tzinfo=dt.UTC), pa.timestamp("s", "UTC"), "date", ["not_a_date"]),
        (16436, pa.int64(), "date", ["not_a_date"]),
        ("7", pa.large_string(), "integer", 7),
        (None, pa.null(), "integer", ["null_not_allowed"]),
        (5, pa.int64(), "text", "5"),
    ],
)
def test_typed_cells(cell: Any, kind: Any, column: Any, expected: Any) -> None:
    assert judged(cell, kind, type=column, role="ignore" if column == "text" else "feature") == expected


def test_typed_categories_are_written_one_way() -> None:
    column = {"type": "category", "categories": ["1", "true"]}
    assert judged(1, pa.int64(), **column) == judged(1.0, pa.float64(), **column) == judged("1", **column) == "1"
    assert judged(True, pa.bool_(), **column) == "true"
    assert judged(1.5, pa.float64(), **column) == ["not_in_categories"]
    assert judged("1.0", **column) == ["not_in_categories"]
    dictionary = pa.dictionary(pa.int8(), pa.string())
    assert judged("1", dictionary, **column) == "1"


@settings(deadline=None)
@given(st.lists(st.integers(-(2**54), 2**54), min_size=1), st.sampled_from(["", " ", "+", ".0"]))
def test_every_integer_within_2_53_comes_back_and_every_other_is_named(values: list[int], dress: str) -> None:
    text = [f"+{v}" if dress == "+" and v >= 0 else f"{v}{dress.replace('+', '')}" for v in values]
    cast = cast_column(pa.array(text, pa.string()), ColumnSpec(type="integer"))
    beyond = cast.problems.get("beyond_2_53", [False] * len(values))
    assert set(cast.problems) <= {"beyond_2_53"}
    for value, found, refused in zip(values, cast.values.to_pylist(), beyond, strict=True):
        assert refused == (abs(value) > 2**53)
        assert refused or found == value


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_every_finite_double_comes_back_bit_for_bit(values: list[float]) -> None:
    cast = cast_column(pa.array([repr(value) for value in values], pa.string()), ColumnSpec(type="number"))
    assert not cast.problems
    assert [value.hex() for value in cast.values.to_pylist()] == [value.hex() for value in values]


@settings(deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.text(max_size=12)), min_size=1, max_size=30),
    st.sampled_from(["integer", "number", "boolean", "date"]),
)
def test_any_text_is_a_value_or_has_a_reason(cells: list[str | None], kind: Any) -> None:
    cells = [None if cell is None else cell.replace("\0", "") for cell in cells]
    cast = cast_column(pa.array(cells, pa.string()), ColumnSpec(type=kind))
    bad = [any(mask[place] for mask in cast.problems.values()) for place in range(len(cells))]
    for place, refused in enumerate(bad):
        assert refused or cast.values[place].is_valid
