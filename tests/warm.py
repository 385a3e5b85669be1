"""The program `sealwright`, started already: one process that has imported what commands need, and forks for each.

A command run this way is a process of its own, with its own arguments, variables, folder, descriptors and exit status;
what it does not do is import everything again, which is most of the time of a small command. What is about the start
of the program itself (light imports, output before anything is imported, signals) starts it for real instead.

    python warm.py PLACE              the process that waits at the socket PLACE
    python -I -S warm.py PLACE …      one command: hands over what it was started with, and ends as the command does
"""

import array
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NoReturn, Self

__all__ = ["Warm"]

_GOES_ON = (
    "control",
    "serve",
    "signer",
    "up",
    "watch",
    "witness",
)  # not over in a moment: processes that start for real
_MOST = 1 << 20
_FAR = 500  # our own descriptors lie from here on, out of the way of those a command was given
_OTHERS = (  # what commands import late
    "numpy",
    "onnx",
    "pyarrow.compute",
    "pyarrow.csv",
    "pyarrow.dataset",
    "pyarrow.parquet.encryption",
    "scipy.optimize",
    "scipy.stats",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sklearn.metrics",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.dialects.sqlite",
)
_READY_FOR_FORKS = {"jemalloc_bg_thd"}  # of pyarrow's allocator, which begins it anew in a fork
_ROOMS = (
    "doors.cli",
    "pipeline",
    "oversight",
    "assurance",
    "data",
    "registry",
    "evidence",
    "charter",
    "trust",
    "engines",
)


class Warm:
    """The waiting process: it begins with the first command, and ends with the block."""

    of_this_session: ClassVar["Warm"]

    def __init__(self, folder: Path) -> None:
        self._place = folder / "warm.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.communicate(timeout=20)  # it ends when its standard input does

    def program(self) -> list[str]:
        """What to start in place of `sealwright`, with the same arguments."""
        if self._process is None:
            environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
            command = [sys.executable, __file__, str(self._place)]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
            assert self._process.stdout is not None
            assert self._process.stdout.readline() == b"ready\n"
        return [sys.executable, "-I", "-S", __file__, str(self._place)]

    def run(
        self, arguments: Sequence[str], *, environment: Mapping[str, str], folder: Path, timeout: float = 240
    ) -> "subprocess.CompletedProcess[str]":
        """One command to its end."""
        return subprocess.run(
            [*self.program(), *arguments],
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )

    def write_program(self, file: Path) -> None:
        """A script that is `sealwright` for a shell: what goes on for long is started for real, all else handed over."""
        real = f"exec {sys.executable} -c 'from sealwright.doors.cli import main; main()' \"$@\""
        warm = f'exec {" ".join(self.program())} "$@"'
        file.write_text(f'#!/bin/sh\ncase "$1" in {"|".join(_GOES_ON)}) {real} ;; esac\n{warm}\n')
        file.chmod(0o755)


# ---- one command, in the process that was started for it


def _hand_over(place: str, arguments: list[str]) -> NoReturn:
    """Give the waiting process everything this one was started with, and end as the command did."""
    line = _away(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    numbered = (int(one.name) for one in list(Path("/proc/self/fd").iterdir()))
    descriptors = sorted(number for number in numbered if number < _FAR and _is_open(number))
    line.connect(place)
    mask = os.umask(0o077)
    said = {"arguments": arguments, "environment": dict(os.environ), "folder": str(Path.cwd()), "mask": mask}
    data = json.dumps(said | {"descriptors": descriptors}).encode()
    numbers = array.array("i", descriptors)
    line.sendmsg([len(data).to_bytes(4, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, numbers)])
    line.sendall(data)
    child = int(line.makefile("rb").readline())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda which, _: os.kill(child, which))
    answer = b""
    while more := line.recv(64):
        answer += more
    status = int(answer or b"1")
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


def _away(line: socket.socket) -> socket.socket:
    import fcntl

    with line:
        return socket.socket(fileno=fcntl.fcntl(line.fileno(), fcntl.F_DUPFD_CLOEXEC, _FAR))


