"""Mechanism only: the database port, confined child processes, and work spread over cores and machines.

Answers: how is something kept, how is untrusted code run, and how are many jobs done at once? Knows nothing of models,
data or people.
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
    from sealwright.engines.database import Database, Row, Tx, open_database
    from sealwright.engines.syscall_filter import filter_program

__all__ = [
    "MEASURES",
    "Compute",
    "Confined",
    "ConfinementIncomplete",
    "ConfinementReport",
    "Database",
    "Do",
    "Limits",
    "Material",
    "Measure",
    "Processes",
    "RayCluster",
    "Row",
    "Serial",
    "Tx",
    "Work",
    "cores",
    "filter_program",
    "open_database",
    "run_confined",
    "serve",
]

_DATABASE = frozenset({"Database", "Row", "Tx", "open_database"})
_COMPUTE = frozenset({"Compute", "Do", "Material", "Serial", "Work", "cores"})


def __getattr__(name: str) -> Any:
    """Import on first use: SQLAlchemy is not needed to print a help page."""
    if name not in __all__:
        raise AttributeError(name)
    if name in _DATABASE:
        from sealwright.engines import database as module
    elif name in _COMPUTE:
        from sealwright.engines import compute as module  # type: ignore[no-redef]
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
