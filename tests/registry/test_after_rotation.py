"""When the key for releases leaked: it is replaced and revoked, and a new promotion is believed by who heeds that."""

from pathlib import Path
from typing import Any

import pytest

from sealwright.engines import Database
from sealwright.kernel import VerificationFailed
from sealwright.registry import verify_pointer, verify_revocations
from sealwright.trust import (
    Event,
    InsecurePassphraseForTests,
    RevokedKey,
    Secret,
    TrustRoot,
    create_keyring,
    heed,
    revoke,
    rotate_signing,
)
from sealwright.trust.key_revocation import no_revocations

UNLOCK = InsecurePassphraseForTests(Secret("correct horse battery"))


class Nowhere:
    def record(self, _: Event) -> None: ...


def promoted(house: Any, number: int) -> None:
    house.registry.promote("credit", number, "live", by="dora", reason="it is ready")


def believed(house: Any, root: TrustRoot) -> tuple[int, int]:
    """Sequences of pointer and revocation list, as a server that heeds revoked keys reads them."""
    data = (house.home / "pointers" / "credit" / "live.json").read_bytes()
    facts = verify_pointer(data, root, project="credit", channel="live", now=house.clock(), at_least=0)
    listed = verify_revocations((house.home / "revocations.json").read_bytes(), root, at_least=facts.revocations)
    return facts.sequence, listed.sequence


@pytest.mark.parametrize("something_revoked", [False, True])
@pytest.mark.parametrize("branch", ["releases", "releases-pq"])
def test_pointer_and_revocations_are_signed_anew_after_a_leak(
    house: Any, db: Database, tmp_path: Path, something_revoked: bool, branch: str
) -> None:
    house.ledger.close()
    create_keyring(tmp_path / "own" / "keys", "ws_test", UNLOCK).close()
    made = type(house)(tmp_path / "own-home", db, tmp_path / "own" / "keys")
    keys = made.home / "keys"
    made.made = {}  # packages by other keys
    first, second = made.version(), made.version(bias=0.5)
    promoted(made, first.number)
    if something_revoked:
        made.registry.revoke(second.package, by="dora", reason="wrong data")
    assert believed(made, made.trust_root) == (1, int(something_revoked))
    made.ledger.close()

    root = rotate_signing(made.keyring, keys, UNLOCK, branch, audit=Nowhere(), by="dora")
    leaked = RevokedKey(
        key_id=root.keys[branch][0].key_id, branch=branch, reason="compromised", since=9, at=made.clock(), by="dora"
    )
    standing = heed(root, revoke(no_revocations(made.clock()), leaked, root, now=made.clock()))
    with pytest.raises(VerificationFailed):
        believed(made, standing)
    again = made.reopen()
    assert again.trust_root == root
    promoted(again, first.number)
    assert believed(again, standing) == (2, int(something_revoked))
    assert again.registry.current("credit", "live").sequence == 2
    again.close()
