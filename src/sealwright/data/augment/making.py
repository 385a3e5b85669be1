"""Made-up rows: learned from training rows of a group, never a copy of one, in the form the contract asks for.

Answers: which rows, under which names, how many of them for whom?
Does not answer: where they are kept. The manifest of a snapshot marks them for ever, and they are never tested on.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from sealwright.data.augment import copula, smote
from sealwright.data.augment.frame import Floats, Frame, Ints, column_to_arrow, frame_of, frames_like, row_keys, within
from sealwright.data.augment.identifiers import fresh
from sealwright.data.augment.spec import AugmentSpec
from sealwright.data.augment.wanted import Wanted, by_class, rows_in, wanted_of
from sealwright.data.diversity import DiversitySpec, Reference
from sealwright.data.diversity.contract import ContractLike
from sealwright.kernel import InvalidInput

__all__ = ["Made", "MadeGroup", "make_rows"]

_TRIES = 30  # times rows are drawn again in place of those that turned out to be a real one

Draw = Callable[[int, np.random.Generator], Frame]


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeGroup:
    """What was made for one group."""

    where: Mapping[str, str]
    real: int  # training rows it was learned from
    asked: int
    made: int
    redrawn: int  # drawn rows that were equal to a real or an earlier one, and thrown away


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Made-up rows, and for whom."""

    table: pa.Table  # the schema of the training rows
    groups: tuple[MadeGroup, ...]
    notes: tuple[str, ...] = ()


def make_rows(
    train: pa.Table,
    contract: ContractLike,
    spec: AugmentSpec,
    *,
    diversity: DiversitySpec | None = None,
    reference: Reference | None = None,
    amounts: Sequence[int] | None = None,
    tag: str = "1",
    first: int = 1,
) -> Made:
    """Make rows up for the groups of a spec.

    Parameters
    ----------
    train : pa.Table
        Real training rows, all columns of the snapshot. Never rows that test a model, never made-up ones.
    diversity, reference
        Bands of numbers and the shares that `to:` asks for.
    amounts : sequence of int, optional
        Rows for each group, instead of those of the spec.
    tag : str
        Told in the identifiers of the rows, so that two makings never share one.
    first : int
        The number of the first row in identifiers: one more than there are made-up rows already.

    Returns
    -------
    Made
        Rows that keep the contract, none of them equal to a training row in all columns besides identifiers.

    Raises
    ------
    TooFewToLearnFrom
        A group has too few real rows.
    InvalidInput
        A group, share or identifier that cannot be had.
    """
    rng = np.random.Generator(np.random.PCG64(spec.seed))
    real = frame_of(train, contract)
    taken = set(row_keys(real).tolist())
    tables: list[pa.Table] = []
    groups, notes = [], []
    for place, group in enumerate(spec.groups):
        if amounts is not None:
            inside, _ = rows_in(train, group.where, contract, diversity)
            wanted = Wanted(where=dict(group.where), real=int(inside.sum()), rows=amounts[place])
        else:
            already = pa.concat_tables(tables) if tables else None
            wanted = wanted_of(group, train, already, contract, spec, diversity, reference)
            inside, _ = rows_in(train, group.where, contract, diversity)
        frame, redrawn, said = _group(real, inside, wanted, contract, spec, taken, rng)
        notes += said
        groups.append(
            MadeGroup(where=wanted.where, real=wanted.real, asked=wanted.rows, made=frame.rows, redrawn=redrawn)
        )
        tables.append(_table(frame, train, contract, range(first, first + frame.rows), tag=tag))
        first += frame.rows
    return Made(table=pa.concat_tables(tables), groups=tuple(groups), notes=tuple(dict.fromkeys(notes)))


def _group(
    real: Frame,
    inside: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
    wanted: Wanted,
    contract: ContractLike,
    spec: AugmentSpec,
    taken: set[bytes],
    rng: np.random.Generator,
) -> tuple[Frame, int, list[str]]:
    """New rows of one group, class by class; how many were drawn anew; what has to be said."""
    who = real.take(inside)
    fixed = tuple(wanted.where)
    classes = None
    target = np.zeros(real.rows, dtype=np.int64)
    if contract.task != "regression":
        target = real.columns[real.place(contract.target)].values.astype(np.int64)
        classes = by_class(wanted.rows, target[inside], spec.fewest)
    said, redrawn, parts = [], 0, []
    if classes is None:
        draw = _drawer(who, real, fixed, spec)
        part, redrawn = _new(draw, wanted.rows, taken, rng)
        parts.append(part)
        if contract.task != "regression":
            said.append(
                "A class has too few rows in a group to be learned alone; its outcome was learned with the rest."
            )
    else:
        for code, rows in classes.items():
            of_class = target == code
            draw = _drawer(real.take(inside & of_class), real.take(of_class), (*fixed, contract.target), spec)
            part, again = _new(draw, rows, taken, rng)
            parts.append(part)
            redrawn += again
    made = _joined(real, parts)
    if made.rows < wanted.rows:
        said.append(
            "Fewer rows than asked for: the group's columns have too few different combinations that are nobody's."
        )
    return made, redrawn, said


def _drawer(group: Frame, pool: Frame, fixed: Sequence[str], spec: AugmentSpec) -> Draw:
    if spec.method == "smote":
        return lambda rows, rng: smote.interpolate(group, rows, spec.neighbours, rng)
    return copula.fit(group, pool, fixed).draw


def _new(draw: Draw, rows: int, taken: set[bytes], rng: np.random.Generator) -> tuple[Frame, int]:
    """Rows that are nobody's: those equal to a real row, or to one made before, are drawn again."""
    kept: list[Frame] = []
    have = again = 0
    for _ in range(_TRIES):
        frame = _as_written(draw(max(rows - have, 8), rng))
        chosen: list[int] = []
        for place, key in enumerate(row_keys(frame).tolist()):
            if have + len(chosen) == rows:
                break
            if key in taken:
                again += 1
                continue
            taken.add(key)
            chosen.append(place)
        have += len(chosen)
        kept.append(frame.take(np.array(chosen, dtype=np.int64)))
        if have == rows:
            break
    return _joined(kept[0], kept), again


def _as_written(frame: Frame) -> Frame:
    """Numbers with the decimals of their column and inside the contract's limits, as they will be compared and kept."""
    return frames_like(
        frame,
        [one.values if one.levels is not None else within(one, one.values.astype(np.float64)) for one in frame.columns],
    )


def _joined(like: Frame, parts: Sequence[Frame]) -> Frame:
    columns: list[Floats | Ints] = [
        np.concatenate([part.columns[place].values for part in parts]) for place in range(len(like.columns))
    ]
    return frames_like(like, columns)


def _table(frame: Frame, train: pa.Table, contract: ContractLike, numbers: range, *, tag: str) -> pa.Table:
    """The rows in the schema of the training rows, under names of their own."""
    modelled = {one.name: one for one in frame.columns}
    arrays = []
    for field in train.schema:
        column = contract.columns[field.name]
        if field.name in modelled:
            array = column_to_arrow(modelled[field.name], field.type)
            if array.null_count and not column.nullable:
                raise InvalidInput(
                    f"{field.name} has missing cells in the training rows, which the contract does not allow."
                )
        else:
            array = fresh(field.name, column, field.type, numbers, tag=tag, subject=field.name == contract.subject)
        arrays.append(array)
    return pa.Table.from_arrays(arrays, schema=train.schema)
