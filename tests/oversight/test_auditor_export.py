"""What `sealwright export` hands to an auditor is enough: a bundle, the public keys and the file that checks both.

On the bundled German credit project, which went the whole way through the commands a user types.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from auditor_bench import VERIFIER, flips

from whole_way import PROJECT, ROW, Done, Home

pytestmark = pytest.mark.slow


def audit(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """In the exported folder, with nothing but it and an interpreter."""
    return subprocess.run(
        [sys.executable, "-I", "sealwright_verify.py", *map(str, arguments), "--trust", "trust.json"],
        cwd=folder,
        env={},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_exported_folder_is_all_an_auditor_needs(home: Home, told: dict[str, Done]) -> None:
    out = home.root / "out"
    assert (out / "sealwright_verify.py").read_bytes() == VERIFIER.read_bytes()
    exported = told["export"].json
    for name in (f"{PROJECT}-v1.evidence.json", "sealwright_verify.py", "trust.json"):
        shutil.copy(out / name, home.root.parent / name)
    shutil.rmtree(home.workspace)  # no workspace is left to look anything up in
    done = audit(home.root.parent, f"{PROJECT}-v1.evidence.json", "--fingerprint", exported["fingerprint"], "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert (found["kind"], found["facts"]["project"], found["facts"]["version"]) == ("bundle", PROJECT, 1)
    assert found["facts"]["revoked"].startswith("no")
    assert any("bob as business_owner, cara as compliance_officer" in line for line in found["checked"])
    assert any(f"this package serves at {PROJECT}/live" in line for line in found["checked"])


def test_what_a_server_answered_holds_with_its_request_and_a_changed_byte_of_it_does_not(home: Home) -> None:
    out, answer = home.root / "out", home.root / "answer.json"
    whole = answer.read_bytes()
    assert audit(out, answer, "--request", home.root / ROW).returncode == 0
    for changed in list(flips(whole, 12, "answer")):
        answer.write_bytes(changed)
        done = audit(out, answer, "--request", home.root / ROW)
        assert done.returncode == 4, done.stdout
        home.inside("verify", answer, "--request", ROW, expect=None)
    answer.write_bytes(whole)
    (home.root / ROW).write_bytes((home.root / ROW).read_bytes() + b"\n")
    assert (
        "receipt/request is not the request that was recorded"
        in audit(out, answer, "--request", home.root / ROW).stdout
    )


def test_package_and_ledgers_of_a_real_workspace_hold_and_agree_with_our_command(home: Home) -> None:
    out = home.root / "out"
    ledgers = sorted(path.parent for path in home.workspace.rglob("entries.log"))
    assert len(ledgers) == 2
    for what in (home.package, *ledgers):
        assert audit(out, what).returncode == 0
        home.inside("verify", what)
    for what, name in (
        (home.package, "statements/fairness.json"),
        (ledgers[0], "entries.log"),
        (ledgers[1], "entries.log"),
    ):
        whole = (what / name).read_bytes()
        for changed in list(flips(whole, 2, str(name))):
            (what / name).write_bytes(changed)
            assert audit(out, what).returncode == 4
            home.inside("verify", what, expect=4)
        (what / name).write_bytes(whole)
