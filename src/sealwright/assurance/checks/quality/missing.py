"""How many cells are empty, in all and per column."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome
from sealwright.assurance.model import Figure, Finding, Group, Series

__all__ = ["CHECK"]

_MOST_COLUMNS = 100  # columns given a finding of their own: the emptiest


def _run(case: Case, _rng: np.random.Generator) -> Outcome:
    names = (*case.interface.names, case.interface.target)
    rows = case.train_table.num_rows + case.test_table.num_rows
    empty = {name: sum(_empty(table.column(name)) for table in (case.train_table, case.test_table)) for name in names}
    worst = sorted(names, key=lambda name: (-empty[name], name))[:_MOST_COLUMNS]
    note = "" if len(names) <= _MOST_COLUMNS else f"the {_MOST_COLUMNS} emptiest of {len(names)} columns have findings"
    total = sum(empty.values())
    overall = Finding(
        check="quality.missing_share",
        value=total / (rows * len(names)),
        n=rows * len(names),
        unit="share",
        definition="Share of empty cells in all feature and target columns of the snapshot.",
        note=note,
    )
    columns = []
    for name in worst:
        low, high = case.share_interval(empty[name], rows)
        columns.append(
            Finding(
                check="quality.column_missing_share",
                value=empty[name] / rows,
                low=low,
                high=high,
                n=rows,
                unit="share",
                definition="Share of rows in which this column is empty.",
                group=Group(attribute=name),
            )
        )
    shown = Series(name="empty", x=tuple(worst), y=tuple(empty[name] / rows for name in worst))
    figure = Figure(
        name="quality.missing", kind="bars", title="Empty cells", x="column", y="share of rows", series=(shown,)
    )
    return Outcome(findings=(overall, *columns), figures=(figure,))


def _empty(column: pa.ChunkedArray) -> int:
    return int(pc.sum(pc.is_null(column, nan_is_null=True)).as_py() or 0)


CHECK = Check(
    name="quality.missing", files={"quality.missing_share": ALL, "quality.column_missing_share": ALL}, run=_run
)
