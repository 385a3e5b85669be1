"""The consent ledger: who agreed to what, when, to which words, and who took it back.

Answers: for this purpose and moment, whose rows may be held on consent?
Does not answer: whether consent is the basis; that is `basis`. Who somebody is; persons are keyed pseudonyms here.
Names load on first use.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sealwright.data.consent.import_file import read_consents
    from sealwright.data.consent.model import ConsentChange
    from sealwright.data.consent.rules import (
        CONSENT_WITHDRAWN,
        NO_CONSENT,
        Admitted,
        ConsentState,
        Violations,
        admit,
        violations,
    )
    from sealwright.data.consent.service import ConsentLedger, Withdrawn, admits, consent_state

_HOME = {
    "import_file": ("read_consents",),
    "model": ("ConsentChange",),
    "rules": ("CONSENT_WITHDRAWN", "NO_CONSENT", "Admitted", "ConsentState", "Violations", "admit", "violations"),
    "service": ("ConsentLedger", "Withdrawn", "admits", "consent_state"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "Admitted",
    "CONSENT_WITHDRAWN",
    "ConsentChange",
    "ConsentLedger",
    "ConsentState",
    "NO_CONSENT",
    "Violations",
    "Withdrawn",
    "admit",
    "admits",
    "consent_state",
    "read_consents",
    "violations",
]


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"sealwright.data.consent has no {name!r}")
    value = getattr(importlib.import_module(f"sealwright.data.consent.{module}"), name)  # noqa: TID251
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
