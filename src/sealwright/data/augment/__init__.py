"""Made-up rows for groups that are too small: drawn from what a group's columns look like, measured, marked for ever.

Answers: which rows could stand in training, how like real ones they are, whether they help, and whether they are somebody?
Does not answer: who is missing; that is `data.diversity`. Made-up rows add no knowledge about people nobody asked.
Names load on first use: everything but the spec needs the extra `build`.
"""

import importlib
from typing import TYPE_CHECKING, Any

from sealwright.kernel import MissingExtra

if TYPE_CHECKING:
    from sealwright.data.augment.errors import TooClose, TooFewToLearnFrom
    from sealwright.data.augment.identifiers import PREFIX
    from sealwright.data.augment.making import Made, MadeGroup, make_rows
    from sealwright.data.augment.measuring import augment, judge, refuse_too_close
    from sealwright.data.augment.report import (
        Area,
        Augmented,
        Closeness,
        ColumnFidelity,
        Compared,
        Fidelity,
        PairFidelity,
        Usefulness,
    )
    from sealwright.data.augment.spec import AugmentGroup, AugmentSpec

_HOME = {
    "errors": ("TooClose", "TooFewToLearnFrom"),
    "identifiers": ("PREFIX",),
    "making": ("Made", "MadeGroup", "make_rows"),
    "measuring": ("augment", "judge", "refuse_too_close"),
    "report": (
        "Area",
        "Augmented",
        "Closeness",
        "ColumnFidelity",
        "Compared",
        "Fidelity",
        "PairFidelity",
        "Usefulness",
    ),
    "spec": ("AugmentGroup", "AugmentSpec"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "PREFIX",
    "Area",
    "AugmentGroup",
    "AugmentSpec",
    "Augmented",
    "Closeness",
    "ColumnFidelity",
    "Compared",
    "Fidelity",
    "Made",
    "MadeGroup",
    "PairFidelity",
    "TooClose",
    "TooFewToLearnFrom",
    "Usefulness",
    "augment",
    "judge",
    "make_rows",
    "refuse_too_close",
]


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"sealwright.data.augment has no {name!r}")
    try:
        value = getattr(importlib.import_module(f"sealwright.data.augment.{module}"), name)  # noqa: TID251
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in {"imblearn", "numpy", "pyarrow", "scipy", "sklearn"}:
            raise MissingExtra("Making rows up", "build") from None
        raise
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
