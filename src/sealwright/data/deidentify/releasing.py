"""From the rows of a snapshot to rows that may be given away, or a refusal that says what to change.

Answers: what does a recipe make of these rows, does what it asks for hold, and what risk stays?
Does not answer: where the keys come from, or where the rows go. Nothing is read or written here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pyarrow as pa

from sealwright.data.column_spec import ColumnSpec
from sealwright.data.deidentify.closeness import distinct_values
from sealwright.data.deidentify.contract import after_step, check_columns
from sealwright.data.deidentify.errors import ColumnsNotDecided
from sealwright.data.deidentify.grouping import spread_of
from sealwright.data.deidentify.ladder import ladder_of
from sealwright.data.deidentify.lattice import Chosen, choose
from sealwright.data.deidentify.measuring import Guarded, Measured, classes_of, guarded_column, measure
from sealwright.data.deidentify.methods import Tools, apply_step, texts_of
from sealwright.data.deidentify.proof import prove
from sealwright.data.deidentify.report import DeidentifyReport, said
from sealwright.data.deidentify.risk import risk_of
from sealwright.data.deidentify.safe_harbor import Harbor, harbor_of
from sealwright.data.deidentify.spec import DeidentifySpec, Sensitive
from sealwright.kernel import Progress, silent

__all__ = ["Keys", "Released", "release"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What pseudonyms and shifts are made with: 32 bytes each, of one project. Never printed."""

    pseudonyms: bytes = field(repr=False)
    shifts: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """Rows that keep to the recipe, their contract, and the account of it."""

    table: pa.Table = field(repr=False)
    columns: Mapping[str, ColumnSpec]
    report: DeidentifyReport
    ways_back: Mapping[str, Mapping[str, str]] = field(
        repr=False
    )  # column -> pseudonym -> value; secret; empty if not reversible
    subjects: pa.Array | None = field(repr=False, default=None)  # whom each released row is about; secret


def release(
    table: pa.Table,
    columns: Mapping[str, ColumnSpec],
    spec: DeidentifySpec,
    keys: Keys,
    *,
    today: date,
    subject: str | None = None,
    mask_text: Callable[[str], str] | None = None,
    found: Mapping[str, str] | None = None,
    progress: Progress = silent,
) -> Released:
    """Apply a recipe to rows, and let them go only if what it asks for holds.

    Parameters
    ----------
    table : pa.Table
        The rows, in the types of a snapshot.
    columns : mapping of name to ColumnSpec
        Their contract, in the same order.
    today : date
        The day ages are counted to under a profile, where the recipe names none.
    subject : str, optional
        The column that names persons, where the recipe names none.
    mask_text : callable, optional
        Takes a text, returns it without what it takes for personal.
    found : mapping of column to kind, optional
        What a scanner found in the cells, for a profile.

    Returns
    -------
    Released
        Rows in the order they had; some may be left out.

    Raises
    ------
    InvalidInput
        The recipe names other columns than there are, or a method that does not fit.
    ColumnsNotDecided
        Columns that may identify persons, of which it says nothing.
    LimitsNotReached, SafeHarborNotReached
        What it asks for cannot be reached within it.
    """
    check_columns(columns, spec)
    harbor = None
    if spec.profile is not None:
        harbor = harbor_of(columns, spec, found=found or {}, today=today)
        spec = harbor.spec
    _refuse_undecided(columns, spec, harbor)
    progress("changing columns", 0.1)
    tools = _tools(table, spec, keys, subject or "", mask_text)
    changed, contract = _change(table, columns, spec, tools)
    progress("measuring", 0.3)
    persons = _persons(spec.subject or subject or "", tools.subjects)
    chosen, released, contract = _enforced(changed, contract, spec, persons, progress)
    after = _measured(released, spec)
    fewest = _fewest_persons(released, spec, persons, chosen)
    prove(after, fewest, released, contract, spec, harbor, rows=table.num_rows)
    risk = risk_of(released, list(spec.quasi_identifiers), population=_drawn_from(spec, released)) if after else None
    report = DeidentifyReport(
        recipe=spec,
        rows=table.num_rows,
        released=released.num_rows,
        columns=contract,
        done={name: _done(name, spec) for name in columns},
        before=_measured(table, spec),
        after=after,
        fewest_persons=fewest,
        chosen=chosen,
        risk=risk,
        harbor=harbor,
    )
    kept = None if chosen is None or tools.subjects is None else tools.subjects.filter(pa.array(chosen.kept))
    return Released(
        table=released,
        columns=contract,
        report=report,
        ways_back=_of_released(tools.ways_back, released),
        subjects=kept if chosen is not None else tools.subjects,
    )


