"""A Ray cluster: one that is started here for one call and listens on the loopback only, or one at an address.

Answers: how do jobs reach the cores of other machines?
Does not answer: is that cluster trustworthy. Material and answers go to whoever runs it, and its connections are as private as
its operators made them; a cluster started here asks for a token that only its own processes know.

An actor is a worker's place: it starts the same child process as the local engine and hands it job after job, so what is
computed is the same. Ray moves bytes, never objects of ours. `ray` is imported here only, when it is asked for.
"""

import contextlib
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sealwright.engines.compute import Material, Started, Work, cores
from sealwright.engines.compute_child import Child, answer_of, in_memory
from sealwright.kernel import InvalidInput, MissingExtra, OperationFailed, Refused

__all__ = ["RayCluster"]

_PORTION = 64 << 20  # bytes of material in one object of Ray's store
_LEAST_STORE = 96 << 20
_TRIES = 2  # Ray gives its helpers 15 seconds to start, which a busy machine may exceed once
_LONGEST_PLACE = 40  # characters: the path of a socket has at most 107 bytes, and Ray adds some sixty

_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "DO_NOT_TRACK": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_DEDUP_LOGS": "0",
}
# Ray replaces 127.0.0.1 by the machine's own address, except under this switch (ray 2.60, `get_node_ip_address`)
_LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "token"}


class RayCluster:
    """Workers on a Ray cluster.

    Parameters
    ----------
    workers : int, optional
        How many; left out: one for each core of the cluster.
    address : str, optional
        Of the head of a running cluster, HOST:PORT; left out: a cluster on this machine, for the time of one call.

    Raises
    ------
    MissingExtra
        Ray is not installed.
    """

    name = "ray"

    def __init__(self, workers: int | None = None, address: str | None = None) -> None:
        if workers is not None and workers < 1:
            raise InvalidInput(f"There must be at least one worker; got {workers}.")
        self._wanted, self._address = workers, address
        closed = all(os.environ.get(name) == value for name, value in _LOOPBACK.items())
        self._too_late = sys.modules.get("ray") is not None and not closed
        if not self._too_late:  # Ray reads them when it is imported
            os.environ.update(_QUIET if address is not None else _QUIET | _LOOPBACK)
        if address is None and not self._too_late:
            os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
        self._ray = _ray()

    @property
    def workers(self) -> int:
        return self._wanted or cores()

    def map(
        self, work: Work, material: Material, jobs: Sequence[bytes], started: Started | None = None
    ) -> Iterator[tuple[int, bytes]]:
        if not jobs:
            return
        ray = self._ray
        size = sum(memoryview(data).nbytes for data in material.values())
        with self._cluster(size) as there:
            count = min(self._wanted or there, len(jobs))
            names, portions = _portions(ray, material)
            place = ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(_Place)
            crew = [place.remote(work.module, names, *portions) for _ in range(count)]
            try:
                yield from _spread(ray, crew, jobs, started)
            finally:
                for one in crew:
                    with contextlib.suppress(Exception):  # it is gone already
                        ray.kill(one, no_restart=True)

    @contextmanager
    def _cluster(self, size: int) -> Iterator[int]:
        """A connection; how many cores there are."""
        ray = self._ray
        if ray.is_initialized():  # whoever did that keeps it
            yield int(ray.cluster_resources().get("CPU", 1))
            return
        if self._address is None and self._too_late:
            raise Refused(
                "Ray was imported before, so a cluster of its own could not be closed to others: it would listen on the network.\n"
                "Start your own with ray.init(...), which is then used, or do not import ray first."
            )
        with contextlib.ExitStack() as after:
            after.callback(ray.shutdown)
            if self._address is not None:
                _connect(ray, self._address)
            else:
                place = None if len(tempfile.gettempdir()) < _LONGEST_PLACE else "/tmp"  # noqa: S108 - a private folder in it
                home = Path(tempfile.mkdtemp(prefix="sw-", dir=place))
                after.callback(shutil.rmtree, home, ignore_errors=True)
                after.callback(ray.shutdown)  # before its folder goes
                _start(ray, self.workers, home, size)
            yield int(ray.cluster_resources().get("CPU", 1))


