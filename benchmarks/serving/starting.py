"""Any of the servers, started on its core and checked; one way to hold them all.

Answers: does it answer, how long did that take, and are its probabilities scikit-learn's?
A server that answers differently is not timed.
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dialects import Dialect
from environments import bin_of, ready, variables
from load import Request, Unavailable, ask
from made import MANY, Made
from ours import Workspace, offered
from processes import members, on_cores, start, stop
from servers import APPS, Server

__all__ = ["CLOSE", "Site", "Up", "check", "compared", "up"]

CLOSE = 1e-5  # largest difference between two servers' probabilities
_PATIENCE = 120.0  # seconds for the first answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where everything is: environments, files of this model, our workspace, and who gets which core."""

    home: Path
    made: Made
    workspace: Workspace
    server_core: int
    load_core: int

    @property
    def work(self) -> Path:
        return self.home / "work" / self.made.kind

    def cores_of(self, server: Server) -> set[int]:
        """One core for a server; both where two workers are meant to use them."""
        return {self.server_core, self.load_core} if server.both_cores else {self.server_core}

    def load_cores(self, server: Server) -> set[int]:
        """The other core for the load; the server's own where they are measured together."""
        return self.cores_of(server) if server.load_beside else {self.load_core}


@dataclass(frozen=True, slots=True, kw_only=True)
class Up:
    """A server that answers."""

    server: Server
    first_answer: float  # seconds from the start of its process
    members: Callable[[], list[int]]
    helpers: list[int]
    request: Callable[[bytes], Request]


@contextlib.contextmanager
def up(server: Server, site: Site) -> Iterator[Up]:
    """A server, from its start to its end.

    Raises
    ------
    Unavailable
        Its environment cannot be had, it does not start, or this release of ours does not offer it.
    """
    with (_ours if not server.command else _other)(server, site) as found:
        yield found


def check(found: Up, made: Made) -> None:
    """Compare its answers for one row and for a thousand with scikit-learn's.

    Raises
    ------
    Unavailable
        It refuses, or a probability differs by more than `CLOSE`.
    """
    dialect = found.server.dialect
    if dialect.read is None:
        return
    for count in (1, MANY):
        status, answer = ask(found.request(dialect.body(made.rows[:count])))
        if status != 200:
            raise Unavailable(f"answers {status} to {count} rows: {answer[:200].decode(errors='replace')}")
        compared(dialect, json.loads(answer), made, count)


def compared(dialect: Dialect, answer: Any, made: Made, count: int) -> None:
    """Hold one answer against scikit-learn's.

    Raises
    ------
    Unavailable
        A probability differs by more than `CLOSE`, or there are more or fewer of them.
    """
    assert dialect.read is not None
    found, expected = dialect.read(answer), made.expected[:count]
    if [len(one) for one in found] != [len(one) for one in expected]:
        raise Unavailable(f"differs from scikit-learn in the number of probabilities for {count} rows")
    apart = [abs(a - b) for one, other in zip(found, expected, strict=True) for a, b in zip(one, other, strict=True)]
    if not all(difference <= CLOSE for difference in apart):  # also where one is NaN
        raise Unavailable(f"differs from scikit-learn by more than {CLOSE:g} in {count} rows")


@contextlib.contextmanager
def _ours(server: Server, site: Site) -> Iterator[Up]:
    if why := offered(server.name):
        raise Unavailable(why)
    begun = time.perf_counter()
    with site.workspace.serving(server.name, site.cores_of(server)) as running:

        def request(body: bytes) -> Request:
            return site.workspace.request(server.name, running.port, server.dialect.path, body)

        took = _first_answer(server, site, request, begun, lambda: True)
        yield Up(
            server=server,
            first_answer=took,
            members=lambda: members(running.pid),
            helpers=site.workspace.signers,
            request=request,
        )


@contextlib.contextmanager
def _other(server: Server, site: Site) -> Iterator[Up]:
    if why := ready(server.environment, site.home) if server.environment else "":
        raise Unavailable(f"its environment cannot be had: {why}")
    port, folder = _free_port(), _files(server, site)
    environment = variables(server.environment, site.home) | dict(server.variables)
    environment |= {"BENCH_ENGINE": server.engine, "BENCH_FILES": str(folder), "BENCH_PORT": str(port)}
    programs = bin_of(server.environment, site.home)
    places = {"python": programs / "python", "bin": programs, "port": port, "files": folder, "apps": APPS}
    _run(server.prepare, places, environment, server.name)

    def request(body: bytes) -> Request:
        return Request(port=port, path=server.dialect.path, headers={"content-type": "application/json"}, body=body)

    with on_cores(site.cores_of(server)):
        begun = time.perf_counter()
        process = start([part.format(**places) for part in server.command], environment, folder / f"{server.name}.log")
    try:
        took = _first_answer(server, site, request, begun, lambda: process.poll() is None)
        yield Up(
            server=server,
            first_answer=took,
            members=lambda: members(process.pid),
            helpers=[],
            request=request,
        )
    finally:
        stop(process)


def _files(server: Server, site: Site) -> Path:
    """A folder with what this server's environment trained itself, and the ONNX files."""
    folder = site.work / (server.environment or "own") / server.name
    folder.mkdir(parents=True, exist_ok=True)
    site.made.write(folder)
    if server.engine == "sklearn" and not (folder / "pipeline.joblib").exists():
        shared = folder.parent / "pipeline.joblib"
        if not shared.exists():
            script = Path(__file__).with_name("credit.py")
            command = ("{python}", str(script), str(folder.parent), site.made.kind)
            places: dict[str, object] = {"python": bin_of(server.environment, site.home) / "python"}
            _run(command, places, variables(server.environment, site.home), server.name)
        shutil.copyfile(shared, folder / "pipeline.joblib")
    return folder


def _run(command: tuple[str, ...], places: dict[str, object], environment: dict[str, str], name: str) -> None:
    if not command:
        return
    done = subprocess.run(
        [part.format(**places) for part in command], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Unavailable(f"{name} cannot be prepared: {(done.stderr.strip().splitlines() or ['no word'])[-1]}")


def _first_answer(
    server: Server, site: Site, request: Callable[[bytes], Request], begun: float, lives: Callable[[], bool]
) -> float:
    """Seconds until one row was answered well."""
    body, status = server.dialect.body(site.made.rows[:1]), 0
    while time.perf_counter() - begun < _PATIENCE:
        with contextlib.suppress(ConnectionRefusedError):
            status, _ = ask(request(body), seconds=5.0)
            if status == 200:
                return time.perf_counter() - begun
        if not lives():
            raise Unavailable(f"ended while starting; see {os.path.relpath(site.work)} for what it said")
        time.sleep(0.01)
    raise Unavailable(f"gave no good answer within {_PATIENCE:.0f} seconds (last status {status})")


def _free_port() -> int:
    """A port nobody listens on now, with two free ones above it."""
    while True:
        with contextlib.ExitStack() as stack:
            first = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            port = int(first.getsockname()[1])
            try:
                for above in (1, 2):
                    stack.enter_context(socket.create_server(("127.0.0.1", port + above)))
            except (OSError, OverflowError):
                continue
            return port
