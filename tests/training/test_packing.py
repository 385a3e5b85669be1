"""Rows become the arrays the interface describes, and rows that cannot are refused by column."""

import datetime as dt
import math

import numpy as np
import pyarrow as pa
import pytest

from sealwright.kernel import InvalidInput
from sealwright.training import UntrainableData
from sealwright.training.packing import pack, read_shape, target_of

from .conftest import make_rows

INTERFACE = {
    "task": "binary",
    "target": "y",
    "classes": ["no", "yes"],
    "positive": "yes",
    "numbers": [{"name": name} for name in ("i", "f", "b", "d")],
    "strings": [{"name": "s"}],
}
TABLE = pa.table(
    {
        "s": pa.array(["b", None, "a"]).dictionary_encode(),
        "d": pa.array([dt.date(1970, 1, 2), None, dt.date(1969, 12, 31)]),
        "b": pa.array([True, False, None]),
        "f": pa.array([0.5, None, -1.0]),
        "i": pa.array([1, 2, None]),
        "y": pa.array(["yes", "no", "yes"]),
    }
)


def test_every_type_is_packed_as_the_interface_says() -> None:
    shape = read_shape(INTERFACE)
    packed = pack(TABLE, shape)
    nan = math.nan
    expected = np.array([[1, 0.5, 1, 1], [2, nan, 0, nan], [nan, -1, nan, -1]], dtype=np.float32)
    assert packed.numbers.dtype == np.float32
    assert np.array_equal(packed.numbers, expected, equal_nan=True)
    assert packed.strings().tolist() == [["b"], [""], ["a"]]
    assert packed.levels == (("", "a", "b"),)
    assert target_of(TABLE, shape).tolist() == [1, 0, 1]


def test_codes_do_not_depend_on_the_order_of_rows() -> None:
    shape = read_shape(INTERFACE)
    assert pack(TABLE, shape).levels == pack(TABLE.take([2, 0, 1]), shape).levels


def test_classes_may_be_booleans_or_whole_numbers() -> None:
    shape = read_shape({**INTERFACE, "classes": [False, True], "positive": True})
    table = TABLE.set_column(5, "y", pa.array([True, False, True]))
    assert target_of(table, shape).tolist() == [1, 0, 1]
    shape = read_shape({**INTERFACE, "classes": [0, 1], "positive": 1})
    assert target_of(TABLE.set_column(5, "y", pa.array([1, 0, 1])), shape).tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("f", [math.inf, 1.0, 1.0], "infinite"),
        ("f", [1e300, 1.0, 1.0], "beyond"),
        ("f", ["x", "y", "z"], "says it holds numbers"),
        ("y", ["yes", "no", None], "1 of 3 rows have no usable target"),
        ("y", ["yes", "no", "maybe"], "one of the classes no, yes"),
    ],
)
def test_rows_a_model_cannot_take_are_refused_by_column(column: str, values: list[object], words: str) -> None:
    table = TABLE.set_column(TABLE.column_names.index(column), column, pa.array(values))
    shape = read_shape(INTERFACE)
    with pytest.raises(InvalidInput, match=words):
        pack(table, shape)
        target_of(table, shape)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(InvalidInput, match="lack d, s"):
        pack(TABLE.drop_columns(["d", "s"]), read_shape(INTERFACE))
    with pytest.raises(InvalidInput, match="target column y"):
        target_of(TABLE.drop_columns(["y"]), read_shape(INTERFACE))


def test_a_text_column_that_is_no_category_is_refused() -> None:
    table = pa.table({"s": [str(i) for i in range(10_001)]})
    shape = read_shape({**INTERFACE, "numbers": []})
    with pytest.raises(InvalidInput, match="10,001 different values"):
        pack(table, shape)


def test_no_feature_at_all_is_said() -> None:
    with pytest.raises(UntrainableData, match="no column to learn from"):
        read_shape({**INTERFACE, "numbers": [], "strings": []})


@pytest.mark.parametrize("wrong", [{"task": "ranking"}, {"classes": ["no"]}, {"positive": "perhaps"}, {"numbers": 3}])
def test_an_interface_that_contradicts_itself_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        read_shape({**INTERFACE, **wrong})


def test_a_regression_needs_finite_numbers() -> None:
    table, _, interface = make_rows(task="regression", rows=30)
    broken = table.set_column(table.column_names.index("target"), "target", pa.array([math.nan] * 2 + [1.0] * 28))
    with pytest.raises(InvalidInput, match="2 of 30 rows"):
        target_of(broken, read_shape(interface))
