"""The serving benchmark's modules, which are scripts beside each other and no package."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks" / "serving"


@pytest.fixture
def serving_benchmark() -> Iterator[Path]:
    """Its modules can be imported while a test runs, and are forgotten afterwards."""
    before = set(sys.modules)
    sys.path.insert(0, str(FOLDER))
    yield FOLDER
    sys.path.remove(str(FOLDER))
    ours = {path.stem for path in FOLDER.glob("*.py")}
    for name in ours & (set(sys.modules) - before):
        del sys.modules[name]
