"""Numbers beyond anything seen in training: a little, a lot, absurdly.

Infinity is not tried: the server refuses it at the door, whatever the contract says. The largest
strengths come as close to it as float32 allows.
"""

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.disturbance import Disturbance, Steps, disturbance_check
from sealwright.assurance.features import Features

__all__ = ["CHECK"]

_MOST = float(np.finfo(np.float32).max)


def _beyond(case: Case, features: Features, strength: float, rng: np.random.Generator) -> Features:
    numbers = features.numbers.astype(np.float64)
    n = len(features)
    ranges = {place: _range(case, place) for place in _measured(case)}
    drawn = np.array(list(ranges))[rng.integers(0, len(ranges), size=n)]
    upward = rng.random(n) < 0.5
    for place, (low, high) in ranges.items():
        width = (high - low) or max(1.0, abs(high))
        rows = drawn == place
        moved = np.where(upward, high + strength * width, low - strength * width)[rows]
        whole = case.interface.numbers[place].type in ("integer", "date")
        numbers[rows, place] = np.where(upward[rows], np.ceil(moved), np.floor(moved)) if whole else moved
    return features.with_numbers(np.clip(numbers, -_MOST, _MOST).astype(features.numbers.dtype))


def _measured(case: Case) -> list[int]:
    return [place for place, item in enumerate(case.interface.numbers) if item.type != "boolean"]


def _range(case: Case, place: int) -> tuple[float, float]:
    known = case.train.features.numbers[:, place].astype(np.float64)
    known = known[np.isfinite(known)]
    return (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)


CHECK = disturbance_check(
    Disturbance(
        suite="stress",
        name="out_of_range",
        title="Numbers out of range",
        words="in every row one number, drawn at random, lies {share} widths of its training range beyond it",
        along="log10 of 1 + widths of the training range beyond it",
        steps=Steps(
            strengths=lambda spec: spec.stress.beyond,
            reported=lambda spec: min(spec.stress.beyond, key=lambda strength: abs(np.log10(strength))),
            unit="training ranges",
            drawn=lambda strength: float(np.log10(1 + strength)),
        ),
        disturb=_beyond,
        impossible=lambda case: "" if _measured(case) else "the model takes no numbers",
        note=lambda _case: "infinity is refused when served, before the model",
    )
)
