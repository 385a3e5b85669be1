"""A small port to a relational database: open a transaction, run fixed SQL, get rows.

Answers: how is something kept for good, on one file or on a server?
Does not answer: what is kept. Each room writes its own statements; none builds SQL from parts
(`LiteralString` makes the type checker refuse it), values travel as `:named` parameters only.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, LiteralString, Protocol

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError

from sealwright.kernel import Conflict, InvalidInput, MissingExtra, OperationFailed

__all__ = ["Database", "Row", "Tx", "open_database"]

Row = Mapping[str, Any]

_SCRUB_TRIES, _SCRUB_WAIT = 50, 0.1  # a reader holds the log for the length of one short transaction


class Tx(Protocol):
    """An open transaction: leaving the block commits, an exception undoes it all."""

    def run(self, statement: LiteralString, /, **values: object) -> Sequence[Row]:
        """Execute one statement with :named values; return its rows, [] if it has none."""

    def run_many(self, statement: LiteralString, /, values: Sequence[Mapping[str, object]]) -> None:
        """Execute one statement once for each mapping of :named values: many rows in one go."""

    def hold_writers(self, table: LiteralString) -> None:
        """Make other writers of `table` wait until this transaction ends."""


class Database(Protocol):
    """Where rooms keep their tables. Safe to share between threads."""

    def write(self) -> AbstractContextManager[Tx]:
        """A transaction that may change things."""

    def read(self) -> AbstractContextManager[Tx]:
        """A transaction that only looks: one consistent state throughout."""

    def scrub(self, table: LiteralString) -> None:
        """After rows of `table` were deleted: leave no copy of them in the database's own files.

        SQLite: deleted cells are overwritten (secure_delete), and the write-ahead log is emptied. PostgreSQL: the table
        is rewritten; its write-ahead log and backups keep old pages until they are recycled, so what must be gone
        from there, too, has to be sealed under a key that is destroyed as well.
        """

    def close(self) -> None:
        """Give connections back."""


def open_database(url: str) -> Database:
    """Open the database at a SQLAlchemy URL and bring its tables to this release.

    Parameters
    ----------
    url : str
        "sqlite:////folder/db.sqlite" or "postgresql+psycopg://user@host/name". Passwords in the URL never
        reach a message.

    Raises
    ------
    InvalidInput
        Not a URL of a supported engine.
    MissingExtra
        PostgreSQL is asked for and psycopg is not installed.
    OperationFailed
        The server does not answer, or the tables are newer than this release.
    """
    from sealwright.engines.migrate import bring_up_to_date

    engine, lock = _engine(url)
    try:
        bring_up_to_date(engine)
    except DBAPIError as error:
        engine.dispose()
        raise _unreachable(error) from None
    except BaseException:
        engine.dispose()
        raise
    return _SqlDatabase(engine, lock)


class _SqlTx:
    """One connection inside one transaction."""

    def __init__(self, connection: Connection, lock: LiteralString) -> None:
        self._connection = connection
        self._lock = lock

    def run(self, statement: LiteralString, /, **values: object) -> Sequence[Row]:
        try:
            result = self._connection.execute(text(statement), values)
            return [dict(row) for row in result.mappings()] if result.returns_rows else []
        except IntegrityError:
            raise Conflict("This entry exists already, or was written by somebody else in the meantime.") from None
        except DBAPIError as error:
            raise _unreachable(error) from None

    def run_many(self, statement: LiteralString, /, values: Sequence[Mapping[str, object]]) -> None:
        if not values:
            return
        try:
            self._connection.execute(text(statement), [dict(row) for row in values])
        except IntegrityError:
            raise Conflict("An entry exists already, or was written by somebody else in the meantime.") from None
        except DBAPIError as error:
            raise _unreachable(error) from None

    def hold_writers(self, table: LiteralString) -> None:
        if self._lock:  # SQLite: inside BEGIN IMMEDIATE we are already the only writer
            self._connection.execute(text(f"{self._lock} {table} IN EXCLUSIVE MODE"))


class _SqlDatabase:
    """SQLAlchemy Core under the port; what differs between engines stands in `_engine`."""

    def __init__(self, engine: Engine, lock: LiteralString) -> None:
        self._engine = engine
        self._lock = lock

    @contextmanager
    def write(self) -> Iterator[Tx]:
        with self._begin("write") as connection:
            yield _SqlTx(connection, self._lock)

    @contextmanager
    def read(self) -> Iterator[Tx]:
        with self._begin("read") as connection:
            yield _SqlTx(connection, self._lock)

    @contextmanager
    def _begin(self, purpose: str) -> Iterator[Connection]:
        try:
            connection = self._engine.connect()
        except DBAPIError as error:
            raise _unreachable(error) from None
        with connection:
            connection = connection.execution_options(purpose=purpose)
            try:
                with connection.begin():
                    yield connection
            except DBAPIError as error:
                raise _unreachable(error) from None

    def scrub(self, table: LiteralString) -> None:
        statement: LiteralString = f"VACUUM (FULL) {table}" if self._lock else "PRAGMA wal_checkpoint(TRUNCATE)"
        try:
            with self._engine.connect() as connection:
                driver = connection.connection.driver_connection
                assert driver is not None
                if self._lock:
                    connection = connection.execution_options(isolation_level="AUTOCOMMIT")
                    connection.exec_driver_sql(statement)
                    return
                for _ in range(_SCRUB_TRIES):
                    busy, _, _ = driver.execute(statement).fetchone()
                    if not busy:
                        return
                    time.sleep(_SCRUB_WAIT)
        except DBAPIError as error:
            raise _unreachable(error) from None
        raise OperationFailed(
            "The database's write-ahead log could not be emptied: another program is reading.\n"
            "What was deleted is unreadable but not yet scrubbed. End the other program, then try again."
        )

    def close(self) -> None:
        self._engine.dispose()


def _engine(url: str) -> tuple[Engine, LiteralString]:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise InvalidInput("The database setting is not a URL. Example: sqlite:////srv/sealwright/db.sqlite") from None
    if parsed.drivername in {"sqlite", "sqlite+pysqlite"}:
        return _sqlite(parsed.database), ""
    if parsed.drivername in {"postgresql", "postgresql+psycopg"}:
        return _postgres(url), "LOCK TABLE"
    raise InvalidInput(
        f"The database engine {parsed.drivername!r} is not supported. Use sqlite:///… or postgresql+psycopg://…"
    )


def _sqlite(database: str | None) -> Engine:
    """One file, one writer at a time; every commit is on disk before it returns."""
    if not database or database == ":memory:":
        raise InvalidInput("SQLite needs a file here: sqlite:////folder/db.sqlite")
    engine = create_engine(f"sqlite:///{Path(database)}", connect_args={"timeout": 30.0, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we send BEGIN ourselves
        for pragma in (
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=FULL",
            "PRAGMA foreign_keys=ON",
            "PRAGMA secure_delete=ON",
            "PRAGMA trusted_schema=OFF",
        ):
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("purpose") == "read"
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _postgres(url: str) -> Engine:
    """A server with writers side by side, hence explicit table locks where order matters."""
    try:
        return create_engine(
            make_url(url).set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            connect_args={"connect_timeout": 10},
        )
    except (ModuleNotFoundError, NoSuchModuleError):
        raise MissingExtra("PostgreSQL", "postgres") from None


def _unreachable(error: DBAPIError) -> OperationFailed:
    """The driver's first line, without the URL or the values SQLAlchemy would add."""
    first = str(error.orig).strip().splitlines()[0][:200] if error.orig else "no answer"
    return OperationFailed(
        f"The database did not do what was asked: {first}\nCheck that it runs and has space, then try again."
    )
