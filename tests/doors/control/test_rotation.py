"""Every branch of keys is replaced by a command while the control server answers people and programs: nobody notices."""

import contextlib
import json
import re
import shutil
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import httpx
import pytest
from oauthlib.oauth2 import BackendApplicationClient, TemporarilyUnavailableError
from people_house import Bank, field
from requests_oauthlib import OAuth2Session

from sealwright.trust import KEPT_TO_READ, SIGNING_BRANCHES

BRANCHES = (*SIGNING_BRANCHES, *KEPT_TO_READ)


class Load:
    """Requests that go on and on, each kind on a thread and each on a new connection; what went wrong is kept."""

    def __init__(self, *asks: Callable[[], int]) -> None:
        self.answers, self.failures = [0] * len(asks), list[str]()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._go_on, args=one) for one in enumerate(asks)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def more(self, count: int = 5) -> None:
        """Wait until that many more of each kind were answered."""
        wanted, end = [one + count for one in self.answers], time.monotonic() + 60
        while any(a < b for a, b in zip(self.answers, wanted, strict=True)) and not self.failures:
            assert time.monotonic() < end, "the server answers no more"
            time.sleep(0.02)

    def _go_on(self, at: int, ask: Callable[[], int]) -> None:
        while not self._stop.is_set():
            try:
                status = ask()
            except Exception as error:  # noqa: BLE001 - whatever it is, a caller would see it
                self.failures.append(f"{at}: {type(error).__name__} {error}")
                return
            if status != 200:
                self.failures.append(f"{at}: {status}")
            self.answers[at] += 1


REFUSED: list[str] = []  # what was said where a request was not answered


def getting(bank: Bank, ca: Path, path: str, **headers: str) -> Callable[[], int]:
    """Asks for one page or document, each time on a connection of its own."""
    tls = ssl.create_default_context(cafile=str(ca))

    def ask() -> int:
        with httpx.Client(base_url=bank.base, verify=tls, trust_env=False, timeout=20) as client:
            answer = client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        if answer.status_code != 200:
            REFUSED.append(re.sub(r"<[^>]+>|\s+", " ", answer.text)[-600:])
        return answer.status_code

    return ask


def token_for(bank: Bank) -> str:
    file = bank.root / "bot.curl"
    file.unlink(missing_ok=True)
    done = bank.command("control-token", "--for", "bot", "--may", "ledger.read", "--to", str(file))
    assert done.returncode == 0, done.stderr
    return file.read_text().split("Bearer ")[1].strip('"\n')


def rotate(bank: Bank, branch: str) -> dict[str, Any]:
    done = bank.command("keys", "rotate", branch, "--json")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.fixture
def bank(tmp_path: Path) -> Any:
    """A running server with two people who have accounts."""
    with Bank(tmp_path / "home").running() as found:
        found.join("ada", found.first_link)
        found.join("cara", found.link_for("cara"))
        yield found


def test_no_request_is_lost_while_every_branch_gets_a_new_key(bank: Bank) -> None:
    old_ca = Path(shutil.copy(bank.ca, bank.root / "old-ca.pem"))
    cara, token = bank.signed_in("cara"), token_for(bank)
    form = cara.get("/account")  # a page that is open while the keys change
    cookies = "; ".join(f"{name}={value}" for name, value in cara.cookies.items())
    person = getting(bank, old_ca, "/account", cookie=cookies, accept="text/html", sec_fetch_site="same-origin")
    programs = getting(bank, old_ca, "/api/v1/ledger", authorization=f"Bearer {token}")
    with Load(person, programs, getting(bank, old_ca, "/health/ready"), getting(bank, old_ca, "/login")) as load:
        load.more()
        for branch in BRANCHES:
            done = rotate(bank, branch)
            assert done["key"] == "version 2" or len(done["key"]) == 64
            if branch in KEPT_TO_READ:
                assert (done["taken by"], done["not reached"]) == (["control"], [])
            newest = getting(bank, Path(bank.ca), "/api/v1/ledger", authorization=f"Bearer {token_for(bank)}")
            assert newest() == 200, f"a token of the newest key, after {branch}"
            load.more()
    assert load.failures == [], REFUSED
    assert min(load.answers) > 5 * len(BRANCHES)
    assert cara.send(form, "/logout").status_code == 303, "the page of before is sent like any other"


