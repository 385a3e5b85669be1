"""What the tests under fire share: serving processes that start quickly, callers, and the count of what was answered."""

import contextlib
import http.client
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from sealwright import trust
from sealwright.serving import DECISION_KEY_PURPOSE, decision_ledger_folder, decision_origin, read_decision

_LINKS = 8
_NURSERY = Path(__file__).with_name("fire_nursery.py")


class Answered(NamedTuple):
    """One whole answer that a caller has."""

    request: bytes
    reply: dict[str, Any]


class Process:
    """One serving process."""

    def __init__(self, pid: int, status: int) -> None:
        self.pid, self._status, self._said = pid, status, b""

    def port(self, seconds: float = 20.0) -> int:
        """Where it answers."""
        return self.ports(seconds)[0]

    def ports(self, seconds: float = 20.0) -> tuple[int, int | None]:
        """Where it answers over HTTP, and over gRPC."""
        facts = self.facts(seconds)
        if "port" not in facts:
            raise AssertionError(f"the serving process did not start: {facts}")
        return int(facts["port"]), facts["grpc_port"]

    def facts(self, seconds: float = 20.0) -> dict[str, Any]:
        until = time.monotonic() + seconds
        while b"\n" not in self._said:
            if not select.select([self._status], [], [], max(0.0, until - time.monotonic()))[0]:
                raise TimeoutError("the serving process said nothing")
            more = os.read(self._status, 65_536)
            if not more:
                return {}
            self._said += more
        return dict(json.loads(self._said.partition(b"\n")[0]))

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, and wait until it is gone."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, how)
        while os.read(self._status, 65_536):  # its end of the pipe closes when it is dead
            pass
        os.close(self._status)


class Nursery:
    """Starts serving processes of one workspace."""

    def __init__(self, house: Any, fault: Path, line: socket.socket) -> None:
        self._house, self._fault, self._line = house, fault, line

    def start(self, *, speed: float = 1, **settings: Any) -> Process:
        """Begin a process; `Process.port` waits for it. `speed`: how much faster its clock goes."""
        config = self._house.config(**({"tls": False} | settings)).to_bytes().decode()
        read, write = os.pipe()
        with self._house.signer_line() as signer:
            message = json.dumps({"config": config, "speed": speed}).encode()
            socket.send_fds(self._line, [message], [signer.fileno(), write])
        os.close(write)
        return Process(int.from_bytes(self._line.recv(4), "big"), read)

    def disk(self, mode: bytes) -> None:
        """What the disk does from now on: a mode of `fire_nursery`."""
        with self._fault.open("r+b") as file:
            file.write(mode)


@contextlib.contextmanager
def nursery_of(house: Any, folder: Path) -> Iterator[Nursery]:
    fault = folder / "fault"
    fault.write_bytes(b"-")
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, str(_NURSERY), str(theirs.fileno()), str(fault)]
        with (
            (folder / "stderr").open("ab") as said,
            subprocess.Popen(command, pass_fds=[theirs.fileno()], env=environment, stderr=said) as process,
        ):
            theirs.close()
            yield Nursery(house, fault, ours)
            ours.close()
            process.wait(10)


class Callers:
    """Threads that ask again and again until told to stop, and keep what they were answered and what they were refused."""

    def __init__(self, house: Any, port: int, row: dict[str, Any], count: int) -> None:
        self._house, self._port, self._row = house, port, row
        self.answered: list[Answered] = []
        self.refused: list[tuple[int, str, str]] = []  # status, type, Retry-After
        self._stop = threading.Event()
        self._token = house.token()
        self._threads = [threading.Thread(target=self._ask, args=(place,)) for place in range(count)]
        for thread in self._threads:
            thread.start()

    def until_answered(self, count: int, seconds: float = 20.0) -> None:
        """Wait for that many answers, as exactly as threads can."""
        until = time.monotonic() + seconds
        while len(self.answered) < count and time.monotonic() < until:
            time.sleep(0.0005)

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, place: int) -> None:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        path, at = f"/v1/models/{self._house.project}/predict", 0
        while not self._stop.is_set():
            link = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
            with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(link):
                while not self._stop.is_set():
                    body = json.dumps({"row": self._row | {"age": 18 + at % 80, "n0": place % 10}}).encode()
                    at += 1
                    link.request("POST", path, body, headers)
                    reply = link.getresponse()
                    data = reply.read()
                    if reply.status == 200:
                        self.answered.append(Answered(body, json.loads(data)))
                    else:
                        self.refused.append(
                            (reply.status, json.loads(data)["type"], reply.headers.get("retry-after", ""))
                        )
                        time.sleep(0.005)
            if not self._stop.is_set():
                time.sleep(0.01)


