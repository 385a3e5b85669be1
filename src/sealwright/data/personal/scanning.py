"""Scan a table: a sample of rows looked at whole, and e-mails, cards and IBANs in every cell.

Answers: which columns hold data about persons, of what kind, in what share of cells, and does the contract know?
Does not answer: whether a column in which nothing was found is free of them.
The table is read once, batch after batch; memory is bounded by the sample.
"""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from sealwright.data.cast import plain_column
from sealwright.data.column_spec import ColumnSpec
from sealwright.data.personal.cells import CellCounts, count_cells
from sealwright.data.personal.column_names import Named, census_names, named
from sealwright.data.personal.column_values import attribute_of
from sealwright.data.personal.declared import declared_recall
from sealwright.data.personal.exact import ExactCounts
from sealwright.data.personal.grading import findings_of
from sealwright.data.personal.mail_names import names_in_mail
from sealwright.data.personal.model import KINDS, ColumnReport, Finding, Kind, PersonalDataReport, ScanSettings
from sealwright.data.personal.sampling import RowSample
from sealwright.data.sources import Source, SourceBatch
from sealwright.kernel import Progress, silent

__all__ = ["Columns", "scan"]

_FEW_VALUES = 50  # an attribute such as sex has no more
_DEFAULTS = ScanSettings()
_TEXT_ONLY: tuple[Kind, ...] = (
    "email",
    "person_name",
    "address",
    "username",
    "url_credentials",
    "ip_address",
    "mac_address",
)


class Columns(Protocol):
    """What a scan needs of a contract: `DataSpec` and every other set of columns has it."""

    @property
    def columns(self) -> Mapping[str, ColumnSpec]: ...


def scan(
    table: Source | Any,
    *,
    contract: Columns | None = None,
    settings: ScanSettings = _DEFAULTS,
    seed: int = 0,
    progress: Progress = silent,
) -> PersonalDataReport:
    """Look for personal data in a table.

    Parameters
    ----------
    table : Source, pyarrow.Table, or iterable of pyarrow.RecordBatch
        Read once. Columns the contract does not keep (role: ignore) are not read.
    contract : DataSpec, optional
        Whose classes the report compares with.
    settings : ScanSettings
        How far to look. A kind that stands in a share s of the cells is missed by a sample of n rows with probability
        (1 - s)^n: with 1,000 rows, 1 in 334 cells is seen with 95 %.
    seed : int
        Of the sample. The same seed and rows give the same report.

    Returns
    -------
    PersonalDataReport
        Of every column looked at, with the recall that was declared for this scanner, and how many rows and which
        columns of a source nobody could look at. Holds no cell.

    Raises
    ------
    SourceUnreadable
        As reading the source does.
    MissingExtra
        The extra `build` is not installed.
    """
    unread: Counter[str] = Counter()
    name, batches, columns_unread = _batches(table, contract, unread)
    sample = RowSample(settings.sample_rows, most_characters=settings.most_characters, seed=seed)
    exact: dict[str, ExactCounts] = {}
    left, rows_exact = settings.exact_megabytes << 20, 0
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:  # Arrow lets go of the interpreter while it looks
        for batch in batches:
            if not batch.num_rows:
                continue
            batch = _readable(batch)
            sample.add(batch)
            left -= batch.nbytes
            if left >= 0:
                rows_exact += batch.num_rows
                counting = [exact.setdefault(column, ExactCounts()) for column in batch.schema.names]
                list(pool.map(ExactCounts.add, counting, batch.columns))
            progress(f"looking for personal data in {name}", getattr(table, "share", 0.0))
    rows = sample.table()
    columns = _columns(rows, exact, contract, sample, complete=rows_exact == sample.rows) if rows is not None else ()
    progress(f"looking for personal data in {name}", 1.0)
    return PersonalDataReport(
        source=name,
        rows=sample.rows,
        rows_sampled=rows.num_rows if rows is not None else 0,
        rows_exact=rows_exact,
        columns=columns,
        declared=declared_recall(),
        unread=dict(unread),
        columns_unread=columns_unread,
    )


def _batches(table: Any, contract: Columns | None, unread: Counter[str]) -> tuple[str, Iterator[Any], tuple[str, ...]]:
    """A name for the report, the record batches, and the columns that are not in them; counts the rows that are not."""
    ignored = {name for name, column in contract.columns.items() if column.role == "ignore"} if contract else set()
    if isinstance(table, pa.Table):
        kept = table.drop_columns([name for name in table.column_names if name in ignored])
        return "the table", iter(kept.to_batches()), ()
    if hasattr(table, "unreadable"):
        wanted = [name for name in table.columns if name not in ignored and name not in table.unreadable]
        left = tuple(name for name in table.columns if name in table.unreadable and name not in ignored)
        return table.name, _counted(table.batches(only=wanted), unread), left
    return "the table", iter(table), ()


