"""Cells that stay empty: a form half filled, a source that failed."""

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.disturbance import CELLS, Disturbance, disturbance_check
from sealwright.assurance.features import Features

__all__ = ["CHECK"]


def _emptied(_case: Case, features: Features, strength: float, rng: np.random.Generator) -> Features:
    numbers = np.where(rng.random(features.numbers.shape) < strength, np.nan, features.numbers)
    strings = np.where(rng.random(features.strings.shape) < strength, "", features.strings)
    return Features(numbers=numbers.astype(features.numbers.dtype), strings=strings.astype(object))


def _note(case: Case) -> str:
    every = [*(item.nullable for item in case.interface.numbers), *(item.nullable for item in case.interface.strings)]
    strict = every.count(False)
    if not strict:
        return ""
    return f"{strict} of {len(every)} features may not be empty: when served, such rows are refused before the model"


CHECK = disturbance_check(
    Disturbance(
        name="missing",
        title="Empty cells",
        words="{share} of all cells are emptied at random",
        along="share of cells emptied",
        steps=CELLS,
        disturb=_emptied,
        impossible=lambda _case: "",
        note=_note,
    )
)
