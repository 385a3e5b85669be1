"""What goes to pandera and comes back means the same: the real pandera gives the same verdict as ours."""

import datetime as dt
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pandera
import pandera.polars as pandera_polars
import polars as pl
import pytest

from sealwright.data.contracts import (
    Contract,
    check_contract,
    contract_text,
    export_contract,
    import_contract,
    read_contract,
)
from sealwright.kernel import InvalidInput

DAY = dt.date(2024, 1, 15)
CONTRACT = Contract.model_validate(
    {
        "columns": {
            "key": {"type": "integer", "unique": True, "above": 0},
            "age": {"type": "integer", "min": 18, "max": 99, "none_of": [66], "nullable": True},
            "rate": {"type": "number", "min": 0, "below": 1},
            "step": {"type": "number", "one_of": [0.5, 1, 2.5]},
            "kind": {"type": "category", "categories": ["a", "b", "ä"]},
            "yes": {"type": "boolean"},
            "day": {"type": "date", "min": "2024-01-01", "below": "2025-01-01"},
            "code": {"type": "text", "pattern": r"^[A-Z]{2}\d{3}$", "min_length": 5, "max_length": 5},
            "word": {"type": "text", "nullable": True, "none_of": ["no"]},
        },
        "unique": ["age", "code"],
    }
)
GOOD: Mapping[str, Any] = {
    "key": [1, 2, 3],
    "age": [18, 99, 20],
    "rate": [0.0, 0.5, 0.999],
    "step": [0.5, 1.0, 2.5],
    "kind": ["a", "b", "ä"],
    "yes": [True, False, True],
    "day": [dt.date(2024, 1, 1), DAY, dt.date(2024, 12, 31)],
    "code": ["AB123", "ZZ000", "AA999"],
    "word": ["yes", None, "x y"],
}
BAD = [
    ("key", 0),
    ("key", 1),
    ("key", 2.5),
    ("key", None),
    ("age", 17),
    ("age", 100),
    ("age", 66),
    ("age", 20.5),
    ("rate", -0.001),
    ("rate", 1.0),
    ("rate", float("inf")),
    ("rate", None),
    ("rate", "x"),
    ("step", 0.75),
    ("kind", "A"),
    ("kind", ""),
    ("kind", None),
    ("yes", None),
    ("yes", 2),
    ("day", dt.date(2023, 12, 31)),
    ("day", dt.date(2025, 1, 1)),
    ("day", "2024-02-30"),
    ("day", None),
    ("code", "ab123"),
    ("code", "AB1234"),
    ("code", "AB12"),
    ("code", "AB12٣"),
    ("code", ""),
    ("code", None),
    ("word", "no"),
]
STILL_GOOD = [("age", None), ("age", 30.0), ("word", None), ("key", 7.0), ("day", "2024-02-29")]


def frame(column: str = "", cell: Any = None) -> Any:
    """The good rows as pandas has them, one cell exchanged."""
    found = pd.DataFrame(GOOD).astype({column: object} if column else {})
    if column:
        found.loc[1, column] = cell
    return found


def theirs(schema: Any, data: Any) -> bool:
    try:
        schema.validate(data, lazy=True)
    except pandera.errors.SchemaErrors:
        return False
    return True


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Any:
    found = export_contract(CONTRACT, "pandera")
    assert found.left_out == ()
    path = tmp_path_factory.mktemp("pandera") / "schema.yaml"
    path.write_text(found.text)
    return pandera.DataFrameSchema.from_yaml(path)


def test_good_rows_are_good_there_and_here(exported: Any) -> None:
    assert check_contract(frame(), CONTRACT).breaches == ()
    assert theirs(exported, frame())


@pytest.mark.parametrize(("column", "cell"), BAD)
def test_a_bad_cell_is_bad_there_and_here(exported: Any, column: str, cell: Any) -> None:
    data = frame(column, cell)
    found = check_contract(data, CONTRACT)
    assert (found.passed, {one.column for one in found.breaches}) == (False, {column})
    assert not theirs(exported, data)


@pytest.mark.parametrize(("column", "cell"), STILL_GOOD)
def test_what_is_fine_here_is_fine_there(exported: Any, column: str, cell: Any) -> None:
    data = frame(column, cell)
    assert check_contract(data, CONTRACT).breaches == ()
    assert theirs(exported, data)


def test_a_repeated_key_a_missing_and_an_unknown_column_are_bad_there_and_here(exported: Any) -> None:
    twice = frame().assign(age=18, code="AB123", key=[4, 5, 6])
    for data in (twice, frame().drop(columns="kind"), frame().assign(more=1)):
        assert not check_contract(data, CONTRACT).passed
        assert not theirs(exported, data)


