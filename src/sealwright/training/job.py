"""A training as the confined child sees it: what to do, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.training.hardening_spec import HardeningSpec
from sealwright.training.mitigation.groups import GroupKey
from sealwright.training.mitigation_spec import MitigationSpec
from sealwright.training.packed import Packed
from sealwright.training.recipes import Value

__all__ = ["Job", "Made"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to train, as it came down the pipe."""

    recipe: str
    task: str
    classes: tuple[str, ...]
    positive: int
    rows: Packed
    target: NDArray[Any]
    holdout: Packed
    seed: int
    folds: int
    trials: int
    seconds: float
    metric: str | None
    params: Mapping[str, Value]
    number_names: tuple[str, ...]
    string_names: tuple[str, ...]
    mitigation: MitigationSpec | None = None
    groups: GroupKey | None = None  # what the groups of `rows` mean; there whenever `mitigation` is
    hardening: HardeningSpec | None = None
    privacy: Mapping[str, Any] | None = None  # `training.privacy`; with it `declared` holds ranges and categories
    declared: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What came of it. `predictions` is None when the recipe made ONNX itself and there is nothing to compare with."""

    model: bytes
    predictions: NDArray[np.float64] | None
    parameters: Mapping[str, Value]
    cv: Mapping[str, Any]
    search: list[dict[str, Any]]
    notes: list[str]
    privacy: Mapping[str, Any] | None = None  # the guarantee of a private training
