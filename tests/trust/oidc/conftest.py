"""A workspace that lets people in by a provider on loopback (provider.py), with real keys, ledger and databases."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

if "oidc_provider" not in sys.modules:
    for _name, _file in (("loopback", "../../loopback.py"), ("oidc_provider", "provider.py")):
        if _name not in sys.modules:
            _spec = importlib.util.spec_from_file_location(_name, Path(__file__).parent / _file)
            assert _spec is not None
            assert _spec.loader is not None
            _module = importlib.util.module_from_spec(_spec)
            sys.modules[_name] = _module
            _spec.loader.exec_module(_module)

from oidc_provider import CLIENT, SECRET, Provider

from loopback import Canary, certificate_for, serving, silent_canary
from sealwright.engines import Database, Outbound, OutboundRules
from sealwright.kernel import FixedClock
from sealwright.trust import (
    GroupRole,
    InsecurePassphraseForTests,
    Keyring,
    Ledger,
    LedgerAudit,
    LocalSigner,
    OidcArrival,
    OidcLogin,
    OidcSettings,
    Principal,
    RoleGrant,
    Secret,
    TlsFiles,
    create_keyring,
)

NAME = "idp.example.org"
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
ROLES = (
    GroupRole("ml-team", RoleGrant("ml_engineer", "credit")),
    GroupRole("audit", RoleGrant("auditor")),
)


@dataclass
class Desk:
    """A workspace with one provider."""

    provider: Provider
    clock: FixedClock
    db: Database
    ring: Keyring
    ledger: Ledger
    ended: set[str]  # people who may not sign in any more
    outbound: Outbound
    login: OidcLogin

    def made(self, **settings: Any) -> OidcLogin:
        """A login with other settings over the same tables."""
        given = {
            "issuer": self.provider.issuer,
            "client_id": CLIENT,
            "redirect_uri": "https://sealwright.example.org/oidc/callback",
            "roles": ROLES,
            "client_secret": lambda: Secret(SECRET),
            "unknown": "enrol",
            **settings,
        }
        return OidcLogin(
            OidcSettings(**given),
            db=self.db,
            keyring=self.ring,
            outbound=self.outbound,
            audit=LedgerAudit(self.ledger, self.ring),
            clock=self.clock,
            admits=lambda person: person not in self.ended,
        )

    def arrive(self, login: OidcLogin | None = None, **options: Any) -> OidcArrival:
        """The whole way of one login."""
        login = login or self.login
        begun = login.start(**options)
        return login.finish(self.provider.sign_in(begun.url), begun.browser.reveal())

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
    return certificate_for(tmp_path_factory.mktemp("tls"), NAME, "other.example.org")


@pytest.fixture(scope="session")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    folder = tmp_path_factory.mktemp("oidc") / "keys"
    return create_keyring(folder, "ws_test", InsecurePassphraseForTests(Secret("a passphrase for tests")))


@pytest.fixture
def open_desk(db: Database, ring: Keyring, tls: TlsFiles, tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """Makes a desk for a provider; further ports may be opened for a second one, or for a canary."""
    clock = FixedClock(NOW)
    ledger = Ledger.open(
        tmp_path / "ledger",
        origin="sealwright/ws_test/ledger",
        signer=LocalSigner("ed25519", bytes(31) + b"\x01"),
        clock=clock,
        create=True,
    )
    opened: list[Any] = []

    def make(*ports: int) -> Desk:
        provider = Provider(NAME, clock)
        context = serving(provider, tls=tls)
        provider.port = context.__enter__().port
        opened.append(context)
        rules = OutboundRules(
            hosts=frozenset({NAME, "other.example.org"}),
            ports=frozenset({provider.port, *ports}),
            ca_file=tls.ca,
            connect_seconds=1.0,
            total_seconds=1.5,
        )
        outbound = Outbound(rules, resolver=lambda _host, _port: ["127.0.0.1"])
        desk = Desk(provider, clock, db, ring, ledger, set(), outbound, None)  # type: ignore[arg-type]
        desk.login = desk.made()
        return desk

    yield make
    for context in opened:
        context.__exit__(None, None, None)
    ledger.close()


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    return open_desk()


@pytest.fixture
def ada() -> Principal:
    """Signed in here by other means, with a second factor a moment ago."""
    return Principal(kind="person", name="ada", proof="session", strong=True)
