"""A keyring opens for the right person, whole and unchanged, or not at all."""

import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealwright.kernel import (
    Conflict,
    InvalidInput,
    NotFound,
    Refused,
    SealwrightError,
    VerificationFailed,
    canonical_json,
    strict_json,
)
from sealwright.trust import (
    SEALING_BRANCHES,
    SIGNING_BRANCHES,
    InsecurePassphraseForTests,
    KeyFile,
    KeyFileUnsafe,
    Secret,
    TrustRoot,
    Unlock,
    WrongUnlock,
    create_key_file,
    create_keyring,
    key_folder,
    make_statement,
    open_keyring,
    sign_statement,
    verify_statement,
)
from sealwright.trust.key_files import SEAL_FILE
from sealwright.trust.signers import new_secret
from sealwright.trust.signing.vault import open_vault
from sealwright.trust.wrapping import unwrap_under, wrap_under

WORDS = InsecurePassphraseForTests(Secret("seven green lanterns"))


@pytest.fixture
def key_file(tmp_path: Path) -> KeyFile:
    return create_key_file(tmp_path / "root.key")


@pytest.fixture
def folder(tmp_path: Path, key_file: KeyFile) -> Path:
    create_keyring(tmp_path / "home" / "keys", "ws_1", key_file).close()
    return tmp_path / "home" / "keys"


def open_everything(folder: Path, unlock: Unlock) -> None:
    """As a command and its signer do together: the one opens what encrypts, the other what signs."""
    open_keyring(folder, unlock)
    open_vault(folder, unlock)


def both(tmp_path: Path) -> list[Unlock]:
    return [WORDS, create_key_file(tmp_path / "k")]


# ---- the way it should go


@pytest.mark.parametrize("which", [0, 1])
def test_what_is_made_opens_again_with_the_same_keys(tmp_path: Path, which: int) -> None:
    unlock = both(tmp_path)[which]
    made = create_keyring(tmp_path / "keys", "ws_1", unlock)
    opened = open_keyring(tmp_path / "keys", unlock)
    assert opened.trust_root == made.trust_root
    vault = open_vault(tmp_path / "keys", unlock)
    for branch in SIGNING_BRANCHES:
        signer = opened.signer(branch)
        made.trust_root.keys_of(branch)[-1].verify(vault.signers[branch].sign(b"data"), b"data")
        assert (signer.algorithm, signer.public()) == (SIGNING_BRANCHES[branch], vault.signers[branch].public())
    statement = make_statement([("x", "sha256:" + "a" * 64)], "https://slsa.dev/provenance/v1", {})
    verify_statement(sign_statement(statement, opened.signer("statements")), made.trust_root.keys_of("statements"))
    for branch in SEALING_BRANCHES:
        assert opened.key(branch, "p") == made.key(branch, "p")


def test_every_key_of_a_keyring_is_its_own(folder: Path, key_file: KeyFile) -> None:
    ring = open_keyring(folder, key_file)
    ids = {ring.signer(branch).key_id for branch in SIGNING_BRANCHES}
    keys = {ring.key(branch, purpose) for branch in SEALING_BRANCHES for purpose in ("a", "b")}
    assert (len(ids), len(keys)) == (len(SIGNING_BRANCHES), 2 * len(SEALING_BRANCHES))
    assert all(len(key) == 32 for key in keys)


def test_two_workspaces_share_no_key(tmp_path: Path, key_file: KeyFile) -> None:
    first, second = (create_keyring(tmp_path / name, name, key_file) for name in ("one", "two"))
    assert first.trust_root.fingerprint != second.trust_root.fingerprint
    assert first.key("data", "p") != second.key("data", "p")


