"""The control server as a process: how it starts, what it shows of itself, how it ends, and the command that starts it."""

import contextlib
import http.client
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from sealwright.kernel import InvalidInput, Refused
from whole_way import Home

_SOURCE = str(Path(__file__).resolve().parents[3] / "src")


def test_sigterm_finishes_what_was_begun_and_takes_nothing_new(new_place: Any, start: Any) -> None:
    replies: list[int] = []
    with start(new_place()) as control:

        def slow() -> None:
            replies.append(control.program("GET", "/api/v1/slow").status)

        callers = [threading.Thread(target=slow) for _ in range(5)]
        for caller in callers:
            caller.start()
        time.sleep(0.5)
        os.kill(control.process.pid, signal.SIGTERM)
        time.sleep(1.2)  # for a second it tells callers so, in its answers
        with pytest.raises((OSError, http.client.HTTPException)):
            control.ask("GET", "/health/live")
        for caller in callers:
            caller.join()
        assert control.process.wait(15) == 0
    assert replies == [200] * 5


def test_readiness_says_no_while_draining(new_place: Any, start: Any) -> None:
    """Asked on a connection that was open before, as a load balancer's is."""
    with start(new_place()) as control:
        assert control.ask("GET", "/health/ready").json == {"ready": True}
        with control.connect() as link:
            link.sendall(
                f"GET /api/v1/slow HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {control.place.token}\r\n\r\n".encode()
            )
            time.sleep(0.3)
            os.kill(control.process.pid, signal.SIGTERM)
            answer = b""
            with contextlib.suppress(OSError):
                while part := link.recv(65_536):
                    answer += part
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"connection: close" in answer.lower()


def test_killed_at_any_time_it_starts_again(new_place: Any, start: Any) -> None:
    place = new_place()
    for _ in range(3):
        with contextlib.suppress(AssertionError), start(place) as control:
            control.ask("GET", "/ledger")
            control.process.kill()
            control.process.wait()
    with start(place) as control:
        assert control.ask("GET", "/ledger").status == 401
    assert len(place.refusals()) == 4  # each acknowledged one is there


def test_one_control_server_serves_a_workspace_and_commands_go_on_beside_it(new_place: Any, start: Any) -> None:
    from sealwright.pipeline import open_workspace
    from sealwright.trust import KeyFile

    place = new_place()
    with start(place) as control:
        with pytest.raises(AssertionError), start(place):
            pass
        with open_workspace(place.home, KeyFile(place.key)) as workspace:
            workspace.ledger.append("tests.beside", "x", {})
        assert control.program("GET", "/api/v1/ledger").json["latest"][0]["action"] == "tests.beside"


def test_the_process_leaves_no_core_and_cannot_be_looked_into(control: Any) -> None:
    process = Path(f"/proc/{control.process.pid}")
    assert re.search(r"Max core file size +0 +0", (process / "limits").read_text())
    code = (
        "import sys, ctypes; sys.path.insert(0, sys.argv[1]); from sealwright.trust import guard_memory\n"
        "guard_memory(); print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"  # PR_GET_DUMPABLE
    )
    done = subprocess.run([sys.executable, "-I", "-c", code, _SOURCE], capture_output=True, check=True)
    assert done.stdout.strip() == b"0"
    bare = "import ctypes; print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"  # the measure measures
    assert subprocess.run([sys.executable, "-I", "-c", bare], capture_output=True, check=True).stdout.strip() != b"0"