def _refuse_undecided(columns: Mapping[str, ColumnSpec], spec: DeidentifySpec, harbor: Harbor | None) -> None:
    decided = {*spec.columns, *spec.keep, *spec.quasi_identifiers, *spec.sensitive}
    decided |= harbor.decided if harbor is not None else set()
    undecided = {name: why for name, column in columns.items() if name not in decided and (why := _telling(column))}
    if undecided:
        raise ColumnsNotDecided(undecided)


def _telling(column: ColumnSpec) -> str:
    """Why a column may tell who a person is."""
    if column.role == "identifier":
        return "its role is identifier"
    if column.data_class in {"personal", "special"}:
        return f"its class is {column.data_class}"
    return "it is free text" if column.type == "text" else ""


def _tools(
    table: pa.Table, spec: DeidentifySpec, keys: Keys, subject: str, mask_text: Callable[[str], str] | None
) -> Tools:
    named = spec.subject or subject
    subjects = texts_of(table[named].combine_chunks()) if named in table.column_names else None
    return Tools(
        pseudonyms=keys.pseudonyms,
        shifts=keys.shifts,
        subjects=subjects,
        mask_text=mask_text,
        keep_ways_back=spec.reversible,
    )


def _change(
    table: pa.Table, columns: Mapping[str, ColumnSpec], spec: DeidentifySpec, tools: Tools
) -> tuple[pa.Table, dict[str, ColumnSpec]]:
    """Every column after its methods."""
    arrays, contract = {}, {}
    for name, column in columns.items():
        values: pa.Array = table[name].combine_chunks()
        after: ColumnSpec | None = column
        for step in spec.columns.get(name, ()):
            assert after is not None
            before, after = after, after_step(name, after, step)
            values = values if after is None else apply_step(name, values, before, step, tools)
        if after is not None:
            arrays[name], contract[name] = values, after
    return pa.table(arrays), contract


def _enforced(
    table: pa.Table,
    contract: dict[str, ColumnSpec],
    spec: DeidentifySpec,
    persons: Guarded | None,
    progress: Progress,
) -> tuple[Chosen | None, pa.Table, dict[str, ColumnSpec]]:
    """The table with its quasi-identifiers coarsened and some rows left out, as `enforce` asks."""
    wanted = spec.enforce
    if wanted is None:
        return None, table, contract
    ladders = [
        ladder_of(name, table[name], contract[name], quasi, steps=wanted.by == "generalise")
        for name, quasi in spec.quasi_identifiers.items()
    ]
    guarded = [guarded_column(name, table[name], how) for name, how in spec.sensitive.items()]
    chosen = choose(ladders, guarded, wanted, persons=persons, progress=progress)
    tools, contract = Tools(pseudonyms=b"", shifts=b""), dict(contract)
    table = table.filter(pa.array(chosen.kept))
    for name, rung in chosen.rungs.items():
        if rung is None:
            continue
        values = apply_step(name, table[name].combine_chunks(), contract[name], rung, tools)
        after = after_step(name, contract[name], rung)
        assert after is not None
        contract[name] = after
        table = table.set_column(table.column_names.index(name), name, values)
    return chosen, table, contract


def _persons(name: str, subjects: pa.Array | None) -> Guarded | None:
    """Whom each row is about, where somebody has more than one row."""
    if subjects is None or len(subjects.unique()) == len(subjects):
        return None
    return guarded_column(name, pa.chunked_array([subjects]), Sensitive())


def _fewest_persons(
    table: pa.Table, spec: DeidentifySpec, persons: Guarded | None, chosen: Chosen | None
) -> int | None:
    """The fewest different persons in a class of the rows that go."""
    if persons is None or not spec.quasi_identifiers or not table.num_rows:
        return None
    codes = persons.codes if chosen is None else persons.codes[chosen.kept]
    ids, classes = classes_of(table, list(spec.quasi_identifiers))
    found = distinct_values(spread_of(ids, classes, codes, persons.count))
    return int(np.nanmin(found, initial=table.num_rows))


def _measured(table: pa.Table, spec: DeidentifySpec) -> Measured | None:
    quasi = list(spec.quasi_identifiers)
    return measure(table, quasi, spec.sensitive) if quasi and table.num_rows else None


def _drawn_from(spec: DeidentifySpec, table: pa.Table) -> int | None:
    return None if spec.population is None else max(spec.population, table.num_rows)


def _done(name: str, spec: DeidentifySpec) -> str:
    if name in spec.columns:
        return "; ".join(said(step) for step in spec.columns[name])
    return "as it is"


def _of_released(ways: Mapping[str, Mapping[str, str]], table: pa.Table) -> dict[str, dict[str, str]]:
    """The ways back of the pseudonyms that go, and of no others."""
    there = {name: set(table[name].unique().to_pylist()) for name in ways}
    return {name: {key: value for key, value in found.items() if key in there[name]} for name, found in ways.items()}
