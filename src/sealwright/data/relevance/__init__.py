"""Relevance: is the data recent enough for its purpose, and did what it tells change while it was collected?

Answers: how old are the rows, is the whole stale, which columns drifted between periods?
Does not answer: whether a change matters to a model. Monitoring compares with what is served.
Names load on first use; measuring needs the extra `build`.
"""

import importlib
from typing import TYPE_CHECKING, Any

from sealwright.data.relevance_spec import RelevanceSpec
from sealwright.kernel import MissingExtra

if TYPE_CHECKING:
    from sealwright.data.relevance.age import Age, DataStale, age_of, refuse_stale
    from sealwright.data.relevance.drift import Drift, drift_between_periods
    from sealwright.data.relevance.report import RelevanceReport, assess_relevance

_HOME = {
    "age": ("Age", "DataStale", "age_of", "refuse_stale"),
    "drift": ("Drift", "drift_between_periods"),
    "report": ("RelevanceReport", "assess_relevance"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "Age",
    "DataStale",
    "Drift",
    "RelevanceReport",
    "RelevanceSpec",
    "age_of",
    "assess_relevance",
    "drift_between_periods",
    "refuse_stale",
]


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"sealwright.data.relevance has no {name!r}")
    try:
        value = getattr(importlib.import_module(f"sealwright.data.relevance.{module}"), name)  # noqa: TID251
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in {"pyarrow", "scipy", "sklearn"}:
            raise MissingExtra("Measuring relevance", "build") from None
        raise
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
