"""A workspace's identity on both database engines, with a clock that stands still and a real ledger."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sealwright.engines import Database
from sealwright.kernel import FixedClock
from sealwright.trust import (
    IdentityRules,
    InsecurePassphraseForTests,
    Keyring,
    Ledger,
    LocalSigner,
    Secret,
    create_keyring,
    insecure_cost_for_tests,
)

sys.path.insert(0, str(Path(__file__).parent))  # helpers live beside these tests

from house import ORIGIN, House
from soft_authenticator import SoftAuthenticator


@pytest.fixture(scope="session")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    folder = tmp_path_factory.mktemp("identity") / "keys"
    return create_keyring(folder, "ws_test", InsecurePassphraseForTests(Secret("a passphrase for tests")))


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 26, 12, 0, 0, tzinfo=UTC))


@pytest.fixture
def rules() -> IdentityRules:
    cost = insecure_cost_for_tests()
    return IdentityRules(
        origin=ORIGIN, workspace="acme", cost=cost, cost_floor=cost, hash_queue=64, hash_wait=timedelta(seconds=60)
    )


@pytest.fixture
def authenticator() -> SoftAuthenticator:
    return SoftAuthenticator()


@pytest.fixture
def house(db: Database, keyring: Keyring, clock: FixedClock, rules: IdentityRules, tmp_path: Path) -> Iterator[House]:
    with Ledger.open(
        tmp_path / "ledger",
        origin="sealwright/ws_test/ledger",
        signer=LocalSigner("ed25519", bytes(31) + b"\x01"),
        clock=clock,
        create=True,
    ) as ledger:
        yield House(db=db, ring=keyring, ledger=ledger, clock=clock, rules=rules, enrolled={})
