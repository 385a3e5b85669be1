"""What a check is: a name, and a function from the table to findings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.data.quality.frame import Frame
from sealwright.data.quality.model import Fault
from sealwright.data.quality_spec import CheckName, QualitySpec

__all__ = ["Check", "Checked", "Asked", "not_performed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a check is given."""

    frame: Frame
    settings: QualitySpec
    rng: np.random.Generator
    test_rows: NDArray[np.bool_] | None = None  # which rows are kept apart to test
    outside: Sequence[Fault] = ()  # what the contract already set aside


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check answers."""

    faults: tuple[Fault, ...] = ()
    rows: int | None = None  # looked at; None: all
    why_not: str = ""  # it could not be performed
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    name: CheckName
    run: Callable[[Asked], Checked]


def not_performed(why: str) -> Checked:
    return Checked(why_not=why, rows=0)
