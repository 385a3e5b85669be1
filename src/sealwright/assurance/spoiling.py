"""Several ways to spoil documents or images, told as one check: a finding for each way, and one figure of all curves."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, CLASSES, REGRESSION, Outcome, collected
from sealwright.assurance.disturbance import Disturbance, measured
from sealwright.assurance.model import Figure, Finding, Group, NotPerformed, Series

__all__ = ["spoiled", "spoiling_files"]

_ENDS = {"flip_share": CLASSES, "shift": REGRESSION, "score_drop": ALL, "no_answer_share": ALL, "holds_up_to": ALL}


def spoiling_files(prefix: str) -> dict[str, frozenset[str]]:
    """The names a check of this prefix files."""
    return {f"{prefix}_{end}": tasks for end, tasks in _ENDS.items()}


def spoiled(
    case: Case,
    prefix: str,
    kinds: Sequence[Disturbance],
    rng: np.random.Generator,
    title: str,
    along: str,
    *,
    scaled: bool = False,
) -> Outcome:
    """What each of `kinds` does: findings with the way as their group, and the curves together.

    `scaled`: strengths of different kinds, drawn as shares of the strongest of each.
    """
    every: list[Finding | NotPerformed] = []
    curves: list[Series] = []
    for kind, own in zip(kinds, rng.spawn(len(kinds)), strict=True):
        if why := kind.impossible(case):
            every += [
                NotPerformed(check=name, why=why, group=Group(attribute=kind.name))
                for name, tasks in spoiling_files(prefix).items()
                if case.task in tasks
            ]
            continue
        outcome = measured(case, kind, prefix, own)
        every += _about(kind, prefix, outcome)
        curve = outcome.figures[0].series[0]
        strongest = max(map(float, curve.x)) if scaled else 1.0
        curves.append(Series(name=kind.title, x=tuple(float(x) / strongest for x in curve.x), y=curve.y))
    figure = Figure(
        name=prefix,
        kind="lines",
        title=title,
        x=along,
        y="decisions changed" if case.task != "regression" else "shift, sd of the target",
        series=tuple(curves),
    )
    return collected([*every, figure])


def _about(kind: Disturbance, prefix: str, outcome: Outcome) -> Iterator[Finding | NotPerformed]:
    refused = f"{prefix}_refused_share"  # a contract says nothing about words or pixels
    items: list[Finding | NotPerformed] = [*outcome.findings, *outcome.not_performed]
    for item in items:
        if item.check != refused:
            yield replace(item, group=Group(attribute=kind.name))
