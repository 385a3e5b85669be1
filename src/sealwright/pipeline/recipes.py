"""A recipe for de-identification in a file of its own: a `deidentify:` block, as in a project file.

Answers: is this file a recipe, and if not, which line is wrong?
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sealwright.data.deidentify import DeidentifySpec
from sealwright.kernel import InvalidInput, Located, read_limited, strict_yaml

__all__ = ["read_recipe"]

_MOST_BYTES = 1 << 20


class _Recipe(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    deidentify: Annotated[DeidentifySpec, Field(description="What is done before data is given away.")]


def read_recipe(path: Path) -> DeidentifySpec:
    """Read a recipe.

    Raises
    ------
    InvalidInput
        The file is missing, is not strict YAML, or breaks the model; all mistakes are listed with their lines.
    """
    document = strict_yaml(read_limited(path, _MOST_BYTES), what=str(path))
    try:
        return _Recipe.model_validate(document.value).deidentify
    except ValidationError as error:
        listed = "\n".join(f"  {line}" for line in _mistakes(error, document))
        raise InvalidInput(f"{path} is not a recipe; a recipe is a deidentify: block.\n{listed}") from None


def _mistakes(error: ValidationError, document: Located) -> Iterator[str]:
    """One line per mistake. pydantic names members of unions in between; they stand in no file."""
    for found in error.errors():
        known: tuple[str | int, ...] = ()
        for part in found["loc"]:
            known = (*known, part) if (*known, part) in document.lines else known
        name = ".".join(str(part) for part in known) or "the file"
        yield f"line {document.lines.get(known, 1)}: {name}: {found['msg'].removeprefix('Value error, ')}"
