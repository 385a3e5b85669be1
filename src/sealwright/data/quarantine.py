"""Rows set aside because they break the contract: which, why, and exactly as they came.

Answers: what was wrong with which row, so that somebody can repair it?
Does not answer: how many are too many. The project says that, and `ingest` obeys.
The raw row may hold the most sensitive cells of all, so it is only ever written encrypted.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from sealwright.data.errors import ReasonCount

__all__ = ["QUARANTINE_SCHEMA", "Problem", "QuarantinedRow", "Tally", "rows_from_table", "rows_to_batch"]

QUARANTINE_SCHEMA = pa.schema([("row", pa.int64()), ("problems", pa.string()), ("raw", pa.string())])
"""How the quarantine is kept: `problems` and `raw` are JSON."""

_FIRST_ROWS = 3


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason a row was set aside."""

    column: str  # "" when the whole row is unreadable
    reason: str  # a code of `cells.REASONS`


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinedRow:
    """One row as it came. Either its cells as text, or the line of a file that could not be split into cells."""

    row: int  # 1-based data row of the source
    problems: tuple[Problem, ...]
    cells: Mapping[str, str | None] | None = field(default=None, repr=False)
    line: str | None = field(default=None, repr=False)


class Tally:
    """Counts of problems by column and reason, with the first rows of each. Holds no data."""

    def __init__(self) -> None:
        self.rows = 0
        self._cells: Counter[Problem] = Counter()
        self._first: dict[Problem, list[int]] = {}

    def add(self, rows: Iterable[QuarantinedRow]) -> None:
        for found in rows:
            self.rows += 1
            for problem in found.problems:
                self._cells[problem] += 1
                first = self._first.setdefault(problem, [])
                if len(first) < _FIRST_ROWS:
                    first.append(found.row)

    def counts(self) -> tuple[ReasonCount, ...]:
        """Most frequent first; ties by column and reason, so that the order is always the same."""
        ordered = sorted(self._cells.items(), key=lambda item: (-item[1], item[0].column, item[0].reason))
        return tuple(
            ReasonCount(
                column=problem.column, reason=problem.reason, cells=cells, first_rows=tuple(self._first[problem])
            )
            for problem, cells in ordered
        )


def rows_to_batch(rows: Sequence[QuarantinedRow]) -> Any:
    """Rows as a record batch of `QUARANTINE_SCHEMA`."""
    problems = [_json([[problem.column, problem.reason] for problem in found.problems]) for found in rows]
    raw = [_json({"line": found.line} if found.line is not None else {"cells": found.cells}) for found in rows]
    return pa.RecordBatch.from_arrays(
        [
            pa.array([found.row for found in rows], pa.int64()),
            pa.array(problems, pa.string()),
            pa.array(raw, pa.string()),
        ],
        schema=QUARANTINE_SCHEMA,
    )


def rows_from_table(table: Any) -> list[QuarantinedRow]:
    """The rows of `rows_to_batch`, in source order."""
    found = []
    for item in table.to_pylist():
        raw = json.loads(item["raw"])
        problems = tuple(Problem(column, reason) for column, reason in json.loads(item["problems"]))
        found.append(QuarantinedRow(row=item["row"], problems=problems, cells=raw.get("cells"), line=raw.get("line")))
    return found


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
