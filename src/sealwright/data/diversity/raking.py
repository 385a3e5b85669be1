"""Weights that give every group its reference share: iterative proportional fitting of margins ("raking").

Answers: how much should each row count so that the weighted data look like the reference, and what does that cost?
Does not answer: who is not in the data at all. No weight brings an absent group back; only collecting does.
Deming & Stephan 1940 (Ann. Math. Statist. 11); effective sample size: Kish 1965, section 11.7.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sealwright.data.diversity.attributes import Attribute, attributes_of
from sealwright.data.diversity.contract import ContractLike
from sealwright.data.diversity.counting import Cells, cells_of, rows_by
from sealwright.data.diversity.reference import Group, Reference, read_reference
from sealwright.data.diversity.spec import CROSS, DiversitySpec
from sealwright.kernel import InvalidInput

__all__ = ["Raked", "rake", "weights"]

_ROUNDS = 1_000
_CLOSE = 1e-9  # of a margin's share


@dataclass(frozen=True, slots=True, kw_only=True)
class Raked:
    """Weights of the occupied cells, with mean 1 over the rows, and what they cost."""

    of_cells: NDArray[np.float64]
    margins: tuple[str, ...]  # what was fitted
    unreachable: tuple[str, ...]  # groups of the reference without a row: their share went to the others
    unknown: tuple[str, ...]  # groups without a reference share: they keep the share they have
    effective_rows: float  # Kish: (sum of weights)² / sum of squared weights
    largest: float
    smallest: float
    rounds: int
    gap: float  # largest remaining difference of a fitted share
    converged: bool


def weights(
    table: pa.Table, spec: DiversitySpec, contract: ContractLike, reference: Reference | None = None
) -> NDArray[np.float64]:
    """A weight for each row, so that the weighted groups have their reference shares.

    Parameters
    ----------
    table : pa.Table
        With the columns of the attributes.
    reference : Reference, optional
        Left out: the one written in the spec.

    Returns
    -------
    float array, shape (rows,)
        Zero or more (zero for a group whose reference share is zero), mean 1. Keep it in memory, and hand it to the training as sample weights: see `pipeline.diversity`
        for why there is no verb that writes it to a file.

    Raises
    ------
    InvalidInput
        No reference, or the fit did not converge.
    """
    reference = reference if reference is not None else read_reference(spec)
    if reference is None:
        raise InvalidInput("Without a reference there is nothing to weigh towards. Give data.diversity.reference.")
    attributes = attributes_of(table, spec, contract, reference.levels())
    cells = cells_of(attributes, np.zeros(table.num_rows, dtype=np.int64), 1)
    raked = rake(attributes, cells, reference)
    if not raked.converged:
        raise InvalidInput(
            f"No weights fit all of {', '.join(raked.margins)} at once; a share is still off by {raked.gap:.2g}.\n"
            "Too many crossed groups have no rows: give fewer margins in data.diversity.reference, or collect those rows."
        )
    keys, total = rows_by([one.codes for one in attributes], cells.sizes[:-1])
    of_key, _ = rows_by([cells.codes[:, place] for place in range(len(attributes))], cells.sizes[:-1])
    order = np.argsort(of_key)
    found: NDArray[np.float64] = raked.of_cells[order[np.searchsorted(of_key[order], keys)]]
    assert total >= len(of_key)
    return found


def rake(attributes: Sequence[Attribute], cells: Cells, reference: Reference) -> Raked:
    """Fit the reference's margins over the occupied cells, one after the other, until all hold."""
    names = [one.name for one in attributes]
    rows = cells.rows.astype(np.float64)
    fits, unreachable, unknown = [], [], []
    for margin in _needed(reference):
        axes = [names.index(name) for name in margin]
        of = [attributes[axis] for axis in axes]
        keys, total = rows_by([cells.codes[:, axis] for axis in axes], [cells.sizes[axis] for axis in axes])
        target, lost, kept = _target(of, reference.shares[margin], _sums(keys, rows, total))
        fits.append((keys, target))
        unreachable += lost
        unknown += kept
    weight, rounds, gap = _fit(rows, fits)
    weight *= rows.sum() / (weight * rows).sum()
    return Raked(
        of_cells=weight,
        margins=tuple(CROSS.join(margin) for margin in _needed(reference)),
        unreachable=tuple(dict.fromkeys(unreachable)),
        unknown=tuple(dict.fromkeys(unknown)),
        effective_rows=float((weight * rows).sum() ** 2 / (weight**2 * rows).sum()),
        largest=float(weight.max()),
        smallest=float(weight.min()),
        rounds=rounds,
        gap=gap,
        converged=gap <= _CLOSE,
    )


def _needed(reference: Reference) -> list[tuple[str, ...]]:
    """The margins to fit: those that are no sum of another one."""
    return [names for names in reference.shares if not any(set(names) < set(other) for other in reference.shares)]


def _target(
    attributes: Sequence[Attribute], shares: Mapping[Group, object], rows: NDArray[np.float64]
) -> tuple[NDArray[np.float64], list[str], list[str]]:
    """The share each cell of a margin shall have. Cells without a reference keep theirs; the rest is shared out."""
    shape = tuple(len(one.levels) + 1 for one in attributes)
    wanted = np.zeros(shape)
    named = np.zeros(shape, dtype=np.bool_)
    for group, share in shares.items():
        place = tuple(one.levels.index(level) for one, level in zip(attributes, group, strict=True))
        wanted[place], named[place] = float(share), True  # type: ignore[arg-type]
    wanted, named = wanted.ravel(), named.ravel()
    have = rows / rows.sum()
    lost = named & (wanted > 0) & (rows == 0)
    kept = ~named & (rows > 0)
    fitted = named & ~lost
    target = np.where(kept, have, 0.0)
    if wanted[fitted].sum() > 0:
        target[fitted] = wanted[fitted] / wanted[fitted].sum() * (1 - have[kept].sum())
    inside = _known(shape)
    return target, _words(attributes, lost), _words(attributes, kept & inside)


def _known(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Cells of a margin in which no attribute is missing."""
    inside = np.ones(shape, dtype=np.bool_)
    for axis in range(len(shape)):
        inside[(slice(None),) * axis + (-1,)] = False
    return inside.ravel()


def _words(attributes: Sequence[Attribute], cells: NDArray[np.bool_]) -> list[str]:
    shape = tuple(len(one.levels) + 1 for one in attributes)
    return [
        CROSS.join(one.levels[place] for one, place in zip(attributes, np.unravel_index(cell, shape), strict=True))
        for cell in np.flatnonzero(cells)
    ]


def _fit(
    rows: NDArray[np.float64], fits: Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]]
) -> tuple[NDArray[np.float64], int, float]:
    """Weights of cells, rounds, and the largest gap of a share after the last round."""
    weight = np.ones(len(rows))
    gap = np.inf
    for round_ in range(1, _ROUNDS + 1):
        for keys, target in fits:
            have = _sums(keys, weight * rows, len(target))
            have /= have.sum()
            weight *= np.divide(target, have, out=np.zeros_like(target), where=have > 0)[keys]
        gap = 0.0
        for keys, target in fits:
            have = _sums(keys, weight * rows, len(target))
            gap = max(gap, float(np.abs(have / have.sum() - target).max()))
        if gap <= _CLOSE:
            return weight, round_, gap
    return weight, _ROUNDS, float(gap)


def _sums(keys: NDArray[np.int64], weights: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    return np.bincount(keys, weights=weights, minlength=size).astype(np.float64)