def test_nothing_on_disk_is_open_to_others_or_in_the_clear(
    tmp_path: Path, key_file: KeyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[bytes] = []

    def remembering(algorithm: str) -> bytes:
        made.append(new_secret(algorithm))
        return made[-1]

    monkeypatch.setattr(key_folder, "new_secret", remembering)
    folder = tmp_path / "keys"
    create_keyring(folder, "ws_1", key_file).close()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert len(made) == len(SIGNING_BRANCHES) + len(SEALING_BRANCHES)
    for path in folder.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
        for secret in made:
            assert secret not in path.read_bytes()
            assert secret.hex().encode() not in path.read_bytes()


def test_the_files_say_version_and_key_path(folder: Path) -> None:
    for branch in (*SEALING_BRANCHES, *SIGNING_BRANCHES):
        value = strict_json((folder / f"{branch}.v1.json").read_bytes())
        assert (value["format"], value["path"]) == (1, f"sealwright/ws_1/{branch}/v1")


def test_the_keyring_shows_no_key_and_is_not_pickled(folder: Path, key_file: KeyFile) -> None:
    ring = open_keyring(folder, key_file)
    assert repr(ring) == "Keyring(ws_1, open)"
    for thing in (ring, ring.signer("models"), open_vault(folder, key_file).signers["models"]):
        with pytest.raises(TypeError, match=r"not written out|bound to its process"):
            pickle.dumps(thing)


def test_a_closed_keyring_gives_nothing(folder: Path, key_file: KeyFile) -> None:
    with open_keyring(folder, key_file) as ring:
        ring.key("data", "p")
        signer = ring.signer("models")
    for use in (
        lambda: ring.key("data", "p"),
        lambda: ring.signer("models"),
        lambda: signer.sign(b"x"),
        lambda: ring.lend_signer("sealwright/ws_1/decisions/credit/live"),
    ):
        with pytest.raises(Refused, match="closed"):
            use()


def test_asking_for_what_is_not_there_says_what_is(folder: Path, key_file: KeyFile) -> None:
    ring = open_keyring(folder, key_file)
    with pytest.raises(InvalidInput, match="there are: data, decisions"):
        ring.key("models", "p")
    with pytest.raises(InvalidInput, match="statements"):
        ring.signer("data")
    with pytest.raises(InvalidInput, match="purpose"):
        ring.key("data", "")


# ---- opening with the wrong thing


def test_a_wrong_passphrase_is_refused(tmp_path: Path) -> None:
    create_keyring(tmp_path / "keys", "ws_1", WORDS)
    with pytest.raises(WrongUnlock, match="passphrase does not open"):
        open_keyring(tmp_path / "keys", InsecurePassphraseForTests(Secret("seven green lantern5")))


def test_a_wrong_key_file_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(WrongUnlock, match="key file does not open"):
        open_keyring(folder, create_key_file(tmp_path / "other.key"))


def test_the_other_kind_of_unlock_is_named(folder: Path, tmp_path: Path, key_file: KeyFile) -> None:
    with pytest.raises(WrongUnlock, match="opens with a key file; a passphrase was given"):
        open_keyring(folder, WORDS)
    create_keyring(tmp_path / "words", "ws_1", WORDS)
    with pytest.raises(WrongUnlock, match="opens with a passphrase; a key file was given"):
        open_keyring(tmp_path / "words", key_file)


def test_an_unsafe_key_file_does_not_open_the_keyring(folder: Path, key_file: KeyFile) -> None:
    key_file.path.chmod(0o640)
    with pytest.raises(KeyFileUnsafe, match="chmod 600"):
        open_keyring(folder, key_file)


def test_a_keys_folder_open_to_others_is_refused(folder: Path, key_file: KeyFile) -> None:
    folder.chmod(0o750)
    with pytest.raises(Refused, match="chmod 700"):
        open_keyring(folder, key_file)


def test_a_linked_keys_folder_is_refused(folder: Path, key_file: KeyFile, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(Refused, match="not a file or a link"):
        open_keyring(tmp_path / "link", key_file)


def test_no_keys_is_said_plainly(tmp_path: Path, key_file: KeyFile) -> None:
    with pytest.raises(NotFound, match="sealwright workspace create"):
        open_keyring(tmp_path / "keys", key_file)


# ---- changed files


def test_every_byte_of_every_file_counts(folder: Path, key_file: KeyFile) -> None:
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        for at in range(len(whole)):
            changed = bytearray(whole)
            changed[at] ^= 1 << (at % 8)
            path.write_bytes(changed)
            with pytest.raises((VerificationFailed, WrongUnlock)):
                open_everything(folder, key_file)
        path.write_bytes(whole)
    open_everything(folder, key_file)


def test_every_byte_counts_under_a_passphrase_too(tmp_path: Path) -> None:
    create_keyring(tmp_path / "keys", "ws_1", WORDS)
    path = tmp_path / "keys" / "root.json"
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises((VerificationFailed, WrongUnlock)):
            open_keyring(tmp_path / "keys", WORDS)


def test_a_cut_or_lengthened_file_is_refused(folder: Path, key_file: KeyFile) -> None:
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        for other in (b"", whole[:1], whole[: len(whole) // 2], whole[:-1], whole + b"\n", whole + whole):
            path.write_bytes(other)
            with pytest.raises(VerificationFailed):
                open_everything(folder, key_file)
        path.write_bytes(whole)


@pytest.mark.parametrize("name", ["root.json", "trust.json", "models.v1.json", "data.v1.json"])
def test_a_missing_file_is_named(folder: Path, key_file: KeyFile, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(VerificationFailed, match="not complete") as error:
        open_keyring(folder, key_file)
    assert error.value.link == f"keys/{name}"


def test_a_branch_behind_a_link_is_refused(folder: Path, key_file: KeyFile, tmp_path: Path) -> None:
    shutil.move(folder / "data.v1.json", tmp_path / "data.v1.json")
    (folder / "data.v1.json").symlink_to(tmp_path / "data.v1.json")
    with pytest.raises(VerificationFailed, match="not complete"):
        open_keyring(folder, key_file)


def test_a_folder_in_place_of_a_branch_is_refused(folder: Path, key_file: KeyFile) -> None:
    (folder / "data.v1.json").unlink()
    (folder / "data.v1.json").mkdir()
    with pytest.raises(VerificationFailed, match="not a regular file"):
        open_keyring(folder, key_file)


def test_swapped_branches_are_refused(folder: Path, key_file: KeyFile) -> None:
    first, second = folder / "statements.v1.json", folder / "releases.v1.json"
    one, two = first.read_bytes(), second.read_bytes()
    first.write_bytes(two)
    second.write_bytes(one)
    with pytest.raises(VerificationFailed, match=r"holds the key of 'sealwright/ws_1/releases/v1'"):
        open_everything(folder, key_file)


def test_swapped_branches_are_refused_though_they_claim_their_place(folder: Path, key_file: KeyFile) -> None:
    """The path in the file is authenticated, not only compared."""
    for here, there in (("statements", "releases"), ("data", "decisions")):
        stolen = (folder / f"{there}.v1.json").read_bytes().replace(there.encode(), here.encode())
        kept = (folder / f"{here}.v1.json").read_bytes()
        (folder / f"{here}.v1.json").write_bytes(stolen)
        with pytest.raises(VerificationFailed, match="belongs to other keys") as error:
            open_everything(folder, key_file)
        assert error.value.link == f"keys/{here}.v1.json"
        (folder / f"{here}.v1.json").write_bytes(kept)


def test_a_branch_of_another_workspace_is_refused(folder: Path, key_file: KeyFile, tmp_path: Path) -> None:
    create_keyring(tmp_path / "two", "ws_1", key_file)  # same name, same key file, other root
    shutil.copy(tmp_path / "two" / "data.v1.json", folder / "data.v1.json")
    with pytest.raises(VerificationFailed, match="belongs to other keys"):
        open_everything(folder, key_file)


def test_a_trust_root_of_other_keys_is_refused(folder: Path, key_file: KeyFile, tmp_path: Path) -> None:
    create_keyring(tmp_path / "two", "ws_1", key_file)
    shutil.copy(tmp_path / "two" / "trust.json", folder / "trust.json")
    for opened in (open_keyring, open_vault):
        with pytest.raises(VerificationFailed, match="lists another key") as error:
            opened(folder, key_file)
        assert error.value.link == "keys/trust.json"
    shutil.copy(tmp_path / "two" / SEAL_FILE, folder / SEAL_FILE)
    with pytest.raises(VerificationFailed, match="belongs to other keys"):
        open_keyring(folder, key_file)


def test_without_a_seal_nothing_is_opened(folder: Path, key_file: KeyFile) -> None:
    (folder / SEAL_FILE).unlink()
    with pytest.raises(VerificationFailed, match="not complete"):
        open_keyring(folder, key_file)
    with pytest.raises(VerificationFailed, match="not complete"):
        open_vault(folder, key_file)
    assert not (folder / SEAL_FILE).exists()


def test_a_trust_root_of_another_workspace_is_refused(folder: Path, key_file: KeyFile) -> None:
    root = TrustRoot.from_bytes((folder / "trust.json").read_bytes())
    (folder / "trust.json").write_bytes(TrustRoot("ws_2", root.keys).to_bytes())
    with pytest.raises(VerificationFailed, match="ws_2"):
        open_keyring(folder, key_file)


@pytest.mark.parametrize("path", ["sealwright/ws_2/root/v1", "sealwright/../root/v1", "x", "sealwright/ws_1/data/v1"])
def test_a_root_that_claims_another_path_is_refused(folder: Path, key_file: KeyFile, path: str) -> None:
    value = strict_json((folder / "root.json").read_bytes())
    (folder / "root.json").write_bytes(canonical_json({**value, "path": path}))
    with pytest.raises((VerificationFailed, WrongUnlock)):
        open_keyring(folder, key_file)


# ---- making


def test_keys_are_never_overwritten(folder: Path, key_file: KeyFile, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(Conflict, match="never overwritten"):
        create_keyring(folder, "ws_1", key_file)
    (tmp_path / "file").write_text("x")
    with pytest.raises(Conflict, match="holds something"):
        create_keyring(tmp_path / "file", "ws_1", key_file)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert not list(folder.parent.glob(".*")), "a draft was left behind"


def test_an_empty_folder_gives_way(tmp_path: Path, key_file: KeyFile) -> None:
    (tmp_path / "keys").mkdir()
    create_keyring(tmp_path / "keys", "ws_1", key_file)
    assert open_keyring(tmp_path / "keys", key_file).trust_root.workspace == "ws_1"
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700


def test_a_failed_creation_leaves_nothing(tmp_path: Path, key_file: KeyFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_source: object, _target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(InvalidInput, match="No space left"):
        create_keyring(tmp_path / "home" / "keys", "ws_1", key_file)
    assert list((tmp_path / "home").iterdir()) == []


@pytest.mark.parametrize("name", ["", "../x", "a/b", "A", "ws\n1"])
def test_a_workspace_name_that_could_mislead_is_refused(tmp_path: Path, key_file: KeyFile, name: str) -> None:
    with pytest.raises(InvalidInput, match="workspace name"):
        create_keyring(tmp_path / "keys", name, key_file)


# ---- wrapping under the root, alone


@given(st.binary(min_size=32, max_size=32), st.integers(0, 7), st.data())
@settings(max_examples=60, deadline=None)
def test_any_flipped_bit_of_a_wrapped_branch_is_refused(secret: bytes, bit: int, data: st.DataObject) -> None:
    key, path = b"r" * 32, "sealwright/ws_1/data/v1"
    wrapped = wrap_under(key, secret, path)
    assert unwrap_under(key, wrapped, path, link="x") == secret
    at = data.draw(st.integers(0, len(wrapped) - 1))
    changed = wrapped[:at] + bytes([wrapped[at] ^ (1 << bit)]) + wrapped[at + 1 :]
    with pytest.raises(VerificationFailed):
        unwrap_under(key, changed, path, link="x")


def _other_spelling(data: bytes) -> list[bytes]:
    value = strict_json(data)
    forms: list[Callable[[], bytes]] = [
        lambda: data.replace(b":", b": ", 1),
        lambda: canonical_json({**value, "extra": 1}),
        lambda: canonical_json({k: v for k, v in value.items() if k != "format"}),
        lambda: canonical_json({**value, "format": True}),
        lambda: canonical_json({**value, "format": 2}),
        lambda: canonical_json({**value, "sealed": value["sealed"] + "="}),
        lambda: canonical_json({**value, "sealed": ""}),
        lambda: canonical_json({**value, "sealed": None}),
        lambda: canonical_json([value]),
    ]
    return [form() for form in forms]


def test_other_spellings_of_a_wrapped_key_are_refused() -> None:
    wrapped = wrap_under(b"r" * 32, b"s" * 32, "p")
    for other in _other_spelling(wrapped):
        with pytest.raises(SealwrightError) as error:
            unwrap_under(b"r" * 32, other, "p", link="x")
        assert isinstance(error.value, VerificationFailed)
