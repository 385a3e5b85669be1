"""Tensor data of the Open Inference Protocol, held to the contract of one feature each.

Which datatype may carry which feature is one table. Nulls in `data` mean missing, where the
contract allows it; so does "" in BYTES, because stock clients cannot send a null in text.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec

from sealwright.kernel import SealwrightError
from sealwright.serving.contract import Feature, Kind
from sealwright.serving.field_rules import described, fault_in

__all__ = ["TensorRefused", "checked_column", "datatype_of", "flat_values"]

_INTEGERS = frozenset({"INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"})
_FLOATS = frozenset({"FP32", "FP64"})
_CARRIERS: dict[Kind, frozenset[str]] = {
    "integer": _INTEGERS | _FLOATS,  # a float must hold a whole number
    "number": _INTEGERS | _FLOATS,
    "boolean": frozenset({"BOOL"}),
    "date": frozenset({"BYTES"}),
    "category": frozenset({"BYTES"}),
}
_TOLD: dict[Kind, str] = {"integer": "INT64", "number": "FP64", "boolean": "BOOL", "date": "BYTES", "category": "BYTES"}
_FLAT: dict[str, msgspec.json.Decoder[Any]] = (
    dict.fromkeys(_INTEGERS, msgspec.json.Decoder(list[int | None]))
    | dict.fromkeys(_FLOATS, msgspec.json.Decoder(list[float | None]))
    | {"BOOL": msgspec.json.Decoder(list[bool | None]), "BYTES": msgspec.json.Decoder(list[str | None])}
)
_NESTED: dict[str, msgspec.json.Decoder[Any]] = (
    dict.fromkeys(_INTEGERS, msgspec.json.Decoder(list[list[int | None]]))
    | dict.fromkeys(_FLOATS, msgspec.json.Decoder(list[list[float | None]]))
    | {"BOOL": msgspec.json.Decoder(list[list[bool | None]]), "BYTES": msgspec.json.Decoder(list[list[str | None]])}
)


class TensorRefused(SealwrightError):
    """Tensor data outside its announced type or the contract; `at` is the row, where one is to blame."""

    code = "tensor.refused"

    def __init__(self, reason: str, message: str, *, at: int | None = None) -> None:
        self.reason, self.at = reason, at
        super().__init__(message)


def datatype_of(feature: Feature) -> str:
    """The datatype we announce for a feature."""
    return _TOLD[feature.kind]


def flat_values(data: msgspec.Raw, datatype: str, rows: int, width: int) -> list[Any]:
    """The elements in row-major order; `data` may be flat or one list per row.

    Raises
    ------
    TensorRefused
        Elements of another type, or not rows x width of them.
    """
    nested = bytes(data)[1:65].lstrip(b" \t\r\n").startswith(b"[")
    try:
        if nested:
            lines = _NESTED[datatype].decode(data)
            if any(len(line) != width for line in lines):
                raise TensorRefused("wrong_length", f"Expected {width} elements in each row.")
            flat: list[Any] = [value for line in lines for value in line]
        else:
            flat = _FLAT[datatype].decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise TensorRefused("wrong_type", f"Expected a list of {datatype} elements.") from None
    if len(flat) != rows * width:
        raise TensorRefused("wrong_length", f"Expected {rows * width} elements; found {len(flat)}.")
    return flat


def checked_column(feature: Feature, datatype: str, column: Sequence[Any], *, packed: bool) -> list[Any]:
    """One feature's values as the contract packs them: missing as None, dates as days.

    A packed "numbers" tensor holds the model's own numbers: booleans as 0 and 1, dates as days since 1970-01-01.

    Raises
    ------
    TensorRefused
        A datatype that cannot carry the feature, or a value outside the contract, with its row.
    """
    if packed and feature.kind != "category":
        feature, allowed = _as_number(feature), _FLOATS
    else:
        allowed = _CARRIERS[feature.kind]
    if datatype not in allowed:
        raise TensorRefused("wrong_datatype", f"Expected datatype {' or '.join(sorted(allowed))}.")
    result = []
    for row, found in enumerate(column):
        value = found
        if value == "" and feature.nullable:
            value = None
        elif feature.kind == "integer" and isinstance(value, float) and value.is_integer():
            value = int(value)
        if code := fault_in(feature, value):
            raise TensorRefused(code, f"Expected {described(feature)}.", at=row)
        result.append(date.fromisoformat(value) if feature.kind == "date" and value is not None else value)
    return result


def _as_number(feature: Feature) -> Feature:
    """The same feature as the model's input sees it."""
    kind: Kind = "number" if feature.kind == "number" else "integer"
    return Feature(name=feature.name, kind=kind, nullable=feature.nullable, low=feature.low, high=feature.high)
