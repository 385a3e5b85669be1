"""The commands that give a service access and take it away, and the real server that obeys them."""

import json
import stat
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from acting import operator
from sealwright.doors.machines import token_service_of
from sealwright.doors.serving import server_config
from sealwright.pipeline import open_workspace
from sealwright.serving import Running, ServingSpec, launch, signer_line
from sealwright.trust import KeyFile, OAuthRequest
from whole_way import PROJECT, ROW, Client, Home


@pytest.fixture
def served(home: Home) -> Iterator[tuple[Home, dict[str, Any]]]:
    """The home, and a prediction server of it that runs beside its commands."""
    with open_workspace(home.workspace, KeyFile(home.key)) as workspace:
        config, ca = server_config(workspace, [(PROJECT, ServingSpec())], host="127.0.0.1", port=0, by=operator("ops"))
        signer = signer_line(workspace.keyring, config)
    running: Running
    with launch(config, signer) as running:
        yield home, {"url": running.url, "ca": str(ca), "model": PROJECT}


def status(home: Home, facts: dict[str, Any], credential: str) -> int:
    return Client(facts, credential).ask((home.root / ROW).read_bytes()).status_code


def until(home: Home, facts: dict[str, Any], credential: str, wanted: int) -> None:
    end = time.monotonic() + 2.0
    while status(home, facts, credential) != wanted:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_an_api_key_is_made_used_listed_and_revoked(served: tuple[Home, dict[str, Any]]) -> None:
    home, facts = served
    made = home.inside("api-key", "make", PROJECT, "--for", "till-7", "--days", "30", "--to", "key.txt", "--json").json
    assert set(made) == {"id", "for", "may", "until", "written to"}
    path = home.root / "key.txt"
    raw = path.read_text().strip()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    until(home, facts, raw, 200)
    (listed,) = home.inside("api-key", "list", "--json").json
    assert (listed["id"], listed["for"], listed["state"], listed["owner"]) == (made["id"], "till-7", "active", "ops")
    assert raw not in home.inside("api-key", "list").out
    home.inside("api-key", "revoke", made["id"], "--reason", "Lost")
    until(home, facts, raw, 401)
    assert home.inside("api-key", "list", "--json").json[0]["state"] == "revoked"
    home.inside("api-key", "revoke", made["id"], "--reason", "Again", expect=2)


def test_a_key_on_standard_output_is_the_only_thing_there(home: Home) -> None:
    done = home.inside("api-key", "make", PROJECT, "--for", "till-8")
    assert done.out.strip().startswith("sw_")
    assert len(done.out.split()) == 1


def test_tokens_made_by_hand_are_taken_back_by_name(served: tuple[Home, dict[str, Any]]) -> None:
    home, facts = served
    raw = home.inside("token", PROJECT, "--for", "till-1", "--hours", 24).out.strip()
    assert status(home, facts, raw) == 200
    home.inside("client", "revoke-tokens", "till-1", "--reason", "Stolen")
    until(home, facts, raw, 401)
    home.inside("token", PROJECT, "--for", "till-1", "--hours", 25, expect=2)


def test_clients_are_added_listed_and_removed(home: Home) -> None:
    done = home.inside("client", "add", "billing", "--project", PROJECT, "--owner", "bob", "--json").json
    assert set(done) == {"client", "secret"}
    (listed,) = home.inside("client", "list", "--json").json
    assert (listed["client"], listed["owner"], listed["proof"], listed["state"]) == (
        "billing",
        "bob",
        "secret",
        "active",
    )
    assert listed["scopes"] == [f"predict:{PROJECT}"]
    assert done["secret"] not in home.inside("client", "list").out
    home.inside("client", "add", "billing", "--project", PROJECT, expect=2)
    home.inside("client", "add", "nothing", expect=2)
    home.inside("client", "remove", "billing", "--reason", "Replaced")
    assert home.inside("client", "list", "--json").json[0]["state"] == "removed"


def test_a_client_added_on_the_command_line_gets_a_token_that_the_server_takes(
    served: tuple[Home, dict[str, Any]],
) -> None:
    home, facts = served
    home.inside("client", "add", "billing", "--project", PROJECT, "--to", "secret.txt")
    secret = (home.root / "secret.txt").read_text().strip()
    form = urlencode({"grant_type": "client_credentials", "client_id": "billing", "client_secret": secret})
    with open_workspace(home.workspace, KeyFile(home.key)) as workspace:
        found = token_service_of(workspace, "https://localhost:8444").token(OAuthRequest(body=form.encode()))
    assert found.status == 200
    raw = json.loads(found.body)["access_token"]
    assert status(home, facts, raw) == 200
    home.inside("client", "remove", "billing", "--reason", "Gone")
    until(home, facts, raw, 401)


def test_certificates_are_issued_listed_and_revoked(home: Home) -> None:
    done = home.inside("certificate", "issue", "billing", "--to", "cert", "--json").json
    assert done["service"].endswith("/service/billing")
    assert stat.S_IMODE((home.root / "cert" / "client.key").stat().st_mode) == 0o600
    home.inside("certificate", "revoke", done["serial"], "--reason", "Replaced")
    (listed,) = home.inside("certificate", "list", "--json").json
    assert listed["state"] == "revoked"
    home.inside("certificate", "publish")
    home.inside("certificate", "issue", "billing", "--to", "cert2", "--use", "server", expect=2)


def test_servers_of_one_workspace_for_other_names_do_not_take_each_others_certificates(home: Home) -> None:
    """Both files are read again whenever a revocation list changes; the wrong names would leave the older list in force."""
    home.inside("promote", PROJECT, 1, "--channel", "trial", "--reason", "Tried by another name")
    with open_workspace(home.workspace, KeyFile(home.key)) as workspace:
        specs = [
            ServingSpec(channel="live", hosts=("a.example.org",)),
            ServingSpec(channel="trial", hosts=("b.example.org",)),
        ]
        found = [
            server_config(
                workspace,
                [(PROJECT, spec)],
                host="127.0.0.1",
                port=0,
                by=operator("ops"),
                client_certificates="required",
            )[0]
            for spec in specs
        ]
        assert len({one.tls_certificate for one in found}) == 2
        for one in found:
            assert one.transport().open(workspace.clock()) is not None
