"""The whole login against somebody else's OpenID Connect provider: a real server in a process of its own."""

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from sealwright.engines import Database, Outbound, OutboundRules
from sealwright.kernel import system_clock
from sealwright.trust import (
    GroupRole,
    Keyring,
    Ledger,
    LedgerAudit,
    LocalSigner,
    OidcLogin,
    OidcRefused,
    OidcSettings,
    OidcUnavailable,
    RoleGrant,
    Secret,
)

PEOPLE = (
    {"sub": "ada-1815", "groups": ["ml-team", "staff"], "email": "ada@example.org"},
    {"sub": "guest-7", "groups": ["guests"]},
)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """oidc-provider-mock, listening on loopback until the module's tests are done."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = free.getsockname()[1]
    log = tmp_path_factory.mktemp("provider") / "log"
    people = [f"--user-claims={json.dumps(person)}" for person in PEOPLE]
    command = [sys.executable, "-m", "oidc_provider_mock", f"--port={number}", "--require-nonce=true", *people]
    with log.open("w") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            for _ in range(200):
                try:
                    socket.create_connection(("127.0.0.1", number), timeout=1).close()
                    break
                except OSError:
                    assert process.poll() is None, log.read_text()
                    time.sleep(0.05)
            yield number
        finally:
            process.terminate()


@pytest.fixture
def made(port: int, db: Database, ring: Keyring, tmp_path: Path) -> Iterator[Callable[[OutboundRules], OidcLogin]]:
    """Makes a login by this provider, asked by some rules."""
    issuer = f"http://127.0.0.1:{port}"
    ledger = Ledger.open(
        tmp_path / "ledger",
        origin="sealwright/ws_test/ledger",
        signer=LocalSigner("ed25519", bytes(31) + b"\x01"),
        clock=system_clock,
        create=True,
    )
    settings = OidcSettings(
        issuer=issuer,
        client_id="sealwright",
        redirect_uri="https://sealwright.example.org/oidc/callback",
        roles=(GroupRole("ml-team", RoleGrant("ml_engineer", "credit")),),
        client_secret=lambda: Secret("any-secret"),
        scopes=("openid", "profile"),
        unknown="enrol",
    )

    def make(rules: OutboundRules) -> OidcLogin:
        return OidcLogin(
            settings,
            db=db,
            keyring=ring,
            outbound=Outbound(rules),
            audit=LedgerAudit(ledger, ring),
            clock=system_clock,
            admits=lambda _: True,
        )

    yield make
    ledger.close()


@pytest.fixture
def login(port: int, made: Callable[[OutboundRules], OidcLogin]) -> OidcLogin:
    return made(OutboundRules(plain_hosts=frozenset({"127.0.0.1"}), ports=frozenset({port})))


def browser(url: str, person: str, **form: str) -> list[tuple[str, str]]:
    """A person's browser at the provider: the form, the button, and where it is sent afterwards."""
    page = httpx.get(url)
    assert page.status_code == 200, page.text
    assert re.search(r"<form", page.text)
    sent = httpx.post(url, data={"sub": person, **form})
    assert sent.status_code in (302, 303), sent.text
    back = urlsplit(sent.headers["location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == "https://sealwright.example.org/oidc/callback"
    return parse_qsl(back.query)


def test_a_person_of_a_real_provider_comes_in_with_the_roles_of_their_groups(login: OidcLogin) -> None:
    begun = login.start()
    arrival = login.finish(browser(begun.url, "ada-1815"), begun.browser.reveal())
    assert arrival.principal.grants == {RoleGrant("ml_engineer", "credit")}
    again = login.start()
    assert login.finish(browser(again.url, "ada-1815"), again.browser.reveal()).principal.name == arrival.principal.name


def test_a_person_without_a_group_of_ours_stays_outside(login: OidcLogin) -> None:
    begun = login.start()
    with pytest.raises(OidcRefused) as error:
        login.finish(browser(begun.url, "guest-7"), begun.browser.reveal())
    assert error.value.reason == "oidc.no_role"


def test_a_person_who_says_no_at_a_real_provider_stays_outside(login: OidcLogin) -> None:
    begun = login.start()
    with pytest.raises(OidcRefused) as error:
        login.finish(browser(begun.url, "ada-1815", action="deny"), begun.browser.reveal())
    assert error.value.reason == "oidc.state"  # this provider leaves `state` out when a person says no


def test_a_real_provider_takes_a_code_once_t05(login: OidcLogin) -> None:
    first, second = login.start(), login.start()
    query = browser(first.url, "ada-1815")
    login.finish(query, first.browser.reveal())
    code = dict(query)["code"]
    injected = [(name, code if name == "code" else value) for name, value in browser(second.url, "ada-1815")]
    with pytest.raises(OidcRefused) as error:
        login.finish(injected, second.browser.reveal())
    assert error.value.reason == "oidc.code"


def test_a_real_provider_is_refused_where_its_address_is_not_opened_t33(made, port: int) -> None:
    with pytest.raises(OidcUnavailable) as error:
        made(OutboundRules(ports=frozenset({port}))).start()
    assert error.value.reason == "outbound.scheme"
