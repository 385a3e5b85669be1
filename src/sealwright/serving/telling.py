"""Answers row by row: the usual ones through a form compiled for the contract, the others step by step.

Answers: which object tells a row? What is held back is left out, what stands beside is told with it.
Does not answer: what is held back. `disclosure` does.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from sealwright.serving.outcome import Outcome

__all__ = ["Line", "compiled_lines", "told_lines"]


class Line(msgspec.Struct, gc=False):
    """A usual answer to one row of a classifier."""

    label: str
    probabilities: Any  # by class, in their order


class _Value(msgspec.Struct, gc=False):
    """A usual answer to one row of a regression."""

    value: float | None


def compiled_lines(classes: Sequence[str]) -> Callable[[Outcome], list[Any]]:
    """What makes one object per row where everything is told; it costs a third of what dictionaries cost.

    Parameters
    ----------
    classes : sequence of str
        Empty for a regression.
    """
    if not classes:
        return lambda outcome: [_Value(value) for value in outcome.values]
    shares = _shares(classes)
    return lambda outcome: [
        Line(label, shares(*line)) for label, line in zip(outcome.labels, outcome.probabilities, strict=True)
    ]


def _shares(classes: Sequence[str]) -> Callable[..., Any]:
    """Makes the object of a row's probabilities."""
    if any('"' in name or "\\" in name or min(name, default=" ") < " " for name in classes):  # no names of fields
        return lambda *line: dict(zip(classes, line, strict=True))
    fields = [(f"p{at}", float | None) for at in range(len(classes))]
    names = {f"p{at}": name for at, name in enumerate(classes)}
    return msgspec.defstruct("Shares", fields, rename=names, gc=False)


def told_lines(classes: Sequence[str], outcome: Outcome) -> list[dict[str, Any]]:
    """One dictionary per row; what is not told is left out."""
    lines = [_line(classes, outcome, row) for row in range(len(outcome.sound))]
    return lines if outcome.beside is None else [line | more for line, more in zip(lines, outcome.beside, strict=True)]


def _line(classes: Sequence[str], outcome: Outcome, row: int) -> dict[str, Any]:
    if not classes:
        return {} if outcome.values[row] is None else {"value": outcome.values[row]}
    line: dict[str, Any] = {"label": outcome.labels[row]} if outcome.labels[row] else {}
    shares = {name: share for name, share in zip(classes, outcome.probabilities[row], strict=True) if share is not None}
    return line | {"probabilities": shares} if shares else line
