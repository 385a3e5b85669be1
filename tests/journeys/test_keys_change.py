"""Every branch of keys is replaced by its command while the servers of a workspace answer, started as a person starts them."""

import json
import os
import shutil
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sealwright.pipeline import open_workspace
from sealwright.pipeline.decision_records import decision_records
from sealwright.trust import KEPT_TO_READ, SIGNING_BRANCHES, KeyFile
from whole_way import PROJECT, ROW, Home, announced


class Callers:
    """Clients that ask the model again and again, each time on a connection of its own."""

    def __init__(self, facts: dict[str, Any], body: bytes) -> None:
        self.facts, self.body = facts, body
        self.answers, self.failures = [0], list[str]()
        self._stop, self._threads = threading.Event(), list[threading.Thread]()

    def join(self, ca: Path, credential: str) -> None:
        self._threads.append(threading.Thread(target=self._go_on, args=(ca, credential)))
        self._threads[-1].start()

    def ask(self, ca: Path, credential: str) -> int:
        tls = ssl.create_default_context(cafile=str(ca))
        with httpx.Client(base_url=self.facts["url"], verify=tls, trust_env=False, timeout=30) as client:
            headers = {"Authorization": f"Bearer {credential}", "Content-Type": "application/json"}
            return client.post(f"/v1/models/{PROJECT}/predict", content=self.body, headers=headers).status_code

    def more(self, count: int = 10) -> None:
        wanted, end = self.answers[0] + count, time.monotonic() + 60
        while self.answers[0] < wanted and not self.failures:
            assert time.monotonic() < end, "the server answers no more"
            time.sleep(0.02)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _go_on(self, ca: Path, credential: str) -> None:
        while not self._stop.is_set():
            try:
                status = self.ask(ca, credential)
            except Exception as error:  # noqa: BLE001 - whatever it is, a caller would see it
                self.failures.append(f"{type(error).__name__} {error}")
                return
            if status != 200:
                self.failures.append(str(status))
            self.answers[0] += 1


@pytest.fixture(params=[(), ("--replace-process",)], ids=["beside its parent", "in place of its parent"])
def served(home: Home, request: pytest.FixtureRequest) -> Iterator[tuple[Home, Callers]]:
    """A prediction server, started by its command; where it replaces the command, there is no parent that holds a key."""
    home.variables["PYTHONPATH"] = os.pathsep.join(sys.path)
    port = 0 if not request.param else _free_port()
    process = home.start("serve", PROJECT, "--port", port, "--json", *request.param)
    ca = home.workspace / "serving" / "tls" / "ca.pem"
    if request.param:
        facts: dict[str, Any] = {"url": f"https://127.0.0.1:{port}", "ca": str(ca)}
        assert process.stderr is not None
        assert '"serving"' in process.stderr.readline()
    else:
        facts = announced(process)
    callers = Callers(facts, (home.root / ROW).read_bytes())
    try:
        yield home, callers
    finally:
        callers.stop()
        process.terminate()
        _, err = process.communicate(timeout=60)
    assert process.returncode in (0, -15), err


def _free_port() -> int:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_no_prediction_is_lost_while_every_branch_gets_a_new_key(served: tuple[Home, Callers]) -> None:
    home, callers = served
    ca = home.workspace / "serving" / "tls" / "ca.pem"
    old_ca = Path(shutil.copy(ca, home.root / "old-ca.pem"))
    token = home.inside("token", PROJECT, "--for", "till-1").out.strip()
    key = home.inside("api-key", "make", PROJECT, "--for", "till-2").out.strip()
    time.sleep(1.0)
    callers.join(old_ca, token)
    callers.join(old_ca, key)
    callers.more()
    for branch in (*SIGNING_BRANCHES, *KEPT_TO_READ):
        done = home.inside("keys", "rotate", branch, "--json").json
        if branch == "decisions":
            assert (done["taken by"], done["not reached"]) == ([f"predict.{PROJECT}+live"], [])
        if branch == "tls":
            callers.join(Path(shutil.copy(ca, home.root / "both.pem")), token)
        callers.join(old_ca, home.inside("token", PROJECT, "--for", f"till-{branch}").out.strip())
        callers.more()
    home.inside("promote", PROJECT, "1", "--reason", "Signed by the newest keys")
    time.sleep(1.5)
    callers.more()
    callers.stop()
    assert callers.failures == []

    home.inside("keys", "revoke", "tls", "--reason", "superseded")
    began = time.monotonic()
    while True:
        try:
            callers.ask(old_ca, token)
        except httpx.ConnectError:
            break
        assert time.monotonic() - began < 2.0, "the certificate of the old CA is still shown"
    assert callers.ask(home.root / "both.pem", token) == 200
    assert callers.ask(ca, token) == 200
    with open_workspace(home.workspace, KeyFile(home.key)) as workspace:
        assert workspace.keyring.versions("decisions") == (1, 2)
        records = list(decision_records(workspace, PROJECT))
    assert len(records) >= callers.answers[0] + 2
    entries = (home.workspace / "ledger" / "entries.log").read_bytes().splitlines()
    actions = [json.loads(line.split(b"\t")[0])["action"] for line in entries]
    assert actions.count("key.rotate") == len(SIGNING_BRANCHES) + len(KEPT_TO_READ)
