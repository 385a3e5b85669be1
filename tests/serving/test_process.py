"""The serving process: what it is given, how it starts, how it ends, and what survives when it is killed."""

import contextlib
import json
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sealwright import trust
from sealwright.kernel import InvalidInput, OperationFailed, Refused, VerificationFailed, private_folder
from sealwright.serving import (
    DECISION_KEY_PURPOSE,
    Limits,
    Running,
    ServingSpec,
    StartRefused,
    decision_ledger_folder,
    decision_origin,
    prepare,
    read_decision,
)
from sealwright.serving.state import StateFile

_SOURCE = str(Path(__file__).resolve().parents[2] / "src")


def _ledger(house: Any) -> Path:
    return decision_ledger_folder(house.home, house.project, "live")


def _load(client: Any, row: dict[str, Any], stop: threading.Event, kept: list[tuple[bytes, dict[str, Any]]]) -> None:
    """Ask again and again on one connection; keep every request that got its whole answer."""
    import http.client

    at = 0
    link = http.client.HTTPSConnection("localhost", client.port, context=client.tls, timeout=20)
    with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(link):
        while not stop.is_set():
            body = json.dumps({"row": row | {"age": 18 + at % 80}}).encode()
            link.request("POST", f"/v1/models/{client.house.project}/predict", body, client.usual())
            reply = link.getresponse()
            data = reply.read()
            if reply.status == 200:
                kept.append((body, json.loads(data)))
            at += 1


def _under_load(
    client: Any, row: dict[str, Any], callers: int, act: Callable[[], None]
) -> list[tuple[bytes, dict[str, Any]]]:
    """Run `act` while several callers ask; return what was answered."""
    stop, kept = threading.Event(), []  # type: tuple[threading.Event, list[Any]]
    threads = [threading.Thread(target=_load, args=(client, row, stop, kept)) for _ in range(callers)]
    for thread in threads:
        thread.start()
    act()
    stop.set()
    for thread in threads:
        thread.join()
    return kept


def _every_answer_is_recorded(house: Any, answered: list[tuple[bytes, dict[str, Any]]]) -> None:
    """Open the ledger as the next process would, and find each answer in it."""
    keys = house.keyring.trust_root.keys_of("decision-checkpoints")
    origin = decision_origin("ws_1", house.project, "live")
    signer = house.keyring.signer("decision-checkpoints")
    with trust.Ledger.open(_ledger(house), origin=origin, signer=signer) as opened:  # mends what the kill left
        entries = list(opened.entries())
    trust.verify_ledger(_ledger(house), keys, origin)
    key = house.keyring.key("decisions", DECISION_KEY_PURPOSE)
    records = {
        record.decision: record
        for entry in entries
        if entry.action == trust.DECISION
        for record in [read_decision(entry, key)]
    }
    for body, reply in answered:
        record = records[reply["answer"]["decision"]]
        assert (record.request, json.loads(record.answer)) == (body, reply["answer"])
    for body, reply in answered[-20:]:
        trust.verify_receipt(json.dumps(reply["receipt"]).encode(), keys, request=body, origin=origin)


def test_sigterm_finishes_what_was_begun_and_ends_well(
    new_house: Any, start: Any, client_of: Any, row: dict[str, Any]
) -> None:
    house = new_house()
    running: Running = start(house)
    client = client_of(house, running)

    def act() -> None:
        time.sleep(1.0)
        os.kill(running.pid, signal.SIGTERM)
        assert running.wait(15) == 0

    answered = _under_load(client, row, 4, act)
    assert answered
    _every_answer_is_recorded(house, answered)
    actions = [entry.action for entry in _entries(house)]
    assert (actions[0], actions[-1]) == ("serving.release_taken", "serving.stopped")
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", running.port), timeout=2)


@pytest.mark.slow
def test_kill_9_under_load_loses_no_answered_decision(new_house: Any, client_of: Any, row: dict[str, Any]) -> None:
    house, chance = new_house(), random.Random(20261122)
    answered: list[tuple[bytes, dict[str, Any]]] = []
    for _ in range(6):
        running = house.launch(limits=Limits(watch_seconds=0.2))

        def act(running: Running = running) -> None:
            time.sleep(chance.uniform(0.2, 1.5))
            os.kill(running.pid, signal.SIGKILL)
            assert running.wait(10) == -signal.SIGKILL

        answered += _under_load(client_of(house, running), row, 6, act)
        running.stop()
    assert len(answered) > 100
    _every_answer_is_recorded(house, answered)


