"""Servers to attack: a prediction server and a control server, each a process of its own over a workspace of its own."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

_TESTS = Path(__file__).parent.parent


def _loaded(name: str, place: str) -> ModuleType:
    """A module of other tests, by its file; once."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, _TESTS / place)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


_whole_way = _loaded("whole_way", "whole_way.py")
_serving = _loaded("serving_conftest", "serving/conftest.py")
_control = _loaded("control_conftest", "doors/control/conftest.py")
empty_home = _whole_way.empty_home
stocked, house, row, interface = _serving.stocked, _serving.house, _serving.row, _serving.interface
place = _control.place


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the servers' error streams go: predict and control."""
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="module")
def predict_server(house: Any, logs: Path) -> Iterator[Any]:
    with (logs / "predict").open("wb") as stream, house.launch(limits=_serving.QUICK, stderr=stream) as running:
        yield running


@pytest.fixture(scope="module")
def predict(house: Any, predict_server: Any) -> Any:
    """A caller of the prediction server, with a good token."""
    return _serving.Client(house, predict_server.port)


@pytest.fixture(scope="module")
def control(place: Any, logs: Path) -> Iterator[Any]:
    """The control server, and how to ask it."""
    with _control.running(place, logs / "control") as server:
        yield server
