"""Made-up rows of the credit contract that hang together, and documents learned from them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sealwright.serving import Contract, contract_of
from sealwright.serving.checking.document import AnsweringDocument, Conformal, Output
from sealwright.serving.contract import Batch

LEVELS = np.array(["a11", "a12", "a13", "a14"], dtype=object)


def made_rows(rows: int, seed: int) -> Batch:
    """Rows with one hidden cause behind most columns; a fifth of the rates are missing."""
    rng = np.random.default_rng(seed)
    cause = rng.normal(size=rows)
    numbers = np.empty((rows, 8), dtype=np.float32)
    numbers[:, 0] = np.clip(45 + 12 * (cause + 0.3 * rng.normal(size=rows)), 18, 100).round()
    numbers[:, 1] = np.clip(np.exp(7.5 + 0.7 * (cause + 0.4 * rng.normal(size=rows))), 250, 20_000)
    numbers[:, 2] = 1 / (1 + np.exp(-cause - 0.5 * rng.normal(size=rows)))
    numbers[rng.random(rows) < 0.2, 2] = np.nan
    numbers[:, 3] = rng.random(rows) < 1 / (1 + np.exp(-2 * cause))
    numbers[:, 4] = 11_000 + (4_000 * rng.random(rows)).round()
    for at in range(5, 8):
        numbers[:, at] = np.clip((5 + 2 * cause + rng.normal(size=rows)).round(), 0, 10)
    strings = np.empty((rows, 12), dtype=object)
    for at in range(12):
        place = 1.5 + (cause if at % 2 else rng.normal(size=rows)) + 0.4 * rng.normal(size=rows)
        strings[:, at] = LEVELS[np.clip(place.round(), 0, 3).astype(int)]
    return Batch(rows, numbers, strings)


@pytest.fixture(scope="session")
def rows_of() -> Callable[[int, int], Batch]:
    return made_rows


@pytest.fixture
def numbers_contract(interface: dict[str, Any]) -> Contract:
    """The credit contract, with a number to predict."""
    return contract_of(interface | {"task": "regression", "classes": None})


@pytest.fixture
def said() -> Callable[..., AnsweringDocument]:
    """A document that asks for nothing, but for what is given."""

    def make(**changes: Any) -> AnsweringDocument:
        values: dict[str, Any] = {
            "format": 1, "model": "", "mode": "refuse", "output": Output(), "below": {}, "threshold": None,
            "ambiguous": False, "above_ood": None, "tell_ood": False, "coverage": 0.9, "calibrate": None, "usual": None,
            "calibration": None, "conformal": Conformal(rows=500, limits={"0.9": 0.6}),
        }  # fmt: skip
        return AnsweringDocument(**(values | changes))

    return make
