"""The standing signer answers only who may ask, and commands ask only a signer that is theirs."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sealwright.kernel import InvalidInput, VerificationFailed
from sealwright.trust import SignerRefused, SignerUnavailable, create_keyring
from sealwright.trust.signing.standing import read_callers
from sealwright.trust.signing.where import connect_standing

from .conftest import DECISIONS, SOURCE, Place, Raw, Samples, Tree

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be other users")
STRANGER = 65_431
CALL = """
import json, os, socket, sys
sys.path.insert(0, sys.argv[1])
from sealwright.trust.signing.messages import *
from sealwright.trust.signing.messages import encode
os.setgroups([]); os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))
line = socket.socket(socket.AF_UNIX); line.settimeout(10); said = []
try:
    line.connect(sys.argv[3])
    for asked in eval(sys.argv[4]):
        line.sendall(encode(asked))
        head = line.recv(4)
        reply = read_reply(line.recv(int.from_bytes(head, "big"))) if head else None
        said.append(type(reply).__name__ + ":" + getattr(reply, "reason", ""))
except OSError as error:
    said.append(type(error).__name__)
print(json.dumps(said))
"""


def as_user(user: int, place: Place, asked: str) -> list[str]:
    """What a process of another user is told; `asked` is an expression for a list of requests."""
    at = str(place.home / "run" / "signer.sock")
    done = subprocess.run(
        [sys.executable, "-c", CALL, SOURCE, str(user), at, asked], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)
    return found


@pytest.fixture
def place(stocked: Path) -> Iterator[Place]:
    """As in conftest, but where other users can pass: pytest's own folders are closed to them."""
    with tempfile.TemporaryDirectory(prefix="sealwright-signer-") as folder:
        Path(folder).chmod(0o711)
        made = Place(Path(shutil.copytree(stocked, Path(folder) / "home")))
        made.home.chmod(0o711)
        yield made


def test_commands_use_the_standing_signer_and_start_none(standing: Any, place: Place, samples: Samples) -> None:
    standing()
    with place.open() as ring:
        assert ring.signer("statements").sign(samples.payload("https://slsa.dev/provenance/v1", {}))
        assert ring._link._held.started is None


def test_socket_and_folder_are_closed_to_others(standing: Any, place: Place) -> None:
    standing()
    assert (place.home / "run").stat().st_mode & 0o777 == 0o700
    assert (place.home / "run" / "signer.sock").stat().st_mode & 0o777 == 0o600


@needs_root
def test_another_user_is_not_answered_t74(standing: Any, place: Place) -> None:
    """Neither through the folder's mode, nor where somebody opened folder and socket: the kernel says who it is."""
    standing()
    assert as_user(STRANGER, place, "[Hello()]") == ["PermissionError"]
    (place.home / "run").chmod(0o777)
    (place.home / "run" / "signer.sock").chmod(0o777)
    assert as_user(STRANGER, place, "[Hello()]") in (["NoneType:"], ["ConnectionResetError"], ["BrokenPipeError"])


@needs_root
def test_users_are_let_in_by_name_each_by_their_door(
    standing: Any, place: Place, samples: Samples, call: Callable[[], Raw]
) -> None:
    (place.keys / "callers.json").write_text('{"format": 1, "control": [65432], "predict": [65433]}')
    standing()
    statement = f"Sign(branch='statements', data={samples.payload('https://slsa.dev/provenance/v1', {})!r})"
    head = f"SignHead(branch='decision-checkpoints', data={Tree('a', 0).head(0, DECISIONS).text().encode()!r}, since=0, path=[])"
    assert as_user(65432, place, f"[Hello(), {statement}]") == ["Ready:", "Signature:"]
    assert as_user(65433, place, f"[{head}, {statement}, Narrow(origins=[{DECISIONS!r}]), {head}, {statement}]") == [
        "No:role.not_allowed", "No:role.not_allowed", "Done:", "Signature:", "No:role.not_allowed",
    ]  # fmt: skip
    assert as_user(STRANGER, place, "[Hello()]") in (["NoneType:"], ["ConnectionResetError"], ["BrokenPipeError"])


