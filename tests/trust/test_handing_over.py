"""A new version of a key reaches servers that run, over real sockets: before it is used, and nobody else."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sealwright.kernel import Conflict, NotFound, Refused, VerificationFailed
from sealwright.trust import (
    Handed,
    Holds,
    KeyFile,
    KeyInbox,
    Keyring,
    Reached,
    create_key_file,
    create_keyring,
    hand_over,
    open_keyring,
    opened_offer,
    rotate_branch,
)
from sealwright.trust.handing_over import Offer, sealed_offer
from sealwright.trust.sealing import derive_key

WS, PURPOSE = "ws_1", "tests/one-key/v1"
SOURCE = str(Path(__file__).resolve().parents[2] / "src")


class Place:
    """A workspace's keys, and what a command and servers do with them."""

    def __init__(self, home: Path) -> None:
        self.home, self.keys, self.unlock = home, home / "keys", KeyFile(home / "root.key")

    def open(self) -> Keyring:
        return open_keyring(self.keys, self.unlock)

    def rotate(self, branch: str = "identity", *, dies: bool = False) -> Reached:
        """As `sealwright keys rotate` does it; it may die between handing over and writing."""
        reached = Reached()

        def first(handed: Handed) -> None:
            nonlocal reached
            ring.hold(branch, handed)
            reached = hand_over(self.home, WS, branch, handed.version, ring)
            if dies:
                raise KeyboardInterrupt

        with self.open() as ring:
            if dies:
                with pytest.raises(KeyboardInterrupt):
                    rotate_branch(self.keys, self.unlock, branch, first=first)
            else:
                version = rotate_branch(self.keys, self.unlock, branch, first=first)
                assert ring.versions(branch)[-1] == version, "the command itself has it at once"
        return reached


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("stocked") / "home"
    home.mkdir(mode=0o700)
    create_keyring(home / "keys", WS, create_key_file(home / "root.key")).close()
    return home


@pytest.fixture
def place(tmp_path: Path, stocked: Path) -> Place:
    return Place(Path(shutil.copytree(stocked, tmp_path / "home")))


@pytest.fixture
def serving(place: Place) -> Iterator[Callable[..., KeyInbox]]:
    """Inboxes that are looked at all the time, as a server's loop does it."""
    with contextlib.ExitStack() as stack:

        def begin(name: str, holds: Callable[[], Holds], take: Callable[[str, int, bytes], None]) -> KeyInbox:
            inbox, over = KeyInbox(place.home, name, holds, take), threading.Event()

            def look() -> None:
                while not over.wait(0.02):
                    inbox.look()

            thread = threading.Thread(target=look)
            thread.start()
            stack.callback(inbox.close)
            stack.callback(thread.join)
            stack.callback(over.set)
            return inbox

        yield begin


@pytest.fixture
def control(place: Place, serving: Any) -> Iterator[Keyring]:
    """A keyring that was opened once, in a process that goes on."""
    with place.open() as ring:
        serving("control", lambda: ring.holds("identity", "decisions"), ring.take_offer)
        yield ring


def test_a_ring_that_was_opened_before_has_the_new_version_and_the_old_one(place: Place, control: Keyring) -> None:
    old = control.key("identity", "x")
    assert place.rotate() == Reached(taken=("control",))
    assert control.versions("identity") == (1, 2)
    with place.open() as fresh:
        assert control.key("identity", "x") == fresh.key("identity", "x") != old
        assert control.keys("identity", "x") == (fresh.key("identity", "x"), old)
    assert control.versions("decisions") == (1,)


def test_a_version_counts_from_the_moment_it_is_on_disk_and_not_before(place: Place, control: Keyring) -> None:
    seen: list[Any] = []

    def first(handed: Handed) -> None:
        ring.hold("identity", handed)
        hand_over(place.home, WS, "identity", 2, ring)
        seen.extend([control.versions("identity"), ring.versions("identity")])
        with pytest.raises(NotFound):
            control.key("identity", "x", version=2)

    with place.open() as ring:
        rotate_branch(place.keys, place.unlock, "identity", first=first)
        assert seen == [(1,), (1,)]
        assert control.key("identity", "x", version=2) == ring.key("identity", "x", version=2)


def test_a_rotation_that_died_leaves_nobody_with_a_key_that_others_lack(place: Place, control: Keyring) -> None:
    """Its version was handed over and never written; the next one is another key under the same number."""
    assert place.rotate(dies=True).taken == ("control",)
    assert control.versions("identity") == (1,)
    rotate_branch(place.keys, place.unlock, "identity")  # and this one reaches nobody
    assert control.versions("identity") == (1,), "what waits is not what is on disk"
    assert control.is_behind("identity")
    assert place.rotate() == Reached(taken=("control",))  # versions 2 and 3, in order
    assert control.versions("identity") == (1, 2, 3)
    with place.open() as fresh:
        assert control.keys("identity", "x") == fresh.keys("identity", "x")


