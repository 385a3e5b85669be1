"""A table against a contract, batch after batch, on every core: what is broken, where, how often?

Answers: does this data keep its contract, exactly? Every row is looked at; nothing is sampled.
Does not answer: what to do with bad rows. An ingest sets them aside; a pipeline stops.
Memory holds a few batches, and 8 to 16 bytes a row for each key that must be unique. Neither the order of the rows
nor the size of the batches changes a count.
"""

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from sealwright.data.cast import plain_column
from sealwright.data.cells import Cast
from sealwright.data.contracts.cells import judge_column, unread
from sealwright.data.contracts.model import Contract
from sealwright.data.contracts.pairs import judge_pair
from sealwright.data.contracts.report import Breach, ContractReport
from sealwright.data.contracts.tables import refuse_broken, source_of
from sealwright.data.contracts.tally import Broken, Tally
from sealwright.data.names import nearest
from sealwright.data.sources import Source, SourceBatch
from sealwright.kernel import InvalidInput, Progress, silent

__all__ = ["check_contract"]

_MOST_THREADS = 8


def check_contract(
    data: Any,
    contract: Contract,
    *,
    at_most_share: float | None = None,
    show_values: bool = False,
    progress: Progress = silent,
) -> ContractReport:
    """Hold a table against a contract.

    Parameters
    ----------
    data : path, Source, pyarrow object or data frame
        A file is streamed. A data frame is taken over by its Arrow interface; no other library is imported.
    contract : Contract
        From `read_contract`, or made in code.
    at_most_share : float, optional
        Largest share of rows that may break the contract, 0 to 1; left out: as the contract says.
    show_values : bool
        Also report a few of the values that break a rule, of columns with class public or internal only.

    Returns
    -------
    ContractReport
        With `passed`, the breaches, and `raise_for_breach()`. A broken contract does not raise here.

    Raises
    ------
    InvalidInput
        `at_most_share` is no share.
    SourceUnreadable
        The data is no table: missing, damaged, another encoding.
    ColumnsUnusable
        Repeated or unprintable column names.
    """
    if at_most_share is not None and not 0 <= at_most_share <= 1:
        raise InvalidInput(f"at_most_share is a share of rows, 0 to 1; got {at_most_share}.")
    source = source_of(data, contract)
    check = _Check(source, contract, show_values=show_values)
    with _kept_pages(), ThreadPoolExecutor(max_workers=min(os.cpu_count() or 1, _MOST_THREADS)) as pool:
        for batch in _ahead(check, pool):
            check.take_in(batch)
            progress(f"checking {source.name}", source.share)
    progress(f"checking {source.name}", 1.0)
    return check.report(contract.at_most_share if at_most_share is None else at_most_share)


@contextmanager
def _kept_pages() -> Iterator[None]:
    """Arrow's memory from the system's allocator meanwhile.

    Batches come and go by the hundred here, and Arrow's usual allocator hands their pages back to the system between
    two of them: that costs as much time as the check itself. What was allocated before or within stays valid.
    """
    before = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(before)


Judged = tuple[SourceBatch, dict[str, Future[Cast]]]


def _ahead(check: "_Check", pool: ThreadPoolExecutor) -> Iterator[Judged]:
    """Each batch with its columns being judged, while the next one is read."""
    before: Judged | None = None
    for batch in check.source.batches(only=check.names):
        columns = {name: pool.submit(check.judge, name, batch.rows.column(name)) for name in check.names}
        if before is not None:
            yield before
        before = batch, columns
    if before is not None:
        yield before


class _Check:
    """One run: the columns that are there and wanted, and what was counted so far."""

    def __init__(self, source: Source, contract: Contract, *, show_values: bool) -> None:
        self.source, self.contract = source, contract
        there = set(source.columns) - set(source.unreadable)
        self.names = [name for name in contract.checked if name in there]
        self.tally = Tally(contract, self.names, show_values=show_values)
        self.rules = [rule for rule in contract.rules if {rule.column, rule.other} <= set(self.names)]

    def judge(self, name: str, values: Any) -> Cast:
        if self.source.kind == "memory":  # a file's batches are looked at as they are read
            values = values if pa.types.is_dictionary(values.type) else plain_column(values)
            refuse_broken(values, self.source.name)
        return judge_column(values, self.contract.columns[name], decimal=self.source.decimal)

    def take_in(self, judged: Judged) -> None:
        """Count one batch."""
        batch, futures = judged
        casts = {name: future.result() for name, future in futures.items()}
        lost = {name: unread(cast.problems) for name, cast in casts.items()}
        broken = [Broken(name, rule, cells) for name, cast in casts.items() for rule, cells in cast.problems.items()]
        for rule in self.rules:
            left, right = rule.column, rule.other
            found = judge_pair(rule, casts[left].values, lost[left], casts[right].values, lost[right])
            if found.any():
                broken.append(Broken(left, "rule_broken", found, rule))
        self.tally.add(batch, broken, {name: cast.values for name, cast in casts.items()}, lost)

    def report(self, at_most_share: float) -> ContractReport:
        bad_rows, found = self.tally.close()
        return ContractReport(
            source=self.source.name,
            source_digest=self.source.digest,
            contract=self.contract.digest,
            rows=self.tally.rows,
            bad_rows=bad_rows,
            at_most_share=at_most_share,
            checked=tuple(self.names),
            breaches=(*self._of_the_table(), *found),
            notes=self.source.notes,
        )

    def _of_the_table(self) -> Iterator[Breach]:
        """What is wrong with the table as a whole: its columns, and how many rows it has."""
        contract, source = self.contract, self.source
        known = set(contract.columns)
        for name in contract.checked:
            if name in source.unreadable:
                yield _whole(name, "column_unreadable", f"a flat column; it is {source.unreadable[name]}")
            elif name not in source.columns and contract.columns[name].required:
                hint = nearest(name, set(source.columns) - known)
                yield _whole(name, "column_missing", f"a column of this name.{hint}")
        if contract.other_columns == "refused":
            for name in source.columns:
                if name not in known:
                    hint = nearest(name, known - set(source.columns))
                    yield _whole(name, "column_unexpected", f"only the columns of the contract.{hint}")
        if contract.ordered and not self._in_order():
            yield _whole("", "columns_out_of_order", f"the order {', '.join(contract.columns)}")
        rows = contract.rows
        if rows.min is not None and self.tally.rows < rows.min:
            yield _whole("", "too_few_rows", f"at least {rows.min:,} rows; there are {self.tally.rows:,}")
        if rows.max is not None and self.tally.rows > rows.max:
            yield _whole("", "too_many_rows", f"at most {rows.max:,} rows; there are {self.tally.rows:,}")

    def _in_order(self) -> bool:
        there = [name for name in self.source.columns if name in self.contract.columns]
        return there == [name for name in self.contract.columns if name in set(there)]


def _whole(column: str, rule: str, expected: str) -> Breach:
    return Breach(column=column, rule=rule, expected=expected, scope="table", count=1, share=1.0, first_rows=())
