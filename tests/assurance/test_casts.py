"""A column of another type with the same values leaves every answer alone, and a model that notices is found."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from sealwright.assurance import AssuranceSpec, run_suites


def test_models_of_all_kinds_stand_other_types(german, wine, diabetes) -> None:
    for trained, tried in ((german, "texts as a dictionary"), (wine, "float64 as float32"), (diabetes, "float64")):
        found = trained.judge("stress").one("stress.cast_changes")
        assert found.value == 0
        assert tried in found.note


_INTERFACE = {
    "format": 1,
    "task": "binary",
    "target": "outcome",
    "classes": ["no", "yes"],
    "positive": "yes",
    "numbers": [
        {"name": "count", "type": "integer"},
        {"name": "flag", "type": "boolean"},
        {"name": "day", "type": "date"},
        {"name": "x", "type": "number"},
    ],
    "strings": [{"name": "word", "type": "category", "categories": ["a", "b"]}],
}


def _table(**changes: pa.Array) -> pa.Table:
    rng = np.random.default_rng(1)
    columns = {
        "count": pa.array([None, *rng.integers(0, 9, 119).tolist()], pa.int64()),
        "flag": pa.array([None, *(rng.random(119) < 0.5).tolist()], pa.bool_()),
        "day": pa.array([dt.date(2020, 1, 1) + dt.timedelta(days=k) for k in range(120)], pa.date32()),
        "x": pa.array(rng.random(120)),
        "word": pa.array(["a", "b", None] * 40),
        "outcome": pa.array(rng.choice(["no", "yes"], 120)),
    }
    return pa.table(columns | changes)


def _judged(model, table: pa.Table, interface=_INTERFACE):
    (result,) = run_suites(["stress"], model, table, table, interface, AssuranceSpec(bootstrap=200), (), 1)
    return result.find("stress.cast_changes")[0]


def _plain(features) -> np.ndarray:
    score = np.clip(np.nan_to_num(features.numbers[:, 0]) / 10, 0, 1)
    return np.column_stack([1 - score, score])


def test_every_kind_of_column_is_tried() -> None:
    found = _judged(_plain, _table())
    assert found.value == 0
    assert found.note == (
        "tried: whole numbers as float64, whole numbers as decimals, float64 as float32, true and false as 1 and 0,"
        " texts as a dictionary, texts as long texts, dates as timestamps, dates as milliseconds"
    )
    assert (
        "dictionaries as texts"
        in _judged(_plain, _table(word=_table()["word"].combine_chunks().dictionary_encode())).note
    )


def test_a_change_of_values_is_no_change_of_type() -> None:
    """A model that is given float64 may tell 0.1 from the nearest float32, so that cast is left out."""
    precise = _INTERFACE | {"precision": "float64"}
    assert "float64 as float32" in _judged(_plain, _table(), precise).note  # format 1 has no precision: float32
    large = _table(count=pa.array([2**60 + 1] * 120, pa.int64()))
    assert "whole numbers as float64" not in _judged(_plain, large).note


def test_a_date_read_as_a_text_is_found() -> None:
    """As a text, a timestamp has hours that a date has not, and the model no longer knows the word."""
    words = [{"name": "day", "type": "category", "categories": ["2020-01-01"]}]
    interface = _INTERFACE | {"numbers": _INTERFACE["numbers"][:1], "strings": words}

    def by_day(features) -> np.ndarray:
        score = np.where(features.strings[:, 0] < "2020-02-01", 0.9, 0.1) * (
            np.char.str_len(features.strings[:, 0].astype(str)) == 10
        )
        return np.column_stack([1 - score, score])

    found = _judged(by_day, _table(), interface)
    assert found.value == 1
    assert found.note == "dates as timestamps: 120 answers change"


def test_a_column_that_cannot_be_read_any_more_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    from sealwright.assurance.checks.stress import casts

    odd = ("whole numbers as lists", pa.types.is_integer, pa.list_(pa.int64()))
    monkeypatch.setattr(casts, "_CASTS", (odd,))
    monkeypatch.setattr(
        casts,
        "_same_values",
        lambda _case, column, wanted: pa.chunked_array([[[v] for v in column.to_pylist()]], wanted),
    )
    found = _judged(_plain, _table())
    assert (found.value, found.note) == (1, "whole numbers as lists: cannot be read")
