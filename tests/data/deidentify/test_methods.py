"""What a method makes of a column is what the resulting contract says, cell by cell."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sealwright.data import ColumnSpec
from sealwright.data.cast import cast_column
from sealwright.data.deidentify import DeidentifySpec, Keys, Released, release, resulting_contract
from sealwright.data.deidentify.pseudonyms import pseudonyms_of, shift_of
from sealwright.kernel import InvalidInput

KEYS = Keys(pseudonyms=b"p" * 32, shifts=b"s" * 32)
TODAY = dt.date(2026, 3, 1)
DAYS = st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1))


def column(kind: str, **more: Any) -> ColumnSpec:
    return ColumnSpec.model_validate({"type": kind, **more})


COLUMNS = {
    "id": column("text", role="identifier", **{"class": "personal"}),
    "age": column("integer", min=0, max=110, **{"class": "personal"}),
    "born": column("date", nullable=True, min="1900-01-01", max="2099-12-31"),
    "seen": column("date"),
    "zip": column("category", categories=["03601", "10001", "10002", "94103"]),
    "city": column("category", categories=["Bonn", "Köln", "Paris"]),
    "pay": column("number", nullable=True, min=0, max=1e6),
}
ROWS = pa.table(
    {
        "id": ["a", "b", "a", "c"],
        "age": pa.array([3, 89, 90, 110], pa.int64()),
        "born": pa.array([dt.date(1930, 2, 28), None, dt.date(1999, 12, 31), dt.date(2020, 8, 1)], pa.date32()),
        "seen": pa.array([dt.date(2024, 2, 29), dt.date(2024, 3, 1), dt.date(2025, 3, 1), dt.date(2020, 1, 1)], pa.date32()),
        "zip": ["03601", "10001", "10002", "94103"],
        "city": ["Bonn", "Köln", "Paris", "Bonn"],
        "pay": [0.0, None, 1249.99, 1e6],
    }
)  # fmt: skip
KEEP = dict.fromkeys(COLUMNS, "a test looks at it")


def recipe(columns: Mapping[str, Any], **more: Any) -> DeidentifySpec:
    keep = {name: why for name, why in KEEP.items() if name not in columns}
    return DeidentifySpec.model_validate({"columns": columns, "keep": keep, **more})


def released(columns: Mapping[str, Any], **more: Any) -> Released:
    return release(ROWS, COLUMNS, recipe(columns, **more), KEYS, today=TODAY, subject="id")


@pytest.mark.parametrize(
    ("name", "method", "cells"),
    [
        ("age", {"method": "generalise", "bands": 10, "top": 90}, ["0 to 9", "80 to 89", "90 or more", "90 or more"]),
        ("age", {"method": "generalise", "edges": [18, 65, 90]}, ["under 18", "65 to 89", "90 or more", "90 or more"]),
        ("age", {"method": "generalise", "top": 90, "bottom": 18}, [18, 89, 90, 90]),
        ("age", {"method": "generalise", "bands": 20, "bottom": 5}, ["under 5", "80 to 99", "80 to 99", "100 to 119"]),
        ("age", {"method": "round", "to": 25}, [0, 100, 100, 100]),
        ("age", "redact", [None] * 4),
        ("born", {"method": "generalise", "part": "year"}, [1930, None, 1999, 2020]),
        (
            "born",
            {"method": "generalise", "part": "quarter"},
            [dt.date(1930, 1, 1), None, dt.date(1999, 10, 1), dt.date(2020, 7, 1)],
        ),
        (
            "born",
            {"method": "generalise", "part": "month"},
            [dt.date(1930, 2, 1), None, dt.date(1999, 12, 1), dt.date(2020, 8, 1)],
        ),
        (
            "born",
            [{"method": "generalise", "part": "year"}, {"method": "generalise", "bottom": 1936}],
            [1936, None, 1999, 2020],
        ),
        ("zip", {"method": "generalise", "zip3": True}, ["000", "100", "100", "941"]),
        ("zip", {"method": "generalise", "prefix": 2}, ["03", "10", "10", "94"]),
        (
            "city",
            {"method": "generalise", "groups": {"Bonn": ["DE", "EU"], "Köln": ["DE", "EU"], "Paris": ["FR", "EU"]}},
            ["DE", "DE", "FR", "DE"],
        ),
        (
            "city",
            {"method": "generalise", "depth": 2, "groups": {one: ["x", "EU"] for one in ("Bonn", "Köln", "Paris")}},
            ["EU"] * 4,
        ),
        ("pay", {"method": "round", "to": 0.5}, [0.0, None, 1250.0, 1e6]),
        (
            "pay",
            {"method": "generalise", "edges": [1000.5]},
            ["under 1000.5", None, "1000.5 or more", "1000.5 or more"],
        ),
        ("pay", {"method": "generalise", "top": 1000.25}, [0.0, None, 1000.25, 1000.25]),
    ],
)
def test_a_method_gives_these_cells_and_the_contract_allows_them(name: str, method: Any, cells: list[Any]) -> None:
    out = released({name: method})
    assert out.table[name].to_pylist() == cells
    spec = out.columns[name]
    assert spec == resulting_contract(COLUMNS, recipe({name: method}))[name]
    assert spec.data_class == COLUMNS[name].data_class  # pseudonymised or coarse, it is still about a person
    assert cast_column(out.table[name].combine_chunks(), spec).problems == {}


def test_a_suppressed_column_is_in_neither_table_nor_contract() -> None:
    out = released({"city": "suppress"})
    assert "city" not in out.table.column_names
    assert "city" not in out.columns
    assert out.report.to_json()["done"]["city"] == "left out"


@pytest.mark.parametrize(
    ("name", "method", "says"),
    [
        ("city", {"method": "round", "to": 2}, "is a category; round is for: integer, number"),
        ("age", {"method": "generalise", "part": "year"}, "is a integer; year is for: date"),
        ("seen", {"method": "pseudonym"}, "pseudonym is for"),
        ("city", {"method": "generalise", "groups": {"Bonn": ["DE"]}}, "does not say where 2 of its categories"),
        ("age", {"method": "generalise", "bands": 0.01}, "more than 1,000"),
        ("age", {"method": "generalise", "top": 89.5}, "whole numbers"),
        ("city", "mask_text", "mask_text is for: text"),
        ("agee", "suppress", "Did you mean 'age'"),
    ],
)
def test_a_method_that_does_not_fit_is_refused_in_words(name: str, method: Any, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        released({name: method})


@pytest.mark.parametrize(
    ("given_", "says"),
    [
        ({"columns": {"a": {"method": "generalise"}}}, "say one of bands"),
        ({"columns": {"a": {"method": "generalise", "bands": 2, "prefix": 1}}}, "say one of bands"),
        ({"columns": {"a": {"method": "generalise", "edges": [2, 1]}}}, "must rise"),
        ({"columns": {"a": ["suppress", "redact"]}}, "leaves nothing for another"),
        ({"columns": {"a": {"method": "noise", "scale": 1}}}, "noise"),
        ({"columns": {"a": {"method": "pseudonym", "length": 8}}}, "16"),
        ({"columns": {"a": "suppress"}, "quasi_identifiers": ["a"]}, "cannot be among quasi_identifiers"),
        ({"quasi_identifiers": ["a"], "sensitive": ["a"]}, "knows it or not"),
        ({"enforce": {"k": 5}}, "needs `quasi_identifiers`"),
        ({"enforce": {"k": 5, "l": 2}, "quasi_identifiers": ["a"]}, "name at least one"),
        ({"enforce": {"k": 1}, "quasi_identifiers": ["a"]}, "greater than or equal to 2"),
        ({"reversible": True}, "no column has method: pseudonym"),
        ({"identifiers": {"a": "name"}}, "belongs to profile"),
        ({"keep": {"a": "x"}}, "at least 8"),
        (
            {"columns": {"a": {"method": "shift_dates", "days": 5}, "b": {"method": "shift_dates", "days": 6}}},
            "same `days`",
        ),
    ],
)
def test_a_recipe_that_contradicts_itself_is_refused(given_: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        DeidentifySpec.model_validate(given_)


def test_the_same_value_has_the_same_pseudonym_in_one_project_and_another_elsewhere() -> None:
    out = released({"id": {"method": "pseudonym", "prefix": "p_", "length": 20}}, reversible=True)
    a, b, again, _ = out.table["id"].to_pylist()
    assert a == again != b
    assert (a[:2], len(a)) == ("p_", 22)
    assert out.ways_back["id"][a] == "a"
    other = Keys(pseudonyms=b"q" * 32, shifts=b"s" * 32)
    elsewhere = release(ROWS, COLUMNS, recipe({"id": {"method": "pseudonym"}}), other, today=TODAY)
    assert not {one[:20] for one in elsewhere.table["id"].to_pylist()} & {a[2:], b[2:]}


def test_columns_share_pseudonyms_only_where_the_recipe_says_so() -> None:
    (apart,) = pseudonyms_of(KEYS.pseudonyms, "patient", ["a"], prefix="", length=32)
    (other,) = pseudonyms_of(KEYS.pseudonyms, "referrer", ["a"], prefix="", length=32)
    assert apart != other
    out = released({"id": {"method": "pseudonym", "domain": "patient"}})
    assert out.table["id"][0].as_py() == apart
    (tricky,) = pseudonyms_of(KEYS.pseudonyms, "patien", ["ta"], prefix="", length=32)
    assert tricky != apart  # where the domain ends is part of what is signed


def test_a_pseudonym_is_hmac_sha256_as_anybody_with_the_key_can_recompute() -> None:
    import hashlib
    import hmac

    said = b"pseudonym/id"
    known = hmac.new(KEYS.pseudonyms, len(said).to_bytes(4, "big") + said + b"a", hashlib.sha256).hexdigest()
    assert pseudonyms_of(KEYS.pseudonyms, "id", ["a"], prefix="", length=64) == [known]
    with pytest.raises(InvalidInput, match="32 bytes"):
        pseudonyms_of(b"short", "id", ["a"], prefix="", length=64)


def test_keys_and_ways_back_are_in_no_print() -> None:
    out = released({"id": {"method": "pseudonym"}})
    assert "pppp" not in repr(KEYS)
    assert "ways_back" not in repr(out)


@given(st.lists(st.tuples(st.sampled_from("abc"), DAYS, DAYS), min_size=1, max_size=30), st.integers(1, 3650))
def test_shifted_dates_keep_every_interval_of_a_person(rows: list[tuple[str, dt.date, dt.date]], days: int) -> None:
    people, first, second = zip(*rows, strict=True)
    table = pa.table({"who": list(people), "x": pa.array(first, pa.date32()), "y": pa.array(second, pa.date32())})
    columns = {"who": column("text", role="identifier"), "x": column("date"), "y": column("date")}
    shift = {"method": "shift_dates", "days": days}
    spec = DeidentifySpec.model_validate(
        {"columns": {"x": shift, "y": shift}, "subject": "who", "keep": {"who": "a test looks at it"}}
    )
    out = release(table, columns, spec, KEYS, today=TODAY)
    by: dict[str, set[int]] = {}
    for who, before, after in zip(
        people * 2, first + second, [d for c in "xy" for d in out.table[c].to_pylist()], strict=True
    ):
        by.setdefault(who, set()).add((after - before).days)
    assert all(len(found) == 1 for found in by.values())
    assert all(1 <= abs(next(iter(found))) <= days for found in by.values())


def test_shifts_use_every_day_back_and_forth_but_none_at_all() -> None:
    found = [shift_of(KEYS.shifts, str(person), 3) for person in range(3000)]
    counts = {day: found.count(day) for day in range(-3, 4)}
    assert counts.pop(0) == 0
    assert all(400 < count < 600 for count in counts.values())


def test_a_shift_needs_to_know_the_person_and_a_lost_date_is_empty() -> None:
    shift = {"seen": {"method": "shift_dates", "days": 5}}
    with pytest.raises(InvalidInput, match=r"deidentify\.subject"):
        release(ROWS, COLUMNS, recipe(shift), KEYS, today=TODAY)
    edge = ROWS.slice(0, 1).set_column(3, "seen", pa.array([dt.date.max], pa.date32()))
    ends = {
        release(
            edge, COLUMNS, recipe({"seen": {"method": "shift_dates", "days": days}}), KEYS, today=TODAY, subject="id"
        )
        .table["seen"][0]
        .as_py()
        for days in range(1, 20)
    }
    assert None in ends


def test_a_text_is_masked_by_the_scanner_that_is_handed_in() -> None:
    columns = {"note": column("text", role="identifier")}
    table = pa.table({"note": ["call Ann", None, "call Ann"]})
    spec = DeidentifySpec.model_validate({"columns": {"note": "mask_text"}})
    with pytest.raises(InvalidInput, match="not part of this installation"):
        release(table, columns, spec, KEYS, today=TODAY)
    seen: list[str] = []

    def mask(text: str) -> str:
        seen.append(text)
        return text.replace("Ann", "[name]")

    out = release(table, columns, spec, KEYS, today=TODAY, mask_text=mask)
    assert out.table["note"].to_pylist() == ["call [name]", None, "call [name]"]
    assert seen == ["call Ann"]


def test_columns_nobody_spoke_of_are_all_named_at_once() -> None:
    from sealwright.data.deidentify import ColumnsNotDecided

    with pytest.raises(
        ColumnsNotDecided, match=r"(?s)2 columns.*id: its role is identifier.*age: its class is personal"
    ) as got:
        release(ROWS, COLUMNS, DeidentifySpec.model_validate({"columns": {"zip": "suppress"}}), KEYS, today=TODAY)
    assert got.value.columns == ("id", "age")


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50),
    st.floats(0.5, 1e6),
    st.one_of(st.none(), st.floats(-1e6, 1e6)),
    st.one_of(st.none(), st.floats(-1e6, 1e6)),
)
def test_every_number_of_the_contract_has_a_band(
    values: list[float], width: float, bottom: float | None, top: float | None
) -> None:
    columns = {"x": column("number", min=-1e6, max=1e6)}
    try:
        step = {"method": "generalise", "bands": width, "bottom": bottom, "top": top}
        spec = DeidentifySpec.model_validate({"columns": {"x": {k: v for k, v in step.items() if v is not None}}})
        out = release(pa.table({"x": values}), columns, spec, KEYS, today=TODAY)
    except (ValidationError, InvalidInput) as refused:
        _say_why(refused)
        return
    assert cast_column(out.table["x"].combine_chunks(), out.columns["x"]).problems == {}
    order = np.argsort(values)
    place = [out.columns["x"].categories.index(label) for label in out.table["x"].to_pylist()]  # type: ignore[union-attr]
    assert list(np.array(place)[order]) == sorted(place)  # a larger number is never in a lower band


def _say_why(refused: Exception) -> None:
    assert "below `top`" in str(refused) or "more than" in str(refused)
