"""The named-feature protocol as an Arrow IPC stream: one column per feature in, one per output back.

Answers: are these columns what the contract asks for? Nulls mean missing, and so does NaN, where the contract allows it.
The answer's schema carries the decision's id and the receipt as metadata, "sealwright.receipt".
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.serving.arrow.arrays import Column
from sealwright.serving.arrow.stream import StreamRefused, read_stream
from sealwright.serving.arrow.writing import write_stream
from sealwright.serving.columns import ColumnRefused, date_column, number_column, text_column
from sealwright.serving.contract import Contract, Feature
from sealwright.serving.field_rules import MOST_PROBLEMS, misnamed, pointer
from sealwright.serving.outcome import Outcome
from sealwright.serving.problems import FieldProblem, RowsRefused, TableMalformed
from sealwright.serving.protocol_named import NamedProtocol, NamedRequest

__all__ = ["read_table", "write_table"]

_NAN = float("nan")
_DAY = 86_400_000  # milliseconds
_TOLD = {
    "number": "a column of integers or floats",
    "integer": "a column of integers, or of floats that are whole",
    "boolean": "a column of booleans",
    "date": "a column of dates, or of text as YYYY-MM-DD",
    "category": "a column of text, plain or by dictionary",
}


def read_table(named: NamedProtocol, body: bytes) -> NamedRequest:
    """Decode and check a stream.

    Raises
    ------
    TableMalformed
        Not such a stream, or one with types that are not read here (400).
    RowsRefused
        Outside the contract; names each column and its first value that is wrong (422).
    """
    features = named.contract.features
    try:
        columns = read_stream(body, most_rows=named.most_rows, most_columns=len(features) + 1)
    except StreamRefused as refusal:
        raise TableMalformed(str(refusal)) from None
    problems = misnamed(features, columns, "")
    if problems:
        raise RowsRefused(problems=problems[:MOST_PROBLEMS])
    packed: list[Sequence[Any] | NDArray[Any]] = []
    for feature in features:
        try:
            packed.append(_checked(feature, columns[feature.name]))
        except ColumnRefused as refusal:
            where = pointer(feature.name) if refusal.at is None else pointer(feature.name, refusal.at)
            problems.append(FieldProblem(where, refusal.reason, str(refusal), feature.name))
    if problems:
        raise RowsRefused(problems=problems[:MOST_PROBLEMS])
    batch = named.contract.pack_columns(packed)
    return NamedRequest(form="columns", count=batch.rows, batch=batch)


def write_table(contract: Contract, outcome: Outcome, decision: str, receipt: bytes) -> bytes:
    """The answer: "label" and a column per class named after it, or "value"."""
    columns: dict[str, Sequence[str] | Sequence[float]] = {}
    if contract.output == "value":
        columns["value"] = _numbers(outcome.values)
    else:
        columns["label"] = outcome.labels
        for name, shares in zip(contract.classes, zip(*outcome.probabilities, strict=True), strict=True):
            columns[f"probability.{name}"] = _numbers(shares)
    return write_stream(columns, {"sealwright.decision": decision, "sealwright.receipt": receipt.decode()})


def _numbers(told: Sequence[float | None]) -> Sequence[float]:
    """What is not told is NaN."""
    return [_NAN if value is None else value for value in told] if None in told else told  # type: ignore[return-value]


def _checked(feature: Feature, column: Column) -> Sequence[Any] | NDArray[Any]:
    """Values as the contract packs them."""
    kind, values = column.kind, column.values
    if kind == "null" or (kind == "text" and feature.kind in ("category", "date")):
        return _checked_text(feature, column)
    fits = {"number": ("number",), "integer": ("number",), "boolean": ("bool",), "date": ("days", "milliseconds")}
    if kind not in fits.get(feature.kind, ()):
        raise ColumnRefused("wrong_type", f"Expected {_TOLD[feature.kind]}.")
    found = np.asarray(values).astype(np.float64)
    if kind == "milliseconds":
        found /= _DAY  # a time of day is no whole number of days, and is refused as such
    if column.missing is not None:
        found[column.missing] = np.nan
    return number_column(feature, found)


def _checked_text(feature: Feature, column: Column) -> Sequence[Any] | NDArray[Any]:
    missing = column.missing
    texts: list[str | None] = [None] * len(column.values) if column.kind == "null" else list(column.values)
    if missing is not None and column.kind != "null":
        texts = [None if gone else text for text, gone in zip(texts, missing.tolist(), strict=True)]
    if feature.kind == "category":
        return text_column(feature, texts)
    return date_column(feature, texts) if feature.kind == "date" else number_column(feature, texts)  # type: ignore[arg-type]