@pytest.mark.parametrize("left", [["lock"], ["lock", "entries.log"], ["lock", "entries.log", "checkpoints.log"]])
def test_a_kill_in_the_middle_of_the_first_start_is_no_reason_never_to_start(
    new_house: Any, start: Any, client_of: Any, row: dict[str, Any], left: list[str]
) -> None:
    house = new_house()
    folder = private_folder(private_folder(private_folder(_ledger(house).parent.parent) / "live") / "ledger")
    StateFile(folder.parent / "state.json", house.project, "live").change(ledger_begun=False)
    for name in left:
        (folder / name).touch(mode=0o600)
    assert client_of(house, start(house)).predict(row).status == 200


def test_a_disk_that_is_full_gives_503_and_no_answer_until_it_has_room(
    new_house: Any, start: Any, client_of: Any, row: dict[str, Any], wait_until: Any
) -> None:
    """The kernel refuses to let the process's files grow, as a full disk does; the process itself is the real one."""
    house = new_house()
    running: Running = start(house)
    client = client_of(house, running)
    assert client.predict(row).status == 200
    whole = resource.prlimit(running.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (512, whole[1]))
    before = (_ledger(house) / "entries.log").stat().st_size
    for _ in range(3):
        reply = client.predict(row)
        assert (reply.status, reply.json["type"]) == (503, "urn:sealwright:problem:decision.not_recorded")
        assert b"label" not in reply.body
    assert client.ask("GET", "/v2/health/ready").status == 503
    assert client.ask("GET", "/v2/health/live").status == 200
    assert (_ledger(house) / "entries.log").stat().st_size == before
    resource.prlimit(running.pid, resource.RLIMIT_FSIZE, whole)
    wait_until(lambda: client.ask("GET", "/v2/health/ready").status == 200)
    assert client.predict(row).status == 200


def test_a_new_release_takes_over_under_load_without_a_failed_request(
    new_house: Any, start: Any, client_of: Any, row: dict[str, Any], wait_until: Any
) -> None:
    house = new_house()
    client = client_of(house, start(house))
    numbers: set[int] = set()

    def act() -> None:
        for number in (2, 1, 3):
            house.promote(number)
            wait_until(lambda number=number: client.predict(row).json["answer"]["model"]["number"] == number)

    failed = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            reply = client.predict(row)
            numbers.add(reply.json["answer"]["model"]["number"]) if reply.status == 200 else failed.append(reply)

    callers = [threading.Thread(target=ask) for _ in range(3)]
    for caller in callers:
        caller.start()
    act()
    stop.set()
    for caller in callers:
        caller.join()
    assert not failed
    assert numbers == {1, 2, 3}


def test_a_revoked_package_stops_being_served(
    new_house: Any, start: Any, client_of: Any, row: dict[str, Any], wait_until: Any
) -> None:
    house = new_house()
    client = client_of(house, start(house))
    assert client.predict(row).status == 200
    house.registry.revoke(house.version(1).package, "ada", "trained on data that had to be erased")
    wait_until(lambda: client.predict(row).status == 503)
    reply = client.predict(row)
    assert reply.json["type"] == "urn:sealwright:problem:serving.not_ready"
    assert client.ask("GET", "/v2/health/ready", headers={}).status == 503
    assert client.ask("GET", f"/v2/models/{house.project}/ready").status == 503
    house.promote(2)
    wait_until(lambda: client.predict(row).status == 200)


def test_an_old_pointer_put_back_is_reported_and_not_served(
    new_house: Any, start: Any, client_of: Any, row: dict[str, Any], wait_until: Any
) -> None:
    house = new_house()
    older = house.pointer.read_bytes()
    house.promote(2)
    running: Running = start(house)
    client = client_of(house, running)
    house.pointer.chmod(0o600)
    house.pointer.write_bytes(older)
    wait_until(lambda: client.ask("GET", "/v2/health/ready").status == 503)
    assert client.predict(row).json["answer"]["model"]["number"] == 2
    assert running.stop() == 0
    with pytest.raises(VerificationFailed, match="old one shown again"):
        start(house)
    assert "serving.release_refused" in [entry.action for entry in _entries(house)]


