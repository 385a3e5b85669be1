"""One query against a database, streamed. It only reads, and the password in the address is never shown.

Answers: which rows does the query give now?
Does not answer: whether it gives the same tomorrow. The snapshot is what stays.
Rows pass through Python objects here, as every Python database driver makes them.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from sealwright.data.errors import SourceUnreadable
from sealwright.data.names import check_column_names
from sealwright.data.source_spec import SqlSource
from sealwright.data.sources.columnar import readable_type
from sealwright.data.sources.model import SourceBatch, Transport
from sealwright.data.sources.network import is_this_machine
from sealwright.data.sources.sql_transport import IsLocal, found_transport, planned_transport

__all__ = ["DatabaseQuery"]

_ROWS = 10_000
_READS = re.compile(r"\s*(?:select|with|values|table)\b", re.IGNORECASE)


class DatabaseQuery:
    """The rows of one SELECT, read in a transaction that is always rolled back.

    `is_local` says which hosts count as this machine, to which rows may travel without TLS.
    """

    kind = "sql"
    decimal = "."

    transport: Transport

    def __init__(self, spec: SqlSource, environment: Mapping[str, str], *, is_local: IsLocal = is_this_machine) -> None:
        self.spec = spec
        self._is_local = is_local
        self.notes: tuple[str, ...] = ()
        self.unreadable: Mapping[str, str] = {}
        self.share = 0.0
        if not _READS.match(spec.sql):
            raise SourceUnreadable("A data query is one SELECT statement; data.source.sql begins with something else.")
        self._url = _address(spec, environment)
        self.name = f"{self._url.get_backend_name()} query"
        self._plan = planned_transport(self._url, spec, is_local)
        with self._rows() as found:
            self.columns = check_column_names(tuple(found.keys()), what=f"The {self.name}")
        if self.transport.encrypted and "server verified" not in self.transport.how:
            self.notes = (f"the way to the database: {self.transport.how}",)

    @property
    def digest(self) -> str:
        return ""

    def batches(self, only: Collection[str] | None = None) -> Iterator[SourceBatch]:
        wanted = [name for name in self.columns if only is None or name in only]
        places = [self.columns.index(name) for name in wanted]
        seen = 0
        with self._rows() as found:
            if tuple(found.keys()) != self.columns:
                raise SourceUnreadable(f"The {self.name} gives other columns than before. Try again.")
            for part in self._parts(found):
                cells = list(zip(*part, strict=True))
                arrays = [_column(cells[place], self.columns[place]) for place in places]
                numbers = np.arange(seen + 1, seen + len(part) + 1, dtype=np.int64)
                seen += len(part)
                yield SourceBatch(pa.RecordBatch.from_arrays(arrays, names=wanted), numbers)
        if not seen:
            raise SourceUnreadable(f"The {self.name} gives no rows. There is nothing to learn from.")
        self.share = 1.0

    def _parts(self, found: Any) -> Iterator[Sequence[Sequence[Any]]]:
        try:
            yield from found.partitions(_ROWS)
        except sa.exc.SQLAlchemyError as error:
            raise self._failed(error) from None

    @contextmanager
    def _rows(self) -> Iterator[Any]:
        """The open result of the query; nothing it did is kept."""
        engine = None
        try:
            engine = sa.create_engine(self._url, poolclass=sa.NullPool, hide_parameters=True)
            with engine.connect() as connection:
                self.transport = found_transport(connection, self._plan, self._is_local)
                _only_read(connection)
                options = {"stream_results": True, "max_row_buffer": _ROWS, "no_parameters": True}
                found = connection.execution_options(**options).exec_driver_sql(self.spec.sql)
                try:
                    yield found
                finally:
                    found.close()
                    connection.rollback()
        except (sa.exc.SQLAlchemyError, ImportError) as error:
            raise self._failed(error) from None
        finally:
            if engine is not None:
                engine.dispose()

    def _failed(self, error: Exception) -> SourceUnreadable:
        """In our words. A message of the driver is shown only where it cannot quote data, and without the password."""
        said = ""
        if isinstance(error, (sa.exc.OperationalError, sa.exc.ProgrammingError)):
            said = str(error.orig).strip().splitlines()[0][:200]
            if self._url.password:
                said = said.replace(str(self._url.password), "***")
        if isinstance(error, ImportError):
            said = f"the driver for {self._url.get_backend_name()} is not installed"
        reason = f": {said}" if said else ""
        return SourceUnreadable(
            f"The {self.name} named by {self.spec.url_env} failed ({type(error).__name__}){reason}.\n"
            "Check the address in that variable, the rights of its user, and data.source.sql."
        )


def _address(spec: SqlSource, environment: Mapping[str, str]) -> sa.URL:
    text = environment.get(spec.url_env, "")
    if not text:
        raise SourceUnreadable(
            f"The environment variable {spec.url_env} is not set.\n"
            "Put the database address there, e.g. postgresql+psycopg://user:password@host/name"
        )
    try:
        url = sa.make_url(text)
        url.get_dialect()
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ImportError, ValueError):
        raise SourceUnreadable(
            f"{spec.url_env} does not hold a database address SQLAlchemy understands.\n"
            "It looks like postgresql+psycopg://user:password@host/name or sqlite:////folder/file.db"
        ) from None
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise SourceUnreadable(f"The SQLite database named by {spec.url_env} does not exist.")
    return url


def _only_read(connection: sa.Connection) -> None:
    """Ask the database itself to refuse writes, where it can."""
    backend = connection.engine.url.get_backend_name()
    if backend == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")
        connection.exec_driver_sql("PRAGMA temp_store = MEMORY")  # sorting may not spill rows into a file in the clear
    elif backend == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")


def _column(cells: Sequence[Any], name: str) -> Any:
    """Cells of one column as Arrow: one type if they have one, else the text of each."""
    try:
        array = pa.array(cells)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        array = pa.array([None if cell is None else str(cell) for cell in cells], pa.string())
    except (pa.ArrowNotImplementedError, UnicodeEncodeError):
        raise SourceUnreadable(
            f"Column {name!r} of the query holds values we do not read. Cast it in the query."
        ) from None
    if not readable_type(array.type):
        raise SourceUnreadable(
            f"Column {name!r} of the query is of type {array.type}, which is not read. Cast it in the query."
        )
    return array
