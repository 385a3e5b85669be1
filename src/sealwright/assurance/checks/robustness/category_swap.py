"""Categories mixed up: another valid choice ticked by mistake."""

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.disturbance import CELLS, Disturbance, disturbance_check
from sealwright.assurance.features import Features

__all__ = ["CHECK"]


def _swapped(case: Case, features: Features, strength: float, rng: np.random.Generator) -> Features:
    strings, numbers = features.strings.copy(), features.numbers.copy()
    n = len(features)
    for place in range(strings.shape[1]):
        known = _known(case, place)
        hit = rng.random(n) < strength
        step = rng.integers(1, max(2, len(known)), size=n)  # always to a different choice
        if len(known) < 2:
            continue
        at = {value: position for position, value in enumerate(known)}
        now = np.array([at.get(value, 0) for value in strings[:, place]], dtype=np.int64)
        strings[:, place] = np.where(hit, np.array(known, dtype=object)[(now + step) % len(known)], strings[:, place])
    for place, item in enumerate(case.interface.numbers):
        if item.type == "boolean":
            hit = rng.random(n) < strength
            numbers[:, place] = np.where(hit, 1 - numbers[:, place], numbers[:, place])
    return Features(numbers=numbers, strings=strings)


def _known(case: Case, place: int) -> tuple[str, ...]:
    declared = case.interface.strings[place].categories
    return declared or tuple(sorted({value for value in case.train.features.strings[:, place] if value != ""}))


def _impossible(case: Case) -> str:
    categories = bool(case.interface.strings) or any(item.type == "boolean" for item in case.interface.numbers)
    return "" if categories else "the model takes no categories"


CHECK = disturbance_check(
    Disturbance(
        name="category_swap",
        title="Swapped categories",
        words="{share} of all categories are swapped for another known one",
        along="share of categories swapped",
        steps=CELLS,
        disturb=_swapped,
        impossible=_impossible,
        note=lambda _case: "",
    )
)
