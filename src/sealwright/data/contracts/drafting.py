"""A first contract from a file: what it holds today, written down for a person to tighten or loosen.

Answers: which types, ranges, lists and keys does this file keep?
Does not answer: which of them were meant. Each guess carries its reason. Choices are those of `infer`: the whole file
is read, ranges are exactly what was seen, dates get no upper end.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sealwright.data.contracts.column import ContractColumn
from sealwright.data.contracts.model import Contract, CsvReading
from sealwright.data.errors import SourceUnreadable
from sealwright.data.hints import census_names, looks_like_identifier
from sealwright.data.infer_column import describe_values, infer_column, unreadable_column
from sealwright.data.profile import ColumnProfile, UniqueBudget
from sealwright.data.source_spec import FileSource
from sealwright.data.sources import Source, open_source
from sealwright.data.sources.csv_file import CsvFile, writes_decimal_commas
from sealwright.kernel import Progress, silent

__all__ = ["Drafted", "draft_contract"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """A contract guessed from a file, and why."""

    contract: Contract
    rows: int
    reasons: Mapping[str, tuple[str, ...]]  # by column
    notes: tuple[str, ...]  # what a person should look at first


def draft_contract(source: Source | FileSource | str | Path, *, progress: Progress = silent) -> Drafted:
    """Read a source once and write down what it holds. The source keeps the contract that comes out.

    Raises
    ------
    SourceUnreadable
        It is no table, or none of its rows has as many fields as its header.
    """
    opened = _opened(source)
    profiles, ragged = _profile(opened, progress)
    rows = max((profile.rows for profile in profiles.values()), default=0)
    if not rows:
        raise SourceUnreadable(
            f"Not one row of {opened.name} can be read: its columns are nested or binary, or its rows have other numbers"
            " of fields than its header."
        )
    census = census_names(opened.columns)
    columns: dict[str, ContractColumn] = {}
    reasons: dict[str, tuple[str, ...]] = {}
    for place, name in enumerate(opened.columns, start=1):
        if name in profiles:
            columns[name], reasons[name] = _column(profiles[name], census=census, unnamed=name == f"column_{place}")
        else:
            spec, reasons[name] = unreadable_column(opened.unreadable[name])
            columns[name] = ContractColumn.model_validate(spec.plain())
    notes = list(opened.notes)
    if ragged:
        fault = (
            "are no flat objects with known keys"
            if opened.kind == "jsonl"
            else "have more or fewer fields than the header"
        )
        notes.append(f"{ragged:,} rows {fault}; at_most_share lets as many pass")
    limit = math.ceil(ragged / (rows + ragged) * 10_000) / 10_000
    contract = Contract(columns=columns, at_most_share=limit, csv=_reading(opened))
    return Drafted(contract=contract, rows=rows + ragged, reasons=reasons, notes=tuple(notes))


def _opened(source: Source | FileSource | str | Path) -> Source:
    opened: Source
    if isinstance(source, (str, Path)):
        opened = open_source(str(source), Path())
    else:
        opened = open_source(source, Path()) if isinstance(source, FileSource) else source
    if isinstance(opened, CsvFile) and writes_decimal_commas(opened):
        opened = opened.with_decimal_comma()
    return opened


def _profile(source: Source, progress: Progress) -> tuple[dict[str, ColumnProfile], int]:
    """A profile of every readable column, and the number of ragged rows."""
    budget = UniqueBudget()
    names = [name for name in source.columns if name not in source.unreadable]
    typed = source.kind != "csv"
    profiles = {name: ColumnProfile(name, budget, decimal=source.decimal, typed=typed) for name in names}
    ragged = 0
    for batch in source.batches(only=names):
        ragged += len(batch.rejected)
        if batch.rows.num_rows:
            for name, profile in profiles.items():
                profile.update(batch.rows.column(name))
        progress(f"looking at {source.name}", source.share)
    return profiles, ragged


def _column(profile: ColumnProfile, *, census: bool, unnamed: bool) -> tuple[ContractColumn, tuple[str, ...]]:
    """One column as `infer` would guess it, without a role in a project."""
    guessed, _ = infer_column(profile, census=census, unnamed=unnamed)
    unique = profile.unique and (guessed.role == "identifier" or looks_like_identifier(profile.name))
    said = guessed.plain()
    del said["role"]
    kind, why = describe_values(profile)
    reasons = [why if kind == guessed.type else f"{guessed.type}: {len(guessed.categories or ())} different codes"]
    if guessed.nullable:
        reasons.append(f"missing in {profile.missing:,} of {profile.rows:,} rows")
    if unique:
        reasons.append("unique: every value is different, as a key's would be")
    if guessed.data_class != "internal":
        reasons.append(f"class {guessed.data_class}: by its name or values; check it")
    return ContractColumn.model_validate({**said, "unique": unique}), tuple(reasons)


def _reading(source: Source) -> CsvReading:
    """How a CSV file was read, as far as the next file could not tell by itself."""
    if not isinstance(source, CsvFile):
        return CsvReading()
    said = source.spec if isinstance(source.spec, FileSource) else FileSource(file="")
    return CsvReading(encoding=said.encoding, delimiter=said.delimiter, decimal=source.decimal)
