"""What a process that holds keys does to itself before it reads them.

Answers: what cannot be taken out of this process, and what can it no longer do?
No core file, no look from outside by others of the same user, files for us only. After it is set up: no new socket, no
new process, no tracing, by the same system-call filter that untrusted code runs under (x86_64 and aarch64 Linux).
"""

import ctypes
import os
import resource
from collections.abc import Collection

from sealwright.engines import filter_program

__all__ = ["guard_memory", "shut_doors"]

_PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 4, 22, 38
_FILTER = 2


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


def guard_memory() -> None:
    """No core dumps, and no reading of this process's memory by others of the same user (Linux)."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    except (OSError, AttributeError):
        return  # another system: the limit above still holds


def shut_doors(*, allowed: Collection[str] = ()) -> bool:
    """Refuse this process sockets, processes and tracing from now on. False where the kernel does not offer it.

    `allowed` are system calls it needs after all, by their names.
    """
    program = filter_program(os.uname().machine, allowed=allowed)
    if program is None:
        return False
    try:
        prctl = ctypes.CDLL(None, use_errno=True).prctl
    except (OSError, AttributeError):
        return False
    unsigned = ctypes.c_ulong
    if prctl(_PR_SET_NO_NEW_PRIVS, unsigned(1), unsigned(0), unsigned(0), unsigned(0)):
        return False
    filled = _Program(len(program) // 8, program)
    return not prctl(_PR_SET_SECCOMP, unsigned(_FILTER), ctypes.byref(filled), unsigned(0), unsigned(0))
