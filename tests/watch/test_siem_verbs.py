"""`sealwright siem` and `sealwright alerts` as a person runs them, against a receiver on a real socket."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sealwright.pipeline import create_workspace
from sealwright.trust import Event, KeyFile, LedgerAudit, create_key_file

from .conftest import Collector


@pytest.fixture
def home(tmp_path: Path) -> Path:
    create_key_file(tmp_path / "root.key")
    with create_workspace(tmp_path / "ws", name="Test", unlock=KeyFile(tmp_path / "root.key")) as workspace:
        audit = LedgerAudit(workspace.ledger, workspace.keyring)
        for _ in range(12):
            audit.record(Event(action="login", outcome="refused", resource="account:ada", reason="identity.refused"))
    return tmp_path / "ws"


def run(home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", "from sealwright.doors.cli import main; main()", *arguments, "--home", str(home)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_send_status_and_print(home: Path, certificates: Path) -> None:
    collector = Collector(certificates)
    tls = [
        "--ca",
        certificates / "ca.pem",
        "--certificate",
        certificates / "sender.pem",
        "--key",
        certificates / "sender.key",
    ]
    asked = ["siem", "send", "--to", "localhost", "--port", str(collector.port), *map(str, tls), "--json"]
    try:
        assert json.loads(run(home, "siem", "status", "--json").stdout)["waiting"] == 13
        first, second = run(home, *asked), run(home, *asked)
    finally:
        collector.stop()
    assert (json.loads(first.stdout)["sent"], json.loads(second.stdout)["sent"]) == (13, 0), first.stderr
    assert len(collector.messages) == 13
    lost = run(home, *asked[:-1], "--name", "another")
    assert (lost.returncode, "Traceback" in lost.stderr) == (1, False)
    assert "does not answer" in lost.stderr
    lines = run(home, "siem", "print", "--format", "cef", "--from", "1").stdout.splitlines()
    assert len(lines) == 12
    assert all(line.startswith("CEF:0|Sealwright|") for line in lines)


def test_alerts_are_told_once_and_end_with_their_own_status(home: Path) -> None:
    key = ["--key-file", str(home.parent / "root.key")]
    first, second = run(home, "alerts", "--json", *key), run(home, "alerts", *key)
    assert [alert["rule"] for alert in json.loads(first.stdout)] == ["intrusion.brute_force"]
    assert (first.returncode, second.returncode) == (3, 0)
    assert "Nothing new" in second.stdout


def test_wrong_usage_is_told_without_a_trace(home: Path, tmp_path: Path) -> None:
    for arguments in (
        ["siem", "print", "--format", "xml"],
        ["siem", "status", "--ledger", "nonsense"],
        ["siem", "status", "--name", "../up"],
    ):
        done = run(home, *arguments)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
