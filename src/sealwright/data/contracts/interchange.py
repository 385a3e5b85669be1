"""Contracts of other tools: which tool wrote this file, and in which words shall ours be written?

Answers: a contract from a pandera schema or an expectation suite, and either of them from a contract.
Does not answer: anything by running the other tool. Files are read as data; an object is asked for its own serialisation.
"""

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from sealwright.data.contracts.carried import Exported, Imported
from sealwright.data.contracts.expectations_in import contract_from_expectations, looks_like_expectations
from sealwright.data.contracts.expectations_out import expectations_from_contract
from sealwright.data.contracts.model import Contract
from sealwright.data.contracts.pandera_in import READ_CHECKS, contract_from_pandera, looks_like_pandera
from sealwright.data.contracts.pandera_out import pandera_from_contract
from sealwright.kernel import InvalidInput, read_limited, strict_json, strict_yaml

__all__ = ["TOOLS", "Tool", "export_contract", "import_contract"]

Tool = Literal["pandera", "great-expectations"]
TOOLS: tuple[Tool, ...] = ("pandera", "great-expectations")

_MOST_BYTES = 1 << 20


def import_contract(theirs: Any) -> Imported:
    """A contract from what another tool keeps.

    Parameters
    ----------
    theirs : path, mapping or object
        A file with a pandera schema (YAML or JSON) or an expectation suite (JSON); the same as plain values; or the
        object itself: a pandera `DataFrameSchema` or `DataFrameModel`, an `ExpectationSuite`.

    Raises
    ------
    InvalidInput
        It is neither.
    """
    unsaid: tuple[str, ...] = ()
    if isinstance(theirs, (str, Path)):
        said = _read(Path(theirs))
    elif isinstance(theirs, Mapping):
        said = theirs
    else:
        schema = theirs.to_schema() if hasattr(theirs, "to_schema") else theirs
        said, unsaid = _serialised(schema), tuple(_made_of_code(schema))
    if looks_like_expectations(said):
        return contract_from_expectations(said)
    if looks_like_pandera(said):
        found = contract_from_pandera(said)
        return replace(found, left_out=(*unsaid, *found.left_out))
    raise InvalidInput(
        "This is neither a pandera schema nor an expectation suite.\n"
        "Give what schema.to_yaml() or schema.to_json() writes, or the JSON file of a suite."
    )


def export_contract(contract: Contract, tool: Tool) -> Exported:
    """The contract in another tool's words: YAML for pandera, JSON for Great Expectations."""
    return pandera_from_contract(contract) if tool == "pandera" else expectations_from_contract(contract)


def _read(path: Path) -> Any:
    if not path.is_file():
        raise InvalidInput(f"There is no file {path}.")
    data = read_limited(path, _MOST_BYTES)
    if data.lstrip()[:1] == b"{":
        return strict_json(data, what=str(path))
    try:
        return strict_yaml(data, what=str(path)).value
    except InvalidInput as error:
        if "anchors" not in str(error):
            raise
        raise InvalidInput(
            f"{error}\npandera writes them where columns share a list; schema.to_json() writes none."
        ) from None


def _serialised(schema: Any) -> Any:
    """What an object says of itself, as plain values."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that checks of code are skipped is said in `left_out`
            if hasattr(schema, "to_json_dict"):
                return schema.to_json_dict()
            return strict_json(schema.to_json())
    except (AttributeError, TypeError, ValueError, InvalidInput):
        pass
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return strict_yaml(schema.to_yaml(), what="the schema").value
    except (AttributeError, TypeError, ValueError):
        return None


def _made_of_code(schema: Any) -> Iterator[str]:
    """Checks that are functions: the tool itself cannot write them down."""
    parts = {"the table": schema, **(getattr(schema, "columns", None) or {})}
    for name, part in parts.items():
        for check in getattr(part, "checks", None) or ():
            known = str(getattr(check, "name", "") or "?")
            if known not in READ_CHECKS and known not in _listed_anyway(part):
                yield f"{name}: the check {known}, which is code"


def _listed_anyway(part: Any) -> set[str]:
    """Registered checks we do not know: they stand in the serialised schema and are named from there."""
    return {name for name in dir(type(part.checks[0])) if not name.startswith("_")}
