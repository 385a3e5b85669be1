"""Constants inside a model: are they what they say, small enough, and finite?

Answers: does a stored tensor have exactly the bytes its shape and type ask for, inside the
file, and no NaN or infinity where a weight is expected?
Does not answer: which node uses it. Pure functions over protobuf messages, numpy for the arithmetic.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["problems_of_attribute", "problems_of_tensor", "small_numbers"]

# element type of onnx.TensorProto -> (bytes each, field that holds it when raw_data does not)
_TYPES = {
    1: (4, "float_data"),
    2: (1, "int32_data"),
    3: (1, "int32_data"),
    4: (2, "int32_data"),
    5: (2, "int32_data"),
    6: (4, "int32_data"),
    7: (8, "int64_data"),
    8: (0, "string_data"),
    9: (1, "int32_data"),
    10: (2, "int32_data"),
    11: (8, "double_data"),
    12: (4, "uint64_data"),
    13: (8, "uint64_data"),
    16: (2, "int32_data"),
}
_FLOATS: dict[int, np.dtype[Any]] = {1: np.dtype("<f4"), 10: np.dtype("<f2"), 11: np.dtype("<f8")}
_NUMBERS: dict[int, np.dtype[Any]] = {1: np.dtype("<f4"), 6: np.dtype("<i4"), 7: np.dtype("<i8"), 11: np.dtype("<f8")}
_BFLOAT16 = 16
_DATA_FIELDS = ("float_data", "int32_data", "string_data", "int64_data", "double_data", "uint64_data")
# attributes that mark what is missing, where NaN is the honest value
_NAN_MEANS_MISSING = frozenset({"replaced_value_float", "default_float", "keys_floats", "values_floats"})
# a tree may send every value one way
_MAY_BE_INFINITE = frozenset({"nodes_values", "nodes_splits"})

Problem = tuple[str, str]  # (code, message)


def problems_of_tensor(tensor: Any) -> Iterator[Problem]:
    """Every reason against one stored tensor: external, odd type, wrong size, not finite."""
    if tensor.data_location or len(tensor.external_data):
        yield "onnx.external_data", "keeps its values in another file; everything a model needs must be inside it"
        return
    known = _TYPES.get(tensor.data_type)
    if known is None:
        yield "onnx.tensor_type", f"has element type {tensor.data_type}, which is not admitted"
        return
    each, field = known
    if len(tensor.dims) > 16 or any(size < 0 for size in tensor.dims):
        yield "onnx.tensor_shape", "has a negative size or more than 16 dimensions"
        return
    elements = math.prod(tensor.dims)
    filled = [name for name in _DATA_FIELDS if len(getattr(tensor, name))]
    raw = len(tensor.raw_data)
    if tensor.HasField("segment") or (raw and (filled or not each)) or any(name != field for name in filled):
        yield "onnx.tensor_shape", "stores its values in a way its type does not use"
        return
    stored = raw or len(getattr(tensor, field))
    if stored != (elements * each if raw else elements):
        yield "onnx.tensor_shape", f"says it has {elements:,} values and stores another number of them"
        return
    if elements > 1 and not _finite(tensor, raw):  # a lone NaN or infinity is a marker or a bound, not weights
        yield "onnx.not_finite", "has NaN or infinity among its values"


def problems_of_attribute(attribute: Any) -> Iterator[Problem]:
    """Every reason against the plain numbers of one attribute (its tensors and graphs are seen elsewhere)."""
    if attribute.HasField("sparse_tensor") or len(attribute.sparse_tensors):
        yield "onnx.sparse", "is a sparse tensor, which is small in the file and has no bound in memory"
    if attribute.ref_attr_name:
        yield "onnx.function", "refers to an attribute of a function; functions are not admitted"
    numbers = np.array(attribute.floats if len(attribute.floats) else [attribute.f], dtype=np.float32)
    if not np.isfinite(numbers).all():
        bad = numbers[~np.isfinite(numbers)]
        allowed = (np.isnan(bad) & (attribute.name in _NAN_MEANS_MISSING)) | (
            np.isinf(bad) & (attribute.name in _MAY_BE_INFINITE)
        )
        if not allowed.all():
            yield "onnx.not_finite", f"has {'NaN' if np.isnan(bad).any() else 'infinity'} among its numbers"


def small_numbers(tensor: Any) -> list[float] | None:
    """The values of a stored tensor of at most 64 numbers; None for any other."""
    kind = _NUMBERS.get(tensor.data_type)
    if kind is None or math.prod(tensor.dims) > 64:
        return None
    if tensor.raw_data:
        whole = len(tensor.raw_data) - len(tensor.raw_data) % kind.itemsize
        return [float(value) for value in np.frombuffer(tensor.raw_data[:whole], dtype=kind)]
    return [float(value) for value in getattr(tensor, _TYPES[tensor.data_type][1])]


def _finite(tensor: Any, raw: int) -> bool:
    kind = _FLOATS.get(tensor.data_type)
    if kind is not None:
        if raw:
            return bool(np.isfinite(np.frombuffer(tensor.raw_data, dtype=kind)).all())
        if tensor.data_type == 10:
            return bool(np.isfinite(_halves(tensor.int32_data).view(np.float16)).all())
        return bool(np.isfinite(np.array(tensor.float_data if tensor.data_type == 1 else tensor.double_data)).all())
    if tensor.data_type == _BFLOAT16:
        halves = np.frombuffer(tensor.raw_data, dtype="<u2") if raw else _halves(tensor.int32_data)
        return not bool(((halves & 0x7F80) == 0x7F80).any())  # all exponent bits set: NaN or infinity
    return True


def _halves(values: Any) -> NDArray[np.uint16]:
    return (np.array(values, dtype=np.int64) & 0xFFFF).astype(np.uint16)
