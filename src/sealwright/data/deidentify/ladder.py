"""How one quasi-identifier can be coarsened, step by step, down to nothing.

Answers: which levels are there, what does each merge, how much is lost with it?
Does not answer: which level is taken. That is `lattice`.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sealwright.data.column_spec import ColumnSpec
from sealwright.data.deidentify.contract import after_step
from sealwright.data.deidentify.grouping import Codes, Ints, codes_of, group
from sealwright.data.deidentify.methods import Tools, apply_step
from sealwright.data.deidentify.spec import Quasi
from sealwright.data.deidentify.steps import Generalise, Redact
from sealwright.data.names import shown
from sealwright.kernel import InvalidInput

__all__ = ["Ladder", "Rung", "ladder_of", "usual_levels"]

Rung = Generalise | Redact | None
"""A level: nothing done, something coarser, or the column emptied."""

_NO_TOOLS = Tools(pseudonyms=b"", shifts=b"")
_BANDS = 32  # about so many bands at the finest level that is chosen for a number


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """The levels of one column. Level 0 is the column as it is; the last one is nothing at all."""

    name: str
    codes: Codes
    rungs: tuple[Rung, ...]
    maps: tuple[Ints, ...]  # per level: code of level 0 -> code of that level
    sizes: tuple[int, ...]
    losses: tuple[float, ...]  # per level, 0 (nothing) to 1 (everything)

    def words(self, level: int) -> str:
        """What is done at a level, for a report."""
        rung = self.rungs[level]
        if rung is None:
            return "as it is"
        return "emptied" if isinstance(rung, Redact) else rung.words()


def usual_levels(column: ColumnSpec) -> tuple[Generalise, ...]:
    """Levels by the type of a column, where the recipe names none; none for categories, which need `groups`."""
    if column.type == "date":
        return tuple(Generalise(part=part) for part in ("month", "quarter", "year"))
    least, most = column.bounds
    if column.type not in {"integer", "number"} or least is None or most is None or most <= least:
        return ()
    width = _round_up((most - least) / _BANDS, whole=column.type == "integer")
    found = []
    while width < most - least:
        found.append(Generalise(bands=width))
        width *= 2
    return tuple(found)


def ladder_of(name: str, values: pa.ChunkedArray, column: ColumnSpec, quasi: Quasi, *, steps: bool) -> Ladder:
    """The levels of a column over the values it has.

    Parameters
    ----------
    steps : bool
        False: only level 0, for when nothing may be coarsened.

    Raises
    ------
    InvalidInput
        A level does not fit the column, or parts what the level before it merges.
    """
    codes = codes_of(values)
    levels = (usual_levels(column) if quasi.levels is None else quasi.levels) if steps else ()
    rungs: tuple[Rung, ...] = (None, *levels, *([Redact(method="redact")] if steps else []))
    maps = [_map(name, codes, column, rung) for rung in rungs]
    for place, (finer, coarser) in enumerate(pairwise(maps), start=1):
        _, both = group([finer, coarser], [int(finer.max(initial=0)) + 1, int(coarser.max(initial=0)) + 1])
        if both != len(np.unique(finer)):
            raise InvalidInput(
                f"{shown(name)}: level {place} parts what level {place - 1} merges. Each level must only merge: bands of"
                " a multiple of the width before, edges that were edges before."
            )
    weights = np.bincount(codes.of_rows, minlength=codes.count).astype(np.float64)
    return Ladder(
        name=name,
        codes=codes,
        rungs=rungs,
        maps=tuple(maps),
        sizes=tuple(int(one.max(initial=0)) + 1 for one in maps),
        losses=tuple(_loss(weights, one, rung) for one, rung in zip(maps, rungs, strict=True)),
    )


def _map(name: str, codes: Codes, column: ColumnSpec, rung: Rung) -> Ints:
    if rung is None:
        return np.arange(codes.count, dtype=np.int64)
    if isinstance(rung, Redact):
        return np.zeros(codes.count, dtype=np.int64)
    after_step(name, column, rung)  # says in words when the level does not fit
    return codes_of(apply_step(name, codes.values, column, rung, _NO_TOOLS)).of_rows


def _loss(weights: NDArray[np.float64], level: Ints, rung: Rung) -> float:
    """How much of a column is lost: the entropy of the value given its group, over the entropy of the value.

    Notes
    -----
    Non-uniform entropy: Gionis and Tassa 2009, "k-anonymization with minimal loss of information". It never falls from
    one level to the next. An emptied column has lost everything, even one that had a single value.
    """
    if isinstance(rung, Redact):
        return 1.0
    whole = _entropy(weights, np.full(1, weights.sum())[np.zeros(len(weights), dtype=np.int64)])
    if whole <= 0.0:
        return 0.0
    sums: NDArray[np.float64] = np.bincount(level, weights=weights).astype(np.float64)
    return min(1.0, _entropy(weights, sums[level]) / whole)


def _entropy(weights: NDArray[np.float64], among: NDArray[np.float64]) -> float:
    there = weights > 0
    return float(-(weights[there] * np.log(weights[there] / among[there])).sum())


def _round_up(width: float, *, whole: bool) -> float:
    """The next 1, 2 or 5 times a power of ten; a whole number for whole numbers."""
    size = 10.0 ** math.floor(math.log10(width))
    found = next(factor * size for factor in (1, 2, 5, 10) if factor * size >= width * (1 - 1e-12))
    return max(2, round(found)) if whole else found
