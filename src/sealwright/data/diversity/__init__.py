"""Diversity: who is in the data, held against whom it is about, and what can be done where somebody is missing.

Answers: which groups and intersections are absent, under-represented or too few, by how many rows?
Does not answer: how rows are made up; that is `data.augment`. Whether a model treats groups alike; that is assurance.
Names load on first use: everything but the spec needs the extra `build`.
"""

import importlib
from typing import TYPE_CHECKING, Any

from sealwright.kernel import MissingExtra

if TYPE_CHECKING:
    from sealwright.data.diversity.attributes import attributes_of
    from sealwright.data.diversity.chance import benjamini_hochberg
    from sealwright.data.diversity.contract import ColumnLike, ContractLike
    from sealwright.data.diversity.measuring import measure_diversity
    from sealwright.data.diversity.planning import FEWEST_TO_LEARN_FROM
    from sealwright.data.diversity.proposals import AugmentProposal, CollectPlan, Proposals, ReweighProposal
    from sealwright.data.diversity.raking import Raked, rake, weights
    from sealwright.data.diversity.reference import Reference, read_reference
    from sealwright.data.diversity.report import DiversityReport, Fit, GroupLine, Margin, OutcomeGap, State
    from sealwright.data.diversity.shortfall import rows_for_all, rows_to_minimum, rows_to_share
    from sealwright.data.diversity.spec import CROSS, DiversitySpec, ReferenceSpec, band_labels

_HOME = {
    "attributes": ("attributes_of",),
    "chance": ("benjamini_hochberg",),
    "contract": ("ColumnLike", "ContractLike"),
    "measuring": ("measure_diversity",),
    "planning": ("FEWEST_TO_LEARN_FROM",),
    "proposals": ("AugmentProposal", "CollectPlan", "Proposals", "ReweighProposal"),
    "raking": ("Raked", "rake", "weights"),
    "reference": ("Reference", "read_reference"),
    "report": ("DiversityReport", "Fit", "GroupLine", "Margin", "OutcomeGap", "State"),
    "shortfall": ("rows_for_all", "rows_to_minimum", "rows_to_share"),
    "spec": ("CROSS", "DiversitySpec", "ReferenceSpec", "band_labels"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "CROSS",
    "FEWEST_TO_LEARN_FROM",
    "AugmentProposal",
    "CollectPlan",
    "ColumnLike",
    "ContractLike",
    "DiversityReport",
    "DiversitySpec",
    "Fit",
    "GroupLine",
    "Margin",
    "OutcomeGap",
    "Proposals",
    "Raked",
    "Reference",
    "ReferenceSpec",
    "ReweighProposal",
    "State",
    "attributes_of",
    "band_labels",
    "benjamini_hochberg",
    "measure_diversity",
    "rake",
    "read_reference",
    "rows_for_all",
    "rows_to_minimum",
    "rows_to_share",
    "weights",
]


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"sealwright.data.diversity has no {name!r}")
    try:
        value = getattr(importlib.import_module(f"sealwright.data.diversity.{module}"), name)  # noqa: TID251
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in {"numpy", "pyarrow", "scipy"}:
            raise MissingExtra("Measuring diversity", "build") from None
        raise
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