def test_more_requests_than_may_wait_are_turned_away_and_the_rest_is_answered(
    new_house: Any, start: Any, client_of: Any, row: dict[str, Any]
) -> None:
    house = new_house()
    client = client_of(house, start(house, limits=Limits(waiting=2)))
    replies: list[Any] = []
    callers = [
        threading.Thread(target=lambda: replies.extend(client.predict(row) for _ in range(5))) for _ in range(24)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(replies) == 120
    turned_away = [reply for reply in replies if reply.status != 200]
    assert {(reply.status, reply.json["type"], reply.headers["retry-after"]) for reply in turned_away} <= {
        (503, "urn:sealwright:problem:serving.overloaded", "1")
    }
    assert len(turned_away) < 120
    assert client.predict(row).status == 200


def test_a_renewed_certificate_is_used_without_a_restart(
    new_house: Any, start: Any, client_of: Any, row: dict[str, Any], wait_until: Any
) -> None:
    house = new_house()
    running: Running = start(house)
    client = client_of(house, running)

    def serial() -> str:
        with client.connect() as link:
            certificate = link.getpeercert()
            assert certificate is not None
            return str(certificate["serialNumber"])

    before = serial()
    trust.create_server_certificate(house.keyring, house.home / "serving" / "tls", ["localhost"], house.clock())
    running.reload_certificate()
    wait_until(lambda: serial() != before)
    after = serial()
    trust.create_server_certificate(house.keyring, house.home / "serving" / "tls", ["localhost"], house.clock())
    house.tls.key.write_text("not a key")  # half of a renewal: a new certificate, no key for it
    running.reload_certificate()
    time.sleep(0.5)
    assert serial() == after  # a pair that does not fit is refused, the good one stays
    assert client.predict(row).status == 200


# ---- starting


@pytest.mark.parametrize("what", ["no release", "package", "pointer", "state gone", "ledger gone", "ledger changed"])
def test_what_cannot_be_verified_does_not_start(new_house: Any, start: Any, what: str) -> None:
    house = new_house(released=what != "no release")
    folder = house.home / "serving" / house.project / "live"
    if what in ("state gone", "ledger gone", "ledger changed"):
        assert start(house).stop() == 0
    if what == "package":
        path = house.home / "packages" / house.version(1).package[7:] / "model.onnx"
        path.chmod(0o600)
        path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    if what == "pointer":
        house.pointer.chmod(0o600)
        house.pointer.write_bytes(house.pointer.read_bytes().replace(b'"payload":"e', b'"payload":"f'))
    if what == "state gone":
        (folder / "state.json").unlink()
    if what == "ledger gone":
        (folder / "ledger").rename(folder / "elsewhere")
    if what == "ledger changed":
        path = folder / "ledger" / "entries.log"
        path.write_bytes(path.read_bytes().replace(b"release_taken", b"release_faked"))
    with pytest.raises(VerificationFailed):
        start(house)


def test_a_port_in_use_or_a_wrong_certificate_is_said_so(new_house: Any, start: Any) -> None:
    house = new_house()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OperationFailed, match="Cannot listen"):
            start(house, port=taken.getsockname()[1])
    house.tls.key.write_text("no key")
    with pytest.raises(StartRefused, match="not a PEM private key"):
        start(house)


def test_two_processes_cannot_serve_one_channel(new_house: Any, start: Any) -> None:
    house = new_house()
    start(house)
    with pytest.raises(StartRefused, match="Only one may"):
        start(house)


