"""A package that is not what was accepted, runs code at every start, or is known to be broken, is found."""

import hashlib
import json
import subprocess
import sys
import zipfile
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sealwright.kernel import InvalidInput, VerificationFailed
from sealwright.trust import (
    Advisories,
    Advisory,
    InsecurePassphraseForTests,
    Installed,
    Secret,
    StaleAdvisories,
    changed_files,
    create_keyring,
    differences,
    environment_bom,
    environment_statement,
    installed_here,
    licence_problems,
    read_advisories,
    release_problem,
    sign_statement,
    start_hooks,
    verify_environment,
)

NOW = datetime(2026, 11, 26, tzinfo=UTC)
STEALER = "import os; os.environ.setdefault('STOLEN', 'yes')\n"


def wheel(
    folder: Path, name: str, version: str, files: dict[str, str], about: str = "License-Expression: MIT\n"
) -> Path:
    """A real wheel, built by hand."""
    info = f"{name}-{version}.dist-info"
    held = files | {
        f"{info}/METADATA": f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{about}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: by hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = []
    for path, text in held.items():
        digest = urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(text.encode())}")
    folder.mkdir(exist_ok=True)
    place = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(place, "w") as archive:
        for path, text in held.items():
            archive.writestr(path, text)
        archive.writestr(f"{info}/RECORD", "\n".join([*lines, f"{info}/RECORD,,"]) + "\n")
    return place


