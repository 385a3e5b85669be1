"""The servers of tests/loopback.py, and a canary."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

if "loopback" not in sys.modules:
    _spec = importlib.util.spec_from_file_location("loopback", Path(__file__).parents[2] / "loopback.py")
    assert _spec is not None
    assert _spec.loader is not None
    _module = importlib.util.module_from_spec(_spec)
    sys.modules["loopback"] = _module
    _spec.loader.exec_module(_module)

from loopback import Canary, silent_canary


@pytest.fixture
def canary() -> Iterator[Canary]:
    """Listens on every local address; the test fails if anything connects."""
    with silent_canary() as listening:
        yield listening
        assert listening.seen == []
