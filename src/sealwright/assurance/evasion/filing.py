"""What an attack found, as findings and a curve. Every number names its budget: what a change cost, how often was asked."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, CLASSES, REGRESSION
from sealwright.assurance.evasion.flips import Flips
from sealwright.assurance.goal import Goal
from sealwright.assurance.intervals import mean_interval
from sealwright.assurance.model import Figure, Finding, NotPerformed, Series
from sealwright.assurance.refusals import refused

__all__ = ["attack_files", "curve", "filed", "price_words", "share"]

_PRICE: Final = "1 moves one number by one standard deviation or switches one category, times its declared cost"


def attack_files(prefix: str, tasks: frozenset[str] = ALL) -> Mapping[str, frozenset[str]]:
    """Check names of one attack, with the tasks they exist for."""
    names = {
        f"{prefix}_robust_accuracy": CLASSES,
        f"{prefix}_flip_share": CLASSES,
        f"{prefix}_moved_share": REGRESSION,
        f"{prefix}_mean_cost": ALL,
        f"{prefix}_refused_share": ALL,
        f"{prefix}_queries": ALL,
    }
    return {name: known & tasks for name, known in names.items() if known & tasks}


def filed(prefix: str, words: str, goal: Goal, flips: Flips) -> Iterator[Finding | NotPerformed]:
    """The findings of one attack; `words` says what it does: "a search that only asks the model"."""
    case = goal.case
    budget, n = case.spec.attacks.reported_budget, len(goal)
    note = f"{words}; {flips.queries:,} questions in all for {n:,} rows, {flips.queries / n:.0f} a row"
    price = price_words(flips.each)
    turned = flips.turned(budget)
    if case.task == "regression":
        what = f"Share of predictions moved by more than {case.spec.attacks.moved_by:g} sd of the target"
        yield share(
            f"{prefix}_moved_share", turned, f"{what} by a possible change of {price} at most {budget:g}.", case, note
        )
    else:
        text = f"Share of rows decided right that no change found, of {price} at most {budget:g}, makes wrong, of all rows."
        yield share(f"{prefix}_robust_accuracy", goal.right & ~turned, text, case, note)
        text = f"Share of decisions that a possible change of {price} at most {budget:g} turns."
        yield share(f"{prefix}_flip_share", turned, text, case, note)
    yield from _of_turned(prefix, case, goal, flips, note)
    yield Finding(
        check=f"{prefix}_queries",
        value=flips.queries,
        n=n,
        unit="count",
        definition="Questions this attack put to the model, over all rows attacked.",
        note=words,
    )


def _of_turned(prefix: str, case: Case, goal: Goal, flips: Flips, note: str) -> Iterator[Finding | NotPerformed]:
    """What is said about the rows that were turned at whatever cost."""
    found = flips.found
    if not found.any():
        why = f"no possible change was found that turns one of {len(goal):,} rows ({note})"
        yield NotPerformed(check=f"{prefix}_mean_cost", why=why)
        yield NotPerformed(check=f"{prefix}_refused_share", why=why)
        return
    costs = flips.cost[found]
    ends: tuple[float, float] | tuple[None, None] = (None, None)
    if costs.size > 1:
        mean, (low, high) = mean_interval(costs, case.spec.confidence)
        ends = (max(0.0, low), max(high, mean))
    yield Finding(
        check=f"{prefix}_mean_cost",
        value=float(costs.mean()),
        low=ends[0],
        high=ends[1],
        n=costs.size,
        unit="sd",
        definition=f"Mean {'largest change' if flips.each else 'cost'} of the cheapest change found that turns a row, among"
        f" the rows turned; {_PRICE}.",
        note=f"{costs.size:,} of {len(goal):,} rows turned, the cheapest at {costs.min():.3g}; {note}",
    )
    stopped = refused(flips.changed.take(np.flatnonzero(found)), case.interface)
    text = "Share of the turned rows that the contract refuses before the model, when served."
    yield share(f"{prefix}_refused_share", stopped, text, case, note)


def share(check: str, rows: np.ndarray, definition: str, case: Case, note: str = "") -> Finding:
    """A share of rows with its interval."""
    low, high = case.share_interval(int(rows.sum()), rows.size)
    value = float(rows.mean())
    return Finding(
        check=check, value=value, low=low, high=high, n=rows.size, unit="share", definition=definition, note=note
    )


def price_words(each: bool) -> str:
    return "a cost per feature of" if each else "a total cost of"


def curve(name: str, title: str, goal: Goal, attacks: Mapping[str, Flips], proofs: Mapping[str, np.ndarray]) -> Figure:
    """Robust accuracy (or the share of predictions that stay) over budgets: attacked from above, proven from below.

    Parameters
    ----------
    proofs : mapping
        Per series: bool array of shape (budgets, n), as `Certificate.holds`.
    """
    budgets = goal.case.spec.attacks.budgets
    lines = {f"attacked: {key}": [goal.right & ~flips.turned(b) for b in budgets] for key, flips in attacks.items()}
    lines |= {f"proven: {key}": [goal.right & rows for rows in holds] for key, holds in proofs.items()}
    series = []
    for key, points in lines.items():
        every = [goal.right, *points]
        ends = [goal.case.share_interval(int(rows.sum()), rows.size) for rows in every]
        series.append(
            Series(
                name=key,
                x=(0.0, *budgets),
                y=tuple(float(rows.mean()) for rows in every),
                low=tuple(low for low, _ in ends),
                high=tuple(high for _, high in ends),
            )
        )
    what = "predictions that stay" if goal.case.task == "regression" else "robust accuracy"
    return Figure(name=name, kind="lines", title=title, x="budget", y=what, series=tuple(series), note=_PRICE)
