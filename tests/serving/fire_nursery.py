"""Starts serving processes by forking, in a tenth of the time, on a disk that can be told to fail. Run by test_under_fire.

python fire_nursery.py LINE FAULT      LINE: descriptor of a Unix socket; FAULT: a file whose first byte says what the disk does

Each message on the socket is the settings of one serving process, with two descriptors: its line to the signer, and a pipe
on which it says its port. The answer is its pid. The child runs `serve` as `python -m sealwright.serving` does.

The disk fails where a process meets it, in the calls of `os`: this process is the machine, our own code is untouched.
Only files of serving are met, as if they lay on a disk of their own.
"""

import errno
import json
import mmap
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import onnxruntime  # noqa: F401 - loaded once, for all children
from msgspec.structs import replace

import sealwright.serving.adapters.onnx  # noqa: F401 - the same
from sealwright.kernel import Clock, SealwrightError, system_clock
from sealwright.serving import ServeConfig
from sealwright.serving.server import serve

WELL, FULL, READ_ONLY, BROKEN, NO_SYNC, NO_JOURNAL, SLOW = b"-", b"F", b"R", b"E", b"Y", b"J", b"S"
HANGING = b"H"
_SLOW_SECONDS, _HANGING_SECONDS = 0.03, 1.2
_MOST = 1 << 20


@dataclass(frozen=True, slots=True)
class _Disk:
    """What the file FAULT says the disk does."""

    said: mmap.mmap

    def meets(self, handle: int) -> bytes:
        """What happens to a call on this descriptor."""
        mode = self.said[:1]
        if mode == WELL:
            return WELL
        return mode if "/serving/" in str(Path(f"/proc/self/fd/{handle}").readlink()) else WELL

    def install(self) -> None:
        """Put it between this process and the system."""
        write, pwrite, cut, sync, data_sync = os.write, os.pwrite, os.ftruncate, os.fsync, os.fdatasync

        def failing(call: Callable[..., Any]) -> Callable[..., Any]:
            def met(handle: int, *rest: Any) -> Any:
                mode = self.meets(handle)
                if mode == FULL and call is write and len(rest[0]) > 1:
                    call(handle, rest[0][: len(rest[0]) // 2])  # the first half still fits
                if mode == FULL and call in (write, pwrite):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                if mode == READ_ONLY and call in (write, pwrite, cut):
                    raise OSError(errno.EROFS, os.strerror(errno.EROFS))
                broken = {
                    BROKEN: (write, pwrite, sync, data_sync),
                    NO_SYNC: (sync, data_sync),
                    NO_JOURNAL: (pwrite, cut),
                }
                if call in broken.get(mode, ()):
                    raise OSError(errno.EIO, os.strerror(errno.EIO))
                if mode == SLOW:
                    time.sleep(_SLOW_SECONDS)
                if mode == HANGING and call in (sync, data_sync):
                    time.sleep(_HANGING_SECONDS)
                return call(handle, *rest)

            return met

        os.write, os.pwrite, os.ftruncate = failing(write), failing(pwrite), failing(cut)
        os.fsync, os.fdatasync = failing(sync), failing(data_sync)


def fast_clock(times: float) -> Clock:
    """A clock on which a day passes in a few seconds."""
    begun, at = datetime.now(UTC), time.monotonic()
    return lambda: begun + timedelta(seconds=(time.monotonic() - at) * times)


def main() -> None:
    line = socket.socket(fileno=int(sys.argv[1]))
    with Path(sys.argv[2]).open("r+b") as file:
        _Disk(mmap.mmap(file.fileno(), 1)).install()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        data, handles, _, _ = socket.recv_fds(line, _MOST, 2)
        if not data:
            return
        child = os.fork()
        if child == 0:
            line.close()
            os._exit(_serve(json.loads(data), *handles))
        for handle in handles:
            os.close(handle)
        line.sendall(child.to_bytes(4, "big"))


def _serve(asked: dict[str, Any], signer: int, status: int) -> int:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    config = replace(ServeConfig.from_bytes(asked["config"].encode()), signer_fd=signer)
    clock = fast_clock(asked["speed"]) if asked["speed"] != 1 else system_clock
    try:
        serve(config, ready=lambda port, grpc: _say(status, {"port": port, "grpc_port": grpc}), clock=clock)
    except SealwrightError as error:
        _say(status, {"code": error.code, "message": str(error)})
        return error.exit_code
    return 0


def _say(status: int, facts: dict[str, object]) -> None:
    os.write(status, json.dumps(facts).encode() + b"\n")


if __name__ == "__main__":
    main()
