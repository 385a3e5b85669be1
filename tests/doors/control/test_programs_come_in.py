"""Programs at the control server: a stock OAuth client gets its token there, and comes in with it. Never a cookie."""

from pathlib import Path
from typing import Any

import pytest
from oauthlib.oauth2 import BackendApplicationClient
from oauthlib.oauth2.rfc6749.errors import InvalidClientError
from people_house import Bank
from requests_oauthlib import OAuth2Session


def _secret(bank: Bank, name: str, *more: str) -> str:
    audience = f"urn:sealwright:control:{bank.id}"
    arguments = ("--audience", audience, "--owner", "ops", "--to", f"{name}.secret", *more)
    done = bank.command("client", "add", name, *arguments)
    assert done.returncode == 0, done.stderr
    return (bank.root / f"{name}.secret").read_text().strip()


def _session(bank: Bank, name: str) -> Any:
    session = OAuth2Session(client=BackendApplicationClient(name))
    session.verify, session.trust_env = bank.ca, False
    return session


def test_a_stock_client_gets_a_token_and_comes_in_with_it(bank: Bank) -> None:
    secret, session = _secret(bank, "night-audit", "--scope", "control:ledger.read"), _session(bank, "night-audit")
    token = session.fetch_token(f"{bank.base}/oauth/token", client_id="night-audit", client_secret=secret)
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 300)
    me = session.get(f"{bank.base}/api/v1/me").json()
    assert (me["kind"], me["name"], me["proof"]) == ("service", "night-audit", "token")
    assert session.get(f"{bank.base}/api/v1/ledger").status_code == 200
    assert session.get(f"{bank.base}/api/v1/keys").status_code == 403  # no scope for that
    with pytest.raises(InvalidClientError):
        _session(bank, "night-audit").fetch_token(
            f"{bank.base}/oauth/token", client_id="night-audit", client_secret="x"
        )
    done = bank.command("client", "revoke-tokens", "night-audit", "--reason", "stolen")
    assert done.returncode == 0, done.stderr
    assert session.get(f"{bank.base}/api/v1/ledger").status_code == 401  # at once: the server asks its database


def test_the_token_endpoint_takes_no_cookie_no_form_of_a_page_and_nothing_large(bank: Bank) -> None:
    browser = bank.browser()
    form = {"grant_type": "client_credentials", "client_id": "x", "client_secret": "y"}
    assert browser.http.post("/oauth/token", data=form).status_code == 401
    assert browser.http.post("/oauth/token", data=form, headers={"cookie": "__Host-session=x"}).status_code == 400
    assert browser.http.post("/oauth/token", data=form | {"scope": "s" * 20_000}).status_code in (400, 413)
    assert browser.http.post("/oauth/token", content=b"x" * 70_000).status_code in (413, 415)
    assert browser.get("/oauth/token").status_code == 401
    assert browser.get("/oauth/jwks.json").json()["keys"]
    about = browser.get("/.well-known/oauth-authorization-server").json()
    assert about["token_endpoint"] == f"{bank.base}/oauth/token"


def test_strangers_with_bad_tokens_do_not_fill_the_ledger_of_the_workspace(bank: Bank) -> None:
    before, browser = len(bank.ledger()), bank.browser()
    for number in range(50):
        answer = browser.get("/api/v1/ledger", headers={"authorization": f"Bearer sw_{number:050d}"})
        assert answer.status_code == 401
    assert len(bank.ledger()) == before


def test_the_log_and_the_arguments_hold_no_secret(bank: Bank) -> None:
    log = (bank.root / "log").read_text()
    token = bank.first_link.rpartition("/")[2]
    assert token
    for secret in (token, *bank.apps.values(), *bank.codes["ada"]):
        assert secret not in log
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert token.encode() not in process.read_bytes()
        except OSError:
            continue
