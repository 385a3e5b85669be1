"""The engines that work is spread over, and a program of small jobs to try them with."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealwright.engines import Compute, Processes, RayCluster, Serial, Work

_WORKERS = Path(__file__).parent / "workers"


@pytest.fixture(scope="session")
def work() -> Iterator[Work]:
    """Jobs of tests/engines/workers/small_jobs.py, which child processes find on their path."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(_WORKERS)
        patch.setenv("PYTHONPATH", str(_WORKERS), prepend=":")
        spec = importlib.util.spec_from_file_location("small_jobs", _WORKERS / "small_jobs.py")
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules["small_jobs"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield Work(module="small_jobs", prepare=module.prepare)


@pytest.fixture(scope="session")
def cluster(work: Work) -> Iterator[RayCluster]:  # its workers find the jobs on the path of the one who starts it
    """One Ray cluster of this machine for all tests: it takes seconds to start."""
    if importlib.util.find_spec("ray") is None:  # not imported here: the engine must be the first
        pytest.skip("ray is not installed")
    engine = RayCluster(2)
    with engine._cluster(1 << 20):
        yield engine


@pytest.fixture(params=["serial", "processes", pytest.param("ray", marks=pytest.mark.slow)])
def engine(request: pytest.FixtureRequest, work: Work) -> Compute:
    if request.param == "ray":
        return request.getfixturevalue("cluster")
    return Serial() if request.param == "serial" else Processes(2)
