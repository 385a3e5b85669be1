"""Models that may come in, packages that are sealed, and pointers that say which one serves.

Answers: is this file a model and nothing else, is this package what was sealed and let through,
and what serves where, since when, until when?
Does not answer: how good a model is (`assurance`), or whether a policy lets it through (`evidence`).
Names load on first use, so importing the room costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sealwright.registry.admission import (
        AdmissionLimits,
        AdmissionReport,
        ModelRefused,
        admit_onnx,
        check_structure,
    )
    from sealwright.registry.bom import build_bom
    from sealwright.registry.card import build_card
    from sealwright.registry.change import PackageRevoked
    from sealwright.registry.folder import ReadLimits, open_trusted_files
    from sealwright.registry.model import (
        Candidate,
        PackageParts,
        PointerFacts,
        Revocation,
        RevocationList,
        SealedPackage,
        VerifiedPackage,
        Version,
    )
    from sealwright.registry.opened.ensemble import ensemble_of
    from sealwright.registry.opened.opening import Opened, open_model
    from sealwright.registry.opened.set_apart import SetApart, set_apart
    from sealwright.registry.opened.source import (
        Linear,
        Link,
        Rows,
        Source,
        Trees,
        Unreadable,
        column_values,
        matrix_of,
    )
    from sealwright.registry.package import build_candidate, seal
    from sealwright.registry.pointer import (
        POINTER_TYPE,
        REVOCATION_TYPE,
        PointerExpired,
        PointerOlder,
        read_pointer,
        verify_pointer,
        verify_revocations,
    )
    from sealwright.registry.reasons import Reason
    from sealwright.registry.recovery import DatabaseOlder
    from sealwright.registry.service import Registry
    from sealwright.registry.verify import verify_files, verify_package

_HOME = {
    "admission": ("AdmissionLimits", "AdmissionReport", "ModelRefused", "admit_onnx", "check_structure"),
    "bom": ("build_bom",),
    "card": ("build_card",),
    "change": ("PackageRevoked",),
    "folder": ("ReadLimits", "open_trusted_files"),
    "model": (
        "Candidate",
        "PackageParts",
        "PointerFacts",
        "Revocation",
        "RevocationList",
        "SealedPackage",
        "VerifiedPackage",
        "Version",
    ),
    "opened.ensemble": ("ensemble_of",),
    "opened.opening": ("Opened", "open_model"),
    "opened.set_apart": ("SetApart", "set_apart"),
    "opened.source": ("Linear", "Link", "Rows", "Source", "Trees", "Unreadable", "column_values", "matrix_of"),
    "package": ("build_candidate", "seal"),
    "pointer": (
        "POINTER_TYPE",
        "REVOCATION_TYPE",
        "PointerExpired",
        "PointerOlder",
        "read_pointer",
        "verify_pointer",
        "verify_revocations",
    ),
    "reasons": ("Reason",),
    "recovery": ("DatabaseOlder",),
    "service": ("Registry",),
    "verify": ("verify_files", "verify_package"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "POINTER_TYPE",
    "REVOCATION_TYPE",
    "AdmissionLimits",
    "AdmissionReport",
    "Candidate",
    "DatabaseOlder",
    "Linear",
    "Link",
    "ModelRefused",
    "Opened",
    "PackageParts",
    "PackageRevoked",
    "PointerExpired",
    "PointerFacts",
    "PointerOlder",
    "ReadLimits",
    "Reason",
    "Registry",
    "Revocation",
    "RevocationList",
    "Rows",
    "SealedPackage",
    "SetApart",
    "Source",
    "Trees",
    "Unreadable",
    "VerifiedPackage",
    "Version",
    "admit_onnx",
    "build_bom",
    "build_candidate",
    "build_card",
    "check_structure",
    "column_values",
    "ensemble_of",
    "matrix_of",
    "open_model",
    "open_trusted_files",
    "read_pointer",
    "seal",
    "set_apart",
    "verify_files",
    "verify_package",
    "verify_pointer",
    "verify_revocations",
]


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"sealwright.registry has no {name!r}")
    value = getattr(importlib.import_module(f"sealwright.registry.{module}"), name)  # noqa: TID251
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
