"""Explain single rows of a table to a model that was made elsewhere, without a workspace.

Answers: what moved this answer, what would change it, which row is like it, and how far can that be trusted?
Does not answer: is the answer right. Nothing is filed: explanations of rows are personal data.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from sealwright.assurance.case_making import make_case, without_rows_judged
from sealwright.assurance.elsewhere.asked_rows import goal_named, refuse_number
from sealwright.assurance.elsewhere.given_rows import given_rows
from sealwright.assurance.elsewhere.held import judged_things
from sealwright.assurance.explaining.row import RowExplanation, explain_each
from sealwright.assurance.features import pack
from sealwright.assurance.interface import Interface
from sealwright.assurance.spec import AssuranceSpec
from sealwright.assurance.unexplained import CannotExplain
from sealwright.kernel import InvalidInput

__all__ = ["explain_table"]


def explain_table(
    model: Any,
    rows: Any,
    *,
    learned_from: tuple[Any, Any],
    fixed: Sequence[str],
    wanted: Any,
    task: str | None,
    positive: Any,
    classes: Sequence[Any] | None,
    settings: AssuranceSpec | Mapping[str, Any] | None,
    seed: int,
) -> tuple[RowExplanation, ...]:
    """Explain rows of a table; arguments and errors as for `explain_given`."""
    learned, truth = learned_from
    things = judged_things(
        model,
        learned,
        truth,
        groups=list(fixed) or None,
        learned_from=(learned, truth),
        task=task,
        positive=positive,
        classes=classes,
        settings=settings,
    )
    interface: Interface = things["interface"]
    table = _as_learned(rows, things["train"], interface)
    goal = goal_named(wanted, interface)
    case = make_case(
        things["predictor"],
        things["test"],
        things["train"],
        interface,
        without_rows_judged(things["spec"], interface.names),
        things["groups"],
        seed,
        None,
    )
    try:
        return explain_each(case, pack(table, interface), goal)
    except CannotExplain as error:
        raise InvalidInput(f"These rows cannot be explained: {error}.") from None


def _as_learned(rows: Any, learned: pa.Table, interface: Interface) -> pa.Table:
    """Rows in the types of the rows learned from, with an empty target."""
    if hasattr(rows, "to_dict") and not hasattr(rows, "columns"):
        rows = rows.to_dict()  # one row of a data frame
    if isinstance(rows, np.ndarray) and rows.ndim == 1:
        rows = rows.reshape(1, -1)
    if isinstance(rows, Mapping):
        rows = {name: value if _is_column(value) else [value] for name, value in rows.items()}
        columns: dict[str, Any] = {str(name): values for name, values in rows.items()}
    else:
        table = given_rows(rows).table
        columns = {name: table.column(name) for name in table.column_names}
    _refuse_other_columns(columns, interface)
    made = {name: _typed(columns[name], learned.schema.field(name).type, name) for name in interface.names}
    n = len(next(iter(made.values())))
    refuse_number(n, "rows")
    made[interface.target] = pa.nulls(n, pa.string())
    return pa.table(made)


def _refuse_other_columns(columns: Collection[str], interface: Interface) -> None:
    """Every column of the model and no other, since what the model does not take says nothing about its answer."""
    absent = [name for name in interface.names if name not in columns]
    unknown = [name for name in columns if name not in interface.names]
    said = [f"lack {', '.join(absent[:10])}"] if absent else []
    said += [f"have {', '.join(unknown[:10])}, which it does not take"] if unknown else []
    if said:
        raise InvalidInput(
            f"These rows do not fit the model: they {' and '.join(said)}.\nIt takes {', '.join(interface.names[:40])}."
        )


def _is_column(value: Any) -> bool:
    return isinstance(value, (list, tuple, np.ndarray, pa.Array, pa.ChunkedArray)) or hasattr(value, "iloc")


def _typed(values: Any, kind: pa.DataType, name: str) -> pa.ChunkedArray:
    try:
        column = values if isinstance(values, (pa.Array, pa.ChunkedArray)) else pa.array(list(values), from_pandas=True)
        return pa.chunked_array([column]).cast(kind) if isinstance(column, pa.Array) else column.cast(kind)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise InvalidInput(f"Column {name} cannot be read as {kind}: {str(error)[:120]}") from None
