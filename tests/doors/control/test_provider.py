"""People log in with their organisation: a real provider in a process of its own, the real server, a browser between them."""

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from people_house import SESSION_COOKIE, Bank, Browser, field

PEOPLE = ({"sub": "ada-1815", "groups": ["audit"]}, {"sub": "guest-7", "groups": ["guests"]})


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = free.getsockname()[1]
    people = [part for one in PEOPLE for part in ("--user-claims", json.dumps(one))]
    command = [str(Path(sys.executable).with_name("oidc-provider-mock")), "--port", str(number), *people]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            end = time.monotonic() + 20
            while time.monotonic() < end:
                try:
                    socket.create_connection(("127.0.0.1", number), timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield f"http://127.0.0.1:{number}"
        finally:
            process.terminate()


@pytest.fixture
def place(issuer: str, tmp_path: Path) -> Iterator[tuple[Bank, str]]:
    settings = {
        "issuer": issuer,
        "redirect_uri": "https://localhost/login/provider/back",
        "scopes": ["openid", "profile"],
        "unknown": "enrol",
        "reach": "127.0.0.1",
        "port": int(issuer.rpartition(":")[2]),
    }
    with Bank(tmp_path / "home", provider=settings).running() as bank:
        yield bank, issuer


def _through(browser: Browser, person: str, path: str = "/login/provider") -> httpx.Response:
    """To the provider, its form, and back to the server with what it sends along."""
    leaving = browser.get(path)
    assert leaving.status_code == 303, leaving.text
    return _return(browser, leaving.headers["location"], person)


def _return(browser: Browser, url: str, person: str) -> httpx.Response:
    sent = httpx.post(url, data={"sub": person}, trust_env=False)
    assert sent.status_code in (302, 303), sent.text
    query = sent.headers["location"].partition("?")[2]
    return browser.get(f"/login/provider/back?{query}", headers={"sec-fetch-site": "cross-site"})


def test_somebody_comes_in_by_their_organisation_and_only_with_a_role(place: Any) -> None:
    bank, _ = place
    browser = bank.browser()
    login = browser.get("/login")
    assert 'href="/login/provider"' in login.text
    done = _through(browser, "ada-1815")
    assert (done.status_code, done.headers["location"]) == (303, "/"), done.text
    assert browser.get("/ledger").status_code == 200  # an auditor, by their group
    account = browser.get("/account")
    assert "your organisation" in account.text
    # the provider said nothing of a second factor, so nothing that needs one happens
    assert browser.send(account, "/account/codes").headers["location"] == "/step-up?next=/account"
    assert browser.get("/account/passkey").status_code == 303
    outside = bank.browser()
    refused = _through(outside, "guest-7")
    assert refused.status_code == 401
    assert SESSION_COOKIE not in outside.cookies
    assert browser.send(account, "/logout").status_code == 303
    assert browser.get("/ledger").status_code == 401


def test_a_login_begun_in_one_browser_is_not_finished_in_another_t05(place: Any) -> None:
    """Login CSRF and code injection: the answer of one browser is worth nothing in another, nor a second time."""
    bank, _ = place
    mine, theirs = bank.browser(), bank.browser()
    sent = httpx.post(theirs.get("/login/provider").headers["location"], data={"sub": "ada-1815"}, trust_env=False)
    back = "/login/provider/back?" + sent.headers["location"].partition("?")[2]
    mine.get("/login/provider")
    assert mine.get(back).status_code == 401
    assert SESSION_COOKIE not in mine.cookies
    assert mine.get("/login/provider", headers={"sec-fetch-site": "cross-site"}).status_code == 403


def test_a_restart_ends_sessions_by_the_provider(issuer: str, tmp_path: Path) -> None:
    settings = {
        "issuer": issuer,
        "redirect_uri": "https://localhost/login/provider/back",
        "unknown": "enrol",
        "reach": "127.0.0.1",
        "port": int(issuer.rpartition(":")[2]),
    }
    bank = Bank(tmp_path / "home", provider=settings)
    with bank.running():
        browser = bank.browser()
        assert _through(browser, "ada-1815").status_code == 303
        cookie = browser.cookies[SESSION_COOKIE]
    with bank.running():
        again = bank.browser()
        again.http.headers["cookie"] = f"{SESSION_COOKIE}={cookie}"
        assert again.get("/account").status_code == 401


def test_an_account_is_linked_by_its_person_and_then_opens_it(place: Any) -> None:
    bank, _ = place
    bank.join("ada", bank.first_link)
    browser = bank.signed_in("ada")
    page = browser.send(browser.get("/account"), "/account/provider")
    found = re.search(r'href="(http://127[^"]+)"', page.text)
    assert found is not None
    assert _return(browser, found.group(1).replace("&amp;", "&"), "ada-1815").status_code == 303
    other = bank.browser()
    assert _through(other, "ada-1815").status_code == 303
    assert ">ada</a>" in other.get("/account").text
    assert field(other.get("/account"), "form_token")
    as_ada = ("--as", "ada", "--own-key", str(bank.root / "ada.key"))
    done = bank.command("people", "end", "ada", "--reason", "left the bank", *as_ada)
    assert done.returncode == 0, done.stderr
    assert other.get("/account").status_code == 401  # the provider keeps nobody who has ended here
    assert _through(bank.browser(), "ada-1815").status_code == 401


def test_changed_settings_of_the_provider_do_not_start(issuer: str, tmp_path: Path) -> None:
    """Somebody who may write files alone names no provider, and gives no group a role."""
    bank = Bank(tmp_path / "home", provider={"issuer": "https://idp.example.org"})
    file = bank.home / "identity-provider.json"
    file.write_text(file.read_text().replace("auditor", "administrator"))
    done = bank.command("control", "--port", "0")
    assert done.returncode == 4, done.stderr
    assert "identity-provider.json" in done.stderr
    assert issuer
