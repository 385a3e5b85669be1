"""What these tests share: `asking`, and one draw over a table without persons."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sealwright.data.dp import Released, extract, mechanism_for

_spec = importlib.util.spec_from_file_location("dp_asking", Path(__file__).with_name("asking.py"))
assert _spec is not None
assert _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
sys.modules["dp_asking"] = _module
_spec.loader.exec_module(_module)

from dp_asking import named, plan  # noqa: E402


@pytest.fixture
def draw() -> Callable[..., Released]:
    """Plan, extract and draw once."""

    def run(table: pa.Table, kind: Any, epsilon: str = "1", **more: Any) -> Released:
        planned = plan(kind, epsilon, **more)
        return mechanism_for(planned, 1)(extract(table, planned, rows=1, subject=None, named=named))

    return run
