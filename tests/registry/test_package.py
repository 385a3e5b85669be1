"""A sealed package is exactly what was judged: one changed byte anywhere, one file more or less, and it is refused."""

import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sealwright.kernel import Conflict, InvalidInput, OperationFailed, VerificationFailed, canonical_json
from sealwright.registry import (
    ModelRefused,
    PackageParts,
    build_candidate,
    open_trusted_files,
    seal,
    verify_files,
    verify_package,
)
from sealwright.trust import make_statement, sign_model_files, sign_statement, verify_statement


def changed(parts: PackageParts, **fields: Any) -> PackageParts:
    return PackageParts(
        **{name: getattr(parts, name) for name in ("model", "interface", "card_md", "bom", "statements")} | fields
    )


@pytest.fixture
def package(sealed_once: Any, tmp_path: Path) -> tuple[Any, Path]:
    """A copy of the sealed package that a test may spoil."""
    house, sealed = sealed_once
    shutil.copytree(sealed.folder, tmp_path / "package")
    return house, tmp_path / "package"


def refused(house: Any, files: Any) -> VerificationFailed:
    with pytest.raises(VerificationFailed) as caught:
        if isinstance(files, Path):
            verify_package(files, house.trust_root, now=house.clock())
        else:
            verify_files(files, house.trust_root, now=house.clock())
    assert caught.value.exit_code == 4
    assert caught.value.link
    return caught.value


def resigned(house: Any, files: dict[str, bytes], name: str = "x") -> dict[str, bytes]:
    """The files under a fresh, genuine package signature: only what is inside can still refuse them."""
    rest = {key: data for key, data in files.items() if key != "model.sig"}
    return rest | {"model.sig": sign_model_files(name, rest, house.keyring.signer("models"))}


# ---- a good package ---------------------------------------------------------------------------------------------


def test_a_sealed_package_verifies_offline_with_a_folder_and_a_trust_root(package: Any) -> None:
    house, folder = package
    found = verify_package(folder, house.trust_root, now=house.clock())
    assert found.project == "credit"
    assert found.model_bytes == (folder / "model.onnx").read_bytes()
    assert [(one.by, one.role) for one in found.approvals] == [
        ("bela", "compliance_officer"),
        ("carl", "business_owner"),
    ]
    assert {"charter", "snapshot", "provenance", "quality", "performance", "training"} == set(found.statements)
    assert any("bela as compliance_officer" in line for line in found.checked)
    assert any("revoked" in line for line in found.not_checked)


def test_what_is_returned_comes_from_the_bytes_that_were_read(package: Any) -> None:
    house, folder = package
    files = open_trusted_files(folder)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            path.write_bytes(b"swapped after reading")
    found = verify_files(files, house.trust_root, now=house.clock())
    assert b"swapped" not in found.model_bytes
    assert found.files == files


def test_the_public_tool_accepts_our_signature(package: Any, tmp_path: Path) -> None:
    house, folder = package
    key = tmp_path / "models.pem"
    key.write_text(house.trust_root.keys_of("models")[-1].pem)
    code = (
        "import sys; from model_signing import verifying\n"
        "verifying.Config().use_elliptic_key_verifier(public_key=sys.argv[2])"
        ".verify(sys.argv[1], sys.argv[1] + '/model.sig')\n"
    )
    command = [sys.executable, "-W", "ignore", "-c", code, str(folder), str(key)]
    subprocess.run(command, check=True, capture_output=True)
    (folder / "card.md").write_text("another card")
    assert subprocess.run(command, check=False, capture_output=True).returncode != 0


def test_verifying_a_small_package_takes_well_under_a_second(package: Any) -> None:
    house, folder = package
    verify_package(folder, house.trust_root, now=house.clock())
    start = time.perf_counter()
    verify_package(folder, house.trust_root, now=house.clock())
    assert time.perf_counter() - start < 0.5  # 50 ms on a quiet machine: benchmarks/verify_package.py


# ---- one byte, one file (T-43) ----------------------------------------------------------------------------------


def test_one_flipped_byte_in_any_file_is_refused_t43(package: Any) -> None:
    house, folder = package
    files = dict(open_trusted_files(folder))
    chance = random.Random(20_261_122)
    for name, data in files.items():
        places = {*range(min(16, len(data))), *range(max(0, len(data) - 4), len(data))}
        places |= {chance.randrange(len(data)) for _ in range(20)}
        for place in sorted(places):
            spoiled = bytearray(data)
            spoiled[place] ^= 1 << chance.randrange(8)
            error = refused(house, files | {name: bytes(spoiled)})
            assert name in error.link, (name, place, error)


