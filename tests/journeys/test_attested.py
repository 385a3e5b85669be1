"""A person's signed word in place of a measurement: only where measuring was not possible, and in the package."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from whole_way import Home, quick, write_table

FAIRNESS = ("fairness.selection_gap", "fairness.equal_opportunity_gap")
WHY = "The parts are screws; nobody is judged by this."


@pytest.fixture(scope="module")
def assessed(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A project at limited risk whose data has no groups to compare, assessed, with its people enrolled."""
    home = Home(tmp_path_factory.mktemp("screws"))
    home.root.chmod(0o700)
    write_table(home.root / "screws.csv")
    home.inside("init", "screws", "--data", "screws.csv", "--target", "fits", "--risk", "limited", "--positive", "yes")
    quick(home.root / "screws", recipe="logistic")
    home.inside("run", "screws", "--as", "ada", expect=3)
    for name, role in (("ada", "compliance_officer"), ("cara", "compliance_officer"), ("sam", "security_officer")):
        home.inside("people", "add", name, "--role", role, "--person-key", f"{name}.key")
    return home


@pytest.fixture
def screws(assessed: Home, tmp_path: Path) -> Home:
    shutil.copytree(assessed.root, tmp_path / "home")
    return Home(tmp_path / "home")


def attest(home: Home, check: str, *, name: str = "cara", role: str = "compliance_officer", expect: int = 0) -> str:
    done = home.inside(
        "attest", "screws", "--as", name, "--role", role, "--check", check, "--reason", WHY,
        "--person-key", f"{name}.key", expect=expect,
    )  # fmt: skip
    return done.out + done.err


def approve(home: Home) -> None:
    home.inside(
        "approve", "screws", "--as", "sam", "--role", "security_officer", "--reason", "I read the words, too.",
        "--person-key", "sam.key",
    )  # fmt: skip


def all_the_way(home: Home) -> Path:
    """Words, approval, seal; returns the evidence bundle."""
    for check in FAIRNESS:
        attest(home, check)
    approve(home)
    home.inside("seal", "screws")
    home.inside("export", "screws", 1, "--to", "out")
    return home.root / "out" / "screws-v1.evidence.json"


def outcomes(home: Home) -> dict[str, str]:
    return {
        one["check"]: one["outcome"] for one in home.inside("gate", "screws", "--json", expect=None).json["results"]
    }


def test_the_gate_names_the_command_to_state_it(screws: Home) -> None:
    text = screws.inside("gate", "screws", expect=3).out
    for check in FAIRNESS:
        assert f"sealwright attest --check {check}" in " ".join(text.split())


def test_nobody_can_speak_for_what_was_measured_or_must_be(screws: Home) -> None:
    assert "has to be measured" in attest(screws, "performance.roc_auc", expect=2)
    assert "Nobody's word is needed" in attest(screws, "parity.largest", expect=2)
    assert "no check called" in attest(screws, "fairness.by_eye", expect=2)
    assert FAIRNESS[0] in attest(screws, "fairness.by_eye", expect=2)


def test_neither_the_trainer_nor_another_role_may_speak(screws: Home) -> None:
    assert "whoever trained the model" in attest(screws, FAIRNESS[0], name="ada", expect=3)
    said = attest(screws, FAIRNESS[0], name="sam", role="security_officer", expect=2)
    assert "compliance_officer or business_owner" in said


def test_a_word_goes_into_the_package_and_everybody_sees_it(screws: Home) -> None:
    """In this order: a word changes the candidate, so approvals come after it."""
    before = screws.inside("gate", "screws", "--json", expect=3).json["package"]
    approve(screws)
    for check in FAIRNESS:
        assert WHY not in attest(screws, check)
    found = outcomes(screws)
    assert {found[check] for check in FAIRNESS} == {"attested"}
    assert found["approval.release"] == "not_yet", "an approval from before a word must not cover it"
    assert screws.inside("gate", "screws", "--json", expect=3).json["package"] != before
    approve(screws)
    sealed = screws.inside("run", "screws", "--json").json
    assert sealed["version"] == 1
    assert sealed["train"]["again"]
    package = screws.package
    assert sorted(path.name for path in (package / "statements").glob("attestation-*")) == [
        "attestation-1.json",
        "attestation-2.json",
    ]
    remarks = screws.inside("verify", package, "--json").json["remarks"]
    assert sorted(line.split(":")[0] for line in remarks) == sorted(FAIRNESS)
    assert all(WHY in line for line in remarks)
    word = package / "statements" / "attestation-1.json"
    word.write_bytes(word.read_bytes().replace(b'"signatures"', b'"signatvres"'))
    assert "attestation-1" in screws.inside("verify", package, "--json", expect=4).error["link"]


def test_a_bundle_carries_the_words(screws: Home) -> None:
    found = screws.inside("verify", all_the_way(screws), "--json").json
    assert [line for line in found["remarks"] if WHY in line]


def test_the_auditors_file_accepts_a_word_and_misses_one_left_out(screws: Home, tmp_path: Path) -> None:
    bundle = all_the_way(screws)
    command = [sys.executable, "-I", screws.root / "out" / "sealwright_verify.py", tmp_path / "bundle.json"]
    trust = ["--trust", screws.root / "out" / "trust.json"]
    (tmp_path / "bundle.json").write_bytes(bundle.read_bytes())
    good = subprocess.run([*command, *trust], capture_output=True, text=True, timeout=60, cwd="/")
    assert good.returncode == 0, good.stdout + good.stderr
    value = json.loads(bundle.read_bytes())
    value["files"].pop("package/statements/attestation-2.json")
    (tmp_path / "bundle.json").write_text(json.dumps(value, sort_keys=True, separators=(",", ":")))
    assert subprocess.run([*command, *trust], capture_output=True, timeout=60, cwd="/").returncode == 4
