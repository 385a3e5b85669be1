"""A workspace's keys and ledger, real receivers on loopback (tests/loopback.py), and a canary."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

if "loopback" not in sys.modules:
    _spec = importlib.util.spec_from_file_location("loopback", Path(__file__).parents[2] / "loopback.py")
    assert _spec is not None
    assert _spec.loader is not None
    _module = importlib.util.module_from_spec(_spec)
    sys.modules["loopback"] = _module
    _spec.loader.exec_module(_module)

from loopback import Canary, certificate_for, silent_canary
from sealwright.engines import Database, Outbound, OutboundRules
from sealwright.kernel import FixedClock
from sealwright.trust import (
    InsecurePassphraseForTests,
    Keyring,
    Ledger,
    LedgerAudit,
    LocalSigner,
    Principal,
    Secret,
    TlsFiles,
    Webhooks,
    create_keyring,
)

NAME = "hooks.example.org"
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


@dataclass
class Desk:
    """Webhooks with everything they stand on."""

    webhooks: Webhooks
    ledger: Ledger
    ledger_folder: Path
    clock: FixedClock
    addresses: list[str]  # what the name server says of every name

    def events(self) -> list[tuple[str, str, str]]:
        entries = self.ledger.entries()
        return [(e.action, str(e.detail["outcome"]), str(e.detail.get("reason", ""))) for e in entries]


@pytest.fixture
def canary() -> Iterator[Canary]:
    """Listens on every local address; the test fails if anything connects."""
    with silent_canary() as listening:
        yield listening
        assert listening.seen == []


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    return certificate_for(tmp_path_factory.mktemp("tls"), NAME)


@pytest.fixture
def ring(tmp_path: Path) -> Keyring:
    return create_keyring(tmp_path / "keys", "ws_test", InsecurePassphraseForTests(Secret("a passphrase for tests")))


@pytest.fixture
def desk(db: Database, ring: Keyring, tls: TlsFiles, tmp_path: Path) -> Iterator[Callable[[int], Desk]]:
    """Makes a desk whose one open port is that of the test's receiver."""
    clock = FixedClock(NOW)
    folder = tmp_path / "ledger"
    ledger = Ledger.open(
        folder,
        origin="sealwright/ws_test/ledger",
        signer=LocalSigner("ed25519", bytes(31) + b"\x01"),
        clock=clock,
        create=True,
    )

    def make(port: int) -> Desk:
        addresses = ["127.0.0.1"]
        rules = OutboundRules(
            hosts=frozenset({NAME}), ports=frozenset({port}), ca_file=tls.ca, connect_seconds=1.0, total_seconds=1.5
        )
        outbound = Outbound(rules, resolver=lambda _host, _port: list(addresses))
        return Desk(Webhooks(db, ring, outbound, LedgerAudit(ledger, ring), clock), ledger, folder, clock, addresses)

    yield make
    ledger.close()


@pytest.fixture
def ada() -> Principal:
    return Principal(kind="person", name="ada", proof="session", strong=True)
