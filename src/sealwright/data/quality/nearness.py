"""Pairs of rows that are almost equal, found without comparing every row with every other.

Answers: which rows agree in so many cells that chance does not explain it?
Does not answer: are they one person. A person compares them.

Every cell becomes a number: categories folded (case, spaces, width), numbers rounded to a thousandth of their
spread. The columns are dealt into bands of about equal information; two rows that differ in fewer cells than there
are bands agree in at least one whole band, so sorting each band's keys brings them together. A pair counts if its
rows share `similar` of their cells, and if the information in the cells they share leaves less than one such pair to
be expected by chance in a hundred tables: n² / 2 · C(k, d) · 2^-bits <= 0.01 (k columns, d of them different).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.data.quality.collisions import column_bits
from sealwright.data.quality.folding import folded
from sealwright.data.quality.frame import NUMERIC, Floats, Frame
from sealwright.data.quality.keys import Keys, mixed

__all__ = ["NearPairs", "cell_codes", "near_pairs"]

_MOST_BANDS = 6
_SPARE_BITS = 2.0  # a band holds this much more than log2(rows), so that few rows meet in it by chance
_WINDOW = 4  # rows of one band key are compared with as many followers
_MOST_PAIRS = 4_000_000
_BY_CHANCE = 0.01
_FEWEST_COLUMNS = 4
_STEP = 1000.0  # cells of a number: its spread / 1000


@dataclass(frozen=True, slots=True)
class NearPairs:
    """Pairs of places, the earlier first, and in how many cells they differ. `why_not`: it could not be done."""

    one: NDArray[np.int64]
    other: NDArray[np.int64]
    different: NDArray[np.int64]
    columns: tuple[str, ...] = ()
    why_not: str = ""


def near_pairs(frame: Frame, *, similar: float) -> NearPairs:
    """Pairs of rows that are almost equal, in all columns but identifiers.

    Parameters
    ----------
    similar : float
        Smallest share of equal cells.

    Returns
    -------
    NearPairs
        Each pair once. Copies that are equal in every cell before folding and rounding are among them.
    """
    found: NearPairs = frame.once(f"near pairs {similar}", lambda one: _near_pairs(one, similar))
    return found


def _near_pairs(frame: Frame, similar: float) -> NearPairs:
    names = [name for name in frame.compared if frame.columns[name].type != "text"]
    bits = {name: column_bits(frame, name) for name in names}
    names = [name for name in names if bits[name] > 0]
    bands = _bands(names, bits, frame.rows)
    if len(names) < _FEWEST_COLUMNS or len(bands) < 2:
        return _nothing("the columns hold too little to tell a near copy from two rows that are alike by chance")
    codes = {name: cell_codes(frame, name) for name in names}
    one, other = _candidates(codes, bands, frame.rows)
    different, shared = _compared(codes, bits, one, other)
    allowed = max(1, math.floor(len(names) * (1 - similar) + 1e-9))
    chance = 2 * math.log2(max(frame.rows, 2)) - 1 + _log2_choose(len(names), different) - shared
    keep = (different <= allowed) & (chance <= math.log2(_BY_CHANCE))
    return NearPairs(one[keep], other[keep], different[keep], tuple(names))


def cell_codes(frame: Frame, name: str) -> NDArray[np.uint32]:
    """A number per cell; cells that mean almost the same have the same."""
    if frame.columns[name].type in NUMERIC:
        return _rounded(frame.floats(name))
    codes = frame.codes(name)
    place_of: dict[str, int] = {}
    fold = [place_of.setdefault(folded(label), len(place_of) + 1) for label in codes.labels]
    numbers = np.array([*fold, 0], dtype=np.uint32)
    return np.asarray(numbers[codes.places])


def _rounded(values: Floats) -> NDArray[np.uint32]:
    known = np.isfinite(values)
    some = values[known][:: max(1, int(known.sum()) // 10_000)]
    with np.errstate(
        all="ignore"
    ):  # the largest and smallest doubles overflow; their cells are then equal or not at all
        spread = float(np.subtract(*np.quantile(some, [0.75, 0.25]))) or float(some.std()) if some.size else 0.0
        step = spread / _STEP if 1e-290 < spread < 1e290 else 1.0
        found = np.where(known, np.floor(np.where(known, values, 0.0) / step + 0.5), 2.0**40).astype(np.int64)
    return mixed(found.view(np.uint64)).astype(np.uint32)


def _bands(names: Sequence[str], bits: dict[str, float], rows: int) -> list[list[str]]:
    """The columns dealt out, the richest first, always to the band that holds least; fewer where they hold little."""
    needed = math.log2(max(rows, 2)) + _SPARE_BITS
    count = min(_MOST_BANDS, len(names), int(sum(bits.values()) // needed))
    for wanted in range(count, 1, -1):
        bands: list[list[str]] = [[] for _ in range(wanted)]
        held = [0.0] * wanted
        for name in sorted(names, key=lambda one: (-bits[one], one)):
            least = held.index(min(held))
            bands[least].append(name)
            held[least] += bits[name]
        if min(held) >= needed * 0.75:
            return bands
    return []


def _candidates(
    codes: dict[str, NDArray[np.uint32]], bands: list[list[str]], rows: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of rows that share a band's key and stand near each other when sorted by it."""
    found: list[NDArray[np.int64]] = []
    for band in bands:
        keys: Keys = np.zeros(rows, dtype=np.uint64)
        for name in band:
            keys = mixed(keys ^ (codes[name].astype(np.uint64) + np.uint64(1)))
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        for step in range(1, _WINDOW + 1):
            same = np.flatnonzero(ordered[step:] == ordered[:-step])
            found.append(_packed(order[same], order[same + step]))
    pairs = np.unique(np.concatenate(found))[:_MOST_PAIRS]
    return (pairs >> np.int64(32)), (pairs & np.int64(0xFFFFFFFF))


def _packed(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    return (np.minimum(one, other) << np.int64(32)) | np.maximum(one, other)


def _compared(
    codes: dict[str, NDArray[np.uint32]], bits: dict[str, float], one: NDArray[np.int64], other: NDArray[np.int64]
) -> tuple[NDArray[np.int64], Floats]:
    """Per pair: in how many cells its rows differ, and the information in those they share."""
    different = np.zeros(one.size, dtype=np.int64)
    shared = np.zeros(one.size, dtype=np.float64)
    for name, code in codes.items():
        equal = code[one] == code[other]
        different += ~equal
        shared += equal * bits[name]
    return different, shared


def _log2_choose(k: int, chosen: NDArray[np.int64]) -> Floats:
    table = np.array([math.log2(math.comb(k, d)) for d in range(k + 1)])
    return np.asarray(table[chosen], dtype=np.float64)


def _nothing(why: str) -> NearPairs:
    none = np.zeros(0, dtype=np.int64)
    return NearPairs(none, none, none, why_not=why)
