"""The verbs of keys, as a person types them: real workspace, real files, real SoftHSM where there is one."""

import json
import os
import re
import stat
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sealwright.trust import (
    Pkcs11Unlock,
    TrustRoot,
    follow_chain,
    make_statement,
    open_keyring,
    read_chain,
    read_unlock_file,
    sign_statement,
    verify_statement,
)
from sealwright.trust.backends.secret_source import SecretDescriptor
from whole_way import Home

SOFT_HSM = Path("/usr/lib/softhsm/libsofthsm2.so")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path)
    made.inside("workspace", "create", "--name", "Test")
    return made


def listed(home: Home) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for one in json.loads(home.inside("keys", "list", "--json").out):
        found.setdefault(one["branch"], []).append((one["key"], one["state"]))
    return found


def entries(home: Home) -> list[dict[str, Any]]:
    lines = (home.workspace / "ledger" / "entries.log").read_bytes().splitlines()
    return [json.loads(line.split(b"\t")[0]) for line in lines]


def test_list_shows_every_branch_and_no_secret(home: Home) -> None:
    found = listed(home)
    assert {"statements", "releases", "releases-pq", "authority", "authority-pq", "data", "tls"} <= set(found)
    assert all(states == [(key, "in use")] for states in found.values() for key, _ in states)
    assert "ml-dsa-65" in home.inside("keys", "list").out


def test_rotate_then_revoke_and_the_ledger_has_both(home: Home) -> None:
    first = TrustRoot.from_bytes((home.workspace / "keys" / "trust.json").read_bytes())
    old = listed(home)["releases"][0][0]
    refused = home.inside("keys", "revoke", "releases", "--reason", "compromised", expect=2)
    assert "in use" in refused.err
    new = json.loads(home.inside("keys", "rotate", "releases", "--json").out)["key"]
    assert listed(home)["releases"] == [(new, "in use"), (old, "earlier")]
    home.inside("keys", "revoke", old[:12], "--reason", "compromised")
    assert listed(home)["releases"] == [(new, "in use"), (old, "compromised")]
    home.inside("keys", "revoke", "releases", "--reason", "destroyed", expect=2)
    assert [one["action"] for one in entries(home)] == ["workspace.created", "key.rotate", "key.revoke"]
    assert entries(home)[2]["detail"]["since"] == 2
    chain = read_chain(home.workspace / "keys" / "trust-chain.json")
    newest = TrustRoot.from_bytes((home.workspace / "keys" / "trust.json").read_bytes())
    assert follow_chain(first, chain) == (newest, 1)
    (home.root / "old.json").write_bytes(first.to_bytes())
    home.inside("keys", "follow", "old.json", home.workspace / "keys" / "trust-chain.json", "--to", "new.json")
    assert (home.root / "new.json").read_bytes() == newest.to_bytes()


def test_unknown_branches_keys_and_reasons_are_refused(home: Home) -> None:
    for branch in ("data", "subjects", "pseudonyms", "root", "x"):
        home.inside("keys", "rotate", branch, expect=2)
    home.inside("keys", "revoke", "0" * 16, "--reason", "compromised", expect=2)
    home.inside("keys", "rotate", "tokens")
    home.inside("keys", "revoke", "tokens", "--reason", "bored", expect=2)
    home.inside("keys", "revoke", "tokens", "--reason", "destroyed", "--since", "99", expect=2)


def test_split_and_recover_with_a_new_key_file(home: Home) -> None:
    done = home.inside("keys", "split", "--shares", "5", "--needed", "3", "--to", "shares")
    files = sorted((home.root / "shares").iterdir())
    assert [path.name for path in files] == [f"share-{n}-of-5.txt" for n in range(1, 6)]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    texts = [path.read_text().splitlines()[-1] for path in files]
    assert not [text for text in texts if text.rsplit(":", 2)[1] in done.out + done.err]
    home.inside("keys", "split", "--shares", "5", "--needed", "3", "--to", "shares", expect=2)
    home.key.unlink()
    home.inside("keys", "list", expect=2)
    home.inside("keys", "recover", *files[:2], "--new-key-file", home.key, expect=2)
    assert home.inside("keys", "recover", texts[0], "--new-key-file", home.key, expect=2).err.count("command line") == 1
    assert not home.key.exists()
    home.inside("keys", "recover", *files[1:4], "--new-key-file", home.key)
    assert "in use" in home.inside("keys", "list").out
    assert [one["action"] for one in entries(home)] == ["workspace.created", "root.split", "root.recover"]
    written = (home.workspace / "ledger" / "entries.log").read_text()
    assert not [text for text in texts if text.rsplit(":", 2)[1] in written]


