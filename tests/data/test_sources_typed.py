"""Parquet, Arrow and SQL give the same rows as a CSV of them, and secrets stay secret."""

import datetime as dt
import os
import secrets
import sqlite3
import subprocess
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from sealwright.data import FileSource, Source, SourceUnreadable, SqlSource, open_source
from sealwright.data.errors import ColumnsUnusable
from sealwright.kernel import digest_of_file

TABLE = pa.table({"a": pa.array([1, 2, None]), "b": pa.array(["x", None, "z"]), "c": [1.5, 2.5, 3.5]})


def write(table: pa.Table, path: Path) -> Path:
    match path.suffix:
        case ".parquet" | ".pq":
            pq.write_table(table, path, row_group_size=2)
        case ".feather":
            feather.write_feather(table, str(path), compression="lz4")
        case ".arrow":
            with pa.ipc.new_file(str(path), table.schema) as writer:
                writer.write_table(table, max_chunksize=2)
        case ".arrows":
            with pa.ipc.new_stream(str(path), table.schema) as writer:
                writer.write_table(table, max_chunksize=2)
    return path


def rows_of(source: Source, only: Any = None) -> list[dict[str, Any]]:
    rows, numbers = [], []
    for batch in source.batches(only):
        rows += batch.rows.to_pylist()
        numbers += batch.numbers.tolist()
    assert numbers == list(range(1, len(rows) + 1))
    return rows


@pytest.mark.parametrize("ending", [".parquet", ".pq", ".feather", ".arrow", ".arrows"])
def test_every_typed_format_gives_its_rows(tmp_path: Path, ending: str) -> None:
    path = write(TABLE, tmp_path / f"t{ending}")
    source = open_source(path.name, tmp_path)
    assert rows_of(source) == TABLE.to_pylist()
    assert rows_of(source, {"c", "a"}) == TABLE.select(["a", "c"]).to_pylist()
    assert source.digest == digest_of_file(path)
    assert (source.name, source.columns) == (path.name, ("a", "b", "c"))


