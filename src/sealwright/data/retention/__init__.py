"""Retention and disposal: how long data may stay, what must stay longer, and the proof that the rest is gone.

Answers: which snapshots are past their limit, which of them are on hold, and what was disposed of?
Does not answer: how keys of persons are destroyed, or who may decide a hold.
Names load on first use.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sealwright.data.retention.disposal import DisposalReceipt, Dispose, remove_snapshot
    from sealwright.data.retention.holds import Hold, Holds
    from sealwright.data.retention.rules import Judged, Stored, Verdict, judge, limit_of, past_limit

_HOME = {
    "disposal": ("Dispose", "DisposalReceipt", "remove_snapshot"),
    "holds": ("Hold", "Holds"),
    "rules": ("Judged", "Stored", "Verdict", "judge", "limit_of", "past_limit"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "Dispose",
    "DisposalReceipt",
    "Hold",
    "Holds",
    "Judged",
    "Stored",
    "Verdict",
    "judge",
    "limit_of",
    "past_limit",
    "remove_snapshot",
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