def test_a_mistyped_share_is_named(home: Home) -> None:
    home.inside("keys", "split", "--shares", "3", "--needed", "2", "--to", "shares")
    path = home.root / "shares" / "share-2-of-3.txt"
    text = path.read_text()
    path.write_text(text[:-20] + ("A" if text[-20] != "A" else "B") + text[-19:])
    done = home.inside(
        "keys", "recover", "shares/share-1-of-3.txt", "shares/share-2-of-3.txt", "--new-key-file", "k", expect=2
    )
    assert re.search(r"Share 2 of 3 has a wrong character|not a share", done.err)


def test_the_root_moves_into_a_token_and_back(home: Home, monkeypatch: pytest.MonkeyPatch, soft_token: Path) -> None:
    home.inside("keys", "protect", "--unlock", soft_token)
    assert json.loads((home.workspace / "keys" / "root.json").read_bytes())["protection"]["method"] == "pkcs11"
    assert "SEALWRIGHT_UNLOCK" in home.inside("keys", "list", expect=2).err
    home.variables["SEALWRIGHT_UNLOCK"] = str(soft_token)
    assert "in use" in home.inside("keys", "list").out
    soft_token.with_name("pin").write_text("000000\n")
    done = home.inside("keys", "list", expect=2)
    assert "PIN" in done.err
    assert "000000" not in done.err
    soft_token.with_name("pin").write_text("493817\n")
    home.inside("keys", "protect", "--new-key-file", home.key)
    del home.variables["SEALWRIGHT_UNLOCK"]
    assert "in use" in home.inside("keys", "list").out
    moves = [one["detail"] for one in entries(home) if one["action"] == "root.protect"]
    assert [(one["from"], one["to"]) for one in moves] == [("key-file", "pkcs11"), ("pkcs11", "key-file")]


def test_a_signer_stands_and_rotates_with_the_root_in_a_token(home: Home, soft_token: Path) -> None:
    home.inside("keys", "protect", "--unlock", soft_token)
    home.variables |= {"SEALWRIGHT_UNLOCK": str(soft_token), "SOFTHSM2_CONF": os.environ["SOFTHSM2_CONF"]}
    home.inside("keys", "rotate", "statements")  # by a signer of the command's own
    process = home.start("signer", "--json")
    try:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(3)]
        assert any("signer.sock" in line for line in said), process.communicate()
        soft_token.with_name("pin").rename(soft_token.with_name("away"))  # the signer asks for it no more
        assert "pin" in home.inside("keys", "list", expect=2).err
        soft_token.with_name("away").rename(soft_token.with_name("pin"))
        home.inside("keys", "rotate", "statements")
        home.inside("keys", "revoke", "statements", "--reason", "superseded")
        assert [state for _, state in listed(home)["statements"]] == ["in use", "superseded", "earlier"]
        assert process.poll() is None
    finally:
        process.terminate()
        process.communicate(timeout=20)
    assert (home.workspace / "keys" / "statements.v3.json").exists()


