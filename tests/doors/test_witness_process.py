"""A witness as its operator runs it: a process, a socket, and strangers who talk to it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sealwright.kernel import OperationFailed
from sealwright.trust import (
    InsecurePassphraseForTests,
    Keyring,
    Ledger,
    Secret,
    WitnessKey,
    WitnessPolicy,
    ask_witness,
    create_keyring,
)

ORIGIN = "sealwright/ws_test/ledger"
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
COMMAND = [sys.executable, "-c", "from sealwright.doors.cli import main; main()", "witness"]


@dataclass
class Running:
    process: "subprocess.Popen[str]"
    host: str
    port: int
    key: WitnessKey

    @property
    def address(self) -> str:
        return f"http://{self.host}:{self.port}"

    def say(self, data: bytes) -> bytes:
        """Send bytes as they are; return everything that comes back."""
        with socket.create_connection((self.host, self.port), timeout=5) as one:
            one.sendall(data)
            one.shutdown(socket.SHUT_WR)
            answer = b""
            while chunk := one.recv(65536):
                answer += chunk
            return answer


def start(state: Path) -> Running:
    process = subprocess.Popen(
        [*COMMAND, "--listen", "127.0.0.1:0", "--state", str(state)],
        stdout=subprocess.PIPE, text=True, env={**ENVIRONMENT, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert process.stdout is not None
    port = int(process.stdout.readline().rpartition(":")[2])
    key = WitnessKey.parse(process.stdout.readline().partition(": ")[2].strip())
    return Running(process, "127.0.0.1", port, key)


def stop(one: Running, how: int = signal.SIGTERM) -> int:
    one.process.send_signal(how)
    code = one.process.wait(10)
    assert one.process.stdout is not None
    one.process.stdout.close()
    return code


@pytest.fixture
def ring(tmp_path: Path) -> Iterator[Keyring]:
    unlock = InsecurePassphraseForTests(Secret("a passphrase for tests"))
    with create_keyring(tmp_path / "ring", "ws_test", unlock) as opened:
        yield opened


@pytest.fixture
def running(tmp_path: Path, ring: Keyring) -> Iterator[Running]:
    one = start(tmp_path / "witness")
    trust = tmp_path / "trust.json"
    trust.write_bytes(ring.trust_root.to_bytes())
    added = subprocess.run(  # while it runs
        [*COMMAND, "add", str(trust), "--state", str(tmp_path / "witness")],
        env=ENVIRONMENT,
        capture_output=True,
        check=False,
    )
    assert added.returncode == 0, added.stderr
    yield one
    if one.process.poll() is None:
        stop(one, signal.SIGKILL)


@pytest.fixture
def ledger(tmp_path: Path, ring: Keyring) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger", origin=ORIGIN, signer=ring.signer("checkpoints"), create=True) as one:
        one.append("a.b", "s", {})
        yield one


def test_a_process_cosigns_and_after_a_kill_it_knows_what(running: Running, ledger: Ledger, tmp_path: Path) -> None:
    note = ask_witness(running.address, running.key, ledger.checkpoint(), ledger.consistency)
    WitnessPolicy((running.key,)).check(note)
    stop(running, signal.SIGKILL)
    again = start(tmp_path / "witness")
    try:
        assert again.key == running.key
        ledger.append("a.b", "s", {})
        note = ask_witness(again.address, again.key, ledger.checkpoint(), ledger.consistency, old=1)
        WitnessPolicy((again.key,)).check(note)
    finally:
        assert stop(again) == 0
    shown = subprocess.run(
        [*COMMAND, "show", "--state", str(tmp_path / "witness"), "--origin", ORIGIN],
        env=ENVIRONMENT, capture_output=True, check=True,
    )  # fmt: skip
    assert shown.stdout == note


def test_it_tells_its_key_and_nothing_else(running: Running) -> None:
    assert running.key.vkey().encode() in running.say(b"GET / HTTP/1.1\r\nHost: w\r\nConnection: close\r\n\r\n")
    for path in (b"/logs", b"/../witness.json", b"/witness.json"):
        answer = running.say(b"GET " + path + b" HTTP/1.1\r\nHost: w\r\nConnection: close\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 404")
        assert b"secret" not in answer


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"Content-Length: 70000\r\n", b"413"),
        (b"Content-Length: 99999999999999999999\r\n", b"413"),
        (b"", b"411"),
        (b"Content-Length: 3\r\nContent-Length: 4\r\n", b"411"),
        (b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", b"411"),
        (b"Transfer-Encoding: chunked\r\n", b"411"),
        (b"Content-Length: -3\r\n", b"411"),
        (b"Content-Length: 3\r\n", b"400"),
    ],
)
def test_bodies_of_unclear_or_excessive_length_are_refused(running: Running, head: bytes, status: bytes) -> None:
    answer = running.say(
        b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\n" + head + b"\r\nabcGET / HTTP/1.1\r\nHost: w\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 " + status)
    if status != b"400":
        assert answer.count(b"HTTP/1.1") == 1, "what follows a refused body is not read as a request"


def test_idle_connections_do_not_keep_others_out(running: Running, ledger: Ledger) -> None:
    def come(of: str) -> socket.socket:
        return socket.create_connection((running.host, running.port), timeout=5, source_address=(of, 0))

    idle = [come("127.0.0.1") for _ in range(2)]
    try:
        ask_witness(running.address, running.key, ledger.checkpoint(), ledger.consistency)
        idle += [come("127.0.0.2") for _ in range(40)]
        assert {one.recv(1) for one in idle[-5:]} == {b""}, "beyond its places a connection is closed at once"
        ask_witness(running.address, running.key, ledger.checkpoint(), ledger.consistency)
    finally:
        for one in idle:
            one.close()


def test_nobody_there_is_a_failure_to_try_again(ledger: Ledger, running: Running) -> None:
    stop(running)
    with pytest.raises(OperationFailed, match="cannot be reached"):
        ask_witness(running.address, running.key, ledger.checkpoint(), ledger.consistency)
