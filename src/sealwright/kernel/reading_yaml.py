"""YAML for settings people write: plain values only, with the line of every key.

Refuses what makes YAML dangerous or surprising: tags, anchors and aliases, merge keys,
duplicate keys, several documents, deep nesting, control characters, huge files. Dates and
the words yes, no, on, off stay text.
"""

import re
from dataclasses import dataclass
from typing import Any

import yaml

from sealwright.kernel.errors import InvalidInput

__all__ = ["Located", "strict_yaml"]

_MOST_BYTES = 1 << 20
_MOST_DEPTH = 24
_MOST_NODES = 50_000


class _PlainLoader(yaml.SafeLoader):
    """Scalars as in JSON: null, true and false, numbers, else text. So a category called `no` stays a word."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - PyYAML reads it from the class


for _tag, _shape, _first in (
    ("null", r"null|~|", ["n", "~", ""]),
    ("bool", r"true|false", ["t", "f"]),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", list("-+0123456789")),
    ("float", r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", list("-+0123456789")),
):
    _PlainLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_shape})$"), _first)


@dataclass(frozen=True, slots=True)
class Located:
    """A parsed document and where its keys stand: `lines[("data", "columns", "age")]` is a 1-based line."""

    value: Any
    lines: dict[tuple[str | int, ...], int]


def strict_yaml(text: str | bytes, *, what: str) -> Located:
    """Parse one YAML document of plain maps, lists and scalars.

    Raises
    ------
    InvalidInput
        Not UTF-8, not YAML, or one of the refused features; the message gives the line.
    """
    if len(text) > _MOST_BYTES:
        raise InvalidInput(f"{what} is {len(text):,} bytes; at most {_MOST_BYTES:,} are read.")
    try:
        source = text.decode("utf-8") if isinstance(text, bytes) else text
        _refuse_events(source, what)
        node = yaml.compose(source, Loader=_PlainLoader)
    except UnicodeDecodeError:
        raise InvalidInput(f"{what} is not UTF-8 text.") from None
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise InvalidInput(f"{what}{line}: this is not YAML we can read: {problem}") from None
    if node is None:
        return Located(None, {})
    lines: dict[tuple[str | int, ...], int] = {}
    return Located(_value(node, (), lines, what), lines)


def _refuse_events(source: str, what: str) -> None:
    depth = nodes = documents = 0
    for event in yaml.parse(source, Loader=_PlainLoader):
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise InvalidInput(
                f"{what}, line {line}: anchors and aliases (& and *) are not used here. Write the value out."
            )
        if isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent)):
            nodes += 1
            tag = event.tag
            if tag is not None and tag != "!":
                raise InvalidInput(f"{what}, line {line}: tags such as {tag[:40]!r} are not allowed. Use plain values.")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
        if depth > _MOST_DEPTH or nodes > _MOST_NODES:
            raise InvalidInput(
                f"{what}, line {line}: too deep or too long ({_MOST_DEPTH} levels, {_MOST_NODES:,} values at most)."
            )
        if documents > 1:
            raise InvalidInput(f"{what}, line {line}: one document per file; remove the second '---'.")


def _value(node: yaml.Node, at: tuple[str | int, ...], lines: dict[tuple[str | int, ...], int], what: str) -> Any:
    lines[at] = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        return _PlainLoader("").construct_object(node)  # scalars only: tags were refused above
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*at, index), lines, what) for index, item in enumerate(node.value)]
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode) or key_node.tag.endswith(":merge"):
            raise InvalidInput(f"{what}, line {line}: a key must be plain text.")
        key = key_node.value
        if key in result:
            raise InvalidInput(f"{what}, line {line}: {key!r} appears twice. Keep one of them.")
        result[key] = _value(value_node, (*at, key), lines, what)
        lines[(*at, key)] = line
    return result