def _counted(batches: Iterator[SourceBatch], unread: Counter[str]) -> Iterator[Any]:
    for batch in batches:
        unread.update(row.reason for row in batch.rejected)
        yield batch.rows


def _readable(batch: Any) -> Any:
    """The batch with string views, which few of Arrow's functions take, as strings."""
    if not any(pa.types.is_string_view(field.type) for field in batch.schema):
        return batch
    columns = [plain_column(column) if pa.types.is_string_view(column.type) else column for column in batch.columns]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _columns(
    rows: Any, exact: Mapping[str, ExactCounts], contract: Columns | None, sample: RowSample, *, complete: bool
) -> tuple[ColumnReport, ...]:
    census = census_names(rows.column_names)
    texts = {name: _distinct(rows.column(name)) for name in rows.column_names}
    counted = {name: count_cells(found, digits_only=_is_whole(rows.column(name))) for name, found in texts.items()}
    mail = names_in_mail(rows, {name: counts for name, counts in counted.items() if _is_text(rows.column(name))})
    reports = []
    for name, counts in counted.items():
        said = named(name, census=census)
        values = [value for value, _ in texts[name]]
        findings = findings_of(
            _widened(counts, exact.get(name)),
            said,
            attribute=attribute_of(values) if len(values) <= _FEW_VALUES else None,
            fitting=said is None or _fits(said, rows.column(name), counts),
            names_in_mail=name in mail,
        )
        column = contract.columns.get(name) if contract else None
        reports.append(
            ColumnReport(
                name=name,
                findings=_with_exact(findings, exact.get(name), complete=complete),
                contract_class=column.data_class if column else None,
                not_personal=column.not_personal if column else None,
                cells_cut=sample.cut.get(name, 0),
            )
        )
    return tuple(reports)


def _distinct(column: Any) -> list[tuple[str, int]]:
    """The different values of a column as texts, with how many cells hold each; none for numbers with fractions."""
    column = plain_column(column.combine_chunks())
    if pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
        whole = pc.cast(column, pa.float64())
        inside = pc.and_(pc.less(pc.abs(whole), 2.0**53), pc.equal(pc.floor(whole), whole))
        if not pc.all(pc.fill_null(inside, fill_value=True)).as_py():
            return []
        column = whole.cast(pa.int64())
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type) or pa.types.is_integer(column.type):
        return [(str(one["values"]), one["counts"]) for one in pc.value_counts(column.drop_null()).to_pylist()]
    return []


def _is_whole(column: Any) -> bool:
    return not _is_text(column)


def _is_text(column: Any) -> bool:
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _fits(said: Named, column: Any, counts: CellCounts) -> bool:
    """Whether cells of this type, and of so many different values, can be what the name says."""
    if pa.types.is_boolean(column.type):
        return not KINDS[said.kind].identifies
    if not KINDS[said.kind].identifies:
        return True
    if said.kind in _TEXT_ONLY and not _is_text(column):
        return False
    if said.kind == "coordinates" or pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        return True
    if not counts.cells:
        return bool(column.null_count == len(column))  # numbers with fractions are no number of anybody
    return counts.cells < 20 or counts.distinct > 2


def _widened(counts: CellCounts, exact: ExactCounts | None) -> CellCounts:
    """The counts of the sample; whether cards are there by chance is told from every cell."""
    if exact is not None and exact.card_like > counts.card_like:
        return replace(counts, card_like=exact.card_like, card_passed=exact.card_alone)
    return counts


def _with_exact(findings: tuple[Finding, ...], exact: ExactCounts | None, *, complete: bool) -> tuple[Finding, ...]:
    """Counts of every cell in place of those of the sample, and kinds the sample did not meet."""
    if exact is None or not exact.whole:
        return findings
    known = {one.kind for one in findings}
    result = [
        replace(one, cells=exact.found[one.kind], of_cells=exact.cells, exact=complete)
        if exact.found.get(one.kind)
        else one
        for one in findings
    ]
    for kind, cells in exact.found.items():
        chance = (
            kind == "card" and exact.card_alone >= cells and exact.card_like >= 20 and cells < exact.card_like * 0.25
        )
        if cells and kind not in known:
            grade = "low" if chance else "medium"
            result.append(
                Finding(kind=kind, confidence=grade, by_name=False, cells=cells, of_cells=exact.cells, exact=complete)  # type: ignore[arg-type]
            )
    return tuple(result)
