"""Answers row by row where something is held back or stands beside: what is not told is left out.

The usual answer does not come this way.
"""

from collections.abc import Sequence
from typing import Any

from sealwright.serving.outcome import Outcome

__all__ = ["told_lines"]


def told_lines(classes: Sequence[str], outcome: Outcome) -> list[dict[str, Any]]:
    """One object per row."""
    lines = [_line(classes, outcome, row) for row in range(len(outcome.sound))]
    return lines if outcome.beside is None else [line | more for line, more in zip(lines, outcome.beside, strict=True)]


def _line(classes: Sequence[str], outcome: Outcome, row: int) -> dict[str, Any]:
    if not classes:
        return {} if outcome.values[row] is None else {"value": outcome.values[row]}
    line: dict[str, Any] = {"label": outcome.labels[row]} if outcome.labels[row] else {}
    shares = {name: share for name, share in zip(classes, outcome.probabilities[row], strict=True) if share is not None}
    return line | {"probabilities": shares} if shares else line
