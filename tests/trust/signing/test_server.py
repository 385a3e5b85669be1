"""One caller of the signer cannot end it, hold it up or reach further than its door; it shows its keys to nobody."""

import contextlib
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sealwright.trust import SIGNING_BRANCHES, Keyring
from sealwright.trust.signing.messages import (
    MOST_BYTES,
    MOST_BYTES_OF_PREDICT,
    Adopt,
    Done,
    Hello,
    Narrow,
    No,
    Ready,
    Reply,
    Sign,
    Signature,
    SignHead,
    encode,
)

from .conftest import DECISIONS, LEDGER, SOURCE, Place, Raw, Samples, Tree

EMPTY = Tree("a", 0).head(0, DECISIONS).text().encode()
HEAD = SignHead(branch="decision-checkpoints", data=EMPTY, since=0, path=[])


def reason(reply: Reply | None) -> str:
    assert isinstance(reply, No), reply
    return reply.reason


@pytest.fixture
def lent(ring: Keyring) -> Any:
    with contextlib.closing(Raw(ring.lend_signer(DECISIONS)).line) as line:
        yield Raw(line)


# ---- roles


def test_a_predict_connection_has_heads_of_its_own_log_signed_and_nothing_else(lent: Raw, samples: Samples) -> None:
    assert isinstance(lent.ask(HEAD), Signature)
    other = Tree("a", 0).head(0, DECISIONS.replace("live", "test")).text().encode()
    control = Tree("a", 0).head(0, LEDGER).text().encode()
    for asked in (
        Sign(branch="releases", data=samples.pointer(), shown=b"{}"),
        Sign(branch="statements", data=samples.payload("https://slsa.dev/provenance/v1", {})),
        Sign(branch="tokens", data=b"a.b"),
        Sign(branch="tls", data=b"0"),
        Sign(branch="models", data=b"x"),
        SignHead(branch="decision-checkpoints", data=other, since=0, path=[]),
        SignHead(branch="checkpoints", data=control, since=0, path=[]),
        SignHead(branch="checkpoints", data=EMPTY, since=0, path=[]),
        Adopt(origins=[DECISIONS]),
    ):
        assert reason(lent.ask(asked)) == "role.not_allowed"
    assert reason(lent.ask(Narrow(origins=[DECISIONS.replace("live", "test")]))) == "role.narrow"
    assert isinstance(lent.ask(HEAD), Signature)


def test_a_predict_connection_cannot_bring_another_one(lent: Raw) -> None:
    mine, theirs = socket.socketpair()
    with mine, theirs:
        socket.send_fds(lent.line, [encode(Adopt(origins=[DECISIONS]))], [theirs.fileno()])
        assert reason(lent.reply()) == "role.not_allowed"
        theirs.close()
        mine.settimeout(5)
        assert mine.recv(1) == b"", "the descriptor was kept"


def test_only_a_decision_log_of_this_workspace_is_lent_for(ring: Keyring) -> None:
    from sealwright.trust import SignerRefused

    for origin in (LEDGER, "sealwright/ws_2/decisions/credit/live", "x", ""):
        with pytest.raises(SignerRefused) as error:
            ring.lend_signer(origin)
        assert error.value.reason == "checkpoint.origin"


def test_a_narrowed_control_connection_stays_narrow(standing: Any, call: Callable[[], Raw], samples: Samples) -> None:
    standing()
    raw = call()
    assert isinstance(raw.ask(Narrow(origins=[DECISIONS])), Done)
    asked = Sign(branch="statements", data=samples.payload("https://slsa.dev/provenance/v1", {}))
    assert reason(raw.ask(asked)) == "role.not_allowed"
    assert isinstance(call().ask(asked), Signature)


# ---- hostile callers


