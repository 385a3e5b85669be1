"""A contract from a file: YAML of its own, or the `data:` section of a project file.

Answers: what does this file say a table must keep? Every mistake at once, with its line.
Does not answer: whether the rest of a project file is sound. Only its `data:` section is looked at.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from sealwright.data.contracts.column import ContractColumn
from sealwright.data.contracts.model import Contract, CsvReading, RowLimits, RowRule
from sealwright.kernel import InvalidInput, Located, read_limited, strict_yaml

__all__ = ["as_contract", "read_contract"]

_MOST_BYTES = 1 << 20
_PROJECT_FILE = "sealwright.yaml"
_PARTS: dict[str, type[BaseModel]] = {"columns": ContractColumn, "csv": CsvReading, "rows": RowLimits, "rules": RowRule}


def read_contract(where: str | Path) -> Contract:
    """Read a contract from a YAML or JSON file, or from a project: its folder or its `sealwright.yaml`.

    Of a project, the columns count, with `quarantine.at_most_share` as the limit for rows and the encoding,
    delimiter and decimal mark of its source. Its target is a column like any other.

    Raises
    ------
    InvalidInput
        The file is missing, is not strict YAML, or says something a contract cannot; all mistakes with their lines.
    """
    path = Path(where)
    path = path / _PROJECT_FILE if path.is_dir() else path
    if not path.is_file():
        raise InvalidInput(
            f"There is no contract at {path}.\nMake one with: sealwright data contract draft FILE --to contract.yaml"
        )
    document = strict_yaml(read_limited(path, _MOST_BYTES), what=str(path))
    return _checked(document, str(path))


def as_contract(said: Contract | Mapping[str, Any] | str | Path) -> Contract:
    """A contract from what a notebook has at hand: one already, plain values, or a path.

    Raises
    ------
    InvalidInput
        As `read_contract`, or it is none of these.
    """
    if isinstance(said, Contract):
        return said
    if isinstance(said, Mapping):
        return _checked(Located(dict(said), {}), "the contract")
    if not isinstance(said, (str, PathLike)):
        raise InvalidInput(
            f"A contract is a file, a project or plain values; got {type(said).__name__}.\n"
            "Make one with: sealwright data contract draft FILE --to contract.yaml"
        )
    return read_contract(said)


def _checked(document: Located, what: str) -> Contract:
    value = document.value
    at: tuple[str | int, ...] = ()
    if isinstance(value, dict) and isinstance(value.get("data"), dict):
        value, at = _of_project(value["data"]), ("data",)
    elif isinstance(value, dict) and "target" in value:
        value = _of_project(value)
    if not isinstance(value, dict):
        raise InvalidInput(f"{what} is no contract. It holds `columns:`, and under it each column with its type.")
    try:
        return Contract.model_validate(value)
    except ValidationError as error:
        mistakes = [f"  {line}" for line in _mistakes(error, document, at)]
        count = f"{len(mistakes)} mistakes" if len(mistakes) > 1 else "a mistake"
        raise InvalidInput(f"{what} has {count}:\n" + "\n".join(mistakes[:40])) from None


def _of_project(data: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a `data:` section that say what a table must keep."""
    quarantine, source = data.get("quarantine"), data.get("source")
    limit = quarantine.get("at_most_share", 0.01) if isinstance(quarantine, dict) else 0.01
    reading = {}
    if isinstance(source, dict):
        reading = {name: source[name] for name in ("encoding", "delimiter", "decimal") if name in source}
    return {"columns": data.get("columns"), "at_most_share": limit, **({"csv": reading} if reading else {})}


def _mistakes(error: ValidationError, document: Located, at: tuple[str | int, ...]) -> Iterator[str]:
    for found in error.errors():
        place = (*at, *found["loc"])
        known = _known(place, document)
        line = f"line {document.lines[known]}: " if known in document.lines else ""
        name = ".".join(str(part) for part in found["loc"]) or "the contract"
        if found["type"] == "extra_forbidden":
            yield f"{line}{name}: unknown key.{_nearest(found['loc'])}"
        elif found["type"] == "missing":
            yield f"{line}{name}: this key is required."
        else:
            yield f"{line}{name}: {found['msg'].removeprefix('Value error, ')}"


def _known(place: Sequence[str | int], document: Located) -> tuple[str | int, ...]:
    """The longest start of `place` that stands in the file."""
    found: tuple[str | int, ...] = ()
    for part in place:
        if (*found, part) in document.lines:
            found = (*found, part)
    return found


def _nearest(place: Sequence[str | int]) -> str:
    model: type[BaseModel] = _PARTS.get(str(place[0]), Contract) if len(place) > 1 else Contract
    fields = [field.alias or name for name, field in model.model_fields.items()]
    close = difflib.get_close_matches(str(place[-1]), fields, n=1, cutoff=0.5)
    return f" Did you mean {close[0]!r}?" if close else f" Known here: {', '.join(fields)}."
