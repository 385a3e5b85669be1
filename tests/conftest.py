"""What every test may ask for: real databases, on every engine that answers here."""

import gc
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
_LONGEST = (  # files that take more than ten seconds: they begin first, so that both workers end together
    "docs/test_commands_in_docs",
    "journeys/test_resume",
    "doors/control/test_rotation",
    "journeys/test_loosened",
    "journeys/test_make_up",
    "doors/test_views",
    "journeys/test_any_table",
    "trust/signing/test_elsewhere",
    "registry/test_registry",
    "doors/test_assessment",
    "assurance/test_service",
    "journeys/test_keys_change",
    "journeys/test_high_risk",
    "journeys/test_keys_in_a_token",
    "training/test_train",
    "pipeline/test_private_training",
    "pipeline/test_data_keys",
    "pipeline/test_assessment_goes_on",
    "pipeline/test_private_release",
    "pipeline/test_spread",
    "trust/signing/test_elsewhere_attacks",
    "journeys/test_mitigation",
    "data/test_sources_s3",
    "serving/test_process",
    "serving/scoring/test_scoring_goes_on",
    "serving/test_rotation_under_load",
    "serving/test_ca_change_under_load",
    "journeys/test_private_numbers",
    "docs/test_readme",
    "trust/test_ledger_faults",
    "journeys/test_secrets_stay",
    "journeys/test_attested",
    "journeys/test_erasure",
    "docs/test_reference",
    "docs/test_tutorial",
    "data/test_memory",
    "journeys/test_postgres",
)

for _name in ("acting", "databases", "warm"):  # so that every test can say: from acting import person
    if _name not in sys.modules:
        _spec = importlib.util.spec_from_file_location(_name, Path(__file__).parent / f"{_name}.py")
        assert _spec is not None
        assert _spec.loader is not None
        sys.modules[_name] = importlib.util.module_from_spec(_spec)
        _spec.loader.exec_module(sys.modules[_name])

from databases import PostgresSchema, SqliteFile, bare_schema  # noqa: E402
from warm import Warm  # noqa: E402


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The order of a run is random (pytest-randomly), but for the longest files; see --dist and the order in Makefile."""
    place = {_REPOSITORY / "tests" / f"{name}.py": number for number, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


def pytest_collection_finish() -> None:
    """Eleven thousand tests and all they import stay to the end: the garbage collector need not look at them each time."""
    gc.collect()
    gc.freeze()


_POSTGRES = os.environ.get("SEALWRIGHT_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1:5432/test")


def _postgres_answers() -> bool:
    try:
        import psycopg

        with psycopg.connect(_POSTGRES.replace("+psycopg", ""), connect_timeout=2):
            return True
    except Exception:  # noqa: BLE001 - any reason means: not available here
        return False


@pytest.fixture(scope="session", autouse=True)
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    """`sealwright`, started already (with the first command): where its own start is not what is tested."""
    with Warm(tmp_path_factory.mktemp("warm")) as waiting:
        Warm.of_this_session = waiting
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
