"""One changed byte, anywhere: every file of a package, a snapshot, a ledger, a bundle and a receipt is tried.

Positions are the first and last byte of each file and some between, drawn with a fixed seed. A few of them are shown
through the command as well, which must exit with 4 and name the link.
"""

import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealwright.kernel import SealwrightError, VerificationFailed, system_clock
from sealwright.pipeline import Verified, read_trust_root, verify_path
from sealwright.trust import TrustRoot
from whole_way import PROJECT, ROW, Home

_PLACES = 24
_LEDGER = ("entries.log", "checkpoints.log", "checkpoint")


@pytest.fixture(scope="module")
def root(sealed: Path) -> TrustRoot:
    return read_trust_root(sealed / "ws")


def check(path: Path, root: TrustRoot) -> Verified:
    return verify_path(path, root, now=system_clock())


def flips(path: Path, places: int = _PLACES) -> Iterator[str]:
    """Flip one bit of a file at a time; the file is whole again after each."""
    whole = path.read_bytes()
    draw = random.Random(path.name)
    chosen = {0, len(whole) - 1, *(draw.randrange(len(whole)) for _ in range(places))}
    for place in sorted(chosen):
        bit = 1 << draw.randrange(8)
        path.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
        yield f"{path.name}, byte {place:,} of {len(whole):,}, bit {bit}"
        path.write_bytes(whole)


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_in_every_file_of_a_package(home: Home, root: TrustRoot) -> None:
    assert check(home.package, root).kind == "package"
    for path in files_of(home.package):
        for where in flips(path):
            with pytest.raises(VerificationFailed) as failed:
                check(home.package, root)
            assert failed.value.link.startswith("package/"), where
    assert check(home.package, root).kind == "package"


def test_in_every_file_of_a_snapshot(home: Home, root: TrustRoot) -> None:
    (snapshot,) = (home.workspace / "snapshots").iterdir()
    assert check(snapshot, root).kind == "snapshot"
    signed = [path for path in files_of(snapshot) if path.name != "keys.json"]  # that one is checked when it is opened
    assert len(signed) >= 2
    for path in signed:
        for where in flips(path):
            with pytest.raises(VerificationFailed) as failed:
                check(snapshot, root)
            assert failed.value.link, where


@pytest.mark.parametrize("which", ["control", "decisions"])
def test_in_every_signed_file_of_a_ledger(home: Home, root: TrustRoot, which: str) -> None:
    control = home.workspace / "ledger"
    (decisions,) = {path.parent for path in home.workspace.rglob("entries.log")} - {control}
    ledger = control if which == "control" else decisions
    assert check(ledger, root).kind == "ledger"
    for name in _LEDGER:
        for where in flips(ledger / name, places=16):
            with pytest.raises(VerificationFailed) as failed:
                check(ledger, root)
            assert failed.value.link, where


def test_a_changed_cache_of_the_ledger_harms_nothing(home: Home, root: TrustRoot) -> None:
    """What is only kept for speed is not believed: the ledger opens, grows and verifies."""
    for path in files_of(home.workspace / "ledger" / "cache"):
        for _ in flips(path, places=1):
            home.inside("promote", PROJECT, 1, "--reason", "Once more")
            assert check(home.workspace / "ledger", root).kind == "ledger"


def test_anywhere_in_a_bundle(home: Home, root: TrustRoot) -> None:
    bundle = home.root / "out" / f"{PROJECT}-v1.evidence.json"
    assert check(bundle, root).kind == "bundle"
    for where in flips(bundle, places=40):
        with pytest.raises(VerificationFailed):
            check(bundle, root)
            pytest.fail(where)


def test_in_every_statement_and_name_of_a_bundle_t86(home: Home, root: TrustRoot) -> None:
    """Inside each file of the bundle, and in every name and value that stands around them."""
    import base64

    bundle = home.root / "out" / f"{PROJECT}-v1.evidence.json"
    whole = json.loads(bundle.read_bytes())

    def put(value: object) -> None:
        bundle.write_text(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False))

    put(whole)
    assert check(bundle, root).kind == "bundle"
    draw = random.Random(2)
    for name, text in whole["files"].items():
        data = base64.b64decode(text)
        for place in (0, draw.randrange(len(data)), len(data) - 1):
            changed = base64.b64encode(data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :]).decode()
            put({**whole, "files": {**whole["files"], name: changed}})
            with pytest.raises(VerificationFailed):
                check(bundle, root)
                pytest.fail(f"{name}, byte {place}")
        kept = {other: text for other, text in whole["files"].items() if other != name}
        put({**whole, "files": {**kept, name + "x": text}})
        with pytest.raises(VerificationFailed):
            check(bundle, root)
            pytest.fail(f"{name} renamed")
    for key, other in (("project", "german-kredit"), ("version", 2), ("type", "urn:sealwright:bundle:v2")):
        put({**whole, key: other})
        with pytest.raises(SealwrightError):
            check(bundle, root)
            pytest.fail(key)