def _is_open(descriptor: int) -> bool:
    with contextlib.suppress(OSError):
        os.fstat(descriptor)
        return True
    return False


# ---- the waiting process


def _wait(place: str) -> None:
    """Import, say that we are ready, and fork for each command until our standard input ends."""
    import gc
    import select

    from sealwright.doors.cli import app

    _import_all()
    app.program()
    threads = {(one / "comm").read_text().strip() for one in Path("/proc/self/task").iterdir()}
    ours = Path("/proc/self/comm").read_text().strip()
    assert threads <= {ours} | _READY_FOR_FORKS, "a thread is not there in a fork"
    gc.collect()
    gc.freeze()
    listening = _away(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    listening.bind(place)
    listening.listen(64)
    print("ready", flush=True)
    running: dict[int, socket.socket] = {}
    woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        lines = {line.fileno(): pid for pid, line in running.items()}
        ready, _, _ = select.select([0, listening, woken, *lines], [], [])
        if 0 in ready:
            return
        if woken in ready:
            os.read(woken, 4096)
        for gone in (lines[one] for one in lines if one in ready):  # whoever waited for it was killed
            with contextlib.suppress(ProcessLookupError):
                os.kill(gone, signal.SIGKILL)
        while running and (ended := os.waitpid(-1, os.WNOHANG))[0]:
            with running.pop(ended[0]) as line, contextlib.suppress(OSError):
                line.sendall(b"%d" % os.waitstatus_to_exitcode(ended[1]))
        if listening in ready:
            line = _away(listening.accept()[0])
            size, numbers = _first(line)
            said = json.loads(_exactly(line, size))
            child = os.fork()
            if not child:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _become(said, numbers)
            for number in numbers:
                os.close(number)
            line.sendall(b"%d\n" % child)
            running[child] = line


def _import_all() -> None:
    import importlib
    import pkgutil

    def names() -> Iterator[str]:
        for room in _ROOMS:
            top = importlib.import_module(f"sealwright.{room}")
            yield from (found.name for found in pkgutil.walk_packages(top.__path__, f"sealwright.{room}."))
        yield from _OTHERS

    for name in names():
        if not any(part in name for part in ("__main__", "adapters", "child", "migrations", "_start")):
            with contextlib.suppress(ImportError):
                importlib.import_module(name)


def _first(line: socket.socket) -> tuple[int, list[int]]:
    size, hidden, _, _ = line.recvmsg(4, socket.CMSG_SPACE(253 * 4))
    numbers = array.array("i")
    for _, _, data in hidden:
        numbers.frombytes(data)
    return int.from_bytes(size, "big"), list(numbers)


def _exactly(line: socket.socket, size: int) -> bytes:
    assert size <= _MOST
    data = b""
    while len(data) < size:
        data += line.recv(size - len(data))
    return data


def _become(said: dict[str, Any], given: list[int]) -> NoReturn:
    """Be the command that was handed over, in this fork."""
    import atexit
    import fcntl
    import threading

    from sealwright.doors.cli import main

    far = [fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, _FAR) for number in given]
    os.closerange(0, _FAR)
    for number, wanted in zip(far, said["descriptors"], strict=True):
        os.dup2(number, wanted)
    os.closerange(_FAR, 2 * _FAR)
    os.environ.clear()
    os.environ.update(said["environment"])
    os.chdir(said["folder"])
    os.umask(said["mask"])
    sys.argv = ["sealwright", *said["arguments"]]
    sys.stdin, sys.stdout = open(0), open(1, "w")  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace")  # noqa: SIM115
    status = 1
    try:
        main()
    except SystemExit as ended:
        status = int(ended.code or 0)
    except BaseException:  # noqa: BLE001 - as Python does at the end of a program
        import traceback

        traceback.print_exc()
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(status)


if __name__ == "__main__":
    _place, *_arguments = sys.argv[1:]
    if sys.flags.isolated:
        _hand_over(_place, _arguments)
    _wait(_place)
