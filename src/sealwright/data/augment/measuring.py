"""Rows made up and measured: what would be added, and everything that is known about it.

Answers: the rows, and their fidelity, usefulness and closeness, measured on training rows only.
Does not answer: are they kept. The caller stores them, marked, or shows the numbers and forgets the rows.

The rows that are handed out are learned from all training rows. What is measured about learning from people and asking
others is measured in folds: each part of the training rows is held out once, the rows are made up from the rest, and the
part that was held out stands for strangers and for rows a model has not seen.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sealwright.data.augment.closeness import Trial, measure_closeness, reasons_against
from sealwright.data.augment.errors import TooClose
from sealwright.data.augment.fidelity import measure_fidelity
from sealwright.data.augment.frame import Frame, frame_of, row_keys
from sealwright.data.augment.learning import one_thread
from sealwright.data.augment.making import Made, make_rows
from sealwright.data.augment.report import Augmented
from sealwright.data.augment.spec import AugmentSpec
from sealwright.data.augment.usefulness import Fold, measure_usefulness
from sealwright.data.augment.wanted import rows_in
from sealwright.data.diversity import DiversitySpec, Reference
from sealwright.data.diversity.contract import ContractLike
from sealwright.kernel import Progress, silent

__all__ = ["augment", "judge", "refuse_too_close"]

_MEASURE_SEED = 20260102  # not that of the making: a measure must not look at the same draws
_MOST_LEARNED = 30_000  # rows of a fold outside the groups; more only take time

Bools = NDArray[np.bool_]
Make = Callable[[pa.Table, Sequence[int], int], Made]
"""From training rows, an amount for each group and a seed to made-up rows."""


def augment(
    train: pa.Table,
    contract: ContractLike,
    spec: AugmentSpec,
    *,
    diversity: DiversitySpec | None = None,
    reference: Reference | None = None,
    tag: str = "1",
    first: int = 1,
    progress: Progress = silent,
) -> Augmented:
    """Make rows up for the groups of a spec, and measure them.

    Parameters
    ----------
    train : pa.Table
        Real training rows, all columns of the snapshot.

    Returns
    -------
    Augmented
        With the rows in `made.table`. Ask `refuse_too_close` before they are used.

    Raises
    ------
    TooFewToLearnFrom, InvalidInput
        As `make_rows`.

    See Also
    --------
    make_rows : the other parameters.
    """
    progress("making rows up", 0.0)
    made = make_rows(train, contract, spec, diversity=diversity, reference=reference, tag=tag, first=first)

    def again(rows: pa.Table, amounts: Sequence[int], seed: int) -> Made:
        wanted = spec.model_copy(update={"seed": seed})
        return make_rows(rows, contract, wanted, diversity=diversity, reference=reference, amounts=amounts)

    found = judge(train, contract, spec, made, again, diversity=diversity, progress=progress)
    progress("measured", 1.0)
    return found


def refuse_too_close(found: Augmented) -> None:
    """Refuse rows that are too close to real persons.

    Raises
    ------
    TooClose
        With every reason.
    """
    if found.too_close:
        raise TooClose(found.too_close)


def judge(
    train: pa.Table,
    contract: ContractLike,
    spec: AugmentSpec,
    made: Made,
    make: Make,
    *,
    diversity: DiversitySpec | None = None,
    progress: Progress = silent,
) -> Augmented:
    """Measure a way of making rows up, whoever's it is: `make` is called for each fold with the rows it may learn from."""
    with one_thread():  # the models are small, and one thread gives the same numbers on every machine
        return _judged(train, contract, spec, made, make, diversity, progress)


