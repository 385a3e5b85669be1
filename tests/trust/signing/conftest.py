"""A workspace's keys, a signer that holds them, and things that each branch signs."""

import contextlib
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sealwright.kernel import rfc3339
from sealwright.trust import (
    KeyFile,
    Keyring,
    LocalSigner,
    create_key_file,
    create_keyring,
    make_statement,
    open_keyring,
    sign_statement,
)
from sealwright.trust.dsse import IN_TOTO_PAYLOAD, pae
from sealwright.trust.merkle import Frontier
from sealwright.trust.notes import Checkpoint
from sealwright.trust.signing.messages import PREFIX, Reply, Request, encode, read_reply
from sealwright.trust.signing.vault import open_vault

from .elsewhere import either, engine, home, token

__all__ = ["either", "engine", "home", "token"]

WS = "ws_1"
LEDGER = f"sealwright/{WS}/ledger"
DECISIONS = f"sealwright/{WS}/decisions/credit/live"
PACKAGE = "sha256:" + "1" * 64
SOURCE = str(Path(__file__).resolve().parents[3] / "src")
COMMAND = "import sys; sys.path.insert(0, sys.argv.pop(1)); from sealwright.doors.cli import main; main()"


class Raw:
    """One end of a connection to a signer, as somebody has it who may send anything."""

    def __init__(self, line: socket.socket) -> None:
        line.settimeout(20)
        self.line = line

    def send(self, data: bytes) -> None:
        self.line.sendall(data)

    def ask(self, request: Request) -> Reply | None:
        """The reply; None when the signer hung up."""
        self.send(encode(request))
        return self.reply()

    def reply(self) -> Reply | None:
        head = self._exactly(PREFIX)
        return None if head is None else read_reply(self._exactly(int.from_bytes(head, "big")) or b"")

    def _exactly(self, count: int) -> bytes | None:
        data = b""
        while len(data) < count:
            try:
                chunk = self.line.recv(count - len(data))
            except ConnectionError:
                return None
            if not chunk:
                return None
            data += chunk
        return data


class Tree:
    """A log in small: any prefix of it has a head, and a proof to any later one."""

    def __init__(self, name: str, size: int) -> None:
        self.growth = Frontier().extend([hashlib.sha256(f"{name}{at}".encode()).digest() for at in range(size)])

    def head(self, size: int, origin: str = LEDGER) -> Checkpoint:
        frontier = Frontier().extend([self.growth.node(0, at) for at in range(size)]).frontier()
        return Checkpoint(origin, size, frontier.root())


class Place:
    """A workspace's home with keys in it."""

    def __init__(self, home: Path) -> None:
        self.home, self.keys = home, home / "keys"
        self.unlock = KeyFile(home / "root.key")

    def open(self) -> Keyring:
        return open_keyring(self.keys, self.unlock)

    def stolen(self, branch: str) -> LocalSigner:
        """A private key as a thief has it, who asks no signer."""
        return open_vault(self.keys, self.unlock).signers[branch]


@pytest.fixture(scope="session")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("stocked") / "home"
    home.mkdir(mode=0o700)
    create_keyring(home / "keys", WS, create_key_file(home / "root.key")).close()
    return home


@pytest.fixture
def place(tmp_path: Path, stocked: Path) -> Place:
    return Place(Path(shutil.copytree(stocked, tmp_path / "home")))


@pytest.fixture
def ring(place: Place) -> Iterator[Keyring]:
    with place.open() as opened:
        yield opened


@pytest.fixture
def standing(place: Place) -> Iterator[Callable[..., Any]]:
    """Starts the command `sealwright signer` for the place, as another user if asked; ends it afterwards."""
    with contextlib.ExitStack() as stack:

        def start(*, user: int | None = None) -> "subprocess.Popen[bytes]":
            process = subprocess.Popen(
                [
                    sys.executable, "-c", COMMAND, SOURCE,
                    "signer", "--json", "--home", str(place.home), "--key-file", str(place.unlock.path),
                ],
                stdout=subprocess.PIPE,
                user=user,
                env={"PATH": os.defpath, "HOME": str(place.home)},
            )  # fmt: skip
            stack.callback(process.wait)
            stack.callback(process.kill)
            assert process.stdout is not None
            stack.callback(process.stdout.close)
            said = b""
            while not said.endswith(b"}\n"):
                line = process.stdout.readline()
                assert line, "the signer ended before it listened"
                said += line
            return process

        yield start


@pytest.fixture
def call(place: Place) -> Iterator[Callable[[], Raw]]:
    """New connections to the standing signer of the place."""
    with contextlib.ExitStack() as stack:

        def connect() -> Raw:
            line = stack.enter_context(socket.socket(socket.AF_UNIX))
            line.connect(str(place.home / "run" / "signer.sock"))
            return Raw(line)

        yield connect


class Samples:
    """What each branch signs, and how it is changed into what none signs."""

    PACKAGE = PACKAGE
    now = staticmethod(lambda: datetime.now(UTC))

    @staticmethod
    def payload(kind: str, predicate: dict[str, Any], subjects: Any = (("x", PACKAGE),)) -> bytes:
        return pae(IN_TOTO_PAYLOAD, make_statement(list(subjects), kind, predicate).payload)

    def pointer(self, sequence: int = 1, *, package: str = PACKAGE, channel: str = "live", **changes: Any) -> bytes:
        begins = changes.pop("begins", self.now())
        said: dict[str, Any] = {
            "format": 1, "project": "credit", "channel": channel, "sequence": sequence, "number": 1,
            "not_before": rfc3339(begins), "expires": rfc3339(begins + changes.pop("holds", timedelta(days=7))),
            "previous": None if sequence == 1 else PACKAGE, "revocations": 0, "reason": "for the tests", "by": "ada",
        }  # fmt: skip
        return self.payload("urn:sealwright:predicate:pointer:v1", said | changes, [(f"credit/{channel}", package)])

    def gate(self, signer: Any, *, package: str = PACKAGE, about: str | None = None, **changes: Any) -> bytes:
        said = {
            "verificationResult": "PASSED",
            "verifiedLevels": ["SEALWRIGHT_LOW_RISK_POLICY"],
            "sealwright": {"passed": True, "package": package},
        }
        kind = changes.pop("kind", "https://slsa.dev/verification_summary/v1")
        return sign_statement(make_statement([("package", about or package)], kind, said | changes), signer)

    def revocations(self, *packages: str, **changes: Any) -> bytes:
        listed = [
            {"package": one, "sequence": at, "reason": "for the tests", "by": "ada", "at": rfc3339(self.now())}
            for at, one in enumerate(packages, start=1)
        ]
        said = {"format": 1, "sequence": len(listed), "issued_at": rfc3339(self.now()), "revoked": listed}
        return self.payload("urn:sealwright:predicate:revocation:v1", said | changes, [("revocations", PACKAGE)])


@pytest.fixture
def samples() -> Samples:
    return Samples()


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool]], None]:
    def wait(true: Callable[[], bool], seconds: float = 20.0) -> None:
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, "it never came true"
            time.sleep(0.02)

    return wait


def statement_of(ring: Keyring) -> bytes:
    """Something small that the branch "statements" signs, signed."""
    made = make_statement([("x", PACKAGE)], "https://slsa.dev/provenance/v1", {})
    return sign_statement(made, ring.signer("statements"))
