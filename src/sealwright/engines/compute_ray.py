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
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sealwright.engines.compute import Material, Started, Work, cores
from sealwright.engines.compute_child import Child, answer_of, in_memory
from sealwright.kernel import InvalidInput, MissingExtra, OperationFailed

__all__ = ["RayCluster"]

_PORTION = 64 << 20  # bytes of material in one object of Ray's store
_LEAST_STORE = 96 << 20
_TRIES = 2  # Ray gives its helpers 15 seconds to start, which a busy machine may exceed once

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
        os.environ.update(_QUIET if address is not None else _QUIET | _LOOPBACK)  # read by Ray when it is imported
        if address is None:
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
        home = tempfile.mkdtemp(prefix="sw-") if self._address is None else None  # short: a socket's path has 107 bytes
        try:
            if home is None:
                _connect(ray, self._address)
            else:
                _start(ray, self.workers, home, size)
            yield int(ray.cluster_resources().get("CPU", 1))
        finally:
            ray.shutdown()
            if home is not None:
                shutil.rmtree(home, ignore_errors=True)


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


def _start(ray: Any, workers: int, home: str, size: int) -> None:
    """A cluster of this machine: loopback only, no dashboard, nothing written but Ray's own logs, and they are deleted."""
    for again in range(_TRIES):
        try:
            ray.init(
                num_cpus=workers,
                include_dashboard=False,
                _node_ip_address="127.0.0.1",
                _temp_dir=home,
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


def _connect(ray: Any, address: str | None) -> None:
    try:
        ray.init(address=address, log_to_driver=False, configure_logging=False)
    except Exception as error:  # as above  # noqa: BLE001
        raise OperationFailed(
            f"The Ray cluster at {address} does not answer: {str(error).splitlines()[0][:200]}\n"
            "Give the address of its head, HOST:PORT, and have the same releases of Python, Ray and Sealwright there."
        ) from None