def _judged(
    train: pa.Table,
    contract: ContractLike,
    spec: AugmentSpec,
    made: Made,
    make: Make,
    diversity: DiversitySpec | None,
    progress: Progress,
) -> Augmented:
    rng = np.random.Generator(np.random.PCG64(_MEASURE_SEED))
    wheres = [one.where for one in made.groups]
    every = frame_of(train, contract)
    inside = [rows_in(train, where, contract, diversity)[0] for where in wheres]
    new = frame_of(made.table, contract)
    progress("comparing columns and pairs", 0.1)
    fidelity = measure_fidelity(_matched(every, inside, [one.made for one in made.groups], rng), new, rng)
    folds, trials = _folds(train, every, inside, made, make, contract, spec, rng, progress)
    progress("training yardstick models", 0.6)
    features = [name for name, column in contract.columns.items() if column.role == "feature" and name in _names(every)]
    positive = contract.classes.index(contract.positive) if contract.positive is not None else None
    usefulness = measure_usefulness(folds, features, contract.target, positive, rng)
    progress("looking for persons behind the rows", 0.9)
    closeness = measure_closeness(trials, rng)
    copies = _copies(every, new)
    if copies:
        closeness = replace(closeness, copies=max(closeness.copies, copies))
    return Augmented(
        made=made,
        recipe=_recipe(spec),
        fidelity=fidelity,
        usefulness=usefulness,
        closeness=closeness,
        too_close=reasons_against(closeness, spec.most_near, spec.most_found),
    )


def _names(frame: Frame) -> set[str]:
    return {one.name for one in frame.columns}


def _matched(every: Frame, inside: Sequence[Bools], made: Sequence[int], rng: np.random.Generator) -> Frame:
    """Real rows of the groups, mixed as the made-up rows are; as many as that allows."""
    total = sum(made)
    have = [int(rows.sum()) for rows in inside]
    most = min((have[i] / made[i] for i in range(len(made)) if made[i]), default=0.0)
    chosen = [
        rng.choice(np.flatnonzero(rows), int(most * n), replace=False)
        for rows, n in zip(inside, made, strict=True)
        if n
    ]
    return every.take(np.concatenate(chosen)) if total else every


def _folds(
    train: pa.Table,
    every: Frame,
    inside: Sequence[Bools],
    made: Made,
    make: Make,
    contract: ContractLike,
    spec: AugmentSpec,
    rng: np.random.Generator,
    progress: Progress,
) -> tuple[list[Fold], list[Trial]]:
    """Hold each part out once. The parts are even within the groups, so that each has strangers of theirs."""
    anyone = np.logical_or.reduce(list(inside))
    part = np.empty(train.num_rows, dtype=np.int64)
    for rows in (np.flatnonzero(anyone), np.flatnonzero(~anyone)):
        part[rows] = rng.permutation(np.arange(len(rows)) % spec.folds)
    share = (spec.folds - 1) / spec.folds
    amounts = [max(1, round(one.made * share)) for one in made.groups]
    folds, trials = [], []
    for held in range(spec.folds):
        progress(f"making rows up from part of the people, {held + 1} of {spec.folds}", 0.1 + 0.5 * held / spec.folds)
        learn = part != held
        again = make(train.filter(pa.array(learn)), amounts, int(rng.integers(2**31 - 1)))
        new = frame_of(again.table, contract)
        trials.append(Trial(learned=every.take(learn & anyone), held=every.take(~learn & anyone), made=new))
        some = _fewer(np.flatnonzero(learn), anyone, rng)
        folds.append(
            Fold(
                learned=every.take(some),
                learned_in=anyone[some],
                held=every.take(~learn),
                held_in=anyone[~learn],
                made=new,
            )
        )
    return folds, trials


def _fewer(rows: NDArray[np.int64], anyone: Bools, rng: np.random.Generator) -> NDArray[np.int64]:
    """All rows of the groups, and of the others as many as the yardsticks need."""
    others = rows[~anyone[rows]]
    if len(others) <= _MOST_LEARNED:
        return rows
    return np.sort(np.concatenate([rows[anyone[rows]], rng.choice(others, _MOST_LEARNED, replace=False)]))


def _copies(real: Frame, made: Frame) -> float:
    """Share of the rows to be kept that are equal to a training row: zero, unless somebody else made them."""
    known = set(row_keys(real).tolist())
    return float(np.mean([key in known for key in row_keys(made).tolist()])) if made.rows else 0.0


def _recipe(spec: AugmentSpec) -> dict[str, Any]:
    return spec.model_dump(mode="json", exclude_none=True)