def test_a_byte_added_or_cut_at_either_end_of_any_file_is_refused_t43(package: Any) -> None:
    house, folder = package
    files = dict(open_trusted_files(folder))
    for name, data in files.items():
        for spoiled in (data + b"\n", b" " + data, data[:-1], data[1:], b""):
            refused(house, files | {name: spoiled})


def test_every_file_is_missed_when_it_is_gone(package: Any) -> None:
    house, folder = package
    files = dict(open_trusted_files(folder))
    for name in files:
        assert name in refused(house, {key: data for key, data in files.items() if key != name}).link


@pytest.mark.parametrize(
    "name",
    [
        ".git/config",
        ".gitignore",
        ".gitattributes",
        ".github/x",
        "evil.pkl",
        "statements/extra.json",
        "statements/x.txt",
    ],
)
def test_files_the_signature_does_not_cover_are_refused_t43(name: str, package: Any) -> None:
    house, folder = package
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"{}")
    (folder / name).chmod(0o644)
    refused(house, folder)


def _executable(folder: Path) -> None:
    (folder / "model.onnx").chmod(0o755)


def _setuid(folder: Path) -> None:
    (folder / "card.md").chmod(0o4644)


def _empty_folder(folder: Path) -> None:
    (folder / "empty").mkdir()


def _linked_model(folder: Path) -> None:
    (folder / "model.onnx").rename(folder.parent / "elsewhere.onnx")
    (folder / "model.onnx").symlink_to(folder.parent / "elsewhere.onnx")


def _hard_linked_model(folder: Path) -> None:
    os.link(folder / "model.onnx", folder.parent / "second-name.onnx")


@pytest.mark.parametrize(
    "spoil", [_executable, _setuid, _empty_folder, _linked_model, _hard_linked_model], ids=lambda one: one.__name__
)
def test_links_odd_modes_and_empty_folders_are_refused_t45(spoil: Callable[[Path], None], package: Any) -> None:
    house, folder = package
    spoil(folder)
    refused(house, folder)


def test_a_model_swapped_between_verifying_and_using_changes_nothing_t49(package: Any) -> None:
    house, folder = package
    found = verify_package(folder, house.trust_root, now=house.clock())
    before = found.model_bytes
    (folder / "model.onnx").unlink()
    (folder / "model.onnx").symlink_to("/dev/zero")
    assert found.model_bytes == before
    refused(house, folder)


# ---- signatures and keys (T-43) ---------------------------------------------------------------------------------


def test_the_package_of_another_workspace_is_refused_t52(package: Any, tmp_path: Path) -> None:
    from sealwright.trust import InsecurePassphraseForTests, Secret, create_keyring

    house, folder = package
    with (
        create_keyring(
            tmp_path / "other", "ws_other", InsecurePassphraseForTests(Secret("another passphrase"))
        ) as other,
        pytest.raises(VerificationFailed, match="unknown key"),
    ):
        verify_package(folder, other.trust_root, now=house.clock())


def test_a_package_signed_again_by_an_attacker_is_refused_t43(package: Any, tmp_path: Path) -> None:
    from sealwright.trust import InsecurePassphraseForTests, Secret, create_keyring

    house, folder = package
    files = {name: data for name, data in open_trusted_files(folder).items() if name != "model.sig"}
    with create_keyring(
        tmp_path / "other", "ws_other", InsecurePassphraseForTests(Secret("another passphrase"))
    ) as other:
        refused(house, files | {"model.sig": sign_model_files("x", files, other.signer("models"))})


def test_a_genuine_signature_over_other_content_is_not_enough(package: Any) -> None:
    house, folder = package
    files = dict(open_trusted_files(folder))
    refused(house, resigned(house, files | {"card.md": b"another card"}))  # P changed, the gate names another
    for name in ("interface.json", "bom.cdx.json"):
        value = json.loads(files[name])
        value["extra"] = 1
        refused(house, resigned(house, files | {name: canonical_json(value)}))


# ---- what is inside must fit together ---------------------------------------------------------------------------


def rebuilt(house: Any, parts: PackageParts) -> VerificationFailed:
    """Judged and approved anew: only the contents themselves can stand in the way."""
    candidate = build_candidate(parts)
    gate, approvals = house.judged(candidate)
    with pytest.raises(VerificationFailed) as caught:
        house.seal(candidate, gate, approvals)
    return caught.value


