"""How a command comes by its signer: late, quickly, over a pipe, and not for longer than it needs it."""

import contextlib
import gc
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sealwright.kernel import InvalidInput, Refused, VerificationFailed
from sealwright.trust import (
    InsecurePassphraseForTests,
    KeyFileUnsafe,
    Keyring,
    Passphrase,
    Secret,
    SignerUnavailable,
    create_keyring,
    open_keyring,
)
from sealwright.trust.signing.messages import Hello, Ready, Signature, SignHead
from sealwright.trust.signing.opening import Opening

from .conftest import DECISIONS, SOURCE, Place, Raw, Samples, Tree

HEAD = SignHead(branch="decision-checkpoints", data=Tree("a", 0).head(0, DECISIONS).text().encode(), since=0, path=[])


def statement(samples: Samples) -> bytes:
    return samples.payload("https://slsa.dev/provenance/v1", {})


def pid_of(ring: Keyring) -> int:
    started = ring._link._held.started
    assert started is not None
    return started.pid


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_no_signer_is_started_for_what_needs_no_signature(place: Place) -> None:
    with place.open() as ring:
        ring.key("data", "x")
        for branch in ("statements", "tls"):
            assert ring.signer(branch).public() == ring.trust_root.keys_of(branch)[-1]
        assert ring._link._held.started is None


def test_a_signer_is_started_once_and_ends_with_its_keyring(place: Place, samples: Samples) -> None:
    ring = place.open()
    ring.signer("statements").sign(statement(samples))
    pid = pid_of(ring)
    ring.signer("statements").sign(statement(samples))
    assert pid_of(ring) == pid
    ring.close()
    assert not runs(pid)


def test_a_keyring_that_is_forgotten_leaves_no_signer(place: Place, samples: Samples, wait_until: Any) -> None:
    ring = place.open()
    ring.signer("statements").sign(statement(samples))
    pid = pid_of(ring)
    del ring
    gc.collect()
    wait_until(lambda: not runs(pid))


def test_a_signer_ends_when_its_command_is_killed(place: Place, wait_until: Any) -> None:
    script = (
        "import sys, time; sys.path.insert(0, sys.argv[1]); from pathlib import Path\n"
        "from sealwright.trust import KeyFile, open_keyring\n"
        "ring = open_keyring(Path(sys.argv[2]), KeyFile(Path(sys.argv[3]))); ring.check_signer()\n"
        "print(ring._link._held.started.pid, flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, SOURCE, str(place.keys), str(place.unlock.path)], stdout=subprocess.PIPE
    ) as command:
        assert command.stdout is not None
        pid = int(command.stdout.readline())
        assert runs(pid)
        command.kill()
    wait_until(lambda: not runs(pid))


def test_a_signer_that_was_killed_is_replaced_at_the_next_signature(place: Place, samples: Samples) -> None:
    with place.open() as ring:
        ring.signer("statements").sign(statement(samples))
        first = pid_of(ring)
        os.kill(first, signal.SIGKILL)
        with pytest.raises(SignerUnavailable, match="Nothing was signed"):
            ring.signer("statements").sign(statement(samples))
        ring.signer("statements").sign(statement(samples))
        assert pid_of(ring) != first


def test_a_lent_line_outlives_its_keyring_and_the_signer_ends_with_it(place: Place, wait_until: Any) -> None:
    ring = place.open()
    raw = Raw(ring.lend_signer(DECISIONS))
    pid = pid_of(ring)
    ring.close()
    with contextlib.closing(raw.line):
        assert isinstance(raw.ask(HEAD), Signature)
        assert runs(pid)
    wait_until(lambda: not runs(pid))


def test_the_line_is_not_inherited_by_programs_that_are_started(place: Place) -> None:
    """A descriptor goes to a child only where somebody hands it over (T-74)."""
    with place.open() as ring, contextlib.closing(ring.lend_signer(DECISIONS)) as lent:
        ring.check_signer()
        found = subprocess.run(
            [sys.executable, "-c", "import os; print(*os.listdir('/proc/self/fd'))"],
            capture_output=True, text=True, check=True, close_fds=False,
        ).stdout.split()  # fmt: skip
        line = ring._link._held.line
        assert line is not None
        assert line._socket is not None
        assert not {str(lent.fileno()), str(line._socket.fileno())} & set(found)


def test_a_forked_process_signs_nothing(place: Place, samples: Samples) -> None:
    with place.open() as ring:
        ring.signer("statements").sign(statement(samples))
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            said = b"signed"
            try:
                ring.signer("statements").sign(statement(samples))
            except BaseException as error:  # noqa: BLE001 - told to the parent
                said = type(error).__name__.encode()
            os.write(write, said)
            os._exit(0)
        os.waitpid(child, 0)
        assert os.read(read, 100) == b"Refused"
        os.close(read)
        os.close(write)
        assert ring.signer("statements").sign(statement(samples)), "the parent's line is whole"


# ---- what opens it


