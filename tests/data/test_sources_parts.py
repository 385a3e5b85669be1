"""Part files are one table: the same columns, in the order of their names, and nothing from outside their folder."""

import gzip
import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sealwright.data import (
    DataSpec,
    FileSource,
    Snapshot,
    Source,
    SourceUnreadable,
    infer_contract,
    ingest,
    open_source,
)
from sealwright.data.errors import ColumnsUnusable
from sealwright.kernel import canonical_json, digest_of, digest_of_file
from sealwright.trust import Keyring


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    """Three part files, written in another order than that of their names."""
    folder = tmp_path / "parts"
    folder.mkdir()
    for name, text in (("b.csv", "a,b\n3,z\n4\n"), ("c.csv", "b,a\nw,5\n"), ("a.csv", "a,b\n1,x\n2,y\n")):
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def read(source: Source) -> tuple[list[dict[str, Any]], list[int], list[tuple[int, str]]]:
    rows, numbers, rejected = [], [], []
    for batch in source.batches():
        rows += batch.rows.to_pylist()
        numbers += batch.numbers.tolist()
        rejected += [(row.row, row.text) for row in batch.rejected]
    return rows, numbers, rejected


ALL = [{"a": str(place), "b": letter} for place, letter in zip((1, 2, 3, 5), "xyzw", strict=True)]


@pytest.mark.parametrize("named", ["parts", "parts/", "parts/*.csv", "*/*.csv", "**/*.csv", "parts/[abc].csv"])
def test_parts_come_in_the_order_of_their_names_with_numbers_that_go_on(parts: Path, named: str) -> None:
    source = open_source(named, parts.parent)
    assert read(source) == (ALL, [1, 2, 3, 5], [(4, "4")])
    assert (source.columns, source.kind, source.transport.how) == (("a", "b"), "csv", "local file")
    assert source.name.endswith("(3 parts)")


def test_the_digest_is_of_names_and_digests(parts: Path) -> None:
    source = open_source("parts", parts.parent)
    listed = [[name, digest_of_file(parts / name)] for name in ("a.csv", "b.csv", "c.csv")]
    assert source.digest == digest_of(canonical_json(listed))
    (parts / "c.csv").rename(parts / "d.csv")
    assert open_source("parts", parts.parent).digest != source.digest


def test_what_writers_put_beside_their_parts_is_no_part(parts: Path) -> None:
    (parts / "_SUCCESS").write_bytes(b"")
    (parts / ".a.csv.crc").write_bytes(b"\0\1")
    (parts / "_temporary").mkdir()
    (parts / "_temporary" / "z.csv").write_text("a,b\n9,9\n", encoding="utf-8")
    assert read(open_source("parts", parts.parent))[0] == ALL


def test_folders_within_are_read_as_well(parts: Path) -> None:
    (parts / "b.csv").unlink()
    (parts / "year=2025").mkdir()
    (parts / "c.csv").rename(parts / "year=2025" / "c.csv")
    assert read(open_source("parts", parts.parent))[0] == [ALL[0], ALL[1], ALL[3]]


@pytest.mark.parametrize("kind", ["file", "folder", "inside", "nowhere"])
@pytest.mark.parametrize("named", ["parts", "parts/*", "parts/**/*.csv"])
def test_a_symbolic_link_among_the_parts_is_refused(tmp_path: Path, parts: Path, kind: str, named: str) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x.csv").write_text("a,b\n7,secret\n", encoding="utf-8")
    target = {"file": "../outside/x.csv", "folder": "../outside", "inside": "a.csv", "nowhere": "gone.csv"}[kind]
    (parts / ("more" if kind == "folder" else "x.csv")).symlink_to(target)
    if kind == "folder" and "**" in named:  # a pattern does not go through such a folder at all
        assert read(open_source(named, tmp_path))[0] == ALL
        return
    with pytest.raises(SourceUnreadable, match="symbolic link"):
        read(open_source(named, tmp_path))


def test_a_part_that_becomes_a_link_after_it_was_opened_is_refused(tmp_path: Path, parts: Path) -> None:
    source = open_source("parts", tmp_path)
    (tmp_path / "x.csv").write_text("a,b\n7,secret\n", encoding="utf-8")
    (parts / "b.csv").unlink()
    (parts / "b.csv").symlink_to("../x.csv")
    with pytest.raises(SourceUnreadable, match=r"Cannot open|symbolic link"):
        read(source)


