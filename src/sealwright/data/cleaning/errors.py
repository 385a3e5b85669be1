"""Refusals of cleaning."""

from sealwright.kernel import InvalidInput

__all__ = ["ChangesDoNotFit", "RecipeDoesNotFit"]


class RecipeDoesNotFit(InvalidInput):
    """The recipe was fitted on other data, or for other columns."""

    code = "data.recipe_does_not_fit"


class ChangesDoNotFit(InvalidInput):
    """The change log is not that of these rows."""

    code = "data.changes_do_not_fit"
