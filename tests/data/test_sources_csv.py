"""A CSV file is read as it stands, or refused with the reason and the next step."""

import csv
import gzip
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sealwright.data import FileSource, SourceUnreadable, open_source
from sealwright.data.errors import ColumnsUnusable
from sealwright.data.sources.files import LocalFile
from sealwright.data.sources.text_bytes import BLOCK, TextBytes
from sealwright.kernel import SealwrightError, digest_of

Read = Callable[..., tuple[list[dict[str, Any]], list[int], list[tuple[int, str]]]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write bytes to a file and read them as a source: rows, their numbers, and the rejected rows."""

    def run(data: bytes, name: str = "x.csv", **said: Any) -> Any:
        (tmp_path / name).write_bytes(data)
        source = open_source(FileSource(file=name, **said) if said else name, tmp_path)
        rows, numbers, rejected = [], [], []
        for batch in source.batches():
            rows += batch.rows.to_pylist()
            numbers += batch.numbers.tolist()
            rejected += [(row.row, row.text) for row in batch.rejected]
        assert source.digest == digest_of(data)
        return rows, numbers, rejected

    return run


@pytest.mark.parametrize(
    "data",
    [
        b"a,b\n1,2\n",
        b"a,b\r\n1,2\r\n",
        b"a,b\r1,2\r",
        b"a,b\n1,2",
        b"\n\na,b\n\n1,2\n\n\n",
        b"\xef\xbb\xbfa,b\n1,2\n",
        b"a;b\n1;2\n",
        b"a\tb\n1\t2\n",
        b"a|b\n1|2\n",
        b'"a","b"\n"1","2"\n',
        b" a , b\t\n1,2\n",
    ],
)
def test_the_usual_ways_to_write_a_table_are_all_the_same_table(read: Read, data: bytes) -> None:
    assert read(data) == ([{"a": "1", "b": "2"}], [1], [])


def test_cells_are_not_touched(read: Read) -> None:
    rows, _, _ = read(b'a,b\n 1 ,"x, ""y""\nz"\nNA,\n007,""\n')
    assert rows == [{"a": " 1 ", "b": 'x, "y"\nz'}, {"a": "NA", "b": None}, {"a": "007", "b": None}]


def test_ragged_rows_are_handed_on_with_their_numbers(read: Read) -> None:
    rows, numbers, rejected = read(b"a,b\n1,2\n3\n\n4,5,6\n7,8\n9\n")
    assert (rows, numbers) == ([{"a": "1", "b": "2"}, {"a": "7", "b": "8"}], [1, 4])
    assert rejected == [(2, "3"), (3, "4,5,6"), (5, "9")]


def test_a_file_of_ragged_rows_only_still_counts_them(read: Read) -> None:
    assert read(b"a,b\n1\n2\n") == ([], [], [(1, "1"), (2, "2")])


def test_row_numbers_hold_over_many_blocks(read: Read) -> None:
    lines = [b"%d,%s" % (n, b"x" * 500) if n % 1000 else b"ragged" for n in range(1, 20_001)]
    rows, numbers, rejected = read(b"n,t\n" + b"\n".join(lines) + b"\n")
    assert [int(row["n"]) for row in rows] == numbers
    assert [row for row, _ in rejected] == list(range(1000, 20_001, 1000))


def test_a_blank_line_in_a_table_of_one_column_is_a_missing_value(read: Read) -> None:
    assert read(b"a\n1\n\n2\n")[0] == [{"a": "1"}, {"a": None}, {"a": "2"}]


def test_an_unnamed_column_gets_a_name_and_a_note(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b",b\n1,2\n")
    source = open_source("x.csv", tmp_path)
    assert source.columns == ("column_1", "b")
    assert "column 1 has no name" in source.notes[0]


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-16"])
def test_other_encodings_are_read_when_they_are_named(read: Read, encoding: Any) -> None:
    assert read("a,b\n1,né\n".encode(encoding), encoding=encoding)[0] == [{"a": "1", "b": "né"}]


def test_gzip_is_unpacked_by_its_name(read: Read) -> None:
    packed = gzip.compress(b"a,b\n1,2\n") + gzip.compress(b"3,4\n")
    assert read(packed, "x.csv.gz")[0] == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "is empty"),
        (b"\n\r\n", "is empty"),
        (b"a,b", "no rows"),
        (b"a,b\n", "no rows"),
        (b"a,b\n\n\n", "no rows"),
        (b"1,2\n3,4\n", "numbers only"),
        (b"a,b\n1,\xe9\n", r"not utf-8 text: 0xe9 near line 2(.|\n)*cp1252"),
        (b"a,b\n1,\xc3", "not utf-8 text"),
        ("a,b\n1,2\n".encode("utf-16"), "UTF-16"),
        (b"a,b\n1,2\n3,\x00\n", "NUL byte near line 3"),
        (b"PK\x03\x04rest", "ZIP archive"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0), r"\.csv\.gz"),
        (b"PAR1....PAR1", "Parquet"),
        (b"ARROW1\0\0", "Arrow"),
        (b"\xd0\xcf\x11\xe0rest", "Excel"),
        (b"SQLite format 3\x00", "SQLite"),
        (b'a,b\n1,"x\n2,3\n', "last row(.|\n)*never closed"),
        (b'a,b\n1,"', "never closed"),
        (b'a,b\n1,x\n2,"y', "never closed"),
        (b'a,b\n"1,x\n2,3\n', "data row 1(.|\n)*never closed"),
        (b'a,b\n0,0\n1,"' + b"x" * (2 * BLOCK + 1) + b'"\n', "After data row 1.*longer than"),
    ],
)
def test_a_file_that_is_not_a_plain_table_is_refused_in_words(read: Read, data: bytes, match: str) -> None:
    with pytest.raises(SourceUnreadable, match=match):
        read(data)


def test_a_quote_closed_or_literal_is_no_open_quote(read: Read) -> None:
    for data, cell in ((b'1,""', None), (b'1,"x"""', 'x"'), (b'1,5"', '5"'), (b'1,"5"""', '5"'), (b'1,a"b', 'a"b')):
        assert read(b"a,b\n" + data)[0] == [{"a": "1", "b": cell}]


@pytest.mark.parametrize(
    ("header", "match"),
    [
        (b"a,a", "both called 'a'"),
        (b"a, a", "both called 'a'"),
        ("é,e\u0301".encode(), "both called"),
        (b"a,b\x07", "control characters"),
        (b'a,"b\nc"', "control characters or a line break"),
        ("a,b\u202e".encode(), "control characters"),
        ("a,b\u2028".encode(), "control characters"),
        (b"a," + b"b" * 201, "201 characters"),
        (b",".join(b"c%d" % n for n in range(5000)), "5,000 columns"),
    ],
)
def test_column_names_nobody_could_use_are_refused(read: Read, header: bytes, match: str) -> None:
    with pytest.raises(ColumnsUnusable, match=match) as refused:
        read(header + b"\n1,2\n")
    assert str(refused.value).replace("\n", "").isprintable()


@pytest.mark.parametrize(
    "cut",
    [b"", gzip.compress(b"a,b\n1,2\n" * 9, mtime=0)[:-9], b"a,b\n1,2\n", gzip.compress(b"a\n1\n", mtime=0) + b"tail"],
)
def test_a_broken_gzip_file_is_refused(read: Read, cut: bytes) -> None:
    with pytest.raises(SourceUnreadable, match=r"gzip|empty"):
        read(cut, "x.csv.gz")


def test_a_zip_in_a_gzip_is_refused_t48(read: Read) -> None:
    with pytest.raises(SourceUnreadable, match="ZIP"):
        read(gzip.compress(b"PK\x03\x04rest"), "x.csv.gz")


def test_a_gzip_bomb_stops_at_the_limit_t47(tmp_path: Path) -> None:
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 2_000_000))
    with (
        TextBytes(LocalFile(tmp_path / "x.csv.gz"), packed=True, most_unpacked=4 << 20) as stream,
        pytest.raises(SourceUnreadable, match="unpacks to more than 4,194,304 bytes"),
    ):
        while stream.read(1 << 20):
            pass


@pytest.mark.parametrize("name", ["missing.csv", "folder.csv", "/dev/zero.csv", "data.xlsx", "data"])
def test_what_is_no_data_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(SourceUnreadable, match=r"Cannot open|names no file|not a regular file|Known endings"):
        open_source(name, tmp_path)


@pytest.mark.parametrize("name", ["a\x1b[31m.csv", "a\nb.csv", "a\x1b[31m.xlsx"])
def test_a_file_name_cannot_steer_the_terminal(tmp_path: Path, name: str) -> None:
    for content in (b"", b"PK\x03\x04", b"a,b\n1,\xff\n"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SourceUnreadable) as refused:
            open_source(name, tmp_path)
        assert all(line.isprintable() for line in str(refused.value).split("\n"))
        assert "a?" in str(refused.value)


def test_a_pipe_does_not_make_us_wait(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(SourceUnreadable, match="not a regular file"):
        open_source("pipe.csv", tmp_path)


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * (BLOCK // 2))
    batches = open_source("x.csv", tmp_path).batches()
    next(batches)
    with path.open("ab") as stream:
        stream.write(b"3,4\n")
    with pytest.raises(SourceUnreadable, match="changed while it was read"):
        list(batches)


def test_a_file_whose_header_changed_since_it_was_opened_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"a,b\n1,2\n")
    source = open_source("x.csv", tmp_path)
    (tmp_path / "x.csv").write_bytes(b"b,a\n1,2\n")
    with pytest.raises(SourceUnreadable, match="changed since"):
        list(source.batches())


CELL = st.text(
    st.characters(exclude_categories=["C"], exclude_characters="\x85\u2028\u2029") | st.sampled_from(',;"\n'),
    max_size=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
@given(
    st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(CELL, min_size=n, max_size=n), min_size=1, max_size=8)),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n"]),
)
@example([['x"']], ",", "\n")
@example([["\n"]], ",", "\n")
def test_what_a_csv_writer_wrote_is_what_we_read(
    tmp_path: Path, rows: list[list[str]], delimiter: Any, line_end: str
) -> None:
    text = io.StringIO(newline="")
    names = [f"column {place}" for place in range(len(rows[0]))]
    csv.writer(text, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL).writerows([names, *rows])
    (tmp_path / "x.csv").write_bytes(text.getvalue().encode())
    source = open_source(FileSource(file="x.csv", delimiter=delimiter), tmp_path)
    found = [list(row.values()) for batch in source.batches() for row in batch.rows.to_pylist()]
    assert found == [[cell or None for cell in row] for row in rows]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(
    st.binary(max_size=200)
    | st.lists(st.sampled_from([b"a", b",", b'"', b"\n", b"\r", b";", b"1", b"\xff", b"\0"]), max_size=40).map(b"".join)
)
def test_any_bytes_are_read_or_refused_in_our_words(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.csv").write_bytes(data)
    try:
        source = open_source("x.csv", tmp_path)
        numbers: list[int] = []
        for batch in source.batches():
            numbers += [*batch.numbers.tolist(), *(row.row for row in batch.rejected)]
        assert sorted(numbers) == list(range(1, len(numbers) + 1))
    except SealwrightError:
        pass
