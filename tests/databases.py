"""Databases for tests: a new one takes as long as the test, so the tables are made once and then copied, or put back.

`bare_schema` is a database nobody has opened yet. `SqliteFile` and `PostgresSchema` have the tables and rows that a new
one has once it was opened; a schema whose tables a test changed is not used again.
"""

import contextlib
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sealwright.engines import open_database

with contextlib.suppress(ImportError):  # then no test of PostgreSQL runs
    from psycopg import sql

__all__ = ["PostgresSchema", "SqliteFile", "bare_schema"]

_SHAPE = """
SELECT c.relname, c.relkind, a.attname, a.atttypid, a.attnotnull, pg_get_expr(d.adbin, d.adrelid)
FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = %(schema)s::regnamespace
UNION ALL SELECT conname, contype, pg_get_constraintdef(oid), NULL, NULL, NULL
FROM pg_constraint WHERE connamespace = %(schema)s::regnamespace
UNION ALL SELECT tgname, 't', pg_get_triggerdef(t.oid), NULL, NULL, NULL
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = %(schema)s::regnamespace
ORDER BY 1, 2, 3
"""


class SqliteFile:
    """A file with the tables of this release, to copy."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "empty.sqlite"
        open_database(f"sqlite:///{self._file}").close()

    def copy(self, to: Path) -> str:
        shutil.copy(self._file, to)
        return f"sqlite:///{to}"


class PostgresSchema:
    """A schema of our own with the tables and rows of a new database, put back into that state for each test."""

    def __init__(self, base: str) -> None:
        self.base, self._name = base, ""
        self._shape: list[Any] = []
        self._rows: dict[str, list[Any]] = {}  # what a new database has: table -> rows

    def as_new(self) -> str:
        """Its URL. The schema is made anew where there is none, or where a test left other tables than it found."""
        with _admin(self.base) as admin:
            if not self._name or self._shape_now(admin) != self._shape:
                self._make(admin)
            else:
                self._put_back(admin)
        return _url_of(self.base, self._name)

    def drop(self) -> None:
        if self._name:
            with _admin(self.base) as admin:
                _drop(admin, self._name)
            self._name = ""

    def _make(self, admin: Any) -> None:
        self.drop()
        self._name = _create(admin)
        open_database(_url_of(self.base, self._name)).close()
        self._shape = self._shape_now(admin)
        self._rows = {
            table: admin.execute(sql.SQL("SELECT * FROM {}").format(self._place(table))).fetchall()
            for table in self._filled(admin)
        }

    def _put_back(self, admin: Any) -> None:
        for table in {*self._filled(admin), *self._rows}:
            admin.execute(sql.SQL("DELETE FROM {}").format(self._place(table)))
            for row in self._rows.get(table, ()):
                values = sql.SQL(", ").join(map(sql.Literal, row))
                admin.execute(sql.SQL("INSERT INTO {} VALUES ({})").format(self._place(table), values))
        for name in self._named("S"):
            admin.execute(sql.SQL("ALTER SEQUENCE {} RESTART").format(self._place(name)))

    def _filled(self, admin: Any) -> list[str]:
        """The tables that have rows."""
        tables = self._named("r")
        any_row = (sql.SQL("EXISTS (SELECT FROM {})").format(self._place(table)) for table in tables)
        found = admin.execute(sql.SQL("SELECT {}").format(sql.SQL(", ").join(any_row))).fetchone()
        return [table for table, filled in zip(tables, found, strict=True) if filled]

    def _shape_now(self, admin: Any) -> list[Any]:
        return list(admin.execute(_SHAPE, {"schema": self._name}).fetchall())

    def _named(self, kind: str) -> list[str]:
        return sorted({name for name, found, *_ in self._shape if found == kind})

    def _place(self, name: str) -> Any:
        return sql.Identifier(self._name, name)


@contextlib.contextmanager
def bare_schema(base: str) -> Iterator[str]:
    """The URL of a schema without tables, dropped afterwards."""
    with _admin(base) as admin:
        name = _create(admin)
    try:
        yield _url_of(base, name)
    finally:
        with _admin(base) as admin:
            _drop(admin, name)


def _admin(base: str) -> Any:
    import psycopg

    return psycopg.connect(base.replace("+psycopg", ""), autocommit=True)


def _url_of(base: str, schema: str) -> str:
    return f"{base}?options=-csearch_path%3D{schema}"


def _create(admin: Any) -> str:
    name = f"t_{secrets.token_hex(6)}"
    admin.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
    return name


def _drop(admin: Any, name: str) -> None:
    admin.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))
