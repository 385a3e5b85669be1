"""De-identification: columns changed by a recipe, rows made indistinguishable, what risk stays written down.

Answers: what may leave this room, and how likely is it that somebody is found in it all the same?
Does not answer: is it still personal data. It is, while anybody can find a person in it (GDPR, recital 26).
Names load on first use; everything but the recipe itself needs the extra `build`.
"""

import importlib
from typing import TYPE_CHECKING, Any

from sealwright.kernel import MissingExtra

if TYPE_CHECKING:
    from sealwright.data.deidentify.contract import resulting_contract
    from sealwright.data.deidentify.errors import ColumnsNotDecided, LimitsNotReached, SafeHarborNotReached
    from sealwright.data.deidentify.measuring import Diversity, Measured, measure
    from sealwright.data.deidentify.pseudonyms import pseudonyms_of
    from sealwright.data.deidentify.releasing import Keys, Released, release
    from sealwright.data.deidentify.report import DeidentifyReport
    from sealwright.data.deidentify.risk import ASSUMED, STILL_PERSONAL, Risk, risk_of
    from sealwright.data.deidentify.spec import SAFE_HARBOR, DeidentifySpec, Enforce, Quasi, Sensitive
    from sealwright.data.deidentify.tables import table_bytes, table_of_file
    from sealwright.data.deidentify.vault import PseudonymVault

_HOME = {
    "contract": ("resulting_contract",),
    "errors": ("ColumnsNotDecided", "LimitsNotReached", "SafeHarborNotReached"),
    "measuring": ("Diversity", "Measured", "measure"),
    "pseudonyms": ("pseudonyms_of",),
    "releasing": ("Keys", "Released", "release"),
    "report": ("DeidentifyReport",),
    "risk": ("ASSUMED", "Risk", "STILL_PERSONAL", "risk_of"),
    "spec": ("DeidentifySpec", "Enforce", "Quasi", "SAFE_HARBOR", "Sensitive"),
    "tables": ("table_bytes", "table_of_file"),
    "vault": ("PseudonymVault",),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "ASSUMED",
    "ColumnsNotDecided",
    "DeidentifyReport",
    "DeidentifySpec",
    "Diversity",
    "Enforce",
    "Keys",
    "LimitsNotReached",
    "Measured",
    "PseudonymVault",
    "Quasi",
    "Released",
    "Risk",
    "SAFE_HARBOR",
    "STILL_PERSONAL",
    "SafeHarborNotReached",
    "Sensitive",
    "measure",
    "pseudonyms_of",
    "release",
    "resulting_contract",
    "risk_of",
    "table_bytes",
    "table_of_file",
]


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"sealwright.data.deidentify has no {name!r}")
    try:
        found = importlib.import_module(f"sealwright.data.deidentify.{module}")  # noqa: TID251
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in {"numpy", "pyarrow", "scipy"}:
            raise MissingExtra("De-identifying data", "build") from None
        raise
    value = getattr(found, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
