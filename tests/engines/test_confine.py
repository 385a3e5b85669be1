"""Confined code computes and answers; everything else it tries is refused, and what the kernel lacks is said.

Each refusal is paired with the same act outside the confinement, so that a test cannot pass because the act is
impossible anyway. Kernels without a mechanism skip the matching test by the report, never silently.
"""

import gc
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealwright.engines import Confined, Limits, run_confined
from sealwright.engines.confine import ConfinementIncomplete
from sealwright.engines.confinement import MEASURES, measures_of
from sealwright.engines.syscall_filter import filter_program, refused_calls
from sealwright.kernel import InvalidInput, Refused

SECRET = "the-planted-secret-7f3a"


def confined(code: str, **options: object) -> Confined:
    return run_confined([sys.executable, "-c", code], **options)  # type: ignore[arg-type]


def needs(run: Confined, *names: str) -> None:
    missing = set(names) & set(run.report.not_enforced)
    if missing:
        pytest.skip(f"this kernel does not enforce {sorted(missing)}: {run.report}")


def refused(run: Confined, *errors: str) -> None:
    """The act ended in a Python exception of the named kind and nothing of the secret came out."""
    assert run.outcome == "failed", (run.outcome, run.log)
    assert any(error in run.log[-1] for error in errors), run.log[-1]
    assert SECRET.encode() not in run.output
    assert not any(SECRET in line for line in run.log)


def outside(code: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=20, check=False)


@pytest.fixture
def listener() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


# --- what it is for


def test_what_goes_in_comes_out_changed_by_the_program() -> None:
    data = os.urandom(3_000_000)
    run = confined("import sys; d = sys.stdin.buffer.read(); sys.stdout.buffer.write(d[::-1])", stdin=data)
    assert (run.outcome, run.exit_status) == ("finished", 0)
    assert run.output == data[::-1]


@given(chunks=st.lists(st.binary(max_size=70_000), max_size=6))
@settings(max_examples=8, deadline=None)
def test_chunks_arrive_as_their_concatenation(chunks: list[bytes]) -> None:
    run = confined("import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())", stdin=iter(chunks))
    assert run.output == b"".join(chunks)


def test_lines_of_standard_error_arrive_while_it_runs_and_cannot_steer_a_terminal() -> None:
    lines: list[str] = []
    confined(
        "import sys; print('\\x1b[2Jone\\r', file=sys.stderr); print('two', file=sys.stderr)", on_line=lines.append
    )
    assert lines == ["�[2Jone�", "two"]


def test_a_program_that_does_not_listen_or_stops_listening_is_no_error() -> None:
    assert confined("pass", stdin=bytes(5_000_000)).outcome == "finished"
    assert confined("import os; os.close(0)", stdin=bytes(5_000_000)).outcome == "finished"


def test_a_source_that_fails_while_feeding_ends_the_run() -> None:
    def source() -> Iterator[bytes]:
        yield b"first"
        raise RuntimeError("the disk broke")

    with pytest.raises(RuntimeError, match="the disk broke"):
        confined("import sys, time; sys.stdin.buffer.read(); time.sleep(60)", stdin=source())
    assert children_of_ours() == set()


def test_a_failing_program_says_how_it_failed() -> None:
    run = confined("raise SystemExit(7)")
    assert (run.outcome, run.exit_status) == ("failed", 7)
    assert run.why() == "It ended with exit status 7."
    run = confined("import os; os.kill(os.getpid(), 9)")
    assert (run.outcome, run.signal) == ("killed", 9)


def test_a_program_that_does_not_exist_is_said_and_not_run() -> None:
    run = run_confined(["/nonexistent/program"])
    assert run.exit_status == 127
    assert "cannot start /nonexistent/program" in run.log[-1]
    with pytest.raises(InvalidInput, match="absolute path"):
        run_confined(["python"])


# --- the network and other sockets (T-74)


def test_it_cannot_reach_a_server_on_this_machine_t74(listener: int) -> None:
    code = f"import socket; socket.create_connection(('127.0.0.1', {listener}), 2).send(b'x')"
    assert outside(code).returncode == 0
    run = confined(code)
    needs(run, "network")
    refused(run, "PermissionError", "Network is unreachable")


