"""What the serving process does about its own resources. How it guards its memory: `trust.guard_memory`."""

import ctypes
import resource
from functools import cache
from typing import Any

__all__ = ["give_back_memory", "raise_open_files"]


def raise_open_files() -> None:
    """Allow as many connections as the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def give_back_memory() -> None:
    """Hand what large requests left free in the allocator back to the system: 0.1 ms, or 1.5 ms after many of them.

    glibc keeps it otherwise. Where there is another C library, nothing happens.
    """
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Any:
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
