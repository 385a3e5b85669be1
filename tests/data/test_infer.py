"""A first contract: right about real files, said why, and never refused by the file it came from."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sealwright.data import DataSpec, Inferred, Snapshot, TargetUnusable, infer_contract, open_source
from sealwright.data.errors import ColumnsUnusable, SourceUnreadable
from sealwright.data.hints import protected_attribute, words_of
from sealwright.kernel import SealwrightError

Infer = Callable[..., Inferred]


@pytest.fixture
def infer(tmp_path: Path) -> Infer:
    """Infer from columns of texts, written as a CSV, or from a table written as Parquet."""

    def run(columns: Any, target: str = "y", delimiter: str = ",") -> Inferred:
        if isinstance(columns, pa.Table):
            pq.write_table(columns, tmp_path / "data.parquet")
            return infer_contract(open_source("data.parquet", tmp_path), target)
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=delimiter)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
        (tmp_path / "data.csv").write_text(text.getvalue(), encoding="utf-8")
        return infer_contract(open_source("data.csv", tmp_path), target)

    return run


def around(cells: list[Any], n: int = 40) -> dict[str, list[Any]]:
    """A column `x` of these cells repeated, with a feature and a target beside it."""
    return {"x": (cells * n)[:n], "f": [k % 7 for k in range(n)], "y": ["good", "bad"] * (n // 2)}


# --- real files


def test_german_credit(german: Path) -> None:
    found = infer_contract(german, "outcome")
    spec = found.spec
    assert (found.task, spec.positive, found.rows, found.warnings) == ("binary", "good", 1000, ())
    assert spec.columns["applicant_id"].role == "identifier"
    assert spec.sensitive == ("sex", "foreign_worker")
    assert (spec.columns["sex"].data_class, spec.columns["sex"].categories) == ("special", ("female", "male"))
    age = spec.columns["age"]
    assert (age.type, age.min, age.max, age.role, age.data_class) == ("integer", 19, 75, "feature", "personal")
    assert len(spec.features) == 18
    assert not any(column.nullable for column in spec.columns.values())
    assert set(found.reasons) == set(spec.columns)
    assert "the name says sex or gender" in " ".join(found.reasons["sex"])


def test_employment(employment: Path) -> None:
    found = infer_contract(employment, "employed")
    spec = found.spec
    assert (found.task, spec.positive, spec.classes) == ("binary", "1", ("0", "1"))
    assert {"SEX", "RAC1P", "DIS", "MAR", "CIT", "NATIVITY"} <= set(spec.sensitive)
    assert "US census" in " ".join(found.reasons["RAC1P"])
    assert (spec.columns["AGEP"].type, spec.columns["AGEP"].data_class, spec.columns["AGEP"].role) == (
        "integer",
        "personal",
        "feature",
    )
    assert (spec.columns["id"].role, spec.columns["year"].role) == ("identifier", "ignore")
    assert spec.columns["SCHL"].type == "category"
    assert {spec.columns[name].role for name in ("prediction", "predicted_probability")} == {"ignore"}


def test_flight_delays_as_classes_and_as_a_quantity(flights: Path) -> None:
    cancelled = infer_contract(flights, "CANCELLED")
    assert (cancelled.task, cancelled.spec.positive) == ("binary", "1")
    assert cancelled.spec.columns["column_1"].role == "identifier"
    assert (cancelled.spec.columns["DATE"].type, cancelled.spec.columns["DATE"].min) == ("date", "2015-07-02")
    assert cancelled.spec.columns["DATE"].max is None
    assert cancelled.spec.columns["AIR_TIME"].nullable
    assert any("no name" in said for said in cancelled.warnings)
    delay = infer_contract(flights, "DEPARTURE_DELAY")
    assert delay.task == "regression"
    assert any("have no target" in said for said in delay.warnings)


@pytest.mark.parametrize(
    ("name", "task", "classes"),
    [
        ("breast_cancer", "binary", 2),
        ("digits", "multiclass", 10),
        ("wine", "multiclass", 3),
        ("diabetes", "regression", 0),
    ],
)
def test_the_data_sets_of_scikit_learn(infer: Infer, name: str, task: str, classes: int) -> None:
    import sklearn.datasets

    data = getattr(sklearn.datasets, f"load_{name}")()
    columns = {f"f{place}": data.data[:, place].tolist() for place in range(data.data.shape[1])}
    found = infer({**columns, "y": data.target.tolist()})
    assert (found.task, len(found.spec.classes)) == (task, classes)
    assert not set(found.spec.sensitive)


# --- one column at a time


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "2", "30"], {"type": "integer", "min": 1, "max": 30}),
        (["1.0", "2.0", ""], {"type": "integer", "nullable": True, "min": 1, "max": 2}),
        (["1.5", "-2", "1e3"], {"type": "number", "min": -2.0, "max": 1000.0}),
        (["1.5", "NA", "?"], {"type": "number", "nullable": True, "nulls": ("?", "NA")}),
        (["1", "nan", "2"], {"type": "integer", "nullable": True, "nulls": ("nan",)}),
        (["true", "FALSE"], {"type": "boolean"}),
        (["true", "nan", "false"], {"type": "boolean", "nullable": True, "nulls": ("nan",)}),
        (["0", "1"], {"type": "integer", "min": 0, "max": 1}),
        (["2015-01-01", "2015-02-28"], {"type": "date", "min": "2015-01-01", "max": None}),
        (["2015-01-01 00:00:00", ""], {"type": "date", "nullable": True}),
        (["a", "b", "NA"], {"type": "category", "categories": ("NA", "a", "b"), "nullable": False}),
        (["007", "042"], {"type": "category", "categories": ("007", "042")}),
        (["10", "9", "x"], {"type": "category", "categories": ("10", "9", "x")}),
        (["inf", "1"], {"type": "category"}),
        (["a\tb", "c"], {"type": "text", "role": "ignore"}),
        (["", ""], {"type": "text", "role": "ignore", "nullable": True}),
        (["same"], {"type": "category", "role": "ignore"}),
        (["same", ""], {"type": "category", "role": "feature", "nullable": True}),
        (["5"], {"type": "integer", "role": "ignore", "min": None}),
        ([f"free text {k}" for k in range(30)] + ["free text 1"] * 10, {"type": "text", "role": "ignore"}),
        ([f"u{k}" for k in range(40)], {"type": "text", "role": "identifier", "data_class": "personal"}),
        (list(range(100, 140)), {"type": "integer", "role": "identifier", "min": None}),
        ([k * k for k in range(40)], {"type": "integer", "role": "feature", "max": 1521}),
        ([str(10**17 + k % 20) for k in range(40)], {"type": "category"}),
    ],
)
def test_a_column_is_guessed_from_all_its_cells(infer: Infer, cells: list[Any], expected: dict[str, Any]) -> None:
    found = infer(around(cells))
    column = found.spec.columns["x"]
    assert {name: getattr(column, name) for name in expected} == expected
    assert found.reasons["x"]


def test_one_odd_cell_at_the_very_end_counts(infer: Infer) -> None:
    n = 120_000
    columns = {
        "x": ["1"] * (n - 1) + ["1.5"],
        "d": ["2015-01-01"] * (n - 1) + ["soon"],
        "f": [k % 5 for k in range(n)],
        "y": ["a", "b"] * (n // 2),
    }
    found = infer(columns).spec.columns
    assert (found["x"].type, found["x"].max) == ("number", 1.5)
    assert (found["d"].type, found["d"].categories) == ("category", ("2015-01-01", "soon"))


def test_a_slip_among_numbers_is_pointed_out(infer: Infer) -> None:
    cells = [str(place / 7) for place in range(300)]
    cells[-1] = "twelve"
    found = infer({"x": cells, "z": list(range(0, 600, 2)), "y": ["a", "b"] * 150})
    assert found.spec.columns["x"].type == "text"
    (said,) = [line for line in found.warnings if "'x'" in line]
    assert "but for 1 of 300 cells" in said
    assert "not given to the model" in said
    assert "type: number" in said


def test_words_among_words_are_no_slip(infer: Infer) -> None:
    cells = [f"street {place}" if place % 4 else str(place) for place in range(300)]
    found = infer({"x": cells, "z": list(range(0, 600, 2)), "y": ["a", "b"] * 150})
    assert [line for line in found.warnings if "'x'" in line] == []


def test_a_file_whose_rows_all_miss_the_header_says_so(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("a,b,y\n" + "1,2\n1,2,3,4\n" * 30)
    with pytest.raises(SourceUnreadable, match="Not one of the 60 rows"):
        infer_contract(open_source("data.csv", tmp_path), "y")


def test_decimal_commas_are_noticed_and_written_down(infer: Infer) -> None:
    found = infer({"x": ["1,5", "2", "-0,25"] * 20, "f": list(range(60)), "y": ["a", "b"] * 30}, delimiter=";")
    assert (found.spec.columns["x"].type, found.spec.columns["x"].min) == ("number", -0.25)
    assert found.spec.plain()["source"] == {"file": "data.csv", "decimal": ","}


@pytest.mark.parametrize(
    ("name", "cells", "role", "data_class"),
    [
        ("sex", ["1", "2"], "sensitive", "special"),
        ("Gender", ["f", "m"], "sensitive", "special"),
        ("who", ["Male", "Female"], "sensitive", "special"),
        ("race", ["a", "b"], "sensitive", "special"),
        ("ethnicGroup", ["a", "b"], "sensitive", "special"),
        ("group", ["White", "Black", "Other"], "sensitive", "special"),
        ("religion", ["a", "b"], "sensitive", "special"),
        ("has_disability", ["yes", "no"], "sensitive", "special"),
        ("nationality", ["a", "b"], "sensitive", "personal"),
        ("foreign_worker", ["yes", "no"], "sensitive", "personal"),
        ("native-country", ["a", "b"], "sensitive", "personal"),
        ("marital.status", ["a", "b"], "sensitive", "personal"),
        ("status", ["single", "married", "divorced"], "sensitive", "personal"),
        ("age", ["20", "30"], "feature", "personal"),
        ("birthYear", ["1990", "1991"], "feature", "personal"),
        ("date_of_birth", ["1990-01-01", "1991-01-01"], "identifier", "personal"),
        ("diagnosis", ["a", "b"], "feature", "special"),
        ("zip_code", ["10115", "20095"], "feature", "personal"),
        ("Geschlecht", ["1", "2"], "sensitive", "special"),
        ("stato_civile", ["a", "b"], "sensitive", "personal"),
        ("Geburtsdatum", ["1990-01-01", "1991-01-01"], "identifier", "personal"),
        ("percentage", ["20", "30"], "feature", "internal"),
        ("package", ["a", "b"], "feature", "internal"),
        ("MAR", ["1", "2"], "feature", "internal"),
        ("embrace", ["a", "b"], "feature", "internal"),
        ("region_id", ["1", "2", "3"], "feature", "internal"),
    ],
)
def test_protected_attributes_are_known_by_name_or_value_and_look_alikes_are_not(
    infer: Infer, name: str, cells: list[str], role: str, data_class: str
) -> None:
    columns = around(cells)
    columns[name] = columns.pop("x")
    column = infer(columns).spec.columns[name]
    assert (column.role, column.data_class) == (role, data_class)


@pytest.mark.parametrize(
    ("cells", "role", "said"),
    [
        ([f"p{k // 2}@example.com" for k in range(300)], "identifier", "e-mail address, in 100%"),
        ([f"lot {k // 2}/B of 2024-01-02" for k in range(300)], "ignore", ""),
        (["Anna Schmidt", "Jürgen Weber", "Maria Lopez", "John Smith", "Eva Nowak", "Paul Meyer"] * 50, "feature", "name of a person"),
        ([f"note {k // 2} on the matter, ask p{k}@example.com" if k % 9 == 0 else f"note {k // 2} on the matter" for k in range(300)], "ignore", "hold e-mail address, in "),
    ],
)  # fmt: skip
def test_what_the_cells_hold_decides_where_the_name_says_nothing(
    infer: Infer, cells: list[str], role: str, said: str
) -> None:
    found = infer(around(cells, 300))
    column = found.spec.columns["x"]
    assert (column.role, column.data_class) == (role, "personal" if said else "internal")
    assert said in " ".join(found.reasons["x"])
    assert cells[0] not in " ".join(found.reasons["x"])


def test_a_repeated_customer_number_is_an_identifier(infer: Infer) -> None:
    columns = around([f"C{k % 30}" for k in range(40)])
    columns["customer_id"] = columns.pop("x")
    assert infer(columns).spec.columns["customer_id"].role == "identifier"


def test_names_split_into_words() -> None:
    assert words_of("ForeignWorker_ID2") == ("foreign", "worker", "id", "2")
    assert words_of("SSNumber") == ("ss", "number")
    assert protected_attribute("Sex", ()) is not None
    assert protected_attribute("Essex", ()) is None


def test_nested_columns_are_left_out_with_a_reason(infer: Infer) -> None:
    found = infer(pa.table({"l": [[1]] * 40, "f": [k % 7 for k in range(40)], "y": ["a", "b"] * 20}))
    assert found.spec.columns["l"].role == "ignore"
    assert "list" in found.reasons["l"][0]


# --- the target


@pytest.mark.parametrize(
    ("cells", "task", "positive"),
    [
        (["yes", "no"], "binary", "yes"),
        (["0", "1"], "binary", "1"),
        (["1.0", "0.0"], "binary", "1.0"),
        (["1", "0", "NA"], "binary", "1"),
        (["true", "", "false"], "binary", "true"),
        (["true", "false"], "binary", "true"),
        (["ok", "bad"], "binary", "ok"),
        (["-1", "1"], "binary", "1"),
        (["cat", "dog", "dog"], "binary", "cat"),
        (["a", "b", "c"], "multiclass", None),
        (["1", "2", "3"], "multiclass", None),
        ([str(k) for k in range(40)], "regression", None),
        (["1.5", "2.5", "3"], "regression", None),
    ],
)
def test_the_task_follows_from_the_target(infer: Infer, cells: list[str], task: str, positive: str | None) -> None:
    found = infer({"y": (cells * 60)[:120], "f": [k % 11 for k in range(120)]})
    assert (found.task, found.spec.positive) == (task, positive)


def test_a_typed_float_target_of_two_whole_numbers_is_two_classes(infer: Infer) -> None:
    found = infer(pa.table({"y": [0.0, 1.0] * 60, "f": [k % 11 for k in range(120)]}))
    assert (found.task, found.spec.classes, found.spec.positive) == ("binary", ("0", "1"), "1")


@pytest.mark.parametrize(
    ("columns", "target", "match"),
    [
        ({"y": ["a"] * 40}, "y", "same value in every row"),
        ({"y": ["3.0"] * 40}, "y", "same value in every row"),
        ({"y": ["a", ""] * 20}, "y", "same value in every row"),
        ({"y": [""] * 40}, "y", "is empty"),
        ({"y": ["5", "NA"] * 20}, "y", "same value in every row"),
        ({"y": ["2015-01-01", "2016-01-01"] * 20}, "y", "dates"),
        ({"y": [f"t{k}" for k in range(40)]}, "y", "too many different values"),
        ({"outcome": ["a", "b"] * 20}, "outcom", "Did you mean 'outcome'"),
    ],
)
def test_a_target_nobody_can_predict_is_refused_in_words(infer: Infer, columns: Any, target: str, match: str) -> None:
    with pytest.raises(TargetUnusable, match=match):
        infer({"f": [k % 7 for k in range(40)], **columns}, target)


def test_a_file_with_nothing_to_learn_from_is_refused(infer: Infer) -> None:
    with pytest.raises(ColumnsUnusable, match="can be given to a model"):
        infer({"id": list(range(40)), "sex": ["f", "m"] * 20, "empty": [""] * 40, "y": ["a", "b"] * 20})


def test_a_guess_that_is_a_coin_toss_says_so(infer: Infer) -> None:
    found = infer({"y": (["cat", "dog", "dog"] * 40)[:120], "f": [k % 11 for k in range(120)]})
    assert any("positive: cat is a guess" in said for said in found.warnings)
    assert any(
        "only 2 rows" in said
        for said in infer({"y": ["a", "b"] * 59 + ["c", "c"], "f": [k % 11 for k in range(120)]}).warnings
    )


def test_rows_without_a_target_raise_the_limit_loudly(
    infer: Infer, take_in: Callable[..., Snapshot], tmp_path: Path
) -> None:
    found = infer({"y": ["a", "b", "", "b"] * 30, "f": [k % 11 for k in range(120)]})
    assert found.spec.quarantine.at_most_share == 0.25
    assert any("at_most_share is raised" in said for said in found.warnings)
    assert take_in(tmp_path / "data.csv", found.spec).quarantined == 30


# --- laws

NASTY = st.sampled_from(
    ["", "1", "-1", "0", "007", "1.0", "1.5", "1e5", "1e999", "nan", "NA", "?", "none", "true", "False", "2015-01-02", "2015-02-30",
     "2015-01-02 00:00", "9007199254740993", "a", "b c", "é", "male", "female", ",", '"', "x\ny", " 5 ", "0x10", "1,5"]
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=120, deadline=None)
@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(NASTY, min_size=n, max_size=n), min_size=3, max_size=25)))
def test_the_file_a_contract_was_inferred_from_keeps_that_contract(
    infer: Infer, take_in: Callable[..., Snapshot], tmp_path: Path, rows: list[list[str]]
) -> None:
    columns = {f"c{place}": [row[place] for row in rows] for place in range(len(rows[0]))}
    columns |= {"f": [f"{k}.5" for k in range(len(rows))], "y": ["a" if k % 2 else "b" for k in range(len(rows))]}
    found = infer(columns)
    assert DataSpec.model_validate(found.spec.plain()) == found.spec
    snapshot = take_in(tmp_path / "data.csv", found.spec)
    assert (snapshot.rows, snapshot.quarantined) == (len(rows), 0)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.lists(NASTY, min_size=1, max_size=30))
def test_any_target_is_understood_or_refused_in_our_words(infer: Infer, cells: list[str]) -> None:
    try:
        found = infer({"f": [f"{k}.5" for k in range(len(cells))], "y": cells})
    except SealwrightError:
        return
    assert found.task in {"binary", "multiclass", "regression"}
