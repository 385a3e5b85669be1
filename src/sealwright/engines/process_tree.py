"""What a process and everything below it use, from /proc."""

import contextlib
import os
import resource
from pathlib import Path

__all__ = ["descendants", "usage"]

_MOST = 10_000


def descendants(process: int) -> list[int]:
    """Processes started by `process`, directly or not, parents before their children."""
    found: list[int] = []
    waiting = [process]
    while waiting and len(found) < _MOST:
        with contextlib.suppress(OSError):  # it may end while we look
            for folder in Path(f"/proc/{waiting.pop()}/task").glob("*/children"):
                children = [int(word) for word in folder.read_text().split()]
                found += children
                waiting += children
    return found


def usage(process: int) -> tuple[int, int, float]:
    """Resident bytes, threads and CPU seconds of a process and everything below it; zeros once it is gone."""
    resident = threads = ticks = 0
    for one in (process, *descendants(process)):
        with contextlib.suppress(OSError, IndexError, ValueError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            resident += int(fields[21]) * resource.getpagesize()
            threads += int(fields[17])
            ticks += int(fields[11]) + int(fields[12])
    return resident, threads, ticks / os.sysconf("SC_CLK_TCK")
