"""Parameters of the private recipes. None is searched: looking at the rows several times would cost several times."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from sealwright.kernel import InvalidInput, MissingExtra
from sealwright.training.declared import read_declared
from sealwright.training.recipes import Parameter, Value, checked_parameters

__all__ = ["private_parameters", "refuse_missing", "refuse_unfit"]

_OWN: dict[str, tuple[Parameter, ...]] = {
    "logistic": (Parameter(name="strength", default=0.0, low=0, high=1e3),),  # 0: from the number of rows and the noise
    "naive_bayes": (Parameter(name="bands", default=8, low=2, high=100, whole=True),),  # of each number
    "forest": (
        Parameter(name="trees", default=20, low=1, high=500, whole=True),
        Parameter(name="depth", default=0, low=0, high=12, whole=True),  # 0: from the number of rows and the noise
    ),
    "network": (
        Parameter(name="hidden", default=16, low=1, high=1024, whole=True),
        Parameter(name="epochs", default=20, low=1, high=1000, whole=True),
        Parameter(name="batch", default=64, low=1, high=1e6, whole=True),  # rows in a step, on average
        Parameter(name="learning_rate", default=0.5, low=1e-5, high=100),
    ),
}

_LIBRARIES = {"network": ("torch", "opacus", "dp_accounting")}


def refuse_unfit(recipe: str, task: str, interface: Mapping[str, Any], given: Mapping[str, Value]) -> None:
    """Refuse what cannot be trained privately before anything starts.

    Raises
    ------
    InvalidInput
        The target is a number, a column has neither range nor categories, or a parameter does not exist.
    """
    if task == "regression":
        raise InvalidInput(
            "Private recipes learn classes; a number as target cannot be learned with differential privacy here.\n"
            "Cut the target into classes, or leave training.privacy out."
        )
    read_declared(interface)
    private_parameters(recipe, given)


def refuse_missing(recipe: str) -> None:
    """Refuse a recipe whose libraries are not installed, without loading them.

    Raises
    ------
    MissingExtra
        Names the extra.
    """
    if any(find_spec(name) is None for name in _LIBRARIES.get(recipe, ())):
        raise MissingExtra(f"Training a {recipe} with differential privacy", "torch")


def private_parameters(recipe: str, given: Mapping[str, Value]) -> dict[str, Value]:
    """Every parameter of a private recipe: what a person fixed, checked, else its default.

    Raises
    ------
    InvalidInput
        A name the recipe does not have, or a value out of bounds.
    """
    return {one.name: one.default for one in _OWN[recipe]} | checked_parameters(
        f"private {recipe}", _OWN[recipe], given
    )
