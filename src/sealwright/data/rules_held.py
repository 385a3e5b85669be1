"""Rules between columns, held on a batch of typed rows by Arrow's three-valued logic: nothing is known of an empty cell."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sealwright.data.cells import Mask
from sealwright.data.rule_spec import Comparison, RuleSpec

__all__ = ["broken_rules"]

_SIGNS: dict[str, Callable[..., Any]] = {
    "<": pc.less, "<=": pc.less_equal, ">": pc.greater, ">=": pc.greater_equal, "==": pc.equal, "!=": pc.not_equal,
}  # fmt: skip


def broken_rules(rows: pa.RecordBatch, rules: tuple[RuleSpec, ...]) -> Iterator[tuple[RuleSpec, Mask]]:
    """Each rule that some row breaks, and which rows do."""
    for rule in rules:
        applies = _known(rows, rule.when, holds=True)
        wrong = np.zeros(rows.num_rows, dtype=np.bool_)
        for one in rule.then:
            wrong |= _known(rows, (one,), holds=False)
        if (applies & wrong).any():
            yield rule, applies & wrong


def _known(rows: pa.RecordBatch, comparisons: tuple[Comparison, ...], *, holds: bool) -> Mask:
    """Rows in which every comparison is known, and is so."""
    found = np.ones(rows.num_rows, dtype=np.bool_)
    for one in comparisons:
        left = _plain(rows.column(one.column))
        right = _plain(rows.column(one.other)) if one.other is not None else _scalar(left.type, one.value)
        judged = pc.fill_null(_SIGNS[one.sign](left, right), not holds)
        found &= judged.to_numpy(zero_copy_only=False) == holds
    return found


def _plain(column: Any) -> Any:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _scalar(kind: Any, value: Any) -> Any:
    if pa.types.is_date(kind):
        return pa.scalar(date.fromisoformat(value), kind)
    return pa.scalar(value) if isinstance(value, float) else pa.scalar(value, kind)