@pytest.mark.parametrize("text", ["", "{}x", '{"format":2}', '{"control":["root"]}', '{"everybody":true}', "[]"])
def test_a_list_of_callers_out_of_form_starts_nothing(place: Place, text: str) -> None:
    (place.keys / "callers.json").write_text(text)
    with pytest.raises(InvalidInput, match=r"callers\.json"):
        read_callers(place.keys)


# ---- what commands accept as their signer


def test_a_socket_that_a_dead_signer_left_is_passed_over_and_put_away(
    standing: Any, place: Place, samples: Samples
) -> None:
    first = standing()
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert (place.home / "run" / "signer.sock").exists()
    with place.open() as ring:
        assert ring.signer("statements").sign(samples.payload("https://slsa.dev/provenance/v1", {}))
        assert ring._link._held.started is not None
    standing()
    with place.open() as ring:
        ring.check_signer()
        assert ring._link._held.started is None


def test_a_signer_that_is_asked_to_stop_takes_its_socket_away(standing: Any, place: Place) -> None:
    process = standing()
    process.terminate()
    assert process.wait(10) == 0
    assert not (place.home / "run" / "signer.sock").exists()


def test_a_second_signer_does_not_take_the_place_of_the_first(standing: Any, place: Place) -> None:
    standing()
    command = "import sys; sys.path.insert(0, sys.argv.pop(1)); from sealwright.doors.cli import main; main()"
    arguments = ["signer", "--home", str(place.home), "--key-file", str(place.unlock.path)]
    done = subprocess.run(
        [sys.executable, "-c", command, SOURCE, *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert "answers at" in done.stderr
    place.open().check_signer()


def test_a_folder_that_others_can_write_is_refused_not_passed_over(standing: Any, place: Place) -> None:
    standing()
    for mode in (0o770, 0o707, 0o755):
        (place.home / "run").chmod(mode)
        with place.open() as ring, pytest.raises(SignerRefused) as error:
            ring.check_signer()
        assert error.value.reason == "signer.folder"


def test_a_link_in_place_of_the_folder_is_refused(place: Place, tmp_path: Path) -> None:
    (tmp_path / "evil").mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as planted:
        planted.bind(str(tmp_path / "evil" / "signer.sock"))
        planted.listen()
        (place.home / "run").symlink_to(tmp_path / "evil")
        with place.open() as ring, pytest.raises((SignerRefused, OSError)):
            ring.check_signer()


@needs_root
def test_a_socket_of_somebody_else_is_refused(place: Place) -> None:
    (place.home / "run").mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as planted:
        planted.bind(str(place.home / "run" / "signer.sock"))
        planted.listen()
        os.chown(place.home / "run" / "signer.sock", STRANGER, STRANGER)
        with place.open() as ring, pytest.raises(SignerRefused) as error:
            ring.check_signer()
        assert error.value.reason == "signer.owner"
        os.chown(place.home / "run", STRANGER, STRANGER)
        with place.open() as ring, pytest.raises(SignerRefused) as error:
            ring.check_signer()
        assert error.value.reason == "signer.folder"


def test_a_file_in_place_of_the_socket_is_refused(place: Place) -> None:
    (place.home / "run").mkdir(mode=0o700)
    (place.home / "run" / "signer.sock").write_text("x")
    with place.open() as ring, pytest.raises(SignerRefused) as error:
        ring.check_signer()
    assert error.value.reason == "signer.owner"


def test_the_signer_of_another_workspace_is_not_taken_for_ours(standing: Any, place: Place) -> None:
    standing()
    shutil.rmtree(place.keys)
    create_keyring(place.keys, "ws_1", place.unlock).close()
    with place.open() as ring, pytest.raises(VerificationFailed, match="does not list"):
        ring.check_signer()


def test_what_answers_and_is_no_signer_is_given_up_on(place: Place) -> None:
    (place.home / "run").mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as planted:
        planted.bind(str(place.home / "run" / "signer.sock"))
        planted.listen()
        line = connect_standing(place.home / "run")
        assert line is not None
        there, _ = planted.accept()
        with there, line:
            there.sendall(b"\0\0\0\5hello")
            from sealwright.trust.signing.client import Line, ready

            with pytest.raises(SignerUnavailable, match="not a signer"):
                ready(Line(line))
