"""Why a model exists, who answers for it, how much may depend on it, and what it must reach.

Answers: what was promised, by whom, and was it promised before the results were known?
Does not answer: whether the promise was kept. The gate in `evidence` decides that.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sealwright.charter.freeze import CHARTER_TYPE, FrozenCharter, charter_subjects, freeze_charter, read_charter
    from sealwright.charter.model import CharterSpec, Objective, RiskClass

__all__ = [
    "CHARTER_TYPE",
    "CharterSpec",
    "FrozenCharter",
    "Objective",
    "RiskClass",
    "charter_subjects",
    "freeze_charter",
    "read_charter",
]

_MODEL = frozenset({"CharterSpec", "Objective", "RiskClass"})


def __getattr__(name: str) -> Any:
    """Import on first use: pydantic is not needed to print a help page."""
    if name not in __all__:
        raise AttributeError(name)
    if name in _MODEL:
        from sealwright.charter import model as module
    else:
        from sealwright.charter import freeze as module  # type: ignore[no-redef]
    return getattr(module, name)
