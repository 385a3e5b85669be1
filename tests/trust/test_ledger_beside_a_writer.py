"""Whoever reads a ledger beside the program that writes it sees a whole one, at every moment."""

import threading
from pathlib import Path

from sealwright.trust import InsecurePassphraseForTests, Ledger, Secret, create_keyring


def test_reading_beside_a_writer_never_looks_like_records_were_removed(tmp_path: Path) -> None:
    unlock = InsecurePassphraseForTests(Secret("only for tests"))
    with create_keyring(tmp_path / "keys", "ws_1", unlock) as ring:
        signer = ring.signer("checkpoints")
        folder, over = tmp_path / "ledger", threading.Event()
        origin = "sealwright/ws_1/ledger"
        with Ledger.open(folder, origin=origin, signer=signer, create=True) as ledger:

            def write() -> None:
                for at in range(60):
                    ledger.append("tests.entry", "", {"at": at})
                over.set()

            writing = threading.Thread(target=write)
            writing.start()
            seen = 0
            while not over.is_set():
                with Ledger.open(
                    folder, origin=origin, signer=None, keys=ring.trust_root.keys_of("checkpoints")
                ) as read:
                    assert read.size >= seen
                    seen = read.size
            writing.join()
