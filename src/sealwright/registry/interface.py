"""What a model must take and give, read from the interface document beside it.

Answers: which inputs, of which width and type, and which output does this package promise?
Does not answer: which values a request may hold. `serving` compiles that from the same document.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sealwright.kernel import InvalidInput, check_name

__all__ = ["Column", "ModelInterface", "read_interface"]

_MOST_COLUMNS = 10_000
_NUMBER_TYPES = frozenset({"integer", "number", "boolean", "date"})
_TASKS = ("binary", "multiclass", "regression")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One feature as the model sees it: a place in "numbers" (float32) or in "strings"."""

    name: str
    type: str  # integer | number | boolean | date | category
    nullable: bool
    low: float | None = None
    high: float | None = None
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInterface:
    """The shape of a model. Inputs with no column are absent from its graph."""

    project: str
    task: str  # binary | multiclass | regression
    target: str
    classes: tuple[str, ...]
    positive: str | None
    numbers: tuple[Column, ...]
    strings: tuple[Column, ...]

    @property
    def output(self) -> str:
        """Name of the only output."""
        return "value" if self.task == "regression" else "probabilities"

    @property
    def width(self) -> int:
        """Columns of the output: one value, or one probability for each class."""
        return 1 if self.task == "regression" else len(self.classes)


def read_interface(document: Mapping[str, Any]) -> ModelInterface:
    """Read an interface document of format 1.

    Raises
    ------
    InvalidInput
        It contradicts itself or leaves something open; the message names the field.
    """
    try:
        found = _read(document)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InvalidInput(
            f"This interface cannot be read: {type(error).__name__} at {str(error)[:80]}.\n"
            "Expected the interface.json of a package, format 1."
        ) from None
    names = [column.name for column in (*found.numbers, *found.strings)]
    if not names or len(names) > _MOST_COLUMNS or len(set(names)) != len(names) or found.target in names:
        raise InvalidInput("An interface names 1 to 10,000 features, each once, and never the target among them.")
    if sorted(document["order"]) != sorted(names):
        raise InvalidInput("The order in the interface must list exactly its features.")
    if found.task != "regression" and (len(found.classes) < 2 or len(set(found.classes)) != len(found.classes)):
        raise InvalidInput(f"A {found.task} interface lists two or more different classes.")
    if found.task == "binary" and (len(found.classes) != 2 or found.positive not in found.classes):
        raise InvalidInput("A binary interface has two classes and names one of them as positive.")
    if set(document["outputs"]) != {found.output}:
        raise InvalidInput(f"A {found.task} interface has the one output {found.output!r}.")
    return found


def _read(document: Mapping[str, Any]) -> ModelInterface:
    if document["format"] != 1:
        raise ValueError("format (1 is read here)")
    task = document["task"]
    if task not in _TASKS:
        raise ValueError(f"task (one of {', '.join(_TASKS)})")
    positive = document.get("positive")
    return ModelInterface(
        project=check_name(document["project"], what="project"),
        task=task,
        target=_text(document["target"]),
        classes=tuple(str(name) for name in document.get("classes") or ()) if task != "regression" else (),
        positive=None if positive is None else str(positive),
        numbers=tuple(_column(item, _NUMBER_TYPES) for item in document.get("numbers") or ()),
        strings=tuple(_column(item, frozenset({"category"})) for item in document.get("strings") or ()),
    )


def _column(item: Mapping[str, Any], types: frozenset[str]) -> Column:
    if item["type"] not in types:
        raise ValueError(f"type of {str(item['name'])[:60]!r}")
    return Column(
        name=_text(item["name"]),
        type=item["type"],
        nullable=item["nullable"] is True,
        low=_bound(item.get("min")),
        high=_bound(item.get("max")),
        categories=tuple(_text(word) for word in item.get("categories") or ()),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"text expected, got {type(value).__name__}")
    return value


def _bound(value: object) -> float | None:
    """A range end; a date written as text bounds nothing here."""
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
