"""Where a server keeps its callers' counters: chosen when it is started."""

from pathlib import Path
from typing import Literal

import msgspec

from sealwright.engines import Counters, FileCounters, MemoryCounters, RedisCounters, read_redis_place

__all__ = ["Counting", "open_counters"]

_MOST = 50_000


class Counting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`file`: all processes of this channel on this machine. `redis`: all machines. `memory`: one process, until it ends."""

    where: Literal["file", "redis", "memory"] = "file"
    redis: str = ""  # path of the private file that says where Redis is


def open_counters(counting: Counting, *, folder: Path, name: str) -> Counters:
    """The counters of one channel.

    Parameters
    ----------
    folder : Path
        The channel's own; the file is kept there.
    name : str
        Tells this channel's counters from others in one Redis, e.g. "ws_1/credit/live".

    Raises
    ------
    SealwrightError
        They cannot be used, and why.
    """
    if counting.where == "memory":
        return MemoryCounters(most=_MOST)
    if counting.where == "file":
        return FileCounters(folder / "budgets.db", most=_MOST)
    return RedisCounters(read_redis_place(Path(counting.redis)), prefix=f"sealwright:{name}:")
