"""The same jobs give the same answers in this process, in processes of this machine, and on a Ray cluster."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sealwright.engines import Compute, Processes, RayCluster, Serial, Work
from sealwright.kernel import InvalidInput, MissingExtra, OperationFailed, Refused

_NOTHING: dict[str, bytes] = {}


def _answers(engine: Compute, work: Work, jobs: list[bytes], material: dict[str, bytes] | None = None) -> list[bytes]:
    """Answers in the order of the jobs."""
    said = dict(engine.map(work, material or _NOTHING, jobs))
    return [said[position] for position in range(len(jobs))]


def test_every_job_is_answered_once_and_knows_its_place(engine: Compute, work: Work) -> None:
    jobs = [b"echo %d" % place for place in range(20)]
    found = list(engine.map(work, _NOTHING, jobs))
    assert sorted(found) == [(place, b"%d" % place) for place in range(20)]


def test_material_reaches_every_worker_whole(engine: Compute, work: Work) -> None:
    material = {"rows": bytes(3 << 20) + b"end", "none": b""}
    found = _answers(engine, work, [b"rows a", b"none b", b"rows c"], material)
    assert [one.split(b":")[0::2] for one in found] == [[b"a", b"end"], [b"b", b""], [b"c", b"end"]]


def test_the_caller_hears_when_a_job_begins(engine: Compute, work: Work) -> None:
    begun: list[int] = []
    for position, _ in engine.map(work, _NOTHING, [b"echo x"] * 5, begun.append):
        assert position in begun
    assert sorted(begun) == [0, 1, 2, 3, 4]


def test_nothing_to_do_is_done_at_once(engine: Compute, work: Work) -> None:
    assert list(engine.map(work, _NOTHING, [])) == []


def test_a_refusal_keeps_its_kind_and_its_words(engine: Compute, work: Work) -> None:
    with pytest.raises(Refused, match=r"^Not this one.\nDo another.$"):
        _answers(engine, work, [b"echo a", b"refuse", *[b"wait 0.01"] * 50])


def test_the_engine_works_again_after_an_error(engine: Compute, work: Work) -> None:
    with pytest.raises(Refused):
        _answers(engine, work, [b"refuse"])
    assert _answers(engine, work, [b"echo again"]) == [b"again"]


@pytest.mark.parametrize("kind", ["processes", pytest.param("ray", marks=pytest.mark.slow)])
def test_a_fault_in_a_worker_is_told_with_its_place(request, work: Work, kind: str) -> None:
    other = request.getfixturevalue("cluster") if kind == "ray" else Processes(2)
    with pytest.raises(OperationFailed, match=r"(?s)failed on a job.*small_jobs\.py.*a fault of ours"):
        _answers(other, work, [b"fail"])
    with pytest.raises(OperationFailed, match=r"(?s)ended with status 9 before it answered.*last words"):
        _answers(other, work, [b"die"])


@pytest.mark.parametrize("kind", ["processes", pytest.param("ray", marks=pytest.mark.slow)])
def test_a_worker_gets_none_of_our_variables_and_its_share_of_the_cores(request, work, kind, monkeypatch) -> None:
    other = request.getfixturevalue("cluster") if kind == "ray" else Processes(2)
    monkeypatch.setenv("SEALWRIGHT_KEY_FILE", "/root.key")
    (found,) = _answers(other, work, [b"variables"])
    assert b"SEALWRIGHT_" not in found
    assert b"OPENBLAS_NUM_THREADS=1" in found
    assert b"OMP_NUM_THREADS=" in found


def test_two_workers_are_two_processes_that_end_with_the_call(work: Work) -> None:
    said = set(_answers(Processes(2), work, [b"process"] * 2 + [b"wait 0.2"] * 2 + [b"process"] * 8))
    workers = {int(one) for one in said if one.isdigit()}
    assert 1 <= len(workers) <= 2
    assert os.getpid() not in workers
    assert not any(Path(f"/proc/{one}").exists() for one in workers)


def test_leaving_early_ends_the_workers_at_once(work: Work) -> None:
    running = Processes(2).map(work, _NOTHING, [b"process", *[b"wait 30"] * 4])
    _, first = next(running)
    began = time.monotonic()
    running.close()
    assert time.monotonic() - began < 5
    assert not Path(f"/proc/{int(first)}").exists()


_KILLED = """
import sys
sys.path.insert(0, sys.argv[1])
from sealwright.engines import Processes, Work
for _, answer in Processes(1).map(Work(module="small_jobs", prepare=None), {"rows": b"abc"}, [b"process", b"wait 60"]):
    print(answer.decode(), flush=True)
