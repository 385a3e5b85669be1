"""Operators that move, cut, pick or join what is there."""

from sealwright.registry.growth.asked import Asked, Unbounded, size_from
from sealwright.registry.growth.sizes import ONE, Held, Size, Value, larger, product, value_of, widest

__all__ = [
    "best", "compressed", "concatenated", "cut", "flattened", "gathered", "gathered_apart", "gathered_deep", "not_zero",
    "reshaped", "split", "squeezed", "top", "transposed", "unique", "unsqueezed",
]  # fmt: skip

_NOTHING = Size(0)
_TO_THE_END = 1 << 30  # an end that means "all"


def reshaped(asked: Asked) -> Value:
    """Never more elements than before, whatever the shape says."""
    value, wanted = asked.value(0), asked.value(1).held
    if wanted is None:
        return Value(dims=None, total=value.total, held=value.held)
    dims = [_reshaped_to(one, value, place, asked.whole("allowzero")) for place, one in enumerate(wanted)]
    if any(one is None and not _is_rest(number) for one, number in zip(dims, wanted, strict=True)):
        return Value(dims=None, total=value.total, held=value.held)
    rest = value.total.over(product([one for one in dims if one is not None]))
    made = tuple(rest if one is None else one for one in dims)
    if value.total == _NOTHING and all(one.exact and one.times for one in made):
        made = (_NOTHING,) * len(made)  # the runtime refuses to make something of nothing
    return Value(dims=made, total=value.total, held=value.held)


def _is_rest(number: Held) -> bool:
    return isinstance(number, (int, float)) and number < 0


def _reshaped_to(number: Held, value: Value, place: int, allow_zero: int) -> Size | None:
    """One dimension asked of a reshape; None for "the rest", and where it cannot be told.

    A size that is not exact may turn out as zero, which means "as it was", or as a mark for the rest.
    """
    was = value.dims[place] if value.dims is not None and place < len(value.dims) else None
    if number is None or _is_rest(number):
        return None
    if isinstance(number, Size):
        return number if number.exact or number == was else larger(number, value.total).loose
    return was if number == 0 and not allow_zero else size_from(number)


def flattened(asked: Asked) -> Value:
    dims, axis = asked.dims(0), asked.whole("axis", 1)
    return value_of([product(dims[:axis]), product(dims[axis:])])


def squeezed(asked: Asked) -> Value:
    value, axes = asked.value(0), asked.axes(1, "axes")
    dims = list(value.known)
    if axes is not None:
        gone = {range(len(dims))[axis] for axis in axes}
        dims = [one for place, one in enumerate(dims) if place not in gone]
    elif all(one.fixed for one in dims):
        dims = [one for one in dims if one != ONE]
    else:
        return Value(dims=None, total=value.total, held=value.held)
    return Value(dims=tuple(dims), total=value.total, held=value.held)


def unsqueezed(asked: Asked) -> Value:
    value, axes = asked.value(0), asked.axes(1, "axes") or []
    rank = len(value.known) + len(axes)
    new = {range(rank)[axis] for axis in axes}
    rest = iter(value.known)
    dims = tuple(ONE if place in new else next(rest) for place in range(rank))
    return Value(dims=dims, total=value.total, held=value.held)


def transposed(asked: Asked) -> Value:
    dims = asked.dims(0)
    order = asked.wholes("perm") or list(reversed(range(len(dims))))
    if sorted(order) != list(range(len(dims))):
        raise Unbounded("it names no order of the dimensions")
    return value_of([dims[place] for place in order])


def concatenated(asked: Asked) -> Value:
    values = asked.values()
    dims = list(values[0].known)
    axis = range(len(dims))[asked.whole("axis", 1)]
    for value in values[1:]:
        if len(value.known) != len(dims):
            raise Unbounded("it joins values of different rank")
        dims = [
            one + other if place == axis else widest(one, other)
            for place, (one, other) in enumerate(zip(dims, value.known, strict=True))
        ]
    held: list[Held] = []
    for value in values:
        if len(dims) != 1 or value.held is None:
            return value_of(dims)
        held += value.held
    return value_of(dims, held)


