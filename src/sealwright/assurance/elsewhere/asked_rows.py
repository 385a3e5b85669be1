"""What somebody may ask about single rows: how many, and toward which outcome."""

from typing import Any

import numpy as np

from sealwright.assurance.interface import Interface
from sealwright.assurance.spec import class_text
from sealwright.kernel import InvalidInput

__all__ = ["goal_named", "refuse_number"]

_MOST_ROWS = 1_000


def goal_named(wanted: Any, interface: Interface) -> str | None:
    """The outcome wanted, as classes are written; None where none was named."""
    goal = None if wanted is None else class_text(wanted.item() if isinstance(wanted, np.generic) else wanted)
    if goal is not None and goal not in interface.classes:
        raise InvalidInput(f"wanted is {goal!r}; the model's outcomes are {', '.join(interface.classes) or 'numbers'}.")
    return goal


def refuse_number(n: int, what: str) -> None:
    """Refuse to explain none, or more than anybody reads."""
    if not 1 <= n <= _MOST_ROWS:
        raise InvalidInput(f"There are {n:,} {what} to explain; at least one and at most {_MOST_ROWS:,} can be.")