def test_a_process_whose_starter_died_stops(new_house: Any) -> None:
    house = new_house()
    script = (
        "import sys, time; sys.path.insert(0, sys.argv[1])\n"
        "import socket; from sealwright.serving import ServeConfig, launch\n"
        "line = socket.socket(fileno=int(sys.argv[2]))\n"
        "running = launch(ServeConfig.from_bytes(sys.stdin.buffer.read()), line)\n"
        "print(running.pid, flush=True); time.sleep(60)\n"
    )
    with (
        house.signer_line() as line,
        subprocess.Popen(
            [sys.executable, "-c", script, _SOURCE, str(line.fileno())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=(line.fileno(),),
        ) as starter,
    ):
        assert starter.stdin is not None
        assert starter.stdout is not None
        starter.stdin.write(house.config().to_bytes())
        starter.stdin.close()
        pid = int(starter.stdout.readline())
        starter.kill()
    end = time.monotonic() + 15
    while _runs(pid):
        assert time.monotonic() < end
        time.sleep(0.1)


def test_the_present_process_can_become_the_server(
    new_house: Any, client_of: Any, row: dict[str, Any], wait_until: Any
) -> None:
    house = new_house()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import socket; from sealwright.serving import ServeConfig, become\n"
        "become(ServeConfig.from_bytes(sys.stdin.buffer.read()), socket.socket(fileno=int(sys.argv[2])))\n"
    )
    with (
        house.signer_line() as line,
        subprocess.Popen(
            [sys.executable, "-c", script, _SOURCE, str(line.fileno())],
            stdin=subprocess.PIPE,
            env={"SEALWRIGHT_PASSPHRASE": "canary-9", "PATH": os.defpath},
            pass_fds=(line.fileno(),),
        ) as process,
    ):
        assert process.stdin is not None
        process.stdin.write(house.config(port=port).to_bytes())
        process.stdin.close()
        client = client_of(house, Running(process, house.config(), (port, None), -1))

        def answers() -> bool:
            with contextlib.suppress(OSError):
                return bool(client.predict(row).status == 200)
            return False

        wait_until(answers, 30)
        assert b"canary-9" not in _environment(process.pid)
        process.terminate()
        assert process.wait(15) == 0


def test_when_the_signer_dies_nothing_is_answered_until_there_is_another_t55(
    new_house: Any, start: Any, client_of: Any, row: dict[str, Any], wait_until: Any
) -> None:
    """It fails closed, keeps what it had recorded, and goes on over a signer that stands in the workspace."""
    house = new_house()
    running: Running = start(house)
    client = client_of(house, running)
    assert client.predict(row).status == 200
    house.keyring._link._held.started.kill()
    wait_until(lambda: client.predict(row).status == 503)
    reply = client.predict(row)
    assert (reply.status, reply.json["type"]) == (503, "urn:sealwright:problem:decision.not_recorded")
    assert client.ask("GET", "/v2/health/ready").status == 503
    command = "import sys; sys.path.insert(0, sys.argv.pop(1)); from sealwright.doors.cli import main; main()"
    arguments = ["signer", "--json", "--home", str(house.home), "--key-file", str(house.home / "key")]
    with subprocess.Popen([sys.executable, "-c", command, _SOURCE, *arguments], stdout=subprocess.DEVNULL) as signer:
        wait_until(lambda: client.predict(row).status == 200, 30)
        signer.terminate()
        assert signer.wait(10) == 0
    wait_until(lambda: client.predict(row).status == 503)
    running.stop()


def test_the_process_holds_no_key_that_signs(new_house: Any, start: Any) -> None:
    """Its settings and its descriptors: a socket to the signer, good for its own log, and no more."""
    house = new_house()
    running: Running = start(house)
    settings = house.config().to_bytes()
    for branch in trust.SIGNING_BRANCHES:
        secret = house.stolen(branch)._private
        raw = (
            secret.private_bytes_raw()
            if hasattr(secret, "private_bytes_raw")
            else secret.private_numbers().private_value.to_bytes(32, "big")
        )
        assert raw.hex().encode() not in settings
        assert raw not in _memory_of(running.pid)
    assert bytes.fromhex(house.config().decision_key) in _memory_of(running.pid), "the look saw nothing"


