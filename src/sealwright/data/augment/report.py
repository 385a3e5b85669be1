"""What was measured about made-up rows: how like the real ones, how useful, how close to anybody.

Answers: the numbers, each with how many rows they are from, and what chance alone would give.
Does not answer: may they be used. Closeness can refuse them; the rest a person judges.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sealwright.data.augment.making import Made

__all__ = ["Area", "Augmented", "Closeness", "ColumnFidelity", "Compared", "Fidelity", "PairFidelity", "Usefulness"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """An area under the ROC curve (or R² where the target is a number), with its interval."""

    value: float
    interval: tuple[float, float]
    n: int

    def to_json(self) -> dict[str, Any]:
        return {"value": _finite(self.value), "interval": _finite(self.interval), "n": self.n}


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnFidelity:
    """One column: the distance between real and made-up rows, 0 (alike) to 1."""

    column: str
    kind: str  # "ks": Kolmogorov-Smirnov, of numbers; "tv": total variation, of categories
    distance: float
    by_chance: float  # two samples of the same rows stay below this 95 times of 100 (ks), or about here (tv)
    missing_gap: float  # made-up share of missing cells less the real one


@dataclass(frozen=True, slots=True, kw_only=True)
class PairFidelity:
    """Two columns: how strongly they go together, in real and in made-up rows."""

    columns: tuple[str, str]
    kind: str  # "spearman", "cramers_v" or "correlation_ratio"
    real: float
    made: float

    @property
    def difference(self) -> float:
        return abs(self.real - self.made)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fidelity:
    """Are made-up rows like the real ones of their groups?"""

    real_rows: int
    made_rows: int
    columns: tuple[ColumnFidelity, ...]
    pairs: tuple[PairFidelity, ...]
    pair_by_chance: float  # two samples of independent columns differ by less than this 95 times of 100, about
    told_apart: Area | None  # a classifier that guesses which rows are made up: 0.5 cannot, 1 always

    @property
    def worst_column(self) -> ColumnFidelity:
        return max(self.columns, key=lambda one: one.distance)

    @property
    def worst_pairs(self) -> tuple[PairFidelity, ...]:
        return tuple(sorted(self.pairs, key=lambda one: -one.difference)[:5])

    @property
    def mean_pair_difference(self) -> float:
        return sum(one.difference for one in self.pairs) / len(self.pairs) if self.pairs else 0.0

    def to_json(self) -> dict[str, Any]:
        return {
            "real_rows": self.real_rows,
            "made_rows": self.made_rows,
            "columns": [{name: getattr(one, name) for name in ColumnFidelity.__slots__} for one in self.columns],
            "pairs": [
                {"columns": list(one.columns), "kind": one.kind, "real": one.real, "made": one.made}
                for one in self.worst_pairs
            ],
            "mean_pair_difference": self.mean_pair_difference,
            "pair_by_chance": self.pair_by_chance,
            "told_apart": self.told_apart.to_json() if self.told_apart is not None else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The same held-out real rows, predicted after training on one thing and on another."""

    what: str
    first: Area  # with
    second: Area  # without
    difference: float
    interval: tuple[float, float]  # of the difference, paired over the held-out rows

    def to_json(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "first": self.first.to_json(),
            "second": self.second.to_json(),
            "difference": _finite(self.difference),
            "interval": _finite(self.interval),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Usefulness:
    """Do made-up rows help a model on real rows that it has not seen?"""

    measure: str  # "roc_auc", "accuracy" (more than two classes) or "r2"
    compared: tuple[Compared, ...]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "measure": self.measure,
            "compared": [one.to_json() for one in self.compared],
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Closeness:
    """Are made-up rows nearer to the persons they were learned from than strangers of the same groups are?"""

    made_rows: int
    strangers: int  # held-out real rows of the groups
    copies: float  # share of made-up rows equal to a training row
    copies_of_strangers: float  # the same of held-out rows: how often it happens by chance
    near: float  # share of made-up rows nearer to a training row than 95 of 100 strangers; 0.05 by chance
    near_interval: tuple[float, float]
    distance: tuple[float, float]  # 5th percentile and median of the distance to the nearest training row
    distance_of_strangers: tuple[float, float]
    ratio: float  # median of nearest to second nearest distance; near 0: one person stands out behind a row
    ratio_of_strangers: float
    attack: Area | None  # telling training rows from strangers by how near a made-up row lies: 0.5 cannot

    def to_json(self) -> dict[str, Any]:
        plain = {name: _finite(getattr(self, name)) for name in self.__slots__ if name != "attack"}
        return {**plain, "attack": self.attack.to_json() if self.attack is not None else None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmented:
    """Made-up rows and everything measured about them. `too_close` is empty where they may be used."""

    made: Made
    recipe: Mapping[str, Any]  # what made them, for the manifest
    fidelity: Fidelity
    usefulness: Usefulness
    closeness: Closeness
    too_close: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Aggregates; no row."""
        return {
            "recipe": dict(self.recipe),
            "rows": self.made.table.num_rows,
            "groups": [
                {
                    "where": dict(one.where),
                    "real": one.real,
                    "asked": one.asked,
                    "made": one.made,
                    "redrawn": one.redrawn,
                }
                for one in self.made.groups
            ],
            "fidelity": self.fidelity.to_json(),
            "usefulness": self.usefulness.to_json(),
            "closeness": self.closeness.to_json(),
            "too_close": list(self.too_close),
            "notes": list(self.made.notes),
        }


def _finite(value: Any) -> Any:
    """For JSON: a number that is none becomes null."""
    if isinstance(value, tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