def split(asked: Asked) -> list[Value]:
    dims = asked.dims(0)
    axis = range(len(dims))[asked.whole("axis")]
    parts, whole = asked.axes(1, "split"), dims[axis]
    if parts is not None:
        sizes = [Size(part) for part in parts]
    else:
        even = whole.exact and not whole.times % asked.outputs
        sizes = [whole.over(Size(asked.outputs)) if even else whole.loose] * asked.outputs
    return [value_of([*dims[:axis], size, *dims[axis + 1 :]]) for size in sizes]


def cut(asked: Asked) -> Value:
    value = asked.value(0)
    dims = list(value.known)
    starts: list[Held] = asked.held(1) if asked.has(1) else list(asked.wholes("starts") or [])
    ends: list[Held] = asked.held(2) if asked.has(2) else list(asked.wholes("ends") or [])
    axes = asked.axes(3, "axes")
    axes = list(range(len(starts))) if axes is None else axes
    steps = asked.axes(4, "steps") or [1] * len(axes)
    held = value.held if len(dims) == 1 and len(starts) == 1 else None
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        found = _cut(dims[axis], start, end, step)
        held = held[found] if held is not None and isinstance(found, slice) else None
        dims[axis] = Size(len(range(dims[axis].times)[found])) if isinstance(found, slice) else found
    return value_of(dims, held)


def _cut(size: Size, start: Held, end: Held, step: int) -> Size | slice:
    """What is left of a dimension: the places, where they are the same for every request."""
    if not isinstance(start, (int, float)) or not isinstance(end, (int, float)):
        return size.loose
    if size.fixed:
        return slice(int(start), int(end), step)
    if start == 0 and step == 1 and end >= _TO_THE_END:
        return size
    if start == 0 and step == 1 and end == 1 and size.exact and size.times:
        return ONE
    if (start >= 0) == (end >= 0):
        most = Size(abs(int(end) - int(start)), exact=False)
        return most if size.power or size.times > most.times else size.loose
    return size.loose


def gathered(asked: Asked) -> Value:
    value, which = asked.value(0), asked.value(1)
    axis = range(len(value.known))[asked.whole("axis")]
    dims = (*value.known[:axis], *which.known, *value.known[axis + 1 :])
    if len(value.known) == 1 and value.held is not None and which.held is not None:
        return value_of(dims, [value.held[int(one)] if isinstance(one, (int, float)) else None for one in which.held])
    return value_of(dims)


def gathered_apart(asked: Asked) -> Value:
    """GatherElements: as large as the places it is asked for."""
    return asked.value(1).shape


def gathered_deep(asked: Asked) -> Value:
    dims, which, batch = asked.dims(0), asked.dims(1), asked.whole("batch_dims")
    if not which[-1].fixed or batch < 0:
        raise Unbounded("how deep it looks cannot be told")
    return value_of([*which[:-1], *dims[batch + which[-1].times :]])


def compressed(asked: Asked) -> Value:
    if asked.attribute("axis") is None:
        return value_of([asked.value(0).total.loose])
    return value_of([one.loose for one in asked.dims(0)])


def unique(asked: Asked) -> list[Value]:
    some = Value(dims=None, total=asked.value(0).total.loose)
    return [some] * asked.outputs


def not_zero(asked: Asked) -> Value:
    return value_of([Size(len(asked.dims(0))), asked.value(0).total.loose])


def top(asked: Asked) -> list[Value]:
    dims = list(asked.dims(0))
    axis = range(len(dims))[asked.whole("axis", -1)]
    held = asked.value(1).held if asked.has(1) else (asked.whole("k", 1),)
    number = held[0] if held else None
    dims[axis] = Size(int(number)) if isinstance(number, (int, float)) else dims[axis].loose
    return [value_of(dims)] * 2


def best(asked: Asked) -> Value:
    """ArgMax and ArgMin."""
    dims = list(asked.dims(0))
    axis = range(len(dims))[asked.whole("axis")]
    dims[axis : axis + 1] = [ONE] if asked.whole("keepdims", 1) else []
    return value_of(dims)
