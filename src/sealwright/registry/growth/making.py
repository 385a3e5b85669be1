"""Operators that make a value of the size they are told."""

import math
from typing import Any

from sealwright.registry.growth.asked import Asked, Unbounded, size_from
from sealwright.registry.growth.sizes import Size, Value, broadcast, value_of
from sealwright.registry.tensors import small_numbers

__all__ = [
    "SIZED_BY",
    "constant",
    "elements",
    "expanded",
    "filled",
    "hot",
    "padded",
    "range_of",
    "resized",
    "shape",
    "stored",
    "tiled",
    "window",
]

_MOST_HELD = 64  # numbers of a value that are followed
# operator -> positions of the inputs that tell how large its output becomes
SIZED_BY = {
    "ConstantOfShape": (0,),
    "Expand": (1,),
    "Tile": (1,),
    "Range": (0, 1, 2),
    "Pad": (1,),
    "OneHot": (1,),
    "Resize": (2, 3),
    "Upsample": (1,),
    "CenterCropPad": (1,),
    "MaxUnpool": (2,),
    "AffineGrid": (1,),
    "Col2Im": (1,),
    "DFT": (1,),
    "HannWindow": (0,),
    "HammingWindow": (0,),
    "BlackmanWindow": (0,),
    "MelWeightMatrix": (0, 1),
}


def constant(asked: Asked) -> Value:
    tensor = asked.attribute("value")
    if tensor is not None:
        return stored(tensor.t)
    for name in ("value_int", "value_float"):
        found = asked.attribute(name)
        if found is not None:
            return value_of([], [found.i if name == "value_int" else found.f])
    for name in ("value_ints", "value_floats"):
        found = asked.attribute(name)
        if found is not None:
            numbers = list(found.ints if name == "value_ints" else found.floats)
            return value_of([Size(len(numbers))], numbers)
    strings = asked.attribute("value_strings")
    return value_of([] if strings is None else [Size(len(strings.strings))])


def stored(tensor: Any) -> Value:
    """A constant of the file."""
    return value_of([Size(int(size)) for size in tensor.dims], small_numbers(tensor))


def shape(asked: Asked) -> Value:
    end = asked.attribute("end")
    dims = asked.dims(0)[slice(asked.whole("start"), None if end is None else int(end.i))]
    return value_of([Size(len(dims))], [one.times if one.fixed else one for one in dims])


def elements(asked: Asked) -> Value:
    total = asked.value(0).total
    return value_of([], [total.times if total.fixed else total])


def filled(asked: Asked) -> Value:
    made = value_of(asked.sizes(0))
    value = asked.attribute("value")
    numbers = [0.0] if value is None else small_numbers(value.t)
    few = made.total.fixed and made.total.times <= _MOST_HELD
    return value_of(made.known, numbers[:1] * made.total.times) if few and numbers else made


def expanded(asked: Asked) -> Value:
    return broadcast([asked.value(0), value_of(asked.sizes(1))])


def tiled(asked: Asked) -> Value:
    return value_of([one * many for one, many in zip(asked.dims(0), asked.sizes(1), strict=True)])


def range_of(asked: Asked) -> Value:
    start, stop, step = (asked.held(place)[0] for place in range(3))
    if isinstance(stop, Size) and start == 0 and step == 1:
        return value_of([stop])
    if isinstance(start, (int, float)) and isinstance(stop, (int, float)) and isinstance(step, (int, float)):
        return value_of([Size(math.ceil(abs(stop - start) / abs(step)) if step else 1 << 62)])
    raise Unbounded("where it begins and ends cannot be followed")


def padded(asked: Asked) -> Value:
    dims = list(asked.dims(0))
    pads = asked.sizes(1) if asked.has(1) else [size_from(one) for one in asked.wholes("pads") or []]
    axes = asked.axes(3, "axes")
    axes = list(range(len(dims))) if axes is None else axes
    for place, axis in enumerate(axes):
        dims[axis] = (dims[axis] + pads[place] + pads[place + len(axes)]).loose
    return value_of(dims)


def hot(asked: Asked) -> Value:
    dims = list(asked.dims(0))
    place = asked.whole("axis", -1)
    dims.insert(place if place >= 0 else len(dims) + 1 + place, asked.sizes(1)[0])
    return value_of(dims)


def resized(asked: Asked) -> Value:
    dims, older = asked.dims(0), asked.attribute("scales")
    if asked.attribute("axes") is not None or asked.attribute("keep_aspect_ratio_policy") is not None:
        raise Unbounded("it resizes in a way that has no rule here")
    if asked.operator == "Upsample" and older is not None:
        scales = [size_from(one) for one in older.floats]
    elif asked.operator == "Resize" and asked.has(3):
        return value_of([one for one, _ in zip(asked.sizes(3), dims, strict=True)])
    else:
        scales = asked.sizes(2 if asked.operator == "Resize" and asked.has(2) else 1)
    return value_of([(one * by).loose for one, by in zip(dims, scales, strict=True)])


def window(asked: Asked) -> Value:
    return value_of(asked.sizes(0)[:1])