def test_a_server_with_one_derived_key_gets_the_next_one_and_no_more(place: Place, serving: Any) -> None:
    with place.open() as ring:
        key, got = ring.key("decisions", PURPOSE), list[Handed]()

    def take(branch: str, version: int, sealed: bytes) -> None:
        got.append(opened_offer(key, sealed, WS, branch, version))

    serving("predict", lambda: Holds(workspace=WS, versions={"decisions": 1}, purpose=PURPOSE), take)
    assert place.rotate("identity") == Reached(), "it has nothing of that branch"
    assert place.rotate("decisions") == Reached(taken=("predict",))
    with place.open() as ring:
        assert [one.key for one in got] == [ring.key("decisions", PURPOSE)]
        assert ring.key("decisions", "another") not in {one.key for one in got}
    assert "key" not in repr(got[0])


def test_who_asks_for_more_than_it_holds_cannot_open_it(place: Place, serving: Any) -> None:
    """A taken-over prediction server has one derived key. It says that it wants the branch itself."""
    with place.open() as ring:
        key, sent = ring.key("decisions", PURPOSE), list[bytes]()
    serving("predict", lambda: Holds(workspace=WS, versions={"decisions": 1}), lambda *said: sent.append(said[2]))
    place.rotate("decisions")
    assert len(sent) == 1
    for guess in (key, derive_key(key, info=b"sealwright/hand-over/v1"), b"\0" * 32):
        with pytest.raises(VerificationFailed):
            opened_offer(guess, sent[0], WS, "decisions", 2)


def test_a_listener_without_the_key_before_learns_nothing(place: Place, serving: Any) -> None:
    """A program of the same user that puts a socket there."""
    sent: list[bytes] = []
    serving("control", lambda: Holds(workspace=WS, versions={"identity": 1}), lambda *said: sent.append(said[2]))
    assert place.rotate().taken == ("control",), "it can say so"
    with place.open() as ring:
        secret = ring._branches.handed("identity", 2).key
    assert len(sent) == 1
    assert secret not in sent[0]
    with pytest.raises(VerificationFailed):
        opened_offer(os.urandom(32), sent[0], WS, "identity", 2)


OFFERS: dict[str, tuple[tuple[str, str, int], tuple[str, int]]] = {
    "another workspace": (("ws_2", "identity", 2), ("identity", 2)),
    "another branch": ((WS, "decisions", 2), ("identity", 2)),
    "another version": ((WS, "identity", 3), ("identity", 2)),
    "too new": ((WS, "identity", 3), ("identity", 3)),
    "older": ((WS, "identity", 1), ("identity", 1)),
    "another key": ((WS, "identity", 2), ("identity", 2)),
    "cut": ((WS, "identity", 2), ("identity", 2)),
}


@pytest.mark.parametrize("what", sorted(OFFERS))
def test_an_offer_that_is_not_the_next_version_from_us_is_not_taken_t85(
    place: Place, control: Keyring, what: str
) -> None:
    (workspace, branch, version), shown = OFFERS[what]
    before = control.key("identity", "sealwright/hand-over/v1", version=1)
    handed = Handed(version, b"k" * (31 if what == "cut" else 32), b"f" * 32)
    sealed = sealed_offer(os.urandom(32) if what == "another key" else before, handed, workspace, branch)
    with pytest.raises((VerificationFailed, Conflict, NotFound)):
        control.take_offer(*shown, sealed)
    assert control._branches._waiting == {}
    control.take_offer("identity", 2, sealed_offer(before, Handed(2, b"k" * 32, b"f" * 32), WS, "identity"))


def test_what_was_handed_over_once_is_not_taken_again(place: Place, control: Keyring) -> None:
    sealed: list[tuple[str, int, bytes]] = []
    real = control.take_offer
    with place.open() as ring:

        def first(handed: Handed) -> None:
            ring.hold("identity", handed)
            sealed.append(("identity", 2, ring.sealed_next("identity", 2, "")))

        rotate_branch(place.keys, place.unlock, "identity", first=first)
    real(*sealed[0])
    assert control.versions("identity") == (1, 2)
    with pytest.raises((Conflict, NotFound)):
        real(*sealed[0])


