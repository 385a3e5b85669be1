"""A control server with accounts, started by its own command, and browsers that go to it."""

import contextlib
import json
import os
import re
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pyotp

from sealwright.doors.control.account_pages import AccountPages
from sealwright.doors.control.oauth import oauth_endpoints
from sealwright.doors.control.provider_pages import ProviderPages
from sealwright.doors.control.router import Access, ControlRouter
from sealwright.doors.control.sign_in_pages import SignInPages
from sealwright.pipeline import create_workspace, enrol, open_workspace
from sealwright.trust import KeyFile, LedgerEntry, Principal, create_key_file
from warm import Warm

SESSION_COOKIE = "__Host-session"
WORDS = "lantern okapi velvet 7 rivers"
PROVIDER = {
    "issuer": "https://idp.example.org",
    "client_id": "sealwright",
    "redirect_uri": "https://localhost/login/provider/back",
    "roles": [{"group": "audit", "role": "auditor", "project": "*"}],
}


def people_table() -> list[Access]:
    """Every route that accounts, programs and a provider add."""
    routes = ControlRouter()
    SignInPages(None, None).add_to(routes)  # type: ignore[arg-type]
    AccountPages(None, True).add_to(routes)  # type: ignore[arg-type]
    ProviderPages(None, None, None).add_to(routes)  # type: ignore[arg-type]

    class Settings:
        keys, settings = (), type("None", (), {"issuer": "", "token_endpoint": "", "base_url": ""})()
        token = introspect = revoke = None

    for method, path, handle in _endpoints(Settings()):
        routes.add(method, path, handle, kind="api", open_to="anyone")
    return list(routes.entries)


def _endpoints(service: Any) -> list[tuple[str, str, Any]]:
    from unittest.mock import patch

    with patch("sealwright.doors.control.oauth.metadata_document", lambda _: {}):
        return oauth_endpoints(service)


class Browser:
    """One browser: cookies, forms, no script."""

    def __init__(self, base: str, ca: str) -> None:
        self.base = base
        self.http = httpx.Client(
            base_url=base,
            verify=ssl.create_default_context(cafile=ca),
            trust_env=False,
            headers={"accept": "text/html,*/*;q=0.8", "sec-fetch-site": "same-origin"},
            timeout=30,
        )

    @property
    def cookies(self) -> dict[str, str]:
        return {cookie.name: cookie.value or "" for cookie in self.http.cookies.jar}

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.http.get(path, **options)

    def send(self, page: httpx.Response, path: str, fields: Mapping[str, str] | None = None, **headers: str) -> Any:
        """A form of a page, with its token and what it hides."""
        token = field(page, "form_token")
        return self.http.post(path, data={"form_token": token, **(fields or {})}, headers=headers)

    def begin(self, name: str, password: str = WORDS, to: str = "/") -> httpx.Response:
        return self.send(self.get("/login"), "/login", {"name": name, "password": password, "next": to})

    def second(self, page: httpx.Response, **proof: str) -> httpx.Response:
        fields = {"ticket": field(page, "ticket"), "next": field(page, "next"), **proof}
        found: httpx.Response = self.send(page, "/login/second", fields)
        return found


