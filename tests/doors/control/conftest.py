"""A workspace, a control server over it in a process of its own, and clients that speak TLS to it, down to the byte."""

import contextlib
import http.client
import importlib.util
import json
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sealwright.doors.control.programs import issue_control_token
from sealwright.pipeline import create_workspace, open_workspace
from sealwright.trust import KeyFile, Ledger, LedgerEntry, create_key_file

_HERE = Path(__file__).parent
for _name, _path in (
    ("control_house", _HERE / "control_house.py"),
    ("soft_authenticator", _HERE.parent.parent / "trust" / "identity" / "soft_authenticator.py"),
    ("people_house", _HERE / "people_house.py"),
    ("pki", _HERE.parent.parent / "pki.py"),
    ("wire_corpus", _HERE.parent.parent / "wire_corpus.py"),
):
    if _name not in sys.modules:
        _spec = importlib.util.spec_from_file_location(_name, _path)
        assert _spec is not None
        assert _spec.loader is not None
        sys.modules[_name] = importlib.util.module_from_spec(_spec)
        _spec.loader.exec_module(sys.modules[_name])

QUICK = {
    "header_seconds": 1.5,
    "body_seconds": 1.5,
    "idle_seconds": 2.0,
    "handshake_seconds": 1.5,
    "drain_seconds": 10.0,
    "answer_seconds": 5.0,
    "connections_per_client": 1024,
}


class Reply(NamedTuple):
    """What a server answered."""

    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Place:
    """A workspace on disk, closed."""

    def __init__(self, root: Path) -> None:
        root.mkdir(mode=0o700)
        self.home, self.key = root / "ws", root / "root.key"
        create_key_file(self.key)
        with create_workspace(self.home, name="Example Bank", unlock=KeyFile(self.key)) as workspace:
            self.id = workspace.id
            self.token = issue_control_token(
                workspace, "reader", ["ledger.read", "workspace.view", "project.change"], hours=1, by="ada"
            )
            self.weak_token = issue_control_token(workspace, "weakling", ["nothing.much"], hours=1, by="ada")

    def refusals(self) -> list[LedgerEntry]:
        """What the door recorded so far."""
        with open_workspace(self.home, KeyFile(self.key)) as workspace:
            ledger = Ledger.open(
                self.home / "serving" / "control-ledger",
                origin=f"sealwright/{self.id}/control",
                signer=None,
                keys=workspace.trust_root.keys_of("checkpoints"),
            )
            with ledger:
                return list(ledger.entries())


class Control:
    """A running control server, and how to ask it."""

    def __init__(self, place: Place, process: "subprocess.Popen[bytes]", facts: Mapping[str, Any]) -> None:
        self.place, self.process, self.port = place, process, int(facts["port"])
        self.cookies: dict[str, str] = facts["cookies"]
        self.tls = ssl.create_default_context(cafile=facts["ca"])  # None: certificates of the test's own

    def ask(self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Reply:
        """One request on a connection of its own. Content-Type is what `headers` says."""
        with contextlib.closing(
            http.client.HTTPSConnection("localhost", self.port, context=self.tls, timeout=20)
        ) as link:
            link.request(method, path, body, dict(headers or {}))
            answer = link.getresponse()
            return Reply(answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()})

    def program(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        usual = {"Authorization": f"Bearer {self.place.token}", "Content-Type": "application/json"}
        return self.ask(method, path, body, usual | headers)

    def browser(self, person: str, path: str, **headers: str) -> Reply:
        """A page, as a person's browser asks for it."""
        usual = {"Cookie": self.cookies[person], "Accept": "text/html,*/*;q=0.8", "Sec-Fetch-Site": "none"}
        return self.ask("GET", path, None, usual | headers)

    @property
    def origin(self) -> str:
        return f"https://localhost:{self.port}"

    def form_token(self, person: str) -> str:
        """The token in the forms of a person's pages."""
        page = self.browser(person, "/ledger").body.decode()
        if 'name="form_token"' not in page:
            page = self.browser(person, "/").body.decode()
        return page.split('name="form_token" value="', 1)[1].split('"', 1)[0]

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

    def memory(self) -> int:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmRSS")


def read_all(link: socket.socket) -> bytes:
    data = b""
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while chunk := link.recv(65_536):
            data += chunk
    return data


@contextlib.contextmanager
def running(place: Place, log: Path | None = None, **options: Any) -> Iterator[Control]:
    """A control server over a place, ended by SIGTERM, which must be a good end."""
    stderr = log.open("wb") if log is not None else subprocess.DEVNULL
    options.setdefault("limits", QUICK)
    process = subprocess.Popen(
        [sys.executable, str(_HERE / "control_house.py"), str(place.home), str(place.key), json.dumps(options)],
        stdout=subprocess.PIPE,
        stderr=stderr,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the server ended"
        yield Control(place, process, json.loads(line))
    finally:
        process.terminate()
        status = process.wait(20)
        if process.stdout is not None:
            process.stdout.close()
        if log is not None:
            stderr.close()  # type: ignore[union-attr]
    assert status == 0


@pytest.fixture
def new_place(tmp_path: Path) -> Callable[[], Place]:
    return lambda: Place(tmp_path / f"place-{len(list(tmp_path.iterdir()))}")


@pytest.fixture
def start() -> Callable[..., contextlib.AbstractContextManager[Control]]:
    return running


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("control") / "place")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("control-log") / "stderr"


@pytest.fixture(scope="module")
def control(place: Place, log: Path) -> Iterator[Control]:
    with running(place, log) as server:
        yield server


def until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.05)


@pytest.fixture
def wait_until() -> Callable[..., None]:
    return until


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A running server with accounts: ada, an administrator, and cara, an auditor, have one each."""
    from people_house import PROVIDER, Bank

    with Bank(tmp_path_factory.mktemp("people") / "home", provider=PROVIDER).running() as found:
        found.join("ada", found.first_link)
        found.join("cara", found.link_for("cara"))
        yield found
