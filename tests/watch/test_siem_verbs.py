"""`sealwright siem` and `sealwright alerts` as a person runs them, against a receiver on a real socket."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sealwright.doors.control.process import door_ledger
from sealwright.kernel import private_folder
from sealwright.pipeline import create_workspace, open_workspace
from sealwright.serving import decision_ledger_folder, decision_origin
from sealwright.trust import Event, KeyFile, Ledger, LedgerAudit, create_key_file

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


def test_alerts_see_what_was_refused_at_the_door_and_by_prediction_servers(home: Path) -> None:
    with open_workspace(home, KeyFile(home.parent / "root.key")) as workspace:
        origin = decision_origin(workspace.id, "credit", "live")
        signer = workspace.keyring.signer("decision-checkpoints")
        folder = decision_ledger_folder(home, "credit", "live")
        for one in (folder.parent.parent.parent, folder.parent.parent, folder.parent, folder):
            private_folder(one)
        with Ledger.open(folder, origin=origin, signer=signer, clock=workspace.clock, create=True) as served:
            said = {"outcome": "refused", "reason": "token.revoked", "count": 9, "sources": {"sub_7": 9}}
            served.append("token.use", "", said, actor="predict")
        with door_ledger(workspace) as door:
            for number in range(7):
                door.record(
                    Event(action=f"door.{number}", outcome="refused", source="192.0.2.1", reason="permission.denied")
                )
    found = run(home, "alerts", "--key-file", str(home.parent / "root.key"))
    assert found.returncode == 3, found.stderr
    for rule in ("intrusion.brute_force", "intrusion.impossible_token", "intrusion.scope_probing"):
        assert rule in found.stdout
    assert f"to {origin}/0" in found.stdout


def test_wrong_usage_is_told_without_a_trace(home: Path, tmp_path: Path) -> None:
    for arguments in (
        ["siem", "print", "--format", "xml"],
        ["siem", "status", "--ledger", "nonsense"],
        ["siem", "status", "--name", "../up"],
    ):
        done = run(home, *arguments)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
