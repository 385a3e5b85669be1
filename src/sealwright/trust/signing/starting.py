"""A signer of a command's own: a process that is started with one socket, and told over a pipe what opens its keys."""

import contextlib
import os
import socket
import subprocess
import sys
from pathlib import Path

from sealwright.trust.signing.errors import SignerUnavailable
from sealwright.trust.signing.opening import Opening

__all__ = ["lent", "start_signer"]

_BOOT = (
    "import sys, runpy; place = sys.argv.pop(1); place in sys.path or sys.path.insert(0, place); "
    "runpy.run_module('sealwright.trust.signing', run_name='__main__', alter_sys=True)"
)
_ENVIRONMENT = {"PATH": os.defpath, "LANG": "C.UTF-8"}

_lent: "list[subprocess.Popen[bytes]]" = []  # signers that live on with a server they were lent to


def lent(process: "subprocess.Popen[bytes]") -> None:
    """Keep a signer that lives on, so that nobody waits for it and it is tidied up when it has ended."""
    _lent.append(process)


def start_signer(opening: Opening) -> "tuple[subprocess.Popen[bytes], socket.socket]":
    """A new signer process, told over a pipe what opens its keys, and a socket to it.

    Raises
    ------
    SignerUnavailable
        None can be started.
    """
    while _lent and _lent[0].poll() is not None:
        _lent.pop(0)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    place = str(Path(__file__).resolve().parents[3])
    with contextlib.closing(theirs):
        try:
            process = subprocess.Popen(
                [sys.executable, "-I", "-c", _BOOT, place, "--line-fd", str(theirs.fileno())],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=_ENVIRONMENT,
                cwd="/",
                process_group=0,  # Ctrl-C reaches us first, and we may still have something to sign
            )
        except OSError as error:
            ours.close()
            raise SignerUnavailable(f"A signer could not be started: {error.strerror}.") from None
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
        pipe.write(opening.to_bytes())
    return process, ours
