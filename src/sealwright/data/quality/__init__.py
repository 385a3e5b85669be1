"""Quality: the profile of a table and everything that is wrong with it, each finding with what to do.

Answers: is this data good enough to learn from and to judge with?
Does not answer: may it be used, and who is in it. Basis and groups have rooms of their own.
Names load on first use; examining needs the extra `build`.
"""

import importlib
from typing import TYPE_CHECKING, Any

from sealwright.data.quality_spec import CHECKS, QualitySpec
from sealwright.kernel import MissingExtra

if TYPE_CHECKING:
    from sealwright.data.quality.associations import banded
    from sealwright.data.quality.checks.balance import rarest_class
    from sealwright.data.quality.checks.categories import spellings
    from sealwright.data.quality.checks.constants import is_constant
    from sealwright.data.quality.checks.leaking import lookup
    from sealwright.data.quality.checks.outliers import beyond_fences
    from sealwright.data.quality.checks.overlap import seen_in
    from sealwright.data.quality.confident import Suspects, find_suspects
    from sealwright.data.quality.examination import examine
    from sealwright.data.quality.folding import folded
    from sealwright.data.quality.frame import Frame, as_table, frame_of
    from sealwright.data.quality.keys import repeats_of, row_digests, row_keys
    from sealwright.data.quality.model import CheckRun, ColumnFacts, Fault, Histogram, Profile, QualityReport
    from sealwright.data.quality.nearness import NearPairs, near_pairs
    from sealwright.data.quality.profile import profile_of
    from sealwright.data.quality.reading import Readable, read_for_examination

_HOME = {
    "associations": ("banded",),
    "checks.balance": ("rarest_class",),
    "checks.categories": ("spellings",),
    "checks.constants": ("is_constant",),
    "checks.leaking": ("lookup",),
    "checks.outliers": ("beyond_fences",),
    "checks.overlap": ("seen_in",),
    "confident": ("Suspects", "find_suspects"),
    "examination": ("examine",),
    "folding": ("folded",),
    "frame": ("Frame", "as_table", "frame_of"),
    "model": ("CheckRun", "ColumnFacts", "Fault", "Histogram", "Profile", "QualityReport"),
    "nearness": ("NearPairs", "near_pairs"),
    "profile": ("profile_of",),
    "reading": ("Readable", "read_for_examination"),
    "keys": ("repeats_of", "row_digests", "row_keys"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "CHECKS",
    "CheckRun",
    "ColumnFacts",
    "Fault",
    "Frame",
    "Histogram",
    "NearPairs",
    "Profile",
    "QualityReport",
    "QualitySpec",
    "Readable",
    "Suspects",
    "as_table",
    "banded",
    "beyond_fences",
    "examine",
    "find_suspects",
    "folded",
    "frame_of",
    "is_constant",
    "lookup",
    "near_pairs",
    "profile_of",
    "rarest_class",
    "read_for_examination",
    "repeats_of",
    "row_digests",
    "row_keys",
    "seen_in",
    "spellings",
]


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"sealwright.data.quality has no {name!r}")
    try:
        value = getattr(importlib.import_module(f"sealwright.data.quality.{module}"), name)  # noqa: TID251
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in {"pyarrow", "sklearn", "threadpoolctl"}:
            raise MissingExtra("Examining data", "build") from None
        raise
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
