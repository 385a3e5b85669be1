"""What a process that holds keys does before it reads them: no core file, no look from outside."""

import ctypes
import resource

__all__ = ["guard_memory", "raise_open_files"]

_PR_SET_DUMPABLE = 4


def guard_memory() -> None:
    """No core dumps, and no reading of this process's memory by others of the same user (Linux)."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    except (OSError, AttributeError):
        return  # another system: the limit above still holds


def raise_open_files() -> None:
    """Allow as many connections as the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
