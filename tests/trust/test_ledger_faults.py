"""200 kills at random points, with a disk that fills up and turns read-only in between: what was promised is there.

With root the disk is a tmpfs of 48 MB in a mount namespace of its own: really full, really read-only. Without, a full disk
is played by RLIMIT_FSIZE on the process, and the read-only one is left out.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sealwright.trust import PublicKey, verify_ledger

DRIVER = Path(__file__).with_name("ledger_faults.py")
ORIGIN = "sealwright/ws_test/ledger"


def may_mount() -> bool:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    test = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False)
    return test.returncode == 0


@pytest.mark.parametrize(
    ("rounds", "how"),
    [
        pytest.param(
            200, "mount", marks=[pytest.mark.slow, pytest.mark.skipif(not may_mount(), reason="may not mount")]
        ),
        pytest.param(12, "limit"),
    ],
)
def test_no_acknowledged_entry_is_lost_and_no_effect_is_without_its_entry_t58(
    tmp_path: Path, rounds: int, how: str
) -> None:
    command = [sys.executable, str(DRIVER), str(tmp_path), str(rounds), "20261126", how]
    done = subprocess.run(
        [*(["unshare", "-m"] if how == "mount" else []), *command],
        capture_output=True,
        check=False,
        timeout=300,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    found = json.loads(done.stdout)
    assert found["lost"] == []
    assert found["contradicted"] == 0
    assert found["effects without an entry"] == []
    assert found["done without an effect"] == []
    assert found["acknowledged"] > 10 * rounds
    assert found["effects"] > 5 * rounds
    assert found["refused"] > 0
    assert set(found["faults"]) >= {"kill", "full", "full, then room", "full at the start"}
    if how == "mount":
        assert found["faults"]["read-only at the start"] > 5
        assert found["closed"] >= found["faults"]["read-only at the start"]
    folder = tmp_path / ("after" if how == "mount" else "disk/ledger")
    notes = [note.encode() for note in found["notes"]]
    report = verify_ledger(folder, [PublicKey.from_pem(found["public"])], ORIGIN, witnessed=notes)
    assert report.size == found["entries"]
