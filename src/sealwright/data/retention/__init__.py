"""Retention: how long data may stay, what must stay longer, and what has to go.

Answers: which snapshots are past their limit, and which of them are on hold?
Does not answer: how they are removed; `data.dispose_snapshot` does that. Who may decide a hold.
Names load on first use.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sealwright.data.retention.holds import Hold, Holds
    from sealwright.data.retention.rules import Judged, Stored, Verdict, judge, limit_of, past_limit

_HOME = {
    "holds": ("Hold", "Holds"),
    "rules": ("Judged", "Stored", "Verdict", "judge", "limit_of", "past_limit"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "Hold",
    "Holds",
    "Judged",
    "Stored",
    "Verdict",
    "judge",
    "limit_of",
    "past_limit",
]


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"sealwright.data.retention has no {name!r}")
    value = getattr(importlib.import_module(f"sealwright.data.retention.{module}"), name)  # noqa: TID251
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
