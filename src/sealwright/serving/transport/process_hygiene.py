"""What the serving process does before it opens a port. How it guards its memory: `trust.guard_memory`."""

import resource

__all__ = ["raise_open_files"]


def raise_open_files() -> None:
    """Allow as many connections as the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
