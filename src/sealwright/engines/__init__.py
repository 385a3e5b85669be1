"""Mechanism only: the database port, shared counters, confined child processes, work spread out, outbound requests.

Answers: how is something kept, how is untrusted code run, how are many jobs done at once, and how does a request leave?
Knows nothing of models, data or people.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sealwright.engines.compute import Compute, Do, Material, Serial, Work, cores
    from sealwright.engines.compute_child import serve
    from sealwright.engines.compute_processes import Processes
    from sealwright.engines.compute_ray import RayCluster
    from sealwright.engines.confine import run_confined
    from sealwright.engines.confinement import (
        MEASURES,
        Confined,
        ConfinementIncomplete,
        ConfinementReport,
        Limits,
        Measure,
    )
    from sealwright.engines.counters import NOTHING, Amount, Ask, Counters, CountersSilent, Grant, Quota
    from sealwright.engines.counters_file import FileCounters
    from sealwright.engines.counters_memory import MemoryCounters
    from sealwright.engines.counters_redis import RedisCounters, RedisPlace, read_redis_place
    from sealwright.engines.database import Database, Row, Tx, open_database
    from sealwright.engines.destinations import Destination, read_destination
    from sealwright.engines.outbound import Outbound, OutboundRules, Pinned
    from sealwright.engines.outbound_errors import OutboundFailed, OutboundRefused
    from sealwright.engines.pinned_exchange import Answer
    from sealwright.engines.syscall_filter import filter_program

__all__ = [
    "Amount",
    "Answer",
    "Ask",
    "MEASURES",
    "Compute",
    "Confined",
    "ConfinementIncomplete",
    "ConfinementReport",
    "Counters",
    "CountersSilent",
    "Database",
    "Destination",
    "Do",
    "FileCounters",
    "Grant",
    "Limits",
    "Material",
    "Measure",
    "MemoryCounters",
    "NOTHING",
    "Outbound",
    "OutboundFailed",
    "OutboundRefused",
    "OutboundRules",
    "Pinned",
    "Processes",
    "Quota",
    "RayCluster",
    "RedisCounters",
    "RedisPlace",
    "Row",
    "Serial",
    "Tx",
    "Work",
    "cores",
    "filter_program",
    "open_database",
    "read_destination",
    "read_redis_place",
    "run_confined",
    "serve",
]

_DATABASE = frozenset({"Database", "Row", "Tx", "open_database"})
_OUTBOUND = frozenset({"Outbound", "OutboundRules", "Pinned"})
_COUNTERS = frozenset({"Amount", "Ask", "Counters", "CountersSilent", "Grant", "NOTHING", "Quota"})
_COMPUTE = frozenset({"Compute", "Do", "Material", "Serial", "Work", "cores"})


def __getattr__(name: str) -> Any:
    """Import on first use: SQLAlchemy is not needed to print a help page."""
    if name not in __all__:
        raise AttributeError(name)
    if name in _DATABASE:
        from sealwright.engines import database as module
    elif name in _COMPUTE:
        from sealwright.engines import compute as module  # type: ignore[no-redef]
    elif name in _COUNTERS:
        from sealwright.engines import counters as module  # type: ignore[no-redef]
    elif name == "MemoryCounters":
        from sealwright.engines import counters_memory as module  # type: ignore[no-redef]
    elif name == "FileCounters":
        from sealwright.engines import counters_file as module  # type: ignore[no-redef]
    elif name in ("RedisCounters", "RedisPlace", "read_redis_place"):
        from sealwright.engines import counters_redis as module  # type: ignore[no-redef]
    elif name in _OUTBOUND:
        from sealwright.engines import outbound as module  # type: ignore[no-redef]
    elif name in ("Destination", "read_destination"):
        from sealwright.engines import destinations as module  # type: ignore[no-redef]
    elif name in ("OutboundFailed", "OutboundRefused"):
        from sealwright.engines import outbound_errors as module  # type: ignore[no-redef]
    elif name == "Answer":
        from sealwright.engines import pinned_exchange as module  # type: ignore[no-redef]
    elif name == "serve":
        from sealwright.engines import compute_child as module  # type: ignore[no-redef]
    elif name == "Processes":
        from sealwright.engines import compute_processes as module  # type: ignore[no-redef]
    elif name == "RayCluster":
        from sealwright.engines import compute_ray as module  # type: ignore[no-redef]
    elif name == "filter_program":
        from sealwright.engines import syscall_filter as module  # type: ignore[no-redef]
    elif name == "run_confined":
        from sealwright.engines import confine as module  # type: ignore[no-redef]
    else:
        from sealwright.engines import confinement as module  # type: ignore[no-redef]
    return getattr(module, name)