def test_an_empty_network_namespace_alone_keeps_it_off_the_network(listener: int) -> None:
    run = confined(
        f"import socket; socket.create_connection(('127.0.0.1', {listener}), 2)", without=["seccomp", "landlock"]
    )
    needs(run, "network")
    refused(run, "Network is unreachable", "ConnectionRefusedError")


def test_the_system_call_filter_alone_keeps_it_off_the_network(listener: int) -> None:
    run = confined(f"import socket; socket.create_connection(('127.0.0.1', {listener}), 2)", without=["net_namespace"])
    needs(run, "network", "system_calls")
    refused(run, "PermissionError")


def test_it_cannot_reach_a_socket_in_the_file_system(tmp_path: Path) -> None:
    """A database's socket is reachable from an empty network namespace; only the filter stops that."""
    path = tmp_path / "s"
    code = f"import socket; s = socket.socket(socket.AF_UNIX); s.connect({str(path)!r}); print('connected')"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        assert outside(code).returncode == 0
        run = confined(code)
        needs(run, "local_sockets")
        refused(run, "PermissionError")


def test_it_cannot_send_to_a_datagram_socket_either(tmp_path: Path) -> None:
    """Sending needs no connect: a socket must not even come into being."""
    path = tmp_path / "d"
    code = f"import socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'x', {str(path)!r})"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(path))
        assert outside(code).returncode == 0
        run = confined(code)
        needs(run, "local_sockets")
        refused(run, "PermissionError")
        refused(confined("import socket; socket.socketpair()"), "PermissionError")


def test_it_cannot_reach_the_database_server_by_its_socket() -> None:
    path = "/var/run/postgresql/.s.PGSQL.5432"
    if not Path(path).exists():
        pytest.skip("no PostgreSQL socket on this machine")
    run = confined(f"import socket; socket.socket(socket.AF_UNIX).connect({path!r})")
    needs(run, "local_sockets")
    refused(run, "PermissionError")


def test_it_cannot_use_io_uring_to_get_around_the_filter() -> None:
    code = (
        "import ctypes; l = ctypes.CDLL(None, use_errno=True); print(l.syscall(425, 8, bytes(120)), ctypes.get_errno())"
    )
    run = confined(code)
    needs(run, "system_calls")
    assert run.output.split() == [b"-1", b"1"]  # EPERM


# --- files


def test_it_cannot_read_a_planted_key_t74(tmp_path: Path) -> None:
    key = tmp_path / "keys" / "root.key"
    key.parent.mkdir()
    key.write_text(SECRET)
    code = f"print(open({str(key)!r}).read())"
    assert SECRET.encode() in outside(code).stdout
    run = confined(code)
    needs(run, "files")
    refused(run, "PermissionError")
    refused(confined(f"import os; print(os.listdir({str(key.parent)!r}))"), "PermissionError")
    link = f"import os; os.symlink({str(key)!r}, 'here'); print(open('here').read())"
    refused(confined(link), "PermissionError")
    refused(confined(f"import os; os.link({str(key)!r}, 'here')"), "PermissionError", "OSError")


def test_it_reads_a_folder_it_was_given_and_cannot_write_there(tmp_path: Path) -> None:
    (tmp_path / "word").write_text("given")
    run = confined(f"print(open({str(tmp_path / 'word')!r}).read())", read_only=[tmp_path])
    assert run.output == b"given\n"
    needs(run, "files")
    refused(confined(f"open({str(tmp_path / 'new')!r}, 'w')", read_only=[tmp_path]), "PermissionError")
    refused(confined(f"open({str(tmp_path / 'word')!r}, 'a')", read_only=[tmp_path]), "PermissionError")
    refused(confined(f"import os; os.unlink({str(tmp_path / 'word')!r})", read_only=[tmp_path]), "PermissionError")


def test_it_writes_only_into_a_scratch_folder_that_is_gone_afterwards() -> None:
    run = confined("import os; open('a', 'w').write('x'); print(os.getcwd(), os.listdir())")
    folder, names = run.output.decode().split(maxsplit=1)
    assert names.strip() == "['a']"
    assert not Path(folder).exists()
    needs(run, "files")
    for path in ("/tmp/sealwright-was-here", "/dev/shm/sealwright-was-here", str(Path(__file__).parent / "was-here")):
        refused(confined(f"open({path!r}, 'w')"), "PermissionError", "Read-only")
        assert not Path(path).exists()