class _Place:
    """An actor: a child process on some machine of the cluster."""

    def __init__(self, module: str, names: Sequence[tuple[str, int]], *portions: Any) -> None:
        parts, material = list(portions), {}
        for name, count in names:
            material[name] = b"".join(memoryview(one) for one in parts[:count])
            del parts[:count]
        self._memory = contextlib.ExitStack()
        held = self._memory.enter_context(in_memory(material))
        self._child = Child(module, held, threads=1)

    def ask(self, job: bytes) -> tuple[bytes, bytes]:
        try:
            return self._child.ask(job)
        except OperationFailed as error:
            return b"x", str(error).encode()


def _spread(
    ray: Any, crew: Sequence[Any], jobs: Sequence[bytes], started: Started | None
) -> Iterator[tuple[int, bytes]]:
    """Give each place the next job as soon as it is free."""
    waiting = iter(enumerate(jobs))
    under_way: dict[Any, tuple[int, Any]] = {}

    def give(place: Any) -> None:
        position, job = next(waiting, (-1, b""))
        if position >= 0:
            if started is not None:
                started(position)
            under_way[place.ask.remote(job)] = (position, place)

    for place in crew:
        give(place)
    while under_way:
        (done, *_), _ = ray.wait(list(under_way), num_returns=1)
        position, place = under_way.pop(done)
        kind, body = _got(ray, done)
        yield position, answer_of(kind, body)
        give(place)


def _got(ray: Any, reference: Any) -> tuple[bytes, bytes]:
    try:
        kind, body = ray.get(reference)
    except ray.exceptions.RayError as error:
        first = str(error).strip().splitlines()[:3]
        raise OperationFailed("A worker on the Ray cluster was lost before it answered.\n" + "\n".join(first)) from None
    if kind == b"x":
        raise OperationFailed(bytes(body).decode(errors="replace"))
    return kind, body


def _portions(ray: Any, material: Material) -> tuple[list[tuple[str, int]], list[Any]]:
    """Names with their number of portions, and the portions in Ray's store, as arrays that are read in place."""
    import numpy as np

    names, portions = [], []
    for name, data in material.items():
        whole = np.frombuffer(memoryview(data).cast("B"), dtype=np.uint8)
        starts = range(0, whole.size, _PORTION)
        names.append((name, len(starts)))
        portions += [ray.put(whole[start : start + _PORTION]) for start in starts]
    return names, portions


def _ray() -> Any:
    try:
        import ray
    except ModuleNotFoundError:
        raise MissingExtra("Spreading work over a Ray cluster", "ray") from None
    return ray


def _start(ray: Any, workers: int, home: Path, size: int) -> None:
    """A cluster of this machine: loopback only, no dashboard, nothing written but Ray's own logs, and they are deleted."""
    for again in range(_TRIES):
        try:
            with _quick_start(home):
                ray.init(
                    num_cpus=workers,
                    include_dashboard=False,
                    _node_ip_address="127.0.0.1",
                    _temp_dir=str(home / "r"),  # Ray opens its own folder to everybody; the one around it is private
                    object_store_memory=_LEAST_STORE + 2 * size,
                    log_to_driver=False,
                    configure_logging=False,
                    _system_config={"automatic_object_spilling_enabled": False},  # rows of people never go to a disk
                )
        except Exception as error:  # Ray raises a bare Exception  # noqa: BLE001
            ray.shutdown()
            if again + 1 == _TRIES:
                raise OperationFailed(
                    f"Ray could not be started on this machine: {str(error).splitlines()[0][:200]}\n"
                    "Use --engine processes, which needs nothing else."
                ) from None
        else:
            return


@contextmanager
def _quick_start(home: Path) -> Iterator[None]:
    """Spare Ray's helper processes an import of three seconds, which makes them miss its deadline on a busy machine.

    Each imports jsonschema, and that the grammar of international addresses where it is installed; Ray checks none.
    """
    (home / "q").mkdir(exist_ok=True)
    (home / "q" / "rfc3987_syntax.py").write_text('raise ImportError("left out: see sealwright.engines.compute_ray")\n')
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(home / "q"), before]))
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


def _connect(ray: Any, address: str | None) -> None:
    try:
        ray.init(address=address, log_to_driver=False, configure_logging=False)
    except Exception as error:  # as above  # noqa: BLE001
        raise OperationFailed(
            f"The Ray cluster at {address} does not answer: {str(error).splitlines()[0][:200]}\n"
            "Give the address of its head, HOST:PORT, and have the same releases of Python, Ray and Sealwright there."
        ) from None