def test_statements_about_another_model_are_refused(sealed_once: Any) -> None:
    house, _ = sealed_once
    parts, other = house.parts(), house.parts(bias=0.5)
    for name in ("quality", "performance", "provenance"):
        mixed = changed(parts, statements={**parts.statements, name: other.statements[name]})
        error = rebuilt(house, mixed)
        assert error.link == f"package/statements/{name}.json"
        assert "another model" in str(error)


def test_a_bill_of_materials_of_another_model_is_refused(sealed_once: Any) -> None:
    house, _ = sealed_once
    error = rebuilt(house, changed(house.parts(), bom=house.parts(bias=0.5).bom))
    assert error.link == "package/bom.cdx.json"


def test_a_model_trained_on_other_data_than_the_snapshot_is_refused(sealed_once: Any) -> None:
    house, _ = sealed_once
    parts = house.parts()
    other = house.file([("snapshot", "sha256:" + "1" * 64)], "urn:sealwright:predicate:snapshot:v1", {}, "credit")
    error = rebuilt(house, changed(parts, statements={**parts.statements, "snapshot": other}))
    assert error.link.startswith("package/statements/p")


def test_a_charter_of_another_project_is_refused_t52(sealed_once: Any) -> None:
    house, _ = sealed_once
    parts, other = house.parts(), house.parts(project="hiring")
    error = rebuilt(house, changed(parts, statements={**parts.statements, "charter": other.statements["charter"]}))
    assert error.link == "package/statements/charter.json"


def test_a_statement_of_the_wrong_kind_under_a_name_is_refused(sealed_once: Any) -> None:
    house, _ = sealed_once
    parts = house.parts()
    swapped = {**parts.statements, "quality": parts.statements["provenance"]}
    assert "expected" in str(rebuilt(house, changed(parts, statements=swapped)))


def test_a_model_that_does_not_fit_its_interface_never_becomes_a_candidate(sealed_once: Any) -> None:
    house, _ = sealed_once
    parts = house.parts()
    interface = {**parts.interface, "numbers": parts.interface["numbers"][:1], "order": ["income", "city"]}
    with pytest.raises(ModelRefused, match="must have shape"):
        build_candidate(changed(parts, interface=interface))
    with pytest.raises(ModelRefused, match="never opened"):
        build_candidate(changed(parts, model=b"\x80\x04."))
    with pytest.raises(InvalidInput, match="order"):
        build_candidate(changed(parts, interface={**parts.interface, "order": []}))


# ---- gate and approvals (T-17, T-18) ----------------------------------------------------------------------------


def test_a_package_without_enough_approvals_is_never_sealed_t17(sealed_once: Any) -> None:
    house, _ = sealed_once
    candidate = build_candidate(house.parts(bias=0.01))
    for approvers in ((), ("bela",), ("bela", "bela")):
        gate, approvals = house.judged(candidate, approvers)
        with pytest.raises(VerificationFailed) as caught:
            house.seal(candidate, gate, approvals)
        assert caught.value.link == "package/statements/gate.json"
        assert not (house.home / "packages" / candidate.digest[7:]).exists()


def test_approvals_cannot_be_left_out_added_or_taken_from_another_package_t18(sealed_once: Any) -> None:
    house, _ = sealed_once
    candidate, other = build_candidate(house.parts(bias=0.02)), build_candidate(house.parts(bias=0.03))
    gate, approvals = house.judged(candidate)
    foreign_gate, foreign = house.judged(other)
    for wrong_gate, wrong in (
        (gate, approvals[:1]),
        (gate, []),
        (gate, [*approvals, approvals[0]]),
        (gate, [approvals[0], foreign[1]]),
        (gate, foreign),
        (foreign_gate, foreign),
        (foreign_gate, approvals),
    ):
        with pytest.raises(VerificationFailed):
            house.seal(candidate, wrong_gate, wrong)
    assert house.seal(candidate, gate, approvals).digest == candidate.digest


