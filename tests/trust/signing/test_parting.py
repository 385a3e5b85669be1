"""Signing keys in a folder of another user: who runs the commands can have something signed, and cannot open a key."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sealwright.kernel import Conflict, NotFound, VerificationFailed
from sealwright.trust import (
    SIGNING_BRANCHES,
    KeyFile,
    SignerRefused,
    SignerUnavailable,
    create_key_file,
    part_signing_keys,
    verify_statement,
)
from sealwright.trust.signing.vault import open_vault

from .conftest import COMMAND, SOURCE, Place, Samples, statement_of

SIGNER = 65_441
STAND = """
import os, sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path
from sealwright.trust import KeyFile, stand_signer
from cryptography.hazmat.backends.openssl import backend
from sealwright.trust.signing import rules_tls, rules_tokens
if sys.argv[4] != "-":
    os.setgroups([]); os.setgid(int(sys.argv[4])); os.setuid(int(sys.argv[4]))
stand_signer(Path(sys.argv[2]), lambda: KeyFile(Path(sys.argv[3])), ready=lambda at: print(at, flush=True))
"""


@pytest.fixture
def place(stocked: Path) -> Iterator[Place]:
    """As in conftest, but where other users can pass."""
    with tempfile.TemporaryDirectory(prefix="sealwright-signer-") as folder:
        Path(folder).chmod(0o711)
        yield Place(Path(shutil.copytree(stocked, Path(folder) / "home")))


def parted(place: Place, user: int) -> tuple[Path, KeyFile]:
    to, key = place.home.parent / "signer", create_key_file(place.home.parent / "signer.key")
    part_signing_keys(place.keys, place.unlock, to, key, user)
    return to, key


def stand(to: Path, key: KeyFile, user: int | None) -> "subprocess.Popen[bytes]":
    """A signer on these keys; as another user, after everything was imported that this user cannot read here."""
    arguments = [SOURCE, str(to / "keys"), str(key.path), "-" if user is None else str(user)]
    process = subprocess.Popen([sys.executable, "-c", STAND, *arguments], stdout=subprocess.PIPE, cwd="/")
    assert process.stdout is not None
    assert process.stdout.readline().strip() == str(to / "run" / "signer.sock").encode()
    return process


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a signer as another user")
def test_commands_have_things_signed_by_a_signer_of_another_user(place: Place, samples: Samples) -> None:
    to, key = parted(place, SIGNER)
    assert {(to / "keys").stat().st_uid, key.path.stat().st_uid} == {SIGNER}
    with stand(to, key, SIGNER) as process, place.open() as ring:
        envelope = statement_of(ring)
        verify_statement(envelope, ring.trust_root.keys_of("statements"))
        with pytest.raises(SignerRefused, match="gate"):
            ring.signer("releases").sign(samples.pointer())
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    with place.open() as ring, pytest.raises(SignerUnavailable, match="does not answer"):
        statement_of(ring)


def test_nothing_that_signs_is_left_in_the_workspace(place: Place) -> None:
    to, key = parted(place, os.geteuid())
    for branch in SIGNING_BRANCHES:
        assert not list(place.keys.glob(f"{branch}.v*"))
    with pytest.raises(VerificationFailed, match="not complete"):
        open_vault(place.keys, place.unlock)
    with place.open() as ring:
        assert ring.key("data", "x")
        assert open_vault(to / "keys", key).trust_root == ring.trust_root


def test_what_was_signed_before_the_parting_is_still_remembered(place: Place, samples: Samples) -> None:
    gate = samples.gate(place.stolen("statements"))
    with place.open() as ring:
        ring.signer("releases").showing(gate).sign(samples.pointer(5))
    to, key = parted(place, os.geteuid())
    with stand(to, key, None) as process, place.open() as ring:
        with pytest.raises(SignerRefused) as error:
            ring.signer("releases").showing(gate).sign(samples.pointer(5, reason="another"))
        assert error.value.reason == "pointer.older"
        process.kill()


def test_keys_are_parted_once_and_over_nothing(place: Place) -> None:
    (place.home.parent / "signer").mkdir()
    with pytest.raises(Conflict, match="something at"):
        parted(place, os.geteuid())
    assert place.open().check_signer() is None  # type: ignore[func-returns-value]
    (place.home.parent / "signer").rmdir()
    (place.home.parent / "signer.key").unlink()
    parted(place, os.geteuid())
    (place.home.parent / "signer.key").unlink()
    shutil.rmtree(place.home.parent / "signer")
    with pytest.raises(Conflict, match="parted"):
        parted(place, os.geteuid())


@pytest.mark.parametrize(
    "text", ["", "{}", '{"format":1,"folder":"run","user":0}', '{"format":2,"folder":"/r","user":0}']
)
def test_a_note_of_where_the_signer_is_that_is_out_of_form_opens_nothing(place: Place, text: str) -> None:
    """Otherwise a spoiled note would start a signer of its own, beside the one that remembers."""
    (place.keys / "signer.json").write_text(text)
    with pytest.raises(VerificationFailed, match=r"signer\.json"):
        place.open()


def test_a_user_that_does_not_exist_moves_nothing(place: Place) -> None:
    arguments: list[Any] = [
        "signer",
        "part",
        "--to",
        place.home / "s",
        "--signer-key",
        place.home / "k",
        "--user",
        "nobody-here",
    ]
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, SOURCE, *arguments, "--home", place.home, "--key-file", place.unlock.path],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, "no user" in done.stderr) == (2, True)
    assert not (place.home / "s").exists()
    with pytest.raises(NotFound):
        open_vault(place.home / "s" / "keys", place.unlock)
