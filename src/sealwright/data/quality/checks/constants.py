"""Columns that never vary, almost never vary, or repeat another column."""

from typing import Any

import pyarrow.compute as pc

from sealwright.data.quality.associations import correlations
from sealwright.data.quality.check import Asked, Check, Checked
from sealwright.data.quality.frame import NUMERIC, Frame
from sealwright.data.quality.model import Fault, Severity

__all__ = ["CHECK", "is_constant"]

_SAME = 0.9999  # correlation from which two columns of numbers say the same
_FEWEST = 100


def is_constant(column: Any) -> bool:
    """Whether a chunked column holds one single value; missing counts as one."""
    return bool(pc.count_distinct(column, mode="all").as_py() <= 1)


def _run(asked: Asked) -> Checked:
    frame, found = asked.frame, []
    for name in frame.compared:
        if frame.columns[name].type == "text":
            continue
        top = _most_frequent(frame, name)
        if top / max(frame.rows, 1) >= asked.settings.near_constant_share and frame.rows >= _FEWEST:
            found.append(_fault(asked, name, top))
    return Checked(faults=(*found, *_copies(frame)))


def _most_frequent(frame: Frame, name: str) -> int:
    """Rows of the most frequent value; missing is one."""
    empty = frame.missing(name)
    if frame.columns[name].type in NUMERIC:
        facts = frame.facts(name)
        if facts is None:
            return empty
        return max(empty, facts.frequent[0][1] if facts.frequent else 1)
    counts = frame.codes(name).counts
    return max(empty, int(counts.max()) if counts.size else 0)


def _fault(asked: Asked, name: str, top: int) -> Fault:
    frame = asked.frame
    never = top == frame.rows
    severity: Severity = "medium" if never else "low"
    return Fault(
        check="quality.constant_columns" if never else "quality.near_constant_columns",
        severity=severity,
        columns=(name,),
        rows=(),
        count=top,
        of=frame.rows,
        unit="rows",
        found="Every row has the same value."
        if never
        else f"{top:,} of {frame.rows:,} rows have one and the same value; {frame.rows - top:,} do not.",
        why="Nothing can be learned from a column that never varies."
        if never
        else "The few other rows decide everything the model makes of this column.",
        todo="Leave the column out (role: ignore), or find out why the other values are missing.",
    )


def _copies(frame: Frame) -> list[Fault]:
    """Columns of numbers that are another one in disguise: another unit, or the same twice."""
    return [
        Fault(
            check="quality.redundant_columns",
            severity="low",
            columns=(other, name),
            rows=(),
            count=2,
            of=len(frame.columns),
            unit="columns",
            found=f"Two columns say the same (correlation {r:.4f}).",
            why="What the model learns is divided between them at random, and explanations become arbitrary.",
            todo="Keep the one that people understand, and leave the other out (role: ignore).",
        )
        for name, row in correlations(frame).items()
        for other, r in row.items()
        if abs(r) >= _SAME and frame.target not in (name, other)
    ]


CHECK = Check(name="constant_columns", run=_run)
