"""Cleaning: a declared recipe, fitted once, applied part by part, and undone exactly.

Answers: what becomes of these rows under `data.clean`, and what was changed where?
Does not answer: what is wrong with them. Quality finds that; a person writes the recipe.
Names load on first use; cleaning needs the extra `build`.
"""

from typing import TYPE_CHECKING

from sealwright.kernel import Needs, front_door

if TYPE_CHECKING:
    from sealwright.data.cleaning.errors import ChangesDoNotFit as ChangesDoNotFit
    from sealwright.data.cleaning.errors import RecipeDoesNotFit as RecipeDoesNotFit
    from sealwright.data.cleaning.log import undo as undo
    from sealwright.data.cleaning.recipe import FittedRecipe as FittedRecipe
    from sealwright.data.cleaning.recipe import FittedStep as FittedStep
    from sealwright.data.cleaning.recipe import fit as fit
    from sealwright.data.cleaning.recipe import recipe_from_json as recipe_from_json
    from sealwright.data.cleaning.recipe import tally as tally
else:
    __getattr__, __dir__, __all__ = front_door(
        __name__, Needs("Cleaning data", extra="build", libraries=("pyarrow", "sklearn"))
    )
