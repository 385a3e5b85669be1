"""Explain single rows to a model that was made elsewhere, without a workspace.

Answers: what moved this answer, what would change it, which row is like it, and how far can that be trusted?
Does not answer: is the answer right. Nothing is filed: explanations of rows are personal data.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from sealwright.assurance.case_making import make_case
from sealwright.assurance.elsewhere.given_rows import given_rows
from sealwright.assurance.elsewhere.held import judged_things
from sealwright.assurance.explaining.row import RowExplanation, explain_each
from sealwright.assurance.features import pack
from sealwright.assurance.interface import Interface
from sealwright.assurance.spec import AssuranceSpec, class_text
from sealwright.assurance.unexplained import CannotExplain
from sealwright.kernel import InvalidInput

__all__ = ["explain_given"]

_MOST_ROWS = 1_000


def explain_given(
    model: Any,
    rows: Any,
    *,
    learned_from: tuple[Any, Any],
    fixed: Sequence[str] = (),
    wanted: Any = None,
    task: str | None = None,
    positive: Any = None,
    classes: Sequence[Any] | None = None,
    settings: AssuranceSpec | Mapping[str, Any] | None = None,
    seed: int = 0,
) -> tuple[RowExplanation, ...]:
    """Explain rows to any model.

    Parameters
    ----------
    model : object
        As for `judge`.
    rows : one row or several
        A mapping of column to value, a series, or whatever `judge` takes as rows; at most 1,000.
    learned_from : (rows, truth)
        Rows that stand for an unknown value, show what occurs, and give the prototypes.
    fixed : sequence of str
        Columns nobody can change, such as an age.
    wanted : optional
        The outcome a change is to lead to; left out: the favourable one.

    Raises
    ------
    InvalidInput
        The rows do not have the columns learned from, there are too many, or no explanation adds up to the answers.
    """
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
    goal = None if wanted is None else class_text(wanted.item() if isinstance(wanted, np.generic) else wanted)
    if goal is not None and goal not in interface.classes:
        raise InvalidInput(f"wanted is {goal!r}; the model's outcomes are {', '.join(interface.classes) or 'numbers'}.")
    case = make_case(
        things["predictor"],
        things["test"],
        things["train"],
        interface,
        things["spec"],
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
    absent = [name for name in interface.names if name not in columns]
    if absent:
        raise InvalidInput(
            f"The rows to explain lack {', '.join(absent[:10])}; the model takes {', '.join(interface.names[:40])}."
        )
    made = {name: _typed(columns[name], learned.schema.field(name).type, name) for name in interface.names}
    n = len(next(iter(made.values())))
    if not 1 <= n <= _MOST_ROWS:
        raise InvalidInput(f"There are {n:,} rows to explain; at least one and at most {_MOST_ROWS:,} can be.")
    made[interface.target] = pa.nulls(n, pa.string())
    return pa.table(made)


def _is_column(value: Any) -> bool:
    return isinstance(value, (list, tuple, np.ndarray, pa.Array, pa.ChunkedArray)) or hasattr(value, "iloc")


def _typed(values: Any, kind: pa.DataType, name: str) -> pa.ChunkedArray:
    try:
        column = values if isinstance(values, (pa.Array, pa.ChunkedArray)) else pa.array(list(values), from_pandas=True)
        return pa.chunked_array([column]).cast(kind) if isinstance(column, pa.Array) else column.cast(kind)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise InvalidInput(f"Column {name} cannot be read as {kind}: {str(error)[:120]}") from None
