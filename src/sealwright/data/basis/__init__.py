"""Lawful basis and purpose: why data about persons may be held, and what it may be used for.

Answers: is every column covered by a basis, and was it collected for what the model is for?
Does not answer: whether one person agreed; that is `consent`. Whether a basis is a good one; a person signs for that.
Names load on first use.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sealwright.data.basis.compatibility import (
        FACTORS,
        OFFICER,
        Compatibility,
        Weighed,
        dataset_digest,
        make_compatibility,
        purpose_digest,
        verify_compatibility,
    )
    from sealwright.data.basis.errors import BasisMissing, PurposeNotCovered
    from sealwright.data.basis.model import BasisSpec, Retention
    from sealwright.data.basis.ropa import RopaField, RopaRecord, ropa_record, unstated_record
    from sealwright.data.basis.ropa_formats import DISCLAIMER, ropa_csv, ropa_html
    from sealwright.data.basis.rules import (
        ColumnGroup,
        Ground,
        check_basis,
        check_purpose,
        column_groups,
        gaps_of,
        ground_of,
        uncovered_by,
    )
    from sealwright.data.basis.statement import (
        DATA_BASIS_TYPE,
        FiledBasis,
        basis_predicate,
        basis_subjects,
        read_basis,
    )
    from sealwright.data.basis.words import BASES, CONDITIONS, SECURITY_OF_THE_SYSTEM

_HOME = {
    "compatibility": (
        "FACTORS",
        "OFFICER",
        "Compatibility",
        "Weighed",
        "dataset_digest",
        "make_compatibility",
        "purpose_digest",
        "verify_compatibility",
    ),
    "errors": ("BasisMissing", "PurposeNotCovered"),
    "model": ("BasisSpec", "Retention"),
    "ropa": ("RopaField", "RopaRecord", "ropa_record", "unstated_record"),
    "ropa_formats": ("DISCLAIMER", "ropa_csv", "ropa_html"),
    "rules": (
        "ColumnGroup",
        "Ground",
        "check_basis",
        "check_purpose",
        "column_groups",
        "gaps_of",
        "ground_of",
        "uncovered_by",
    ),
    "statement": ("DATA_BASIS_TYPE", "FiledBasis", "basis_predicate", "basis_subjects", "read_basis"),
    "words": ("BASES", "CONDITIONS", "SECURITY_OF_THE_SYSTEM"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "BASES",
    "BasisMissing",
    "BasisSpec",
    "CONDITIONS",
    "ColumnGroup",
    "Compatibility",
    "DATA_BASIS_TYPE",
    "DISCLAIMER",
    "FACTORS",
    "FiledBasis",
    "Ground",
    "OFFICER",
    "PurposeNotCovered",
    "Retention",
    "RopaField",
    "RopaRecord",
    "SECURITY_OF_THE_SYSTEM",
    "Weighed",
    "basis_predicate",
    "basis_subjects",
    "check_basis",
    "check_purpose",
    "column_groups",
    "dataset_digest",
    "gaps_of",
    "ground_of",
    "make_compatibility",
    "purpose_digest",
    "read_basis",
    "ropa_csv",
    "ropa_html",
    "ropa_record",
    "uncovered_by",
    "unstated_record",
    "verify_compatibility",
]


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"sealwright.data.basis has no {name!r}")
    value = getattr(importlib.import_module(f"sealwright.data.basis.{module}"), name)  # noqa: TID251
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