def _memory_of(pid: int) -> bytes:
    """What is in the writable memory of a process, as root sees it."""
    found = []
    try:
        with Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
            for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
                place, mode, *_ = line.split()
                if mode.startswith("rw") and "[v" not in line:
                    first, end = (int(text, 16) for text in place.split("-"))
                    memory.seek(first)
                    with contextlib.suppress(OSError):
                        found.append(memory.read(end - first))
    except PermissionError:
        pytest.skip("only root looks into a process that guards its memory")
    return b"".join(found)


def test_the_process_shows_no_key_and_leaves_no_core_t61(
    new_house: Any, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEALWRIGHT_PASSPHRASE", "canary-8")
    house = new_house()
    config = house.config()
    running: Running = start(house)
    process = Path(f"/proc/{running.pid}")
    for secret in (config.decision_key, config.first.person_key, "canary-8"):
        assert secret.encode() not in (process / "cmdline").read_bytes()
        assert secret.encode() not in _environment(running.pid)
        for folder, _, names in os.walk(house.home / "serving"):
            for name in names:
                assert secret.encode() not in (Path(folder) / name).read_bytes()
    assert "Max core file size        0                    0" in (process / "limits").read_text()


def test_the_process_cannot_be_looked_into_by_others_of_its_user() -> None:
    code = (
        "import sys, ctypes; sys.path.insert(0, sys.argv[1]); from sealwright.trust import guard_memory\n"
        "guard_memory(); print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"  # PR_GET_DUMPABLE
    )
    done = subprocess.run([sys.executable, "-I", "-c", code, _SOURCE], capture_output=True, check=True)
    assert done.stdout.strip() == b"0"


def test_the_entry_refuses_settings_it_cannot_read() -> None:
    for data in (b"", b"\x00", b"\x00\x00\x00\x05", b"\x00\x00\x00\x02{}", b"\xff\xff\xff\xff", b"\x00\x00\x00\x00"):
        out, into = os.pipe()
        os.write(into, data)
        os.close(into)
        code = "import sys, runpy; sys.path.append(sys.argv.pop(1)); runpy.run_module('sealwright.serving', run_name='__main__', alter_sys=True)"
        done = subprocess.run(
            [sys.executable, "-I", "-c", code, _SOURCE, "--config-fd", str(out)],
            pass_fds=(out,),
            capture_output=True,
            check=False,
        )
        os.close(out)
        assert done.returncode == InvalidInput.exit_code
        assert b"Traceback" not in done.stderr


def test_the_serving_process_carries_no_training_library_and_no_database() -> None:
    """What faces a network is the base install without the parts it does not need."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import sealwright.serving.server, sealwright.serving.child\n"
        "from sealwright.registry import verify_package, verify_pointer, verify_revocations\n"
        "print(' '.join(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    loaded = subprocess.run(
        [sys.executable, "-I", "-c", code, _SOURCE], capture_output=True, check=True, text=True
    ).stdout.split()
    forbidden = {
        "pyarrow",
        "sklearn",
        "scipy",
        "pandas",
        "polars",
        "optuna",
        "skl2onnx",
        "torch",
        "sqlalchemy",
        "alembic",
        "psycopg",
        "cyclonedx",
    }
    assert not forbidden & set(loaded)


def test_without_a_certificate_only_this_machine_is_served(new_house: Any, start: Any, row: dict[str, Any]) -> None:
    house = new_house()
    with pytest.raises(Refused):
        prepare(house.keyring, home=house.home, models=[(house.project, ServingSpec())], host="0.0.0.0")
    running: Running = start(house, tls=False)
    assert running.url == f"http://127.0.0.1:{running.port}"
    import http.client

    link = http.client.HTTPConnection("127.0.0.1", running.port, timeout=10)
    headers = {"Authorization": f"Bearer {house.token()}", "Content-Type": "application/json"}
    link.request("POST", f"/v1/models/{house.project}/predict", json.dumps({"row": row}), headers)
    assert link.getresponse().status == 200
    link.close()


def _entries(house: Any) -> list[trust.LedgerEntry]:
    ledger = trust.Ledger.open(
        _ledger(house),
        origin=decision_origin("ws_1", house.project, "live"),
        signer=None,
        keys=house.keyring.trust_root.keys_of("decision-checkpoints"),
    )
    with contextlib.closing(ledger):
        return list(ledger.entries())


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except PermissionError:
        return b""


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