# ---- who is at the other end


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be other users")
def test_another_user_is_not_answered_t74(stocked: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="sealwright-keys-") as folder:
        Path(folder).chmod(0o711)
        place = Place(Path(shutil.copytree(stocked, Path(folder) / "home")))
        place.home.chmod(0o711)
        inbox = KeyInbox(place.home, "control", lambda: Holds(workspace=WS, versions={"identity": 1}), lambda *_: None)
        at = place.home / "run" / "keys" / "control.sock"
        assert (at.parent.stat().st_mode & 0o777, at.stat().st_mode & 0o777) == (0o700, 0o600)
        code = (
            "import os, socket, sys; os.setgroups([]); os.setgid(65431); os.setuid(65431)\n"
            "line = socket.socket(socket.AF_UNIX); line.settimeout(5)\n"
            "try:\n    line.connect(sys.argv[1]); print(line.recv(100))\nexcept OSError as error: print(type(error).__name__)"
        )

        def told() -> bytes:
            process = subprocess.Popen([sys.executable, "-c", code, str(at)], stdout=subprocess.PIPE)
            end = time.monotonic() + 10
            while process.poll() is None and time.monotonic() < end:
                inbox.look()
                time.sleep(0.02)
            return process.communicate()[0].strip()

        assert told() == b"PermissionError"
        for path in (place.home / "run", at.parent, at):  # somebody opened all of them
            path.chmod(0o777)
        assert told() == b"b''"
        with pytest.raises(Refused, match="chmod 700"):
            KeyInbox(place.home, "other", lambda: Holds(workspace=WS, versions={}), lambda *_: None)
        over = threading.Event()
        thread = threading.Thread(
            daemon=True, target=lambda: [inbox.look() for _ in iter(lambda: over.wait(0.02), True)]
        )
        thread.start()
        assert place.rotate() == Reached(missed=("control",)), "nor is anything given into a folder of others"
        over.set()
        thread.join()
        inbox.close()


def test_who_does_not_answer_or_talks_nonsense_holds_nothing_up(
    place: Place, control: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sealwright.trust import handing_over

    monkeypatch.setattr(handing_over, "_PATIENCE", 0.5)
    folder = place.home / "run" / "keys"
    with contextlib.ExitStack() as stack:
        for name in ("silent", "dead", "nonsense", "long"):
            line = socket.socket(socket.AF_UNIX)
            line.bind(str(folder / f"{name}.sock"))
            stack.callback(line.close)
            if name == "dead":
                line.close()
                continue
            line.listen(1)
            if name in ("nonsense", "long"):
                data = b"\x00\x00\x00\x04\xff\xff\xff\xff" if name == "nonsense" else b"\xff" * 4096
                threading.Thread(target=_say_once, args=(line, data), daemon=True).start()
        (folder / "a-file.sock").write_text("no socket")
        reached = place.rotate()
    assert reached.taken == ("control",)
    assert set(reached.missed) == {"silent", "nonsense", "long", "a-file"}
    assert control.versions("identity") == (1, 2)


def _say_once(listening: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):
        line, _ = listening.accept()
        with line:
            line.sendall(data)
            line.recv(10)


def test_an_inbox_goes_on_after_callers_that_say_anything(place: Place, control: Keyring) -> None:
    at = str(place.home / "run" / "keys" / "control.sock")
    body = msgspec.msgpack.encode(Offer(branch="identity", version=2, sealed=b"x"))
    for said in (
        b"",
        b"\x00",
        b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x05hello",
        json.dumps({}).encode() * 100,
        len(body).to_bytes(4, "big") + body,
        (len(body).to_bytes(4, "big") + body) * 300,
    ):
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(5)
            line.connect(at)
            with contextlib.suppress(OSError):
                line.sendall(said)
    assert control.versions("identity") == (1,)
    assert place.rotate().taken == ("control",)


def test_a_caller_that_drips_holds_the_server_up_for_a_second_and_no_more(place: Place) -> None:
    """It has other things to look at: revoked keys among them."""
    inbox = KeyInbox(place.home, "control", lambda: Holds(workspace=WS, versions={"identity": 1}), lambda *_: None)
    over = threading.Event()

    def drip() -> None:
        with socket.socket(socket.AF_UNIX) as line, contextlib.suppress(OSError):
            line.connect(str(place.home / "run" / "keys" / "control.sock"))
            line.sendall(b"\x00\x00\x0f\x00")
            while not over.wait(0.1):
                line.sendall(b"x")

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    time.sleep(0.2)
    began = time.monotonic()
    inbox.look()
    assert 0.5 < time.monotonic() - began < 2.0
    over.set()
    thread.join()
    inbox.close()


def test_one_process_of_a_name_listens_and_what_a_dead_one_left_is_put_away(place: Place) -> None:
    holds = lambda: Holds(workspace=WS, versions={})  # noqa: E731
    first = KeyInbox(place.home, "control", holds, lambda *_: None)
    with pytest.raises(Conflict, match="already"):
        KeyInbox(place.home, "control", holds, lambda *_: None)
    first._listening.close()  # as when its process was killed: the file stays
    second = KeyInbox(place.home, "control", holds, lambda *_: None)
    second.close()
    assert list((place.home / "run" / "keys").iterdir()) == []


def test_a_workspace_without_servers_rotates_as_ever(place: Place) -> None:
    assert place.rotate() == Reached()
    assert place.rotate("decisions") == Reached()