def test_in_a_pointer_a_statement_and_the_revocations(home: Home, root: TrustRoot) -> None:
    for path in (
        home.workspace / "pointers" / PROJECT / "live.json",
        home.workspace / "revocations.json",
        home.package / "statements" / "performance.json",
    ):
        copy = shutil.copy(path, home.root / "statement")
        assert check(Path(copy), root).kind == "statement"
        for where in flips(Path(copy), places=24):
            with pytest.raises(SealwrightError) as refused:
                check(Path(copy), root)
            assert refused.value.exit_code in {2, 4}, where


def test_in_an_answer_with_its_receipt_t70(home: Home, root: TrustRoot) -> None:
    answer = home.root / "answer.json"
    for where in flips(answer, places=60):
        with pytest.raises(SealwrightError) as refused:
            check(answer, root)
            pytest.fail(where)
        assert refused.value.exit_code in {2, 4}, where


def test_the_command_says_so_with_exit_code_4_and_the_link(home: Home) -> None:
    (snapshot,) = (home.workspace / "snapshots").iterdir()
    cases = [
        (home.package, home.package / "model.onnx"),
        (snapshot, files_of(snapshot)[-1]),
        (home.workspace / "ledger", home.workspace / "ledger" / "entries.log"),
        (home.root / "out" / f"{PROJECT}-v1.evidence.json",) * 2,
    ]
    for what, path in cases:
        for _ in flips(path, places=1):
            refused = home.inside("verify", what, "--request", ROW, "--json", expect=4)
            assert refused.error["error"]
            assert refused.error["link"]
            assert refused.out == ""


def test_a_changed_file_of_a_run_is_not_used(home: Home) -> None:
    """Between its steps a run keeps files; what was changed there meanwhile is refused, with what to do next."""
    for path in files_of(home.workspace / "runs"):
        path.write_bytes(path.read_bytes() + b" ")
    refused = home.inside("report", "credit", "--json", expect=4)
    assert "runs/" in refused.error["link"]
    assert "--fresh" in refused.error["message"]


def test_what_is_no_evidence_at_all_is_a_slip_and_not_a_failed_check(
    home: Home, root: TrustRoot, tmp_path: Path
) -> None:
    """2 is for whoever named another file; 4 stays for evidence that was changed, cut or lost a file."""
    (home.root / "table.csv").write_text("income,repaid\n1000,yes\n")
    (home.root / "empty.csv").write_text("")
    (home.root / "folder").mkdir()
    for what in ("table.csv", "empty.csv", "folder", "credit", "nosuch"):
        assert home.inside("verify", what, expect=2).out == ""
    for trust in ("table.csv", "empty.csv", "nosuch"):
        assert home.inside("verify", "ws/ledger", "--trust", trust, expect=2).out == ""
    for folder in ("nosuch", "folder", "credit", "table.csv"):
        assert "There is no ledger" in home.inside("ledger", "verify", folder, expect=2).err


@pytest.mark.parametrize("lost", ["entries.log", "checkpoints.log"])
def test_a_ledger_that_lost_a_file_does_not_hold(home: Home, root: TrustRoot, lost: str) -> None:
    (home.workspace / "ledger" / lost).unlink()
    with pytest.raises(VerificationFailed):
        check(home.workspace / "ledger", root)
    home.inside("verify", "ws/ledger", expect=4)
    home.inside("ledger", "verify", "ws/ledger", expect=4)


def test_a_package_or_a_snapshot_that_lost_a_file_does_not_hold(home: Home, root: TrustRoot, tmp_path: Path) -> None:
    (snapshot,) = (home.workspace / "snapshots").iterdir()
    for folder in (home.package, snapshot):
        for path in files_of(folder):
            if path.name == "keys.json":
                continue
            whole = path.read_bytes()
            path.unlink()
            with pytest.raises(VerificationFailed):
                check(folder, root)
            path.write_bytes(whole)


def test_a_receipt_cut_anywhere_does_not_pass_for_a_slip(home: Home, root: TrustRoot, tmp_path: Path) -> None:
    whole = (home.root / "answer.json").read_bytes()
    for places in (slice(0, -1), slice(0, len(whole) // 2), slice(1, None), slice(len(whole) // 2, None)):
        (tmp_path / "cut.json").write_bytes(whole[places])
        with pytest.raises(VerificationFailed):
            check(tmp_path / "cut.json", root)
