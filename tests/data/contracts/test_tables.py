"""A file, an Arrow table and a data frame with the same rows get the same answer; what is no table is refused."""

import csv
import math
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from sealwright.data import FileSource, open_source
from sealwright.data.contracts import Contract, ContractReport, check_contract
from sealwright.data.errors import ColumnsUnusable, SourceUnreadable
from sealwright.kernel import InvalidInput

ROWS = 150_000  # more than one batch
COLUMNS = {
    "n": {"type": "integer", "min": 0, "max": 9},
    "k": {"type": "category", "categories": ["a", "b"]},
    "t": {"type": "text", "nullable": True, "max_length": 3},
}
CONTRACT = Contract.model_validate({"columns": COLUMNS})


def table(rows: int = ROWS) -> Any:
    numbers = [place % 10 for place in range(rows)]
    words = ["ab"[place % 2] for place in range(rows)]
    texts = [None if place % 3 else "xyz" for place in range(rows)]
    numbers[140_000 % rows], words[-1], texts[0] = -1, "c", "wxyz"
    return pa.table({"n": numbers, "k": words, "t": texts})


def facts(report: ContractReport) -> Any:
    return report.rows, report.bad_rows, report.breaches


@pytest.fixture(scope="module")
def expected() -> Any:
    report = check_contract(table(), CONTRACT)
    assert {(f.rule, f.count, f.first_rows) for f in report.breaches} == {
        ("below_min", 1, (140_001,)),
        ("not_in_categories", 1, (ROWS,)),
        ("too_long", 1, (1,)),
    }
    return facts(report)


def test_files_of_every_kind(tmp_path: Path, expected: Any) -> None:
    found = table()
    pq.write_table(found, tmp_path / "t.parquet")
    feather.write_feather(found, tmp_path / "t.arrow")
    with (tmp_path / "t.csv").open("w", newline="") as stream:
        write = csv.writer(stream).writerow
        write(found.column_names)
        for row in zip(*found.to_pydict().values(), strict=True):
            write(row)
    for name in ("t.parquet", "t.arrow", "t.csv"):
        report = check_contract(tmp_path / name, CONTRACT)
        assert facts(report) == expected
        assert report.source == name
        assert report.source_digest.startswith("sha256:")
    assert facts(check_contract(open_source("t.csv", tmp_path), CONTRACT)) == expected
    assert facts(check_contract(FileSource(file=str(tmp_path / "t.csv")), CONTRACT)) == expected


@pytest.mark.parametrize(
    "frame",
    [
        lambda t: t,
        lambda t: t.to_reader(),
        lambda t: t.combine_chunks().to_batches()[0],
        pl.from_arrow,
        lambda t: pl.from_arrow(t).with_columns(pl.col("k").cast(pl.Categorical)),
        lambda t: t.to_pandas(),
        lambda t: t.to_pandas().astype({"k": "category"}),
        lambda t: t.to_pandas().set_index(pd.Index(list(range(5, ROWS + 5)), name="key")),
    ],
    ids=["table", "reader", "batch", "polars", "polars categorical", "pandas", "pandas category", "pandas index"],
)
def test_tables_and_data_frames(frame: Any, expected: Any) -> None:
    assert facts(check_contract(frame(table()), CONTRACT)) == expected


def test_missing_in_pandas_is_missing_here_and_nan_elsewhere_is_not_finite() -> None:
    wanted = Contract.model_validate({"columns": {"x": {"type": "number"}}})
    for frame, rule in (
        (pd.DataFrame({"x": [1.0, math.nan]}), "null_not_allowed"),
        (pl.DataFrame({"x": [1.0, math.nan]}), "not_finite"),
    ):
        assert [found.rule for found in check_contract(frame, wanted).breaches] == [rule]


def test_a_pandas_column_of_mixed_cells_is_read_as_the_text_of_each() -> None:
    frame = pd.DataFrame({"n": [1, "two", None, 10**40, pd.NA], "k": ["a"] * 5})
    wanted = Contract.model_validate({"columns": {"n": {"type": "integer", "nullable": True}, "k": {"type": "text"}}})
    report = check_contract(frame, wanted)
    assert {(f.rule, f.first_rows) for f in report.breaches} == {("not_an_integer", (2,)), ("beyond_2_53", (4,))}


def test_an_object_that_only_offers_to_arrow() -> None:
    class Frame:
        def to_arrow(self) -> Any:
            return table()

    assert check_contract(Frame(), CONTRACT).bad_rows == 3


@pytest.mark.parametrize("data", [[1, 2], {"a": [1]}, 7, None, object()])
def test_what_is_no_table_is_refused(data: Any) -> None:
    with pytest.raises(SourceUnreadable, match="no table"):
        check_contract(data, CONTRACT)


