"""How a serving process is started and how it says that it answers: the same for the first one and for its workers.

Its settings, with the keys in them, go over a pipe; a second pipe brings one line back.
"""

import fcntl
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from msgspec.structs import replace

from sealwright.kernel import OperationFailed, Refused, SealwrightError, VerificationFailed
from sealwright.serving.config import MOST_CONFIG_BYTES, ServeConfig

__all__ = ["ENVIRONMENT", "StartFailed", "StartRefused", "command", "hand_over", "spawn"]

# The child runs the code its starter runs. Where that is installed, isolated mode finds it by itself.
_BOOT = (
    "import sys, runpy; place = sys.argv.pop(1); place in sys.path or sys.path.insert(0, place); "
    "runpy.run_module('sealwright.serving', run_name='__main__', alter_sys=True)"
)
ENVIRONMENT = {
    "PATH": os.defpath,
    "LANG": "C.UTF-8",
    "PYTHONUNBUFFERED": "1",
    "MALLOC_ARENA_MAX": "1",  # glibc: an arena for each thread holds 7 MB more and saves no time
    "OPENBLAS_NUM_THREADS": "1",  # numpy would start a thread for every core, for products that are never asked for
}
_USUAL_PIPE = 60_000  # bytes that fit its buffer


class StartFailed(OperationFailed):
    """The serving process did not come up; the message is what it said."""

    code = "serving.start_failed"


class StartRefused(Refused):
    """The serving process did not accept its settings, or another one serves already."""

    code = "serving.start_refused"


def spawn(
    config: ServeConfig, descriptors: Sequence[int], *, ready_seconds: float, stderr: IO[bytes] | int | None = None
) -> tuple["subprocess.Popen[bytes]", tuple[int, int | None], int]:
    """Start a serving process and wait until it answers: the process, its ports, and the pipe with whose end it ends.

    Parameters
    ----------
    descriptors : sequence of int
        What it inherits.

    Raises
    ------
    StartFailed
        It did not become ready in time, or ended without a word.
    VerificationFailed, StartRefused
        What it said when it refused to start.
    """
    config_out, lifeline = os.pipe()
    status_out, status_in = os.pipe()
    process = None
    try:
        try:
            process = subprocess.Popen(
                command(config_out, status_in),
                pass_fds=(config_out, status_in, *descriptors),
                env=ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stderr=stderr,
                cwd="/",
                start_new_session=True,  # Ctrl-C reaches us first; we then stop it in order
            )
        finally:
            os.close(config_out)
            os.close(status_in)
        hand_over(lifeline, replace(config, lifeline=True).checked())
        ports = _ports_when_ready(process, status_out, ready_seconds)
    except BaseException:
        os.close(lifeline)
        if process is not None and process.poll() is None:
            process.kill()
            process.wait()
        raise
    finally:
        os.close(status_out)
    return process, ports, lifeline


def command(config_fd: int, status_fd: int | None) -> list[str]:
    """Isolated mode: no user site, no PYTHON* variables, no current folder; only the folder we were loaded from."""
    home = str(Path(__file__).resolve().parents[2])
    words = [sys.executable, "-I", "-c", _BOOT, home, "--config-fd", str(config_fd)]
    return words if status_fd is None else [*words, "--status-fd", str(status_fd)]


def hand_over(descriptor: int, config: ServeConfig) -> None:
    """Write the settings into a pipe, which holds them until they are read.

    Raises
    ------
    InvalidInput
        They do not fit.
    """
    data = config.to_bytes()
    if len(data) > _USUAL_PIPE:
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, MOST_CONFIG_BYTES + 4)
    os.write(descriptor, len(data).to_bytes(4, "big") + data)  # fits the pipe's buffer, so it does not block


def _ports_when_ready(process: "subprocess.Popen[bytes]", status: int, seconds: float) -> tuple[int, int | None]:
    """What a process says when it answers: its port, and that of gRPC.

    Raises
    ------
    StartFailed
        It did not become ready in time, or ended without a word.
    VerificationFailed, StartRefused
        What it said when it refused to start.
    """
    said, until = b"", time.monotonic() + seconds
    while not said.endswith(b"\n"):
        readable, _, _ = select.select([status], [], [], max(0.0, until - time.monotonic()))
        if not readable:
            raise StartFailed(f"The server did not become ready within {seconds:g} seconds. See its messages above.")
        chunk = os.read(status, 65_536)
        if not chunk:
            raise StartFailed(
                f"The server ended while starting (exit status {process.wait()}). See its messages above."
            )
        said += chunk
    facts = json.loads(said)
    if "port" in facts:
        return int(facts["port"]), facts["grpc_port"]
    raise _as_error(facts)


def _as_error(facts: dict[str, object]) -> SealwrightError:
    """The child's refusal as an error of the same exit status."""
    message, status = str(facts["message"]), facts["exit_code"]
    if status == VerificationFailed.exit_code:
        return VerificationFailed(message, link=str(facts["link"]))
    return StartRefused(message) if status == StartRefused.exit_code else StartFailed(message)
