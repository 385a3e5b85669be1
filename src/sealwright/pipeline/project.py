"""The project file `sealwright.yaml`: one use case on one page, checked before anything runs.

Answers: what does this project want, and is the file sound? Every mistake is reported at once,
each with its line and, for an unknown key, the nearest known one.
Does not answer: whether the data or the policy agree. Those are checked by their rooms.
"""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from sealwright.assurance import AssuranceSpec
from sealwright.charter import CharterSpec
from sealwright.data import DataSpec
from sealwright.data.deidentify import DeidentifySpec
from sealwright.evidence import PolicySpec
from sealwright.kernel import InvalidInput, Located, canonical_json, check_name, digest_of, read_limited, strict_yaml
from sealwright.serving import ServingSpec
from sealwright.training import AT_ONE_HALF, TrainingSpec

__all__ = ["PROJECT_FILE", "Project", "ProjectSpec", "load_project", "project_schema"]

PROJECT_FILE = "sealwright.yaml"
_MOST_BYTES = 1 << 20


class ProjectSpec(BaseModel):
    """What a project file may say. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Annotated[Literal[1], Field(description="Version of this file's format. Always 1 today.")]
    project: Annotated[str, Field(description="Short name: a-z, 0-9, dot, dash, underscore. Part of URLs and folders.")]
    charter: Annotated[CharterSpec, Field(description="Why this model exists, who answers for it, what it must reach.")]
    data: Annotated[DataSpec, Field(description="Where the data is and the contract it must keep.")]
    training: Annotated[TrainingSpec, Field(description="How the model is made.")] = TrainingSpec()
    assurance: Annotated[AssuranceSpec, Field(description="How the model is judged.")] = AssuranceSpec()
    policy: Annotated[
        PolicySpec, Field(description="Which policy decides, and where this project departs from it.")
    ] = PolicySpec()
    serving: Annotated[ServingSpec, Field(description="How the released model answers.")] = ServingSpec()
    deidentify: DeidentifySpec | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="What is done to the data before it is given away: methods, limits, and what an attacker may know.",
    )

    @model_validator(mode="after")
    def _thresholds_lie_at_one_half(self) -> "ProjectSpec":
        mitigation = self.training.mitigation
        cut = mitigation is not None and mitigation.method in AT_ONE_HALF
        if cut and self.assurance.threshold != 0.5:
            raise ValueError(
                "training.mitigation decides at a probability of 0.5, so assurance.threshold must be 0.5 (or left out)"
            )
        return self

    @field_validator("project")
    @classmethod
    def _usable_name(cls, name: str) -> str:
        try:
            return check_name(name, what="project")
        except InvalidInput as error:
            raise ValueError(str(error)) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A checked project file and the folder it stands in."""

    spec: ProjectSpec
    folder: Path
    digest: str  # of the canonical JSON of the checked content: comments and order do not matter

    @property
    def name(self) -> str:
        return self.spec.project

    def at_full_depth(self) -> "Project":
        """The same project with `assurance.depth: full`, as if its file said so."""
        assurance = self.spec.assurance.model_copy(update={"depth": "full"})
        return replace(self, spec=self.spec.model_copy(update={"assurance": assurance}))


def load_project(where: Path) -> Project:
    """Read and check a project file.

    Parameters
    ----------
    where : Path
        The file, or the folder that holds `sealwright.yaml`.

    Raises
    ------
    InvalidInput
        The file is missing, is not strict YAML, or breaks the model; all mistakes are listed with their lines.
    """
    path = where / PROJECT_FILE if where.is_dir() else where
    if not path.exists():
        raise InvalidInput(
            f"There is no {PROJECT_FILE} at {path}.\nMake one with: sealwright init DIR --data FILE --target COLUMN"
        )
    document = strict_yaml(read_limited(path, _MOST_BYTES), what=str(path))
    try:
        spec = ProjectSpec.model_validate(document.value)
    except ValidationError as error:
        mistakes = [f"  {line}" for line in _mistakes(error, document)]
        count = f"{len(mistakes)} mistakes" if len(mistakes) > 1 else "a mistake"
        raise InvalidInput(f"{path} has {count}:\n" + "\n".join(mistakes)) from None
    return Project(
        spec=spec, folder=path.resolve().parent, digest=digest_of(canonical_json(spec.model_dump(mode="json")))
    )


def project_schema() -> dict[str, Any]:
    """The JSON Schema of the project file, for editors and other programs."""
    schema = ProjectSpec.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Sealwright project file", **schema}


def _mistakes(error: ValidationError, document: Located) -> Iterator[str]:
    """One line per mistake: where, what, and for unknown keys the nearest known one."""
    for found in error.errors():
        place = found["loc"]
        known = _known_part(place, document)
        line = document.lines.get(known, 1)
        name = ".".join(str(part) for part in known) or "the file"
        if found["type"] == "extra_forbidden":
            yield f"line {line}: {name}: unknown key.{_nearest(place)}"
        elif found["type"] == "missing":
            yield f"line {line}: {'.'.join(str(part) for part in place)}: this key is required."
        else:
            got = f" (got {str(found['input'])[:60]!r})" if isinstance(found["input"], (str, int, float, bool)) else ""
            yield f"line {line}: {name}: {found['msg'].removeprefix('Value error, ')}{got}"


def _known_part(place: tuple[str | int, ...], document: Located) -> tuple[str | int, ...]:
    """The longest start of `place` that stands in the file (pydantic adds names of union members)."""
    found: tuple[str | int, ...] = ()
    for part in place:
        if (*found, part) in document.lines:
            found = (*found, part)
    return found


def _nearest(place: tuple[str | int, ...]) -> str:
    fields = sorted({name for model in _models_at(place[:-1]) for name in _names(model)})
    close = difflib.get_close_matches(str(place[-1]), fields, n=1, cutoff=0.5)
    if close:
        return f" Did you mean {close[0]!r}?"
    return f" Known here: {', '.join(fields)}." if fields else ""


def _names(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield field.alias or name


def _models_at(place: tuple[str | int, ...]) -> list[type[BaseModel]]:
    """The models that describe the object at `place`, walking annotations from the root."""
    here: list[Any] = [ProjectSpec]
    for part in place:
        deeper: list[Any] = []
        for kind in here:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                deeper += [f.annotation for n, f in kind.model_fields.items() if part in {n, f.alias}]
            elif get_origin(kind) in {dict, list, tuple}:
                deeper.append(get_args(kind)[-1] if get_origin(kind) is dict else get_args(kind)[0])
        here = [member for kind in deeper for member in _members(kind)] or here
    return [kind for kind in here if isinstance(kind, type) and issubclass(kind, BaseModel)]


def _members(kind: Any) -> Iterator[Any]:
    """The alternatives of a type: members of unions, without Annotated wrapping."""
    if get_origin(kind) is Annotated:
        yield from _members(get_args(kind)[0])
    elif get_origin(kind) in {Union, UnionType}:
        for member in get_args(kind):
            yield from _members(member)
    else:
        yield kind