def test_columns_of_one_name_are_refused() -> None:
    for data in (
        pa.table([pa.array([1]), pa.array([2])], names=["n", "n"]),
        pd.DataFrame([[1, 2]], columns=["n", "n"]),
    ):
        with pytest.raises(ColumnsUnusable, match="both called 'n'"):
            check_contract(data, CONTRACT)


def test_text_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    column = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")])
    with pytest.raises(SourceUnreadable, match="not UTF-8"):
        check_contract(pa.table({"t": column}), Contract.model_validate({"columns": {"t": {"type": "text"}}}))
    (tmp_path / "t.csv").write_bytes(b"n,k,t\n1,a,\xff\n")
    with pytest.raises(SourceUnreadable, match="not utf-8 text"):
        check_contract(tmp_path / "t.csv", CONTRACT)


def test_no_rows_and_no_file(tmp_path: Path) -> None:
    empty = check_contract(table(10).slice(0, 0), CONTRACT)
    assert (empty.rows, empty.passed) == (0, True)
    at_least_one = Contract.model_validate({"columns": COLUMNS, "rows": {"min": 1}})
    assert [found.rule for found in check_contract(table(10).slice(0, 0), at_least_one).breaches] == ["too_few_rows"]
    (tmp_path / "e.csv").write_text("n,k,t\n")
    for name, words in (("e.csv", "no rows"), ("none.csv", "Cannot open"), ("x.xlsx", "does not say")):
        with pytest.raises(SourceUnreadable, match=words):
            check_contract(tmp_path / name, CONTRACT)


def test_ragged_rows_are_counted_with_their_numbers(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("n,k,t\n1,a,x\n1,a\n1,b,y\n1,z,y\n1,a,x,4\n")
    columns = {**COLUMNS, "k": {**COLUMNS["k"], "unique": True}}
    report = check_contract(tmp_path / "r.csv", Contract.model_validate({"columns": columns}))
    assert {(f.column, f.rule, f.count, f.first_rows) for f in report.breaches} == {
        ("", "ragged_row", 2, (2, 5)),
        ("k", "not_in_categories", 1, (4,)),
    }
    assert (report.rows, report.bad_rows) == (5, 3)


def test_a_cell_of_a_million_characters_and_a_pattern_that_ruins_other_engines() -> None:
    long = "a" * 1_000_000 + "!"
    column = {"type": "text", "pattern": "^(a+)+$", "max_length": 999_999}
    wanted = Contract.model_validate({"columns": {"t": column}})
    report = check_contract(pa.table({"t": ["aaa", long]}), wanted)
    assert {(f.rule, f.first_rows) for f in report.breaches} == {("pattern_not_found", (2,)), ("too_long", (2,))}


def test_a_hostile_name_is_refused_and_hostile_values_cannot_steer_a_terminal() -> None:
    with pytest.raises(ColumnsUnusable, match="control characters"):
        check_contract(pa.table({"\x1b[2J": [1]}), CONTRACT)
    wanted = Contract.model_validate({"columns": {"t": {"type": "text", "max_length": 1, "class": "public"}}})
    (found,) = check_contract(pa.table({"t": ["\x1b[2Jred"]}), wanted, show_values=True).breaches
    assert found.values == ("?[2Jred",)


def test_a_stream_that_breaks_off_and_a_share_that_is_none_are_refused() -> None:
    def batches() -> Any:
        yield pa.record_batch({"n": [1], "k": ["a"], "t": ["x"]})
        raise OSError("the line went dead")

    schema = pa.schema([("n", pa.int64()), ("k", pa.string()), ("t", pa.string())])
    with pytest.raises(SourceUnreadable, match="broke off"):
        check_contract(pa.RecordBatchReader.from_batches(schema, batches()), CONTRACT)
    for share in (-0.1, 1.5, math.nan):
        with pytest.raises(InvalidInput, match="share of rows"):
            check_contract(table(10), CONTRACT, at_most_share=share)


def test_part_files_and_lines_of_json_are_checked_like_one_file(tmp_path: Path, expected: Any) -> None:
    found = table()
    (tmp_path / "parts").mkdir()
    pq.write_table(found.slice(0, 70_000), tmp_path / "parts" / "a.parquet")
    pq.write_table(found.slice(70_000), tmp_path / "parts" / "b.parquet")
    assert facts(check_contract(tmp_path / "parts", CONTRACT)) == expected
    (tmp_path / "t.jsonl").write_text('{"n": 1, "k": "a", "t": null}\n{"n": 1, "k": "c", "t": "x"}\nnot json\n')
    report = check_contract(tmp_path / "t.jsonl", CONTRACT)
    assert {(f.rule, f.first_rows) for f in report.breaches} == {("not_in_categories", (2,)), ("not_json", (3,))}
