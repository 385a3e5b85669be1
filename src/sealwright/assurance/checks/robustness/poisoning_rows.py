"""One test row an attacker wants decided otherwise: near copies of it with a false label go into the training rows.

For each chosen row a model is trained with 1, 3, 10 (…) near copies, and asked about that row alone. The control adds as
many near copies with the label the model gives anyway: what turns there turns by itself.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, Outcome, collected
from sealwright.assurance.constraints.making import constraints_of
from sealwright.assurance.constraints.model import Constraints
from sealwright.assurance.features import Features
from sealwright.assurance.intervals import exact_share
from sealwright.assurance.model import Figure, Finding, NotPerformed, Series
from sealwright.assurance.poisoning.lab import Lab, joined, lab_check

__all__ = ["CHECK"]

_TURNED = "robustness.poisoning_rows_turned_share"
_UP_TO = "robustness.poisoning_rows_holds_up_to"
_JITTER = 0.05  # of a standard deviation: a near copy is no duplicate, which would be noticed
_HALF = 0.5


def _run(case: Case, lab: Lab, rng: np.random.Generator) -> Outcome:
    return collected(_measured(case, lab, rng))


def _measured(case: Case, lab: Lab, rng: np.random.Generator) -> Iterator[Finding | NotPerformed | Figure]:
    decided = case.decide(lab.clean)
    sound = np.flatnonzero(decided == lab.test_truth)  # what is wrong already, nobody has to turn
    chosen = np.sort(rng.choice(sound, min(sound.size, case.spec.poisoning.chosen), replace=False))
    if chosen.size < 5:
        for check in (_TURNED, _UP_TO):
            yield NotPerformed(
                check=check, why=f"only {chosen.size} rows are decided rightly; it takes 5 to choose from"
            )
        return
    constraints = constraints_of(case)
    budgets = case.spec.poisoning.copies
    turned = np.zeros((len(budgets), chosen.size), dtype=np.bool_)
    control = np.zeros(chosen.size, dtype=np.bool_)
    for place, row in enumerate(chosen):
        target, near = lab.test.take(slice(row, row + 1)), _near_copies(lab, constraints, int(row), budgets[-1], rng)
        false = _other(lab, int(row))
        for step, copies in enumerate(budgets):
            turned[step, place] = _decision(case, lab, near.take(slice(copies)), false, target) != decided[row]
        control[place] = _decision(case, lab, near, int(decided[row]), target) != decided[row]
    yield from _findings(case, lab, turned, int(control.sum()))


def _near_copies(lab: Lab, constraints: Constraints, row: int, copies: int, rng: np.random.Generator) -> Features:
    original = lab.test.take(np.full(copies, row))
    noise = _JITTER * constraints.scale * rng.standard_normal(original.numbers.shape)
    wanted = original.with_numbers((original.numbers + noise).astype(original.numbers.dtype))
    return constraints.project(original, wanted)


def _other(lab: Lab, row: int) -> int:
    """The most probable of the outcomes the row was not given."""
    answer = lab.clean[row].copy()
    answer[int(lab.test_truth[row])] = -1.0
    return int(np.argmax(answer))


def _decision(case: Case, lab: Lab, near: Features, label: int, target: Features) -> int:
    labels: NDArray[np.generic] = np.concatenate([lab.truth, np.full(len(near), label)])
    return int(case.decide(lab.ask(lab.learn(joined(lab.rows, near), labels), target))[0])


def _findings(
    case: Case, lab: Lab, turned: NDArray[np.bool_], control: int
) -> Iterator[Finding | NotPerformed | Figure]:
    budgets, n = case.spec.poisoning.copies, turned.shape[1]
    shares = turned.mean(axis=1)
    ends = [exact_share(int(one.sum()), n, case.spec.confidence) for one in turned]
    by_itself = f"with as many copies rightly labelled, {control} of {n} turn by themselves"
    yield Finding(
        check=_TURNED,
        value=float(shares[-1]),
        low=ends[-1][0],
        high=ends[-1][1],
        n=n,
        unit="share",
        definition=f"Share of chosen test rows, rightly decided before, whose decision turns when {budgets[-1]} near"
        " copies with a false label join the training rows.",
        note=f"{budgets[-1] / len(lab.rows):.2%} of {len(lab.rows):,} training rows; {by_itself}",
    )

    def last(values: list[float]) -> float:
        held = 0
        for copies, value in zip(budgets, values, strict=True):
            if value >= _HALF:
                break
            held = copies
        return float(held)

    value = last(shares.tolist())
    yield Finding(
        check=_UP_TO,
        value=value,
        low=min(value, last([high for _, high in ends])),
        high=max(value, last([low for low, _ in ends])),
        n=n,
        unit="rows",
        definition="Largest tried number of near copies with a false label at which fewer than half of the chosen rows"
        " turn; 0 if the smallest turns half of them.",
        note=f"tried: {', '.join(map(str, budgets))}",
    )
    line = Series(
        name="chosen rows that turn",
        x=tuple(map(float, budgets)),
        y=tuple(shares.tolist()),
        low=tuple(low for low, _ in ends),
        high=tuple(high for _, high in ends),
        n=(n,) * len(budgets),
    )
    yield Figure(
        name="robustness.poisoning_rows",
        kind="lines",
        title="Turning one chosen row",
        x="near copies with a false label",
        y="share of chosen rows",
        series=(line,),
        note=by_itself,
    )


CHECK = lab_check("robustness.poisoning_rows", {_TURNED: CLASSES, _UP_TO: CLASSES}, _run)
