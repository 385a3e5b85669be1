"""Fixtures over a real workspace (house.py), a real serving process, and a client that trusts its CA."""

import contextlib
import http.client
import importlib.util
import json
import socket
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sealwright.kernel import FixedClock
from sealwright.serving import Contract, Limits, Running, contract_of

_spec = importlib.util.spec_from_file_location("serving_house", Path(__file__).with_name("house.py"))
assert _spec is not None
assert _spec.loader is not None
house_module = importlib.util.module_from_spec(_spec)
sys.modules["serving_house"] = house_module
_spec.loader.exec_module(house_module)

for _name, _folder in (("pki", ".."), ("wire_corpus", ".."), ("grpc_wire", ".")):
    if _name not in sys.modules:
        _shared = importlib.util.spec_from_file_location(_name, Path(__file__).parent / _folder / f"{_name}.py")
        assert _shared is not None
        assert _shared.loader is not None
        sys.modules[_name] = importlib.util.module_from_spec(_shared)
        _shared.loader.exec_module(sys.modules[_name])

QUICK = Limits(
    header_seconds=1.5,
    body_seconds=1.5,
    idle_seconds=2.0,
    handshake_seconds=1.5,
    watch_seconds=0.1,
    arm_seconds=0.2,
    drain_seconds=10.0,
    answer_seconds=3.0,
)


class Reply(NamedTuple):
    """What a server answered."""

    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Talks to one serving process over TLS, checking its certificate."""

    def __init__(self, house: Any, port: int) -> None:
        self.house, self.port = house, port
        self.tls = ssl.create_default_context(cafile=str(house.tls.ca))
        self.token = house.token()
        self.source = ("", 0)  # the address it comes from; left to the system

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Reply:
        """One request on a connection of its own, as any client would send it."""
        with contextlib.closing(
            http.client.HTTPSConnection(
                "localhost", self.port, context=self.tls, timeout=20, source_address=self.source
            )
        ) as link:
            link.request(method, path, body, headers if headers is not None else self.usual())
            answer = link.getresponse()
            return Reply(answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()})

    def usual(self, **changes: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"} | changes

    def predict(self, row: Any, **headers: str) -> Reply:
        return self.ask(
            "POST", f"/v1/models/{self.house.project}/predict", json.dumps({"row": row}).encode(), self.usual(**headers)
        )

    def connect(self) -> ssl.SSLSocket:
        return self.tls.wrap_socket(
            socket.create_connection(("127.0.0.1", self.port), timeout=20), server_hostname="localhost"
        )

    def raw(self, data: bytes) -> bytes:
        """Send bytes as they are, and read until the server closes."""
        with self.connect() as link:
            with contextlib.suppress(OSError):
                link.sendall(data)
            return read_all(link)


def read_all(link: socket.socket) -> bytes:
    data = b""
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while chunk := link.recv(65_536):
            data += chunk
    return data


def until(holds: Callable[[], bool], seconds: float = 15.0) -> None:
    """Wait for something to come true, or fail."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.05)


@pytest.fixture
def wait_until() -> Callable[..., None]:
    return until


@pytest.fixture
def interface() -> dict[str, Any]:
    result: dict[str, Any] = house_module.credit_interface()
    return result


@pytest.fixture
def contract(interface: dict[str, Any]) -> Contract:
    return contract_of(interface)


@pytest.fixture
def row() -> dict[str, Any]:
    result: dict[str, Any] = house_module.credit_row()
    return result


@pytest.fixture
def credit_model() -> Callable[..., bytes]:
    result: Callable[..., bytes] = house_module.credit_model
    return result


@pytest.fixture
def model_bytes(interface: dict[str, Any]) -> bytes:
    result: bytes = house_module.credit_model(interface)
    return result


START = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a closed workspace with three registered versions and no release, dated before all tests."""
    made = house_module.House(tmp_path_factory.mktemp("stocked") / "home", FixedClock(START))
    for middle in (3.0, 4.0, 5.0):
        made.register(house_module.credit_model(house_module.credit_interface(), middle=middle))
    made.close()
    home: Path = made.home
    return home


@pytest.fixture
def new_house(tmp_path: Path, stocked: Path) -> Iterator[Callable[..., Any]]:
    """Copies of the stocked workspace, version 1 released unless told otherwise; closed afterwards."""
    with contextlib.ExitStack() as stack:

        def make(*, released: bool = True, **settings: Any) -> Any:
            made = house_module.House(tmp_path / f"home-{len(list(tmp_path.iterdir()))}", like=stocked, **settings)
            stack.callback(made.close)
            if released:
                made.promote(1)
            return made

        yield make


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    """Starts serving processes; stops what still runs afterwards."""
    with contextlib.ExitStack() as stack:

        def begin(house: Any, **settings: Any) -> Running:
            settings.setdefault("limits", QUICK)
            stderr = settings.pop("stderr", None)
            running: Running = house.launch(stderr=stderr, **settings)
            stack.callback(running.stop)
            return running

        yield begin


@pytest.fixture
def client_of() -> Callable[[Any, Running], Client]:
    return lambda house, running: Client(house, running.port)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, stocked: Path) -> Iterator[Any]:
    """One workspace with a released model, shared by a module's tests; none of them changes it."""
    made = house_module.House(tmp_path_factory.mktemp("shared") / "home", like=stocked)
    made.promote(1)
    yield made
    made.close()


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the shared server's error stream goes."""
    return tmp_path_factory.mktemp("log") / "stderr"


@pytest.fixture(scope="module")
def server(house: Any, log: Path) -> Iterator[Running]:
    with log.open("wb") as stream, house.launch(limits=QUICK, stderr=stream) as running:
        yield running


@pytest.fixture
def client(house: Any, server: Running) -> Client:
    return Client(house, server.port)