def test_what_it_writes_into_its_scratch_never_reaches_a_disk() -> None:
    run = confined("import os; open('a', 'w').write('x'); print(os.stat('.').st_dev)")
    needs(run, "scratch")
    assert int(run.output) != os.stat("/tmp").st_dev  # noqa: PTH116


def test_its_scratch_cannot_fill_the_disk_t75() -> None:
    code = "for i in range(100):\n with open(str(i), 'wb') as f: f.write(bytes(1 << 20))"
    run = confined(code, limits=Limits(scratch_bytes=8 << 20))
    needs(run, "scratch")
    refused(run, "No space left")


def test_a_workspace_under_something_readable_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="Keep the workspace outside"):
        confined("pass", read_only=[tmp_path], hidden=[tmp_path / "home"])
    with pytest.raises(Refused, match="Keep the workspace outside"):
        confined("pass", hidden=[Path(os.__file__).parent / "home"])


# --- the process around it


def test_it_has_an_empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEALWRIGHT_PASSPHRASE", SECRET)
    run = confined("import os; print(sorted(os.environ))")
    assert b"SEALWRIGHT" not in run.output
    assert b"'HOME'" in run.output


def test_it_cannot_read_the_environment_or_memory_of_its_parents_t74(monkeypatch: pytest.MonkeyPatch) -> None:
    own = os.getpid()
    for name in ("environ", "cmdline", "maps", "mem", "fd"):
        run = confined(
            f"import os; p = '/proc/{own}/{name}'; print(os.listdir(p) if {name!r} == 'fd' else open(p).read())"
        )
        needs(run, "files")
        refused(run, "PermissionError")
    run = confined(f"import os; os.kill({own}, 0)")
    needs(run, "other_processes")
    refused(run, "ProcessLookupError", "PermissionError")
    run = confined(
        f"import ctypes; l = ctypes.CDLL(None, use_errno=True); r = l.ptrace(16, {own}, 0, 0); raise OSError(ctypes.get_errno(), 'ptrace') if r else 0"
    )
    refused(run, "PermissionError", "ProcessLookupError")


def test_it_inherits_no_open_file(tmp_path: Path) -> None:
    (tmp_path / "open").write_text(SECRET)
    with (tmp_path / "open").open() as stream:
        os.set_inheritable(stream.fileno(), True)
        code = "import os\nfor n in range(3, 256):\n  try: os.fstat(n)\n  except OSError: continue\n  print(n, os.read(n, 100))"
        assert confined(code).output == b""


@pytest.mark.parametrize("without", [[], ["user_namespace"]])
def test_it_has_no_capability_and_can_get_none(without: list[str]) -> None:
    """Without a user namespace of its own, capabilities of a caller who is root must be dropped by hand."""
    code = (
        "import ctypes, struct\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "held = ctypes.create_string_buffer(24)\n"
        "libc.capget(struct.pack('=Ii', 0x20080522, 0), held)\n"
        "print(held.raw == bytes(24), libc.prctl(39, 0, 0, 0, 0), libc.unshare(0x10000000))"
    )
    run = confined(code, without=without)
    needs(run, "privileges", "system_calls")
    assert run.output.split() == [b"True", b"1", b"-1"]


# --- exhaustion (T-75)


def test_a_fork_bomb_does_not_start_t75() -> None:
    run = confined("import os\nwhile True: os.fork()", limits=Limits(wall_seconds=20))
    needs(run, "new_processes")
    refused(run, "PermissionError")
    refused(confined("import subprocess, sys; subprocess.run([sys.executable, '-c', '1'])"), "PermissionError")


def test_without_the_filter_a_fork_bomb_is_counted_and_ended() -> None:
    code = "import os, time\nfor i in range(60):\n  if os.fork() == 0:\n    time.sleep(60)\ntime.sleep(60)"
    run = confined(code, without=["seccomp"], limits=Limits(threads=40, wall_seconds=20))
    assert run.outcome in ("thread_limit", "failed")
    assert children_of_ours() == set()


