"""`sealwright ledger`: what an officer and an auditor do with it, through the door they use."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealwright.doors.witness_app import WitnessServer
from sealwright.trust import TrustRoot, Witness, verify_proof
from whole_way import Home

BEA = ("--as", "bea", "--person-key", "bea.key")


@pytest.fixture
def office(empty_home: Home) -> Home:
    """A workspace with some people in it."""
    for name, role in (("bea", "security_officer"), ("cora", "compliance_officer")):
        empty_home.inside("people", "add", name, "--role", role, "--person-key", f"{name}.key")
    empty_home.inside(
        "people", "end", "cora", "--reason", "She left for Margarethe", "--as", "bea", "--own-key", "bea.key"
    )
    return empty_home


@pytest.fixture
def witness(office: Home) -> Iterator[tuple[str, str]]:
    """One that listens: address and key."""
    with Witness(office.root / "witness", name="w1") as one, WitnessServer(one, "127.0.0.1", 0) as server:
        one.state.add((office.workspace / "keys" / "trust.json").read_bytes())
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", one.key.vkey()
        server.shutdown()


def found(home: Home, *arguments: object) -> list[dict[str, object]]:
    return list(home.inside("ledger", "search", *arguments, "--json").json["entries"])


def test_an_entry_is_found_by_who_what_when_and_what_came_of_it(office: Home) -> None:
    everything = found(office)
    assert {one["actor"] for one in everything} == {"", "bea", "ops"}
    assert all(one["actor"] == "bea" for one in found(office, "--actor", "bea"))
    assert len(found(office, "--actor", "bea")) == 1
    assert len(found(office, "--actor", "mallory")) == 0
    assert len(found(office, "--action", "statement.")) == 3
    assert found(office, "--action", "statement") == []
    assert found(office, "--until", "2001-01-01") == []
    assert found(office, "--since", "2001-01-01") == everything
    assert found(office, "--outcome", "refused") == []
    one = everything[-1]
    assert found(office, "--subject", one["subject"]) == [one]
    assert office.inside("ledger", "search", "--limit", "1", "--json").json["more"] is True
    assert [one["index"] for one in office.inside("ledger", "show", "--last", "2", "--json").json["entries"]] == [2, 3]
    assert office.inside("ledger", "search", "--outcome", "nice", expect=2)
    assert office.inside("ledger", "show", "--log", "credit/live", expect=2)


def test_people_read_names_and_the_file_has_none(office: Home) -> None:
    assert "bea" in office.inside("ledger", "show").out
    lines = (office.workspace / "ledger" / "entries.log").read_bytes()
    leaves = b"\n".join(line.partition(b"\t")[0] for line in lines.splitlines())
    for name in (b"ops", b"bea", b"cora", b"Margarethe"):
        assert b'"' + name not in leaves
    assert b"Margarethe" not in leaves


def test_a_proof_convinces_who_has_only_the_public_keys(office: Home) -> None:
    said = office.inside("ledger", "proof", "1", "--to", "proof.txt", "--json").json
    root = TrustRoot.from_bytes((office.workspace / "keys" / "trust.json").read_bytes())
    proof = (office.root / "proof.txt").read_bytes()
    assert verify_proof(said["entry"].encode(), proof, root.keys_of("checkpoints"), None) == 1
    assert office.inside("ledger", "proof", "1").out == proof.decode()
    office.inside("ledger", "proof", "99", expect=2)
    office.inside("ledger", "proof", "1", "--cosigned", expect=2)


def test_an_export_is_checked_by_the_file_beside_it(office: Home) -> None:
    said = office.inside("ledger", "export", "--to", "out", "--action", "statement.", "--json", *BEA).json
    assert said["entries"] == 3
    command = [sys.executable, "-I", "sealwright_verify.py", "entries.jsonl", "--trust", "trust.json", "--json"]
    done = subprocess.run(command, cwd=office.root / "out", env={}, capture_output=True, text=True, check=False)
    assert (done.returncode, json.loads(done.stdout)["facts"]["entries"]) == (0, 3)
    assert '"ops"' not in (office.root / "out" / "entries.jsonl").read_text()
    path = office.root / "out" / "entries.jsonl"
    path.write_text(path.read_text().replace("statement.filed", "statement.fixed", 1))
    done = subprocess.run(command, cwd=office.root / "out", env={}, capture_output=True, text=True, check=False)
    assert done.returncode == 4


def test_a_checkpoint_kept_elsewhere_is_compared(office: Home) -> None:
    ledger = office.workspace / "ledger"
    kept = office.root / "kept-checkpoint"
    kept.write_bytes((ledger / "checkpoint").read_bytes())
    office.inside("people", "add", "dora", "--role", "auditor", "--person-key", "dora.key")
    said = office.inside("ledger", "verify", "--against", kept, "--json").json
    assert said["against"] == [4]
    assert "This ledger holds" in office.inside("ledger", "verify", "--against", kept).out
    for name in ("entries.log", "checkpoints.log"):  # an older state of everything, put back
        data = (ledger / name).read_bytes()
        (ledger / name).write_bytes(data[: -len(data.splitlines(keepends=True)[-1])] if name == "entries.log" else data)
    refused = office.inside("ledger", "verify", "--against", kept, "--json", expect=4)
    assert refused.error["link"].startswith("entry ")


def test_a_ledger_elsewhere_is_verified_with_the_keys_one_brings(office: Home, tmp_path: Path) -> None:
    trust = office.workspace / "keys" / "trust.json"
    fingerprint = office.inside("workspace", "trust", "--json").json["fingerprint"]
    moved = tmp_path / "copy"
    office.workspace.joinpath("ledger").rename(moved)
    office.inside("ledger", "verify", moved, "--trust", trust, "--fingerprint", fingerprint)
    office.inside("ledger", "verify", moved, "--trust", trust, "--fingerprint", "sha256:" + "0" * 64, expect=4)
    office.inside("ledger", "verify", expect=4)
    (moved / "checkpoints.log").write_bytes((moved / "checkpoints.log").read_bytes().replace(b"/ledger\n", b"/other\n"))
    office.inside("ledger", "verify", moved, "--trust", trust, expect=4)


def test_from_the_first_witness_to_a_verified_anchor(office: Home, witness: tuple[str, str]) -> None:
    address, key = witness
    assert "no anchor yet" in office.inside("ledger", "anchor").out
    shown = office.inside("ledger", "witnesses", "--add", address, "--key", key, "--json", *BEA).json["anchors"]
    assert [(one["anchor"], one["anchored"], one["behind"]) for one in shown] == [("w1", 0, 5)]
    done = office.inside("ledger", "anchor", "--json").json["anchors"]
    assert [(one["outcome"], one["behind"]) for one in done] == [("done", 0)]
    said = office.inside("ledger", "verify", "--witness", key, "--max-age", "1", "--json").json
    assert said["cosigned"] == 5
    office.inside("ledger", "verify", "--witness", key, "--need", "2", expect=2)
    office.inside("ledger", "proof", "1", "--cosigned")
    office.inside("ledger", "witnesses", "--remove", "w1", *BEA)
    assert office.inside("ledger", "witnesses", "--json").json["anchors"] == []
    office.inside("ledger", "witnesses", "--add", address, *BEA, expect=2)


def test_a_witness_who_saw_more_ends_with_status_4(office: Home, witness: tuple[str, str]) -> None:
    address, key = witness
    office.inside("ledger", "witnesses", "--add", address, "--key", key, *BEA)
    ledger = office.workspace / "ledger"
    before = {name: (ledger / name).read_bytes() for name in ("entries.log", "checkpoints.log", "checkpoint")}
    office.inside("people", "add", "dora", "--role", "auditor", "--person-key", "dora.key")
    office.inside("ledger", "anchor")
    for name, data in before.items():
        (ledger / name).write_bytes(data)
    refused = office.inside("ledger", "anchor", "--json", expect=4)
    assert refused.out
    assert json.loads(refused.err)["error"] == "witness.disagrees"


def test_a_witness_who_is_away_ends_with_status_1(office: Home, witness: tuple[str, str]) -> None:
    office.inside("ledger", "witnesses", "--add", "http://127.0.0.1:1", "--key", witness[1], *BEA)
    assert "cannot be reached" in office.inside("ledger", "anchor", expect=1).err


def test_stamps_and_buckets_say_what_they_need(office: Home) -> None:
    office.inside("ledger", "stamps", "--add", "http://127.0.0.1:1", *BEA, expect=2)
    (office.root / "none.pem").write_text("no certificate")
    office.inside("ledger", "stamps", "--add", "http://127.0.0.1:1", "--certificate", "none.pem", *BEA, expect=2)
    office.inside("ledger", "buckets", "--add", "archive", "--days", "30", "--endpoint", "http://127.0.0.1:1", *BEA)
    assert [one["anchor"] for one in office.inside("ledger", "buckets", "--json").json["anchors"]] == [
        "s3://archive/sealwright"
    ]
    office.inside("ledger", "buckets", "--remove", "s3://archive/sealwright", *BEA)


@pytest.mark.parametrize("hours", ["1e300", "inf", "nan", "-1"])
def test_an_age_that_is_none_is_refused_as_a_slip(office: Home, hours: str) -> None:
    told = office.inside("ledger", "verify", "--max-age", hours, expect=2).err
    assert "max-age" in told


def test_a_witness_shows_a_checkpoint_as_json_when_asked(office: Home, witness: tuple[str, str]) -> None:
    address, key = witness
    office.inside("ledger", "witnesses", "--add", address, "--key", key, *BEA)
    office.inside("ledger", "anchor")
    [seen] = office.inside("witness", "show", "--state", "witness", "--json").json["logs"]
    words = office.inside("witness", "show", "--state", "witness", "--origin", seen["log"]).out
    told = office.inside("witness", "show", "--state", "witness", "--origin", seen["log"], "--json").json
    assert told == {"log": seen["log"], "checkpoint": words}
