"""Planted secrets are looked for everywhere afterwards: in every output, every file of the workspace, every log.

Planted are a passphrase, a person's key file, the private part of every branch, an access token, a database
password, and cells that no one outside may read. None may be found, plain, in hex or in base64.
"""

import base64
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from sealwright.pipeline import open_workspace
from sealwright.trust import SEALING_BRANCHES, Passphrase, Secret
from sealwright.trust.signing.vault import open_vault
from whole_way import Client, Done, Home, announced, quick, write_table

PASSPHRASE = "Kanari-Passwort im Käfig 7719"
DATABASE = "Kanari-Datenbank-5523"
PERSON = "Kanari-Person"
CELL = "Kanari-Zelle-8841"


class Guarded(Home):
    """A home opened by a passphrase that comes through a file descriptor; remembers all that was said."""

    def spoken(self, passphrase: str, *arguments: object, **options: Any) -> Done:
        reader, writer = os.pipe()
        os.write(writer, passphrase.encode())
        os.close(writer)
        self.variables["SEALWRIGHT_PASSPHRASE_FD"] = str(reader)
        try:
            done = self.do(*arguments, pass_fds=(reader,), **options)
        finally:
            os.close(reader)
        self.said.append(done.out + done.err)
        return done

    said: list[str]


@pytest.fixture
def guarded(tmp_path: Path) -> Guarded:
    root = tmp_path / "home"
    root.mkdir(mode=0o700)
    home = Guarded(root, {"PGPASSWORD": DATABASE, "SEALWRIGHT_DEBUG": "1"})
    home.said = []
    write_table(root / "table.csv", rows=240)
    lines = (root / "table.csv").read_text().splitlines()
    named = [f"person_id,{lines[0]}", *(f"{PERSON}-{place},{line}" for place, line in enumerate(lines[1:]))]
    (root / "table.csv").write_text("\n".join(named) + "\n")
    return home


def forms(secret: bytes) -> dict[str, bytes]:
    """How a secret could stand in a file: as it is, in hex, in base64 at each of the three places it can start."""
    found = {"plain": secret, "hex": secret.hex().encode(), "HEX": secret.hex().upper().encode()}
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + secret)
        found[f"base64+{shift}"] = coded[4 * bool(shift) : -4]
    return found


def hits(secrets_: Mapping[str, bytes], places: Mapping[str, bytes]) -> list[str]:
    return [
        f"{name} ({form}) in {place}"
        for name, secret in secrets_.items()
        for form, wanted in forms(secret).items()
        for place, data in places.items()
        if wanted in data
    ]


def private_parts(home: Guarded) -> dict[str, bytes]:
    """What must never leave keyring and signer: the signing keys and the keys data and records are encrypted with."""
    unlock = Passphrase(Secret(PASSPHRASE))
    signing = {}
    for branch, signer in open_vault(home.workspace / "keys", unlock).signers.items():
        private = signer._private
        if isinstance(private, EllipticCurvePrivateKey):
            signing[f"signing key {branch}"] = private.private_numbers().private_value.to_bytes(32, "big")
        else:  # Ed25519; of ML-DSA the seed
            signing[f"signing key {branch}"] = private.private_bytes_raw()
    with open_workspace(home.workspace, unlock) as workspace:
        ring = workspace.keyring
        sealing = {f"branch {branch}": ring._branches.of(branch)[1] for branch in SEALING_BRANCHES}
        derived = ring.key("decisions", "sealwright/decision-record/v1")
    return {**signing, **sealing, "decision key": derived}


def test_no_secret_is_found_anywhere_t61(guarded: Guarded) -> None:
    home = guarded
    home.spoken(PASSPHRASE, "workspace", "create", "--passphrase")
    wrong = home.spoken(PASSPHRASE + "!", "workspace", "show", expect=2)
    assert "passphrase" in wrong.err
    home.spoken(PASSPHRASE, "workspace", "create", "--database", f"postgresql://u:{DATABASE}@h/d", expect=2)
    home.spoken(PASSPHRASE, "init", "project", "--data", "table.csv", "--target", "fits", "--positive", "yes")
    quick(home.root / "project", recipe="logistic")
    with (home.root / "table.csv").open("a") as table:
        table.write(f"{PERSON}-bad,{CELL},12,red,yes\n")
    run = home.spoken(PASSPHRASE, "run", "project", "--json").json
    assert run["ingest"]["quarantined"] == 1
    home.spoken(PASSPHRASE, "people", "add", "bob", "--role", "reviewer", "--person-key", "bob.key")
    home.spoken(PASSPHRASE, "promote", "project", 1, "--reason", "First release")
    token = home.spoken(PASSPHRASE, "token", "project", "--for", "till-1").out.strip()
    home.said.pop()  # printing the token is what that command is for
    logs = ask(home, token)
    home.spoken(PASSPHRASE, "report", "project")
    home.spoken(PASSPHRASE, "export", "project", 1, "--to", "out")
    home.spoken(PASSPHRASE, "verify", "ws/ledger")

    planted = {
        "passphrase": PASSPHRASE.encode(),
        "key file of bob": (home.root / "bob.key").read_bytes().strip(),
        "token": token.encode(),
        "signature of the token": token.rpartition(".")[2].encode(),
        "database password": DATABASE.encode(),
        "cell of an identifier": PERSON.encode(),
        "cell in quarantine or in a request": CELL.encode(),
        **private_parts(home),
    }
    assert all(len(secret) >= 9 for secret in planted.values())
    places = {f"output {place}": said.encode() for place, said in enumerate(home.said)} | {"the server's log": logs}
    files = [path for path in home.root.rglob("*") if path.is_file() and path.name not in {"bob.key", "table.csv"}]
    assert len(files) > 60
    places |= {str(path.relative_to(home.root)): path.read_bytes() for path in files}
    assert hits(planted, places) == []
    canary = next(iter(planted))
    assert hits(planted, {"a file": b"..." + planted[canary] + b"..."}), "the search itself must find"


def ask(home: Guarded, token: str) -> bytes:
    """A good request, bad ones, and ones with a wrong token; returns what the server logged."""
    reader, writer = os.pipe()
    os.write(writer, PASSPHRASE.encode())
    os.close(writer)
    home.variables["SEALWRIGHT_PASSPHRASE_FD"] = str(reader)
    server = home.start("serve", "project", "--port", 0, "--json", pass_fds=(reader,))
    os.close(reader)
    try:
        facts = announced(server)

        def send(row: dict[str, Any], bearer: str = token) -> httpx.Response:
            return Client(facts, bearer).ask(json.dumps({"row": row}).encode())

        good = {"weight": 8.5, "height": 60.0, "colour": "red"}
        assert send(good).status_code == 200
        assert send({**good, "colour": CELL}).status_code in {200, 400, 422}
        assert send({**good, CELL: 1}).status_code in {400, 422}
        assert send({**good, "weight": CELL}).status_code in {400, 422}
        assert send(good, bearer=token[:-4] + secrets.token_urlsafe(3)).status_code == 401
    finally:
        server.terminate()
        out, err = server.communicate(timeout=30)
    return (out + err).encode()