@pytest.mark.parametrize("ending", [".parquet", ".arrow", ".arrows"])
def test_a_cut_or_foreign_file_is_refused(tmp_path: Path, ending: str) -> None:
    path = write(TABLE, tmp_path / f"t{ending}")
    whole = path.read_bytes()
    for data in (whole[: len(whole) // 2], b"a,b\n1,2\n", b"PK\x03\x04" + whole[4:]):
        path.write_bytes(data)
        with pytest.raises(SourceUnreadable, match=r"is not a whole|no rows"):
            rows_of(open_source(path.name, tmp_path))


@pytest.mark.parametrize("ending", [".parquet", ".arrow", ".arrows"])
def test_a_file_without_rows_is_refused(tmp_path: Path, ending: str) -> None:
    path = write(TABLE.slice(0, 0), tmp_path / f"t{ending}")
    with pytest.raises(SourceUnreadable, match="no rows"):
        open_source(path.name, tmp_path)


def test_a_parquet_file_encrypted_by_somebody_else_is_refused(tmp_path: Path) -> None:
    import pyarrow.parquet.encryption as pe

    class Keys(pe.KmsClient):  # type: ignore[misc]
        def __init__(self, _config: Any) -> None:
            super().__init__()

        def wrap_key(self, key_bytes: bytes, _name: str) -> bytes:
            return key_bytes.hex().encode()

    factory = pe.CryptoFactory(Keys)
    settings = pe.EncryptionConfiguration(footer_key="k", uniform_encryption=True)
    properties = factory.file_encryption_properties(pe.KmsConnectionConfig(), settings)
    pq.write_table(TABLE, tmp_path / "t.parquet", encryption_properties=properties)
    with pytest.raises(SourceUnreadable, match="encrypted with keys of another program"):
        open_source("t.parquet", tmp_path)


def test_an_arrow_file_with_lying_offsets_is_refused(tmp_path: Path) -> None:
    path = write(pa.table({"a": ["x" * 1_193_046]}), tmp_path / "t.arrow")
    told, lying = (1_193_046).to_bytes(4, "little"), (2_000_000_000).to_bytes(4, "little")
    whole = path.read_bytes()
    at = (
        whole.rindex(b"\0\0\0\0" + told) + 4
    )  # the offsets of the one value, after the metadata that names the same length
    path.write_bytes(whole[:at] + lying + whole[at + 4 :])
    with pytest.raises(SourceUnreadable, match="is not a whole"):
        rows_of(open_source("t.arrow", tmp_path))


def test_repeated_column_names_are_refused(tmp_path: Path) -> None:
    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    write(twice, tmp_path / "t.arrow")
    with pytest.raises(ColumnsUnusable, match="both called 'a'"):
        open_source("t.arrow", tmp_path)


def test_nested_and_binary_columns_are_named_and_can_be_left_out(tmp_path: Path) -> None:
    odd = pa.table({"a": [1], "l": [[1, 2]], "b": [b"\x00"]})
    source = open_source(write(odd, tmp_path / "t.parquet").name, tmp_path)
    assert set(source.unreadable) == {"l", "b"}
    assert rows_of(source) == [{"a": 1}]
    with pytest.raises(SourceUnreadable, match=r"l \(list"):
        rows_of(source, {"a", "l"})


def test_csv_settings_do_not_apply_to_typed_files(tmp_path: Path) -> None:
    write(TABLE, tmp_path / "t.parquet")
    with pytest.raises(SourceUnreadable, match="decimal are for CSV files"):
        open_source(FileSource(file="t.parquet", decimal=","), tmp_path)


# --- SQL


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "credit.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE loans (a INTEGER, b TEXT, c REAL)")
        db.executemany("INSERT INTO loans VALUES (?, ?, ?)", [(1, "x", 1.5), (2, None, 2.5), (None, "z", 3.5)])
    db.close()
    return path


def query(sql: str, url: str) -> Source:
    return open_source(SqlSource(sql=sql, url_env="CREDIT_URL"), Path(), environment={"CREDIT_URL": url})


def test_a_query_gives_its_rows(database: Path) -> None:
    source = query("SELECT a, b, c FROM loans ORDER BY rowid", f"sqlite:///{database}")
    assert rows_of(source) == TABLE.to_pylist()
    assert rows_of(source, {"b"}) == TABLE.select(["b"]).to_pylist()
    assert (source.name, source.kind) == ("sqlite query", "sql")


def test_the_address_is_looked_up_in_the_environment_of_the_process(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDIT_URL", f"sqlite:///{database}")
    assert len(rows_of(open_source(SqlSource(sql="SELECT * FROM loans", url_env="CREDIT_URL"), Path()))) == 3


def test_a_mixed_column_comes_as_the_text_of_each_cell(database: Path) -> None:
    with sqlite3.connect(database) as db:
        db.execute("CREATE TABLE mixed (a)")
        db.executemany("INSERT INTO mixed VALUES (?)", [(1,), ("x",), (2.5,), (None,)])
    db.close()
    rows = rows_of(query("SELECT a FROM mixed", f"sqlite:///{database}"))
    assert [row["a"] for row in rows] == ["1", "x", "2.5", None]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM loans",
        "UPDATE loans SET a = 1",
        "DROP TABLE loans",
        "PRAGMA user_version = 7",
        "",
        "-- SELECT",
        "INSERT INTO loans SELECT 1,2,3",
    ],
)
def test_a_query_that_is_no_select_is_refused(database: Path, sql: str) -> None:
    with pytest.raises((SourceUnreadable, ValueError), match=r"one SELECT statement|at least 1 character"):
        query(sql, f"sqlite:///{database}")
    with sqlite3.connect(database) as db:
        assert db.execute("SELECT count(*) FROM loans").fetchone() == (3,)
    db.close()


def test_a_select_that_writes_is_refused_by_the_database(database: Path) -> None:
    with pytest.raises(SourceUnreadable, match="failed"):
        query("WITH gone AS (SELECT 1) DELETE FROM loans RETURNING a", f"sqlite:///{database}")
    with sqlite3.connect(database) as db:
        assert db.execute("SELECT count(*) FROM loans").fetchone() == (3,)
    db.close()