def test_a_passphrase_is_handed_over_at_once_and_not_kept(tmp_path: Path, samples: Samples) -> None:
    words = "correct horse battery staple 42"
    create_keyring(tmp_path / "home" / "keys", "ws_1", Passphrase(Secret(words))).close()
    with open_keyring(tmp_path / "home" / "keys", Passphrase(Secret(words))) as ring:
        assert ring._link._opening is None
        pid = pid_of(ring)
        for name in ("cmdline", "environ"):
            with contextlib.suppress(PermissionError):
                assert words.encode() not in Path(f"/proc/{pid}/{name}").read_bytes()
        assert ring.signer("statements").sign(statement(samples))
        os.kill(pid, signal.SIGKILL)
        for match in ("Nothing was signed", "what opens its keys is not kept"):
            with pytest.raises(SignerUnavailable, match=match):
                ring.signer("statements").sign(statement(samples))


def test_an_opening_shows_nothing_of_what_opens() -> None:
    words = InsecurePassphraseForTests(Secret("canary canary 17"))
    opening = Opening.of(Path("/k"), words, b"canary canary 17 and 32 bytes...")
    for text in (repr(opening), str(opening), f"{opening}"):
        assert "canary" not in text
    assert Opening.from_bytes(opening.to_bytes()) == opening
    with pytest.raises(InvalidInput, match="cannot be read"):
        Opening.from_bytes(Opening(folder="/k", kind="signing-key", how=b"short").to_bytes())


def test_a_key_file_that_became_unsafe_is_told_by_the_signer(place: Place, samples: Samples) -> None:
    with place.open() as ring:
        place.unlock.path.chmod(0o644)
        with pytest.raises(KeyFileUnsafe, match="chmod 600"):
            ring.signer("statements").sign(statement(samples))
        place.unlock.path.chmod(0o600)
        assert ring.signer("statements").sign(statement(samples))


@pytest.mark.parametrize("branch", ["models", "decision-checkpoints"])
def test_a_changed_signing_key_is_told_at_the_first_signature(place: Place, samples: Samples, branch: str) -> None:
    path = place.keys / f"{branch}.v1.json"
    whole = path.read_bytes()
    other = b"B" if whole[-20:-19] != b"B" else b"C"  # still base64, so that only the signer can tell
    path.write_bytes(whole[:-20] + other + whole[-19:])
    with place.open() as ring, pytest.raises(VerificationFailed, match=rf"keys/{branch}\.v1\.json"):
        ring.signer("statements").sign(statement(samples))


def test_the_signing_keys_never_were_in_the_process_that_asks(place: Place) -> None:
    """Every byte of this process's memory is looked through, after a signature of every branch was at hand."""
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path\n"
        "from sealwright.trust import KeyFile, open_keyring\n"
        "ring = open_keyring(Path(sys.argv[2]), KeyFile(Path(sys.argv[3]))); ring.check_signer()\n"
        "key = ring.key('data', 'x')\n"
        "sys.stdout.buffer.write(key.hex().encode() + b'\\n'); sys.stdout.flush(); sys.stdin.read()\n"
    )
    from sealwright.trust.key_files import open_branch, open_root, signing_key_of

    workspace, root = open_root(place.keys, place.unlock)
    key = signing_key_of(root)
    secrets = {b: open_branch(place.keys, key, workspace, b, 1) for b in ("statements", "releases", "models", "tls")}
    with subprocess.Popen(
        [sys.executable, "-c", script, SOURCE, str(place.keys), str(place.unlock.path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as command:  # fmt: skip
        assert command.stdout is not None
        key = bytes.fromhex(command.stdout.readline().decode())
        found = _memory_of(command.pid)
        assert key in found, "the look into the process's memory saw nothing"
        assert [name for name, secret in secrets.items() if secret in found] == []
        command.kill()


def _memory_of(pid: int) -> bytes:
    found = []
    with Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            place, mode, *_ = line.split()
            if mode.startswith("rw") and "[v" not in line:
                start, end = (int(text, 16) for text in place.split("-"))
                memory.seek(start)
                with contextlib.suppress(OSError):
                    found.append(memory.read(end - start))
    return b"".join(found)


def test_starting_a_signer_is_quick(place: Place) -> None:
    """The budget is 150 ms on a quiet machine; a busy one gets six times that."""
    took = []
    for _ in range(3):
        with place.open() as ring:
            begun = time.perf_counter()
            ring.check_signer()
            took.append(time.perf_counter() - begun)
    assert min(took) < 0.9


def test_a_closed_keyring_lends_and_signs_nothing(place: Place) -> None:
    ring = place.open()
    ring.close()
    for use in (lambda: ring.lend_signer(DECISIONS), ring.check_signer):
        with pytest.raises(Refused, match="closed"):
            use()


def test_a_line_that_broke_half_way_is_not_used_again(place: Place, wait_until: Callable[..., None]) -> None:
    """An answer that came too late must not be taken for the answer to the next question."""
    from sealwright.trust.signing.client import Line

    mine, theirs = socket.socketpair()
    with theirs:
        line = Line(mine, patience=0.2)
        with pytest.raises(SignerUnavailable, match="in time"):
            line.ask(Hello(), Ready)
        assert not line.usable
        with pytest.raises(SignerUnavailable, match="no connection"):
            line.ask(Hello(), Ready)
