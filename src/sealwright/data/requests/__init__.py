"""Requests of persons: what they asked for, who must act by when, and whose rows are left out since.

Answers: which requests are open, when is each due, and which persons are suppressed?
Does not answer: where a person's rows are, or how they are erased. Who somebody is; persons are keyed pseudonyms here.
Names load on first use.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sealwright.data.requests.clocks import (
        Clocks,
        add_business_days,
        ccpa_clocks,
        clocks_for,
        gdpr_clocks,
        may_be_asked_again,
    )
    from sealwright.data.requests.model import KINDS, RequestKind, SubjectRequest
    from sealwright.data.requests.service import RequestRegister
    from sealwright.data.requests.suppressions import (
        SUPPRESSED,
        SuppressedInExport,
        Suppression,
        Suppressions,
        check_export,
        keep_mask,
    )

_HOME = {
    "clocks": (
        "Clocks",
        "add_business_days",
        "ccpa_clocks",
        "clocks_for",
        "gdpr_clocks",
        "may_be_asked_again",
    ),
    "model": ("KINDS", "RequestKind", "SubjectRequest"),
    "service": ("RequestRegister",),
    "suppressions": ("SuppressedInExport", "Suppression", "Suppressions", "check_export", "keep_mask", "SUPPRESSED"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "Clocks",
    "KINDS",
    "RequestKind",
    "RequestRegister",
    "SUPPRESSED",
    "SubjectRequest",
    "SuppressedInExport",
    "Suppression",
    "Suppressions",
    "add_business_days",
    "ccpa_clocks",
    "check_export",
    "clocks_for",
    "gdpr_clocks",
    "keep_mask",
    "may_be_asked_again",
]


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"sealwright.data.requests has no {name!r}")
    value = getattr(importlib.import_module(f"sealwright.data.requests.{module}"), name)  # noqa: TID251
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
