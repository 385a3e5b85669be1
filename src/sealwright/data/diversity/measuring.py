"""Who is in the data: groups and intersections counted, held against a reference, with what chance explains taken out.

Answers: which groups are absent, under-represented or too few, by how many rows, and do outcomes differ between them?
Does not answer: is an under-represented group treated unfairly. Assurance measures that on the model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sealwright.data.diversity.attributes import Attribute, Ints, attributes_of, levels_in
from sealwright.data.diversity.chance import (
    chi_square,
    evenness,
    exact_interval,
    fewer_than,
    independence,
    psi,
    psi_by_chance,
)
from sealwright.data.diversity.contract import ContractLike
from sealwright.data.diversity.counting import cells_of
from sealwright.data.diversity.hiding import with_hidden
from sealwright.data.diversity.judging import adjusted
from sealwright.data.diversity.planning import proposals_of
from sealwright.data.diversity.reference import Group, Reference, read_reference
from sealwright.data.diversity.report import DiversityReport, Fit, GroupLine, Margin, OutcomeGap
from sealwright.data.diversity.shortfall import rows_to_minimum, rows_to_share
from sealwright.data.diversity.spec import CROSS, DiversitySpec
from sealwright.kernel import InvalidInput

__all__ = ["measure_diversity"]

_MOST_LINES = 2_000  # of one margin that has no reference for its empty groups
_SEED = 20260101  # of the samples drawn for a p-value


def measure_diversity(
    table: pa.Table,
    spec: DiversitySpec,
    contract: ContractLike,
    *,
    reference: Reference | None = None,
    synthetic: int = 0,
) -> DiversityReport:
    """Count groups and intersections, and hold them against the reference.

    Parameters
    ----------
    table : pa.Table
        With the columns of the attributes and the target, as a snapshot holds them.
    spec : DiversitySpec
        Attributes, reference and limits.
    contract : DataSpec
        Says which levels there may be, which columns are special, and what the outcome is.
    reference : Reference, optional
        Left out: the one written in the spec. A reference in a file is read by `read_reference`.
    synthetic : int
        How many rows, the last ones, were made up. They are not counted: they stand for nobody.

    Returns
    -------
    DiversityReport

    Raises
    ------
    InvalidInput
        A column is not there or cannot be parted into groups, or there are no rows.

    Notes
    -----
    A group is under-represented if its share is below `under` times its reference share, and a one-sided exact binomial
    test against the reference share, adjusted for all groups of the report (Benjamini-Hochberg), is at or below
    `false_discovery`. Shares are of rows in which every attribute of the margin is known.
    """
    real = table.slice(0, table.num_rows - synthetic)
    if not real.num_rows:
        raise InvalidInput("There are no rows to look at.")
    reference = reference if reference is not None else read_reference(spec)
    attributes = attributes_of(real, spec, contract, reference.levels() if reference is not None else None)
    outcome, classes = _outcome(real, contract)
    cells = cells_of(attributes, outcome, len(classes))
    judged = _Judged(spec, reference, attributes, classes, contract.positive if classes else None)
    axes = [part for size in range(1, spec.depth + 1) for part in combinations(range(len(attributes)), size)]
    margins = [_margin(judged, part, cells.margin(part)) for part in axes if part]
    margins = adjusted(margins, spec)
    margins = with_hidden(
        attributes, margins, axes, {part: cells.margin(part) for part in [(), *axes]}, classes, spec.least_shown
    )
    return DiversityReport(
        rows=real.num_rows,
        synthetic=synthetic,
        attributes=tuple(one.name for one in attributes),
        target=contract.target,
        positive=contract.positive,
        source=reference.source if reference is not None else None,
        date=reference.date if reference is not None else None,
        limits={
            name: getattr(spec, name)
            for name in ("at_least", "under", "false_discovery", "confidence", "least_shown", "why")
        },
        margins=tuple(margins),
        proposals=proposals_of(margins, attributes, cells, reference, spec),
        notes=_notes(judged),
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    """What every margin is judged by."""

    spec: DiversitySpec
    reference: Reference | None
    attributes: tuple[Attribute, ...]
    classes: tuple[str, ...]  # () for a number as target
    positive: str | None

    def shares(self, axes: Sequence[int]) -> Mapping[Group, Fraction]:
        names = tuple(self.attributes[axis].name for axis in axes)
        return self.reference.shares.get(names, {}) if self.reference is not None else {}


def _outcome(table: pa.Table, contract: ContractLike) -> tuple[Ints, tuple[str, ...]]:
    """The class of each row; all zero where the target is a number or not in the table."""
    if contract.task == "regression" or contract.target not in table.column_names:
        return np.zeros(table.num_rows, dtype=np.int64), ()
    levels, codes = levels_in(table.column(contract.target), contract.target, None, contract.columns[contract.target])
    return codes, levels


def _margin(judged: _Judged, axes: tuple[int, ...], counts: NDArray[np.int64]) -> Margin:
    spec, of = judged.spec, [judged.attributes[axis] for axis in axes]
    inner = counts[tuple(slice(0, -1) for _ in axes)]  # without missing ones: shape (levels, …, classes)
    rows = inner.sum(axis=-1)
    known = int(rows.sum())
    shares = judged.shares(axes)
    places, left_out = _listed(of, rows, shares)
    here = rows[tuple(places.T)] if len(places) else np.zeros(0, dtype=np.int64)
    by_class = inner[tuple(places.T)] if len(places) else np.zeros((0, inner.shape[-1]), dtype=np.int64)
    names = [tuple(one.levels[place] for one, place in zip(of, line, strict=True)) for line in places.tolist()]
    low, high = exact_interval(here, max(known, 1), spec.confidence)
    lines = [
        _line(judged, group, int(here[i]), known, (float(low[i]), float(high[i])), by_class[i], shares.get(group))
        for i, group in enumerate(names)
    ]
    j, effective = evenness(rows.ravel())
    return Margin(
        attributes=tuple(one.name for one in of),
        known=known,
        missing=int(counts.sum()) - known,
        groups=tuple(lines),
        evenness=j,
        effective_groups=effective,
        fit=_fit(here, names, shares, spec),
        outcome=_outcome_gap(judged, names, by_class),
        outside=tuple(
            CROSS.join(group) for group, n in zip(names, here, strict=True) if shares and n and not shares.get(group)
        ),
        left_out=left_out,
    )


def _listed(
    of: Sequence[Attribute], rows: NDArray[np.int64], shares: Mapping[Group, Fraction]
) -> tuple[NDArray[np.int64], int]:
    """The groups to list, in the order of the levels: all, or those with rows or a reference; and how many are not."""
    wanted = rows > 0
    for group in shares:
        wanted[tuple(one.levels.index(level) for one, level in zip(of, group, strict=True))] = True
    left_out = int((~wanted).sum())
    if rows.size <= _MOST_LINES:
        wanted, left_out = np.ones(rows.shape, dtype=np.bool_), 0
    return np.argwhere(wanted), left_out


def _line(
    judged: _Judged,
    group: Group,
    rows: int,
    known: int,
    interval: tuple[float, float],
    by_class: NDArray[np.int64],
    share: Fraction | None,
) -> GroupLine:
    spec = judged.spec
    have = rows / known if known else 0.0
    limit = share * Fraction(str(spec.under)) if share is not None else None
    line = GroupLine(
        of=group,
        rows=rows,
        share=have,
        interval=interval,
        state="enough",
        to_minimum=rows_to_minimum(rows, spec.at_least),
        reference=float(share) if share is not None else None,
        ratio=have / float(share) if share else None,
        p=float(fewer_than(np.array([rows]), known, np.array([float(share)]))[0]) if share and known else None,
        to_limit=rows_to_share(rows, known, limit) if limit is not None else None,
        to_reference=rows_to_share(rows, known, share) if share is not None else None,
        outcomes=dict(zip(judged.classes, by_class.tolist(), strict=True)) if judged.classes else {},
    )
    if judged.positive is None or not rows:
        return line
    good = np.array([line.outcomes[judged.positive]])
    low, high = exact_interval(good, rows, spec.confidence)
    return replace(line, rate=float(good[0] / rows), rate_interval=(float(low[0]), float(high[0])))


def _fit(
    rows: NDArray[np.int64], names: Sequence[Group], shares: Mapping[Group, Fraction], spec: DiversitySpec
) -> Fit | None:
    """The whole margin against the reference, over the groups that the reference has."""
    chosen = [i for i, group in enumerate(names) if shares.get(group)]
    if len(chosen) < 2 or not rows[chosen].sum():
        return None
    wanted = np.array([float(shares[names[i]]) for i in chosen])
    wanted /= wanted.sum()
    statistic, p, how = chi_square(rows[chosen], wanted, np.random.Generator(np.random.PCG64(_SEED)))
    return Fit(
        statistic=statistic,
        freedom=len(chosen) - 1,
        p=p,
        adjusted=p,
        how=how,
        psi=psi(rows[chosen], wanted),
        psi_by_chance=psi_by_chance(len(chosen), int(rows[chosen].sum()), spec.confidence),
    )


def _outcome_gap(judged: _Judged, names: Sequence[Group], by_class: NDArray[np.int64]) -> OutcomeGap | None:
    """Between the groups that have enough rows; for two classes the gap of rates, else of the most different class."""
    enough = np.flatnonzero(by_class.sum(axis=1) >= judged.spec.at_least)
    if not judged.classes or len(enough) < 2:
        return None
    table = by_class[enough]
    _, p = independence(table)
    if np.isnan(p):
        return None
    rates = table / table.sum(axis=1, keepdims=True)
    spread = rates.max(axis=0) - rates.min(axis=0)
    column = judged.classes.index(judged.positive) if judged.positive is not None else int(spread.argmax())
    lowest, highest = int(rates[:, column].argmin()), int(rates[:, column].argmax())
    return OutcomeGap(
        lowest=CROSS.join(names[int(enough[lowest])]),
        highest=CROSS.join(names[int(enough[highest])]),
        gap=float(spread[column]),
        p=p,
        adjusted=p,
    )


def _notes(judged: _Judged) -> tuple[str, ...]:
    notes = (
        ["The reference is taken as exact; intervals and tests are about the sample only."] if judged.reference else []
    )
    if judged.reference is None:
        notes.append("No reference population was declared, so only groups with too few rows are found.")
    elif len(judged.reference.shares) < sum(
        1 for size in range(1, judged.spec.depth + 1) for _ in combinations(judged.attributes, size)
    ):
        notes.append("Some attributes or intersections have no reference shares; they are only counted.")
    if any(one.special for one in judged.attributes):
        notes.append(
            f"Counts under {judged.spec.least_shown} of groups by special columns, and those that would tell them, are"
            " not shown."
        )
    return tuple(notes)
