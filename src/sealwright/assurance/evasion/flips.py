"""What an attack found: for each row the cheapest change that reached the goal; and the laws every attack obeys.

A law that does not hold is a mistake of ours, never a property of the model: certified robust accuracy is at most the
attacked one, that at most the clean one, and neither rises when the attacker may spend more.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.constraints.model import Constraints
from sealwright.assurance.evasion.costs import affordable
from sealwright.assurance.features import Features
from sealwright.assurance.goal import Goal

__all__ = ["Flips", "hold_the_laws"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flips:
    """The cheapest turned row for each row attacked."""

    attack: str
    each: bool  # costs are of the feature changed most, not added up
    cost: Floats  # shape (n,); infinity where nothing was found
    changed: Features  # the turned rows; the originals where nothing was found
    queries: int  # questions asked, all together

    @property
    def found(self) -> NDArray[np.bool_]:
        return np.isfinite(self.cost)

    def turned(self, budget: float) -> NDArray[np.bool_]:
        """Rows turned at a cost of at most `budget`."""
        return affordable(self.cost, budget)


def hold_the_laws(
    goal: Goal, constraints: Constraints, flips: Flips, budgets: tuple[float, ...], certified: NDArray[np.bool_] | None
) -> None:
    """Check what was found against what must be.

    Parameters
    ----------
    certified : bool array, shape (budgets, n), or None
        Rows for which a bound says that no change within the budget reaches the goal.

    Raises
    ------
    AssertionError
        A turned row is not possible or does not turn when asked again, a bound is contradicted, or a robust accuracy
        exceeds the clean one or rises with the budget.
    """
    at = np.flatnonzero(flips.found)
    if at.size:
        original, changed = goal.original.take(at), flips.changed.take(at)
        if not constraints.allowed(original, changed).all():
            raise AssertionError(f"{flips.attack}: a row was made that the constraints do not allow")
        if not goal.reached(goal.ask(changed, at)).all():
            raise AssertionError(f"{flips.attack}: a row that turned does not turn when it is asked again")
    last = float(goal.right.mean())
    for place, budget in enumerate(budgets):
        turned = flips.turned(budget)
        robust = float((goal.right & ~turned).mean())
        if robust > last:
            raise AssertionError(
                f"{flips.attack}: robust accuracy {robust} at budget {budget:g} exceeds {last} before it"
            )
        last = robust
        if certified is not None and (certified[place] & turned).any():
            raise AssertionError(f"{flips.attack}: a row was turned within {budget:g} although a bound excludes it")
    if certified is not None and (np.diff(certified.astype(np.int8), axis=0) > 0).any():
        raise AssertionError("a row is certified for a larger budget and not for a smaller one")
