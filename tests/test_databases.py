"""A database that is copied or put back for a test is as good as a new one."""

from typing import Any

import pytest

from databases import PostgresSchema, bare_schema
from sealwright.engines import Database, open_database

_CONSENT = """
INSERT INTO consents (project, purpose, subject, change, text_version, text_digest, channel, at, recorded_at)
VALUES ('p', 'p', 's', 'given', '1', 'sha256:0', 'post', 'now', 'now')
"""


@pytest.mark.parametrize("turn", [1, 2])
def test_a_row_of_one_test_is_not_there_in_the_next_and_numbers_begin_anew(db: Database, turn: int) -> None:
    with db.write() as tx:
        assert tx.run("SELECT seq FROM consents") == []
        tx.run(_CONSENT)
        tx.run("INSERT INTO runs VALUES ('r', 'p', 'begun', '{}', 'now', 'now')")
        assert [row["seq"] for row in tx.run("SELECT seq FROM consents")] == [1]
        assert {row["sequence"] for row in tx.run("SELECT sequence FROM machine_sequences")} == {0}
        tx.run("UPDATE machine_sequences SET sequence = 7")


@pytest.mark.postgres
def test_tables_that_a_test_changed_are_made_anew(postgres_schema: PostgresSchema) -> None:
    with bare_schema(postgres_schema.base) as bare:
        open_database(bare).close()
        new = _columns(bare)
    for change in ("DROP TABLE runs", "ALTER TABLE runs ADD COLUMN more text", "CREATE TABLE another (a int)"):
        url = postgres_schema.as_new()
        assert _columns(url) == new
        _do(url, change)
        assert _columns(url) != new
    assert _columns(postgres_schema.as_new()) == new


def _do(url: str, statement: str) -> list[Any]:
    import psycopg

    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as link:
        done = link.execute(statement)  # type: ignore[arg-type]
        return done.fetchall() if done.description else []


def _columns(url: str) -> list[Any]:
    query = (
        "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = current_schema"
    )
    return sorted(_do(url, query))
