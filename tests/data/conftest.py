"""Real keys, real files: what the tests of this room share."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sealwright.data import DataSpec, Snapshot, ingest, open_source
from sealwright.trust import InsecurePassphraseForTests, Keyring, LocalSigner, Secret, create_keyring
from sealwright.trust.signing.vault import open_vault

ROOT = Path(__file__).parents[2]
UNLOCK = InsecurePassphraseForTests(Secret("correct horse battery staple"))


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ring") / "keys"


@pytest.fixture(scope="session")
def keyring(keys: Path) -> Iterator[Keyring]:
    with create_keyring(keys, "ws_test", UNLOCK) as ring:
        yield ring


@pytest.fixture(scope="session")
def stolen(keyring: Keyring, keys: Path) -> Mapping[str, LocalSigner]:
    """The workspace's private keys as a thief has them, who asks no signer."""
    assert keyring.trust_root
    return open_vault(keys, UNLOCK).signers


@pytest.fixture(scope="session")
def other_keyring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keyring]:
    with create_keyring(tmp_path_factory.mktemp("other") / "keys", "ws_test", UNLOCK) as ring:
        yield ring


@pytest.fixture(scope="session")
def german() -> Path:
    return ROOT / "examples/german-credit/german_credit.csv"


@pytest.fixture(scope="session")
def flights() -> Path:
    return Path(__file__).parent / "samples/flight_delays.csv.gz"


@pytest.fixture(scope="session")
def employment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first 5,000 rows of the census sample."""
    import pyarrow.parquet as pq

    path = tmp_path_factory.mktemp("employment") / "employment.parquet"
    pq.write_table(pq.read_table(ROOT / "examples/job-screening/employment.parquet").slice(0, 5000), path)
    return path


@pytest.fixture
def snapshots(tmp_path: Path) -> Path:
    return tmp_path / "snapshots"


@pytest.fixture
def take_in(tmp_path: Path, snapshots: Path, keyring: Keyring) -> Callable[..., Snapshot]:
    """Ingest a file, or text written to one, under a contract."""

    def run(data: Path | str | bytes, spec: DataSpec, **more: Any) -> Snapshot:
        path = data if isinstance(data, Path) else tmp_path / "data.csv"
        if isinstance(data, str):
            path.write_text(data, encoding="utf-8")
        elif isinstance(data, bytes):
            path.write_bytes(data)
        return ingest(open_source(str(path), tmp_path), spec, **{"snapshots": snapshots, "keyring": keyring, **more})

    return run


@pytest.fixture(scope="session")
def contract() -> Callable[..., DataSpec]:
    """A contract from its columns; `y` is the target unless another is named."""

    def make(columns: Mapping[str, Any], *, target: str = "y", **more: Any) -> DataSpec:
        columns = {"y": {"type": "boolean"}, **columns} if target == "y" and "y" not in columns else columns
        if columns[target]["type"] == "boolean":
            more.setdefault("positive", "true")
        return DataSpec.model_validate({"source": "data.csv", "target": target, "columns": columns, **more})

    return make


@pytest.fixture
def run_child() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a Python program in a process of its own."""

    def run(program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program, *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run