def test_a_gate_that_did_not_pass_or_contradicts_itself_is_refused(sealed_once: Any) -> None:
    house, _ = sealed_once
    candidate = build_candidate(house.parts(bias=0.04))
    gate, approvals = house.judged(candidate)
    signer, keys = house.keyring.signer("statements"), house.trust_root.keys_of("statements")
    said = verify_statement(gate, keys)

    def edited(change: Callable[[dict[str, Any]], Any]) -> bytes:
        predicate = json.loads(canonical_json(said.predicate))
        change(predicate)
        return sign_statement(make_statement(said.subjects, said.predicate_type, predicate), signer)

    for change in (
        lambda p: p.update(verificationResult="FAILED"),
        lambda p: p["sealwright"].update(passed=False),
        lambda p: p["sealwright"].update(passed=1),
        lambda p: p["sealwright"].update(results=[]),
        lambda p: p["sealwright"]["results"][0].update(outcome="missing"),
        lambda p: p["sealwright"]["results"][0].update(outcome="passed"),
        lambda p: p["sealwright"].update(package="sha256:" + "0" * 64),
        lambda p: p["sealwright"].update(model="sha256:" + "0" * 64),
        lambda p: p["sealwright"].update(project="hiring"),
        lambda p: p["sealwright"].update(decided_at="2027-11-22T12:00:00.000Z"),
        lambda p: p["sealwright"].update(approvals=[]),
        lambda p: p["inputAttestations"].clear(),
        lambda p: p.pop("inputAttestations"),
        lambda p: p["sealwright"].pop("results"),
    ):
        with pytest.raises(VerificationFailed) as caught:
            house.seal(candidate, edited(change), approvals)
        assert caught.value.link == "package/statements/gate.json"
    house.seal(candidate, edited(dict), approvals)


def test_a_gate_signed_by_a_person_or_for_another_purpose_is_refused(sealed_once: Any) -> None:
    house, _ = sealed_once
    candidate = build_candidate(house.parts(bias=0.05))
    gate, approvals = house.judged(candidate)
    said = verify_statement(gate, house.trust_root.keys_of("statements"))
    for signer in (house.person("bela"), house.stolen("releases")):
        with pytest.raises(VerificationFailed, match="unknown key"):
            house.seal(candidate, sign_statement(said, signer), approvals)


def test_nothing_in_a_package_may_come_from_the_future(package: Any) -> None:
    house, folder = package
    with pytest.raises(VerificationFailed, match="future"):
        verify_package(folder, house.trust_root, now=house.clock() - timedelta(hours=1))


# ---- sealing ----------------------------------------------------------------------------------------------------


def test_sealing_twice_gives_the_same_package_and_other_approvals_conflict(sealed_once: Any) -> None:
    house, _ = sealed_once
    candidate = build_candidate(house.parts(bias=0.06))
    gate, approvals = house.judged(candidate)
    first = house.seal(candidate, gate, approvals)
    assert house.seal(candidate, gate, approvals) == first
    again, others = house.judged(candidate)  # the same people approve anew
    with pytest.raises((Conflict, VerificationFailed)):
        house.seal(candidate, again, others[::-1])


def test_a_candidate_changed_after_it_was_judged_is_not_sealed(sealed_once: Any) -> None:
    house, _ = sealed_once
    candidate = build_candidate(house.parts(bias=0.07))
    gate, approvals = house.judged(candidate)
    candidate.files["card.md"] = b"better"  # type: ignore[index]
    with pytest.raises(VerificationFailed, match="changed after it was judged"):
        house.seal(candidate, gate, approvals)


def test_a_sealing_that_fails_half_way_leaves_nothing_behind(sealed_once: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    house, _ = sealed_once
    candidate = build_candidate(house.parts(bias=0.08))
    gate, approvals = house.judged(candidate)
    packages, real, calls = house.home / "packages", os.fsync, iter(range(1000))

    def full_disk(handle: int) -> None:
        here = threading.current_thread() is threading.main_thread()  # a ledger brings its checkpoint out by a thread
        if here and next(calls) == 5:
            raise OSError(28, "No space left on device")
        real(handle)

    (packages / ".lock").touch(0o600)
    before = sorted(packages.iterdir())
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full_disk)
        with pytest.raises(OperationFailed, match="No space left"):
            house.seal(candidate, gate, approvals)
    assert sorted(packages.iterdir()) == before
    (packages / ".draft-left-by-a-crash").mkdir()
    assert house.seal(candidate, gate, approvals).folder.is_dir()
    assert not list(packages.glob(".draft-*"))


def test_a_sealed_package_is_private_to_write_and_plain_to_read(package: Any, sealed_once: Any) -> None:
    _, sealed = sealed_once
    for path in sealed.folder.rglob("*"):
        assert oct(path.stat().st_mode & 0o7777) in ("0o644", "0o755")
    assert sealed.folder.name == sealed.digest[7:]


def test_ninety_nine_approvals_are_enough(sealed_once: Any) -> None:
    house, _ = sealed_once
    candidate = build_candidate(house.parts(bias=0.09))
    with pytest.raises(InvalidInput, match="99"):
        seal(
            candidate,
            b"",
            [b""] * 100,
            house.keyring.signer("models"),
            house.home / "packages",
            trust_root=house.trust_root,
            now=house.clock(),
        )
