"""Our three recipes: which parameters they have, where a search looks, and what they start from.

Answers: given a recipe, a task and the number of rows, which settings are tried?
Does not answer: how an estimator is built or judged; `adapters` do. Pure data and arithmetic.
"""

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sealwright.kernel import InvalidInput
from sealwright.training.encoding import Style

__all__ = [
    "Parameter",
    "Value",
    "checked_parameters",
    "default_metric",
    "fixed_parameters",
    "parameters_of",
    "style_of",
]

Value = bool | int | float | str

_MANY_ROWS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One setting. `low` and `high` bound what a person may fix; the search stays within `search`."""

    name: str
    default: Value
    low: float
    high: float
    search: tuple[float, float] | None = None  # None: not searched
    log: bool = False
    whole: bool = False
    flag: bool = False

    def check(self, value: Value) -> Value:
        """The value as the recipe takes it.

        Raises
        ------
        InvalidInput
            Wrong kind, or outside its bounds.
        """
        if self.flag:
            if isinstance(value, bool):
                return value
            raise InvalidInput(f"params.{self.name} is true or false; got {value!r}.")
        if isinstance(value, (bool, str)) or not math.isfinite(value) or (self.whole and value != int(value)):
            raise InvalidInput(f"params.{self.name} is a {'whole ' if self.whole else ''}number; got {value!r}.")
        if not self.low <= value <= self.high:
            raise InvalidInput(f"params.{self.name} lies between {self.low:g} and {self.high:g}; got {value:g}.")
        return int(value) if self.whole else float(value)


def parameters_of(recipe: str, task: str, rows: int) -> tuple[Parameter, ...]:
    """The parameters of a recipe, with search ranges that fit the number of training rows."""
    many = rows >= _MANY_ROWS
    balanced = Parameter(name="balanced", default=False, low=0, high=1, flag=True)
    if recipe == "logistic":
        if task == "regression":
            strength = Parameter(name="strength", default=1.0, low=0, high=1e9, search=(1e-3, 1e4), log=True)
            return (strength,)  # of the penalty, as in ridge regression
        inverse = Parameter(name="c", default=1.0, low=1e-9, high=1e9, search=(1e-3, 1e2), log=True)
        return (inverse, balanced)
    widest = max(1.0, rows / 10)  # larger leaves than this leave no room for a tree
    first, last = (5.0, 200.0 if many else 50.0) if recipe == "boosting" else (1.0, 100.0 if many else 20.0)
    leaf = Parameter(
        name="min_samples_leaf",
        default=int(min(20 if recipe == "boosting" else 3, widest)),
        low=1,
        high=1e6,
        search=(min(first, widest), min(last, widest)),
        log=True,
        whole=True,
    )
    share = Parameter(name="max_features", default=0.5, low=0.01, high=1, search=(0.1, 1.0))
    if recipe == "forest":
        trees = Parameter(name="trees", default=100, low=1, high=1000, whole=True)
        leaves = Parameter(name="max_leaf_nodes", default=1024, low=2, high=4096, whole=True)
        shared: tuple[Parameter, ...] = (trees, leaves, leaf, share)
    else:
        shared = (
            Parameter(name="learning_rate", default=0.1, low=1e-4, high=1, search=(0.03, 0.3), log=True),
            Parameter(name="trees", default=60, low=1, high=1000, search=(30, 200 if many else 100), whole=True),
            Parameter(
                name="max_leaf_nodes", default=8, low=2, high=255, search=(3, 63 if many else 16), log=True, whole=True
            ),
            leaf,
            Parameter(name="l2", default=1.0, low=0, high=1e6, search=(1e-3, 30.0), log=True),
            share,
        )
    return shared if task == "regression" else (*shared, balanced)


def fixed_parameters(recipe: str, task: str, given: Mapping[str, Value]) -> dict[str, Value]:
    """What a person holds fixed, checked.

    Raises
    ------
    InvalidInput
        A name the recipe does not have (with the nearest one it has), or a value out of bounds.
    """
    return checked_parameters(recipe, parameters_of(recipe, task, 0), given)


def checked_parameters(recipe: str, parameters: Sequence[Parameter], given: Mapping[str, Value]) -> dict[str, Value]:
    """As `fixed_parameters`, for a recipe that has these parameters."""
    known = {parameter.name: parameter for parameter in parameters}
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"Did you mean {near[0]!r}?" if near else f"It has: {', '.join(known)}."
            raise InvalidInput(f"The recipe {recipe} has no parameter {name!r}. {hint}")
    return {name: known[name].check(value) for name, value in given.items()}


def style_of(recipe: str) -> Style:
    """How a recipe wants its numbers."""
    styles: dict[str, Style] = {"logistic": "scaled", "forest": "filled", "boosting": "plain"}
    return styles[recipe]


def default_metric(task: str) -> str:
    """What is searched for when nobody says."""
    return {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}[task]