def test_what_is_sealed_with_the_new_identity_key_is_opened_and_so_is_what_was_sealed_before(bank: Bank) -> None:
    """By a command beside the server, by the server itself, and of sessions, codes and apps that were there before."""
    cara = bank.signed_in("cara")
    away = bank.key.rename(bank.root / "elsewhere.key")  # what opened the server is gone: it can open nothing anew
    bank.key, seen = away, bank.key
    assert rotate(bank, "identity")["taken by"] == ["control"]
    assert not seen.exists()
    assert cara.get("/account").status_code == 200, "a session of before"
    link = bank.link_for("cara")  # a command seals with the new key, and the server has to open it
    assert bank.join("cara", link).status_code == 200
    again = bank.signed_in("cara")
    assert again.get("/account").status_code == 200
    rotate(bank, "identity")
    assert again.get("/account").status_code == 200
    ada = bank.browser()
    page = ada.begin("ada")
    assert ada.second(page, code=bank.fresh_code("ada")).status_code == 303, "an app that was set up two keys ago"
    assert ada.get("/account").status_code == 200


def test_a_form_token_of_another_session_opens_nothing_after_a_rotation_either_t10(bank: Bank) -> None:
    cara, other = bank.signed_in("cara"), bank.browser()
    stolen = field(other.get("/login"), "form_token")
    rotate(bank, "identity")
    for token in (stolen, "x" * 43, ""):
        sent = cara.http.post("/logout", data={"form_token": token})
        assert sent.status_code == 403
    assert cara.send(cara.get("/account"), "/logout").status_code == 303


def test_a_session_of_the_command_line_outlives_the_identity_key(bank: Bank) -> None:
    own = ("--person-key", str(bank.root / "ada.key"))
    assert bank.command("login", "ada", *own).returncode == 0
    for _ in range(2):
        assert bank.command("keys", "rotate", "identity", "--as", "ops").returncode == 0
        done = bank.command("whoami", "--as", "ada", "--json")
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout)
        assert (said["name"], said["proof"]) == ("ada", "session")


def test_the_server_records_at_once_after_the_key_of_the_ledger_was_replaced(bank: Bank) -> None:
    """The newest head is by the key before: nobody has written with the new one yet."""
    rotate(bank, "checkpoints")
    assert bank.signed_in("cara").get("/account").status_code == 200
    assert bank.ledger()[-1].action == "login"


def test_tokens_and_the_doors_ledger_go_on_when_the_signer_has_forgotten_the_older_keys(tmp_path: Path) -> None:
    """As after a day: the signer honours an older key no more, so the server must have followed."""
    bank = Bank(tmp_path / "home")
    with contextlib.ExitStack() as stack:
        signer = stack.enter_context(_signer(bank))
        with bank.running():
            bank.join("ada", bank.first_link)
            secret = _client(bank)
            session = OAuth2Session(client=BackendApplicationClient("night-audit"))
            session.verify, session.trust_env = bank.ca, False
            for branch in ("tokens", "checkpoints", "tls"):
                rotate(bank, branch)
            signer.terminate()
            signer.wait(20)
            stack.enter_context(_signer(bank))
            with contextlib.suppress(
                TemporarilyUnavailableError
            ):  # the first one notices that the signer was started again
                session.fetch_token(f"{bank.base}/oauth/token", client_id="night-audit", client_secret=secret)
            token = session.fetch_token(f"{bank.base}/oauth/token", client_id="night-audit", client_secret=secret)
            assert session.get(f"{bank.base}/api/v1/ledger").status_code == 200
            keys = httpx.get(f"{bank.base}/oauth/jwks.json", verify=ssl.create_default_context(cafile=bank.ca)).json()
            kid = json.loads(_decoded(token["access_token"].split(".")[0]))["kid"]
            assert [one["kid"] for one in keys["keys"]][-1] == kid
            assert len(keys["keys"]) == 2
            assert bank.browser().get("/account").status_code == 401  # refused, which is recorded at the door
            browser = bank.signed_in("ada")
            assert browser.get("/account").status_code == 200
        log = [json.loads(line) for line in (bank.root / "log").read_text().splitlines()]
        assert log[-1] == log[-1] | {"event": "stopped", "unrecorded": 0}


def test_a_compromised_tokens_key_opens_nothing_at_the_control_server_t85(bank: Bank) -> None:
    token = token_for(bank)
    asked = getting(bank, Path(bank.ca), "/api/v1/ledger", authorization=f"Bearer {token}")
    assert asked() == 200
    rotate(bank, "tokens")
    assert asked() == 200
    done = bank.command("keys", "revoke", "tokens", "--reason", "compromised")
    assert done.returncode == 0, done.stderr
    assert asked() == 401
    newest = getting(bank, Path(bank.ca), "/api/v1/ledger", authorization=f"Bearer {token_for(bank)}")
    assert newest() == 200