def every_answer_is_recorded_and_proved(house: Any, answered: Sequence[Answered]) -> None:
    """Hold every answer against the ledger, as the next process opens it."""
    missing = unrecorded(house, answered)
    assert not missing, f"{len(missing)} of {len(answered)} answers are not in the log as they were told"


def unrecorded(house: Any, answered: Sequence[Answered]) -> list[Answered]:
    """Those that the ledger lacks or has otherwise, as the next process opens it; it verifies, and some receipts with proofs do, too."""
    folder = decision_ledger_folder(house.home, house.project, "live")
    keys = house.keyring.trust_root.keys_of("decision-checkpoints")
    origin = decision_origin("ws_1", house.project, "live")
    key = house.keyring.key("decisions", DECISION_KEY_PURPOSE)
    with trust.Ledger.open(folder, origin=origin, signer=house.keyring.signer("decision-checkpoints")) as opened:
        entries = list(opened.entries())
        made = (read_decision(entry, key) for entry in entries if entry.action == trust.DECISION)
        records = {record.decision: (record.request, json.loads(record.answer)) for record in made}
        missing = [one for one in answered if records.get(_decision(one)) != (one.request, one.reply["answer"])]
        for body, reply in answered[:: max(1, len(answered) // 200)]:
            receipt = json.dumps(reply["receipt"]).encode()
            promised = trust.verify_receipt(receipt, keys, request=body, origin=origin)
            proved = trust.proved_anew(receipt, opened.proof(promised.index))
            if trust.verify_receipt(proved, keys, request=body, origin=origin).size != len(entries):
                raise AssertionError("a proof does not lead to the newest checkpoint")
    trust.verify_ledger(folder, keys, origin)
    return missing


def _decision(one: Answered) -> str:
    return str(one.reply["answer"]["decision"])


class Soaked(NamedTuple):
    """What a long load did to a process."""

    requests: int
    hours: float  # on the process's own clock
    warm_kb: int  # resident memory after half of it
    end_kb: int
    cpu_us: float  # processor time a request, of the process


def soak(nursery: Nursery, house: Any, row: dict[str, Any], requests: int, *, speed: float) -> Soaked:
    """Ask `requests` times and for a day at least over a few connections, while the process's clock runs `speed` times as fast."""
    process, signer = nursery.start(speed=speed), house.stolen("tokens")  # the signer itself dates nothing ahead
    port, begun, asked, warm = process.port(), time.monotonic(), 0, 0
    try:
        links = [socket.create_connection(("127.0.0.1", port)) for _ in range(_LINKS)]
        token, since = house.token(lifetime=timedelta(hours=24)), begun
        while asked < requests or (time.monotonic() - begun) * speed < 24 * 3600:
            if (time.monotonic() - since) * speed > 6 * 3600:  # tokens live for a while only
                passed = timedelta(seconds=(time.monotonic() - begun) * speed - 60)
                now = datetime.now(UTC) + passed
                token = house.token(now=now, lifetime=timedelta(hours=24), signer=signer)
                since = time.monotonic()
            for link in links:
                body = json.dumps({"row": row | {"age": 18 + asked % 80}}).encode()
                head = f"POST /v1/models/{house.project}/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
                head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                link.sendall(head.encode() + body)
                asked += 1
            for link in links:
                answered = link.recv(65_536)
                while b"\r\n\r\n" not in answered or len(answered) < _whole(answered):
                    answered += link.recv(65_536)
                if not answered.startswith(b"HTTP/1.1 200"):
                    raise AssertionError(answered)
            if not warm and asked >= requests // 2:
                warm = _resident(process.pid)
        for link in links:
            link.close()
        return Soaked(
            requests=asked,
            hours=(time.monotonic() - begun) * speed / 3600,
            warm_kb=warm,
            end_kb=_resident(process.pid),
            cpu_us=_cpu(process.pid) / asked * 1e6,
        )
    finally:
        process.kill()


def _whole(answered: bytes) -> int:
    """How long an answer will be, whose head is there."""
    head, _, _ = answered.partition(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return len(head) + 4 + int(length.partition(b":")[2])


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") // 1024


def _cpu(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
