"""What goes into a model and what comes out, read from the interface every package carries."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sealwright.assurance.modality import TABLE
from sealwright.assurance.spec import class_text
from sealwright.kernel import InvalidInput

__all__ = ["Interface", "NumberInput", "StringInput", "read_interface"]

TASKS = ("binary", "multiclass", "regression")


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberInput:
    """One column of the float32 input "numbers"."""

    name: str
    type: str  # integer | number | boolean | date
    nullable: bool
    least: float | None  # the range the contract allows
    most: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StringInput:
    """One column of the string input "strings"."""

    name: str
    nullable: bool
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """The shape of a model: task, target, inputs in order, classes in the order of the probabilities."""

    task: str
    target: str
    classes: tuple[str, ...]  # empty for regression
    positive: str | None  # binary: the class whose probability ranks the rows
    numbers: tuple[NumberInput, ...]
    strings: tuple[StringInput, ...]
    precision: str = "float32"  # of the numbers the model is given; "float64" for models made elsewhere
    modality: str = TABLE  # what a row is: cells of a table, a document, an image

    @property
    def names(self) -> tuple[str, ...]:
        """Feature names, numbers first."""
        return (*(item.name for item in self.numbers), *(item.name for item in self.strings))


def read_interface(document: Mapping[str, Any]) -> Interface:
    """Read an interface document (format 1).

    Raises
    ------
    InvalidInput
        A field is missing or makes no sense together with the others.
    """
    try:
        found = _read(document)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InvalidInput(
            f"This interface cannot be read: {type(error).__name__} at {str(error)[:80]}.\n"
            "Expected the interface.json of a package, format 1."
        ) from None
    if found.task not in TASKS:
        raise InvalidInput(f"The task of an interface is one of {', '.join(TASKS)}; got {found.task!r}.")
    if not found.names or len(set(found.names)) != len(found.names) or found.target in found.names:
        raise InvalidInput("An interface names at least one feature, each once, and never the target among them.")
    if found.task == "regression":
        return found
    if len(set(found.classes)) != len(found.classes) or len(found.classes) < 2:
        raise InvalidInput(f"A {found.task} interface lists two or more different classes; got {len(found.classes)}.")
    if found.task == "binary" and (len(found.classes) != 2 or found.positive not in found.classes):
        raise InvalidInput("A binary interface has two classes and names one of them as positive.")
    return found


def _read(document: Mapping[str, Any]) -> Interface:
    if document["format"] != 1:
        raise ValueError("format (1 is read here)")
    task = str(document["task"])
    classes = tuple(class_text(item) for item in document.get("classes") or ()) if task != "regression" else ()
    positive = document.get("positive")
    named = class_text(positive) if positive is not None else (classes[-1] if task == "binary" else None)
    return Interface(
        task=task,
        target=str(document["target"]),
        classes=classes,
        positive=named if task == "binary" else None,
        numbers=tuple(
            NumberInput(
                name=str(item["name"]),
                type=str(item["type"]),
                nullable=bool(item.get("nullable", True)),
                least=_bound(item.get("min")),
                most=_bound(item.get("max")),
            )
            for item in document.get("numbers") or ()
        ),
        strings=tuple(
            StringInput(
                name=str(item["name"]),
                nullable=bool(item.get("nullable", True)),
                categories=tuple(str(value) for value in item.get("categories") or ()),
            )
            for item in document.get("strings") or ()
        ),
    )


def _bound(value: object) -> float | None:
    """A range end; dates and other words bound nothing here."""
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
