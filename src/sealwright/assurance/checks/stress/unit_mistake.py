"""A number in the wrong unit: grams for kilograms, cents for euros, a shifted decimal point."""

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.disturbance import Disturbance, Steps, disturbance_check
from sealwright.assurance.features import Features

__all__ = ["CHECK"]

_MOST = float(np.finfo(np.float32).max)


def _mistaken(case: Case, features: Features, strength: float, rng: np.random.Generator) -> Features:
    numbers = features.numbers.astype(np.float64)
    measured = [place for place, item in enumerate(case.interface.numbers) if item.type in ("integer", "number")]
    hit = np.flatnonzero(rng.random(len(features)) < strength)
    column = np.array(measured)[rng.integers(0, len(measured), size=hit.size)]
    factor = case.spec.stress.unit_factor ** rng.choice([-1.0, 1.0], size=hit.size)
    moved = numbers[hit, column] * factor
    whole = np.array([item.type == "integer" for item in case.interface.numbers])[column]
    numbers[hit, column] = np.where(whole, np.round(moved), moved)
    return features.with_numbers(np.clip(numbers, -_MOST, _MOST).astype(features.numbers.dtype))


def _impossible(case: Case) -> str:
    measured = any(item.type in ("integer", "number") for item in case.interface.numbers)
    return "" if measured else "the model takes no numbers"


CHECK = disturbance_check(
    Disturbance(
        suite="stress",
        name="unit_mistake",
        title="Mistaken units",
        words="in {share} of the rows one number, drawn at random, is in a unit too large or too small",
        along="share of rows with a mistaken unit",
        steps=Steps(strengths=lambda spec: spec.stress.shares, reported=lambda spec: spec.reported_at),
        disturb=_mistaken,
        impossible=_impossible,
        note=lambda case: f"times or by {case.spec.stress.unit_factor:g}; whole numbers stay whole",
    )
)
