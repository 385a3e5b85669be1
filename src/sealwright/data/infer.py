"""A first contract for a file nobody described yet, with the reason for every guess.

Answers: what would a careful person write as `data:` for this file?
Does not answer: is it right? Each reason is written into the project file for a person to read and change.

Choices, the same everywhere:
- The whole file is read once, so that types, ranges and categories hold for every row, not for a sample.
- Ranges of features are exactly what was observed, not widened: a model knows nothing beyond. Dates get no upper
  end, since tomorrow will come; identifiers and the target get none.
- Whole numbers written 3.0 are integers; 007 is text; 0 and 1 are numbers, true and false booleans. Digits that a
  typed source keeps as text are codes, not numbers.
- Text with at most 100 different values, half as many as rows, is a category; other text is not given to a model.
- Words such as NA or ? count as missing only in columns that otherwise hold numbers or dates.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sealwright.data.column_spec import ColumnSpec
from sealwright.data.errors import ColumnsUnusable, SourceUnreadable, TargetUnusable
from sealwright.data.hints import census_names
from sealwright.data.infer_column import infer_column, unreadable_column
from sealwright.data.infer_target import infer_target
from sealwright.data.names import nearest, shown
from sealwright.data.profile import ColumnProfile, UniqueBudget
from sealwright.data.sources import Source, open_source
from sealwright.data.sources.csv_file import CsvFile, writes_decimal_commas
from sealwright.data.spec import DataSpec, QuarantineSpec, Task
from sealwright.kernel import Progress, silent

__all__ = ["Inferred", "infer_contract"]

_FEW_ROWS = 100
_USUAL_LIMIT = QuarantineSpec().at_most_share


@dataclass(frozen=True, slots=True, kw_only=True)
class Inferred:
    """A contract guessed from a file, and why."""

    spec: DataSpec
    task: Task
    rows: int
    reasons: Mapping[str, tuple[str, ...]]  # per column: why this type, range, class and role
    warnings: tuple[str, ...]  # what a person should decide before relying on it


def infer_contract(source: Source | str | Path, target: str, *, progress: Progress = silent) -> Inferred:
    """Read a source once and write down what it holds.

    Parameters
    ----------
    source : Source, str or Path
        From `open_source`, or the path of a file.
    target : str
        Name of the column to predict.

    Raises
    ------
    TargetUnusable
        No such column, empty, always the same, or of a kind that cannot be predicted.
    ColumnsUnusable
        No column is left to learn from.
    SourceUnreadable
        As `open_source`.
    """
    opened = open_source(str(source), Path()) if isinstance(source, (str, Path)) else source
    if target not in opened.columns:
        raise TargetUnusable(
            f"There is no column {shown(target)} in {opened.name}.{nearest(target, opened.columns)}\n"
            f"Its columns: {', '.join(opened.columns[:30])}{', …' if len(opened.columns) > 30 else ''}"
        )
    opened = _with_decimal_mark(opened)
    profiles, rejected = _profile(opened, progress)
    if rejected and not profiles[target].rows and opened.kind == "jsonl":
        raise SourceUnreadable(
            f"Not one of the {rejected:,} lines of {opened.name} is a flat object with each key once."
        )
    if rejected and not profiles[target].rows:
        raise SourceUnreadable(
            f"Not one of the {rejected:,} rows of {opened.name} has as many fields as its header, {len(opened.columns)}.\n"
            "Compare the header with the rows: a column was left out or added, or another character parts them."
        )
    guessed = infer_target(profiles[target])
    columns, reasons = _columns(opened, profiles, target, guessed.column)
    reasons[target] = guessed.reasons
    if not any(column.role == "feature" for column in columns.values()):
        raise ColumnsUnusable(
            f"No column of {opened.name} besides {shown(target)} can be given to a model: they are constant, empty,"
            " identifiers, free text or protected attributes."
        )
    rows = profiles[target].rows + rejected
    bad = profiles[target].missing + rejected
    limit, set_aside = _quarantine(rows, profiles[target].missing, rejected, opened.kind)
    spec = DataSpec(
        source=opened.spec,
        target=target,
        positive=guessed.positive,
        quarantine=QuarantineSpec(at_most_share=limit),
        columns=columns,
    )
    warnings = [*opened.notes, *guessed.warnings, *set_aside, *_almost_numbers(profiles, columns)]
    if rows - bad < _FEW_ROWS:
        warnings.append(f"there are only {rows - bad:,} usable rows; every figure about the model will be uncertain")
    return Inferred(spec=spec, task=spec.task, rows=rows, reasons=reasons, warnings=tuple(warnings))


def _profile(source: Source, progress: Progress) -> tuple[dict[str, ColumnProfile], int]:
    """A profile of every readable column, and the number of ragged rows."""
    budget = UniqueBudget()
    names = [name for name in source.columns if name not in source.unreadable]
    typed = source.kind != "csv"
    profiles = {name: ColumnProfile(name, budget, decimal=source.decimal, typed=typed) for name in names}
    rejected = 0
    for batch in source.batches(only=names):
        rejected += len(batch.rejected)
        for name, profile in profiles.items():
            if batch.rows.num_rows:
                profile.update(batch.rows.column(name))
        progress(f"looking at {source.name}", source.share)
    return profiles, rejected


def _columns(
    source: Source, profiles: Mapping[str, ColumnProfile], target: str, of_target: ColumnSpec
) -> tuple[dict[str, ColumnSpec], dict[str, tuple[str, ...]]]:
    """Every column of the source in its order, each with its reasons."""
    census = census_names(source.columns)
    columns: dict[str, ColumnSpec] = {}
    reasons: dict[str, tuple[str, ...]] = {}
    for place, name in enumerate(source.columns, start=1):
        if name == target:
            columns[name] = of_target
        elif name in source.unreadable:
            columns[name], reasons[name] = unreadable_column(source.unreadable[name])
        else:
            unnamed = name == f"column_{place}"
            columns[name], reasons[name] = infer_column(profiles[name], census=census, unnamed=unnamed)
    return columns, reasons


def _almost_numbers(profiles: Mapping[str, ColumnProfile], columns: Mapping[str, ColumnSpec]) -> list[str]:
    """Columns of numbers with a slip in them: a person should mend it rather than lose the column."""
    return [
        f"column {shown(name)} would hold numbers but for {profile.not_numbers:,} of {profile.plain_cells:,} cells, so it is"
        f" read as {columns[name].type}{'' if columns[name].role in {'feature', 'sensitive'} else ' and not given to the model'};"
        " mend those cells, or write type: number, and their rows are set aside"
        for name, profile in profiles.items()
        if profile.not_numbers and name in columns
    ]


def _quarantine(rows: int, without_target: int, ragged: int, kind: str) -> tuple[float, list[str]]:
    """How many rows may be set aside so that this file passes, and what to say about it."""
    said = []
    if without_target:
        said.append(f"{without_target:,} of {rows:,} rows have no target; they will be set aside")
    if ragged:
        fault = (
            "are no flat objects with known keys" if kind == "jsonl" else "have more or fewer fields than the header"
        )
        said.append(f"{ragged:,} of {rows:,} rows {fault}; they will be set aside")
    share = (without_target + ragged) / max(1, rows)
    if share <= _USUAL_LIMIT:
        return _USUAL_LIMIT, said
    limit = math.ceil(share * 100) / 100
    said.append(
        f"quarantine.at_most_share is raised from {_USUAL_LIMIT} to {limit} for this file; lower it once the data is repaired"
    )
    return limit, said


def _with_decimal_mark(source: Source) -> Source:
    """The same CSV file, read with decimal commas if its numbers are written so."""
    if isinstance(source, CsvFile) and writes_decimal_commas(source):
        return source.with_decimal_comma()
    return source
