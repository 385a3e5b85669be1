"""A workspace's machine room in small: real keys, a real ledger, a real database, a clock that stands still."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from sealwright.engines import Database
from sealwright.kernel import FixedClock
from sealwright.trust import (
    InsecurePassphraseForTests,
    Keyring,
    Ledger,
    LedgerAudit,
    LedgerEntry,
    LocalSigner,
    Machines,
    OAuthRequest,
    PeerVerifier,
    Secret,
    ServiceCertificates,
    TokenService,
    TokenSettings,
    create_keyring,
)
from sealwright.trust.signing.vault import open_vault

AUDIENCE = "urn:sealwright:predict:ws_1"
ISSUER = "urn:sealwright:workspace:ws_1"
BASE = "https://control.example.org"
UNLOCK = InsecurePassphraseForTests(Secret("a passphrase for tests"))
START = datetime(2026, 11, 26, 12, 0, 30, tzinfo=UTC)


@dataclass
class Desk:
    """Everything a test of this room touches."""

    folder: Path
    keyring: Keyring
    ledger: Ledger
    db: Database
    clock: FixedClock
    machines: Machines
    certificates: ServiceCertificates
    service: TokenService

    @property
    def access_file(self) -> Path:
        return self.folder / "access.json"

    def stolen(self, branch: str) -> LocalSigner:
        """A private key as a thief has it, who asks no signer."""
        return open_vault(self.folder / "keys", UNLOCK).signers[branch]

    def events(self, action: str = "") -> list[LedgerEntry]:
        return [entry for entry in self.ledger.entries() if not action or entry.action == action]

    def add(self, name: str = "till", **changes: Any) -> str:
        values: dict[str, Any] = {
            "owner": "ada",
            "audiences": [AUDIENCE],
            "scopes": ["predict:credit", "predict:other"],
            "by": "ada",
        }
        return self.machines.add_client(name, **(values | changes)) or ""

    def ask(self, endpoint: str = "token", *, authorization: str = "", certificate: bytes = b"", **form: str) -> Any:
        """Status, headers and JSON of one request."""
        values = {"grant_type": "client_credentials"} | form if endpoint == "token" else form
        found = getattr(self.service, endpoint)(
            OAuthRequest(
                body=urlencode(values).encode(),
                authorization=authorization,
                certificate=certificate,
                source="192.0.2.7",
                request="req_1",
            )
        )
        return found.status, found.headers, json.loads(found.body) if found.body else None


@pytest.fixture
def desk(tmp_path: Path, db: Database) -> Iterator[Desk]:
    clock = FixedClock(START)
    ring = create_keyring(tmp_path / "keys", "ws_1", UNLOCK)
    ledger = Ledger.open(
        tmp_path / "ledger",
        origin="sealwright/ws_1/ledger",
        signer=ring.signer("checkpoints"),
        clock=clock,
        create=True,
    )
    audit = LedgerAudit(ledger, ring)
    machines = Machines(
        db,
        audit,
        signer=ring.signer("tokens"),
        workspace="ws_1",
        access_file=tmp_path / "access.json",
        clock=clock,
    )
    certificates = ServiceCertificates(
        db, audit, signer=ring.signer("tls"), workspace="ws_1", folder=tmp_path / "tls", clock=clock
    )
    service = TokenService(
        machines,
        TokenSettings(issuer=ISSUER, base_url=BASE),
        ring.trust_root.keys_of("tokens"),
        peer=PeerVerifier(certificates.ca, certificates.revocations, "ws_1"),
    )
    yield Desk(tmp_path, ring, ledger, db, clock, machines, certificates, service)
    ledger.close()
    ring.close()
