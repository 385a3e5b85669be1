"""Running code nobody has read: no network, no files of ours, bounded in memory, time and processes.

Answers: how is a program started so that it can compute and answer, and do nothing else? Namespaces, Landlock,
seccomp, limits, an empty environment, three pipes; the whole tree of processes ends with the call.
Does not answer: whether what it answered is true. Output is untrusted bytes; the caller parses them strictly.

Where the kernel lacks a mechanism the run goes on and the report says which promise is not kept, unless the
caller names that promise in `require`: then nothing is started.
"""

import contextlib
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Self

from sealwright.engines.confinement import (
    MEASURES,
    Confined,
    ConfinementIncomplete,
    ConfinementReport,
    Limits,
    Measure,
    Outcome,
    kernel_and_machine,
    landlock_rules,
    measures_of,
)
from sealwright.engines.pipes import Pipes, clean
from sealwright.engines.process_tree import descendants, usage
from sealwright.engines.syscall_filter import filter_program
from sealwright.kernel import InvalidInput, OperationFailed

__all__ = ["Confined", "ConfinementIncomplete", "ConfinementReport", "Limits", "Measure", "run_confined"]

_START = Path(__file__).with_name("confined_start.py")
_TICK = 0.05  # seconds between looks at memory and threads
_START_SECONDS = 30.0
_MECHANISMS = frozenset(
    {"user_namespace", "net_namespace", "pid_namespace", "ipc_namespace", "mount_namespace", "uts_namespace"}
    | {"scratch_in_memory", "landlock", "seccomp", "limits", "capabilities", "no_new_privileges"}
)


def run_confined(
    argv: Sequence[str],
    *,
    stdin: bytes | Iterable[bytes | memoryview] = b"",
    limits: Limits | None = None,
    read_only: Sequence[Path] = (),
    hidden: Sequence[Path] = (),
    environment: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] | None = None,
    require: Collection[str] = (),
    without: Collection[str] = (),
) -> Confined:
    """Run a program in confinement, feed it, and collect what it answers.

    Parameters
    ----------
    argv : sequence of str
        The program, by absolute path, and its arguments. `sys.executable` may import this package.
    stdin : bytes or iterable of bytes
        Written to its standard input as it reads; a program that stops reading is not an error.
    limits : Limits, optional
        Bounds on memory (bytes), CPU and wall time (seconds), output (bytes), scratch (bytes), threads.
    read_only : sequence of Path
        Folders or files it may read besides the interpreter, the system's libraries and this package.
    hidden : sequence of Path
        Must not lie under anything readable: the workspace, for instance.
    environment : mapping, optional
        Variables it gets besides HOME, TMPDIR and LANG. Nothing is inherited.
    on_line : callable, optional
        Gets each line of standard error, cleaned of control characters, at most 2,000 characters long.
    require : collection of str
        Promises (`MEASURES`) without which nothing may start.
    without : collection of str
        Mechanisms to leave out, to see what a lesser kernel would give; the report says so.

    Returns
    -------
    Confined
        How it ended, its output and what was enforced. A program that fails or reaches a limit does not raise.

    Raises
    ------
    ConfinementIncomplete
        A promise in `require` cannot be kept on this machine.
    InvalidInput, Refused
        Not an absolute path; an unknown name in `require` or `without`; a hidden path would be readable.
    OperationFailed
        The confinement itself could not be started.
    """
    limits = limits or Limits()
    _refuse_unknown(require, MEASURES, "promise")
    _refuse_unknown(without, _MECHANISMS, "mechanism")
    if not argv or not Path(argv[0]).is_absolute():
        raise InvalidInput("A confined program is named by its absolute path.")
    with tempfile.TemporaryDirectory(prefix="sealwright-", ignore_cleanup_errors=True) as scratch:
        settings = {
            "argv": list(argv),
            "env": _environment(scratch, environment or {}),
            "rules": landlock_rules(argv[0], Path(scratch), read_only, hidden),
            "filter": _filter_text(),
            "limits": _kernel_limits(limits),
            "scratch": scratch,
            "scratch_bytes": limits.scratch_bytes,
            "without": sorted(without),
        }
        with _Run(settings, limits) as run:
            report = run.shut_doors()
            missing = [measure for measure in report.measures if measure.name in require and not measure.enforced]
            if missing:
                raise ConfinementIncomplete(missing)
            return run.watch(stdin, on_line, report)


def _refuse_unknown(names: Collection[str], known: Collection[str], what: str) -> None:
    if unknown := sorted(set(names) - set(known)):
        raise InvalidInput(f"{unknown[0]!r} is no {what} of a confinement. Known are: {', '.join(sorted(known))}.")


def _filter_text() -> str | None:
    program = filter_program(platform.machine())
    return program.hex() if program else None


def _environment(scratch: str, wanted: Mapping[str, str]) -> dict[str, str]:
    package = Path(__file__).resolve().parent.parent.parent
    base = {"HOME": scratch, "TMPDIR": scratch, "LANG": "C.UTF-8", "PATH": "", "PYTHONDONTWRITEBYTECODE": "1"}
    base |= {"PYTHONNOUSERSITE": "1", "PYTHONSAFEPATH": "1", "PYTHONHASHSEED": "0", "DO_NOT_TRACK": "1"}
    if str(package) in sys.path and package.name != "site-packages":
        base["PYTHONPATH"] = str(package)
    return base | dict(wanted)


