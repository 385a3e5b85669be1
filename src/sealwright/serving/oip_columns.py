"""The tensors of one inference request, held to the contract: one per feature, or the model's own packed two.

Which datatype may carry which feature is one table. Null means missing, where the contract allows it; so does "" in
BYTES and NaN in raw floats, because stock clients cannot send a null there.
Does not answer: how a tensor arrived. JSON, the binary extension and gRPC all bring `Tensor`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sealwright.serving.columns import ColumnRefused, date_column, number_column, text_column
from sealwright.serving.contract import FEW_ROWS, Batch, Contract, Feature, Kind
from sealwright.serving.field_rules import MOST_PROBLEMS, described, fault_in, pointer
from sealwright.serving.oip_elements import FLOATS, INTEGERS, Elements
from sealwright.serving.problems import FieldProblem, RowsRefused

__all__ = ["OipColumns", "Tensor", "datatype_of"]

_CARRIERS: dict[Kind, frozenset[str]] = {
    "integer": INTEGERS | FLOATS,  # a float must hold a whole number
    "number": INTEGERS | FLOATS,
    "boolean": frozenset({"BOOL"}),
    "date": frozenset({"BYTES"}),
    "category": frozenset({"BYTES"}),
}
_TOLD: dict[Kind, str] = {"integer": "INT64", "number": "FP64", "boolean": "BOOL", "date": "BYTES", "category": "BYTES"}

Rows = Sequence[Sequence[Any]]


def datatype_of(feature: Feature) -> str:
    """The datatype we announce for a feature."""
    return _TOLD[feature.kind]


class Tensor(NamedTuple):
    """One input as it was sent; `elements` reads rows x width of them, or raises `ColumnRefused`."""

    name: str
    shape: list[int]
    datatype: str
    elements: Callable[[int, int], Elements]


class _Held(NamedTuple):
    """What one column of a tensor is held to: a feature, and the datatypes that may carry it."""

    name: str
    feature: Feature
    allowed: frozenset[str]


_Groups = Mapping[str, tuple[_Held, ...]]  # by the name of a tensor


class OipColumns:
    """Reads the tensors of requests for one contract."""

    def __init__(self, contract: Contract, *, most_rows: int) -> None:
        self._contract, self._most_rows = contract, most_rows
        self._by_feature = {f.name: (_Held(f.name, f, _CARRIERS[f.kind]),) for f in contract.features}
        groups = {"numbers": contract.numbers, "strings": contract.strings}
        self._packed = {name: tuple(map(_held_packed, group)) for name, group in groups.items() if group}

    def read(self, tensors: Sequence[Tensor]) -> tuple[int, Rows | None, Batch | None]:
        """How many rows, and either the rows (few of them) or the model's inputs.

        Raises
        ------
        RowsRefused
            Outside the contract; names each tensor (422).
        """
        names = {tensor.name: at for at, tensor in enumerate(tensors)}
        packed = names.keys() == self._packed.keys() and names.keys() != self._contract.names
        groups = self._packed if packed else self._by_feature
        rows = tensors[0].shape[0] if tensors and tensors[0].shape else 0
        if problems := self._shape_problems(tensors, names, rows, groups, packed):
            raise RowsRefused(problems=problems[:MOST_PROBLEMS])
        columns = _columns(tensors, rows, groups, packed)
        ordered = [columns[feature.name] for feature in self._contract.features]
        if rows < FEW_ROWS:
            return rows, list(zip(*ordered, strict=True)), None
        return rows, None, self._contract.pack_columns(ordered)

    def _shape_problems(
        self, tensors: Sequence[Tensor], names: dict[str, int], rows: int, groups: _Groups, packed: bool
    ) -> list[FieldProblem]:
        """What is wrong before any value is looked at: names, number of rows, shapes, datatypes."""
        if len(names) != len(tensors):
            return [FieldProblem("/inputs", "duplicate_tensor", "Two inputs have the same name.")]
        if not 1 <= rows <= self._most_rows:
            return [
                FieldProblem(pointer("inputs", 0, "shape"), "wrong_length", f"Expected 1 to {self._most_rows} rows.")
            ]
        expected = groups.keys()
        problems = [
            FieldProblem("/inputs", "missing", "This input is missing.", name) for name in sorted(expected - names.keys())
        ] + [
            FieldProblem(pointer("inputs", names[name], "name"), "unknown_field", "This input is not in the contract.")
            for name in sorted(names.keys() - expected)
        ]  # fmt: skip
        for at, tensor in enumerate(tensors):
            name, shape = tensor.name, tensor.shape
            if name not in groups:
                continue
            width = len(groups[name])
            if shape != [rows, width] and (packed or shape != [rows]):
                wanted = f"[{rows}, {width}]" if packed else f"[{rows}] or [{rows}, 1]"
                problems.append(
                    FieldProblem(
                        pointer("inputs", at, "shape"), "wrong_shape", f"Expected {wanted}.", "" if packed else name
                    )
                )
        return problems


def _columns(tensors: Sequence[Tensor], rows: int, groups: _Groups, packed: bool) -> dict[str, Elements]:
    """Each feature's values, checked."""
    check = _checked_few if rows < FEW_ROWS else _checked_many
    problems: list[FieldProblem] = []
    columns: dict[str, Elements] = {}
    for at, tensor in enumerate(tensors):
        group = groups[tensor.name]
        width = len(group)
        try:
            flat = tensor.elements(rows, width)
        except ColumnRefused as refusal:
            field = "" if packed else tensor.name
            problems.append(FieldProblem(pointer("inputs", at, "data"), refusal.reason, str(refusal), field))
            continue
        for offset, (name, feature, allowed) in enumerate(group):
            try:
                if tensor.datatype not in allowed:
                    raise ColumnRefused("wrong_datatype", f"Expected datatype {' or '.join(sorted(allowed))}.")
                columns[name] = check(feature, flat if width == 1 else flat[offset::width])
            except ColumnRefused as refusal:
                where = ("datatype",) if refusal.at is None else ("data", refusal.at * width + offset)
                problems.append(FieldProblem(pointer("inputs", at, *where), refusal.reason, str(refusal), name))
    if problems:
        raise RowsRefused(problems=problems[:MOST_PROBLEMS])
    return columns


