"""Rows go to the checks and come back to the model as they were."""

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sealwright.assurance.elsewhere.given_rows import GivenRows, given_rows
from sealwright.assurance.features import Features, pack
from sealwright.assurance.interface import Interface, NumberInput, StringInput
from sealwright.kernel import InvalidInput

COLUMNS: dict[str, Any] = {
    "age": [31, 45, 28],
    "income": [1000.5, None, 0.1],
    "member": [True, False, True],
    "since": [dt.date(2020, 1, 1), dt.date(1969, 7, 20), dt.date(2024, 2, 29)],
    "city": ["Bonn", None, "Köln"],
}


def features(rows: GivenRows) -> Features:
    """As a check packs them."""
    interface = Interface(
        task="regression",
        target="y",
        classes=(),
        positive=None,
        numbers=tuple(NumberInput(name=n, type="number", nullable=True, least=None, most=None) for n in rows.numbers),
        strings=tuple(StringInput(name=n, nullable=True, categories=()) for n in rows.strings),
        precision="float64",
    )
    return pack(rows.table.append_column("y", pa.array([0.0] * rows.table.num_rows)), interface)


def test_a_pandas_frame_comes_back_equal_with_its_types() -> None:
    frame = pd.DataFrame(COLUMNS)
    frame["city"] = frame["city"].astype("category")
    frame["small"] = np.array([1, 2, 3], dtype=np.int8)
    rows = given_rows(frame)
    pd.testing.assert_frame_equal(rows.native(features(rows)), frame)


def test_a_polars_frame_and_an_arrow_table_come_back_equal() -> None:
    table = pa.table(COLUMNS)
    for data in (table, pl.DataFrame(table)):
        rows = given_rows(data)
        back = rows.native(features(rows))
        assert type(back) is type(data)
        found = back.to_arrow() if isinstance(back, pl.DataFrame) else back
        assert found.to_pydict() == table.to_pydict()


@given(arrays(np.float64, (4, 3), elements=st.floats(allow_infinity=False, width=64)))
def test_an_array_comes_back_bit_for_bit(data: np.ndarray[Any, Any]) -> None:
    rows = given_rows(data)
    np.testing.assert_array_equal(rows.native(features(rows)), data)


def test_noise_on_whole_numbers_reaches_the_model() -> None:
    """Casting back to whole numbers would hide it, and every model would look robust."""
    for data in (np.array([[1], [2]]), pd.DataFrame({"x0": [1, 2]})):
        rows = given_rows(data)
        moved = features(rows).with_numbers(np.array([[1.4], [np.nan]]))
        np.testing.assert_array_equal(np.asarray(rows.native(moved), dtype=float), [[1.4], [np.nan]])


def test_a_word_a_category_never_had_is_missing_to_a_model_that_takes_categories() -> None:
    frame = pd.DataFrame({"city": pd.Categorical(["Bonn", "Köln"])})
    rows = given_rows(frame)
    other = features(rows).with_strings(np.array([["Ulm"], ["Bonn"]], dtype=object))
    back = rows.native(other)["city"]
    assert back.dtype == frame["city"].dtype
    assert back.isna().tolist() == [True, False]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (np.zeros(3), "two dimensions"),
        (np.zeros((2, 2), dtype=complex), "holds complex128"),
        (np.zeros((3, 0)), "no columns"),
        ([[1, 2]], "list is no table"),
        (pa.table({"a": [[1], [2]]}), r"neither numbers nor words: a \(list"),
        (pd.DataFrame({"t": pd.to_datetime(["2020-01-01 10:00"])}), "neither numbers nor words: t"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "same name"),
        ({"a": [1, 2], "b": [object(), 1]}, "cannot be read as one column"),
        ({"a": [1, 2], "b": [1]}, "as many"),
    ],
)
def test_what_is_no_table_of_rows_is_refused_in_words(data: Any, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        given_rows(data)