@pytest.mark.parametrize(
    ("name", "text", "error", "match"),
    [
        ("d.csv", "a,b,c\n1,2,3\n", ColumnsUnusable, r"d\.csv has other columns than a\.csv: it has 'c' besides"),
        ("d.csv", "a\n1\n", ColumnsUnusable, "lacks 'b'"),
        ("d.jsonl", '{"a":1,"b":2}\n', SourceUnreadable, "different kinds"),
        ("d.txt.bak", "a,b\n", SourceUnreadable, "Known endings"),
        ("d.csv", "", SourceUnreadable, "d.csv is empty"),
    ],
)
def test_a_part_that_does_not_belong_is_refused_by_its_name(
    parts: Path, name: str, text: str, error: Any, match: str
) -> None:
    (parts / name).write_text(text, encoding="utf-8")
    with pytest.raises(error, match=match):
        open_source("parts", parts.parent)


def test_a_pipe_among_the_parts_does_not_make_us_wait(parts: Path) -> None:
    os.mkfifo(parts / "d.csv")
    with pytest.raises(SourceUnreadable, match="not a regular file"):
        open_source("parts", parts.parent)


@pytest.mark.parametrize("named", ["none/*.csv", "parts/*.parquet", "empty"])
def test_no_part_at_all_is_refused(parts: Path, named: str) -> None:
    (parts.parent / "empty").mkdir()
    with pytest.raises(SourceUnreadable, match="names no file"):
        open_source(named, parts.parent)


def test_parts_that_come_and_go_while_they_are_read_are_noticed(parts: Path) -> None:
    for change in (lambda: (parts / "d.csv").write_text("a,b\n1,2\n"), (parts / "a.csv").unlink):
        batches = open_source("parts", parts.parent).batches()
        next(batches)
        change()
        with pytest.raises(SourceUnreadable, match=r"added to or taken|Cannot open"):
            list(batches)
        (parts / "d.csv").unlink(missing_ok=True)


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path: Path) -> None:
    (tmp_path / "x[1].csv").write_text("a,b\n1,2\n", encoding="utf-8")
    assert open_source("x[1].csv", tmp_path).name == "x[1].csv"


def test_settings_hold_for_every_part(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    for place in range(2):
        (tmp_path / "p" / f"{place}.csv.gz").write_bytes(gzip.compress(f"a;b\n{place},5;é\n".encode("cp1252")))
    source = open_source(FileSource(file="p", encoding="cp1252", decimal=",", delimiter=";"), tmp_path)
    assert read(source)[0] == [{"a": "0,5", "b": "é"}, {"a": "1,5", "b": "é"}]
    assert source.decimal == ","


def test_keys_of_any_part_are_columns_of_all(tmp_path: Path) -> None:
    (tmp_path / "1.jsonl").write_text('{"a": 1}\n', encoding="utf-8")
    (tmp_path / "2.jsonl").write_text('{"b": "x"}\n', encoding="utf-8")
    source = open_source("*.jsonl", tmp_path)
    assert read(source) == ([{"a": 1, "b": None}, {"a": None, "b": "x"}], [1, 2], [])


def test_a_nested_column_of_one_part_is_unreadable_in_all(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1], "b": [[1]]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"a": [2], "b": [7]}), tmp_path / "2.parquet")
    source = open_source("*.parquet", tmp_path)
    assert (list(source.unreadable), read(source)[0]) == (["b"], [{"a": 1}, {"a": 2}])


def test_a_contract_can_be_inferred_from_a_folder(german: Path, tmp_path: Path) -> None:
    header, *lines = german.read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "g").mkdir()
    for place in range(4):
        (tmp_path / "g" / f"{place}.csv").write_text(header + "".join(lines[place * 250 :][:250]), encoding="utf-8")
    assert infer_contract(tmp_path / "g", "outcome").spec.columns == infer_contract(german, "outcome").spec.columns


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10, deadline=None)
@given(cuts=st.lists(st.integers(1, 59), unique=True, max_size=5))
def test_a_table_in_parts_is_the_same_snapshot_as_in_one_file(
    tmp_path_factory: pytest.TempPathFactory,
    take_in: Callable[..., Snapshot],
    contract: Callable[..., DataSpec],
    keyring: Keyring,
    cuts: list[int],
) -> None:
    spec, folder = contract({"a": {"type": "integer"}}), tmp_path_factory.mktemp("parts")
    table = pa.table({"y": [place % 3 == 0 for place in range(60)], "a": range(60)})
    pq.write_table(table, folder / "whole.parquet")
    (folder / "p").mkdir()
    ends = [0, *sorted(cuts), 60]
    for place, (start, stop) in enumerate(itertools.pairwise(ends)):
        pq.write_table(table.slice(start, stop - start), folder / "p" / f"{place}.parquet")
    parted = ingest(open_source("p", folder), spec, snapshots=folder / "snapshots", keyring=keyring)
    assert parted.digest == take_in(folder / "whole.parquet", spec).digest
