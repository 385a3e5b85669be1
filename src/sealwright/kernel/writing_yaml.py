"""Values and comments of YAML that people read and change, so that reading it back gives the same values."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["YAML_WIDTH", "yaml_comment", "yaml_value"]

YAML_WIDTH = 118

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_READ_AS_VALUES = {"null", "true", "false"}


def yaml_value(value: Any) -> str:
    """A value in one line: text plain where YAML reads it back as the same text, in double quotes otherwise."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{yaml_value(key)}: {yaml_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(yaml_value, value)) + "]"
    if not isinstance(value, str):
        return json.dumps(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _READ_AS_VALUES:
        return value
    return '"' + "".join(map(_escaped, value)) + '"'


def yaml_comment(text: str, indent: str) -> Iterator[str]:
    """A comment wrapped to the page; a control character cannot end it early."""
    line = f"{indent}#"
    for word in "".join(c if c.isprintable() else " " for c in text).split():
        if len(line) + len(word) + 1 > YAML_WIDTH and line.strip() != "#":
            yield line
            line = f"{indent}#"
        line += f" {word}"
    yield line


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character.isprintable() else f"\\U{ord(character):08x}"
