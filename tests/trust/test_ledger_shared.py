"""A server and commands record in one ledger in turn, and nobody keeps the others out."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from sealwright.kernel import Refused
from sealwright.trust import (
    Event,
    InsecurePassphraseForTests,
    Keyring,
    Ledger,
    LedgerInUse,
    Secret,
    SharedAudit,
    SharedLedger,
    create_keyring,
    verify_ledger,
)

ORIGIN = "sealwright/ws_test/ledger"
OTHER_PROGRAM = """
import sys
from pathlib import Path
from sealwright.trust import Event, InsecurePassphraseForTests, Ledger, Secret, SharedAudit, SharedLedger, open_keyring
folder = Path(sys.argv[1])
ring = open_keyring(folder / "keys", InsecurePassphraseForTests(Secret("a passphrase for tests")))
shared = SharedLedger(lambda: Ledger.open(folder / "ledger", origin=sys.argv[2], signer=ring.signer("checkpoints")), linger=0.01)
for _ in range(int(sys.argv[3])):
    SharedAudit(shared, ring).record(Event(action="login", outcome="done", actor="from-the-other-program"))
shared.close()
"""


@pytest.fixture
def ring(tmp_path: Path) -> Keyring:
    made = create_keyring(tmp_path / "keys", "ws_test", InsecurePassphraseForTests(Secret("a passphrase for tests")))
    Ledger.open(tmp_path / "ledger", origin=ORIGIN, signer=made.signer("checkpoints"), create=True).close()
    return made


def shared_by(ring: Keyring, folder: Path, **times: float) -> SharedLedger:
    return SharedLedger(
        lambda: Ledger.open(folder / "ledger", origin=ORIGIN, signer=ring.signer("checkpoints")), **times
    )


def size(folder: Path) -> int:
    with Ledger.open(folder / "ledger", origin=ORIGIN, signer=None) as ledger:
        return ledger.size


def test_threads_and_another_program_record_side_by_side_and_nothing_is_lost(ring: Keyring, tmp_path: Path) -> None:
    shared = shared_by(ring, tmp_path, linger=0.01, patience=30.0)
    audit = SharedAudit(shared, ring)
    failures: list[Exception] = []

    def record() -> None:
        try:
            for _ in range(15):
                audit.record(Event(action="login", outcome="done", actor="from-the-server"))
                time.sleep(0.02)  # as a server: events come now and then, and in between others get their turn
        except Exception as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=record) for _ in range(3)]
    other = subprocess.Popen([sys.executable, "-c", OTHER_PROGRAM, str(tmp_path), ORIGIN, "20"], stderr=subprocess.PIPE)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    _, said = other.communicate(timeout=60)
    shared.close()
    assert (failures, other.returncode) == ([], 0), said
    assert size(tmp_path) == 3 * 15 + 20
    verify_ledger(tmp_path / "ledger", ring.trust_root.keys_of("checkpoints"), origin=ORIGIN)


def test_after_a_short_while_others_may_write(ring: Keyring, tmp_path: Path) -> None:
    shared = shared_by(ring, tmp_path, linger=0.05)
    with shared.use() as ledger:
        ledger.append("login", "", {})
        with pytest.raises(LedgerInUse):
            Ledger.open(tmp_path / "ledger", origin=ORIGIN, signer=ring.signer("checkpoints"))
    until = time.monotonic() + 5
    while True:
        try:
            Ledger.open(tmp_path / "ledger", origin=ORIGIN, signer=ring.signer("checkpoints")).close()
            break
        except LedgerInUse:
            assert time.monotonic() < until
            time.sleep(0.02)


def test_whoever_writes_for_longer_than_we_wait_is_told_of(ring: Keyring, tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger", origin=ORIGIN, signer=ring.signer("checkpoints")):
        shared = shared_by(ring, tmp_path, patience=0.1)
        with pytest.raises(LedgerInUse), shared.use():
            pass


def test_once_closed_it_records_nothing(ring: Keyring, tmp_path: Path) -> None:
    shared = shared_by(ring, tmp_path)
    with shared.use() as ledger:
        shared.close()
        ledger.append("login", "", {})  # who was inside may finish
    with pytest.raises(Refused, match="ending"), shared.use():
        pass
    assert size(tmp_path) == 1