def test_too_many_threads_end_the_run_t75() -> None:
    code = "import threading, time\nfor i in range(400): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\ntime.sleep(60)"
    run = confined(code, limits=Limits(threads=50, wall_seconds=30))
    assert run.outcome in ("thread_limit", "failed")  # an ordinary user is stopped by the kernel first
    assert run.outcome == "failed" or "more than its limit of 50 threads" in run.why()


@pytest.mark.parametrize("without", [[], ["seccomp"], ["seccomp", "pid_namespace"]])
def test_no_daemon_stays_behind(without: list[str], tmp_path: Path) -> None:
    code = (
        "import os, time\n"
        "try:\n"
        "  if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "      [os.close(n) for n in range(3)]; time.sleep(120)\n"
        "    os._exit(0)\n"
        "except PermissionError: pass\n"
        "time.sleep(0.3)\n"
    )
    before = sleepers()
    run = confined(code, without=without)
    assert run.outcome == "finished", run.log
    assert sleepers() <= before


def test_a_hundred_gigabytes_are_refused_and_the_host_lives_t75() -> None:
    run = confined("x = bytearray(100 << 30)", limits=Limits(memory_bytes=512 << 20))
    needs(run, "memory")
    refused(run, "MemoryError")


def test_shared_memory_that_the_kernel_limit_does_not_count_is_seen_by_the_parent() -> None:
    run = confined(
        "import mmap, time\nm = mmap.mmap(-1, 300 << 20)\nfor i in range(300): m.write(bytes(1 << 20))\ntime.sleep(30)",
        limits=Limits(memory_bytes=100 << 20, wall_seconds=20),
    )
    assert run.outcome == "memory_limit"
    assert run.peak_memory_bytes > 100 << 20


def test_sleeping_past_the_wall_limit_ends_the_run_soon() -> None:
    began = time.monotonic()
    run = confined(
        "import time, signal; signal.signal(15, signal.SIG_IGN); time.sleep(60)", limits=Limits(wall_seconds=0.5)
    )
    assert run.outcome == "wall_limit"
    assert time.monotonic() - began < 10
    assert "longer than its limit of 0.5 seconds" in run.why()
    assert children_of_ours() == set()


def test_spinning_past_the_cpu_limit_ends_the_run() -> None:
    run = confined("while True: pass", limits=Limits(cpu_seconds=1, wall_seconds=30))
    assert run.outcome == "cpu_limit"
    run = confined(
        "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass", limits=Limits(cpu_seconds=1)
    )
    assert run.outcome == "killed"  # the hard limit cannot be ignored


def test_an_endless_answer_is_cut_off() -> None:
    run = confined("while True: print('x' * 100000)", limits=Limits(output_bytes=1 << 20, wall_seconds=20))
    assert run.outcome == "output_limit"
    assert len(run.output) < 2 << 20


def test_an_endless_log_is_bounded() -> None:
    code = "import sys\nfor i in range(300): sys.stderr.write('y' * 1000000)\nsys.stderr.write('\\nlast')"
    run = confined(code, limits=Limits(wall_seconds=30))
    assert run.log[-1] == "last"
    assert len(run.log) <= 200
    assert all(len(line) <= 2000 for line in run.log)


