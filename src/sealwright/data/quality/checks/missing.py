"""Empty cells: how many, and whether being empty says something about the target."""

import numpy as np

from sealwright.data.quality.associations import correlation_ratio, cramers_v
from sealwright.data.quality.check import Asked, Check, Checked
from sealwright.data.quality.frame import Frame
from sealwright.data.quality.model import Fault, Severity

__all__ = ["CHECK"]

_NAME = "quality.missing_values"
_TELLING = 0.3  # Cramér's V or correlation ratio between "is empty" and the target
_HALF, _FIFTH = 0.5, 0.2


def _run(asked: Asked) -> Checked:
    found = []
    for name in asked.frame.columns:
        empty = asked.frame.missing(name)
        if not empty:
            continue
        telling = _telling(asked.frame, name)
        if empty / asked.frame.rows >= asked.settings.missing_share or telling >= _TELLING:
            found.append(_fault(asked, name, empty, telling))
    return Checked(faults=tuple(found))


def _fault(asked: Asked, name: str, empty: int, telling: float) -> Fault:
    share = empty / asked.frame.rows
    severity: Severity = "high" if share >= _HALF or telling >= _TELLING else "medium" if share >= _FIFTH else "low"
    told = telling >= _TELLING
    return Fault(
        check=_NAME,
        severity=severity,
        columns=(name,),
        rows=asked.frame.named(asked.frame.is_missing(name), asked.settings.rows_named),
        count=empty,
        of=asked.frame.rows,
        unit="cells",
        found=f"{empty:,} of {asked.frame.rows:,} cells are empty"
        + (f", and being empty goes with the target (strength {telling:.2f} of 1)." if told else "."),
        why="Whether a cell is empty depends on the outcome, so the model may learn how the data was collected."
        if told
        else "What is missing is rarely missing by chance, and whatever fills the gap is a guess the model learns from.",
        todo="Find out why it is empty; then collect it, fill it by a declared step (fill_missing), or leave the column out.",
    )


def _telling(frame: Frame, name: str) -> float:
    """How strongly being empty goes with the target."""
    if frame.target is None or name == frame.target or frame.columns[name].role == "identifier":
        return 0.0
    empty = frame.is_missing(name).astype(np.int64)
    if frame.task == "regression":
        return correlation_ratio(empty, frame.floats(frame.target)) or 0.0
    return cramers_v(empty, frame.codes(frame.target).places) or 0.0


CHECK = Check(name="missing_values", run=_run)
