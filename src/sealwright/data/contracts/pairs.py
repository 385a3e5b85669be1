"""Two columns compared in every row.

Answers: in which rows does `end` come before `start`?
Does not answer: what a row with an empty or unreadable cell means. It is not compared; other rules see it.
"""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sealwright.data.cells import Mask, as_mask, blank
from sealwright.data.contracts.model import RowRule

__all__ = ["judge_pair"]

_BROKEN_IF = {
    "at_least": pc.less,
    "above": pc.less_equal,
    "at_most": pc.greater,
    "below": pc.greater_equal,
    "equal_to": pc.not_equal,
    "different_from": pc.equal,
}


def judge_pair(rule: RowRule, values: Any, unread: Mask | None, others: Any, others_unread: Mask | None) -> Mask:
    """The rows that break a rule.

    Parameters
    ----------
    values, others : pa.Array
        The rule's two columns, as `judge_column` gives them.
    unread, others_unread : bool array or None
        Cells of each that could not be read.
    """
    left, right = _readable(values, unread), _readable(others, others_unread)
    if pa.types.is_int64(left.type) and pa.types.is_floating(right.type):
        left = pc.cast(left, right.type)  # exact: the contract's integers are within ±2^53
    if pa.types.is_int64(right.type) and pa.types.is_floating(left.type):
        right = pc.cast(right, left.type)
    return as_mask(_BROKEN_IF[rule.comparison](left, right))


def _readable(values: Any, unread: Mask | None) -> Any:
    plain = values.dictionary_decode() if pa.types.is_dictionary(values.type) else values
    return plain if unread is None else blank(plain, unread)
