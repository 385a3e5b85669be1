"""A contract as YAML that people read and change: a column a line, the reason for each guess above it.

Answers: how is this contract written down, so that reading it back gives the same one?
Does not answer: where the file goes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sealwright.data.contracts.model import Contract
from sealwright.kernel import YAML_WIDTH, yaml_comment, yaml_value

__all__ = ["contract_text"]


def contract_text(
    contract: Contract, *, head: Sequence[str] = (), notes: Mapping[str, Sequence[str]] | None = None
) -> str:
    """The YAML of a contract. `head` goes above it and `notes`, by column, above the columns, as comments."""
    plain = contract.plain()
    columns = plain.pop("columns")
    lines = [comment for line in head for comment in yaml_comment(line, "")]
    lines += [f"{name}: {yaml_value(value)}" for name, value in plain.items()]
    lines.append("columns:")
    for name, column in columns.items():
        said = "; ".join((notes or {}).get(name, ()))
        lines += yaml_comment(said, "  ") if said else []
        lines += _column(name, column)
    return "\n".join(lines) + "\n"


def _column(name: str, column: Mapping[str, Any]) -> list[str]:
    line = f"  {yaml_value(name)}: {yaml_value(column)}"
    if len(line) <= YAML_WIDTH:
        return [line]
    return [f"  {yaml_value(name)}:", *(f"    {key}: {yaml_value(value)}" for key, value in column.items())]