@pytest.mark.parametrize(
    ("sql", "match"),
    [
        ("SELECT a, a FROM loans", "both called 'a'"),
        ("SELECT x'00ff' AS a", "binary"),
        ("SELECT colour FROM loans", "no such column: colour"),
        ("SELECT a FROM loans WHERE a > 99", "gives no rows"),
        ("SELECT a FROM loans; DELETE FROM loans", "failed"),
    ],
)
def test_a_query_that_gives_no_table_is_refused_in_words(database: Path, sql: str, match: str) -> None:
    with pytest.raises((SourceUnreadable, ColumnsUnusable), match=match):
        rows_of(query(sql, f"sqlite:///{database}"))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://auditor:S3cretWord@127.0.0.1:1/credit",
        "mysql+nodriver://auditor:S3cretWord@localhost/credit",
        "nothing://auditor:S3cretWord@localhost/credit",
        "auditor:S3cretWord@localhost",
        "oracle://auditor:S3cretWord@localhost/credit",
    ],
)
def test_the_password_is_in_no_error(url: str) -> None:
    with pytest.raises(SourceUnreadable) as refused:
        query("SELECT 1 AS a", url)
    assert "S3cretWord" not in repr(refused.value) + str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


@pytest.mark.postgres
def test_a_driver_that_repeats_the_password_does_not_give_it_away(postgres_url: str) -> None:
    url = sa.make_url(postgres_url).set(password="S3cretWord", database="no_S3cretWord")
    with pytest.raises(SourceUnreadable, match=r'database "no_\*\*\*" does not exist'):
        query("SELECT 1 AS a", url.render_as_string(hide_password=False))


def test_an_unset_address_is_refused_by_its_name() -> None:
    with pytest.raises(SourceUnreadable, match="CREDIT_URL is not set"):
        query("SELECT 1", "")


def test_a_missing_sqlite_file_is_refused_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="does not exist"):
        query("SELECT 1", f"sqlite:///{tmp_path / 'new.db'}")
    assert not (tmp_path / "new.db").exists()


@pytest.mark.postgres
def test_postgresql_rows_come_typed_and_writes_are_refused(postgres_url: str) -> None:
    import psycopg

    table = f"loans_{secrets.token_hex(4)}"
    plain = postgres_url.replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as admin:
        admin.execute(f"CREATE TABLE {table} (a bigint, b numeric(6,2), c date, d boolean, e text)")  # type: ignore[call-overload]
        admin.execute(
            f"INSERT INTO {table} SELECT n, n / 4.0, DATE '2015-01-01' + n, n % 2 = 0, '100% :x' FROM generate_series(1, 25000) n"
        )  # type: ignore[call-overload]
    try:
        rows = rows_of(query(f"SELECT * FROM {table} WHERE e LIKE '100%' AND e::text <> ':y' ORDER BY a", postgres_url))
        assert len(rows) == 25_000
        assert rows[1] == {"a": 2, "b": Decimal("0.50"), "c": dt.date(2015, 1, 3), "d": True, "e": "100% :x"}
        with pytest.raises(SourceUnreadable, match="failed"):
            rows_of(query(f"WITH gone AS (DELETE FROM {table} RETURNING a) SELECT a FROM gone", postgres_url))
        with psycopg.connect(plain) as admin:
            assert admin.execute(f"SELECT count(*) FROM {table}").fetchone() == (25_000,)  # type: ignore[call-overload]
    finally:
        with psycopg.connect(plain, autocommit=True) as admin:
            admin.execute(f"DROP TABLE {table}")  # type: ignore[call-overload]


def test_no_test_here_left_its_address_behind() -> None:
    assert "CREDIT_URL" not in os.environ


# --- memory

_MEMORY = """
import sys
from pathlib import Path
from sealwright.data import open_source

memory = lambda what: next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith(what)) // 1024
source = open_source(sys.argv[1], Path())
Path("/proc/self/clear_refs").write_text("5")
before = memory("VmRSS")
assert sum(batch.rows.num_rows for batch in source.batches()) == int(sys.argv[2])
print(memory("VmHWM") - before)
"""


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".parquet", ".arrow"])
def test_memory_does_not_grow_with_the_row_groups(
    tmp_path: Path, ending: str, run_child: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    grown = []
    for rows in (200_000, 2_000_000):
        table = pa.table({f"c{n}": pa.array(range(rows * n, rows * (n + 1)), pa.int64()) for n in range(10)})
        path = tmp_path / f"{rows}{ending}"
        if ending == ".parquet":
            pq.write_table(table, path, compression="none", use_dictionary=False, row_group_size=50_000)
        else:
            with pa.ipc.new_file(str(path), table.schema) as writer:
                writer.write_table(table, max_chunksize=50_000)
        ended = run_child(_MEMORY, path, str(rows))
        assert ended.returncode == 0, ended.stderr
        grown.append(int(ended.stdout))
    assert grown[1] <= grown[0] + 60, grown