def test_when_the_caller_dies_the_run_dies() -> None:
    code = (
        "import sys, os, threading, time\n"
        "from sealwright.engines import run_confined\n"
        "threading.Timer(1.0, lambda: os.kill(os.getpid(), 9)).start()\n"
        "run_confined([sys.executable, '-c', \"import time; time.sleep(97.25)\"])\n"
    )
    environment = {"PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    subprocess.run([sys.executable, "-c", code], timeout=30, check=False, env=environment, capture_output=True)
    deadline = time.monotonic() + 5
    while (left := processes_with("97.25")) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []


# --- what the kernel does not allow is said


def test_the_report_lists_every_promise_once() -> None:
    run = confined("pass")
    assert tuple(measure.name for measure in run.report.measures) == MEASURES
    assert run.report.to_json()["limits"]["memory_bytes"] == 4 << 30


@pytest.mark.parametrize(
    ("without", "lost"),
    [
        (["landlock"], {"files"}),
        (["seccomp"], {"local_sockets", "new_processes", "system_calls"}),
        (["seccomp", "net_namespace"], {"local_sockets", "new_processes", "system_calls", "network"}),
        (["scratch_in_memory"], {"scratch"}),
        (["limits"], {"memory", "cpu_time"}),
        (["capabilities"], {"privileges"}),
    ],
)
def test_a_promise_the_kernel_does_not_keep_is_reported(without: list[str], lost: set[str]) -> None:
    usual = set(confined("pass").report.not_enforced)
    run = confined("pass", without=without)
    assert set(run.report.not_enforced) == usual | lost
    for measure in run.report.measures:
        if measure.name in lost - usual:
            assert "switched off by the caller" in measure.how


def test_with_landlock_off_the_file_is_readable_so_the_refusals_above_are_its_doing(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(SECRET)
    run = confined(f"print(open({str(tmp_path / 'key')!r}).read())", without=["landlock"])
    assert SECRET.encode() in run.output
    assert "files" in run.report.not_enforced


def test_a_required_promise_that_cannot_be_kept_stops_the_run_before_it_starts(tmp_path: Path) -> None:
    with pytest.raises(ConfinementIncomplete, match="files: landlock: switched off by the caller"):
        confined("print('ran')", require=["files", "network"], without=["landlock"])
    with pytest.raises(InvalidInput, match="no promise of a confinement"):
        confined("pass", require=["fiels"])
    with pytest.raises(InvalidInput, match="no mechanism of a confinement"):
        confined("pass", without=["sandbox"])


def test_nothing_holding_means_nothing_promised_but_what_the_parent_does_itself() -> None:
    kept = {measure.name for measure in measures_of({}, "") if measure.enforced}
    assert kept == {"wall_time", "environment"}


def test_limits_above_zero_only() -> None:
    with pytest.raises(InvalidInput, match="above 0"):
        Limits(memory_bytes=0)


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_every_refused_call_reaches_the_refusal(machine: str) -> None:
    """Runs the filter program by hand: each listed number ends in EPERM, a thread and a read are allowed."""
    from sealwright.engines import syscall_filter as module

    column = ["x86_64", "aarch64"].index(machine)
    arch = [0xC000003E, 0xC00000B7][column]
    program = filter_program(machine)
    assert program is not None
    eperm, enosys, allow, kill = 0x50001, 0x50026, 0x7FFF0000, 0x80000000
    for name in refused_calls():
        number = module._REFUSED[name][column]
        if number is not None:
            assert answer(program, arch, number) == eperm, name
    clone = (56, 220)[column]
    assert answer(program, arch, clone, 0x11) == eperm
    assert answer(program, arch, clone, 0x3D0F00) == allow  # what pthread_create passes
    assert answer(program, arch, 435) == enosys
    assert answer(program, arch, (0, 63)[column]) == allow  # read
    assert answer(program, 0x40000003, 1) == kill  # another architecture's table
    if machine == "x86_64":
        assert answer(program, arch, 0x40000000 | 41) == enosys
    assert filter_program("riscv64") is None


def answer(program: bytes, arch: int, number: int, argument: int = 0) -> int:
    """A BPF machine small enough to trust: the five instructions the filter uses."""
    import struct

    data = struct.pack("=IIQQ", number, arch, 0, argument)
    here = register = 0
    while True:
        code, yes, no, value = struct.unpack_from("=HBBI", program, here * 8)
        here += 1
        if code == 0x20:
            register = struct.unpack_from("=I", data, value)[0]
        elif code == 0x06:
            return int(value)
        else:
            holds = {0x15: register == value, 0x35: register >= value, 0x45: bool(register & value)}[code]
            here += yes if holds else no


def test_runs_leave_no_descriptor_open() -> None:
    confined("pass")
    gc.collect()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        confined("pass")
    with pytest.raises(ConfinementIncomplete):
        confined("pass", require=["files"], without=["landlock"])
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def children_of_ours() -> set[int]:
    from sealwright.engines.process_tree import descendants

    return {one for one in descendants(os.getpid()) if "confined_start" in command_of(one)}


def command_of(process: int | str) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def processes_with(word: str) -> list[str]:
    return [p.name for p in Path("/proc").iterdir() if p.name.isdigit() and word in command_of(p.name)]


def sleepers() -> set[str]:
    return set(processes_with("time.sleep(120)"))