"""


def test_workers_and_their_material_go_when_their_parent_is_killed(work: Work) -> None:
    path = str(Path(__file__).parent / "workers")
    with subprocess.Popen([sys.executable, "-c", _KILLED, path], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        held = [str(one.readlink()) for one in Path(f"/proc/{worker}/fd").iterdir()]
        assert any("memfd:sealwright-rows" in one for one in held)  # anonymous memory: there is no file to be left
        parent.send_signal(signal.SIGKILL)
    until = time.monotonic() + 10
    while Path(f"/proc/{worker}").exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not Path(f"/proc/{worker}").exists()


def test_a_program_beside_the_working_folder_is_not_mistaken_for_a_library(work, tmp_path, monkeypatch) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit(7)")
    monkeypatch.chdir(tmp_path)
    assert _answers(Processes(1), work, [b"echo safe"]) == [b"safe"]


def test_no_workers_are_refused() -> None:
    with pytest.raises(InvalidInput, match="at least one worker; got 0"):
        Processes(0)


def test_serial_work_stays_in_this_process(work: Work) -> None:
    assert _answers(Serial(), work, [b"process"]) == [str(os.getpid()).encode()]


def test_without_ray_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra, match=r"Ray cluster needs libraries.*\n.*pip install 'sealwright\[ray\]'"):
        RayCluster()


def test_a_ray_that_was_imported_before_is_not_opened_to_the_network(work: Work, monkeypatch) -> None:
    class Imported:
        def is_initialized(self) -> bool:
            return False

    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    monkeypatch.setitem(sys.modules, "ray", Imported())
    with pytest.raises(Refused, match=r"would listen on the network.\nStart your own with ray.init"):
        _answers(RayCluster(1), work, [b"echo"])


_LOOPBACK = {  # as the kernel writes them: 127.0.0.1, the same inside IPv6, and ::1
    "0100007F",
    "0000000000000000FFFF00000100007F",
    "00000000000000000000000001000000",
}


@pytest.mark.slow
def test_a_cluster_of_our_own_listens_on_the_loopback_only(cluster: RayCluster) -> None:
    import ray

    home = Path(ray._private.worker._global_node.get_session_dir_path()).parents[1]
    assert home.stat().st_mode & 0o077 == 0  # Ray's own folder in it is open to everybody
    ours = {
        int(one.name) for one in Path("/proc").iterdir() if one.name.isdigit() and str(home).encode() in _command(one)
    }
    assert len(ours) >= 3
    targets = {str(file.readlink()) for one in ours for file in _files(one)}
    sockets = {target[8:-1] for target in targets if target.startswith("socket:[")}
    tables = [Path(f"/proc/net/{kind}").read_text().splitlines()[1:] for kind in ("tcp", "tcp6")]
    listening = [line.split() for table in tables for line in table]
    places = {fields[1].split(":")[0] for fields in listening if fields[3] == "0A" and fields[9] in sockets}
    assert places
    assert places <= _LOOPBACK


def _command(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


def _files(process: int) -> list[Path]:
    try:
        return [one for one in Path(f"/proc/{process}/fd").iterdir() if one.is_symlink()]
    except OSError:
        return []