def _checked_many(feature: Feature, column: Elements) -> Elements:
    """A column of many rows, as a whole."""
    if isinstance(column, np.ndarray) or feature.kind not in ("category", "date"):
        return number_column(feature, column)
    return text_column(feature, column) if feature.kind == "category" else date_column(feature, column)


def _checked_few(feature: Feature, column: Elements) -> list[Any]:
    """A column of few rows, value by value: missing as None, dates as dates."""
    found = _with_nulls(column) if isinstance(column, np.ndarray) else column
    result = []
    for row, one in enumerate(found):
        value = one
        if value == "" and feature.nullable:
            value = None
        elif feature.kind == "integer" and isinstance(value, float) and value.is_integer():
            value = int(value)
        if code := fault_in(feature, value):
            raise ColumnRefused(code, f"Expected {described(feature)}.", at=row)
        result.append(date.fromisoformat(value) if feature.kind == "date" and value is not None else value)
    return result


def _with_nulls(column: NDArray[Any]) -> list[Any]:
    """NaN is how raw floats say null."""
    return [None if value != value else value for value in column.tolist()]


def _held_packed(feature: Feature) -> _Held:
    """A column of a packed tensor: text, or a number as the model sees it: booleans as 0 and 1, dates as days since 1970."""
    if feature.kind == "category":
        return _Held(feature.name, feature, _CARRIERS["category"])
    kind: Kind = "number" if feature.kind == "number" else "integer"
    number = Feature(name=feature.name, kind=kind, nullable=feature.nullable, low=feature.low, high=feature.high)
    return _Held(feature.name, number, FLOATS)