def test_a_pin_from_a_descriptor_is_read_once_and_goes_to_no_other_process(home: Home, soft_token: Path) -> None:
    home.inside("keys", "protect", "--unlock", soft_token)
    given = read_unlock_file(soft_token)
    assert isinstance(given, Pkcs11Unlock)
    reading, writing = os.pipe()
    os.write(writing, b"493817\n")
    os.close(writing)
    unlock = replace(given, pin=SecretDescriptor(reading))
    with open_keyring(home.workspace / "keys", unlock) as ring:
        made = make_statement([("m", "sha256:" + "1" * 64)], "https://slsa.dev/provenance/v1", {})
        envelope = sign_statement(made, ring.signer("statements"))
        assert verify_statement(envelope, ring.trust_root.keys_of("statements")) == made
        signer = ring._link._held.started
        assert signer is not None
        arguments = Path(f"/proc/{signer.pid}/cmdline").read_bytes()
        assert b"493817" not in arguments
        assert ring._link._opening is None
    os.close(reading)


def test_a_branch_goes_into_a_token_and_back_and_everybody_is_told(home: Home, soft_token: Path, place: Path) -> None:
    done = json.loads(home.inside("keys", "rotate", "statements", "--at", place, "--json").out)
    assert done["place"] == str(place)
    (now,) = [one for one in json.loads(home.inside("keys", "list", "--json").out) if one["key"] == done["key"]]
    assert re.fullmatch(r"pkcs11, token door, key ws_[0-9a-z]+-statements-v2-[0-9a-f]{6}", now["place"])
    assert "pkcs11, token door" in home.inside("keys", "list").out
    assert {one["place"] for one in json.loads(home.inside("keys", "list", "--json").out)} == {now["place"], "file", ""}
    entry = entries(home)[-1]
    assert (entry["action"], entry["detail"]["place"]) == ("key.rotate", now["place"])
    assert looked_at(home)["key of statements"] == ("good", [now["place"]])
    home.inside("keys", "rotate", "statements")
    assert "token door" not in home.inside("keys", "list").out
    assert [state for _, state in listed(home)["statements"]] == ["in use", "earlier", "earlier"]
    assert not [what for what in looked_at(home) if what.startswith("key of")]


def test_what_stays_in_files_and_what_a_token_refuses_is_told(home: Home, soft_token: Path, place: Path) -> None:
    for branch in ("releases-pq", "authority-pq", "decisions", "identity"):
        assert "stays in a file" in home.inside("keys", "rotate", branch, "--at", place, expect=2).err
    assert "no place file" in home.inside("keys", "rotate", "models", "--at", "none.toml", expect=2).err
    pin = soft_token.with_name("pin")
    pin.write_text("000000\n")
    done = home.inside("keys", "rotate", "models", "--at", place, expect=2)
    assert "does not take the PIN" in done.err
    assert "000000" not in done.err
    assert "493817" not in done.err
    assert [one["action"] for one in entries(home)] == ["workspace.created"]
    pin.write_text("493817\n")
    home.inside("keys", "rotate", "models", "--at", place)


def test_a_token_that_was_taken_away_is_told_and_a_revocation_waits_for_it(
    home: Home, soft_token: Path, place: Path, tmp_path: Path
) -> None:
    home.inside("keys", "rotate", "tokens")
    home.inside("keys", "rotate", "authority", "--at", place)
    away, tokens = tmp_path / "away", tmp_path / "tokens"
    tokens.rename(away)
    tokens.mkdir()
    done = home.inside("keys", "revoke", "tokens", "--reason", "compromised", expect=1)
    assert "keys.backend_unavailable" in done.err
    assert [state for _, state in listed(home)["tokens"]] == ["in use", "earlier"]
    assert looked_at(home)["key of authority"][0] == "bad"
    assert [one["detail"]["outcome"] for one in entries(home) if one["action"] == "key.revoke"] == ["done", "failed"]
    home.inside("keys", "rotate", "models", expect=1)
    tokens.rmdir()
    away.rename(tokens)
    home.inside("keys", "revoke", "tokens", "--reason", "compromised")
    assert [state for _, state in listed(home)["tokens"]] == ["in use", "compromised"]
    home.inside("keys", "rotate", "models")


def looked_at(home: Home) -> dict[str, tuple[str, list[str]]]:
    done = home.inside("doctor", "--json", expect=None)
    return {one["what"]: (one["state"], one["says"]) for one in json.loads(done.out)}