def test_a_changed_ledger_is_shown_as_changed(new_place: Any, start: Any) -> None:
    place = new_place()
    entries = place.home / "ledger" / "entries.log"
    good = entries.read_bytes()
    with start(place) as control:
        headers = {
            "Cookie": control.cookies["cara"],
            "Origin": control.origin,
            "Accept": "text/html",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        body = f"form_token={control.form_token('cara')}".encode()
        assert "All 3 entries are what was signed" in control.ask("POST", "/ledger/verify", body, headers).body.decode()
        assert control.program("POST", "/api/v1/ledger/verifications").json == {"verified": 3}
        entries.chmod(0o600)
        entries.write_bytes(good.replace(b"token.issue", b"token.forge", 1))
        shown = control.ask("POST", "/ledger/verify", body, headers)
        assert control.program("POST", "/api/v1/ledger/verifications").status == 409
        entries.write_bytes(good)
    assert "is not what was signed" in shown.body.decode() or shown.status == 409


def test_the_pages_and_the_api_say_the_same(control: Any) -> None:
    ledger = control.program("GET", "/api/v1/ledger").json
    page = control.browser("cara", "/ledger").body.decode()
    assert f"<b>{ledger['size']}</b>" in page
    assert all(line in page for line in ledger["checkpoint"].splitlines()[:3])
    entry = control.program("GET", "/api/v1/ledger/entries/1").json
    assert entry in ledger["latest"]
    assert entry["actor"].startswith("sub_")
    assert control.program("GET", "/api/v1/ledger/entries/99").status == 404
    note = control.program("GET", "/api/v1/ledger/checkpoint")
    assert note.body.decode() == ledger["checkpoint"]
    assert note.headers["content-disposition"] == f'attachment; filename="checkpoint-{ledger["size"]}.txt"'
    keys = control.program("GET", "/api/v1/keys").json
    page = control.browser("cara", "/keys").body.decode()
    assert keys["fingerprint"] in page
    assert all(one["key"] in page for one in keys["signing"])
    me = control.program("GET", "/api/v1/me").json
    assert (me["kind"], me["name"], me["proof"]) == ("service", "reader", "token")


def test_no_secret_key_is_in_any_answer(control: Any, place: Any) -> None:
    from sealwright.pipeline import open_workspace
    from sealwright.trust import SEALING_BRANCHES, SIGNING_BRANCHES, KeyFile
    from sealwright.trust.key_files import open_branch, open_root, signing_key_of

    with open_workspace(place.home, KeyFile(place.key)) as workspace:
        ring = workspace.keyring
        name, root = open_root(place.home / "keys", KeyFile(place.key))
        key = signing_key_of(root)
        secrets = [root, key, *(open_branch(place.home / "keys", key, name, one, 1) for one in SIGNING_BRANCHES)]
        derived = [ring.key(branch, "control/form-tokens/v1").hex() for branch in SEALING_BRANCHES]
    answers = b"".join(control.program("GET", path).body for path in ("/api/v1/keys", "/api/v1/ledger", "/api/v1/me"))
    answers += control.browser("cara", "/keys").body
    for secret in [*(one.hex() for one in secrets), *derived]:
        assert secret.encode() not in answers


# ---- the command


def test_the_command_starts_a_server_a_program_can_ask(empty_home: Home) -> None:
    empty_home.inside("workspace", "create", "--name", "Example Bank")
    empty_home.inside("control-token", "--for", "auditor-bot", "--may", "ledger.read", "--to", "bot.curl")
    token = (empty_home.root / "bot.curl").read_text().split("Bearer ")[1].strip('"\n')
    assert (empty_home.root / "bot.curl").stat().st_mode & 0o077 == 0
    empty_home.variables["PYTHONPATH"] = _SOURCE
    process = empty_home.start("control", "--port", 0, "--name", "control.example.org", "--json")
    try:
        assert process.stdout is not None
        text = ""
        for line in process.stdout:
            text += line
            with contextlib.suppress(ValueError):
                facts = json.loads(text)
                break
        assert facts["url"] == f"https://control.example.org:{facts['port']}/"
        assert facts["first account"].startswith(facts["url"] + "enrol/")
        client = httpx.Client(
            base_url=f"https://localhost:{facts['port']}",
            verify=ssl.create_default_context(cafile=facts["ca"]),
            trust_env=False,
        )
        with client:
            proof = {"Authorization": f"Bearer {token}"}
            assert client.get("/api/v1/ledger", headers=proof).json()["size"] == 3  # the link, too
            assert client.get("/api/v1/keys", headers=proof).status_code == 403
            assert client.get("/api/v1/ledger").status_code == 401
            page = client.get("/", headers={"Host": "control.example.org"})
            assert page.status_code == 200
            assert page.headers["strict-transport-security"] == "max-age=31536000"
            assert "Nobody gets in by default" in page.text
            assert "strict-transport-security" not in client.get("/").headers
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0, err
    assert [json.loads(line)["event"] for line in err.splitlines()] == ["serving", "stopped"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["control", "--host", "0.0.0.0", "--certificate", "root.key"],
        ["control", "--host", "example.org"],
        ["control", "--name", "*"],
        ["control", "--certificate", "no.pem", "--key", "no.key"],
        ["control", "--settings", "no.yaml"],
        ["control-token", "--for", "Bad Name", "--may", "ledger.read"],
        ["control-token", "--for", "bot", "--may", "Ledger Read"],
        ["control-token", "--for", "bot"],
    ],
)
def test_what_is_not_safe_does_not_start(empty_home: Home, arguments: list[str]) -> None:
    empty_home.inside("workspace", "create")
    empty_home.inside(*arguments, expect=2)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("tls: 1.2", "tls"),
        ("verify: false", "unknown field"),
        ("limits: {body_seconds: 0}", "body_seconds"),
        ("limits: none", "mapping"),
        ("hosts: example.org", "list"),
        ("client_certificates: required", "need TLS"),
        ("- a", "mapping"),
        ("hosts: &a [x]\nx: *a", "."),
        ("security_contact: javascript:alert(1)", "contact"),
        ("security_contact: [a]", "contact"),
    ],
)
def test_a_settings_file_is_read_strictly_t83(new_place: Any, tmp_path: Path, text: str, why: str) -> None:
    from sealwright.doors.control.console import Console
    from sealwright.doors.control.settings import control_settings
    from sealwright.pipeline import open_workspace
    from sealwright.trust import KeyFile

    place, file = new_place(), tmp_path / "control.yaml"
    file.write_text(text)
    with open_workspace(place.home, KeyFile(place.key)) as workspace:
        with pytest.raises((InvalidInput, Refused), match=why):
            found = control_settings(workspace, file, {})
            Console(organisation="x", clock=workspace.clock, security_contact=found.security_contact)
        file.write_text("tls: 1.3\nport: 0\nhosts: [control.example.org]\nlimits: {idle_seconds: 5}\n")
        made = control_settings(workspace, file, {"port": 7})
        assert (made.transport.port, made.transport.limits.idle_seconds, made.transport.limits.body_bytes) == (
            7,
            5.0,
            65_536,
        )
        file.chmod(0o666)
        with pytest.raises(Refused, match="Others may write"):
            control_settings(workspace, file, {})
