"""A recipe fitted to a snapshot, applied part by part; every cell it changes is written down.

Answers: what do these rows become, and what exactly was changed by which step?
Does not answer: where it is kept. The cleaned rows and the log go encrypted into the next snapshot.
Nothing is changed silently: a cell differs after a step if and only if the log has it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import TypeAdapter

from sealwright.data.clean_spec import (
    CleanStep,
    DropDuplicates,
    DropMissing,
    DropNearDuplicates,
    DropRows,
    FillMissing,
    Limit,
    MapValues,
    NullValues,
    OneSpelling,
    check_steps,
    read_value,
)
from sealwright.data.cleaning.cell_steps import clipped, filled, mapped, outside, without
from sealwright.data.cleaning.errors import RecipeDoesNotFit
from sealwright.data.cleaning.fitting import fitted_to
from sealwright.data.cleaning.log import cells_changed, joined, rows_dropped
from sealwright.data.column_spec import ColumnSpec
from sealwright.data.quality import as_table, row_digests
from sealwright.data.spec import DataSpec
from sealwright.kernel import InvalidInput, canonical_json, digest_of

__all__ = ["FittedRecipe", "FittedStep", "fit", "recipe_from_json", "tally"]

_FORMAT = 1
_STEP: TypeAdapter[Any] = TypeAdapter(CleanStep)


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedStep:
    """One step, and what it learned from the rows. `facts` are plain JSON values."""

    name: str  # as the log has it: place and kind, "2 fill_missing"
    said: CleanStep
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedRecipe:
    """Steps fitted to the rows of one snapshot. Applied to those rows, in parts, it always does the same."""

    columns: Mapping[str, ColumnSpec]  # the kept columns of the contract, in order
    rows: int  # of the snapshot it was fitted to
    learned_from: str  # which rows values to fill with were taken from, in words
    learned_rows: int  # how many
    steps: tuple[FittedStep, ...]

    @property
    def digest(self) -> str:
        """Digest of the recipe with everything it learned."""
        return digest_of(canonical_json(self.to_json()))

    def apply(self, table: Any, first_row: int = 1, *, subjects: Sequence[bytes] | None = None) -> tuple[Any, Any]:
        """Clean consecutive rows of the snapshot.

        Parameters
        ----------
        table : pa.Table
            Rows of the snapshot, all kept columns.
        first_row : int
            1-based number, in the snapshot, of the first of them.
        subjects : sequence of bytes, optional
            The person each row is about, for the log; left out: null.

        Returns
        -------
        table, changes : pa.Table
            The cleaned rows, of the same schema; and what changed, of `CHANGES_SCHEMA`, step by step.

        Raises
        ------
        RecipeDoesNotFit
            Other columns, or rows the recipe was not fitted to.
        """
        if list(table.column_names) != list(self.columns):
            raise RecipeDoesNotFit("The rows have other columns than the recipe was fitted to. Fit it anew.")
        if first_row < 1 or first_row + table.num_rows - 1 > self.rows:
            raise RecipeDoesNotFit(
                f"The recipe was fitted to {self.rows:,} rows; there is no row {first_row + table.num_rows - 1:,} among"
                " them. Fit it anew."
            )
        rows = _Rows(
            table.combine_chunks(),
            np.arange(first_row, first_row + table.num_rows, dtype=np.int64),
            None if subjects is None else pa.array(list(subjects), pa.binary()),
        )
        changes = []
        for step in self.steps:
            rows, changed = _applied(step, rows, self.columns)
            changes += changed
        return rows.table, joined(changes)

    def to_json(self) -> dict[str, Any]:
        """Everything as plain JSON. It holds values of the data (medians, spellings); keep it as the data is kept."""
        return {
            "format": _FORMAT,
            "columns": {name: column.plain() for name, column in self.columns.items()},
            "rows": self.rows,
            "learned_from": self.learned_from,
            "learned_rows": self.learned_rows,
            "steps": [
                {"name": step.name, "said": step.said.model_dump(mode="json"), "facts": dict(step.facts)}
                for step in self.steps
            ],
        }


@dataclass(frozen=True, slots=True)
class _Rows:
    table: Any
    numbers: NDArray[np.int64]
    subjects: Any  # pa.Array of binary, or None

    def kept(self, keep: NDArray[np.bool_]) -> "_Rows":
        mask = pa.array(keep)
        subjects = None if self.subjects is None else self.subjects.filter(mask)
        return _Rows(self.table.filter(mask).combine_chunks(), self.numbers[keep], subjects)


def fit(
    tables: Any,
    spec: DataSpec,
    steps: Sequence[CleanStep] | None = None,
    *,
    learn_from: NDArray[np.bool_] | None = None,
    described: str = "all rows",
) -> FittedRecipe:
    """Read all rows once and learn what the steps need, each from the rows as the steps before it leave them.

    Parameters
    ----------
    tables : pa.Table or iterable of tables
        All rows of the snapshot, in order.
    spec : DataSpec
        Its contract, and the recipe (`clean`) unless `steps` are given.
    learn_from : bool array, shape (rows,), optional
        The rows that values to fill with are taken from; left out: all.
    described : str
        Which rows these are, in words, for the record.

    Raises
    ------
    InvalidInput
        A step does not fit the contract.
    """
    wanted = tuple(spec.clean if steps is None else steps)
    columns = {name: spec.columns[name] for name in spec.kept}
    try:
        check_steps(wanted, columns, spec.subject)
    except ValueError as error:
        raise InvalidInput(f"data.clean does not fit the contract: {error}") from None
    table = as_table(tables).select(list(columns)).combine_chunks()
    total = table.num_rows
    learn = np.ones(total, dtype=np.bool_) if learn_from is None else np.asarray(learn_from, dtype=np.bool_)
    if len(learn) != total:
        raise InvalidInput(f"The mask of rows to learn from has {len(learn):,} entries for {total:,} rows.")
    rows, fitted = _Rows(table, np.arange(1, total + 1, dtype=np.int64), None), []
    for place, step in enumerate(wanted, start=1):
        facts = fitted_to(step, rows.table, columns, rows.numbers, learn[rows.numbers - 1])
        fitted.append(FittedStep(name=f"{place} {step.do}", said=step, facts=facts))
        rows, _ = _applied(fitted[-1], rows, columns, log=False)
    return FittedRecipe(
        columns=columns,
        rows=total,
        learned_from=described,
        learned_rows=int(learn.sum()),
        steps=tuple(fitted),
    )


def recipe_from_json(value: Mapping[str, Any]) -> FittedRecipe:
    """The recipe that `FittedRecipe.to_json` wrote.

    Raises
    ------
    InvalidInput
        It is none.
    """
    try:
        if value["format"] != _FORMAT:
            raise InvalidInput("The recipe was written by a newer program. Use that one.")
        steps = [
            FittedStep(name=one["name"], said=_STEP.validate_python(_tuples(one["said"])), facts=one["facts"])
            for one in value["steps"]
        ]
        columns = {name: ColumnSpec.model_validate(column) for name, column in value["columns"].items()}
        return FittedRecipe(
            columns=columns,
            rows=value["rows"],
            learned_from=value["learned_from"],
            learned_rows=value["learned_rows"],
            steps=tuple(steps),
        )
    except (KeyError, TypeError, ValueError):
        raise InvalidInput("This is no fitted recipe.") from None


def tally(changes: Any) -> dict[str, int]:
    """How many cells each step changed in each column, and rows it took out: "2 fill_missing, age" to a number."""
    pairs = zip(changes.column("step").to_pylist(), changes.column("column").to_pylist(), strict=True)
    counted = Counter(f"{step}, {column}" if column else f"{step}, rows" for step, column in pairs)
    return dict(sorted(counted.items()))


def _applied(
    step: FittedStep, rows: _Rows, columns: Mapping[str, ColumnSpec], *, log: bool = True
) -> tuple[_Rows, list[Any]]:
    """One step over some rows; what it changed."""
    keep = _keep(step, rows, columns)
    if keep is not None:
        if keep.all():
            return rows, []
        dropped = rows_dropped(step.name, rows.table, rows.numbers, rows.subjects, ~keep) if log else None
        return rows.kept(keep), [] if dropped is None else [dropped]
    table, changes = rows.table, []
    for name in step.said.touches:
        old = table.column(name).combine_chunks()
        new = _changed(step, name, old, columns[name])
        if log:
            changes.append(cells_changed(step.name, name, old, new, rows.numbers, rows.subjects))
        place = table.column_names.index(name)
        table = table.set_column(place, table.schema.field(place), new)
    return _Rows(table, rows.numbers, rows.subjects), changes


def _changed(step: FittedStep, name: str, old: Any, spec: ColumnSpec) -> Any:
    """The column after a step that changes cells."""
    said, facts = step.said, step.facts
    match said:
        case OneSpelling():
            return mapped(old, facts["spellings"][name])
        case MapValues():
            return mapped(old, {pair[0]: pair[1] for pair in facts["pairs"]})
        case NullValues():
            return without(old, spec, said.values)
        case Limit():
            return clipped(old, spec, said)
        case FillMissing():
            value = facts["values"][name]
            held = None if value is None else read_value(spec, value)
            return filled(old.cast(pa.int32()) if spec.type == "date" else old, held).cast(old.type)
        case _:
            raise AssertionError(said)


def _keep(step: FittedStep, rows: _Rows, columns: Mapping[str, ColumnSpec]) -> NDArray[np.bool_] | None:
    """Which rows stay, for a step that takes rows out; None for one that changes cells."""
    said = step.said
    match said:
        case DropDuplicates() | DropNearDuplicates():
            return ~np.isin(rows.numbers, np.array(step.facts["rows"], dtype=np.int64))
        case DropMissing():
            keep = np.ones(len(rows.numbers), dtype=np.bool_)
            for name in said.columns:
                keep &= np.asarray(pc.is_valid(rows.table.column(name)).to_numpy(), dtype=np.bool_)
            return keep
        case DropRows():
            wanted = set(said.keys)
            return np.array([key not in wanted for key in row_digests(rows.table)], dtype=np.bool_)
        case Limit() if said.otherwise == "drop":
            below, above = outside(rows.table.column(said.column).combine_chunks(), columns[said.column], said)
            return ~np.asarray(pc.or_(below, above).to_numpy(zero_copy_only=False), dtype=np.bool_)
        case _:
            return None


def _tuples(value: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(one) if isinstance(one, list) else one for name, one in value.items()}