def pip(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--isolated",
        "install",
        "--no-index",
        *arguments,
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site folder into which pip installed one honest package."""
    place = tmp_path / "site"
    done = pip(
        "--no-deps",
        "--target",
        str(place),
        str(wheel(tmp_path / "wheels", "honest", "1.2", {"honest/__init__.py": "x = 1\n"})),
    )
    assert done.returncode == 0, done.stderr
    return place


def test_a_pth_file_that_runs_code_at_every_start_is_found_t72(tmp_path: Path, site: Path) -> None:
    assert list(start_hooks([str(site)])) == []
    bad = wheel(tmp_path / "wheels", "litestealer", "1.82.7", {"zz_stealer.pth": STEALER, "litestealer.py": ""})
    assert pip("--no-deps", "--target", str(site), str(bad)).returncode == 0
    (hook,) = start_hooks([str(site)])
    assert hook.path.name == "zz_stealer.pth"
    assert "runs code" in hook.why


def test_a_known_hook_with_other_content_is_found_t72(site: Path) -> None:
    (site / "distutils-precedence.pth").write_text(STEALER)
    assert [hook.path.name for hook in start_hooks([str(site)])] == ["distutils-precedence.pth"]


@pytest.mark.parametrize("name", ["sitecustomize.py", "usercustomize.py"])
def test_site_customisation_is_found_t72(site: Path, name: str) -> None:
    (site / name).write_text("")
    assert [hook.path.name for hook in start_hooks([str(site)])] == [name]


def test_a_pth_file_that_only_names_a_folder_is_fine(site: Path) -> None:
    (site / "mine.pth").write_text("../elsewhere\n# import nothing\n")
    assert list(start_hooks([str(site)])) == []


def test_our_own_environment_has_no_unexpected_hook() -> None:
    assert list(start_hooks(path for path in sys.path if path.endswith("site-packages"))) == []


def test_the_install_options_refuse_another_hash_a_source_and_a_name_not_locked_t72(tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    good = wheel(wheels, "honest", "1.2", {"honest/__init__.py": ""})
    digest = hashlib.sha256(good.read_bytes()).hexdigest()
    options = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--find-links", str(wheels), "--target"]
    lock = tmp_path / "lock.txt"
    lock.write_text(f"honest==1.2 --hash=sha256:{digest}\n")
    assert pip(*options, str(tmp_path / "a"), "-r", str(lock)).returncode == 0
    wheel(wheels, "honest", "1.2", {"honest/__init__.py": "stolen = True\n"})  # same name and version, other bytes
    assert "DO NOT MATCH THE HASHES" in pip(*options, str(tmp_path / "b"), "-r", str(lock)).stderr
    (wheels / "onlysource-1.0.tar.gz").write_bytes(b"whatever")
    lock.write_text(f"onlysource==1.0 --hash=sha256:{hashlib.sha256(b'whatever').hexdigest()}\n")
    assert pip(*options, str(tmp_path / "c"), "-r", str(lock)).returncode != 0
    wheel(wheels, "honset", "1.2", {"honset.py": ""})  # one letter off, and not in the lock with a hash
    lock.write_text("honset==1.2\n")
    assert "require-hashes" in pip(*options, str(tmp_path / "d"), "-r", str(lock)).stderr


def test_a_changed_installed_file_is_found(site: Path) -> None:
    assert list(changed_files([str(site)])) == []
    (site / "honest" / "__init__.py").write_text("x = 2\n")
    assert list(changed_files([str(site)])) == [("honest", "honest/__init__.py")]


# ---- the accepted environment


def accepted_and_now(site: Path) -> tuple[dict, tuple[Installed, ...]]:
    before = installed_here([str(site)])
    return environment_bom(before, python="3.11.13", now=NOW), before


def test_what_was_accepted_and_did_not_change_shows_no_difference(site: Path) -> None:
    bom, now = accepted_and_now(site)
    assert differences(bom, now, python="3.11.13") == []


def test_an_added_removed_replaced_or_rebuilt_package_is_told_t73(tmp_path: Path, site: Path) -> None:
    bom, _ = accepted_and_now(site)
    assert (
        pip("--no-deps", "--target", str(site), str(wheel(tmp_path / "w", "added", "1.0", {"added.py": ""}))).returncode
        == 0
    )
    assert [d.what for d in differences(bom, installed_here([str(site)]), python="3.11.13")] == ["added"]
    newer = wheel(tmp_path / "w", "honest", "1.3", {"honest/__init__.py": "x = 1\n"})
    rebuilt = wheel(tmp_path / "w2", "honest", "1.2", {"honest/__init__.py": "x = 1  # not what was reviewed\n"})
    for place, build, what in ((tmp_path / "n", newer, "other version"), (tmp_path / "r", rebuilt, "other files")):
        assert pip("--no-deps", "--target", str(place), str(build)).returncode == 0
        assert [d.what for d in differences(bom, installed_here([str(place)]), python="3.11.13")] == [what]
    assert [d.what for d in differences(bom, (), python="3.11.13")] == ["removed"]
    assert [str(d) for d in differences(bom, installed_here([str(site)]), python="3.12.1")][
        -1
    ] == "python: accepted 3.11.13, found 3.12.1"


def test_the_same_wheel_installed_elsewhere_is_the_same(tmp_path: Path, site: Path) -> None:
    bom, _ = accepted_and_now(site)
    again = wheel(tmp_path / "w", "honest", "1.2", {"honest/__init__.py": "x = 1\n"})
    assert pip("--no-deps", "--target", str(tmp_path / "else"), str(again)).returncode == 0
    assert differences(bom, installed_here([str(tmp_path / "else")]), python="3.11.13") == []


def test_an_acceptance_edited_or_by_another_key_is_refused_t73(tmp_path: Path, site: Path) -> None:
    bom, _ = accepted_and_now(site)
    secret = InsecurePassphraseForTests(Secret("a passphrase for tests"))
    with (
        create_keyring(tmp_path / "k1", "ws_one", secret) as ours,
        create_keyring(tmp_path / "k2", "ws_two", secret) as other,
    ):
        keys = ours.trust_root.keys_of("statements")
        signed = sign_statement(environment_statement(bom, by="ada"), ours.signer("statements"))
        assert verify_environment(signed, keys)["components"] == bom["components"]
        with pytest.raises(VerificationFailed):
            verify_environment(sign_statement(environment_statement(bom, by="ada"), other.signer("statements")), keys)
        place = signed.index(b'"payload":"') + 200
        with pytest.raises(VerificationFailed):
            verify_environment(
                signed[:place] + (b"A" if signed[place : place + 1] != b"A" else b"B") + signed[place + 1 :], keys
            )


def test_the_bill_of_materials_is_valid_cyclonedx() -> None:
    validation = pytest.importorskip("cyclonedx.validation.json")
    from cyclonedx.schema import SchemaVersion

    bom = environment_bom(installed_here(), python="3.11.13", now=NOW)
    assert len(bom["components"]) > 20
    assert validation.JsonStrictValidator(SchemaVersion.V1_7).validate_str(json.dumps(bom)) is None


# ---- licences and Python


def test_a_copyleft_or_silent_licence_is_told(tmp_path: Path) -> None:
    from importlib import metadata

    place = tmp_path / "site"
    for name, about in (
        ("gpl", "License: GPLv3\n"),
        ("silent", ""),
        ("either", "License-Expression: GPL-3.0-only OR MIT\n"),
        ("fine", "License: BSD\n"),
    ):
        assert (
            pip(
                "--no-deps", "--target", str(place), str(wheel(tmp_path / "w", name, "1", {f"{name}.py": ""}, about))
            ).returncode
            == 0
        )
    said = {p.name: p.licence for p in licence_problems(d.metadata for d in metadata.distributions(path=[str(place)]))}
    assert said == {"gpl": "GPLv3", "silent": ""}


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ((3, 11, 7), "lacks security fixes of 3.11.13"),
        ((3, 11, 13), ""),
        ((3, 12, 11), ""),
        ((3, 10, 9), "not one Sealwright is tested on"),
    ],
)
def test_python_releases_without_known_fixes_are_named(version: tuple[int, int, int], words: str) -> None:
    said = release_problem(version, NOW)
    assert (words in said) if words else said == ""
    assert "no security fixes" in release_problem((3, 11, 14), datetime(2027, 11, 1, tzinfo=UTC))


# ---- known faults


def listed(*ranges: tuple[tuple[str, str], ...], versions: frozenset[str] = frozenset()) -> Advisories:
    advisory = Advisory(id="PYSEC-0", package="honest", ranges=ranges, versions=versions, aliases=("CVE-0",))
    return Advisories(taken=NOW, source="test", advisories=(advisory,))


def affected(list_: Advisories, version: str) -> bool:
    return bool(list(list_.faults_in([Installed(name="honest", version=version)])))


@pytest.mark.parametrize(
    ("version", "hit"),
    [
        ("0.9", True),
        ("1.0", True),
        ("1.2rc1", True),
        ("1.2", False),
        ("1.9", False),
        ("2.0", True),
        ("2.3.post1", True),
        ("2.4", False),
    ],
)
def test_ranges_are_read_as_osv_says(version: str, hit: bool) -> None:
    two_lines = (("introduced", "0"), ("fixed", "1.2"), ("introduced", "2.0"), ("fixed", "2.4"))
    assert affected(listed(two_lines), version) is hit
    assert affected(listed(tuple(reversed(two_lines))), version) is hit  # the order in the file means nothing


def test_last_affected_is_affected_and_listed_versions_count() -> None:
    last = listed((("introduced", "1.0"), ("last_affected", "1.5")))
    assert (affected(last, "1.5"), affected(last, "1.6"), affected(last, "0.9")) == (True, False, False)
    literal = listed(versions=frozenset({"2004d"}))
    assert affected(literal, "2004d")
    assert not affected(literal, "not a version")


def test_the_version_that_ends_a_fault_is_named() -> None:
    (fault,) = listed((("introduced", "0"), ("fixed", "1.10"))).faults_in([Installed(name="honest", version="1.9")])
    assert fault.fixed_in == "1.10"


def test_a_stale_list_is_no_answer() -> None:
    fresh = listed()
    fresh.check_fresh(NOW + timedelta(days=45))
    with pytest.raises(StaleAdvisories, match="46 days away"):
        fresh.check_fresh(NOW + timedelta(days=46))
    with pytest.raises(StaleAdvisories):
        fresh.check_fresh(NOW - timedelta(days=2))


def test_a_list_survives_being_written_and_a_folder_of_osv_is_read(tmp_path: Path) -> None:
    osv = {
        "id": "GHSA-1", "modified": "2026-11-20T10:00:00Z", "aliases": ["CVE-1"],
        "affected": [
            {"package": {"ecosystem": "PyPI", "name": "Honest_Pkg"}, "ranges": [{"type": "GIT", "events": [{"introduced": "0"}]}, {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2"}]}]},
            {"package": {"ecosystem": "npm", "name": "honest-pkg"}, "ranges": []},
        ],
    }  # fmt: skip
    (tmp_path / "osv").mkdir()
    (tmp_path / "osv" / "a.json").write_text(json.dumps(osv))
    (tmp_path / "osv" / "b.json").write_text(json.dumps(osv | {"id": "GHSA-2", "withdrawn": "2026-11-21T00:00:00Z"}))
    found = read_advisories(tmp_path / "osv")
    assert [(a.id, a.package, a.ranges) for a in found.advisories] == [
        ("GHSA-1", "honest-pkg", ((("introduced", "0"), ("fixed", "2")),))
    ]
    (tmp_path / "list.json").write_bytes(found.to_bytes())
    assert read_advisories(tmp_path / "list.json").advisories == found.advisories


@pytest.mark.parametrize(
    "junk", [b"{}", b"[]", b'{"format":1,"taken":"never","source":"x","advisories":[]}', b"\x00\xff"]
)
def test_a_broken_list_is_refused_and_not_taken_for_an_empty_one(tmp_path: Path, junk: bytes) -> None:
    (tmp_path / "list.json").write_bytes(junk)
    with pytest.raises(InvalidInput):
        read_advisories(tmp_path / "list.json")
    (tmp_path / "osv").mkdir()
    with pytest.raises(InvalidInput, match="There is no advisory"):
        read_advisories(tmp_path / "osv")