def test_junk_half_messages_and_lies_end_nothing(standing: Any, call: Callable[[], Raw]) -> None:
    standing()
    chance = random.Random(7)
    good = encode(Hello())
    for data in (
        b"",
        b"\0",
        b"\0\0\0\0",
        b"\xff\xff\xff\xff",
        (MOST_BYTES + 1).to_bytes(4, "big") + b"x" * 100,
        (100).to_bytes(4, "big") + b"x" * 50,
        good[:-1],
        b"GET / HTTP/1.1\r\n\r\n",
        *(chance.randbytes(chance.randrange(1, 400)) for _ in range(60)),
    ):
        raw = call()
        with contextlib.suppress(ConnectionError):
            raw.send(data)
        raw.line.close()
    for body in (
        b"\x80",
        b"\xc0",
        b"\x91" * 2000,
        msgspec.msgpack.encode({"type": "Hello", "more": 1}),
        msgspec.msgpack.encode({"type": "Sign", "branch": "statements", "data": "text"}),
        msgspec.msgpack.encode({"type": "SignHead", "branch": "checkpoints", "data": b"", "since": -1, "path": []}),
        msgspec.msgpack.encode({"type": "SignHead", "branch": "checkpoints", "data": b"", "since": 0, "path": [b"x"]}),
        msgspec.msgpack.encode({"type": "Ready", "workspace": "x", "keys": {}}),
    ):
        raw = call()
        raw.send(len(body).to_bytes(4, "big") + body)
        assert reason(raw.reply()) == "request.malformed"
        assert isinstance(raw.ask(Hello()), Ready)


def test_a_message_larger_than_a_door_lets_in_hangs_up(lent: Raw, standing: Any, call: Callable[[], Raw]) -> None:
    lent.send((MOST_BYTES_OF_PREDICT + 1).to_bytes(4, "big"))
    assert lent.reply() is None
    standing()
    raw = call()
    raw.send((MOST_BYTES + 1).to_bytes(4, "big"))
    assert raw.reply() is None


def test_many_requests_at_once_on_one_connection_are_answered_in_order(standing: Any, call: Callable[[], Raw]) -> None:
    standing()
    raw = call()
    raw.send(encode(Hello()) * 20 + encode(Narrow(origins=["x"])) + encode(Hello())[:3])
    assert all(isinstance(raw.reply(), Ready) for _ in range(20))
    assert reason(raw.reply()) == "checkpoint.origin"
    raw.send(encode(Hello())[3:])
    assert isinstance(raw.reply(), Ready)