def test_the_server_shows_the_new_ca_within_two_seconds_once_the_old_one_is_revoked_t81(bank: Bank) -> None:
    old_ca = Path(shutil.copy(bank.ca, bank.root / "old-ca.pem"))
    rotate(bank, "tls")
    both = Path(shutil.copy(bank.ca, bank.root / "both.pem"))
    time.sleep(1.5)
    old, new = (getting(bank, ca, "/health/live") for ca in (old_ca, both))
    assert (old(), new()) == (200, 200)
    done = bank.command("keys", "revoke", "tls", "--reason", "compromised")
    assert done.returncode == 0, done.stderr
    end = time.monotonic() + 2.0
    while True:
        try:
            old()
        except httpx.ConnectError:
            break
        assert time.monotonic() < end, "the certificate of the revoked CA is still shown"
    assert new() == 200
    assert getting(bank, Path(bank.ca), "/health/live")() == 200


def test_a_provider_that_was_set_before_a_rotation_is_still_ours_at_the_next_start(tmp_path: Path) -> None:
    from people_house import PROVIDER

    bank = Bank(tmp_path / "home", provider=PROVIDER)
    assert bank.command("keys", "rotate", "identity").returncode == 0
    with bank.running():
        assert bank.browser().get("/login").status_code == 200
    file = bank.home / "identity-provider.json"
    file.write_text(file.read_text().replace("idp.example.org", "idp.evil.example"))
    with pytest.raises((AssertionError, json.JSONDecodeError)), bank.running():
        pass
    assert "was changed by something else" in (bank.root / "log").read_text()


def test_a_client_certificate_of_a_revoked_ca_is_nobodys_at_the_control_server_t81(tmp_path: Path) -> None:
    """The transport asks for certificates of the workspace's own CA, with the two files that are handed out."""
    bank = Bank(tmp_path / "home")
    tls = bank.home / "serving" / "tls"
    assert bank.command("certificate", "issue", "billing", "--to", str(bank.root / "billing")).returncode == 0
    settings = bank.root / "control.yaml"
    said = {"client_certificates": "optional", "client_ca": str(tls / "ca.pem"), "client_crl": str(tls / "crl.pem")}
    settings.write_text(json.dumps(said))
    with bank.running("--settings", str(settings)):
        rotate(bank, "tls")
        assert bank.command("certificate", "issue", "desk", "--to", str(bank.root / "desk")).returncode == 0
        both = Path(shutil.copy(bank.ca, bank.root / "both.pem"))

        def name(own: str, ca: Path) -> str | None:
            """Whom the server takes the certificate for; None where the connection is refused."""
            context = ssl.create_default_context(cafile=str(ca))
            context.load_cert_chain(bank.root / own / "client.pem", bank.root / own / "client.key")
            with contextlib.suppress(httpx.HTTPError), httpx.Client(verify=context, trust_env=False) as client:
                return str(client.get(f"{bank.base}/api/v1/me").json().get("name"))
            return None

        time.sleep(1.5)
        assert [name("billing", both), name("desk", both)] == ["billing", "desk"]
        assert bank.command("keys", "revoke", "tls", "--reason", "compromised").returncode == 0
        end = time.monotonic() + 2.0
        while name("billing", both) is not None:
            assert time.monotonic() < end
        assert name("desk", both) == "desk"


# ---- helpers


@contextlib.contextmanager
def _signer(bank: Bank) -> Any:
    import subprocess
    import sys

    command = [sys.executable, "-c", "from sealwright.doors.cli import main; main()", "signer", "--json"]
    process = subprocess.Popen(command, env=bank.environment, cwd=bank.root, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert any("signer.sock" in process.stdout.readline() for _ in range(3))
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=20)


def _client(bank: Bank) -> str:
    audience = f"urn:sealwright:control:{bank.id}"
    arguments = ("--audience", audience, "--owner", "ops", "--scope", "control:ledger.read", "--to", "secret")
    done = bank.command("client", "add", "night-audit", *arguments)
    assert done.returncode == 0, done.stderr
    return (bank.root / "secret").read_text().strip()


def _decoded(part: str) -> bytes:
    import base64

    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