def test_out_and_back_is_the_same_contract(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(export_contract(CONTRACT, "pandera").text)
    back = import_contract(tmp_path / "p.yaml")
    assert back.left_out == ()
    plain, again = CONTRACT.plain(), back.contract.plain()
    assert again["columns"].pop("code").pop("pattern") == "^[A-Z]{2}[0-9]{3}$"
    del plain["columns"]["code"]
    assert again["columns"].pop("kind") == plain["columns"].pop("kind")
    assert again == plain


def test_an_empty_text_is_missing_there_too() -> None:
    contract = Contract.model_validate({"columns": {"t": {"type": "text"}}})
    schema = pandera.DataFrameSchema.from_yaml(export_contract(contract, "pandera").text)
    for cell, kept in (("x", True), ("", False), (None, False)):
        data = pd.DataFrame({"t": [cell]}, dtype=object)
        assert (check_contract(data, contract).passed, theirs(schema, data)) == (kept, kept)


def test_what_pandera_cannot_say_is_listed() -> None:
    contract = Contract.model_validate(
        {
            "columns": {
                "a": {"type": "integer", "nullable": True, "nulls": ["NA"], "at_most_share": 0.1, "class": "personal"},
                "b": {"type": "integer", "role": "sensitive"},
                "t": {"type": "text", "pattern": "[[:alpha:]]"},
                "i": {"type": "text", "role": "ignore"},
            },
            "unique": [["a"], ["a", "b"]],
            "rules": [{"column": "a", "at_most": "b"}],
            "rows": {"min": 1, "max": 9},
            "at_most_share": 0.5,
            "csv": {"decimal": ","},
        }
    )
    said = "\n".join(export_contract(contract, "pandera").left_out)
    for what in (
        *("a: nulls", "a: at_most_share", "t: the pattern", "other columns", "unique: a, b", "rule a at_most b"),
        *("rows min 1", "rows max 9", "at_most_share 0.5", "a: class personal", "b: role sensitive", "csv"),
    ):
        assert what in said
    assert pandera.DataFrameSchema.from_yaml(export_contract(contract, "pandera").text)


SCHEMA = pandera.DataFrameSchema(
    {
        "i": pandera.Column("int64", [pandera.Check.ge(0), pandera.Check.le(9), pandera.Check.ne(5)], unique=True),
        "f": pandera.Column(float, pandera.Check.in_range(0, 1, include_max=False), nullable=True),
        "h": pandera.Column(float, pandera.Check.in_range(0, 1, include_min=False)),
        "j": pandera.Column(int, [pandera.Check.ge(0.5), pandera.Check.lt(2.5)]),
        "g": pandera.Column(float, [pandera.Check.gt(0), pandera.Check.lt(5)]),
        "k": pandera.Column(str, pandera.Check.isin(["a", "b"])),
        "n": pandera.Column(int, pandera.Check.isin([1, 2, 3]), required=False),
        "e": pandera.Column(int, pandera.Check.eq(3)),
        "x": pandera.Column(str, pandera.Check.notin(["no"]), nullable=True),
        "m": pandera.Column(str, pandera.Check.str_matches("a|bc")),
        "c": pandera.Column(str, pandera.Check.str_contains("a+b")),
        "s": pandera.Column(str, pandera.Check.str_startswith("a.")),
        "z": pandera.Column(str, pandera.Check.str_endswith("b)")),
        "l": pandera.Column(str, pandera.Check.str_length(2, 3)),
        "q": pandera.Column(str, pandera.Check.str_length(exact_value=2)),
        "b": pandera.Column(bool),
    },
    strict=True,
    unique=["i", "k"],
)
ROW = {
    "i": 1,
    "f": 0.5,
    "g": 1.0,
    "k": "a",
    "n": 1,
    "e": 3,
    "x": "yes",
    "m": "axx",
    "c": "xaab",
    "s": "a.b",
    "z": "ab)",
    "l": "äb",
    "q": "ab",
    "b": True,
    "h": 0.5,
    "j": 1,
}
CELLS = [
    *[("h", 0.0), ("h", 1.0), ("j", 0), ("j", 2), ("j", 3)],
    *[("i", -1), ("i", 10), ("i", 5), ("f", 1.0), ("f", -0.1), ("f", None), ("g", 0.0), ("g", 5.0), ("k", "c")],
    *[("n", 4), ("e", 4), ("x", "no"), ("x", None), ("m", "xa"), ("m", "bc"), ("m", "xbc"), ("c", "b"), ("s", "aab")],
    *[("s", "xa."), ("z", "b)x"), ("l", "a"), ("l", "äöüß"), ("l", "äöü"), ("q", "a"), ("q", "abc"), ("f", 0.0)],
]


@pytest.mark.parametrize("way", ["object", "yaml", "json", "full yaml"])
def test_a_pandera_schema_means_the_same_here(way: str, tmp_path: Path) -> None:
    written = {
        "object": lambda: SCHEMA,
        "yaml": lambda: _file(tmp_path / "s.yaml", SCHEMA.to_yaml()),
        "json": lambda: _file(tmp_path / "s.json", SCHEMA.to_json()),
        "full yaml": lambda: _file(tmp_path / "s.yml", SCHEMA.to_yaml(minimal=False)),
    }
    found = import_contract(written[way]())
    assert found.left_out == ()
    for column, cell in [("", None), *CELLS]:
        row = {**ROW, column: cell} if column else ROW
        data = pd.DataFrame([row])
        if column == "f" and cell is None:
            data["f"] = data["f"].astype(float)
        assert check_contract(data, found.contract).passed == theirs(SCHEMA, data), (column, cell)


def _file(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_polars_schema_means_the_same_here() -> None:
    schema = pandera_polars.DataFrameSchema(
        {
            "i": pandera_polars.Column(pl.Int64, pandera_polars.Check.ge(0)),
            "d": pandera_polars.Column(pl.Date, pandera_polars.Check.ge(dt.date(2020, 1, 1))),
            "t": pandera_polars.Column(pl.String, pandera_polars.Check.str_matches("^a"), nullable=True),
            "e": pandera_polars.Column(pl.Enum(["a", "b'"])),
            "b": pandera_polars.Column(pl.Boolean),
        },
        strict=True,
    )
    found = import_contract(schema)
    assert (found.left_out, found.contract.columns["e"].categories) == ((), ("a", "b'"))
    good = {"i": [0], "d": [dt.date(2020, 1, 1)], "t": ["ab"], "e": ["a"], "b": [True]}
    for column, cell in [("i", 0), ("i", -1), ("d", dt.date(2019, 12, 31)), ("t", "ba"), ("t", None), ("b", None)]:
        data = pl.DataFrame({**good, column: [cell]}, schema={"i": pl.Int64, "d": pl.Date, "t": pl.String, "e": pl.Enum(["a", "b'"]), "b": pl.Boolean})  # fmt: skip
        assert check_contract(data, found.contract).passed == theirs(schema, data), (column, cell)


def test_a_model_is_taken_by_its_schema() -> None:
    class Loan(pandera.DataFrameModel):
        amount: int = pandera.Field(ge=1)

    assert import_contract(Loan).contract.plain()["columns"] == {"amount": {"type": "integer", "min": 1}}


def test_what_a_contract_cannot_say_is_listed_and_nothing_is_dropped_in_silence(tmp_path: Path) -> None:
    schema = pandera.DataFrameSchema(
        {
            "w": pandera.Column(int, pandera.Check(lambda values: values > 0), title="Weight", description="in kg"),
            "u": pandera.Column(int, [pandera.Check.unique_values_eq([1, 2]), pandera.Check.ge(0, raise_warning=True)]),
            "d": pandera.Column("datetime64[ns]", pandera.Check.ge(pd.Timestamp("2020-01-01"))),
            "t": pandera.Column(str, [pandera.Check.str_matches("^a"), pandera.Check.str_contains("b")]),
            "p": pandera.Column(str, pandera.Check.str_matches("(?=look)ahead")),
            "v": pandera.Column("timedelta64[ns]"),
            "o": pandera.Column(int, default=1),
            "^x_.*$": pandera.Column(int, regex=True),
        },
        checks=pandera.Check(lambda table: len(table) > 1),
        index=pandera.Index(int),
        name="loans",
        strict=True,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        text = schema.to_yaml()
    for found in (import_contract(schema), import_contract(_file(tmp_path / "s.yaml", text))):
        said = "\n".join(found.left_out)
        for what in (
            *("w: a check that pandera could not write", "w: its title", "w: its description", "unique_values_eq"),
            *(
                "only warns",
                "datetime64[ns]",
                "d: `min`",
                "t: a second pattern, b",
                "look",
                "timedelta64[ns]",
                "o: a default",
            ),
            *("^x_.*$", "other columns are allowed", "the table: index", "the table: its name"),
        ):
            assert what in said
        assert found.contract.other_columns == "allowed"
    assert "which is code" in "\n".join(import_contract(schema).left_out)


def test_a_contract_from_pandera_can_be_kept_as_a_file(tmp_path: Path) -> None:
    found = import_contract(SCHEMA).contract
    (tmp_path / "c.yaml").write_text(contract_text(found, head=["From pandera.\n!!python/object:os.system"]))
    assert read_contract(tmp_path / "c.yaml") == found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("schema_type: dataframe\ncolumns: {}\n", "names no column"),
        ("columns: {a: {type: integer}}\n", "neither a pandera schema"),
        ("- 1\n", "neither a pandera schema"),
        ("schema_type: dataframe\ncolumns:\n  a: !!python/object/apply:os.system [id]\n", "tags such as"),
        ("schema_type: &x dataframe\ncolumns: {a: {dtype: *x}}\n", r"to_json\(\) writes none"),
        ('{"schema_type": "dataframe", "columns": {"a": {"dtype": "int64"}, "a": {}}}', "(?i)not valid JSON"),
    ],
)
def test_a_file_that_is_no_schema_or_wants_to_run_is_refused(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=words):
        import_contract(_file(tmp_path / "x.yaml", text))
