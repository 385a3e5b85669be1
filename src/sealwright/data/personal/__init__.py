"""Find personal data: in the names of columns, in their cells, in any text.

Answers: where do data about persons stand, what kind are they, how sure is that, and does the contract know?
Does not answer: may they be used. And a scanner that found nothing has not shown that nothing is there: what it
misses on a known set is declared, and every report carries that declaration.
Names load on first use; scanning tables needs the extra `build`.
"""

import importlib
from typing import TYPE_CHECKING, Any

from sealwright.kernel import MissingExtra

if TYPE_CHECKING:
    from sealwright.data.personal.declared import DeclaredRecall, KindMeasured, declared_recall
    from sealwright.data.personal.model import (
        KINDS,
        ColumnReport,
        Finding,
        Kind,
        PersonalDataReport,
        ScanSettings,
        Span,
    )
    from sealwright.data.personal.policy import (
        PersonalDataUnclassified,
        Unclassified,
        refuse_unclassified,
        unclassified,
    )
    from sealwright.data.personal.scanning import scan
    from sealwright.data.personal.text import find_in_text, mask_text

__all__ = [
    "KINDS",
    "ColumnReport",
    "DeclaredRecall",
    "Finding",
    "Kind",
    "KindMeasured",
    "PersonalDataReport",
    "PersonalDataUnclassified",
    "ScanSettings",
    "Span",
    "Unclassified",
    "declared_recall",
    "find_in_text",
    "mask_text",
    "refuse_unclassified",
    "scan",
    "unclassified",
]

_HOME = {
    "declared": ("DeclaredRecall", "KindMeasured", "declared_recall"),
    "model": ("KINDS", "ColumnReport", "Finding", "Kind", "PersonalDataReport", "ScanSettings", "Span"),
    "policy": ("PersonalDataUnclassified", "Unclassified", "refuse_unclassified", "unclassified"),
    "scanning": ("scan",),
    "text": ("find_in_text", "mask_text"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"sealwright.data.personal has no {name!r}")
    try:
        value = getattr(importlib.import_module(f"sealwright.data.personal.{module}"), name)  # noqa: TID251
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in {"pyarrow", "phonenumbers"}:
            raise MissingExtra("Finding personal data", "build") from None
        raise
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
