"""What every test may ask for: real databases, on every engine that answers here."""

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from sealwright.engines import Database, open_database

# No time limit per example: a busy machine is no fault of the code. In CI the same examples each time.
settings.register_profile("here", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("here")

_REPOSITORY = Path(__file__).parent.parent

for _name in ("acting", "databases", "warm"):  # so that every test can say: from acting import person
    if _name not in sys.modules:
        _spec = importlib.util.spec_from_file_location(_name, Path(__file__).parent / f"{_name}.py")
        assert _spec is not None
        assert _spec.loader is not None
        sys.modules[_name] = importlib.util.module_from_spec(_spec)
        _spec.loader.exec_module(sys.modules[_name])

from databases import PostgresSchema, SqliteFile, bare_schema  # noqa: E402
from warm import Warm  # noqa: E402

_POSTGRES = os.environ.get("SEALWRIGHT_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1:5432/test")


def _postgres_answers() -> bool:
    try:
        import psycopg

        with psycopg.connect(_POSTGRES.replace("+psycopg", ""), connect_timeout=2):
            return True
    except Exception:  # noqa: BLE001 - any reason means: not available here
        return False


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    """`sealwright`, started already (with the first command): where its own start is not what is tested."""
    with Warm(tmp_path_factory.mktemp("warm")) as waiting:
        yield waiting


@pytest.fixture(scope="session")
def oracles() -> Path:
    """A Python of its own with other people's tools that ours must agree with: Great Expectations, mlcroissant."""
    python = Path(os.environ.get("SEALWRIGHT_ORACLES", _REPOSITORY / ".oracles" / "bin" / "python"))
    if not python.exists():
        pytest.skip("the tools to agree with are not installed; set them up with: make oracles")
    return python


@pytest.fixture(scope="session")
def postgres_url() -> str:
    if not _postgres_answers():
        pytest.skip("PostgreSQL does not answer: this half of the contract battery was not run")
    return _POSTGRES


_ENGINES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=_ENGINES)
def bare_db_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database that nobody has opened: a file that is not there, then a schema of its own on a real server."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'db.sqlite'}"
        return
    with bare_schema(request.getfixturevalue("postgres_url")) as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> SqliteFile:
    return SqliteFile(tmp_path_factory.mktemp("empty-database"))


@pytest.fixture(scope="session")
def postgres_schema(postgres_url: str) -> Iterator[PostgresSchema]:
    schema = PostgresSchema(postgres_url)
    yield schema
    schema.drop()


@pytest.fixture(params=_ENGINES)
def db_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database as a new one is once it was opened: a file, then a schema on a real server."""
    if request.param == "sqlite":
        file: SqliteFile = request.getfixturevalue("sqlite_file")
        return file.copy(tmp_path / "db.sqlite")
    schema: PostgresSchema = request.getfixturevalue("postgres_schema")
    return schema.as_new()


@pytest.fixture
def db(db_url: str) -> Iterator[Database]:
    database = open_database(db_url)
    yield database
    database.close()
