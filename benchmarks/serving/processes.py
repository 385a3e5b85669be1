"""A server as the machine sees it: all its processes, where they run, what they use.

Answers: how much processor time and memory did this server take, with every process it started?
A server is started in a session of its own; all of the session counts, and all whom its processes started, whatever
session those made for themselves. Linux only (/proc).
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

__all__ = ["busy", "children", "cpu_seconds", "members", "on_cores", "pin", "pss_mib", "start", "stop"]

_TICK = os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def on_cores(cores: Iterable[int]) -> Iterator[None]:
    """Whatever is started in this block stays on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def start(command: list[str], environment: dict[str, str], log: Path) -> "subprocess.Popen[bytes]":
    """A process in a session of its own; what it says goes to `log`."""
    with log.open("wb") as stream:
        return subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, start_new_session=True,
            cwd=log.parent,
        )  # fmt: skip


def stop(process: "subprocess.Popen[bytes]", seconds: float = 10.0) -> None:
    """Ask all of its processes to end, then insist."""
    left = {pid: _born(pid) for pid in members(process.pid)}  # before a parent ends and its children are lost
    for way in (signal.SIGTERM, signal.SIGKILL):
        until = time.monotonic() + seconds
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, way)
        while left and time.monotonic() < until:
            process.poll()
            left |= {pid: _born(pid) for pid in members(process.pid)}
            left = {pid: born for pid, born in left.items() if born and _born(pid) == born}
            time.sleep(0.02)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(1.0)  # it has ended; take note of that


def members(leader: int) -> list[int]:
    """The living processes of a session, and their descendants."""
    parent_of, found = {}, set()
    for pid, fields in _all():
        if fields[0] != "Z":
            parent_of[pid] = int(fields[1])
            if int(fields[3]) == leader:
                found.add(pid)
    while more := {pid for pid, parent in parent_of.items() if parent in found} - found:
        found |= more
    return sorted(found)


def children(parent: int) -> list[int]:
    """The processes it started and has not lost."""
    return [pid for pid, fields in _all() if int(fields[1]) == parent and fields[0] != "Z"]


def pin(pids: Iterable[int], cores: Iterable[int]) -> None:
    """Put every thread of running processes on these cores."""
    wanted = set(cores)
    for pid in pids:
        with contextlib.suppress(OSError):
            for thread in Path(f"/proc/{pid}/task").iterdir():
                os.sched_setaffinity(int(thread.name), wanted)


def cpu_seconds(pids: Iterable[int]) -> float:
    """Processor time that these processes have used."""
    return sum(int(fields[11]) + int(fields[12]) for pid in pids if (fields := _fields(pid))) / _TICK


def pss_mib(pids: Iterable[int]) -> float:
    """Their memory, shared pages counted by share."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def busy() -> float:
    """Seconds all cores have worked since the machine started, in programs and in the kernel on their behalf.

    Interrupts are left out: those of the loopback network are the benchmark's own and belong to no process.
    """
    user, nice, system, _idle, _wait, _hard, _soft, steal = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    )
    return (user + nice + system + steal) / _TICK


def _all() -> Iterator[tuple[int, list[str]]]:
    for place in Path("/proc").iterdir():
        if place.name.isdigit() and (fields := _fields(int(place.name))):
            yield int(place.name), fields


def _fields(pid: int) -> list[str]:
    """What stands behind the name in /proc/PID/stat, from the state on; [] when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return []


def _born(pid: int) -> str:
    """When a living process started, in ticks; "" when it is gone. Tells it from a later one of the same number."""
    fields = _fields(pid)
    return fields[19] if fields and fields[0] != "Z" else ""
