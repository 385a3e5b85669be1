"""Cleaning: a declared recipe, fitted once, applied part by part, and undone exactly.

Answers: what becomes of these rows under `data.clean`, and what was changed where?
Does not answer: what is wrong with them. Quality finds that; a person writes the recipe.
Names load on first use; cleaning needs the extra `build`.
"""

import importlib
from typing import TYPE_CHECKING, Any

from sealwright.kernel import MissingExtra

if TYPE_CHECKING:
    from sealwright.data.cleaning.errors import ChangesDoNotFit, RecipeDoesNotFit
    from sealwright.data.cleaning.log import undo
    from sealwright.data.cleaning.recipe import FittedRecipe, FittedStep, fit, recipe_from_json, tally

_HOME = {
    "errors": ("ChangesDoNotFit", "RecipeDoesNotFit"),
    "log": ("undo",),
    "recipe": ("FittedRecipe", "FittedStep", "fit", "recipe_from_json", "tally"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "ChangesDoNotFit",
    "FittedRecipe",
    "FittedStep",
    "RecipeDoesNotFit",
    "fit",
    "recipe_from_json",
    "tally",
    "undo",
]


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"sealwright.data.cleaning has no {name!r}")
    try:
        value = getattr(importlib.import_module(f"sealwright.data.cleaning.{module}"), name)  # noqa: TID251
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in {"pyarrow", "sklearn"}:
            raise MissingExtra("Cleaning data", "build") from None
        raise
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