@pytest.fixture
def place(soft_token: Path, tmp_path: Path) -> Path:
    """A place file for the same token."""
    said = [line for line in soft_token.read_text().splitlines() if not line.startswith(("key", "seconds"))]
    file = tmp_path / "place.toml"
    conf = os.environ["SOFTHSM2_CONF"]
    file.write_text("\n".join([*said, "seconds = 10", "[variables]", f'SOFTHSM2_CONF = "{conf}"', ""]))
    file.chmod(0o600)
    return file


@pytest.fixture
def soft_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A TOML file that names a key in a fresh SoftHSM token."""
    if not SOFT_HSM.exists():
        pytest.skip("SoftHSM 2 is not installed: moving the root into a token was not run")
    pkcs11 = pytest.importorskip("pkcs11", reason="python-pkcs11 is not installed")
    (tmp_path / "tokens").mkdir()
    (tmp_path / "hsm.conf").write_text(f"directories.tokendir = {tmp_path / 'tokens'}\nlog.level = ERROR\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "hsm.conf"))
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", "door", "--so-pin", "87654321", "--pin", "493817"],
        check=True,
        capture_output=True,
    )
    library = tmp_path / "softhsm.so"
    library.write_bytes(SOFT_HSM.resolve().read_bytes())  # an instance of its own, with this configuration
    attribute = pkcs11.Attribute
    with pkcs11.lib(str(library)).get_token(token_label="door").open(rw=True, user_pin="493817") as session:
        session.generate_key(
            pkcs11.KeyType.AES,
            256,
            label="root",
            id=b"\0\1",
            store=True,
            template={attribute.SENSITIVE: True, attribute.EXTRACTABLE: False, attribute.ENCRYPT: True}
            | {attribute.DECRYPT: True},
        )
    (tmp_path / "pin").write_text("493817\n")
    (tmp_path / "pin").chmod(0o600)
    file = tmp_path / "unlock.toml"
    file.write_text(
        f'method = "pkcs11"\nlibrary = "{library}"\ntoken = "door"\nkey = "root"\npin_file = "pin"\nseconds = 20\n'
    )
    return file


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('method = "magic"', "must say method"),
        ('method = "vault"\nkey = "k"\ntoken_file = "t"', "lacks: url"),
        ('method = "vault"\nurl = "https://v"\nkey = "k"\ntoken = "s.secret"\ntoken_file = "t"', "has besides: token"),
        ('method = "vault"\nurl = "https://v"\nkey = "k"', "token_file or token_descriptor"),
        ('method = "vault"\nurl = "https://v"\nkey = "k"\ntoken_file = "t"\nseconds = 0', "above 0"),
        ('method = "vault"\nurl = "https://v"\nkey = "k"\ntoken_descriptor = true', "open file descriptor"),
        ('method = "pkcs11"\nlibrary = 1\ntoken = "t"\nkey = "k"\npin_file = "p"', "must be text"),
        ("method = ", "not TOML"),
    ],
)
def test_an_unlock_file_with_anything_odd_is_refused(home: Home, text: str, words: str) -> None:
    (home.root / "unlock.toml").write_text(text)
    done = home.inside("keys", "protect", "--unlock", "unlock.toml", expect=2)
    assert words in done.err
    assert "s.secret" not in done.err


def test_plain_http_to_another_machine_and_a_shared_token_file_are_refused_t83(home: Home) -> None:
    (home.root / "t").write_text("a-token\n")
    (home.root / "t").chmod(0o600)
    for url in ("http://vault.example.org:8200", "https://u:p@vault.example.org", "ftp://127.0.0.1", "vault"):
        (home.root / "unlock.toml").write_text(f'method = "vault"\nurl = "{url}"\nkey = "k"\ntoken_file = "t"\n')
        assert re.search("https", home.inside("keys", "protect", "--unlock", "unlock.toml", expect=2).err)
    (home.root / "t").chmod(0o644)
    (home.root / "unlock.toml").write_text('method = "vault"\nurl = "https://v.example"\nkey = "k"\ntoken_file = "t"\n')
    assert "can be read by others" in home.inside("keys", "protect", "--unlock", "unlock.toml", expect=2).err
