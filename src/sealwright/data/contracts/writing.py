"""A contract as YAML that people read and change: a column a line, the reason for each guess above it.

Answers: how is this contract written down, so that reading it back gives the same one?
Does not answer: where the file goes.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sealwright.data.contracts.model import Contract

__all__ = ["contract_text"]

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_READ_AS_VALUES = {"null", "true", "false"}
_WIDTH = 118


def contract_text(
    contract: Contract, *, head: Sequence[str] = (), notes: Mapping[str, Sequence[str]] | None = None
) -> str:
    """The YAML of a contract. `head` goes above it and `notes`, by column, above the columns, as comments."""
    plain = contract.plain()
    columns = plain.pop("columns")
    lines = [comment for line in head for comment in _comment(line, "")]
    lines += [f"{name}: {_flow(value)}" for name, value in plain.items()]
    lines.append("columns:")
    for name, column in columns.items():
        said = "; ".join((notes or {}).get(name, ()))
        lines += _comment(said, "  ") if said else []
        lines += _column(name, column)
    return "\n".join(lines) + "\n"


def _column(name: str, column: Mapping[str, Any]) -> list[str]:
    line = f"  {_scalar(name)}: {_flow(column)}"
    if len(line) <= _WIDTH:
        return [line]
    return [f"  {_scalar(name)}:", *(f"    {key}: {_flow(value)}" for key, value in column.items())]


def _comment(text: str, indent: str) -> Iterator[str]:
    """A comment wrapped to the page; a control character cannot end it early."""
    line = f"{indent}#"
    for word in "".join(c if c.isprintable() else " " for c in text).split():
        if len(line) + len(word) + 1 > _WIDTH and line.strip() != "#":
            yield line
            line = f"{indent}#"
        line += f" {word}"
    yield line


def _flow(value: Any) -> str:
    """A value in YAML's one-line form."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    """Plain where YAML reads it back as the same text; in double quotes otherwise."""
    if not isinstance(value, str):
        return json.dumps(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _READ_AS_VALUES:
        return value
    return '"' + "".join(_escaped(c) for c in value) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character.isprintable() else f"\\U{ord(character):08x}"
