"""Mechanism only: the database port and confined child processes.

Answers: how is something kept, and how is untrusted code run? Knows nothing of models, data or people.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

__all__ = [
    "MEASURES",
    "Confined",
    "ConfinementIncomplete",
    "ConfinementReport",
    "Database",
    "Limits",
    "Measure",
    "Row",
    "Tx",
    "open_database",
    "run_confined",
]

_DATABASE = frozenset({"Database", "Row", "Tx", "open_database"})


def __getattr__(name: str) -> Any:
    """Import on first use: SQLAlchemy is not needed to print a help page."""
    if name not in __all__:
        raise AttributeError(name)
    if name in _DATABASE:
        from sealwright.engines import database as module
    elif name == "run_confined":
        from sealwright.engines import confine as module  # type: ignore[no-redef]
    else:
        from sealwright.engines import confinement as module  # type: ignore[no-redef]
    return getattr(module, name)
