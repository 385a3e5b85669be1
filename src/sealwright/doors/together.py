"""The processes of one machine, started and ended together: signer, control, and a prediction server.

Answers: in which order do they start, and what happens if one of them ends? Each starts when the one before it is ready. If
one ends by itself, all end, and the caller hears which; on Ctrl-C or SIGTERM they end in the opposite order. If whoever
started them is killed, the kernel tells each to end. Nobody is restarted here: a service manager does that, for the whole.
"""

import contextlib
import ctypes
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sealwright.kernel import OperationFailed

__all__ = ["Plan", "end_with", "run_together"]

_CODE = "from sealwright.doors.together import end_with; end_with({}); from sealwright.doors.cli import main; main()"
_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_PATIENCE_SECONDS = 40.0  # a server finishes what it began, up to 30 s


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One process: a verb of ours with its arguments. It prints one JSON object when it is ready."""

    name: Literal["signer", "control", "predict"]
    arguments: Sequence[str]


def run_together(
    plans: Sequence[Plan],
    *,
    environment: Mapping[str, str],
    passphrase: str | None,
    ready: Callable[[dict[str, Any]], None],
) -> None:
    """Run all of them until Ctrl-C or SIGTERM, or until one ends by itself.

    Parameters
    ----------
    passphrase : str, optional
        What opens the workspace, if a passphrase does: each process reads it from a pipe of its own, never from arguments.
    ready : callable
        Called once with what each printed, by its name, when all answer.

    Raises
    ------
    OperationFailed
        One did not start, or ended by itself. Its own words stand on standard error.
    """
    over: queue.SimpleQueue[str] = queue.SimpleQueue()
    before = {number: signal.signal(number, lambda *_: over.put("")) for number in (signal.SIGINT, signal.SIGTERM)}
    running: list[tuple[Plan, subprocess.Popen[str]]] = []
    try:
        facts: dict[str, Any] = {}
        for plan in plans:
            process = _started(plan, environment, passphrase)
            running.append((plan, process))
            facts[plan.name] = _announced(plan, process)
            threading.Thread(target=_watch, args=(plan, process, over), daemon=True).start()
            if not over.empty():
                break
        else:
            ready(facts)
        ended = over.get()
        if ended:
            raise OperationFailed(f"The process {ended} ended by itself, so all of them end. It says why above.")
    finally:
        _end(running)
        for number, handler in before.items():
            signal.signal(number, handler)


def end_with(parent: int) -> None:
    """In a process just started: end in good order when `parent` is no more, however it ended."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("Whoever started this process has ended already.")


def _started(plan: Plan, environment: Mapping[str, str], passphrase: str | None) -> "subprocess.Popen[str]":
    """A session of its own, so that Ctrl-C on the terminal reaches it by us, in its turn."""
    given = dict(environment)
    handles: tuple[int, ...] = ()
    reading = writing = -1
    if passphrase is not None:
        reading, writing = os.pipe()
        given["SEALWRIGHT_PASSPHRASE_FD"], handles = str(reading), (reading,)
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", _CODE.format(os.getpid()), *plan.arguments, "--json"],
            env=given,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=handles,
            start_new_session=True,
        )
        if passphrase is not None:
            os.write(writing, passphrase.encode())
    finally:
        for handle in (reading, writing):
            if handle >= 0:
                os.close(handle)
    return process


def _announced(plan: Plan, process: "subprocess.Popen[str]") -> Any:
    """What it prints when it is ready.

    Raises
    ------
    OperationFailed
        It ended before that.
    """
    text = ""
    assert process.stdout is not None
    for line in process.stdout:
        text += line
        with contextlib.suppress(ValueError):
            return json.loads(text)
    raise OperationFailed(f"The process {plan.name} did not start (status {process.wait()}). It says why above.")


def _watch(plan: Plan, process: "subprocess.Popen[str]", over: "queue.SimpleQueue[str]") -> None:
    process.wait()
    over.put(plan.name)


def _end(running: Sequence[tuple[Plan, "subprocess.Popen[str]"]]) -> None:
    """The last one first; who does not end in time is killed."""
    for _, process in reversed(running):
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