def _kernel_limits(limits: Limits) -> dict[str, int]:
    """By name of RLIMIT_*. DATA counts private memory; AS is only a backstop, threads reserve much they never use."""
    return {
        "DATA": limits.memory_bytes,
        "AS": 2 * limits.memory_bytes + (16 << 30),
        "CPU": limits.cpu_seconds,
        "FSIZE": limits.scratch_bytes,
        "NOFILE": 256,
        "NPROC": limits.threads,
        "CORE": 0,
        "MSGQUEUE": 0,
    }


class _Run:
    """One run from start to the certain end of everything it started."""

    def __init__(self, settings: dict[str, Any], limits: Limits) -> None:
        self._limits = limits
        self._control, theirs = socket.socketpair()
        settings["control"] = theirs.fileno()
        command = [sys.executable, "-I", "-S", "-B", str(_START), json.dumps(settings)]
        self._began = time.monotonic()
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={},
                cwd="/",
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
                bufsize=0,
            )
        except OSError as error:
            self._control.close()
            raise OperationFailed(f"A confined process could not be started: {error.strerror}.") from None
        finally:
            theirs.close()
        self._words = b""
        self._inside = 0  # number of the confined process, once it said so

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        self._control.close()
        for stream in self._streams():
            stream.close()

    def _streams(self) -> tuple[IO[bytes], IO[bytes], IO[bytes]]:
        process = self._process
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise OperationFailed("A confined process was started without its pipes.")
        return process.stdin, process.stdout, process.stderr

    def _end(self) -> None:
        """Kill the starter; process 1 of the namespace dies with it, and the kernel ends the rest."""
        if self._process.poll() is None:
            for _ in range(20):  # without a process namespace a forking program needs more than one look
                victims = descendants(self._process.pid)[1:]  # the first collects the others, and goes last
                for victim in reversed(victims):
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.kill(victim, signal.SIGKILL)
                if not victims:
                    break
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _word(self) -> dict[str, Any] | None:
        """The next line from inside, if it is there or arrives before the socket's timeout."""
        while b"\n" not in self._words:
            try:
                more = self._control.recv(1 << 16)
            except (TimeoutError, BlockingIOError):
                return None
            if not more:
                return None
            self._words += more
        line, _, self._words = self._words.partition(b"\n")
        found: dict[str, Any] = json.loads(line)
        return found

    def shut_doors(self) -> ConfinementReport:
        """Wait until every measure was tried; the program waits for our go-ahead."""
        self._control.settimeout(_START_SECONDS)
        facts = self._word()
        if facts is None:
            self._end()
            last = self._streams()[2].read(4096).decode(errors="replace").strip().splitlines()[-1:]
            raise OperationFailed(f"The confinement could not be set up: {clean(' '.join(last)) or 'no answer'}.")
        self._inside = int(facts["process"])
        kernel, machine = kernel_and_machine()
        measures = measures_of(facts["found"], facts["landlock"])
        return ConfinementReport(kernel=kernel, machine=machine, measures=measures, limits=self._limits)

    def watch(
        self,
        stdin: bytes | Iterable[bytes | memoryview],
        on_line: Callable[[str], None] | None,
        report: ConfinementReport,
    ) -> Confined:
        """Let it go, feed it, listen, and end it when it reaches a limit."""
        pipes = Pipes(self._streams(), stdin, on_line, self._limits.output_bytes)
        pipes.wake_at_end_of(self._process.pid)
        began = time.monotonic()
        self._control.send(b"g")
        self._control.settimeout(0.0)
        reached: Outcome | None = None
        peak, cpu = 0, 0.0
        while reached is None and self._process.poll() is None:
            pipes.turn(_TICK)
            resident, threads, spent = usage(self._inside)
            peak, cpu = max(peak, resident), max(cpu, spent)
            if pipes.overflowed:
                reached = "output_limit"
            elif time.monotonic() - began > self._limits.wall_seconds:
                reached = "wall_limit"
            elif resident > self._limits.memory_bytes:
                reached = "memory_limit"
            elif threads > self._limits.threads:
                reached = "thread_limit"
        self._end()
        pipes.drain()
        last = self._word() or {}
        outcome, code, number = _ending(reached or ("output_limit" if pipes.overflowed else None), last.get("status"))
        return Confined(
            outcome=outcome,
            exit_status=code,
            signal=number,
            output=bytes(pipes.output),
            log=tuple(pipes.log),
            wall_seconds=time.monotonic() - began,
            cpu_seconds=max(cpu, float(last.get("cpu", 0.0))),
            peak_memory_bytes=max(peak, int(last.get("peak", 0))),
            report=report,
        )


def _ending(reached: Outcome | None, status: int | None) -> tuple[Outcome, int | None, int | None]:
    """Outcome, exit status and signal from what we did and what process 1 reported."""
    if reached is not None:
        return reached, None, None
    if status is None:
        return "killed", None, int(signal.SIGKILL)
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return ("cpu_limit" if number == signal.SIGXCPU else "killed"), None, number
    code = os.WEXITSTATUS(status)
    return ("finished" if code == 0 else "failed"), code, None
