"""The control server takes checkpoints to witnesses by itself, and a contradiction is an alarm."""

import io
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from acting import Kept, operator
from sealwright.doors.control.anchored import anchored
from sealwright.doors.witness_app import WitnessServer
from sealwright.kernel import system_clock
from sealwright.pipeline import WitnessAt, Workspace, add_anchor, create_workspace
from sealwright.serving import EventLog
from sealwright.trust import AnchorStore, Checkpoint, InsecurePassphraseForTests, Secret, Witness

UNLOCK = InsecurePassphraseForTests(Secret("correct horse battery staple"))


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with create_workspace(tmp_path / "ws", name="Bank", unlock=UNLOCK) as made:
        yield made


@pytest.fixture
def witness(tmp_path: Path, workspace: Workspace) -> Iterator[WitnessServer]:
    with Witness(tmp_path / "witness", name="w1") as one, WitnessServer(one, "127.0.0.1", 0) as server:
        one.state.add((workspace.home / "keys" / "trust.json").read_bytes())
        add_anchor(workspace, WitnessAt(f"http://127.0.0.1:{server.server_address[1]}", one.key.vkey()), by=operator())
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


def cosigned(workspace: Workspace) -> int:
    return max(
        (Checkpoint.parse_note(one).size for one in AnchorStore(workspace.home / "ledger").cosigned()), default=0
    )


def told(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_a_new_checkpoint_is_cosigned_while_the_server_runs(
    workspace: Workspace, witness: WitnessServer, wait_until: Callable[..., None]
) -> None:
    log = io.StringIO()
    with anchored(workspace, Kept(), EventLog(log, system_clock), seconds=0.1):
        wait_until(lambda: cosigned(workspace) == workspace.ledger.size)
        workspace.ledger.append("a.b", "s", {})
        wait_until(lambda: cosigned(workspace) == workspace.ledger.size)
    assert told(log) == []
    assert "anchor" not in {thread.name for thread in threading.enumerate()}


def test_a_witness_that_is_gone_is_a_line_of_the_log_and_no_alarm(
    workspace: Workspace, witness: WitnessServer, wait_until: Callable[..., None]
) -> None:
    witness.shutdown()
    witness.server_close()
    log, audit = io.StringIO(), Kept()
    with anchored(workspace, audit, EventLog(log, system_clock), seconds=0.1):
        wait_until(lambda: told(log) != [])
    assert {one["event"] for one in told(log)} == {"anchor_failed"}
    assert audit.events == []


def test_a_history_put_back_is_one_alarm(
    workspace: Workspace, witness: WitnessServer, tmp_path: Path, wait_until: Callable[..., None]
) -> None:
    """The witness has seen more than this ledger holds now."""
    shutil.copytree(workspace.home / "ledger", tmp_path / "before")
    workspace.ledger.append("a.b", "s", {})
    with anchored(workspace, Kept(), EventLog(io.StringIO(), system_clock), seconds=0.1):
        wait_until(lambda: cosigned(workspace) == workspace.ledger.size)
    workspace.ledger.close()
    shutil.rmtree(workspace.home / "ledger")
    shutil.copytree(tmp_path / "before", workspace.home / "ledger")
    log, audit = io.StringIO(), Kept()
    with anchored(workspace, audit, EventLog(log, system_clock), seconds=0.1):
        wait_until(lambda: len(audit.events) == 1)
        wait_until(lambda: len(told(log)) >= 2, 20)  # it goes on asking, every few seconds
    assert {one["event"] for one in told(log)} == {"anchor_disagrees"}
    (alarm,) = audit.events
    assert (alarm.action, alarm.reason, alarm.detail["kind"]) == ("alert.raise", "anchor.disagrees", "witness")
