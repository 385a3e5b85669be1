"""T-59: however many programs want to write, and however often they start, no two checkpoints contradict each other."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from sealwright.trust import LocalSigner, verify_ledger

ORIGIN = "example.org/ws_1/races"
SIGNER = LocalSigner("ed25519", b"\x01" * 32)
PROGRAM = f"""
import json, sys, time
from pathlib import Path
from sealwright.trust import Ledger, LedgerInUse, LocalSigner

signer, name, folder = LocalSigner("ed25519", b"\\x01" * 32), sys.argv[1], Path(sys.argv[2])
opened = 0
until = time.monotonic() + float(sys.argv[3])
while time.monotonic() < until:
    try:
        with Ledger.open(folder, origin={ORIGIN!r}, signer=signer, create=True) as ledger:
            opened += 1
            print(json.dumps(ledger.checkpoint().decode()), flush=True)
            for number in range(3):
                done = ledger.append("race.made", f"{{name}}-{{opened}}-{{number}}", {{}})
                print(json.dumps(done.checkpoint.decode()), flush=True)
    except LedgerInUse:
        pass
    time.sleep(0.002)
"""


def test_programs_that_race_to_write_sign_one_history_t59(tmp_path: Path) -> None:
    folder, seconds = tmp_path / "ledger", 4.0
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(name), str(folder), str(seconds)],
            stdout=subprocess.PIPE,
            env=environment,
        )
        for name in range(3)
    ]
    time.sleep(seconds / 2)
    started[0].send_signal(signal.SIGKILL)  # in the middle of whatever it does
    notes = []
    for process in started:
        out, _ = process.communicate(timeout=60)
        said = [json.loads(line) for line in out.splitlines() if line.endswith(b'"')]
        assert said, "it never had its turn"
        notes += [note.encode() for note in said]
    report = verify_ledger(folder, [SIGNER.public()], ORIGIN, witnessed=notes)
    assert report.size >= 20
    assert len(set(notes)) > 20
