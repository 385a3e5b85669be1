"""Whoever looks while another thread is still reading the new chain gets the new trust root, not the one before."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest

import sealwright.trust.followed_root as followed_root
from sealwright.trust import InsecurePassphraseForTests, Secret, create_keyring, rotate_signing
from sealwright.trust.followed_root import FollowedRoot
from sealwright.trust.trust_chain import TRUST_CHAIN

UNLOCK = InsecurePassphraseForTests(Secret("a passphrase for tests"))


class Nowhere:
    def record(self, event: Any) -> None: ...


def test_nobody_gets_the_old_root_while_the_new_one_is_being_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with create_keyring(tmp_path / "keys", "ws_test", UNLOCK) as ring:
        before = ring.trust_root
        newest = rotate_signing(ring, tmp_path / "keys", UNLOCK, "checkpoints", audit=Nowhere(), by="ada")
    reading, read = threading.Event(), followed_root.read_chain

    def slowly(chain: Path) -> Any:
        reading.set()
        time.sleep(0.3)
        return read(chain)

    monkeypatch.setattr(followed_root, "read_chain", slowly)
    followed = FollowedRoot(before, tmp_path / "keys" / TRUST_CHAIN)
    first = threading.Thread(target=lambda: followed.now)
    first.start()
    assert reading.wait(10)
    assert followed.now.fingerprint == newest.fingerprint != before.fingerprint
    first.join()
