"""The database port keeps its promises on every engine we support."""

import threading
from pathlib import Path

import pytest

from sealwright.engines import Database, open_database
from sealwright.kernel import Conflict, InvalidInput, OperationFailed

ADD = (
    "INSERT INTO people (name, roles, public_key, envelope, enrolled_at) "
    "VALUES (:name, :roles, 'key', 'envelope', '2026-01-01T00:00:00.000Z')"
)


def test_what_was_committed_is_read_back(db: Database) -> None:
    with db.write() as tx:
        tx.run(ADD, name="ada", roles="'; DROP TABLE people; --")
    with db.read() as tx:
        assert [dict(row) for row in tx.run("SELECT name, roles FROM people")] == [
            {"name": "ada", "roles": "'; DROP TABLE people; --"}
        ]


def test_a_failed_transaction_keeps_nothing(db: Database) -> None:
    with pytest.raises(RuntimeError, match="power cut"), db.write() as tx:
        tx.run(ADD, name="ada", roles="")
        raise RuntimeError("power cut")
    with db.read() as tx:
        assert tx.run("SELECT name FROM people") == []


def test_a_twin_is_a_conflict_not_a_stack_trace(db: Database) -> None:
    with db.write() as tx:
        tx.run(ADD, name="ada", roles="")
    with pytest.raises(Conflict, match="exists already"), db.write() as tx:
        tx.run(ADD, name="ada", roles="")


def test_racing_writers_get_distinct_numbers(db: Database) -> None:
    """Read-then-write under `hold_writers` must serialise; broken once on purpose on both engines."""
    failures: list[BaseException] = []

    def number_one() -> None:
        try:
            for _ in range(5):
                with db.write() as tx:
                    tx.hold_writers("people")
                    count = tx.run("SELECT COUNT(*) AS n FROM people")[0]["n"]
                    tx.run(ADD, name=f"p{count}", roles="")
        except BaseException as error:  # noqa: BLE001 - carried to the main thread
            failures.append(error)

    threads = [threading.Thread(target=number_one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with db.read() as tx:
        assert tx.run("SELECT COUNT(*) AS n FROM people")[0]["n"] == 20


def test_opening_twice_migrates_once_and_keeps_the_data(bare_db_url: str) -> None:
    first = open_database(bare_db_url)
    with first.write() as tx:
        tx.run(ADD, name="ada", roles="")
    first.close()
    second = open_database(bare_db_url)
    with second.read() as tx:
        assert len(tx.run("SELECT name FROM people")) == 1
    second.close()


def test_a_database_of_a_newer_release_is_left_alone(bare_db_url: str) -> None:
    first = open_database(bare_db_url)
    with first.write() as tx:
        tx.run("UPDATE alembic_version SET version_num = '9999'")
    first.close()
    with pytest.raises(OperationFailed, match="newer"):
        open_database(bare_db_url)


@pytest.mark.parametrize("url", ["", "not a url", "mysql://localhost/x", "sqlite://", "sqlite:///:memory:"])
def test_an_unusable_url_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(InvalidInput):
        open_database(url)


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(OperationFailed) as caught:
        open_database("postgresql+psycopg://someone:s3cret-canary@127.0.0.1:1/none")
    assert "s3cret-canary" not in str(caught.value)


def test_deleted_text_is_scrubbed_from_the_sqlite_file(tmp_path: Path) -> None:
    path = tmp_path / "db.sqlite"
    db = open_database(f"sqlite:///{path}")
    with db.write() as tx:
        tx.run(ADD, name="ada", roles="CANARY-roles-7c1")
    with db.write() as tx:
        tx.run("DELETE FROM people")
    db.close()
    assert b"CANARY-roles-7c1" not in path.read_bytes()


def test_many_rows_go_in_at_once_or_not_at_all(db: Database) -> None:
    with db.write() as tx:
        tx.run_many(ADD, [{"name": f"p{n}", "roles": ""} for n in range(1000)])
        tx.run_many(ADD, [])
    with pytest.raises(Conflict, match="exists already"), db.write() as tx:
        tx.run_many(ADD, [{"name": "new", "roles": ""}, {"name": "p7", "roles": ""}])
    with db.read() as tx:
        assert tx.run("SELECT COUNT(*) AS n FROM people")[0]["n"] == 1000


def test_t56_deleted_rows_are_in_no_file_of_the_database_after_a_scrub(tmp_path: Path) -> None:
    """Without secure_delete or without emptying the log, the marker is found: both were taken out once."""
    database = open_database(f"sqlite:///{tmp_path / 'db.sqlite'}")
    marker = "canary-5b1f09"
    with database.write() as tx:
        tx.run_many(ADD, [{"name": f"{marker}-{n}", "roles": "x" * 300} for n in range(200)])
    with database.write() as tx:
        tx.run("DELETE FROM people WHERE name LIKE :name", name=f"{marker}-%")
    assert any(marker.encode() in path.read_bytes() for path in tmp_path.iterdir()), "the log still has it"
    database.scrub("people")
    assert [path.name for path in tmp_path.iterdir() if marker.encode() in path.read_bytes()] == []
    database.close()


def test_a_table_can_be_scrubbed_on_every_engine(db: Database) -> None:
    with db.write() as tx:
        tx.run(ADD, name="ada", roles="")
        tx.run("DELETE FROM people")
    db.scrub("people")
    with db.read() as tx:
        assert tx.run("SELECT name FROM people") == []
