"""The installation is looked over, accepted on record, and a change of it is told."""

import json
import subprocess
import sys
from pathlib import Path

from sealwright.kernel import system_clock
from sealwright.pipeline import (
    accept_environment,
    compare_environment,
    create_workspace,
    look_over,
    note_differences,
    open_workspace,
)
from sealwright.trust import KeyFile, Principal, create_key_file, installed_here


def test_doctor_tells_the_state_and_ends_in_order_here(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-c",
        "from sealwright.doors.cli import main; main()",
        "doctor",
        "--json",
        "--home",
        str(tmp_path / "none"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    found = {one["what"]: one["state"] for one in json.loads(done.stdout)}
    assert (done.returncode, found["start hooks"], found["known faults"]) == (0, "good", "unknown")


def test_an_accepted_installation_is_compared_later_and_a_change_stands_in_the_ledger_t73(tmp_path: Path) -> None:
    create_key_file(tmp_path / "root.key")
    with create_workspace(tmp_path / "home", name="Test", unlock=KeyFile(tmp_path / "root.key")) as workspace:
        assert note_differences(workspace) == []  # nothing was accepted, so nothing can differ
        accept_environment(
            workspace,
            by=Principal(kind="person", name="ops", proof="machine_account"),
            reason="Reviewed by hand before this test",
        )
        assert compare_environment(workspace) == []
    planted = tmp_path / "planted" / "litestealer-1.82.7.dist-info"
    planted.mkdir(parents=True)
    (planted / "METADATA").write_text("Metadata-Version: 2.1\nName: litestealer\nVersion: 1.82.7\n")
    sys.path.append(str(tmp_path / "planted"))
    try:
        assert "litestealer" in {one.name for one in installed_here()}
        with open_workspace(tmp_path / "home", KeyFile(tmp_path / "root.key")) as workspace:
            assert [str(one) for one in note_differences(workspace)] == ["litestealer 1.82.7: added"]
            entry = list(workspace.ledger.entries())[-1]
    finally:
        sys.path.remove(str(tmp_path / "planted"))
    assert (entry.action, entry.detail["reason"], entry.detail["packages"]) == (
        "environment.compare",
        "supply.differs",
        ["litestealer"],
    )


def test_a_planted_start_hook_is_bad(tmp_path: Path) -> None:
    (tmp_path / "zz.pth").write_text("import os\n")
    states = {one.what: one.state for one in look_over(system_clock(), paths=[str(tmp_path)])}
    assert states["start hooks"] == "bad"