def field(page: httpx.Response, name: str) -> str:
    """What a hidden field of a page holds."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found is not None, page.text
    return found.group(1).replace("&#34;", '"')


def options_in(page: httpx.Response) -> dict[str, Any]:
    """What a page gives the passkey dialog."""
    found = re.search(r'data-options="([^"]*)"', page.text)
    assert found is not None, page.text
    loaded: dict[str, Any] = json.loads(found.group(1).replace("&#34;", '"'))
    return loaded


class Bank:
    """A workspace in which people are enrolled, and its server. Dan has no account, and is there to be struck off."""

    def __init__(self, root: Path, *, people: bool = True, provider: Mapping[str, Any] | None = None) -> None:
        root.mkdir(mode=0o700)
        self.root, self.home, self.key = root, root / "ws", root / "root.key"
        self.base, self.ca, self.first_link, self.port = "", "", "", 0
        self._browsers: list[Browser] = []
        self.apps: dict[str, str] = {}
        self.last_step: dict[str, int] = {}
        self.codes: dict[str, list[str]] = {}
        create_key_file(self.key)
        with create_workspace(self.home, name="Example <b>Bank</b>", unlock=KeyFile(self.key)) as workspace:
            self.id = workspace.id
            ops = Principal(kind="person", name="ops", proof="machine_account")
            everybody = (("cara", "auditor"), ("dan", "auditor"), ("ada", "administrator"))
            for name, role in everybody if people else ():
                enrol(workspace, name, [role], create_key_file(root / f"{name}.key"), by=ops)
        self.secret = root / "client.secret"
        self.secret.write_text("any-secret")
        self.secret.chmod(0o600)
        if provider:
            self.set_provider(provider)

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "HOME": str(self.root),
            "SEALWRIGHT_HOME": str(self.home),
            "SEALWRIGHT_KEY_FILE": str(self.key),
            "SEALWRIGHT_ACTOR": "ops",
        }

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """One command beside the server."""
        return Warm.of_this_session.run(arguments, environment=self.environment, folder=self.root)

    def set_provider(self, settings: Mapping[str, Any]) -> None:
        """Name an identity provider, as ada if she is enrolled."""
        file = self.root / "provider.yaml"
        file.write_text(json.dumps({**PROVIDER, "secret_file": str(self.secret), **settings}))  # JSON is YAML
        known = (self.root / "ada.key").exists()
        as_ada = ("--as", "ada", "--own-key", str(self.root / "ada.key")) if known else ()
        done = self.command("people", "provider", str(file), *as_ada)
        assert done.returncode == 0, done.stderr

    def link_for(self, name: str) -> str:
        as_ada = ("--as", "ada", "--own-key", str(self.root / "ada.key"), "--json")
        done = self.command("people", "link", name, "--address", self.base, *as_ada)
        assert done.returncode == 0, done.stderr
        return str(json.loads(done.stdout)["link"])

    @contextlib.contextmanager
    def running(self, *more: str) -> Iterator["Bank"]:
        """The server, from its start to SIGTERM, which must be a good end."""
        command = [*Warm.of_this_session.program(), "control", "--port", "0", "--json", *more]
        with (self.root / "log").open("ab") as log:
            process = subprocess.Popen(
                command, env=self.environment, cwd=self.root, stdout=subprocess.PIPE, stderr=log, text=True
            )
            try:
                assert process.stdout is not None
                text = ""
                for line in process.stdout:
                    text += line
                    if line == "}\n":
                        break
                facts = json.loads(text)
                self.base, self.ca, self.port = facts["url"].rstrip("/"), facts["ca"], facts["port"]
                self.first_link = facts["first account"] or ""
                yield self
            finally:
                for browser in self._browsers:
                    browser.http.close()
                process.terminate()
                status = process.wait(30)
                process.stdout.close()  # type: ignore[union-attr]
        assert status == 0, (self.root / "log").read_text()

    def browser(self) -> Browser:
        self._browsers.append(Browser(self.base, self.ca))
        return self._browsers[-1]

    def join(self, name: str, link: str) -> httpx.Response:
        """Use a link, with an authenticator app; the code is that of the step before, so that this one's is left."""
        browser = self.browser()
        page = browser.get(link)
        assert page.status_code == 200, page.text
        self.apps[name] = "".join(re.findall(r"<span>([A-Z2-7]{4})</span>", page.text))
        code = self.fresh_code(name)
        fields = {"ticket": field(page, "ticket"), "password": WORDS, "again": WORDS, "code": code, "answer": ""}
        done: httpx.Response = browser.send(page, link.removeprefix(self.base), fields)
        assert done.status_code == 200, done.text
        self.codes[name] = re.findall(r"<li>([a-z2-7-]{19})</li>", done.text)
        assert len(self.codes[name]) == 10
        return done

    def fresh_code(self, name: str) -> str:
        """A code of the person's app that was not used yet; waits where the server does not take the next one already."""
        step, gone = divmod(int(time.time()), 30)
        begin = step - 1 if gone < 18 else step  # the code before counts, too, as long as this one lasts
        wanted = self.last_step[name] + 1 if name in self.last_step else begin
        wanted = max(wanted, begin)
        while wanted > int(time.time() // 30) + 1:
            time.sleep(0.2)
        self.last_step[name] = wanted
        return pyotp.TOTP(self.apps[name]).at(wanted * 30)

    def signed_in(self, name: str, to: str = "/") -> Browser:
        """Somebody who logged in with a recovery code, of which there are ten; that ends their other sessions."""
        browser = self.browser()
        done = browser.second(browser.begin(name, to=to), recovery=self.codes[name].pop())
        assert done.status_code == 303, done.text
        return browser

    def ledger(self) -> list[LedgerEntry]:
        """The workspace's ledger so far."""
        with open_workspace(self.home, KeyFile(self.key)) as workspace:
            return list(workspace.ledger_to_read().entries())