def test_200_callers_at_once_each_get_their_own_answer(
    standing: Any, call: Callable[[], Raw], samples: Samples, place: Place
) -> None:
    standing()
    public = place.stolen("statements").public()
    callers, failed = [call() for _ in range(200)], []

    def ask(number: int, raw: Raw) -> None:
        data = samples.payload("https://slsa.dev/provenance/v1", {"n": number})
        for _ in range(3):
            reply = raw.ask(Sign(branch="statements", data=data))
            try:
                assert isinstance(reply, Signature)
                public.verify(reply.signature, data)
            except Exception as error:  # noqa: BLE001 - told below, from the main thread
                failed.append(repr(error))

    threads = [threading.Thread(target=ask, args=pair) for pair in enumerate(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


def test_callers_that_hang_hold_nobody_up(standing: Any, call: Callable[[], Raw], samples: Samples) -> None:
    """Half messages, answers that nobody takes, and a hundred idle connections beside one who is served at once."""
    standing()
    hanging = [call() for _ in range(100)]
    for number, raw in enumerate(hanging):
        raw.send(encode(Hello())[: 1 + number % 6])
    greedy = call()
    greedy.line.settimeout(0.5)
    with contextlib.suppress(TimeoutError):
        for _ in range(2000):  # asks and asks, and never reads
            greedy.send(encode(Hello()) * 50)
    good, asked = call(), Sign(branch="statements", data=samples.payload("https://slsa.dev/provenance/v1", {}))
    took = []
    for _ in range(30):
        begun = time.perf_counter()
        assert isinstance(good.ask(asked), Signature)
        took.append(time.perf_counter() - begun)
    assert sorted(took)[15] < 0.5


@pytest.mark.slow
def test_a_message_that_is_never_finished_ends_its_connection(standing: Any, call: Callable[[], Raw]) -> None:
    standing()
    raw = call()
    raw.send(b"\0\0\1\0half")
    begun = time.monotonic()
    assert raw.reply() is None
    assert 5 < time.monotonic() - begun < 20


def test_memory_stays_bounded_under_large_unfinished_messages(standing: Any, call: Callable[[], Raw]) -> None:
    process = standing()
    for _ in range(30):
        raw = call()
        raw.line.settimeout(1)
        with contextlib.suppress(OSError):
            raw.send(MOST_BYTES.to_bytes(4, "big") + b"x" * (MOST_BYTES - 1))
    assert isinstance(call().ask(Hello()), Ready)
    status = Path(f"/proc/{process.pid}/status").read_text()
    resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    assert resident < 400_000  # KiB: 30 of 16 MB would be 480


def test_descriptors_sent_along_are_closed_not_kept(standing: Any, call: Callable[[], Raw]) -> None:
    process = standing()
    before = len(list(Path(f"/proc/{process.pid}/fd").iterdir()))
    for _ in range(20):
        raw = call()
        mine, theirs = socket.socketpair()
        with mine, theirs:
            socket.send_fds(raw.line, [encode(Hello())], [theirs.fileno()])
            assert reason(raw.reply()) == "request.descriptor"
            with open(os.devnull) as file:  # noqa: PTH123 - a descriptor that is no socket
                socket.send_fds(raw.line, [encode(Adopt(origins=[DECISIONS]))], [file.fileno()])
                assert reason(raw.reply()) == "request.descriptor"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams:
            socket.send_fds(raw.line, [encode(Adopt(origins=[DECISIONS]))], [datagrams.fileno()])
            assert reason(raw.reply()) == "request.descriptor"
        raw.line.close()
    call().ask(Hello())
    assert len(list(Path(f"/proc/{process.pid}/fd").iterdir())) <= before + 3


# ---- the process itself


def test_the_signer_is_closed_to_looks_from_outside_and_has_shut_its_doors(ring: Keyring) -> None:
    ring.check_signer()
    process = ring._link._held.started
    assert process is not None
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{process.pid}/status").read_text().splitlines() if ":\t" in line
    )
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert "Max core file size        0                    0" in Path(f"/proc/{process.pid}/limits").read_text()
    assert Path(f"/proc/{process.pid}/stat").stat().st_uid == 0, "not dumpable: its files belong to root"
    arguments = Path(f"/proc/{process.pid}/cmdline").read_bytes()
    assert b"root.key" not in arguments
    assert b"/keys" not in arguments.replace(SOURCE.encode(), b"")


def test_a_process_that_shut_its_doors_opens_no_network_and_starts_no_program() -> None:
    code = (
        "import sys, os, socket; sys.path.insert(0, sys.argv[1])\n"
        "from sealwright.trust.signing.hygiene import guard_memory, shut_doors\n"
        "guard_memory(); assert shut_doors()\n"
        "for act in (lambda: socket.socket(), lambda: socket.socketpair(), os.fork,\n"
        "            lambda: os.posix_spawn('/bin/true', ['true'], {})):\n"
        "    try:\n        act()\n    except OSError:\n        print('refused')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, SOURCE], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["refused"] * 4


def test_no_private_key_is_in_anything_the_signer_says(
    standing: Any, call: Callable[[], Raw], place: Place, samples: Samples
) -> None:
    from sealwright.trust.key_files import open_branch, open_root, signing_key_of

    standing()
    workspace, root = open_root(place.keys, place.unlock)
    key = signing_key_of(root)
    secrets = [root, key, *(open_branch(place.keys, key, workspace, branch, 1) for branch in SIGNING_BRANCHES)]
    raw, said = call(), b""
    for asked in (
        Hello(),
        HEAD,
        Sign(branch="statements", data=samples.payload("https://slsa.dev/provenance/v1", {})),
        Sign(branch="statements", data=b"junk"),
        Sign(branch="tls", data=b"\x30\x03\x02\x01\x01"),
        Narrow(origins=["x"]),
    ):
        reply = raw.ask(asked)
        assert reply is not None
        said += msgspec.msgpack.encode(reply)
    assert not any(secret in said or secret.hex().encode() in said for secret in secrets)
